"""How a sweep stands while it is measured: one line that a terminal rewrites, and lines of their own in a pipe."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from rich.cells import cell_len

from harness.cli import live_progress
from harness.cli.live_progress import LiveProgress
from harness.evidence import SweepFolder
from harness.publish.live_words import live_line
from harness.records.live_state import LiveState, write_live
from tests.publish.live import live_state

NOW = datetime(2026, 11, 21, 22, 5, tzinfo=UTC)
END = NOW + timedelta(minutes=61)


def state(**changes: object) -> LiveState:
    facts = {
        "windows_done": 120, "windows_planned": 504, "windows_void": 3, "rate_per_s": 14.25, "visits_failed": 17, "arrivals_begun": 4180, "in_flight": 21,
        "expected_end_utc": END.isoformat(),
    }  # fmt: skip
    return live_state([("fast", "Cổng", "Portal")], at=NOW, **(facts | changes))


def test_the_line_says_rate_failures_voids_what_is_left_and_the_end() -> None:
    clock = END.astimezone().strftime("%H:%M")
    assert live_line(state(), "en", now=NOW, width=80).startswith(
        f"windows 120/504, 3 void · 14.2/s · 17/4180 failed · 61 min left, {clock}"
    )
    assert live_line(state(), "vi", now=NOW, width=80).startswith(f"khung 120/504, hỏng 3 · 14,2/giây · lỗi 17/4180 · còn 61 phút, {clock}")
    assert "left" not in live_line(state(expected_end_utc=""), "en", now=NOW)
    late = live_line(state(expected_end_utc=NOW.isoformat()), "en", now=NOW)
    assert f"expected end was {NOW.astimezone():%H:%M}" in late
    assert "left" not in late


@pytest.mark.parametrize("language", ["vi", "en"])
def test_where_there_is_room_it_says_more(language) -> None:
    late_at_night = state(
        windows_done=499,
        visits_failed=1234,
        arrivals_begun=123_456,
        rate_per_s=114.2,
        expected_end_utc=(NOW + timedelta(minutes=480)).isoformat(),
    )
    assert cell_len(live_line(late_at_night, language, now=NOW, width=77)) <= 77
    narrow, wide = (live_line(state(), language, now=NOW, width=width) for width in (77, 200))
    assert cell_len(narrow) <= 77 < cell_len(wide)
    assert wide.startswith(narrow)
    assert ("21 in flight" in wide) == (language == "en")
    assert ("đang truy cập 21" in wide) == (language == "vi")


def test_a_master_that_fell_silent_is_told() -> None:
    at = NOW.astimezone().strftime("%H:%M")
    assert live_line(state(), "en", now=NOW + timedelta(minutes=2)) == f"no news since {at}"


@contextmanager
def following(folder: Path, progress: LiveProgress) -> Iterator[None]:
    """A thread that follows the sweep, as `harness run` has one."""
    thread = Thread(target=progress.follow, args=(SweepFolder(folder), 0))
    thread.start()
    try:
        with progress:
            yield
    finally:
        thread.join(10)
        assert not thread.is_alive()


def test_a_terminal_is_shown_one_line_that_is_rewritten_and_gone_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_progress, "TERMINAL_EVERY_S", 0.01)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal, os.fdopen(ours, "rb", buffering=0) as screen:
        monkeypatch.setattr(sys, "stderr", terminal)
        progress, shown = LiveProgress("en"), b""
        with following(tmp_path, progress):
            progress("round 1 \x1b[2J begins")
            write_live(tmp_path, replace(state(), at_utc=datetime.now(UTC).isoformat(), expected_end_utc=""))
            while shown.count(b"windows 120/504") < 3:
                shown += screen.read(4096)
        while not shown.endswith(b"\r\x1b[K"):
            shown += screen.read(4096)
    text = shown.decode()
    assert text.startswith("\r\x1b[K· round 1 \\u001b[2J begins\r\n\r\x1b[K· windows 120/504, 3 void")
    assert text.count("\n") == 1  # nothing but the message has a line of its own
    assert all(cell_len(line) < 80 for line in text.split("\r\x1b[K"))


def test_a_pipe_is_given_plain_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_progress, "PIPE_EVERY_S", 0.01)
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    progress = LiveProgress("en")
    with following(tmp_path, progress):
        write_live(tmp_path, replace(state(), at_utc=datetime.now(UTC).isoformat()))
        while pipe.getvalue().count("\n") < 2:
            pass
    assert all(line.startswith("· windows 120/504, 3 void") for line in pipe.getvalue().splitlines())
    assert "\x1b" not in pipe.getvalue()
    assert "\r" not in pipe.getvalue()


def test_at_least_every_five_seconds() -> None:
    assert live_progress.TERMINAL_EVERY_S <= live_progress.PIPE_EVERY_S <= 5


@pytest.mark.parametrize("left", ["ended", "old", "broken", "none"])
def test_what_is_no_news_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str) -> None:
    monkeypatch.setattr(live_progress, "PIPE_EVERY_S", 0.001)
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    if left == "broken":
        (tmp_path / "live.json").write_text("{", encoding="utf-8")
    elif left != "none":
        write_live(
            tmp_path,
            replace(
                state(),
                at_utc=(NOW if left == "old" else datetime(2100, 1, 1, tzinfo=UTC)).isoformat(),
                state="measuring" if left == "old" else "ended",
            ),
        )
    progress = LiveProgress("en")
    with following(tmp_path, progress):
        progress("scoring")
        for _ in range(20):
            progress._ended.wait(0.001)
    assert pipe.getvalue() == "· scoring\n"


def test_with_json_nothing_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_progress, "PIPE_EVERY_S", 0.001)
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    write_live(tmp_path, replace(state(), at_utc=datetime.now(UTC).isoformat()))
    progress = LiveProgress("en", quiet=True)
    with following(tmp_path, progress):
        progress("round 1")
        for _ in range(20):
            progress._ended.wait(0.001)
    assert pipe.getvalue() == ""


def test_a_sweep_goes_on_where_nobody_reads_its_progress_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with io.TextIOWrapper(io.FileIO(write, "w"), write_through=True) as nobody_reads:
        monkeypatch.setattr(sys, "stderr", nobody_reads)
        with LiveProgress("en") as lines:
            lines("round 1 of 8")
            with pytest.raises(BrokenPipeError):
                nobody_reads.write("x")
