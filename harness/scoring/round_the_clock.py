"""Availability by probes and windows: each hour of the day has the same weight."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Final

from harness.catalog.criteria_set import ProbeRule
from harness.evidence.facts import Reason, RunFacts
from harness.records import LONE
from harness.records.permitted_hours import VIETNAM
from harness.records.probe_history import ProbeBlame, ProbeLine
from harness.scoring.availability import WindowAvailability
from harness.scoring.maintenance import Maintenance
from harness.scoring.scorecard import DayAndNight
from harness.scoring.windows import plain, span_of, utc_time
from harness.statistics.share import ClusteredShare, weighted_share

_NOT_COUNTED: Final = frozenset({ProbeBlame.OURS, ProbeBlame.PATH, ProbeBlame.SHARED_HOST, ProbeBlame.BLOCKED})
_FRIDAY = 4


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at a portal: a probe, or a window of load."""

    at: datetime  # when it began, in Viet Nam's time
    up: bool

    @property
    def day(self) -> date:
        """From noon to noon, as nights are named: what happens in a night is in one of them."""
        return _from_noon(self.at)


@dataclass(frozen=True, slots=True)
class Observed:
    """What probes and windows saw of one portal."""

    observations: tuple[Observation, ...]
    probes: int  # of the observations
    steps: int  # visits of the windows among them
    planned: int  # probes and windows in maintenance announced in time, which are not observations
    not_counted: int  # probes that say nothing about the portal

    @property
    def hours(self) -> int:
        """Hours of the day in which the portal was observed."""
        return len({each.at.hour for each in self.observations})

    @property
    def days(self) -> tuple[date, ...]:
        """The days on which it was observed."""
        return tuple(sorted({each.day for each in self.observations}))

    @property
    def share(self) -> ClusteredShare:
        """The share of the time of a day in which it was up: the mean over the observed hours of the share of each. Days are clusters."""
        in_hour = Counter(each.at.hour for each in self.observations)
        weights: dict[date, list[float]] = {day: [] for day in self.days}
        up: dict[date, list[float]] = {day: [] for day in self.days}
        for each in self.observations:
            weight = 1 / in_hour[each.at.hour]
            weights[each.day].append(weight)
            if each.up:
                up[each.day].append(weight)
        return weighted_share([*up.values()], [*weights.values()])


def observe_round_the_clock(
    probes: Iterable[ProbeLine], windows: Iterable[WindowAvailability], runs: Iterable[RunFacts], maintenance: Sequence[Maintenance]
) -> Observed:
    """Probes and windows of one portal, each as up or down.

    A probe during our own load is left out: the window is the observation of that moment. A probe that failed for an unknown
    reason is the portal's failure if an earlier and a later one got through; otherwise it is not counted. Maintenance
    announced in time is counted separately.
    """
    under_load = _within((began, ended + timedelta(seconds=run.timeout_s)) for run in runs for began, ended in _loads(run))
    found, planned, not_counted = [], 0, 0
    for probe, up in _judged(probes):
        if under_load(probe.at):
            continue
        if up is None:
            not_counted += probe.count
        elif _in_maintenance(probe, maintenance):
            planned += 1
        else:
            found.append(Observation(probe.at.astimezone(VIETNAM), up))
    counted = [each for each in windows if not each.planned_maintenance and each.began_utc]
    planned += sum(each.planned_maintenance for each in windows)
    of_windows = [Observation(utc_time(each.began_utc).astimezone(VIETNAM), each.up) for each in counted]
    return Observed((*found, *of_windows), len(found), sum(each.n for each in counted), planned, not_counted)


def day_and_night(
    probes: Iterable[ProbeLine], runs: Iterable[RunFacts], maintenance: Sequence[Maintenance], rule: ProbeRule
) -> DayAndNight | None:
    """How long a search takes in office hours and at night, in seconds: the median over days of each day's median. None with too few probes.

    Only probes that got through, outside our own load and announced maintenance.
    """
    under_load = _within(span for run in runs for span in _loads(run))
    by_day: dict[date, list[float]] = {}
    by_night: dict[date, list[float]] = {}
    for probe in probes:
        if probe.blame is ProbeBlame.NOBODY and not under_load(probe.at) and not _in_maintenance(probe, maintenance):
            at = probe.at.astimezone(VIETNAM)
            if rule.day[0] <= at.hour < rule.day[1] and at.weekday() <= _FRIDAY:
                by_day.setdefault(at.date(), []).append(probe.duration_s)
            elif _at_night(at.hour, rule.night):
                by_night.setdefault(_from_noon(at), []).append(probe.duration_s)
    enough = all(len(found) >= rule.days and sum(map(len, found.values())) >= rule.least for found in (by_day, by_night))
    if not enough:
        return None
    day_s, night_s = (median(median(found[day]) for day in sorted(found)) for found in (by_day, by_night))
    ratio = day_s / night_s if night_s > 0 else 1.0
    return DayAndNight(
        day_s=plain(day_s), night_s=plain(night_s), ratio=plain(ratio), limit=rule.slower, is_finding=ratio >= rule.slower,
        days=len(by_day), nights=len(by_night), probes=sum(map(len, (*by_day.values(), *by_night.values()))),
    )  # fmt: skip


def finding(found: DayAndNight | None) -> tuple[Reason, ...]:
    """The finding for the card, where a day is so much slower than the night."""
    if found is None or not found.is_finding:
        return ()
    return (Reason("slow_by_day", f"{found.day_s:.3f} s by day, {found.night_s:.3f} s at night, {found.ratio:.1f} times"),)


def _judged(probes: Iterable[ProbeLine]) -> Iterator[tuple[ProbeLine, bool | None]]:
    """Each probe in order of time, with whether the portal was up; None where the probe says nothing of it."""
    ordered = sorted(dict.fromkeys(probes), key=lambda probe: (probe.at, probe.since_anchor_s))
    through = [number for number, probe in enumerate(ordered) if probe.blame is ProbeBlame.NOBODY]
    for number, probe in enumerate(ordered):
        if probe.blame in _NOT_COUNTED:
            yield probe, None
        elif probe.blame is ProbeBlame.UNEXPLAINED:
            yield probe, False if through and through[0] < number < through[-1] else None
        else:
            yield probe, probe.blame is ProbeBlame.NOBODY


def _within(spans: Iterable[tuple[datetime, datetime]]) -> Callable[[datetime], bool]:
    """A function that tells whether a moment lies in one of the spans. They are merged and sorted, because a month has thousands of probes."""
    merged: list[tuple[datetime, datetime]] = []
    for began, ended in sorted(spans):
        if merged and began <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ended))
        else:
            merged.append((began, ended))
    begins = [began for began, _ in merged]

    def answer(moment: datetime) -> bool:
        at = bisect_right(begins, moment) - 1
        return at >= 0 and moment < merged[at][1]

    return answer


def _from_noon(at: datetime) -> date:
    return (at - timedelta(hours=12)).date()


def _loads(run: RunFacts) -> Iterator[tuple[datetime, datetime]]:
    return (span_of(window) for window in run.windows if window.stage != LONE)


def _in_maintenance(probe: ProbeLine, maintenance: Iterable[Maintenance]) -> bool:
    return any(utc_time(each.begin_utc) <= probe.at < utc_time(each.end_utc) for each in maintenance)


def _at_night(hour: int, night: tuple[int, int]) -> bool:
    begin, end = night
    return begin <= hour < end if begin < end else hour >= begin or hour < end
