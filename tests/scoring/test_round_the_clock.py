"""Availability by probes and windows alike, hour by hour; and a day that is slower than the night."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from harness.catalog.criteria_set import ProbeRule
from harness.evidence.facts import Verdict
from harness.records.probe_history import ProbeBlame, ProbeLine
from harness.scoring import CriterionState, Maintenance, RunEvidence, Scorecard, explain, score_portal
from harness.scoring.round_the_clock import day_and_night, observe_round_the_clock
from harness.statistics.share import clustered_share, weighted_share
from tests.scoring.evening import PORTAL, Evening, facts, window
from tests.scoring.sets import SOURCED, criteria_set, criterion

RULE = {"hours": 20, "day": [8, 17], "night": [22, 5], "slower": 2, "days": 3, "least": 30, **SOURCED}
CURVE = {"kind": "linear", "version": 1, "full": 99, "none": 50, **SOURCED}
AVAILABILITY = criterion(
    "availability", "availability(50 %)", curve=CURVE, quota={"windows": 30, "n": 2, "nights": 5}, required="never", points=10
)
WITH_PROBES = criteria_set(AVAILABILITY, criterion("search", points=10), probes=RULE)
WITHOUT = criteria_set(AVAILABILITY, criterion("search", points=10))
MONDAY = datetime(2026, 11, 15, 17, tzinfo=UTC)  # midnight of Monday 16 November in Viet Nam

Up = Callable[[datetime], bool]


def line(at: datetime, blame: ProbeBlame = ProbeBlame.NOBODY, *, seconds: float = 0.5, count: int = 1) -> ProbeLine:
    outcome = "ok" if blame is ProbeBlame.NOBODY else "http_error"
    return ProbeLine("tinh-mau", "search", at.isoformat(), MONDAY.isoformat(), 0.0, 0.0, outcome, blame, 300.0, seconds, 2, count=count)


def every(minutes: float, days: float) -> Iterator[datetime]:
    count = int(days * 24 * 60 / minutes)
    return (MONDAY + timedelta(minutes=minutes * number) for number in range(count))


def local_hour(at: datetime) -> int:
    return (at + timedelta(hours=7)).hour


def history(up: Up, *, days: float = 7, minutes: float = 30) -> tuple[ProbeLine, ...]:
    return tuple(line(at, ProbeBlame.NOBODY if up(at) else ProbeBlame.PORTAL) for at in every(minutes, days))


def evening(ups: Sequence[bool] = (True,) * 6, night: int = 16) -> RunEvidence:
    """A night of windows at one o'clock in Viet Nam."""
    made, windows = Evening(), []
    for position, up in enumerate(ups):
        began = datetime(2026, 11, night, 18, position * 5, tzinfo=UTC)
        windows.append(window(position, night=f"2026-11-{night}", began_utc=began.isoformat()))
        for _ in range(4):
            made.visit(position, "search", [("find", "search", 0.1, "ok" if up else "connect")])
    return RunEvidence(PORTAL, facts(windows), made.frame())


def score(probes: Iterable[ProbeLine], *runs: RunEvidence, criteria=WITH_PROBES) -> Scorecard:
    first, *others = runs or (evening(),)
    return score_portal([dataclasses.replace(first, probes=tuple(probes)), *others], criteria)


def availability(*given: object, **more: object):
    return score(*given, **more).criteria[0]  # type: ignore[arg-type]


def test_each_hour_of_the_day_has_the_same_weight() -> None:
    """Down from 8 to 10 every day: 2 of 24 hours, however many probes and windows fall into other hours."""
    down_in_the_morning = history(lambda at: local_hour(at) not in {8, 9})
    more_at_night = tuple(line(at) for at in every(2, 7) if local_hour(at) in {1, 2, 3})
    found = availability((*down_in_the_morning, *more_at_night))
    assert found.state is CriterionState.ASSESSED
    assert found.value == pytest.approx(100 * 22 / 24, abs=1e-4)
    assert found.windows == 6
    assert found.interval_kind.startswith("share of a day, each hour alike, clustered by day: ")
    assert "24 of 24 hours" in found.interval_kind


def test_windows_and_probes_of_an_hour_count_alike() -> None:
    """In the hour after one o'clock: 10 probes a week up, without those under load, and 6 windows down."""
    probes = tuple(line(at) for at in every(30, 7) if not (local_hour(at) == 1 and at.day == 16))
    found = availability(probes, evening([False] * 6))
    in_hour = sum(local_hour(at.at) == 1 for at in probes)
    assert found.value == pytest.approx(100 * (23 + in_hour / (in_hour + 6)) / 24, abs=1e-4)


