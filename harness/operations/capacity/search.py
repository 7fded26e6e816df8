"""The search for a portal's capacity: one level after the other, until the state machine has an answer."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.catalog import Catalog, Portal
from harness.catalog.criteria_set import CriteriaSet
from harness.catalog.workload import Workload
from harness.errors import AuthorisationError, MeasurementError
from harness.evidence import SweepFolder
from harness.operations.capacity.held_level import RESERVE, LevelPlan, LevelTimes, journey_shares, level_times, measure_level, plan_level
from harness.operations.dossiers.night_count import filed_dossiers
from harness.operations.embedded import separate_processors
from harness.operations.journeys import journeys_of_folder
from harness.operations.journeys_without_goal import absent_in_words
from harness.operations.permitted_load import mean_thinks_s
from harness.operations.portal_hosts import PortalHosts, find_hosts
from harness.operations.selection import select_criteria
from harness.operations.shipped import DEFAULT_CRITERIA, scenarios_folder
from harness.operations.sweep import SweepSpec, check_workload
from harness.operations.sweep_plan import sweep_id
from harness.publish.capacity_file import CapacityReport, LevelRecord, write_capacity
from harness.publish.capacity_page import write_capacity_page
from harness.records import NotPermitted
from harness.scoring.capacity_search import CapacityAnswer, RateCeiling, SearchLimit, SearchSettings, answer_so_far, next_level
from harness.statistics.objective import Objective

_APART = 2.0**-7
"""The largest permitted rate is found to this share of it (assumed: it is below 1 %, and the interval of an answer is at least 2 % wide)."""


@dataclass(frozen=True, slots=True)
class CapacitySpec:
    """What a search is asked."""

    portal: Portal
    workload: Workload
    objective: Objective
    seed: int
    results: Path
    start_per_s: float
    resolution: float
    most_levels: int
    longest_level_s: float
    largest_per_s: float
    workers: int = 1
    vantage_point: str = ""

    def on(self, hosts: PortalHosts) -> CapacitySpec:
        """The search without the journeys that the portal's profile has no goal for: the others come at the whole rate."""
        absent = {each.journey for each in hosts.portals[0].absent_goals}
        return replace(self, workload=self.workload.without(absent))

    @property
    def settings(self) -> SearchSettings:
        """Those of the state machine. A level at the smallest rate takes as long as a level may."""
        rarest = min(journey_shares(self.workload).values())
        smallest = RESERVE * self.objective.least_values / (rarest * self.longest_level_s)
        return SearchSettings(max(self.start_per_s, smallest), smallest, self.resolution, self.most_levels)

    def sweep(self, folder: Path, seed: int) -> SweepSpec:
        """A level as a sweep in the folder of the search."""
        return SweepSpec(
            self.portal.id, (self.portal,), self.workload, seed, folder, self.workers, at_once=1, vantage_point=self.vantage_point
        )


