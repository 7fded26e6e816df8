"""A visit ends by the portal's patience or by our drain; the rows say which, and at which step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from harness.catalog import Target
from harness.catalog.platform import Platform
from harness.client import Exchange, Headers, PhaseTimeouts
from harness.load.agent import Walk
from harness.load.portal_load import PortalLoad, VisitCut
from harness.origins import origin_of
from harness.profiles import CompiledPlatform, compile_platform
from harness.profiles.functions import FUNCTIONS
from harness.records import VISIT_ROW, Outcome, Plan, Sample, ThinkTime
from harness.visits import StepFailed, Visit, assets, flow, sending, timing, visit
from tests.load.fleet import ORIGIN, FakeClock, FakeFleet, plan_of, round_of

IDENTITY = "http://127.0.0.1:2"
PROFILE = """
id: slow
name_vi: x
name_en: x
known_from: {source: a test}
absent: {pay: none here, track: none here, withdraw: none here}
origins: [portal, identity]
goals:
  find:
    gives: {procedure: "1"}
    steps:
      - {step: search, requests: [{get: "{{ origin.portal }}/search"}]}
      - {step: open_procedure, think: read, requests: [{get: "{{ origin.portal }}/open"}, {get: "{{ origin.portal }}/papers"}]}
  file:
    gives: {receipt: "1"}
    steps:
      - {step: log_in, think: decide, requests: [{get: "{{ origin.identity }}/log-in"}, {get: "{{ origin.identity }}/code"}]}
      - step: submit
        requests:
          - {get: "{{ origin.portal }}/submit", receipt: {code: H-1}}
          - {get: "{{ origin.portal }}/state", poll: {until: {require_text: done}, every_s: 2, limit_s: 9}}
"""
CONSTANT = {name: ThinkTime(median_s, 0.0, 60.0) for name, median_s in (("read", 3.0), ("decide", 2.0), ("default", 1.0))}


def walk(load: PortalLoad, citizen: Visit) -> None:
    """As a Citizen does, which needs Locust: find, think, file."""
    citizen.begin()
    try:
        citizen.perform("find", keyword="x")
        citizen.think()
        load.stop_if_cut()
        citizen.perform("file", procedure="1", dossier="x")
    except StepFailed:
        citizen.finish()
    except VisitCut:
        citizen.finish(aborted=True)
    else:
        citizen.finish()
    finally:
        load.leave(citizen)


@dataclass
class SlowPortal:
    """Hosts whose answers take so long by the fake clock, by path; ``polls`` answers are not done yet."""

    clock: FakeClock
    takes_s: Mapping[str, float]
    usual_s: float = 0.1
    polls: int = 0
    asked: list[str] = field(default_factory=list)

    def session(self, timeouts: PhaseTimeouts) -> Any:
        return SlowSession(self, timeouts)


@dataclass
class SlowSession:
    portal: SlowPortal
    usual: PhaseTimeouts
    polled: int = 0

    def request(self, method: str, url: str, *, timeouts: PhaseTimeouts | None = None, **_: Any) -> Exchange:
        clock, path = self.portal.clock, url[url.index("/", 8) :]
        self.portal.asked.append(path)
        takes_s, limit_s = self.portal.takes_s.get(path, self.portal.usual_s), (timeouts or self.usual).total_s
        start_us = clock.now_us()
        clock.sleep(min(takes_s, limit_s))
        said = Exchange(method, url, origin_of(url), start_us=start_us, end_us=clock.now_us())
        if takes_s > limit_s:
            said.outcome, said.error = Outcome.TIMEOUT, "first byte: not within its time limit"
            return said
        self.polled += path == "/state"
        said.status, said.headers = 200, Headers([("Content-Type", "text/html")])
        said.body = b"<p>busy</p>" if path == "/state" and self.polled <= self.portal.polls else b"<p>done</p>"
        return said

    def close(self) -> None:
        pass


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> FakeFleet:
    """A worker whose visits live by the fake clock too."""
    found = FakeFleet("w0")
    for module in (assets, flow, sending, timing, visit):
        monkeypatch.setattr(module, "monotonic_us", found.clock.now_us)
    return found


def profile() -> CompiledPlatform:
    return compile_platform(Platform.model_validate(yaml.safe_load(PROFILE)), FUNCTIONS)


def run(fleet: FakeFleet, plan: Plan, usual_s: float = 0.1, polls: int = 0, **takes_s: float) -> list[Sample]:
    """Every row of a plan's visits, in the order of visits and rows, at a portal that takes so long for each path."""
    compiled = profile()
    portal = SlowPortal(fleet.clock, {f"/{name.replace('_', '-')}": seconds for name, seconds in takes_s.items()}, usual_s, polls)

    def prepare(_worker: str, load: PortalLoad, number: int, window: int, due_us: int) -> Walk:
        load.platform = compiled
        load.target = Target("p", "slow", {"portal": ORIGIN, "identity": IDENTITY}, {ORIGIN: "portal", IDENTITY: "identity"})
        load.sessions = lambda: portal.session(load.timeouts)
        citizen = load.visit("submit", ("find", "file"), number, window, due_us)
        return lambda: walk(load, citizen)

    fleet._prepare = prepare  # type: ignore[method-assign, assignment]
    fleet.run(plan)
    return [Sample(*row[1:]) for batches in fleet.sink.kept.values() for _, batch in batches for row in batch.rows]


