"""Probes: one citizen searches, again and again, into a history that nobody can change unseen."""

from __future__ import annotations

import json
import resource
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any

import gevent
import pytest

from harness.catalog import Catalog, Portal, Target
from harness.errors import AuthorisationError, EnvironmentFault, EvidenceError
from harness.operations.probe import ProbeClock, WalkAlone, blame_of, due_turns, probe
from harness.operations.shipped import shipped_catalog
from harness.profiles import CompiledPlatform
from harness.records import LoneVisit, LoneWalk
from harness.records.permitted_hours import VIETNAM
from harness.records.probe_history import ProbeBlame, ProbeLine, open_history, read_history
from tests.scoring.sets import the_2024_set

CRITERIA = the_2024_set()
NOW = datetime.now(UTC).replace(microsecond=0)


def catalog(folder: Path, *names: str, valid_to: str = "2100-01-01T00:00:00+07:00", terms: str = "") -> Catalog:
    """Authorised portals of these names, each on an address of its own."""
    portals = [
        f"{{id: {name}, name_vi: x, name_en: x, level: sample, platform: tiny, platform_basis: a test, embedded_platform: tiny}}"
        for name in names
    ]
    files = {"portals/p.yaml": f"portals: [{', '.join(portals)}]"}
    files[
        "platforms/tiny.yaml"
    ] = """{id: tiny, name_vi: x, name_en: x, known_from: {source: a test}, absent: {file: a, pay: a, track: a, withdraw: a},
        goals: {find: {gives: {procedure: "1"}, steps: [{step: search, requests: [{get: "{{ origin.portal }}/", expect: {status: [200]}}]}]}}}"""
    for number, name in enumerate(names, 1):
        files[f"authorisations/{name}.yaml"] = f"""{{id: of-{name}, portal: {name}, reference: own machine, granted_by: x,
            valid_from: 2020-01-01T00:00:00+07:00, valid_to: {valid_to}, citizens_in_flight_max: 1, requests_per_s_max: 9, {terms}
            hosts: [{{origin: "http://127.0.0.{number}:1"}}]}}"""
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")
    return shipped_catalog(folder)


class Walks:
    """Answers probes: every portal is up, but those of ``down``, which cannot be reached."""

    def __init__(self, down: str = "", **addresses: str) -> None:
        self.down, self.addresses = down, addresses
        self.asked: list[tuple[str, int]] = []

    def __call__(self, portal: Portal, compiled: CompiledPlatform, target: Target, number: int, shared: Collection[str]) -> LoneVisit:
        assert target.authorisation is not None
        self.asked.append((portal.id, number))
        found = (self.addresses[portal.id],) if portal.id in self.addresses else ()
        if portal.id in self.down:
            return LoneVisit(LoneWalk(portal.id, "search", "connect", "find", "search"), "", 1, 0.1, found)
        return LoneVisit(LoneWalk(portal.id, "search", "ok"), "", 2, 0.25, found)


class Clock:
    """Clocks that move only while somebody sleeps. ``steps``: by how much the wall clock is set, and when."""

    def __init__(self, *, ends_after_s: float = inf, steps: Sequence[tuple[float, float]] = ()) -> None:
        self.now_s, self.ends_after_s, self.steps = 1000.0, ends_after_s, steps

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        if self.now_s - 1000 > self.ends_after_s:
            raise KeyboardInterrupt

    @property
    def clock(self) -> ProbeClock:
        def utc_s() -> float:
            gone_s = self.now_s - 1000
            return NOW.timestamp() + gone_s + sum(by_s for at_s, by_s in self.steps if gone_s >= at_s)

        return ProbeClock(lambda: self.now_s, utc_s, self.sleep)


def run(used: Catalog, portals: Sequence[str], results: Path, walk: WalkAlone | None = None, **changes: Any) -> list[ProbeLine]:
    """The lines that were shown."""
    shown: list[ProbeLine] = []
    given: dict[str, Any] = {
        "results": results, "criteria": CRITERIA, "seed": 1, "every_s": 0.0, "during_s": inf, "show": shown.append,
        "note": lambda _line: None, "clock": Clock().clock, "walk": walk or Walks(),
    }  # fmt: skip
    probe(used, [used.portals[name] for name in portals], **{**given, **changes})
    return shown


def test_a_line_says_what_was_met_and_when(tmp_path: Path) -> None:
    (line,) = run(catalog(tmp_path, "a"), "a", tmp_path / "results")
    assert read_history(tmp_path / "results" / "availability" / "a.jsonl") == (line,)
    assert (line.portal, line.journey, line.outcome, line.blame, line.duration_s) == ("a", "search", "ok", "nobody", 0.25)
    assert (line.at, line.step_s, line.authorisation) == (NOW, 0.0, "of-a")
    assert (line.host, line.addresses) == ("http://127.0.0.1:1", ("127.0.0.1",))


