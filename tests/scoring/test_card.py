import dataclasses
import math
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.evidence.facts import Reason, Verdict
from harness.scoring import CriterionState, Evidence, PortalIdentity, RunEvidence, score_portal, score_sweep
from tests.scoring.evening import PORTAL, Evening, facts, good_evening, score_run, window
from tests.scoring.sets import SHARES, criteria_set, criterion, the_2024_set

YEAR_2024 = the_2024_set()
VERSION_1 = the_2024_set("1")


def _by_id(card):
    return {score.id: score for score in card.criteria}


def test_a_good_evening_earns_all_that_one_night_can():
    card = score_run(good_evening().frame(), facts(), YEAR_2024, PORTAL, evidence=(Evidence("samples/part-0.parquet", "00" * 32),))
    assert (card.verdict, card.points, card.points_assessed_max, card.points_max) == (Verdict.VALID, 12.0, 12.0, 20.0)
    assert card.interval == (11.4286, 12.0)  # one more window could have cost a seventh of the 4 points of rates
    assert score_run(good_evening().frame(), facts(), VERSION_1, PORTAL).interval == (12.0, 12.0)
    assert card.nights == ("2026-11-21",)
    assert card.evidence == (Evidence("samples/part-0.parquet", "00" * 32),)
    not_assessed = {score.id: score.reason.split(":")[0] for score in card.criteria if score.state is CriterionState.NOT_ASSESSED}
    assert not_assessed == {
        "server-cpu": "no_operator_figures",
        "concurrent-peak": "no_windows_of_stage",
        "concurrent-sustained": "no_windows_of_stage",
        "availability": "too_few_nights",
    }


def test_failing_payments_cost_points_where_payments_are_judged():
    good = _by_id(score_run(good_evening().frame(), facts(), YEAR_2024, PORTAL))
    bad = _by_id(score_run(good_evening(failing={"confirm_payment": 0.5}).frame(), facts(), YEAR_2024, PORTAL))
    lost = {name: good[name].points - bad[name].points for name in good if good[name].points != bad[name].points}
    assert set(lost) == {"payments-confirmed", "visits-pay", "slowest-pay"}
    assert bad["payments-confirmed"].points == 0
    assert max(lost, key=lost.get) == "payments-confirmed"
    assert bad["payments-confirmed"].value == 50.0


def test_a_portal_that_collapses_is_scored_low_and_not_excused():
    evening = good_evening(slower=30, failing={"search": 0.7})
    for number in range(6):
        for _ in range(30):
            evening.visit(number, "search", outcome="not_served")
    card = score_run(evening.frame(), facts(), YEAR_2024, PORTAL)
    assert card.verdict is Verdict.VALID
    assert card.points < 1


@pytest.mark.parametrize("verdict", [Verdict.BLOCKED, Verdict.UNREACHABLE, Verdict.VOID, Verdict.INSUFFICIENT])
def test_a_verdict_other_than_valid_has_no_points_and_reads_no_rows(verdict):
    def rows():
        raise AssertionError("read")

    reasons = (Reason("lone_citizen_refused"),)
    card = score_portal([RunEvidence(PORTAL, facts(verdict=verdict, reasons=reasons), rows)], YEAR_2024)
    assert (card.verdict, card.points, card.interval, card.points_assessed_max) == (verdict, None, None, 0.0)
    assert card.reasons == reasons
    assert {score.state for score in card.criteria} == {CriterionState.NOT_ASSESSED}
    assert {score.points for score in card.criteria} == {None}


def test_void_windows_and_other_stages_do_not_count():
    evening = good_evening(range(8))
    for journey in ("search", "submit", "pay"):
        for number in (6, 7):
            for _ in range(100):
                evening.visit(number, journey, outcome="not_served")
    windows = [*range(6), window(6, verdict=Verdict.VOID), window(7, stage="soak")]
    card = score_run(evening.frame(), facts(windows), YEAR_2024, PORTAL)
    assert card.points == 12.0
    assert [window for window, _, _ in _by_id(card)["average-search"].per_window] == [0, 1, 2, 3, 4, 5]


def test_windows_that_are_too_short_do_not_count():
    windows = [window(number, duration_s=58.0 if number == 0 else 59.0) for number in range(6)]
    card = score_run(good_evening().frame(), facts(windows), YEAR_2024, PORTAL)
    assert card.verdict is Verdict.INSUFFICIENT
    assert card.reasons[0] == Reason("not_enough_windows", "average-search: too_few_windows: 5 of 6, 0 with fewer than 50 steps")
    assert _by_id(card)["average-search"].per_window != ()
    assert card.points is None


