from harness.evidence.facts import Verdict
from harness.scoring import RunEvidence, explain, score_portal
from tests.scoring.evening import PORTAL, facts, good_evening
from tests.scoring.sets import the_2024_set
from tests.scoring.test_run_criteria import SUSTAINED, _ramp

YEAR_2024 = the_2024_set()


def test_the_path_from_rows_to_points_is_complete():
    runs = [RunEvidence(PORTAL, facts(), good_evening(failing={"confirm_payment": 0.5}).frame())]
    text = "\n".join(explain(score_portal(runs, YEAR_2024), runs, YEAR_2024))
    for part in (
        "criteria set 473-QD-BTTTT-2024 3, provisional",
        "payments-confirmed (Payments confirmed; heading correctness)",
        "ok_rate of journey pay: confirm_payment; stage typical; the portal's own time",
        "windows: 0: 50 % (n 60)",
        "pay/pay/confirm_payment: n 60, 30 failed: 100 × 30 / 60 = 50 %",
        "curve linear/1 full 99 none 90: (0 + 0 + 0 + 0 + 0 + 0) / 6 = 0 of 1.5 points",
        "pay/pay/confirm_payment: n 60, 30 failed: (22.883 + 0 × 10 + 300) / 60 = 5.381383 s; successes alone, as measured: 22.883 / 30 = 0.762767 s",
        "value 2.265694 s (as measured, successes alone: 0.726156 s; 30 of 180 failed), [2.232694, 2.287694]",
        "not assessed: no_operator_figures",
        "night 2026-11-21: 6 of 6 windows up, 0 in planned maintenance",
        "points: assumed",
        "over median_window: the points are those of the median window, number 4 of 6 from the best:",
        "over mean_of_windows: the points are the mean of the windows' points",
        "by sign test over windows: numbers 1 and 6 of 6 in order, level 1 − 2 × 1 / 64 = 96.88 %",
        "total 2 + 2 + 1 + 1 + 1 + 0 + 1 + 1 + 0 + 0 = 9.0 of 20.0, 12.0 assessed",
    ):
        assert part in text, text


def test_a_card_without_points_says_why():
    runs = [RunEvidence(PORTAL, facts(verdict=Verdict.BLOCKED), None)]
    lines = list(explain(score_portal(runs, YEAR_2024), runs, YEAR_2024))
    assert lines[0] == "tinh-mau: blocked"
    assert lines[-1] == "no points: blocked"


def test_held_levels_are_listed():
    runs = [_ramp([0.5, 1.0, 3.0, None])]
    text = "\n".join(explain(score_portal(runs, SUSTAINED), runs, SUSTAINED))
    assert "level 10 visits/s: 2 of 2 windows met every condition, passes (n 10)" in text
    assert "level 20 visits/s: 0 of 2 windows met every condition, fails (n 10)" in text
    assert "value 10 visits/s, [10, 20] by last level passed to first level failed" in text