def test_all_portals_out_of_reach_together_are_our_path_and_nobodys_fault(tmp_path: Path) -> None:
    used = catalog(tmp_path, *"abcd")

    def blames(down: str, portals: str = "abc", results: str = "results", **changes: Any) -> list[str]:
        return [line.blame for line in run(used, portals, tmp_path / results, changes.pop("walk", Walks(down)), **changes)]

    assert blames("abc") == ["path"] * 3
    assert blames("abc") == ["path"] * 3  # for as long as it lasts
    assert blames("abc", "ab", "two") == ["portal"] * 2  # two cannot excuse themselves
    assert blames("abc", "abcd", "four") == ["portal"] * 3 + ["nobody"]
    assert blames("", walk=Walks("abc", a="192.0.2.1", b="192.0.2.1"), results="shared") == ["portal"] * 3
    assert blames("abc", results="never", criteria=CRITERIA.model_copy(update={"path_doubt": None})) == ["portal"] * 3


def test_portals_that_are_down_anyway_do_not_hide_that_the_path_is_broken(tmp_path: Path) -> None:
    used = catalog(tmp_path, *"abcdef")
    run(used, "abcdef", tmp_path / "results", Walks("ab"))
    assert [line.blame for line in run(used, "abcdef", tmp_path / "results", Walks("abcdef"))] == ["path"] * 6


def test_nothing_is_sent_without_an_authorisation_and_the_others_go_on(tmp_path: Path) -> None:
    ended = catalog(tmp_path / "ended", "a", "b", valid_to=NOW.isoformat())
    with pytest.raises(AuthorisationError):
        run(ended, "ab", tmp_path / "results")
    later = catalog(tmp_path / "later", "b").authorisations["of-b"]
    both, walks = replace(ended, authorisations={**ended.authorisations, "of-b": later}), Walks()
    lines = run(both, "ab", tmp_path / "results", walks)
    assert [(line.portal, line.outcome, line.blame) for line in lines] == [("a", "not_permitted", "ours"), ("b", "ok", "nobody")]
    assert walks.asked == [("b", 0)]
    ends_soon, walks = catalog(tmp_path / "soon", "a", valid_to=(NOW + timedelta(seconds=20)).isoformat()), Walks()
    lines = run(ends_soon, "a", tmp_path / "soon", walks, every_s=20.0, during_s=80.0)
    assert [line.outcome for line in lines] == ["ok"] + ["not_permitted"] * 3
    assert walks.asked == [("a", 0)]


@pytest.mark.parametrize("terms", ["hours: [{0:%H:%M}-{1:%H:%M}],", "journeys: [submit],"])
def test_hours_and_journeys_that_are_not_permitted_are_written_down_and_nothing_is_sent(tmp_path: Path, terms: str) -> None:
    closed = terms.format(*((NOW + timedelta(hours=hours)).astimezone(VIETNAM) for hours in (2, 3)))
    walks = Walks()
    (line,) = run(catalog(tmp_path, "a", terms=closed), "a", tmp_path / "results", walks)
    assert (line.outcome, line.blame) == ("not_permitted", "ours")
    assert f"of-a.{terms.partition(':')[0]}" in line.rule
    assert walks.asked == []


def test_what_breaks_in_us_is_ours_and_ends_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def broken(portal: Portal, *given: Any) -> LoneVisit:
        if portal.id == "a":
            raise RuntimeError("a bug")
        return Walks()(portal, *given)

    lines = run(catalog(tmp_path, "a", "b"), "ab", tmp_path / "results", broken)
    assert [(line.outcome, line.blame, line.rule) for line in lines] == [("aborted", "ours", "a bug"), ("ok", "nobody", "")]
    assert "a bug" in capfd.readouterr().err


def test_a_probe_that_never_ends_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.operations.probe.LONGEST_S", 0.05)

    def hanging(portal: Portal, *given: Any) -> LoneVisit:
        while portal.id == "a":
            gevent.sleep(1)
        return Walks()(portal, *given)

    lines = run(catalog(tmp_path, "a", "b"), "ab", tmp_path / "results", hanging)
    assert [(line.outcome, line.blame) for line in lines] == [("aborted", "ours"), ("ok", "nobody")]


def moments(every_s: float, during_s: float, slow: Mapping[int, float] | None = None) -> tuple[list[tuple[int, float]], list[int]]:
    """Number and second of each turn, and how many were missed each time; ``slow``: how long turns take."""
    clock, missed, found = Clock(), [], []
    for turn in due_turns(every_s, during_s, 1, clock.clock, missed.append):
        found.append((turn, clock.now_s - 1000))
        clock.now_s += (slow or {}).get(turn, 0.1)
    return found, missed


def test_each_interval_has_one_turn_at_a_moment_of_its_own_and_never_drifts() -> None:
    found, missed = moments(300, 300 * 500)
    assert [turn for turn, _ in found] == [*range(500)]
    assert all(turn * 300 <= at_s < (turn + 1) * 300 for turn, at_s in found)
    within = [at_s % 300 for _, at_s in found]
    assert all(sum(low <= at_s < low + 75 for at_s in within) > 90 for low in (0, 75, 150, 225))
    assert missed == []
    assert moments(300, 300 * 500) == (found, missed)
    assert moments(0, inf) == ([(0, 0.0)], [])


