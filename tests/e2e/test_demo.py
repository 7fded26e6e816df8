"""`harness demo`: six portals of visibly different quality, told apart for the right reasons."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping

import jsonschema
import pytest

from harness.evidence import SweepFolder
from harness.operations.shipped import scenarios_folder
from harness.records.kept_walks import read_walk
from harness.records.live_state import read_live
from tests.e2e.claims import assert_claims
from tests.e2e.commands import tidy
from tests.e2e.conftest import Sweep
from tests.e2e.evidence import assert_sealed, ledger, load, steps
from tests.e2e.withdrawals import assert_withdrawn
from tests.publish.pages import all_pages

pytestmark = pytest.mark.alone

FILED = ("fast", "ordinary", "slow", "collapsing", "failing-payments")
PORTALS = {*FILED, "refusing"}
LEAST_FILED = {name: 3 if name == "collapsing" else 20 for name in FILED}  # few of its visits end within their patience
SCHEMA = scenarios_folder().parent / "results" / "schemas" / "performance-scores-1.json"


def lost(entry: dict, criterion: str) -> float:
    (found,) = [item for item in entry["criteria"] if item["id"] == criterion]
    assert found["state"] == "assessed"
    return found["points_max"] - found["points"]


def test_it_shows_six_portals_and_says_that_it_is_shortened(demo: Sweep) -> None:
    said = tidy(demo.finished.out)
    for portal in PORTALS:
        assert portal[:12] in said  # a narrow terminal breaks the longer ones
    assert "SHORTENED" in said
    assert "PROVISIONAL" in said
    assert set(demo.scores) == PORTALS


def test_it_tells_of_its_progress_and_how_far_the_load_is_raised(demo: Sweep) -> None:
    progress = tidy(demo.finished.err)
    assert "round 0 of 2: lone, 6 portals" in progress
    assert "refusing: a lone citizen found it blocked" in progress
    assert re.search(r"submit \d+\.\d+/s \(\d+\.\d × usage\)", progress)


def test_its_last_live_state_says_what_was_done(demo: Sweep) -> None:
    state = read_live(demo.folder)
    assert state is not None
    assert (state.state, state.rounds_left, state.rounds, state.in_flight, state.attempt) == ("ended", 0, (), 0, 1)
    judged = [window["verdict"] for portal in PORTALS for window in demo.manifest(portal)["windows"] if window["stage"] != "lone"]
    assert (state.windows_void, state.windows_done) == (judged.count("void"), len(judged) - judged.count("void"))
    portals = {portal.portal: portal for portal in state.portals}
    assert {name: str(portal.state) for name, portal in portals.items()} == {**dict.fromkeys(PORTALS, "done"), "refusing": "blocked"}
    slots = [slot for record in SweepFolder(demo.folder).rounds() for slot in record.slots]
    for portal in PORTALS:
        counts = [window.counts for slot in slots if slot.portal == portal for window in slot.windows]
        assert portals[portal].begun == sum(_visits(each) - each.get("turned_away", 0) for each in counts)
        assert portals[portal].failed == sum(_visits(each) - each.get("visits_ok", 0) for each in counts)


def _visits(counts: Mapping[str, int]) -> int:
    return sum(count for name, count in counts.items() if name.startswith("visits_"))


def test_the_fast_one_scores_highest(demo: Sweep) -> None:
    points = {portal: entry["points"] for portal, entry in demo.scores.items() if entry["points"] is not None}
    others = [value for portal, value in points.items() if portal != "fast"]
    assert len(others) == 4
    assert points["fast"] > max(others)


def test_the_collapsing_one_is_scored_low_and_not_excused(demo: Sweep) -> None:
    scored = {portal: entry for portal, entry in demo.scores.items() if entry["points"] is not None}
    assert scored["collapsing"]["verdict"] == "valid"
    assert min(scored, key=lambda portal: scored[portal]["points"]) == "collapsing"
    assert scored["collapsing"]["points"] < scored["slow"]["points"] / 2


def test_failing_payments_cost_points_where_payments_are_judged(demo: Sweep) -> None:
    failing, ordinary = demo.scores["failing-payments"], demo.scores["ordinary"]
    assert failing["verdict"] == "valid"
    assert lost(failing, "payments-confirmed") > lost(ordinary, "payments-confirmed")
    assert lost(failing, "payments-confirmed") == pytest.approx(1.5)  # about half of them fail: beyond the curve's zero point
    for criterion in ("average-search", "average-submit", "slowest-search", "slowest-submit", "visits-search", "visits-submit"):
        assert lost(failing, criterion) <= lost(ordinary, criterion), criterion


def test_the_refusing_one_is_blocked_and_has_no_points(demo: Sweep) -> None:
    refusing = demo.scores["refusing"]
    assert refusing["verdict"] == "blocked"
    assert refusing["points"] is None
    assert refusing["interval"] is None
    assert [reason["code"] for reason in refusing["reasons"]] == ["lone_citizen_refused"]


def test_each_lone_walk_is_kept_whole(demo: Sweep) -> None:
    rounds = [load(path) for path in sorted((demo.folder / "rounds").glob("round-000-*.json"))]
    walks = [walk for each in rounds for walk in each["lone_walks"]]
    assert {walk["portal"] for walk in walks} == PORTALS
    for walk in walks:
        kept = read_walk(demo.folder / walk["file"])
        assert (kept.portal, kept.journey, kept.outcome) == (walk["portal"], walk["journey"], walk["outcome"])
        assert all(each.outcome and each.received is not None for each in kept.exchanges)
        assert walk["file"] in {item["file"] for item in demo.manifest(kept.portal)["lone"]}


def test_the_scores_are_valid_to_somebody_else(demo: Sweep) -> None:
    document = load(demo.folder / "scores.json")
    jsonschema.Draft202012Validator(load(SCHEMA)).validate(document)
    with (demo.folder / "scores.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["portal"] for line in lines} == PORTALS
    assert (demo.folder / "scores.xlsx").stat().st_size > 0
    named = {item["file"] for score in document["scores"] for item in score["evidence"]}
    assert all((demo.folder / name).is_file() for name in named)


def test_the_report_holds_charts_and_asks_nobody_for_anything(demo: Sweep) -> None:
    page = all_pages(demo.folder)
    assert page.count("<svg") > len(PORTALS)
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)


def test_its_evidence_is_whole(demo: Sweep) -> None:
    assert_sealed(demo.folder, PORTALS)


def test_six_windows_were_measured_of_each_portal_that_let_us_in(demo: Sweep) -> None:
    for portal in PORTALS - {"refusing"}:
        typical = [window for window in demo.manifest(portal)["windows"] if window["stage"] == "typical"]
        assert len(typical) == 6, portal
    assert {window["stage"] for window in demo.manifest("refusing")["windows"]} == {"lone"}


@pytest.mark.parametrize("portal", [*FILED, "refusing"])
def test_dossiers_and_payments_are_the_same_to_everybody(demo: Sweep, portal: str) -> None:
    assert_claims(demo.folder, portal)


def test_some_were_filed_and_some_paid(demo: Sweep) -> None:
    for portal in FILED:
        assert ledger(demo.folder, portal)["dossier"] >= LEAST_FILED[portal], portal
    assert ledger(demo.folder, "failing-payments")["payment"] < ledger(demo.folder, "fast")["payment"]
    assert not ledger(demo.folder, "refusing")


def test_payments_that_failed_were_seen_as_failed(demo: Sweep) -> None:
    confirmations = steps(demo.folder, "failing-payments", "confirm_payment")
    failed = load(demo.folder / "counted.json")["failing-payments"]["payments"]["failed"]
    assert failed > 0
    assert int((confirmations["outcome"] == "wrong_content").sum()) == failed


@pytest.mark.parametrize("portal", FILED)
def test_it_leaves_no_dossier_behind(demo: Sweep, portal: str) -> None:
    assert_withdrawn(demo.folder, portal, at_least=LEAST_FILED[portal])
    assert "dossiers withdrawn in " in demo.finished.err