def test_a_probe_under_our_own_load_is_left_out() -> None:
    loaded = datetime(2026, 11, 16, 18, 0, 30, tzinfo=UTC)
    run = evening()
    observed = observe_round_the_clock([line(loaded, ProbeBlame.PORTAL), line(loaded + timedelta(hours=1))], (), [run.facts], ())
    assert (observed.probes, [each.up for each in observed.observations]) == (1, [True])


def test_what_is_not_the_portals_is_not_counted() -> None:
    not_its_own = (ProbeBlame.OURS, ProbeBlame.PATH, ProbeBlame.SHARED_HOST, ProbeBlame.BLOCKED)
    bad = [line(MONDAY + timedelta(minutes=7 + 30 * number), blame) for number, blame in enumerate(not_its_own * 5)]
    missed = line(MONDAY + timedelta(minutes=3), ProbeBlame.OURS, count=12)
    found = availability((*history(lambda _at: True), *bad, missed))
    assert found.value == 100.0
    assert "32 probes not counted" in found.interval_kind


def test_a_maintenance_page_is_a_failure_unless_it_was_announced_in_time() -> None:
    closed = [dataclasses.replace(each, blame=ProbeBlame.MAINTENANCE) for each in history(lambda _at: True)[:48]]
    rest = history(lambda _at: True)[48:]
    assert availability((*closed, *rest)).value == pytest.approx(100 * 6 / 7, abs=1)
    begin, end = MONDAY.isoformat(), (MONDAY + timedelta(days=1)).isoformat()
    notice = criteria_set(
        AVAILABILITY, criterion("search", points=10), probes=RULE, maintenance_notice={"hours": 24, **SOURCED}
    )  # fmt: skip
    for announced, value in (((MONDAY - timedelta(days=2)).isoformat(), 100.0), (begin, 85.7)):
        run = dataclasses.replace(evening(night=20), maintenance=(Maintenance(begin, end, announced, "1/TB", "a.pdf"),))
        assert availability((*closed, *rest), run, criteria=notice).value == pytest.approx(value, abs=1)


def test_what_nothing_explains_is_the_portals_only_between_probes_that_got_through() -> None:
    broken = {10, 11, 12}
    ats = [MONDAY + timedelta(minutes=30 * number) for number in range(20)]
    middle = [line(at, ProbeBlame.UNEXPLAINED if number in broken else ProbeBlame.NOBODY) for number, at in enumerate(ats)]
    observed = observe_round_the_clock(middle, (), (), ())
    assert sum(not each.up for each in observed.observations) == 3
    to_the_end = [line(at, ProbeBlame.UNEXPLAINED if number >= 10 else ProbeBlame.NOBODY) for number, at in enumerate(ats)]
    observed = observe_round_the_clock(reversed(to_the_end), (), (), ())
    assert (len(observed.observations), observed.not_counted) == (10, 10)  # perhaps our profile is out of date since then


def test_a_night_alone_is_not_taken_for_the_day() -> None:
    found = availability(tuple(each for each in history(lambda _at: True) if not 5 <= local_hour(each.at) < 20))
    assert (found.state, found.reason) == (CriterionState.NOT_ASSESSED, "too_few_hours: 9 of 20 hours of the day")
    found = availability(history(lambda _at: True, days=2))
    assert found.reason == "too_few_nights: 3 of 5, 101 of 30 probes and windows"


def test_a_set_without_the_rule_and_a_sweep_without_probes_score_windows_alone() -> None:
    nights = [evening(night=night) for night in range(16, 21)]
    probes = history(lambda at: local_hour(at) > 12)
    old, new = (score((), *nights, criteria=criteria).criteria for criteria in (WITHOUT, WITH_PROBES))
    assert old == new == score(probes, *nights, criteria=WITHOUT).criteria
    assert (old[0].windows, old[0].value) == (30, 100.0)
    assert score(probes, *nights).criteria[0].value < 50


def test_probes_give_no_points_to_a_portal_without_a_valid_run() -> None:
    gone = RunEvidence(PORTAL, facts([window(0)], verdict=Verdict.UNREACHABLE), None)
    assert score(history(lambda _at: True), gone).points is None


def test_the_order_of_probes_and_copies_of_several_nights_change_nothing() -> None:
    probes = history(lambda at: at.minute == 0 or at.day != 18)
    once = score(probes, evening(night=20))
    assert score(probes[::-1], evening(night=20)) == once
    twice = [dataclasses.replace(evening(night=20), probes=probes), dataclasses.replace(evening(night=21), probes=probes[:200])]
    found = score_portal(twice, WITH_PROBES).criteria[0]
    assert found.windows == 12
    assert f"{len(probes) - 2} probes" in found.interval_kind  # one under load in each night