@dataclass(frozen=True, slots=True)
class LevelsOnHosts:
    """What levels are planned with: the search, the portal's hosts, and what is known of a visit's stay."""

    spec: CapacitySpec
    hosts: PortalHosts
    catalog: Catalog
    folder: Path
    filed: int = 0  # dossiers by the levels before
    stay_s: float = 0.0
    visits_a_value: float = 1.0  # where a level had too few steps: as many visits as one of them takes

    def times(self, rate_per_s: float) -> LevelTimes:
        """How long a level is held; for its steps no longer than a level may be."""
        spec = self.spec
        visits = min(self.visits_a_value, max(1.0, rate_per_s / spec.settings.smallest_per_s))
        return level_times(spec.workload, spec.objective, rate_per_s, self.stay_s, visits)

    def plan(self, rate_per_s: float, number: int) -> LevelPlan:
        """The plan of a level. Each has a seed of its own: a level that is measured again meets other arrivals."""
        spec = self.spec.sweep(self.folder, self.spec.seed * 1000 + number)
        return plan_level(
            spec, self.spec.workload, rate_per_s, self.times(rate_per_s), self._with_dossiers_left(), self.catalog, f"level-{number:02d}"
        )

    def ceiling(self, number: int) -> RateCeiling:
        """The highest rate that may be sent next, by the option, the citizens in flight and the authorisation."""
        spec, one = self.spec, self.hosts.portals[0]
        found = [RateCeiling(spec.largest_per_s, SearchLimit("largest_rate"))]
        citizens = min(each for each in (spec.workload.in_flight_ceiling, one.in_flight_ceiling) if each)
        if self.stay_s:
            found.append(RateCeiling(_with_room(citizens) / self.stay_s, SearchLimit("ceiling", str(citizens))))
        lowest = min(found, key=lambda each: each.per_s)
        return self._permitted(lowest, number) if one.authorisation else lowest

    def _permitted(self, ceiling: RateCeiling, number: int) -> RateCeiling:
        """The highest rate up to a ceiling that the authorisation covers whole."""
        if self._left_of_dossiers() == 0:
            most = self.hosts.portals[0].terms.dossiers_max
            spent = NotPermitted("dossiers_max", most, most + 1, stage="typical")
            return RateCeiling(0.0, SearchLimit("authorisation", spent.in_words))
        safety = self.hosts.portals[0].safety
        low, high = 0.0, 2 * min(ceiling.per_s, safety.requests_per_s)  # a visit has one request or more
        lacking = self.plan(high, number).not_permitted
        if not lacking:
            return ceiling
        while high - low > _APART * high and high > self.spec.settings.smallest_per_s / 2:
            middle = (low + high) / 2
            if more := self.plan(middle, number).not_permitted:
                high, lacking = middle, more
            else:
                low = middle
        found = RateCeiling(_with_room(low * safety.span_s) / safety.span_s, SearchLimit("authorisation", lacking[0].in_words))
        return min(found, ceiling, key=lambda each: each.per_s)

    def _left_of_dossiers(self) -> int | None:
        """Dossiers that the levels to come may file; None without such a limit."""
        most = self.hosts.portals[0].terms.dossiers_max
        return max(0, most - self.filed) if most else None

    def _with_dossiers_left(self) -> PortalHosts:
        """The hosts with what the levels before have left of the dossiers of a sweep: the search is one."""
        left, one = self._left_of_dossiers(), self.hosts.portals[0]
        if left is None:
            return self.hosts
        return replace(self.hosts, portals=(replace(one, terms=replace(one.terms, dossiers_max=max(1, left))),))


def _with_room(most: float) -> float:
    """The mean of a Poisson number that leaves three standard deviations free below ``most``."""
    return ((math.sqrt(9 + 4 * most) - 3) / 2) ** 2


def expected_stay_s(spec: CapacitySpec, hosts: PortalHosts, catalog: Catalog) -> float:
    """How long a visit stays by its thinks alone, in the mean over the journeys; answers come on top once they were measured."""
    goals, platform = journeys_of_folder(scenarios_folder()), catalog.platforms[hosts.portals[0].platform]
    return sum(share * mean_thinks_s(platform, goals[name], spec.workload) for name, share in journey_shares(spec.workload).items())


def run_capacity(
    spec: CapacitySpec, catalog: Catalog, progress: Callable[[str], None], *, during: Callable[[SweepFolder, int], None] | None = None
) -> tuple[Path, CapacityReport]:
    """Search for a portal's capacity on authorised hosts or an embedded portal, which stays up from the first level to the last.

    Answers the folder of the search and its report. Raises MeasurementError where a level could not be measured; the levels before stay.
    """
    check_workload(spec.workload)
    criteria = select_criteria(catalog, DEFAULT_CRITERIA)
    folder = spec.results / sweep_id(f"capacity-{spec.portal.id}", spec.seed, spec.results)
    hosts = find_hosts(
        (spec.portal,), catalog, datetime.now(UTC), seed=spec.seed, cpu=separate_processors()[1], vantage_point=spec.vantage_point
    )
    try:
        absent = [each for each in hosts.portals[0].absent_goals if each.journey in spec.workload.journeys]
        spec = spec.on(hosts)
        for note in (*hosts.notes, *absent_in_words(spec.portal.id, absent)):
            progress(note)
        folder.mkdir(parents=True)
        progress(f"evidence goes to {folder}")
        levels = LevelsOnHosts(spec, replace(hosts, embedded=None), catalog, folder, stay_s=expected_stay_s(spec, hosts, catalog))
        report = _first_report(spec, folder, levels)
        write_capacity(folder, report)
        try:
            for latest in _reports(levels, report, criteria, progress, during):
                report = latest
                write_capacity(folder, report)
                write_capacity_page(folder, report)
        except BaseException:
            write_capacity(folder, replace(report, ended="aborted"))
            raise
    finally:
        hosts.stop()
        if folder.is_dir() and not any(folder.glob("level-*")):
            shutil.rmtree(folder, ignore_errors=True)  # nothing was begun
            with suppress(OSError):
                spec.results.rmdir()  # it stays where something else is in it
    return folder, report