def test_what_was_missed_is_not_made_up_for() -> None:
    found, missed = moments(10, 100, {2: 35.0, 8: 500.0})
    assert [turn for turn, _ in found][:3] == [0, 1, 2]
    assert all(turn * 10 <= at_s < (turn + 1) * 10 for turn, at_s in found)
    assert len(found) + sum(missed) == 10
    assert missed[-1] == 1


def test_missed_turns_and_steps_of_the_clock_are_written_down(tmp_path: Path) -> None:
    used = catalog(tmp_path, "ok")
    clock = Clock(steps=[(25.0, -3600.0)])

    def asleep(seconds: float) -> None:
        clock.sleep(seconds if clock.now_s < 1040 or clock.now_s > 1100 else 60.0)  # the machine sleeps for a minute

    slept = replace(clock.clock, sleep=asleep)
    lines = run(used, ["ok"], tmp_path / "results", every_s=10.0, during_s=150.0, clock=slept)
    assert sum(line.count for line in lines) == 15
    (missed,) = [line for line in lines if line.outcome == "missed"]
    assert (missed.blame, missed.count >= 5) == ("ours", True)
    assert [line.step_s for line in lines if line.since_anchor_s < 25] == [0.0] * sum(line.since_anchor_s < 25 for line in lines)
    assert {line.step_s for line in lines if line.since_anchor_s > 26} == {-3600.0}
    assert {line.anchor_utc for line in lines} == {NOW.isoformat(timespec="milliseconds")}


def test_a_signal_ends_it_in_order(tmp_path: Path) -> None:
    used = catalog(tmp_path, "ok")
    notes: list[str] = []
    lines = run(used, ["ok"], tmp_path / "results", every_s=10.0, clock=Clock(ends_after_s=35).clock, note=notes.append)
    assert len(lines) in {3, 4}
    assert notes[-1].startswith("ended by a signal")
    assert read_history(tmp_path / "results/availability/ok.jsonl") == tuple(lines)


LINE = ProbeLine("ok", "search", "2026-11-26T05:00:00+00:00", "2026-11-26T05:00:00+00:00", 0.0, 0.0, "ok", ProbeBlame.NOBODY, 300.0)


def test_one_prober_for_each_history(tmp_path: Path) -> None:
    path = tmp_path / "ok.jsonl"
    with open_history(path) as history:
        history.add(LINE)
        with pytest.raises(EnvironmentFault, match="in use by another prober"), open_history(path):
            pass
    with open_history(path) as history:
        assert history.last == LINE
        history.add(LINE)
    first, second = path.read_bytes().splitlines()
    assert first != second
    assert len(read_history(path)) == 2


def test_half_a_line_of_a_crash_is_dropped_and_a_changed_one_is_found(tmp_path: Path) -> None:
    path = tmp_path / "ok.jsonl"
    with open_history(path) as history:
        for _ in range(3):
            history.add(LINE)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"portal": "ok", "jour')
    assert len(read_history(path)) == 3
    with open_history(path) as history:
        history.add(LINE)
    assert len(read_history(path)) == 4
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([lines[0], lines[1].replace(b'"nobody"', b'"portal"'), *lines[2:]]) + b"\n")
    with pytest.raises(EvidenceError, match=r"ok\.jsonl:3: previous"):
        read_history(path)
    path.write_bytes(b"\n".join([lines[0], *lines[2:]]) + b"\n")
    with pytest.raises(EvidenceError, match=r"ok\.jsonl:2: previous"):
        read_history(path)
    path.write_bytes(b"\n".join(lines[1:]) + b"\n")  # a part of a history is one too
    assert len(read_history(path)) == 3


def test_a_full_disk_ends_it_and_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "ok.jsonl"
    with open_history(path) as history:
        history.add(LINE)
        before = path.read_bytes()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
        try:
            with pytest.raises(EnvironmentFault, match="not writable") as caught:
                history.add(LINE)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert (caught.value.exit_code, path.read_bytes()) == (6, before)
        history.add(LINE)
    assert len(read_history(path)) == 2


@pytest.mark.parametrize(
    ("walk", "blame"),
    [
        (LoneWalk("p", "search", "aborted"), "ours"),
        (LoneWalk("p", "search", "dropped"), "ours"),
        (LoneWalk("p", "search", "timeout", host="http://id.example:80"), "shared_host"),
        (LoneWalk("p", "search", "timeout"), "portal"),
        (LoneWalk("p", "search", "blocked", status=200), "blocked"),
    ],
)
def test_blame(walk: LoneWalk, blame: str) -> None:
    assert blame_of(walk, "") == blame


def test_lines_are_json_with_what_a_reader_needs(tmp_path: Path) -> None:
    assert {
        "portal",
        "journey",
        "at_utc",
        "anchor_utc",
        "outcome",
        "blame",
        "duration_s",
        "step",
        "authorisation",
        "addresses",
        "previous",
    } <= {*json.loads(LINE.line())}