def test_explain_shows_days_and_hours() -> None:
    runs = [dataclasses.replace(evening(), probes=history(lambda at: local_hour(at) != 9))]
    text = "\n".join(explain(score_portal(runs, WITH_PROBES), runs, WITH_PROBES))
    assert "  day from noon of 2026-11-17: 46 of 48 probes and windows up" in text
    assert "8 h 14 of 14, 9 h 0 of 14" in text


def slower_by_day(factor: float, *, days: float = 7) -> tuple[ProbeLine, ...]:
    office = range(8, 17)
    return tuple(line(at, seconds=0.5 * (factor if local_hour(at) in office else 1)) for at in every(30, days))


def test_a_day_twice_as_slow_as_the_night_is_a_finding_and_changes_no_points() -> None:
    slow, even = score(slower_by_day(2.2), evening(night=20)), score(slower_by_day(1.9), evening(night=20))
    assert slow.day_and_night is not None
    assert (slow.day_and_night.day_s, slow.day_and_night.night_s, slow.day_and_night.is_finding) == (1.1, 0.5, True)
    assert (slow.day_and_night.days, slow.day_and_night.nights) == (5, 8)  # Monday to Friday; nights from noon to noon
    (reason,) = [reason for reason in slow.reasons if reason.code == "slow_by_day"]
    assert reason.detail == "1.100 s by day, 0.500 s at night, 2.2 times"
    assert even.day_and_night is not None
    assert (even.day_and_night.is_finding, even.reasons) == (False, ())
    assert (slow.points, slow.criteria, slow.verdict) == (even.points, even.criteria, even.verdict)


def test_one_bad_morning_is_no_finding_nor_are_few_probes_or_a_weekend() -> None:
    rule = ProbeRule.model_validate(RULE)

    def found(probes: Iterable[ProbeLine]) -> bool | None:
        compared = day_and_night(probes, (), (), rule)
        return None if compared is None else compared.is_finding

    one = tuple(line(at, seconds=9.0 if at.day == 17 and local_hour(at) in range(8, 17) else 0.5) for at in every(30, 7))
    assert found(one) is False
    assert found(slower_by_day(9, days=2)) is None
    weekend = [each for each in slower_by_day(9) if (each.at + timedelta(hours=7)).weekday() > 4 or local_hour(each.at) in {22, 23, 0, 1}]
    assert found(weekend) is None
    closed = (Maintenance(MONDAY.isoformat(), (MONDAY + timedelta(days=9)).isoformat()),)
    assert day_and_night(slower_by_day(9), (), closed, rule) is None


def test_the_interval_holds_the_share_of_time() -> None:
    """Outages of an hour on average, one in two days; seven days, a probe in each half hour. The seed is fixed."""
    chance, held, nights = random.Random(5), 0, 60
    minutes = 7 * 24 * 60
    truth = 1 - 60 * 0.5 / (24 * 60)  # nearly: outages may overlap
    for _ in range(nights):
        starts = [chance.random() * minutes for _ in range(sum(chance.random() < 0.5 / 24 for _ in range(7 * 24)))]
        outages = [(start, start + chance.expovariate(1 / 60)) for start in starts]
        probes = tuple(
            line(MONDAY + timedelta(minutes=at), ProbeBlame.PORTAL if any(low <= at < high for low, high in outages) else ProbeBlame.NOBODY)
            for at in (30 * (number + chance.random()) for number in range(minutes // 30))
        )
        share = observe_round_the_clock(probes, (), (), ()).share
        assert share.low <= share.share <= share.high
        held += share.low <= truth <= share.high
    assert held >= 0.93 * nights


def test_equal_weights_are_the_plain_share_of_clusters() -> None:
    hits, trials = [5, 9, 0, 10], [10, 10, 10, 10]
    weighted = weighted_share([[0.5] * hit for hit in hits], [[0.5] * trial for trial in trials])
    plain = clustered_share(hits, trials)
    assert (weighted.share, weighted.effective_trials) == pytest.approx((plain.share, plain.effective_trials))
    assert weighted.low < plain.low < plain.high < weighted.high  # Student's t, of few days
    always = weighted_share([[0.1] * 7] * 5, [[0.1] * 7] * 5)
    assert (always.share, always.low, always.high) == pytest.approx((1.0, clustered_share([7] * 5, [7] * 5).low, 1.0))
    with pytest.raises(ValueError, match="at least one trial"):
        weighted_share([], [])
