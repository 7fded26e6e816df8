"""Numbers of windows and rounds that a night adds to its plan: none is given twice, however large the plan is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import SweepFolder
from harness.load.further_windows import FurtherWindows, most_visits
from harness.records import Plan, PlannedWindow, Round, Slot
from tests.load.fleet import FakeFleet, lone_round, plan_of, round_of

from .test_lone_walks import plan, round_


@pytest.mark.parametrize(("parts", "first"), [(2, 50), (50, 50), (51, 51), (84, 84)])
def test_a_check_never_takes_the_part_of_another_round(parts: int, first: int) -> None:
    portals = [f"p{number}" for number in range(parts)]
    sweep = plan_of(lone_round(*portals), *(replace(round_of(1, name), part=part) for part, name in enumerate(portals)), portals=portals)
    fleet = FakeFleet("w0")
    fleet.sink.doubts = {f"001-{part:02d}": frozenset({name}) for part, name in enumerate(portals) if part in {0, parts - 1}}
    fleet.run(sweep, sealed=[f"001-{part:02d}" for part in range(1, parts - 1)])
    checks = {record.checks: name for name, record in fleet.sink.sealed.items() if record.checks}
    assert checks == {"001-00": f"001-{first:02d}", f"001-{parts - 1:02d}": f"001-{first + parts - 1:02d}"}
    assert {record.name for record in fleet.sink.sealed.values()} == {*fleet.sink.sealed}
    assert len(fleet.sink.sealed) == 1 + 2 + 2


def test_rounds_and_parts_of_any_number_are_found_in_their_order(tmp_path) -> None:
    folder = SweepFolder(tmp_path)
    names = ["000-00", "001-99", "001-100", "001-167", "999-00", "1000-00"]
    for name in reversed(names):
        folder.round(name).parent.mkdir(exist_ok=True)
        folder.round(name).write_text("{}")
        folder.planned(name).write_text("{}")
    assert list(folder.sealed_rounds()) == names


def soak(windows: int) -> Plan:
    """A stretch of many windows in one round, with one spare round."""
    stretch = tuple(PlannedWindow(1 + n, "soak", 1.0, 60.0 * n, 60.0, {}, {"search": 1}) for n in range(windows))
    return plan_of(round_(0, "p"), Round(1, (Slot("p", "p-seed1", stretch, 9),)), portals="p", spare_windows=1)


@pytest.mark.parametrize("windows", [1, 889, 5000])
def test_windows_that_are_added_have_numbers_of_their_own(windows: int) -> None:
    sweep = soak(windows)
    further = FurtherWindows(sweep)
    planned = [window.window for each in sweep.rounds for slot in each.slots for window in slot.windows]
    added = [number for number, _ in further.visits("p")]
    assert len(added) == 2 + 2 + windows
    assert len({*planned, *added}) == len(planned) + len(added)


def test_the_most_visits_are_those_of_the_plan_and_of_all_that_a_night_may_add() -> None:
    """Two visits of each journey in each of three rounds, one lone walk, two more, checks after five rounds, two spare rounds."""
    most = most_visits(replace(plan("p", "q"), spare_windows=2))
    assert most == {portal: {"pay": 18, "search": 18, "submit": 18} for portal in ("p", "q")}
    assert most_visits(plan("p")) == {"p": {"pay": 12, "search": 12, "submit": 12}}