def one_visit(**changes: Any) -> Plan:
    return plan_of(round_of(0, rate_per_s=1.0), **{"think": CONSTANT, "timeout_s": 1.0, "drain_s": 60.0, **changes})


def steps(rows: list[Sample]) -> list[tuple[str, str]]:
    """Step and outcome of every row but the one that closes the visit."""
    return [(row.step, row.outcome) for row in rows if row.request != VISIT_ROW]


def end(rows: list[Sample]) -> Sample:
    (found,) = (row for row in rows if row.request == VISIT_ROW)
    return found


WHOLE = [("search", "ok"), ("open_procedure", "ok"), ("open_procedure", "ok"), ("log_in", "ok"), ("log_in", "ok"), ("submit", "ok")]


def test_thinks_and_the_waits_of_polls_use_up_no_patience(fleet: FakeFleet) -> None:
    rows = run(fleet, one_visit(patience_s=0.75), polls=1)
    assert steps(rows) == [*WHOLE, ("submit", "ok"), ("submit", "ok")]
    ended = end(rows)
    assert ended.outcome == "ok"
    assert ended.end_us - ended.intended_us == pytest.approx(3e6 + 1e6 + 2e6 + 2e6 + 8 * 0.1e6, abs=1e4)  # thinks, one wait, answers


def test_a_portal_that_answers_just_under_each_timeout_is_not_excused(fleet: FakeFleet) -> None:
    rows = run(fleet, one_visit(patience_s=2.0), usual_s=0.9)
    assert steps(rows) == [
        ("search", "ok"),
        ("open_procedure", "ok"),
        ("open_procedure", "timeout"),
        ("log_in", "skipped"),
        ("submit", "skipped"),
    ]
    late = rows[2]
    assert (late.end_us - late.start_us, late.host_owner) == (pytest.approx(0.2e6, abs=1e3), "portal")
    assert end(rows).outcome == "timeout"
    ((_, failure),) = [found for _, batch in fleet.sink.kept["000-00"] for found in batch.failures]
    assert (failure.step, failure.outcome) == ("open_procedure", "timeout")
    assert failure.rule == "the portal had 2 s for the answers of one visit"


def test_a_request_that_finds_no_patience_left_is_not_sent(fleet: FakeFleet) -> None:
    rows = run(fleet, one_visit(patience_s=1.5), search=0.75, open=0.75)
    assert steps(rows)[:3] == [("search", "ok"), ("open_procedure", "ok"), ("open_procedure", "timeout")]
    assert (rows[2].start_us, rows[2].host) == (0, ORIGIN)


def test_the_time_of_shared_hosts_is_not_the_portals(fleet: FakeFleet) -> None:
    rows = run(fleet, one_visit(patience_s=0.6), log_in=0.45, code=0.45)
    assert steps(rows) == [*WHOLE, ("submit", "ok")]


