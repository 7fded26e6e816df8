"""The page of a sweep while it is measured: what it says, what it keeps to itself, and what listeners hear."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from harness import publish
from harness.publish import event_stream
from harness.publish.live_page import live_sweeps, live_view
from harness.records.live_state import LIVE_JSON, LiveState
from harness.scoring.scorecard import SweepScores
from tests.publish.live import live_state, write_state
from tests.publish.served import served

NAMES = [("binh-dinh", "Bình Định", "Binh Dinh"), ("dien-bien", "Điện Biên", "Dien Bien")]


@pytest.fixture
def state() -> LiveState:
    return live_state(NAMES)


@pytest.fixture
def results(tmp_path: Path, state: LiveState) -> Path:
    write_state(tmp_path / "results" / "a-sweep", state)
    return tmp_path / "results"


@pytest.fixture
def address(results: Path) -> Iterator[str]:
    with served(results) as url:
        yield url


def events(stream: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Each event's name and data."""
    name, data = "", []
    for line in stream:
        key, _, value = line.partition(": ")
        if key == "event":
            name = value
        elif key == "data":
            data.append(value)
        elif not line and name:
            yield name, "\n".join(data)
            name, data = "", []


def test_the_page_says_without_a_script_how_the_sweep_stands(address: str) -> None:
    assert 'href="sweeps/a-sweep/live"' in httpx.get(address).text
    answer = httpx.get(f"{address}live", follow_redirects=True)
    assert (answer.status_code, answer.url.path) == (200, "/sweeps/a-sweep/live")
    for said in ("Bình Định", "Binh Dinh", "lượt đơn lẻ", "1.007", "1,007", "26,5", "22,0", "8.853"):
        assert said in answer.text, said


def test_nothing_is_under_way_and_the_page_says_so(tmp_path: Path) -> None:
    (tmp_path / "night").mkdir()
    with served(tmp_path) as url:
        assert "No sweep is being measured now" in httpx.get(f"{url}live").text
        assert "Nothing is known of this sweep yet" in httpx.get(f"{url}sweeps/night/live").text
        assert httpx.get(f"{url}sweeps/another/live").status_code == 404
        assert httpx.get(f"{url}sweeps/another/live/events").status_code == 404


def test_a_listener_hears_what_is_new_and_where_it_ends(
    results: Path, state: LiveState, scores: SweepScores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "EVERY_S", 0.01)
    folder = results / "a-sweep"
    with served(results) as url, httpx.stream("GET", f"{url}sweeps/a-sweep/live/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        heard = events(stream.iter_lines())
        assert "26,5" in next(heard)[1]
        write_state(folder, replace(state, rate_per_s=77.7))
        name, html = next(heard)
        assert (name, "77,7" in html) == ("state", True)
        write_state(folder, replace(state, state="ended"))
        assert "Đã đo xong" in next(heard)[1]
        publish.export(replace(scores, sweep="a-sweep"), folder)
        name, html = next(heard)
        assert 'class="points"' in html
        (folder / "report.html").write_text("", encoding="utf-8")
        assert 'href="report.html"' in next(heard)[1]
        assert next(heard) == ("end", "")


def test_points_stand_there_only_once_the_sweep_has_ended(results: Path, state: LiveState, scores: SweepScores) -> None:
    folder = results / "a-sweep"
    publish.export(replace(scores, sweep="a-sweep"), folder)  # of an earlier attempt; the sweep was resumed
    assert not live_view(results, "a-sweep").final
    assert "points" not in live_view(results, "a-sweep").html
    write_state(folder, replace(state, state="ended"))
    view = live_view(results, "a-sweep")
    assert not view.final, "the report is written after the scores"
    assert view.html.count('class="points"') == 2


def test_a_sweep_that_fell_silent_is_not_called_news(results: Path, state: LiveState) -> None:
    write_state(results / "a-sweep", replace(state, at_utc=(datetime.now(UTC) - timedelta(minutes=5)).isoformat()))
    html = live_view(results, "a-sweep").html
    assert "Không có tin mới kể từ" in html
    assert live_view(results, "a-sweep").html == html, "it changes only with what is known"


def test_a_state_that_cannot_be_read_is_told_and_breaks_no_page(results: Path, address: str) -> None:
    (results / "a-sweep" / LIVE_JSON).write_text("half", encoding="utf-8")
    assert [sweep.state for sweep in live_sweeps(results)] == [None]
    for path in ("", "sweeps/a-sweep/live"):
        answer = httpx.get(address + path)
        assert answer.status_code == 200
    assert "not JSON" in answer.text or "unreadable" in answer.text


def test_listeners_are_bounded_and_pages_are_given_out_all_the_same(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "MOST_LISTENERS", 2)
    with served(results) as url, ExitStack() as open_:
        path = f"{url}sweeps/a-sweep/live/events"
        heard = [open_.enter_context(httpx.stream("GET", path)).iter_lines() for _ in range(2)]
        assert [next(lines) for lines in heard] == ["retry: 2000"] * 2
        refused = httpx.get(path)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "10")
        assert httpx.get(f"{url}sweeps/a-sweep/live").status_code == 200


def test_a_listener_that_has_gone_gives_up_its_place(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "MOST_LISTENERS", 1)
    monkeypatch.setattr(event_stream, "EVERY_S", 0.01)
    with served(results) as url:
        path = f"{url}sweeps/a-sweep/live/events"
        with httpx.stream("GET", path) as stream:
            lines = stream.iter_lines()  # httpx closes a stream whose lines nobody holds
            next(lines)
            assert status_of(path) == 503
        while (answered := status_of(path)) == 503:  # until the server sees that nobody listens
            pass
        assert answered == 200


def status_of(path: str) -> int:
    """The status that a listener is answered with, who leaves at once."""
    with httpx.stream("GET", path) as stream:
        return stream.status_code


def test_a_stream_does_not_last_for_ever(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "LONGEST_S", 0.05)
    monkeypatch.setattr(event_stream, "EVERY_S", 0.01)
    with served(results) as url, httpx.stream("GET", f"{url}sweeps/a-sweep/live/events") as stream:
        assert [name for name, _ in events(stream.iter_lines())] == ["state"]  # no end: the page asks again


def test_a_server_that_ends_ends_its_streams_without_a_complaint(results: Path, caplog: pytest.LogCaptureFixture) -> None:
    with ExitStack() as open_:
        with served(results) as url:
            lines = open_.enter_context(httpx.stream("GET", f"{url}sweeps/a-sweep/live/events")).iter_lines()
            assert next(lines) == "retry: 2000"
        assert "event: state" in list(lines), "the stream has an end, and is not cut off"
    assert [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_another_sites_page_does_not_listen(address: str) -> None:
    path = f"{address}sweeps/a-sweep/live/events"
    assert httpx.get(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


@pytest.mark.parametrize("path", ["", "nights", "live", "sweeps/a-sweep/live", "live.js", "sweeps/a-sweep/scores.json"])
def test_each_answer_says_what_a_page_may_load(results: Path, scores: SweepScores, path: str) -> None:
    publish.export(replace(scores, sweep="a-sweep"), results / "a-sweep")
    with served(results) as url:
        policy = httpx.get(url + path).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert ("'unsafe-inline'; connect" in policy) == path.endswith("scores.json"), "scripts come from a file of ours"
