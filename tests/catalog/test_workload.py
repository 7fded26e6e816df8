"""Workloads: what the model refuses, and the arithmetic of the shipped ones."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.catalog.criteria_set import read_criteria
from harness.catalog.reading import read_model
from harness.catalog.workload import Workload

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
DAYS = 31 + 28 + 31 + 30 + 31  # January to May 2023
SHIPPED = ("today", "target-2025", "nightly", "smoke", "soak")


def shipped(name: str) -> Workload:
    problems: list = []
    found = read_model(SCENARIOS / "workloads" / f"{name}.yaml", Workload, problems)
    assert found is not None, problems
    return found


def made(**changes: object) -> Workload:
    data = {
        "id": "w",
        "name_vi": "w",
        "name_en": "w",
        "usage": {"per_day": {"search": 86_400}, "basis": "assumed", "source": "a test"},
        "stages": [{"stage": "typical"}],
    }
    return Workload.model_validate({**data, **changes})


@pytest.mark.parametrize("name", SHIPPED)
def test_every_number_says_what_it_stands_on(name: str) -> None:
    workload = shipped(name)
    assert workload.id == name
    assert workload.usage.basis == "borrowed"
    assert "Bình Định" in workload.usage.source
    assert "126 : 1" in workload.usage.source
    assert workload.usage.busy_hour_basis == "assumed"
    assert workload.quota_basis == "assumed"
    assert workload.shortened == (name == "smoke")


def test_todays_usage_is_binh_dinhs() -> None:
    per_day = shipped("today").usage.per_day
    assert per_day["submit"] == round(212_451 * 0.32 / DAYS) == 450
    assert per_day["pay"] == round(77_334 / DAYS) == 512
    assert per_day["search"] == 450 * round(1_650 / 13.1) == 56_700
    assert shipped("nightly").usage.per_day == shipped("smoke").usage.per_day == shipped("soak").usage.per_day == per_day


def test_the_target_raises_one_measure_and_nothing_else() -> None:
    today, target = shipped("today"), shipped("target-2025")
    raised = max(0.747, 0.50) / 0.32  # received online, on both sides
    assert target.usage.per_day["submit"] == round(212_451 / DAYS * 0.747)
    assert target.usage.per_day["search"] == 126 * target.usage.per_day["submit"]
    for journey, count in today.usage.per_day.items():
        assert target.usage.per_day[journey] / count == pytest.approx(raised, rel=0.002)
    left = {"id", "name_vi", "name_en", "note", "usage"}
    assert target.model_dump(exclude=left) == today.model_dump(exclude=left)


def test_a_quota_that_the_model_leaves_out_is_not_raised() -> None:
    today = shipped("today")
    typical = today.stages[1]
    assert today.raised_by("search", typical) == pytest.approx(1)
    assert today.raised_by("submit", typical) == pytest.approx((55 + 450 * 3 / 86_400 * 300) / (450 * 3 / 86_400 * 300))


def test_a_night_has_what_every_criterion_asks_of_one_night() -> None:
    nightly, criteria = shipped("nightly"), read_criteria(SCENARIOS / "criteria" / "473-qd-btttt-2024.yaml")
    stages = {stage.stage for stage in nightly.stages}
    for criterion in criteria.criteria:
        assert criterion.select.stage in stages, criterion.id
        of_stage = [stage for stage in nightly.stages if stage.stage == criterion.select.stage]
        windows = sum(stage.windows for stage in of_stage)
        assert windows * criterion.quota.nights >= criterion.quota.windows, criterion.id
        for stage in of_stage:
            assert stage.window_s >= criterion.quota.window_s
            for journey in criterion.select.journey:
                surely = round(stage.level_of(0) * nightly.quota_per_window[journey])
                expected = stage.window_s * nightly.rate_per_s(journey, stage, 0)
                # by its quota alone, or because a Poisson count four deviations below what is expected is enough
                assert surely >= criterion.quota.n or expected - 4 * expected**0.5 >= criterion.quota.n, (criterion.id, journey)


def test_the_ramp_reaches_full_points_and_holds_each_level_twice() -> None:
    nightly = shipped("nightly")
    ramps = [stage for stage in nightly.stages if stage.stage == "ramp"]
    levels = [[stage.level_of(n) for n in range(stage.windows)] for stage in ramps]
    assert levels[0] == levels[1]  # a level fails when two of its windows miss a condition
    top = sum(nightly.rate_per_s(journey, ramps[0], ramps[0].windows - 1) for journey in nightly.journeys)
    assert 20 <= top < 20.5


def test_a_soak_brings_one_days_citizens() -> None:
    soak = shipped("soak")
    stage = soak.stages[-1]
    hours_s = stage.windows * stage.window_s
    assert hours_s == 10 * 3600
    for journey, count in soak.usage.per_day.items():
        assert soak.rate_per_s(journey, stage, 0) * hours_s == pytest.approx(count)
    points = [(point.at, point.factor) for point in stage.curve]
    assert sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(points)) == pytest.approx(1)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_citizen_who_thinks_long_ends_before_the_drain_does(name: str) -> None:
    workload = shipped(name)
    thinks = sum(think.max_s for think in workload.think.values()) + 2 * workload.think["default"].max_s
    assert thinks < workload.drain_s / 2 or workload.shortened


def test_short_windows_have_to_be_declared() -> None:
    short = [{"stage": "typical", "window_s": 30}]
    with pytest.raises(ValidationError, match="need `shortened: true`"):
        made(stages=short)
    assert made(stages=short, shortened=True).shortened
    assert made(stages=[{"stage": "warm-up", "window_s": 5}, {"stage": "typical"}]).stages[0].window_s == 5


def test_a_workload_without_arrivals_is_refused() -> None:
    with pytest.raises(ValidationError, match="no journey has any arrivals"):
        made(usage={"per_day": {"search": 0}, "basis": "assumed", "source": "a test"})
    assert made(usage={"per_day": {}, "basis": "assumed", "source": "a test"}, quota_per_window={"pay": 5}).journeys == ("pay",)


@pytest.mark.parametrize(
    ("curve", "words"),
    [
        ([{"at": 0.5, "factor": 1}, {"at": 0.2, "factor": 1}], "in order of `at`"),
        ([{"at": 0.5, "factor": 1}, {"at": 0.5, "factor": 2}], "each once"),
        ([{"at": 0, "factor": 0}, {"at": 1, "factor": 0}], "at least one factor above 0"),
        ([{"at": 1.5, "factor": 1}], "less than or equal to 1"),
    ],
)
def test_curves_that_say_nothing_are_refused(curve: list, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        made(stages=[{"stage": "typical", "curve": curve}])


def test_rates_are_usage_times_the_busy_hour_plus_quota_times_level() -> None:
    workload = made(
        usage={"per_day": {"search": 86_400}, "basis": "assumed", "source": "a test", "busy_hour_factor": 3},
        quota_per_window={"search": 60, "pay": 30},
        stages=[{"stage": "ramp", "windows": 3, "level": 2, "level_ratio": 2}],
    )
    stage = workload.stages[0]
    assert [workload.rate_per_s("search", stage, n) for n in range(3)] == [2 * 4.0, 4 * 4.0, 8 * 4.0]
    assert workload.rate_per_s("pay", stage, 0) == 1.0
    assert workload.raised_by("pay", stage) is None


def filing(window_s_max: float | None, level: float = 2.0, **changes: object) -> Workload:
    """36 dossiers a day by usage, in the busy hour at three times that rate; a quota of five in each minute is 67 times as many."""
    return made(
        usage={"per_day": {"search": 86_400, "submit": 36}, "busy_hour_factor": 3, "basis": "assumed", "source": "a test"},
        quota_per_window={"submit": 5, "search": 5}, window_s_max=window_s_max,
        stages=[{"stage": "warm-up", "window_s": 30}, {"stage": "typical", "windows": 6}, {"stage": "peak", "windows": 6, "level": level}],
        **changes,
    )  # fmt: skip


def highest(workload: Workload, journey: str) -> float:
    return max(
        workload.raised_by(journey, stage, number) or 0.0
        for stage in workload.stages
        if stage.stage != "warm-up"
        for number in range(stage.windows)
    )


def test_longer_windows_come_before_higher_rates() -> None:
    """Ten times usage is the load that remains, with the visits of each window as they were."""
    written = filing(4000)
    sent = written.spread_out()
    assert highest(written, "submit") > 100
    assert 9.9 < highest(sent, "submit") <= 10
    assert [stage.window_s for stage in sent.stages] == [30, 1000, 1000]
    for before, after in zip(written.stages[1:], sent.stages[1:], strict=True):
        assert after.windows == before.windows
        assert sent.quota_of("submit", after) == written.quota_of("submit", before) == 5
    assert highest(sent, "search") < highest(written, "search")
    assert sent.spread_out() == sent


def test_longer_windows_end_at_the_longest_that_a_workload_allows() -> None:
    sent = filing(300).spread_out()
    assert [stage.window_s for stage in sent.stages] == [30, 300, 300]
    assert highest(sent, "submit") > 10
    assert [stage.window_s for stage in filing(300, level=12).spread_out().stages] == [30, 300, 300], "a level of ten is above by itself"


def test_no_window_becomes_longer_without_leave_or_need() -> None:
    assert filing(None).spread_out() == filing(None)
    enough = made(window_s_max=4000, quota_per_window={"search": 300})
    assert enough.spread_out() == enough
    for name in SHIPPED:
        assert shipped(name).spread_out() == shipped(name)


def test_a_longest_window_below_the_written_ones_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least the longest scored window, 60 s"):
        filing(59)
