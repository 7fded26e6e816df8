"""What the shipped workloads become: durations as their comments and docs/load.md say, and rounds as statistics need them."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.catalog import Catalog
from harness.cli import main
from harness.errors import UsageError
from harness.load import schedule
from harness.operations.measured_portal import MeasuredPortal
from harness.operations.shipped import shipped_catalog
from harness.operations.sweep_plan import make_plan
from harness.operations.timetable import BETWEEN_ROUNDS_S, longest_make_up_s
from harness.records import LONE, Plan

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return shipped_catalog(None)


def planned(catalog: Catalog, workload: str, *portals: str, **changes: bool) -> Plan:
    measured = [MeasuredPortal(catalog.portals[name], catalog.portals[name].embedded_platform, {}) for name in portals]
    return make_plan("s", measured, catalog.workloads[workload], seed=1, results=Path("unused"), night="2026-01-01", **changes)


def at_most_min(*arguments: str) -> int:
    result = CliRunner().invoke(main, ["sweep", *arguments, "--dry-run", "--json"])
    assert result.exit_code == 0, result.output
    return round(json.loads(result.stdout)["at_most_s"] / 60)


@pytest.mark.parametrize("name", ["smoke", "today", "target-2025", "nightly", "soak", "gate"])
def test_the_documented_duration_is_what_a_dry_run_prints(name: str) -> None:
    page = (ROOT / "docs" / "load.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| `{name}` \|.*\| (\d+) min", page, re.MULTILINE)
    assert at_most_min("ordinary", "--workload", name) == int(row)


def test_a_night_over_the_sets_takes_as_long_as_its_comment_says() -> None:
    text = (ROOT / "scenarios" / "workloads" / "nightly.yaml").read_text(encoding="utf-8").replace("\n#", "")
    hours = {int(n): float(at_most) for n, at_most in re.findall(r"(\d+) portals: windows of [\d.]+ h, at most\s+([\d.]+) h", text)}
    assert set(hours) == {34, 84}
    assert at_most_min("--set", "provinces-2025", "--workload", "nightly") / 60 == pytest.approx(hours[34], abs=0.05)
    assert at_most_min("--set", "2024", "--workload", "nightly") / 60 == pytest.approx(hours[84], abs=0.05)


def test_a_night_replicates_each_stage_in_different_rounds(catalog: Catalog) -> None:
    plan = planned(catalog, "nightly", "fast", "ordinary")
    windows = [(window.stage, window.round) for round_ in plan.rounds for window in round_.slots[0].windows]
    rounds = Counter(stage for stage, _ in set(windows))
    assert (rounds["typical"], rounds["peak"], rounds["ramp"]) == (6, 6, 2)
    levels = Counter(round(w.level, 6) for r in plan.rounds for w in r.slots[0].windows if w.stage == "ramp")
    assert len(levels) == 3
    assert set(levels.values()) == {2}


def test_every_window_of_a_night_has_the_visits_that_criteria_ask(catalog: Catalog) -> None:
    plan = planned(catalog, "nightly", "ordinary")
    for round_ in plan.rounds[1:]:
        (slot,) = round_.slots
        counts = Counter((a.window, a.journey) for a in schedule(slot, seed=plan.seed, arrivals=plan.arrivals).arrivals)
        for window in slot.windows:
            if window.stage == "warm-up":
                continue
            assert min(counts[window.window, journey] for journey in ("search", "submit", "pay")) >= 50
            assert window.stage != "ramp" or counts[window.window, "search"] >= 93


@pytest.mark.parametrize("changes", [{}, {"contiguous": True}, {"back_to_back": True}], ids=["rounds", "contiguous", "back to back"])
@pytest.mark.parametrize("name", ["smoke", "demo", "nightly"])
def test_the_warm_up_is_a_round_of_its_own_and_so_drained(catalog: Catalog, name: str, changes: dict[str, bool]) -> None:
    plan = planned(catalog, name, "fast", "slow", **changes)
    stages = [{window.stage for slot in round_.slots for window in slot.windows} for round_ in plan.rounds]
    assert stages[:2] == [{LONE}, {"warm-up"}]
    assert not any("warm-up" in found for found in stages[2:])
    numbers = [window.round for round_ in plan.rounds for window in round_.slots[0].windows]
    assert numbers == sorted(numbers)
    windows = [window for round_ in plan.rounds[1:] for window in round_.slots[0].windows]
    assert [window.window for window in windows] == list(range(1, len(windows) + 1))
    assert len({window.round for window in windows if window.stage == "typical"}) == (1 if "contiguous" in changes else 6)


def test_a_short_warm_up_has_the_quota_of_its_length(catalog: Catalog) -> None:
    """``smoke`` sent the whole quota of a window, 15 visits besides usage, in 2 s."""
    smoke = catalog.workloads["smoke"]
    warm_up, typical = (round_.slots[0].windows[0] for round_ in planned(catalog, "smoke", "ordinary").rounds[1:3])
    assert (warm_up.stage, dict(warm_up.quota)) == ("warm-up", {"pay": 2, "search": 2, "submit": 2})
    assert dict(typical.quota) == {"pay": 5, "search": 5, "submit": 5}
    assert smoke.rate_per_s("pay", smoke.stages[0], 0) == pytest.approx(smoke.rate_per_s("pay", smoke.stages[1], 0))


def test_today_searches_as_often_as_usage_does(catalog: Catalog) -> None:
    plan = planned(catalog, "today", "ordinary")
    typical = [window for round_ in plan.rounds for window in round_.slots[0].windows if window.stage == "typical"]
    assert {round(window.rates_per_s["search"] * 86_400 / 3) for window in typical} == {56_700}
    assert all(window.quota["search"] == 0 for window in typical)


def test_a_soak_is_one_stretch_without_a_pause(catalog: Catalog) -> None:
    plan = planned(catalog, "soak", "ordinary")
    (slot,) = plan.rounds[-1].slots
    soak = [window for window in slot.windows if window.stage == "soak"]
    assert [b.begin_s - a.begin_s for a, b in pairwise(soak)] == [600.0] * 59


def test_a_soak_follows_its_curve_from_window_to_window(catalog: Catalog) -> None:
    plan = planned(catalog, "soak", "ordinary")
    (slot,) = plan.rounds[-1].slots
    levels = [window.level for window in slot.windows if window.stage == "soak"]
    assert sum(levels) / len(levels) == pytest.approx(1)
    assert levels[12] == pytest.approx(1.6, abs=0.02)  # after 09:00
    assert levels[32] == pytest.approx(0.4)  # between noon and 13:00


def test_a_workload_per_portal_takes_each_portals_own_figures(catalog: Catalog) -> None:
    workload = catalog.workloads["today"].model_copy(update={"per_portal": True})
    measured = [MeasuredPortal(catalog.portals[name], catalog.portals[name].embedded_platform, {}) for name in ("binh-dinh", "binh-duong")]
    plan = make_plan("s", measured, workload, seed=1, results=Path("unused"), night="2026-01-01")
    rates = {slot.portal: slot.windows[-1].rates_per_s for slot in plan.rounds[1].slots}
    daily, usage = catalog.portals["binh-dinh"].daily, workload.usage.per_day
    assert plan.per_portal
    assert catalog.portals["binh-duong"].daily == {}
    assert rates["binh-dinh"]["submit"] == pytest.approx(rates["binh-duong"]["submit"] * daily["online_dossiers"].per_day / usage["submit"])
    assert rates["binh-dinh"]["pay"] == pytest.approx(rates["binh-duong"]["pay"] * daily["payments"].per_day / usage["pay"])
    assert rates["binh-dinh"]["search"] == rates["binh-duong"]["search"]  # the registry has no visits of it


def test_portals_that_share_machines_are_never_loaded_together(catalog: Catalog) -> None:
    groups = {"fast": "one-hall", "ordinary": "", "slow": "one-hall", "collapsing": ""}
    measured = [
        MeasuredPortal(catalog.portals[name], catalog.portals[name].embedded_platform, {}, hosting_group=group)
        for name, group in groups.items()
    ]
    for seed in range(20):
        plan = make_plan("s", measured, catalog.workloads["nightly"], seed=seed, results=Path("unused"), night="2026-01-01", at_once=3)
        loaded = [{slot.portal for slot in round_.slots} for round_ in plan.rounds[1:]]
        assert not any({"fast", "slow"} <= together for together in loaded)
        assert all(len(together) <= 3 for together in loaded)
        assert sum(map(len, loaded)) == 4 * len({round_.round for round_ in plan.rounds[1:]})


def test_a_night_has_spare_rounds_and_a_stretch_without_pause_has_none(catalog: Catalog) -> None:
    assert [planned(catalog, name, "ordinary").spare_windows for name in ("nightly", "today", "target-2025", "smoke", "soak")] == [
        2,
        1,
        1,
        0,
        0,
    ]
    measured = [MeasuredPortal(catalog.portals["ordinary"], "liferay", {})]
    together = make_plan("s", measured, catalog.workloads["today"], seed=1, results=Path("x"), night="2026-01-01", contiguous=True)
    assert together.spare_windows == 0
    today = planned(catalog, "today", "ordinary")
    pause_s = today.lead_s + BETWEEN_ROUNDS_S
    assert longest_make_up_s(today) == pause_s + max(slot.duration_s for each in today.rounds for slot in each.slots) + today.drain_s


@pytest.mark.parametrize("address", ["203.0.113.9", "localhost", "1"])
def test_a_second_address_that_this_machine_does_not_have_is_refused_before_anything_is_sent(address: str) -> None:
    result = CliRunner().invoke(main, ["run", "ordinary", "--workload", "smoke", "--second-address", address])
    assert result.exit_code == UsageError.exit_code, result.output
    assert f"--second-address is {address} (" in result.stderr
    result = CliRunner().invoke(main, ["sweep", "ordinary", "--workload", "smoke", "--second-address", "127.0.0.2", "--dry-run"])
    assert result.exit_code == 0, result.output


def test_the_table_of_a_nights_length_is_what_dry_runs_print() -> None:
    page = (ROOT / "docs" / "load.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \d+ machines? \| (\d+) \| (\d+) \| (.*?) \| (.*?) \| (.*?) \|$", page, re.MULTILINE)
    assert [row[0] for row in rows] == ["6", "24", "84"]
    for at_once, parts, *lengths in rows:
        command = ["sweep", "--set", "2024", "--workload", "nightly", "--at-once", at_once, "--dry-run", "--json"]
        facts = json.loads(CliRunner().invoke(main, command).stdout)
        said = [facts[key] / 60 for key in ("projected_s", "at_most_s", "make_up_at_most_s")]
        assert (facts["parts"], [_minutes(length) for length in lengths]) == (int(parts), [round(minutes) for minutes in said])


def _minutes(length: str) -> int:
    """Of a length such as 1 h 2 min."""
    return sum(int(number) * {"h": 60, "min": 1}[unit] for number, unit in re.findall(r"(\d+) (h|min)", length))
