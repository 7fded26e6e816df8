"""A permission that is too small is nobody's failure: its load is left out before anything is sent, with the number that would do."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.catalog import Catalog
from harness.cli import main
from harness.errors import AuthorisationError
from harness.operations.journeys import journeys_of_folder
from harness.operations.permitted_load import needed_at_most, within_permissions
from harness.operations.plan_summary import plan_in_words
from harness.operations.portal_hosts import PortalHosts, check_permitted, hosts_for_dry_run
from harness.operations.selection import select_criteria
from harness.operations.shipped import DEFAULT_CRITERIA, scenarios_folder, shipped_catalog
from harness.operations.sweep_plan import LONE_SPACING_S, make_plan
from harness.operations.timetable import BETWEEN_ROUNDS_S, longest_s, planned_s
from harness.records import LONE, LONE_TRIES, AbsentGoal, NotPermitted, Plan
from tests.e2e.small_catalog import workload, write_catalog

NOW = datetime.now(UTC)
PAYMENT = "http://127.0.0.3:1"


def catalog(folder: Path, **changes: Any) -> Catalog:
    """The small catalog with an authorisation for ``swift`` and a workload of two stages: the peak is four times the typical load."""
    write_catalog(folder)
    permission = {
        "id": "letter-7", "portal": "swift", "platform": "liferay", "reference": "made up for a test", "granted_by": "this test",
        "valid_from": (NOW - timedelta(days=1)).isoformat(), "valid_to": (NOW + timedelta(days=1)).isoformat(),
        "citizens_in_flight_max": 400, "requests_per_s_max": 1000,
        "hosts": [
            {"origin": "http://127.0.0.1:1"}, {"origin": "http://127.0.0.2:1", "role": "identity", "owner": "identity"},
            {"origin": PAYMENT, "role": "payment", "owner": "payment"},
        ],
        "payment_sandbox": {"origin": PAYMENT}, **changes,
    }  # fmt: skip
    (folder / "authorisations").mkdir()
    (folder / "authorisations" / "swift.yaml").write_text(json.dumps(permission), encoding="utf-8")
    stages = [
        {"stage": "warm-up", "windows": 1, "window_s": 30},
        {"stage": "typical", "windows": 2, "window_s": 60},
        {"stage": "peak", "windows": 2, "window_s": 60, "level": 4},
    ]
    both = {**workload("two-stages", 60, {"search": 60, "submit": 30, "pay": 30}), "stages": stages, "drain_s": 400}
    (folder / "workloads" / "two-stages.yaml").write_text(json.dumps(both), encoding="utf-8")
    return shipped_catalog(folder)


GOALS = journeys_of_folder(scenarios_folder())


def planned(found: Catalog, **changes: Any) -> tuple[Plan, PortalHosts]:
    portals = [found.portals["swift"], found.portals["sluggish"]]
    chosen, criteria = found.workloads["two-stages"].model_copy(update=changes), found.criteria["speed-only"]

    def plan_on(hosts: PortalHosts) -> Plan:
        return make_plan("s", hosts.portals, chosen, seed=1, results=Path("unused"), night="2026-01-01")

    hosts = hosts_for_dry_run(portals, found, NOW)
    hosts = within_permissions(hosts, plan_on(hosts), found, chosen, criteria, GOALS)
    return plan_on(hosts), hosts


def loaded(plan: Plan, portal: str = "swift") -> set[tuple[str, str]]:
    windows = (window for round_ in plan.rounds for slot in round_.slots if slot.portal == portal for window in slot.windows)
    return {(window.stage, journey) for window in windows for journey in window.journeys}


STAGES = ("warm-up", "typical", "peak")
ALL = {(stage, journey) for stage in (LONE, *STAGES) for journey in ("search", "submit", "pay")}


def test_a_journey_whose_goal_the_profile_declares_absent_is_not_walked_and_files_nothing(tmp_path: Path) -> None:
    found = catalog(tmp_path)
    whole = found.platforms["liferay"]
    goals = {name: goal for name, goal in whole.goals.items() if name not in {"pay", "track"}}
    lacking = whole.model_copy(update={"goals": goals, "absent": {**whole.absent, "pay": "nothing costs anything", "track": "no search"}})
    plan, _ = planned(replace(found, platforms={**found.platforms, "liferay": lacking}))
    assert loaded(plan) == {(stage, journey) for stage, journey in ALL if journey != "pay"}  # who files need not be able to track
    assert plan.target("swift").absent_goals == (AbsentGoal("pay", "pay"),)
    assert "swift: its profile declares pay absent: pay left out, and not assessed" in plan_in_words(plan, GOALS)
    (facts,) = (each for each in json.loads(plan.to_json())["targets"] if each["portal"] == "swift")
    assert facts["absent_goals"] == [{"journey": "pay", "goal": "pay"}]
    assert "absent_goals" not in planned(found)[0].to_json()


def test_the_page_of_the_gate_says_how_many_citizens_its_workload_needs(tmp_path: Path) -> None:
    found = catalog(tmp_path, citizens_in_flight_max=1)
    chosen, criteria = found.workloads["gate"], select_criteria(found, DEFAULT_CRITERIA)
    hosts = hosts_for_dry_run([found.portals["swift"]], found, NOW)
    whole = make_plan("s", hosts.portals, chosen, seed=1, results=Path("unused"), night="2026-01-01")
    (one,) = within_permissions(hosts, whole, found, chosen, criteria, GOALS).portals
    needed = max(each.needed for each in one.not_permitted if each.limit == "citizens_in_flight_max")
    page = (Path(__file__).parents[2] / "docs" / "gate.md").read_text(encoding="utf-8")
    assert f"`citizens_in_flight_max: {needed:g}`" in page
    assert f"({chosen.in_flight_ceiling} at most)" in page


def test_enough_for_everything_changes_nothing(tmp_path: Path) -> None:
    plan, hosts = planned(catalog(tmp_path))
    assert loaded(plan) == loaded(plan, "sluggish") == ALL
    assert plan.target("swift").not_permitted == ()
    assert "not_permitted" not in plan.to_json()
    assert hosts.notes == ()


@pytest.mark.parametrize("limit", ["citizens_in_flight_max", "requests_per_s_max"])
def test_the_stage_that_needs_more_is_left_out_and_the_number_that_is_named_would_do(tmp_path: Path, limit: str) -> None:
    needed = {each.stage: each.needed for each in planned(catalog(tmp_path / "a", **{limit: 1}))[0].target("swift").not_permitted}
    assert set(needed) == set(STAGES)
    assert needed["peak"] == pytest.approx(4 * needed["typical"], abs=4)
    plan, hosts = planned(catalog(tmp_path / "b", **{limit: int(needed["peak"]) - 1}))
    assert loaded(plan) == {each for each in ALL if each[0] != "peak"}
    assert loaded(plan, "sluggish") == ALL, "the load of others does not change"
    assert plan.target("swift").not_permitted == (NotPermitted(limit, needed["peak"] - 1, needed["peak"], stage="peak"),)
    assert hosts.notes == (f"swift: peak needs {limit} {needed['peak']:g} instead of {needed['peak'] - 1:g}: left out, and not assessed",)
    assert json.loads(plan.to_json())["targets"][0]["not_permitted"][0]["needed"] == needed["peak"]
    plan, _ = planned(catalog(tmp_path / "c", **{limit: int(needed["peak"])}))
    assert loaded(plan) == ALL


def test_fewer_dossiers_than_needed_leave_out_the_journeys_that_file(tmp_path: Path) -> None:
    plan, _ = planned(catalog(tmp_path / "a", dossiers_max=10))
    assert {journey for _, journey in loaded(plan)} == {"search"}
    needed = 2 * (LONE_TRIES + 3 + 15 + 2 * 30 + 2 * 120)  # a check after each of three loaded rounds
    assert plan.target("swift").not_permitted == tuple(NotPermitted("dossiers_max", 10, needed, journey=each) for each in ("pay", "submit"))
    assert loaded(planned(catalog(tmp_path / "b", dossiers_max=needed))[0]) == ALL
    assert {journey for _, journey in loaded(planned(catalog(tmp_path / "c", dossiers_max=needed - 1))[0])} == {"search"}


def test_dossiers_of_make_up_windows_and_of_their_checks_count(tmp_path: Path) -> None:
    """A spare round may hold one typical window and one peak window, and a check comes after it."""
    found = catalog(tmp_path)
    most = [needed_at_most(planned(found, spare_windows=spare)[0], found, GOALS) for spare in (0, 2)]
    assert {*most[0]} == {"swift", "sluggish"}
    once, twice = (each["swift"] for each in most)
    assert once.dossiers == 2 * (LONE_TRIES + 3 + 15 + 2 * 30 + 2 * 120)
    assert twice.dossiers == once.dossiers + 2 * 2 * (30 + 120 + 1)
    assert twice.visits == once.visits + 2 * (120 + 480 + 3)
    assert twice.requests > once.requests > once.visits


def test_a_sweep_that_all_lone_walks_and_make_up_windows_would_bring_beyond_its_authorisation_is_refused(tmp_path: Path) -> None:
    found = catalog(tmp_path)
    plan, _ = planned(found, spare_windows=1)
    pause_s = plan.lead_s + BETWEEN_ROUNDS_S
    one_round_s, lone_s = pause_s + 2 * 60 + 400, pause_s + 3 * LONE_SPACING_S + 400
    assert planned_s(plan) == pytest.approx(lone_s + pause_s + 430 + 2 * one_round_s)
    assert longest_s(plan) == pytest.approx(planned_s(plan) + one_round_s + (2 + 3 + 1) * lone_s)
    (ends,) = (each.valid_to for each in found.authorisations.values())
    check_permitted(plan, found, ends - timedelta(seconds=longest_s(plan) + 1))
    with pytest.raises(AuthorisationError, match=r"its rounds end by .* further lone walks, checks after refusals and make-up windows"):
        check_permitted(plan, found, ends - timedelta(seconds=longest_s(plan) - 1))


def test_without_a_payment_sandbox_only_paying_is_left_out(tmp_path: Path) -> None:
    hosts = [{"origin": "http://127.0.0.1:1"}, {"origin": "http://127.0.0.2:1", "role": "identity", "owner": "identity"}]
    plan, found = planned(catalog(tmp_path, payment_sandbox=None, hosts=hosts, captcha_exemption={"reference": "made up"}))
    assert loaded(plan) == {each for each in ALL if each[1] != "pay"}
    assert [each.in_words for each in plan.target("swift").not_permitted] == ["pay needs payment_sandbox"]
    assert found.notes == (), "the notes of its hosts say so already"


def test_lone_walks_that_take_turns_take_longer(tmp_path: Path) -> None:
    """One citizen at once: the three lone citizens of the portal come one after another, each with the whole drain."""
    narrow, wide = (planned(catalog(tmp_path / str(ceiling), citizens_in_flight_max=ceiling))[0] for ceiling in (1, 400))
    assert planned_s(narrow) == pytest.approx(planned_s(wide) + 2 * 400)
    assert longest_s(narrow) == pytest.approx(longest_s(wide) + (1 + 2 + 3) * 2 * 400)


def test_the_dry_run_says_what_is_left_out(tmp_path: Path) -> None:
    catalog(tmp_path, citizens_in_flight_max=1)
    command = ["sweep", "swift", "--workload", "two-stages", "--criteria", "speed-only", "--catalog", str(tmp_path), "--dry-run"]
    shown = CliRunner().invoke(main, command)
    assert shown.exit_code == 0, shown.output
    assert "swift: typical needs citizens_in_flight_max " in shown.stdout
    assert re.search(r"^swift +https?:\S+ .*  → [-\d]+ [\d:]+ \S+ +\d+ +\d+ +\d+$", shown.stdout, re.MULTILINE)
    assert re.search(
        r"^  latest end [-\d]+ [\d:]+ \S+: \d+ min, of which at most \d+ min as planned .* further lone walks$", shown.stdout, re.MULTILINE
    )
    facts = json.loads(CliRunner().invoke(main, [*command, "sluggish", "--json"]).stdout)
    assert [*facts["needed_at_most"]] == ["swift"], "only what an authorisation covers"
    found = facts["not_permitted"]["swift"]
    assert {each["stage"] for each in found} == set(STAGES)