def test_too_few_steps_are_insufficient():
    card = score_run(good_evening(visits=49).frame(), facts(), YEAR_2024, PORTAL)
    assert card.verdict is Verdict.INSUFFICIENT
    assert {reason.code for reason in card.reasons} == {"not_enough_steps"}


def test_a_journey_that_was_not_walked_is_not_assessed_unless_always_required():
    evening = good_evening()
    evening.rows = [row for row in evening.rows if row[1] != "pay"]
    card = score_run(evening.frame(), facts(), YEAR_2024, PORTAL)
    assert card.verdict is Verdict.VALID
    assert _by_id(card)["payments-confirmed"].reason == "not_measured"
    assert card.points_assessed_max == 12.0 - 4.0
    evening.rows = [row for row in evening.rows if row[1] != "search"]
    assert score_run(evening.frame(), facts(), YEAR_2024, PORTAL).verdict is Verdict.INSUFFICIENT


def test_a_shortened_set_says_so():
    windows = facts([window(number, duration_s=7, round_=0) for number in range(6)])
    short = YEAR_2024.shortened(window_s=7, min_n=5)
    scores = score_sweep("demo", [RunEvidence(PORTAL, windows, good_evening(visits=8).frame())], short)
    assert scores.scorecards[0].points == 12.0
    assert scores.criteria_set.version == "3+shortened (windows from 7 s, from 5 steps a window)"
    assert {score.interval_kind for score in scores.scorecards[0].criteria if score.interval} == {
        "sign test over windows, not all of different rounds",
        "mean of windows (widest of t, worst to best, one more window)",
    }


def test_one_window_has_a_block_interval_and_is_labelled():
    card = score_run(good_evening(range(1)).frame(), facts([0]), YEAR_2024.shortened(min_windows=1), PORTAL)
    average = _by_id(card)["average-search"]
    assert average.interval_kind == "block, one window"
    assert average.value_interval[0] < average.value < average.value_interval[1]
    assert _by_id(card)["slowest-search"].interval is None
    assert card.interval is None


def test_a_rate_in_one_window_is_clustered_by_visit():
    card = score_run(
        good_evening(range(1), failing={"confirm_payment": 0.1}).frame(), facts([0]), YEAR_2024.shortened(min_windows=1), PORTAL
    )
    payments = _by_id(card)["payments-confirmed"]
    assert (payments.interval_kind, payments.interval_level, payments.value) == ("one window, clustered by visit", 0.95, 90.0)
    assert 75 < payments.value_interval[0] < 85  # Wilson's for 54 of 60 is 79.9 to 95.3
    assert 94 < payments.value_interval[1] < 97


def test_steps_that_fail_together_make_the_interval_wider():
    def width(together):
        evening, draw = Evening(), random.Random(3)
        for visit in range(40):
            for attempt in (1, 2, 3, 4):
                fails = visit < 10 if together else draw.random() < 0.25
                evening.row(0, "search", visit, "find", "search", 0, attempt, "portal", 0, 1000, "timeout" if fails else "ok")
            evening.row(0, "search", visit, "", "", -1, 0, "", 0, 0, "ok")
        criteria = criteria_set(criterion("ok", "ok_rate", curve=SHARES, quota={"windows": 1}))
        low, high = score_run(evening.frame(), facts([0]), criteria, PORTAL).criteria[0].value_interval
        return high - low

    assert width(together=True) > 1.5 * width(together=False)


