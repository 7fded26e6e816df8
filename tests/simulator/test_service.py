"""How requests are served: servers, queue, freezes, refusals, clients that leave. Orders are asserted, never timings."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from .citizen import NS, Citizen, fields, text
from .conftest import Running, Start, browser, get, portal


def at_once(url: str, how_many: int) -> list[httpx.Response]:
    with ThreadPoolExecutor(how_many) as pool:
        return list(pool.map(lambda number: get(f"{url}/truth/{number}", timeout=30), range(how_many)))


def test_no_more_in_service_than_servers_and_first_come_first_served(start: Start) -> None:
    running = start(portal("c", "calibration", servers=2, median_ms=40))
    assert [answer.status_code for answer in at_once(running.portals["c"], 12)] == [200] * 12
    rows = sorted(running.truth("c"), key=lambda row: row["arrival_us"])
    for row in rows:
        beside = [other for other in rows if other["start_us"] <= row["start_us"] < other["end_us"]]
        assert len(beside) <= 2
    starts = [row["start_us"] for row in rows]
    assert starts == sorted(starts)
    assert all(row["arrival_us"] <= row["start_us"] < row["end_us"] for row in rows)
    assert all(row["end_us"] - row["start_us"] >= 40_000 for row in rows)


def test_unbounded_servers_let_nobody_wait(start: Start) -> None:
    running = start(portal("c", "calibration", servers=0, median_ms=200))
    at_once(running.portals["c"], 12)
    rows = running.truth("c")
    assert max(row["start_us"] for row in rows) < min(row["end_us"] for row in rows)


def test_nothing_starts_or_ends_in_a_freeze_and_the_queue_keeps_its_order(start: Start) -> None:
    running = start(portal("c", "calibration", servers=0, median_ms=5, freezes={"first_at_s": 0.1, "every_s": 0, "duration_s": 0.4}))
    origin_us = time.monotonic_ns() // 1000
    running.tell("/freeze-origin", portal="c", at_monotonic_us=origin_us)
    frozen_us, thawed_us = origin_us + 100_000, origin_us + 500_000
    with ThreadPoolExecutor(20) as pool:
        asked = []
        while time.monotonic_ns() // 1000 < frozen_us + 200_000:  # arrivals before, at and during the freeze
            asked.append(pool.submit(get, f"{running.portals['c']}/truth/{len(asked)}"))
            time.sleep(0.01)
        assert {answer.result().status_code for answer in asked} == {200}
    rows = sorted(running.truth("c"), key=lambda row: row["arrival_us"])
    assert any(frozen_us <= row["arrival_us"] < thawed_us for row in rows)
    assert not [row for row in rows if frozen_us <= row["start_us"] < thawed_us or frozen_us <= row["end_us"] < thawed_us]
    starts = [row["start_us"] for row in rows]
    assert starts == sorted(starts)


def test_calibration_answers_carry_the_path_and_the_size_asked_for(start: Start) -> None:
    running = start(portal("c", "calibration", body_bytes=2300))
    answer = get(running.portals["c"] + "/truth/a%20b/%C4%91?x=1")
    assert len(answer.content) == 2300
    assert answer.json()["path"] == "/truth/a%20b/%C4%91"
    running.tell("/faults", portal="c", faults={"slow_body": 0.0})  # the ordinary way round answers the same
    assert get(running.portals["c"] + "/truth/a%20b/%C4%91").json()["path"] == "/truth/a%20b/%C4%91"
    assert [row["bytes"] for row in running.truth("c")] == [2300, 2300]


def test_service_times_depend_on_the_request_number_alone(start: Start) -> None:
    def bad(seed: int) -> list[int]:
        running = start(portal("c", "calibration", error_share=0.5), seed=seed)
        with browser(base_url=running.portals["c"]) as http:
            return [http.get(f"/truth/{number}").status_code for number in range(40)]

    assert bad(1) == bad(1) != bad(2)


@pytest.mark.parametrize(
    ("how", "status", "says"), [("forbidden", 403, "waf"), ("captcha", 200, 'id="captcha"'), ("maintenance", 503, "bao-tri")]
)
def test_a_portal_that_refuses_refuses_everybody(start: Start, how: str, status: int, says: str) -> None:
    running = start(portal("p", refuses=how), portal("c", "calibration", refuses=how))
    for url in (running.portals["p"] + "/", running.portals["c"] + "/truth/1"):
        answer = get(url)
        assert answer.status_code == status
        assert says in answer.text
    running.tell("/personality", portal="p", refuses="none")
    assert "Tìm kiếm" in get(running.portals["p"] + "/").text


def test_too_many_at_once_get_429_and_the_others_are_served(start: Start) -> None:
    running = start(portal("c", "calibration", servers=1, median_ms=50, too_many_requests_above=4))
    statuses = sorted(answer.status_code for answer in at_once(running.portals["c"], 12))
    assert set(statuses) == {200, 429}
    assert get(running.portals["c"] + "/truth/alone").status_code == 200


def leave_during(running: Running, request: bytes) -> None:
    """Send a request and close the connection without waiting for the answer."""
    host, port = running.portals["p"].removeprefix("http://").split(":")
    before = running.counts("p")["requests"]
    with socket.create_connection((host, int(port))) as raw:
        raw.sendall(request)
        while running.counts("p")["requests"] == before:
            time.sleep(0.005)
    while running.counts("p")["in_flight"]:
        time.sleep(0.01)


def test_who_has_timed_out_has_no_dossier(start: Start) -> None:
    running = start(portal("p"))
    citizen = Citizen(running.portals["p"], running.identity)
    action, form = fields(citizen.attach(citizen.fill_in(citizen.start())).text, "confirm")
    running.tell("/personality", portal="p", median_ms=400)
    request = citizen.http.build_request("POST", action, data=form | {NS + "camDoan": "1"})
    head = (
        f"POST {request.url.raw_path.decode()} HTTP/1.1\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        + "\r\n"
    )
    leave_during(running, head.encode() + request.read())
    assert running.counts("p")["dossiers"] == 0
    assert running.truth("p")[-1]["status"] == 499
    running.tell("/personality", portal="p", median_ms=1)
    assert text(citizen.http.send(request).text, "main")  # the same request again, and the citizen waits
    assert running.counts("p")["dossiers"] == 1


def test_a_hung_request_does_not_hold_a_server(start: Start) -> None:
    running = start(portal("p", servers=1, hang_share=1, hang_s=60))
    with pytest.raises(httpx.ReadTimeout):
        get(running.portals["p"] + "/", timeout=0.3)
    running.tell("/personality", portal="p", hang_share=0)
    assert get(running.portals["p"] + "/").status_code == 200
    running.tell("/personality", portal="p", hang_share=1, hang_s=0.05)
    assert get(running.portals["p"] + "/").status_code == 504


def test_every_request_has_one_row_and_since_leaves_out_the_earlier(start: Start) -> None:
    running = start(portal("c", "calibration"), portal("p"))
    at_once(running.portals["c"], 30)
    get(running.portals["p"] + "/", params={"q": 'đây là "trích dẫn" \\'})
    rows = running.truth("c")
    assert sorted(row["number"] for row in rows) == list(range(1, 31))
    assert {row["path"] for row in rows} == {f"/truth/{number}" for number in range(30)}
    assert len(running.truth()) == 31
    middle = sorted(row["arrival_us"] for row in rows)[15]
    later = get(f"{running.control}/truth", params={"portal": "c", "since_us": middle}).text.splitlines()
    assert len(later) == 15
    get(f"{running.control}/flush")
    assert len([json.loads(line) for line in (running.folder / "truth.jsonl").read_text().splitlines()]) == 31


def test_head_and_body_come_as_one_segment_and_head_requests_have_no_body(start: Start) -> None:
    running = start(portal("c", "calibration", body_bytes=500), portal("p"))
    host, port = running.portals["c"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        for _ in range(3):
            raw.sendall(b"GET /truth/1 HTTP/1.1\r\nHost: x\r\n\r\n")
            first = raw.recv(65_536)
            assert len(first.partition(b"\r\n\r\n")[2]) == 500
        raw.sendall(b"HEAD /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        assert raw.recv(65_536).endswith(b"\r\n\r\n")
        raw.sendall(b"GET /truth/2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: raw.recv(65_536), b""))
        assert len(answer.partition(b"\r\n\r\n")[2]) == 500
    asset = get(running.portals["p"] + "/theme/main.css")
    again = get(running.portals["p"] + "/theme/main.css", headers={"If-None-Match": asset.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("family", ["calibration", "liferay"])
def test_an_answer_that_nobody_waits_for_is_logged_as_such(start: Start, family: str) -> None:
    running = start(portal("p", family, median_ms=300))
    leave_during(running, b"GET /truth/1 HTTP/1.1\r\nHost: x\r\n\r\n")
    (row,) = running.truth("p")
    assert (row["status"], row["bytes"]) == (499, 0)
