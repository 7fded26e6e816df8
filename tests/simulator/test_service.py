"""How requests are served: servers, queue, freezes, refusals, clients that leave. Orders are asserted, never timings."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from .citizen import NS, Citizen, fields, text
from .conftest import Running, Start, browser, get, portal, started_in

PORTALS = [  # one for each test, so that one process serves them all
    portal("two-servers", "calibration", servers=2, median_ms=40),
    portal("unbounded", "calibration", servers=0, median_ms=200),
    portal("frozen", "calibration", servers=0, median_ms=5, freezes={"first_at_s": 0.1, "every_s": 0, "duration_s": 0.4}),
    portal("sized", "calibration", body_bytes=2300),
    portal("erring", "calibration", error_share=0.5),
    portal("erring-otherwise", "calibration", error_share=0.5),
    *(
        portal(f"{how}-{family}", family, refuses=how)
        for how in ("forbidden", "captcha", "maintenance")
        for family in ("calibration", "liferay")
    ),
    portal("crowded", "calibration", servers=1, median_ms=200, too_many_requests_above=2),
    portal("timed-out"),
    portal("hung", servers=1, hang_share=1, hang_s=60),
    portal("counted", "calibration"),
    portal("quoted"),
    portal("uneven", slow_paths={"/thu-tuc": 50}, large_paths={"/thu-tuc": 1_000_000}),
    portal("slower", median_ms=5, slower_paths={"/thu-tuc": 5, "c": 2, "/le-phi": 100}),
    portal("one-segment", "calibration", body_bytes=500),
    portal("timed-calibration", "calibration", servers=1, median_ms=20, server_timing=True, database_share=0.5, error_share=0.5),
    portal("timed-liferay", servers=1, median_ms=5, server_timing=True),
    portal("left-calibration", "calibration", median_ms=300),
    portal("left-liferay", median_ms=300),
    portal("growing-calibration", "calibration", median_ms=5, growth_per_s=1),
    portal("growing-liferay", median_ms=5, growth_per_s=1),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started_in(tmp_path_factory.mktemp("service")) as go:
        yield go(*PORTALS)


def at_once(url: str, how_many: int) -> list[httpx.Response]:
    with ThreadPoolExecutor(how_many) as pool:
        return list(pool.map(lambda number: get(f"{url}/truth/{number}", timeout=30), range(how_many)))


def by_arrival(running: Running, name: str) -> list[dict[str, int]]:
    return sorted(running.truth(name), key=lambda row: row["arrival_us"])


def test_no_more_in_service_than_servers_and_first_come_first_served(running: Running) -> None:
    assert [answer.status_code for answer in at_once(running.portals["two-servers"], 12)] == [200] * 12
    rows = by_arrival(running, "two-servers")
    for row in rows:
        beside = [other for other in rows if other["start_us"] <= row["start_us"] < other["end_us"]]
        assert len(beside) <= 2
    starts = [row["start_us"] for row in sorted(rows, key=lambda row: row["number"])]  # as the event loop took them up
    assert starts == sorted(starts)
    assert all(row["arrival_us"] <= row["start_us"] < row["end_us"] for row in rows)
    assert all(row["end_us"] - row["start_us"] >= 40_000 for row in rows)


def test_unbounded_servers_let_nobody_wait(running: Running) -> None:
    at_once(running.portals["unbounded"], 8)
    rows = running.truth("unbounded")
    for row in rows:  # nobody starts because somebody else has ended
        assert row["start_us"] - row["arrival_us"] < 200_000


def test_nothing_starts_or_ends_in_a_freeze_and_the_queue_keeps_its_order(running: Running) -> None:
    origin_us = time.monotonic_ns() // 1000
    running.tell("/freeze-origin", portal="frozen", at_monotonic_us=origin_us)
    frozen_us, thawed_us = origin_us + 100_000, origin_us + 500_000
    with ThreadPoolExecutor(20) as pool:
        asked = []
        while time.monotonic_ns() // 1000 < frozen_us + 200_000:  # arrivals before, at and during the freeze
            asked.append(pool.submit(get, f"{running.portals['frozen']}/truth/{len(asked)}"))
            time.sleep(0.01)
        assert {answer.result().status_code for answer in asked} == {200}
    rows = by_arrival(running, "frozen")
    assert any(frozen_us <= row["arrival_us"] < thawed_us for row in rows)
    assert not [row for row in rows if frozen_us <= row["start_us"] < thawed_us]
    late = [row for row in rows if frozen_us - 5_000 < row["start_us"] < thawed_us]  # what would have ended in the freeze
    assert not [row for row in late if row["end_us"] < thawed_us]
    starts = [row["start_us"] for row in rows]
    assert starts == sorted(starts)


def test_calibration_answers_carry_the_path_and_the_size_asked_for(running: Running) -> None:
    answer = get(running.portals["sized"] + "/truth/a%20b/%C4%91?x=1")
    assert len(answer.content) == 2300
    assert answer.json()["path"] == "/truth/a%20b/%C4%91"
    running.tell("/faults", portal="sized", faults={"slow_body": 0.0})  # the ordinary way round answers the same
    assert get(running.portals["sized"] + "/truth/a%20b/%C4%91").json()["path"] == "/truth/a%20b/%C4%91"
    assert [row["bytes"] for row in running.truth("sized")] == [2300, 2300]


def test_a_requests_fate_depends_on_seed_portal_and_number_alone(running: Running, start: Start) -> None:
    def fates(among: Running, name: str) -> list[int]:
        http = browser(base_url=among.portals[name])
        return [http.get(f"/truth/{number}").status_code for number in range(40)]

    erring = portal("erring", "calibration", error_share=0.5)
    same, other = start(portal("first", "calibration"), erring), start(erring, seed=8)
    fate = fates(running, "erring")
    assert set(fate) == {200, 500}
    assert fate == fates(same, "erring")
    assert fate != fates(other, "erring")
    assert fate != fates(running, "erring-otherwise")


@pytest.mark.parametrize(
    ("how", "status", "says"), [("forbidden", 403, "waf"), ("captcha", 200, 'id="captcha"'), ("maintenance", 503, "bao-tri")]
)
def test_a_portal_that_refuses_refuses_everybody(running: Running, how: str, status: int, says: str) -> None:
    for family, path in (("liferay", "/"), ("calibration", "/truth/1")):
        answer = get(running.portals[f"{how}-{family}"] + path)
        assert answer.status_code == status
        assert says in answer.text
    running.tell("/personality", portal=f"{how}-liferay", refuses="none")
    assert "Tìm kiếm" in get(running.portals[f"{how}-liferay"] + "/").text


def test_too_many_at_once_get_429_and_the_others_are_served(running: Running) -> None:
    statuses = [answer.status_code for answer in at_once(running.portals["crowded"], 8)]
    assert set(statuses) == {200, 429}
    assert get(running.portals["crowded"] + "/truth/alone").status_code == 200


def leave_during(running: Running, name: str, request: bytes) -> None:
    """Send a request and close the connection without waiting for the answer."""
    host, port = running.portals[name].removeprefix("http://").split(":")
    before = running.counts(name)["requests"]
    with socket.create_connection((host, int(port))) as raw:
        raw.sendall(request)
        while running.counts(name)["requests"] == before:
            time.sleep(0.005)
    while running.counts(name)["in_flight"]:
        time.sleep(0.01)


def test_who_has_timed_out_has_no_dossier(running: Running) -> None:
    citizen = Citizen(running.portals["timed-out"], running.identity)
    action, form = fields(citizen.attach(citizen.fill_in(citizen.start())).text, "confirm")
    running.tell("/personality", portal="timed-out", median_ms=400)
    request = citizen.http.build_request("POST", action, data=form | {NS + "camDoan": "1"})
    lines = [f"POST {request.url.raw_path.decode()} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items()), "", ""]
    leave_during(running, "timed-out", "\r\n".join(lines).encode() + request.read())
    assert running.counts("timed-out")["dossiers"] == 0
    assert running.truth("timed-out")[-1]["status"] == 499
    running.tell("/personality", portal="timed-out", median_ms=1)
    assert text(citizen.http.send(request).text, "main")  # the same request again, and the citizen waits
    assert running.counts("timed-out")["dossiers"] == 1


@pytest.mark.parametrize("family", ["calibration", "liferay"])
def test_an_answer_that_nobody_waits_for_is_logged_as_such(running: Running, family: str) -> None:
    leave_during(running, f"left-{family}", b"GET /truth/1 HTTP/1.1\r\nHost: x\r\n\r\n")
    (row,) = running.truth(f"left-{family}")
    assert (row["status"], row["bytes"]) == (499, 0)


def test_a_hung_request_does_not_hold_a_server(running: Running) -> None:
    url = running.portals["hung"] + "/"
    with pytest.raises(httpx.ReadTimeout):
        get(url, timeout=0.3)
    running.tell("/personality", portal="hung", hang_share=0)
    assert get(url).status_code == 200
    running.tell("/personality", portal="hung", hang_share=1, hang_s=0.05)
    assert get(url).status_code == 504


def test_every_request_has_one_row_and_since_leaves_out_the_earlier(running: Running) -> None:
    at_once(running.portals["counted"], 30)
    get(running.portals["quoted"] + "/", params={"q": 'đây là "trích dẫn" \\'})
    rows = running.truth("counted")
    assert sorted(row["number"] for row in rows) == list(range(1, 31))
    assert {row["path"] for row in rows} == {f"/truth/{number}" for number in range(30)}
    assert [row["status"] for row in running.truth("quoted")] == [200]
    middle = sorted(row["arrival_us"] for row in rows)[15]
    later = running.http.get("/truth", params={"portal": "counted", "since_us": middle}).text.splitlines()
    assert len(later) == 15
    running.http.get("/flush")
    lines = [json.loads(line) for line in (running.folder / "truth.jsonl").read_text().splitlines()]
    assert len([line for line in lines if line["portal"] == "counted"]) == 30


def test_head_and_body_come_as_one_segment_and_head_requests_have_no_body(running: Running) -> None:
    host, port = running.portals["one-segment"].removeprefix("http://").split(":")
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
    asset = get(running.portals["quoted"] + "/theme/main.css")
    again = get(running.portals["quoted"] + "/theme/main.css", headers={"If-None-Match": asset.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_one_path_may_have_a_larger_page_and_take_longer_in_the_database(running: Running) -> None:
    search, home = "/web/dich-vu-cong/thu-tuc", "/"
    sizes = {path: len(get(running.portals["uneven"] + path).content) for path in (search, home)}
    spent_us = {row["path"]: row["end_us"] - row["start_us"] for row in running.truth("uneven")}
    assert sizes[search] == 1_000_000 > 10 * sizes[home]
    assert spent_us[search] >= 50_000


def test_a_path_can_take_a_multiple_of_its_service_time(running: Running) -> None:
    get(running.portals["slower"] + "/web/dich-vu-cong/thu-tuc")
    (row,) = running.truth("slower")
    assert row["end_us"] - row["start_us"] >= 5_000 * 1.6 * 5 * 2  # its weight is 1.6, and both ends fit


def test_a_request_arrives_when_its_bytes_do_however_busy_the_server_is(tmp_path_factory: pytest.TempPathFactory) -> None:
    with started_in(tmp_path_factory.mktemp("stopped")) as go:
        running = go(portal("busy", "calibration"))
        host, port = running.portals["busy"].removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            os.kill(running.process.pid, signal.SIGSTOP)
            client.sendall(b"GET /truth/1 HTTP/1.1\r\nHost: busy\r\n\r\n")
            sent_us = time.monotonic_ns() // 1000
            time.sleep(0.3)  # nobody there who could read
            os.kill(running.process.pid, signal.SIGCONT)
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        (row,) = running.truth("busy")
    assert row["arrival_us"] <= sent_us + 1_000
    assert row["start_us"] >= sent_us + 200_000


@pytest.mark.parametrize("family", ["calibration", "liferay"])
def test_server_timing_tells_what_the_truth_log_has(running: Running, family: str) -> None:
    answers = at_once(running.portals[f"timed-{family}"], 8)
    rows = {row["number"]: row for row in running.truth(f"timed-{family}")}
    said = [{name: float(value) for name, _, value in (each.partition(";dur=") for each in answer.headers["server-timing"].split(", "))} for answer in answers]  # fmt: skip
    assert {*map(tuple, said)} == {("queue", "app", "db")}
    truth = sorted((round(row["start_us"] - row["arrival_us"]), row["end_us"] - row["arrival_us"]) for row in rows.values())
    for (queue_us, whole_us), each in zip(truth, sorted(said, key=lambda each: each["queue"]), strict=True):
        assert round(each["queue"] * 1000) == queue_us
        assert each["db"] > 0
        assert sum(each.values()) * 1000 <= whole_us + 1


def test_who_says_nothing_has_no_server_timing(running: Running) -> None:
    for name in ("sized", "forbidden-liferay"):
        assert "server-timing" not in get(f"{running.portals[name]}/truth/1").headers


@pytest.mark.parametrize("family", ["calibration", "liferay"])
def test_a_portal_may_get_slower_with_time(running: Running, family: str) -> None:
    """Twenty seconds after growth began the service time is 21 times as long as at first."""
    path = "/truth/1" if family == "calibration" else "/"
    name = f"growing-{family}"
    running.tell("/freeze-origin", portal=name, at_monotonic_us=time.monotonic_ns() // 1000 - 20_000_000)
    assert get(running.portals[name] + path).status_code == 200
    line = running.truth(name)[-1]
    assert line["end_us"] - line["start_us"] >= 0.6 * 5_000 * (1 + 20)