def test_parquet_files_split_differently_give_the_same_bytes(tmp_path):
    rows = pa.Table.from_pandas(good_evening(visits=50, failing={"pay": 0.2}).frame())
    cards = []
    for pieces in (1, 7):
        folder = tmp_path / str(pieces)
        folder.mkdir()
        size = len(rows) // pieces + 1
        for number in range(pieces):
            pq.write_table(rows.slice(number * size, size), folder / f"part-{number}.parquet", row_group_size=1 + 997 // pieces)
        cards.append(repr(score_run(pq.read_table(folder), facts(), YEAR_2024, PORTAL)))
    assert cards[0] == cards[1]


def test_fewer_than_six_windows_attain_less_and_say_how_much():
    card = score_run(good_evening(range(3)).frame(), facts(range(3)), YEAR_2024.shortened(min_windows=3), PORTAL)
    average = _by_id(card)["average-search"]
    assert (average.interval_kind, average.interval_level) == ("minimum to maximum of 3 windows", 0.75)
    assert card.interval_kind == "ends of the criteria's intervals added"


def test_the_median_window_is_one_that_was_measured():
    average = _by_id(score_run(good_evening().frame(), facts(), YEAR_2024, PORTAL))["average-search"]
    ordered = sorted(value for _, value, _ in average.per_window)
    assert average.value == ordered[3]
    assert average.value_interval == (ordered[0], ordered[5])
    assert average.interval_level == 0.96875


def test_a_value_beyond_the_timeout_is_censored_and_never_a_number():
    criteria = criteria_set(criterion("slow", "slowest(2)", quota={"n": 2}))
    evening = Evening()
    for number in range(6):
        for _ in range(2):
            evening.visit(number, "search", [("find", "search", 60.0, "timeout" if number < 3 else "ok")])
    slow = score_run(evening.frame(), facts(), criteria, PORTAL).criteria[0]
    assert (slow.value, slow.censored, slow.points) == (None, True, 0.0)
    assert slow.value_interval == (60.0, None)
    assert [value for _, value, _ in slow.per_window] == [None, None, None, 60.0, 60.0, 60.0]


def test_the_figure_of_successes_stands_beside_the_scored_one():
    criteria = criteria_set(criterion("average"))
    evening = Evening()
    for number in range(6):
        evening.visit(number, "search", [("find", "search", 1.0, "ok")])
        evening.visit(number, "search", [("find", "search", 0.1, "reset")])
    average = score_run(evening.frame(), facts(), criteria, PORTAL).criteria[0]
    assert (average.value, average.value_of_successes) == (5.5, 1.0)


def test_the_measured_mean_is_not_capped_and_failures_are_counted_beside_it():
    criteria = criteria_set(criterion("average"))
    evening = Evening()
    for number in range(6):
        evening.visit(number, "search", [("find", "search", 1.0, "ok")])
        evening.visit(number, "search", [("find", "search", 60.0, "ok")])
        evening.visit(number, "search", [("find", "search", 0.1, "reset")])
    average = score_run(evening.frame(), facts(), criteria, PORTAL).criteria[0]
    assert average.value == 7.0  # (1 + 10 + 10) / 3
    assert average.value_of_successes == 5.5  # (1 + 10) / 2
    assert average.value_measured == 30.5  # (1 + 60) / 2
    assert (average.failures, average.failures_of, average.zero_point_s) == (1, 3, 10.0)


def test_each_part_has_the_same_weight_in_the_measured_mean():
    both = {"journey": ["search"], "stage": "typical", "step": ["search", "open_procedure"]}
    criteria = criteria_set(criterion("mean", points=10, select=both), criterion("worst", points=10, select=both, combine="worst"))
    evening = Evening()
    for number in range(6):
        evening.visit(number, "search", [("find", "search", 30.0, "ok"), ("find", "open_procedure", 2.0, "ok")])
        evening.visit(number, "search", [("find", "search", 20.0, "ok"), ("find", "open_procedure", 2.0, "http_error")])
    mean, worst = score_run(evening.frame(), facts(), criteria, PORTAL).criteria
    assert (mean.value, mean.value_measured, mean.failures, mean.failures_of) == (8.0, 13.5, 1, 4)
    assert (worst.value, worst.value_measured) == (10.0, 25.0)


def test_other_figures_are_what_they_say_and_have_no_measured_value_of_their_own():
    criteria = criteria_set(
        *(criterion(name, metric, points=5) for name, metric in (("a", "slowest(1)"), ("b", "mean of visits"))),
        criterion("c", "ok_rate of visits", points=5, curve=SHARES, over="mean_of_windows"),
        criterion("d", "mean", points=5, select={"journey": ["pay"], "stage": "typical"}, required="never"),
    )
    evening = Evening()
    for number in range(6):
        for count in range(4):
            evening.visit(number, "search", [("find", "search", 12.0, "ok" if count or number else "timeout")])
    slowest, mean, rate, absent = score_run(evening.frame(), facts(), criteria, PORTAL).criteria
    assert (slowest.value_measured, slowest.zero_point_s, slowest.failures_of) == (None, None, 4)
    assert (mean.value, mean.value_measured) == (10.0, 12.0)
    assert (rate.value_measured, rate.failures, rate.failures_of) == (None, 1, 24)  # of all windows, as its points
    assert (absent.value_measured, absent.zero_point_s, absent.failures, absent.failures_of) == (None,) * 4


def test_a_mean_without_a_success_has_no_measured_value():
    evening = Evening()
    for number in range(6):
        evening.visit(number, "search", [("find", "search", 0.1, "reset")])
    average = score_run(evening.frame(), facts(), criteria_set(criterion("average")), PORTAL).criteria[0]
    assert (average.value, average.value_measured, average.failures, average.failures_of) == (10.0, None, 1, 1)


def test_time_elsewhere_is_charged_only_where_the_set_says_so():
    evening = Evening()
    for number in range(6):
        evening.row(number, "search", number, "find", "search", 0, 1, "portal", 0, 1_000_000, "ok")
        evening.row(number, "search", number, "find", "search", 1, 1, "identity", 1_000_000, 4_000_000, "ok")
        evening.row(number, "search", number, "", "", -1, 0, "", 0, 4_000_000, "ok")
    everywhere = {"journey": ["search"], "stage": "typical", "owner": "any"}
    criteria = criteria_set(criterion("own", points=10), criterion("all", points=10, select=everywhere))
    own, everything = score_run(evening.frame(), facts(), criteria, PORTAL).criteria
    assert (own.value, own.not_charged_s) == (1.0, 3.0)
    assert everything.value == 4.0


def test_steps_that_few_visits_come_to_have_no_quota_to_meet():
    evening = good_evening()
    for number in range(6):
        evening.visit(number, "search", [("find", "search", 0.4, "ok"), ("find", "hand_over", 50.0, "ok")])
    criteria = criteria_set(criterion("average", quota={"n": 50}))
    average = score_run(evening.frame(), facts(), criteria, PORTAL).criteria[0]
    assert average.value < 1
    assert average.n == 6 * (61 + 60)


def test_row_order_and_storage_change_no_byte():
    evening = good_evening(visits=50, failing={"submit": 0.1})
    card = score_run(evening.frame(), facts(), YEAR_2024, PORTAL)
    shuffled = list(evening.rows)
    random.Random(7).shuffle(shuffled)
    halves = [Evening(shuffled[:777]).frame(), Evening(shuffled[777:]).frame()]
    table = pa.concat_tables([pa.Table.from_pandas(half) for half in halves])
    assert repr(score_run(table, facts(), YEAR_2024, PORTAL)) == repr(card)
    turned = facts([window(number) for number in reversed(range(6))])
    assert repr(score_run(table, turned, YEAR_2024, PORTAL)) == repr(card)


def test_a_sweep_orders_its_cards_and_keeps_one_portal_in_memory_at_a_time():
    open_now = []

    def rows(portal):
        def read():
            open_now.append(portal)
            return good_evening().frame()

        return read

    portals = [PortalIdentity(name, name, name, "province") for name in ("tinh-b", "tinh-a")]
    runs = [RunEvidence(portal, dataclasses.replace(facts(), portal=portal.id), rows(portal.id)) for portal in portals]
    scores = score_sweep("sweep", runs, YEAR_2024, revision=2, supersedes=1)
    assert [card.portal for card in scores.scorecards] == ["tinh-a", "tinh-b"]
    assert open_now == ["tinh-a", "tinh-b"]
    assert (scores.revision, scores.supersedes, scores.criteria_set.provisional, scores.group.points_max) == (2, 1, True, 20.0)
    assert scores.criteria_set.sha256 == YEAR_2024.sha256
    assert score_sweep("sweep", runs, YEAR_2024, revision=2, supersedes=1, at_once=2) == scores


def test_several_nights_of_one_portal_make_one_card():
    nights = [facts([window(number, night=f"2026-11-{20 + night}") for number in range(3)]) for night in range(3)]
    runs = [RunEvidence(PORTAL, each, good_evening(range(3), slower=1 + night).frame()) for night, each in enumerate(nights)]
    card = score_portal(runs, YEAR_2024)
    assert card.nights == ("2026-11-20", "2026-11-21", "2026-11-22")
    assert _by_id(card)["average-search"].windows == 9
    latest = _by_id(score_portal(runs, YEAR_2024.of_latest_windows()))["average-search"]
    assert latest.windows == 6
    assert latest.per_window == _by_id(card)["average-search"].per_window[3:]


def test_a_total_interval_pairs_windows_of_two_stages_by_round():
    peak = {"journey": ["search"], "stage": "peak"}
    criteria = criteria_set(criterion("typical", points=10), criterion("peak", points=10, select=peak))
    evening = Evening()
    for round_ in range(6):
        evening.visit(2 * round_, "search", [("find", "search", 3.0 + round_, "ok")])
        evening.visit(2 * round_ + 1, "search", [("find", "search", 9.0 - round_, "ok")])
    windows = [window(2 * round_ + late, stage="peak" if late else "typical", round_=round_) for round_ in range(6) for late in (0, 1)]
    card = score_run(evening.frame(), facts(windows), criteria, PORTAL)
    # What one stage loses in a round the other gains: the sums are all the same, the points (two medians) lie apart from them.
    assert card.interval_kind == "sign test over sums of the same windows"
    sums = {round(a[3] + b[3], 3) for a, b in zip(card.criteria[0].points_per_window, card.criteria[1].points_per_window, strict=True)}
    assert sums == {10.667}
    assert card.points == round(10 * (4 / 7.5) + 10 * (4 / 7.5), 4) or math.isclose(card.points, 9.3333, abs_tol=1e-3)
    assert card.interval[0] <= card.points <= card.interval[1] <= 10.6668