def test_shared_hosts_have_one_timeout_in_all(fleet: FakeFleet) -> None:
    rows = run(fleet, one_visit(patience_s=60.0), log_in=0.7, code=0.7)
    assert steps(rows)[3:] == [("log_in", "ok"), ("log_in", "timeout"), ("submit", "skipped")]
    late = rows[4]
    assert (late.host_owner, late.end_us - late.start_us) == ("identity", pytest.approx(0.3e6, abs=1e3))


def test_without_patience_each_request_has_its_own_limit_only(fleet: FakeFleet) -> None:
    assert steps(run(fleet, one_visit(), usual_s=0.9)) == [*WHOLE, ("submit", "ok")]


@pytest.mark.parametrize("usual_s", [0.1, 0.9])
def test_the_length_of_the_drain_changes_no_row(monkeypatch: pytest.MonkeyPatch, usual_s: float) -> None:
    """The longest visit takes 3 + 1 + 2 s of thinks, 9 s of polls, 3 s of patience and 1 s of shared hosts."""
    found = []
    for drain_s in (19.0, 30.0, 300.0):
        made = FakeFleet("w0")
        for module in (assets, flow, sending, timing, visit):
            monkeypatch.setattr(module, "monotonic_us", made.clock.now_us)
        plan = plan_of(round_of(0, rate_per_s=5.0), think=CONSTANT, timeout_s=1.0, drain_s=drain_s, patience_s=3.0)
        found.append(sorted(run(made, plan, usual_s=usual_s, polls=2)))
    assert found[0] == found[1] == found[2]
    assert {row.outcome for row in found[0] if row.request == VISIT_ROW} == ({"ok"} if usual_s < 0.5 else {"timeout"})


# The first answer comes 0.1 s after the arrival, at half of the window of one second: the drain begins 0.4 s later.
@pytest.mark.parametrize(
    ("drain_s", "takes_s", "polls", "expected"),
    [
        (1.0, {}, 0, [*WHOLE[:1], ("open_procedure", "aborted"), ("log_in", "skipped"), ("submit", "skipped")]),
        (2.9, {"open": 0.5}, 0, [*WHOLE[:2], ("open_procedure", "aborted"), ("log_in", "skipped"), ("submit", "skipped")]),
        (3.5, {}, 0, [*WHOLE[:3], ("log_in", "aborted"), ("submit", "skipped")]),
        (5.0, {}, 0, [*WHOLE[:3], ("log_in", "aborted"), ("submit", "skipped")]),
        (7.0, {}, 9, [*WHOLE, ("submit", "ok"), ("submit", "aborted")]),
    ],
    ids=["in a think", "between two requests", "between two goals", "in a think of the next goal", "between two polls"],
)
def test_a_visit_that_we_cut_off_has_a_row_at_the_step_where_it_was(
    fleet: FakeFleet, drain_s: float, takes_s: dict[str, float], polls: int, expected: list[tuple[str, str]]
) -> None:
    rows = run(fleet, one_visit(drain_s=drain_s, patience_s=60.0), polls=polls, **takes_s)
    assert steps(rows) == expected
    (cut,) = [row for row in rows if row.outcome == "aborted" and row.request != VISIT_ROW]
    assert (cut.start_us, cut.status) == (0, 0)
    assert len([row for row in rows if (row.step, row.attempt, row.request, row.hop) == (cut.step, cut.attempt, cut.request, cut.hop)]) == 1
    assert end(rows).outcome == "aborted"
    record = fleet.sink.sealed["000-00"]
    assert (record.stopped, record.outcome[0].complete) == (False, True)


def test_no_request_begins_once_the_round_is_cut(fleet: FakeFleet) -> None:
    """A step of many slow requests does not outlast the wait for the last answers."""
    rows = run(fleet, one_visit(drain_s=3.0, patience_s=60.0), open=0.9, papers=0.9)
    assert steps(rows)[:3] == [("search", "ok"), ("open_procedure", "ok"), ("open_procedure", "aborted")]
    (outcome,) = fleet.sink.sealed["000-00"].outcome
    assert outcome.stretches is not None
    assert outcome.stretches["p"].left_over == 0