def _first_report(spec: CapacitySpec, folder: Path, levels: LevelsOnHosts) -> CapacityReport:
    return CapacityReport(
        folder.name, spec.portal.id, spec.portal.name_vi, spec.portal.name_en, str(spec.objective), spec.workload.id,
        journey_shares(spec.workload), spec.workload.shortened, spec.seed, spec.settings, levels.ceiling(1),
    )  # fmt: skip


def _reports(
    levels: LevelsOnHosts, report: CapacityReport, criteria: CriteriaSet, progress: Callable[[str], None],
    during: Callable[[SweepFolder, int], None] | None,
) -> Iterator[CapacityReport]:  # fmt: skip
    """The report after each level; the last one has the answer."""
    spec = levels.spec
    while True:
        number = len(report.levels) + 1
        report = replace(report, ceiling=levels.ceiling(number))
        step = next_level(report.settings, [each.measured for each in report.levels], report.ceiling)
        if isinstance(step, CapacityAnswer):
            yield replace(report, answer=step, ended="ended")
            return
        times = levels.times(step.rate_per_s)
        progress(f"level {number}: {step.rate_per_s:g} visits/s for {times.hold_s:g} s after {times.run_up_s:g} s ({step.purpose})")
        planned = levels.plan(step.rate_per_s, number)
        if planned.not_permitted:
            words = "; ".join(each.in_words for each in planned.not_permitted)
            raise MeasurementError(f"{levels.folder}: level {number}: {words}")
        try:
            record = measure_level(planned, step, times, levels.catalog, criteria, spec.objective, _quiet, during)
        except AuthorisationError as error:  # hours that end, not more
            if not report.levels:
                raise
            progress(str(error))
            measured = [each.measured for each in report.levels]
            answer = answer_so_far(report.settings, measured, report.ceiling, SearchLimit("permission_ended"))
            yield replace(report, answer=answer, ended="ended")
            return
        progress(f"level {number}: {_in_words(record)}")
        report = replace(report, levels=(*report.levels, record))
        filed = sum(filed_dossiers(SweepFolder(levels.folder / each.folder)).total() for each in report.levels)
        visits = record.needed_s * record.rate_per_s / (spec.longest_level_s * spec.settings.smallest_per_s)
        levels = replace(
            levels, filed=filed, stay_s=_known_stay_s(levels.stay_s, record), visits_a_value=max(levels.visits_a_value, visits)
        )
        yield report


def _known_stay_s(before_s: float, record: LevelRecord) -> float:
    """What the next level is planned with: the stay of a level that passes, or that was held too briefly for its stay."""
    if record.in_flight is None or record.missed:
        return before_s
    return record.in_flight.stay_s


def _in_words(record: LevelRecord) -> str:
    if record.void:
        return f"void, our fault: {record.void}"
    if record.stopped:
        return f"stopped for the portal's sake: {record.stopped}"
    if record.missed:
        return "missed " + "; ".join(f"{each.limit} at {each.step or each.journey}" for each in record.missed)
    return "met the objective"


def _quiet(_line: str) -> None:
    """Locust's own progress: a level says one line when it begins, and one when it has ended."""
