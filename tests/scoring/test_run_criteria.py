"""Sustained concurrency, availability over nights, server efficiency."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pandas as pd
import pytest

from harness.errors import EvidenceError
from harness.evidence.facts import UnprovenJourney, Verdict
from harness.operations.supplied.prometheus import read_prometheus
from harness.scoring import CriterionState, Maintenance, RunEvidence, read_csv, score_portal, score_sweep
from harness.scoring.concurrency import HeldLevel, sustained
from tests.scoring.evening import PORTAL, Evening, facts, score_run, window
from tests.scoring.sets import SOURCED, criteria_set, criterion

UP_TO_20 = {"kind": "linear", "version": 1, "full": 20, "none": 0, **SOURCED}
RAMP = {"journey": ["search"], "stage": "ramp"}
SUSTAINED = criteria_set(
    criterion("sustained", "sustained(slowest(5) <= 2 s and error_rate <= 10 %)", curve=UP_TO_20, select=RAMP, quota={"windows": 3, "n": 5})
)


def _level(level, met, windows=3):
    return HeldLevel(level, windows, met, 100)


@pytest.mark.parametrize(
    ("levels", "last_pass", "first_fail"),
    [
        ([(5, 3), (10, 3), (20, 3)], 20, None),
        ([(5, 3), (10, 3), (20, 0)], 10, 20),
        ([(5, 0), (10, 3), (20, 3)], 0, 5),  # what passes above a level that fails was not sustained
        ([(5, 3), (10, 2), (20, 1)], 10, 20),  # one miss may be chance, two of three are not
        ([(20, 0), (5, 3), (10, 3)], 10, 20),  # in any order
        ([], 0, None),
    ],
)
def test_the_result_is_between_the_last_pass_and_the_first_fail(levels, last_pass, first_fail):
    found = sustained([_level(level, met) for level, met in levels])
    assert (found.last_pass, found.first_fail) == (last_pass, first_fail)


def test_a_single_miss_is_not_confirmed():
    found = sustained([_level(5, 1, windows=1), _level(10, 0, windows=1), _level(20, 0, windows=2)])
    assert (found.last_pass, found.first_fail) == (5, 20)


def _ramp(times, portal=PORTAL, levels=(5.0, 10.0, 20.0, 40.0)):
    """Two rounds of a ramp; ``times`` are the seconds of a search at each level, None where it fails."""
    evening, windows = Evening(), []
    for round_ in range(2):
        for position, (level, seconds) in enumerate(zip(levels, times, strict=True)):
            number = round_ * len(levels) + position
            windows.append(window(number, stage="ramp", round_=round_, level=level))
            for _ in range(5):
                evening.visit(number, "search", [("find", "search", seconds or 0.1, "ok" if seconds else "timeout")])
    return RunEvidence(portal, dataclasses.replace(facts(windows), portal=portal.id), evening.frame())


def test_points_follow_from_the_last_level_passed():
    score = score_portal([_ramp([0.5, 1.0, 3.0, None])], SUSTAINED).criteria[0]
    assert (score.value, score.value_interval, score.unit) == (10.0, (10.0, 20.0), "visits/s")
    assert (score.points, score.interval) == (10.0, (10.0, 20.0))
    assert (score.windows, score.n) == (8, 40)


def test_where_no_level_fails_the_value_is_at_least_the_highest():
    score = score_portal([_ramp([0.5, 0.5, 0.5, 0.5])], SUSTAINED).criteria[0]
    assert (score.value, score.value_interval) == (40.0, (40.0, None))
    assert (score.points, score.interval_kind) == (20.0, "no level failed")


def test_full_points_never_need_more_than_the_lowest_ceiling_of_the_set():
    small = dataclasses.replace(PORTAL, id="nho")
    runs = [_ramp([0.5, 0.5, 0.5, 0.5]), _ramp([0.5, 0.5], small, levels=(5.0, 10.0))]
    scores = score_sweep("sweep", runs, SUSTAINED)
    assert [card.points for card in scores.scorecards] == [20.0, 20.0]
    assert {card.criteria[0].curve for card in scores.scorecards} == {"linear/1 full 10 none 0"}


def test_a_portal_with_an_unproven_journey_lowers_nobodys_level():
    other = _ramp([0.5, 0.5], dataclasses.replace(PORTAL, id="nho"), levels=(5.0, 10.0))
    unproven = dataclasses.replace(other.facts, unproven=(UnprovenJourney("pay", "pay", "pay", "wrong_content", "selector #tra"),))
    scores = score_sweep("sweep", [_ramp([0.5, 0.5, 0.5, 0.5]), dataclasses.replace(other, facts=unproven)], SUSTAINED)
    assert {card.criteria[0].curve for card in scores.scorecards if card.is_ranked} == {"linear/1 full 20 none 0"}


def test_the_ends_of_what_has_no_windows_join_the_interval_of_the_total():
    both = criteria_set(
        criterion("average", points=10, required="always"),
        criterion("sustained", "sustained(slowest(5) <= 2 s)", points=10, curve=UP_TO_20, select=RAMP, quota={"windows": 3, "n": 5}),
    )  # fmt: skip
    ramp = _ramp([0.5, 1.0, 3.0, None])
    evening = Evening(visits=1000)
    for number in range(6):
        evening.visit(100 + number, "search", [("find", "search", 4.0 + number, "ok")])
    rows = pd.concat([ramp.rows.astype(object), evening.frame().astype(object)])
    for name in ("window", "visit", "request", "attempt", "intended_us", "end_us", "polling_wait_us", "hop"):
        rows[name] = rows[name].astype("int64")
    windows = (*ramp.facts.windows, *(window(100 + number) for number in range(6)))
    card = score_run(rows, dataclasses.replace(ramp.facts, windows=windows), both, PORTAL)
    average, held = card.criteria
    assert (average.interval, held.interval) == ((round(10 / 7.5, 4), 8.0), (5.0, 10.0))
    assert card.interval == (round(10 / 7.5 + 5, 4), 18.0)


def test_too_few_held_levels_are_not_assessed():
    few = criteria_set(
        criterion("sustained", "sustained(p95 <= 2 s)", curve=UP_TO_20, select=RAMP, quota={"windows": 9, "n": 5}, required="never")
    )
    score = score_portal([_ramp([0.5, 1.0, 3.0, None])], few).criteria[0]
    assert (score.state, score.reason) == (CriterionState.NOT_ASSESSED, "too_few_windows: 8 of 9 with at least 5 steps")


ALWAYS_ON = {"kind": "linear", "version": 1, "full": 99, "none": 50, **SOURCED}
AVAILABLE = criteria_set(
    criterion("availability", "availability(50 %)", curve=ALWAYS_ON, quota={"windows": 8, "n": 2, "nights": 4}, required="never")
)


def _night(number, ups):
    evening, windows = Evening(), []
    for position, up in enumerate(ups):
        began = f"2026-11-{20 + number}T{15 + position}:00:00+00:00"
        windows.append(window(position, night=f"2026-11-{20 + number}", began_utc=began))
        for count in range(4):
            evening.visit(position, "search", [("find", "search", 0.1, "ok" if up or count == 0 else "connect")])
    return RunEvidence(PORTAL, facts(windows), evening.frame())


def test_one_night_is_no_continuous_operation():
    score = score_portal([_night(0, [True] * 12)], AVAILABLE).criteria[0]
    assert (score.state, score.reason) == (CriterionState.NOT_ASSESSED, "too_few_nights: 1 of 4, 12 of 8 windows")


def test_availability_is_the_share_of_windows_that_found_the_portal_up():
    nights = [_night(number, [True, number != 2]) for number in range(5)]
    score = score_portal(nights, AVAILABLE).criteria[0]
    assert (score.value, score.windows) == (90.0, 10)
    assert score.points == round(20 * 40 / 49, 4)
    assert score.value_interval[0] < 90 < score.value_interval[1]
    assert "clustered by night" in score.interval_kind


def test_planned_maintenance_stands_apart():
    nights = [_night(number, [True, number != 2]) for number in range(5)]
    planned = (Maintenance("2026-11-22T15:30:00Z", "2026-11-22T17:00:00Z"),)
    nights[2] = dataclasses.replace(nights[2], maintenance=planned)
    score = score_portal(nights, AVAILABLE).criteria[0]
    assert (score.value, score.windows) == (100.0, 9)
    assert "1 in planned maintenance left out" in score.interval_kind


def test_a_night_on_which_nobody_could_connect_was_down():
    nights = [_night(number, [True, True]) for number in range(4)]
    gone = facts([window(0, night="2026-11-29"), window(1, night="2026-11-29")], verdict=Verdict.UNREACHABLE)
    card = score_portal([*nights, RunEvidence(PORTAL, gone, None)], AVAILABLE)
    assert card.verdict is Verdict.VALID
    assert card.criteria[0].value == 80.0


CPU = {"kind": "linear", "version": 1, "full": 75, "none": 100, **SOURCED}
EFFICIENT = criteria_set(
    criterion("search", points=15),
    criterion("cpu", "server_cpu", points=5, curve=CPU, quota={"windows": 6, "n": 2}, required="never"),
)  # fmt: skip


def _operator(busy):
    lines = ["time_utc,server,role,cpu_percent"]
    for minute in range(6):
        for second in (10, 40):
            lines += [
                f"2026-11-21T15:{minute:02d}:{second}Z,app-1,application,40",
                f"2026-11-21T22:{minute:02d}:{second}+07:00,db-1,database,{busy + minute}",
            ]
    return read_csv("\n".join(lines), "operator.csv")


def _searches():
    evening = Evening()
    for number in range(6):
        evening.visit(number, "search", [("find", "search", 0.1, "ok")])
    return evening.frame()


def test_server_efficiency_is_the_busiest_role_in_the_windows():
    score = score_run(_searches(), facts(), EFFICIENT, PORTAL, efficiency=_operator(80)).criteria[1]
    assert (score.value, score.value_interval, score.n) == (83.0, (80.0, 85.0), 24)
    assert score.points == round(5 * 17 / 25, 4)


def test_without_operator_figures_it_is_not_assessed():
    score = score_run(_searches(), facts(), EFFICIENT, PORTAL).criteria[1]
    assert (score.state, score.reason) == (CriterionState.NOT_ASSESSED, "no_operator_figures")


def test_figures_of_another_hour_are_no_figures_of_the_windows():
    other = read_csv("time_utc,server,role,cpu_percent\n2026-11-21T03:00:00Z,db-1,database,10\n", "operator.csv")
    score = score_run(_searches(), facts(), EFFICIENT, PORTAL, efficiency=other).criteria[1]
    assert score.reason == "too_few_windows: 0 of 6 with 2 figures of each role"


def test_every_bad_line_of_an_operators_file_is_named():
    text = "time_utc,server,role,cpu_percent\nyesterday,app-1,application,40\n2026-11-21T15:00:00Z,,cache,140\n"
    with pytest.raises(EvidenceError) as caught:
        read_csv(text, "operator.csv")
    assert [(problem.line, problem.key) for problem in caught.value.problems] == [
        (2, "time_utc"), (3, "server"), (3, "role"), (3, "cpu_percent"),
    ]  # fmt: skip
    with pytest.raises(EvidenceError, match="without role"):
        read_csv("time_utc,server,cpu_percent\n", "operator.csv")


PROMETHEUS = """\
# HELP cpu_busy_percent busy
# TYPE cpu_busy_percent gauge
cpu_busy_percent{instance="app-1:9100",role="application"} 41.5
cpu_busy_percent{server="db-1",role="database"} 62 1795273210000
other_metric{server="db-1",role="database"} 99
"""


def test_prometheus_text_is_read():
    fetched = datetime(2026, 11, 21, 15, 0, 30, tzinfo=UTC)
    figures = read_prometheus(PROMETHEUS, "prometheus", metric="cpu_busy_percent", fetched_at=fetched)
    assert {(each.server, each.role, each.cpu_percent) for each in figures} == {
        ("app-1:9100", "application", 41.5),
        ("db-1", "database", 62.0),
    }
    assert next(each.time_utc for each in figures if each.server == "app-1:9100") == fetched
    with pytest.raises(EvidenceError, match="cpu_idle is not there"):
        read_prometheus(PROMETHEUS, "prometheus", metric="cpu_idle", fetched_at=fetched)
