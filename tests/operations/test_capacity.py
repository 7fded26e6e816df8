"""The levels of a search for capacity: how long they are held, what they may send, and what a dry run says of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.catalog import Catalog
from harness.cli import main
from harness.evidence import SweepFolder
from harness.operations.capacity.held_level import RESERVE, LevelTimes, journey_shares, level_times
from harness.operations.capacity.search import CapacitySpec, LevelsOnHosts
from harness.operations.dossiers.night_count import filed_at_night
from harness.operations.portal_hosts import hosts_for_dry_run
from harness.operations.selection import select_workload
from harness.operations.shipped import shipped_catalog
from harness.records import LedgerLine, append_to_ledger
from harness.statistics.objective import parse_objective
from tests.e2e.small_catalog import permission, portal, workload, write_files

OBJECTIVE = parse_objective("p95 <= 10 s and error_rate <= 3 %")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return shipped_catalog(None)


def spec_of(catalog: Catalog, name: str = "ordinary", workload: str = "capacity", **changes: Any) -> CapacitySpec:
    given = CapacitySpec(
        catalog.portals[name], select_workload(catalog, workload), OBJECTIVE, 1, Path("results"), 0.5, 0.15, 40, 900.0, 200.0
    )
    return replace(given, **changes)


def levels_of(spec: CapacitySpec, catalog: Catalog, **changes: Any) -> LevelsOnHosts:
    hosts = hosts_for_dry_run((spec.portal,), catalog, datetime.now(UTC))
    return replace(LevelsOnHosts(spec, hosts, catalog, Path("results/search")), **changes)


def test_a_level_is_held_as_long_as_windows_stays_and_percentiles_need(catalog: Catalog) -> None:
    workload = select_workload(catalog, "capacity")
    assert level_times(workload, OBJECTIVE, 20.0, 1.0) == LevelTimes(20, 60)  # the workload's own stages
    assert level_times(workload, OBJECTIVE, 20.0, 30.0) == LevelTimes(60, 150)  # two and five stays
    assert level_times(workload, OBJECTIVE, 0.5, 1.0) == LevelTimes(20, 205)  # 93 values and a tenth
    mixed = select_workload(catalog, "today")
    rarest = min(journey_shares(mixed).values())
    assert level_times(mixed, OBJECTIVE, 1.0, 1.0).hold_s == pytest.approx(RESERVE * 93 / rarest, abs=1)
    assert sum(journey_shares(mixed).values()) == pytest.approx(1.0)


def test_a_level_is_held_longer_where_a_step_was_too_rare_but_not_beyond_what_a_level_may(catalog: Catalog) -> None:
    levels = levels_of(spec_of(catalog), catalog, visits_a_value=2.0)
    assert levels.times(0.5) == LevelTimes(20, 410)
    assert levels.times(20.0) == LevelTimes(20, 60)  # long enough as it is
    assert replace(levels, visits_a_value=50.0).times(0.5) == LevelTimes(20, 900)
    assert levels.times(0.12).hold_s == 900
    assert levels.plan(0.5, 1).plan.rounds[1].slots[0].windows[1].duration_s == 410


def test_run_up_and_hold_follow_each_other_with_exact_arrivals(catalog: Catalog) -> None:
    planned = levels_of(spec_of(catalog), catalog).plan(2.5, 3)
    lone, loaded = planned.plan.rounds
    assert lone.alone
    (slot,) = loaded.slots
    assert [(w.stage, w.begin_s, w.duration_s, dict(w.quota), dict(w.rates_per_s)) for w in slot.windows] == [
        ("warm-up", 0.0, 20.0, {"search": 50}, {}),
        ("typical", 20.0, 60.0, {"search": 150}, {}),
    ]
    assert planned.plan.results == "results/search/level-03"
    (usage,) = planned.plan.targets[0].times_usage
    assert (usage.planned_per_s, usage.usage_per_s) == (2.5, pytest.approx(56_700 / 86_400 * 3))


def test_each_level_meets_other_arrivals(catalog: Catalog) -> None:
    levels = levels_of(spec_of(catalog), catalog)
    assert len({levels.plan(2.5, number).plan.seed for number in range(1, 5)}) == 4


def test_the_mix_of_the_workload_is_kept_at_every_rate(catalog: Catalog) -> None:
    spec = spec_of(catalog, workload="today")
    for rate in (1.0, 4.0):
        window = levels_of(spec, catalog).plan(rate, 1).plan.rounds[1].slots[0].windows[1]
        shares = {journey: count / sum(window.quota.values()) for journey, count in window.quota.items()}
        assert shares == pytest.approx(journey_shares(spec.workload), abs=1 / sum(window.quota.values()))


def test_the_ceiling_of_citizens_leaves_room_for_chance(catalog: Catalog) -> None:
    spec = spec_of(catalog, largest_per_s=1000.0)
    ceiling = levels_of(spec, catalog, stay_s=10.0).ceiling(1)
    assert ceiling.by.code == "ceiling"
    citizens = ceiling.per_s * 10
    assert citizens + 3 * citizens**0.5 == pytest.approx(spec.workload.in_flight_ceiling)
    assert levels_of(spec, catalog, stay_s=0.0).ceiling(1).by.code == "largest_rate"


def authorised(folder: Path, **changes: Any) -> Path:
    """A catalog with a portal on a loopback host, and its authorisation."""
    origins = {"portal": "http://127.0.0.1:9", "identity": "http://127.0.0.1:10"}
    given = {"platform": "liferay", "citizens_in_flight_max": 400, "captcha_exemption": {"reference": "made up for a test"}, **changes}
    files = {
        "portals/swift.yaml": {"portals": [portal("swift", 8)]},
        "workloads/filing.yaml": workload("filing", 5, {"search": 5, "submit": 5}),
        "authorisations/swift.yaml": permission("letter-9", "swift", origins, **given),
    }
    return write_files(folder, files)


@pytest.mark.parametrize("platform", ["liferay", "calibration"])
def test_the_authorisation_bounds_the_rate(platform: str, tmp_path: Path) -> None:
    """A visit of the second platform has one request."""
    catalog = shipped_catalog(authorised(tmp_path, requests_per_s_max=30, platform=platform))
    levels = levels_of(spec_of(catalog, "swift"), catalog, stay_s=1.0)
    ceiling = levels.ceiling(1)
    assert ceiling.by.code == "authorisation"
    assert "requests_per_s_max" in ceiling.by.detail
    assert not levels.plan(ceiling.per_s, 1).not_permitted
    at_most = next(rate for rate in (0.1 * step for step in range(1, 400)) if levels.plan(rate, 1).not_permitted) * 10
    assert ceiling.per_s * 10 + 3 * (ceiling.per_s * 10) ** 0.5 == pytest.approx(at_most, rel=0.03)


def test_the_dossiers_of_an_authorisation_are_those_of_the_whole_search(tmp_path: Path) -> None:
    catalog = shipped_catalog(authorised(tmp_path, dossiers_max=200))
    levels = levels_of(spec_of(catalog, "swift", "filing"), catalog, stay_s=1.0)
    assert levels.plan(1.0, 1).plan.targets[0].terms.dossiers_max == 200
    assert replace(levels, filed=150).plan(0.2, 1).plan.targets[0].terms.dossiers_max == 50
    spent = replace(levels, filed=200).ceiling(1)
    assert (spent.per_s, spent.by.code, spent.by.detail) == (0.0, "authorisation", "typical needs dossiers_max 201 instead of 200")


def test_dossiers_of_levels_count_for_the_night(tmp_path: Path) -> None:
    level = SweepFolder(tmp_path / "search" / "level-01")
    level.path.mkdir(parents=True)
    level.plan.write_text(json.dumps({"night": "2026-11-26"}))
    append_to_ledger(level.ledger, [LedgerLine("swift", "run", 1, kind="dossier", code="H00-1")])
    assert filed_at_night(tmp_path, "2026-11-26") == {"swift": 1}
    (tmp_path / "search" / "capacity.json").write_text("{}")
    assert filed_at_night(tmp_path / "search", "2026-11-26") == {"swift": 1}


def asked(*arguments: str) -> Any:
    result = CliRunner().invoke(main, ["capacity", *arguments])
    return result.exit_code, result.output


def test_a_dry_run_prints_levels_end_visits_and_dossiers(tmp_path: Path) -> None:
    code, output = asked(
        "ordinary",
        "--objective",
        "p95 <= 10 s",
        "--max-rate",
        "6",
        "--most-levels",
        "20",
        "--results",
        str(tmp_path),
        "--dry-run",
        "--json",
    )
    assert code == 0, output
    said = json.loads(output)
    assert [each["rate_per_s"] for each in said["ascent"]] == [0.5, 1, 2, 4, 6]
    assert said["limited_by"]["code"] == "largest_rate"
    assert said["visits_at_most"] == 20 * max(each["visits"] for each in said["ascent"])
    assert said["dossiers_at_most"] == 0
    assert not list(tmp_path.iterdir())
    code, output = asked(
        "ordinary", "--objective", "p95 <= 10 s", "--max-rate", "6", "--results", str(tmp_path), "--dry-run", "--lang", "both"
    )
    assert code == 0
    assert "latest end" in output
    assert "kết thúc muộn nhất" in output


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("ordinary", "--objective", "p59 < 10 s"), 2, "is no limit; expected a metric"),
        (("ordinary", "--objective", "eror_rate <= 3 %"), 2, "Did you mean `error_rate`"),
        (("ordinari", "--objective", "p95 <= 10 s"), 2, "Did you mean `ordinary`"),
        (("ordinary", "--objective", "p95 <= 10 s", "--workload", "capacty"), 2, "Did you mean `capacity`"),
        (("ordinary", "--objective", "p95 <= 10 s", "--max-rate", "0.01", "--dry-run"), 2, "--max-rate is 0.01"),
        (("ordinary", "--objective", "p95 <= 10 s", "--max-rate", "0.01"), 2, "--longest-level"),
        (("ordinary", "--objective", "slowest(900000) <= 10 s"), 2, "workload capacity: citizens in flight is at most 500"),
        (("ordinary", "--objective", "p95 <= 20 s at submit"), 2, "(search: search, open_procedure)"),
        (("ordinary", "--objective", "p95 <= 20 s at serach", "--dry-run"), 2, "Did you mean `search`?"),
        (("calibration", "--objective", "p95 <= 20 s at open_procedure"), 2, "workload capacity on platform calibration (search: search)"),
        (("ordinary", "--objective", "mean <= 120 s"), 2, "the patience of workload capacity, as which failures count"),
    ],
)
def test_wrong_arguments_are_named(arguments: tuple[str, ...], code: int, said: str) -> None:
    found, output = asked(*arguments)
    assert found == code
    assert said in output


def test_the_example_of_the_help_can_be_judged_with_the_default_workload(tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["capacity", "--help"]).output
    examples = [each for each in re.findall(r'"([^"]+)"', " ".join(said.split())) if "<=" in each]
    assert [each for each in examples if " at " in each]
    for each in examples:
        assert asked("ordinary", "--objective", each, "--results", str(tmp_path), "--dry-run")[0] == 0, each


def test_a_step_is_one_of_a_journey_that_the_portal_has(tmp_path: Path) -> None:
    """With `today` citizens file; on a platform without filing its visits only search."""
    limited = ("--objective", "p95 <= 20 s at submit", "--workload", "today", "--results", str(tmp_path), "--dry-run")
    assert asked("ordinary", *limited)[0] == 0
    code, output = asked("calibration", *limited)
    assert code == 2
    assert "platform calibration (search: search)" in output
    filing = {"workloads/filing.yaml": workload("filing", 5, {"submit": 5})}
    code, output = asked(
        "calibration",
        "--objective",
        "p95 <= 20 s",
        "--workload",
        "filing",
        "--catalog",
        str(write_files(tmp_path / "own", filing)),
        "--dry-run",
    )
    assert code == 2
    assert "workload filing: journeys is none" in output
