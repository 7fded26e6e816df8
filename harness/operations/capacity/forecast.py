"""What a search for capacity may measure at most: what ``harness capacity --dry-run`` prints. Nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.catalog import Catalog
from harness.errors import Problem, UsageError
from harness.evidence.reasons import Language
from harness.operations.capacity.judgeable import require_judgeable
from harness.operations.capacity.search import CapacitySpec, LevelsOnHosts, expected_stay_s
from harness.operations.journeys import journeys_of_folder
from harness.operations.permitted_load import needed_at_most
from harness.operations.portal_hosts import earliest_begin, hosts_for_dry_run
from harness.operations.shipped import scenarios_folder
from harness.operations.sweep import check_workload
from harness.operations.timetable import longest_s
from harness.publish.capacity_text import search_limit_text
from harness.publish.value_text import digits_of
from harness.publish.wording import numeral, phrase, same
from harness.scoring.capacity_search import CapacityAnswer, MeasuredLevel, RateCeiling, next_level


@dataclass(frozen=True, slots=True)
class ForecastLevel:
    """A level of the ascent, and what it may bring the portal at most, lone walks included."""

    rate_per_s: float
    run_up_s: float
    hold_s: float
    longest_s: float
    visits: int
    dossiers: int


@dataclass(frozen=True, slots=True)
class CapacityForecast:
    """The levels of the ascent, if every one passes, and the most that a whole search may bring."""

    portal: str
    ceiling: RateCeiling
    most_levels: int
    ascent: tuple[ForecastLevel, ...]
    begin: datetime
    dossiers_max: int  # of the authorisation; 0: no limit

    @property
    def latest_end(self) -> datetime:
        """If every level took as long as the longest."""
        return self.begin + timedelta(seconds=self.most_levels * max(each.longest_s for each in self.ascent))

    @property
    def most_visits(self) -> int:
        """If every level had as many visits as the largest."""
        return self.most_levels * max(each.visits for each in self.ascent)

    @property
    def most_dossiers(self) -> int:
        """The same of dossiers, within the authorisation."""
        most = self.most_levels * max(each.dossiers for each in self.ascent)
        return min(most, self.dossiers_max) if self.dossiers_max else most

    def facts(self) -> dict[str, Any]:
        """The forecast as JSON."""
        return {
            "portal": self.portal, "highest_per_s": self.ceiling.per_s, "limited_by": asdict(self.ceiling.by), "most_levels": self.most_levels,
            "ascent": [asdict(each) for each in self.ascent], "begin": self.begin.isoformat(timespec="minutes"),
            "latest_end": self.latest_end.isoformat(timespec="minutes"), "visits_at_most": self.most_visits, "dossiers_at_most": self.most_dossiers,
        }  # fmt: skip

    def lines(self, language: Language) -> Iterator[str]:
        """The forecast as lines of text."""
        words = [phrase("capacity.plan").filled(str(self.most_levels))]
        for each in self.ascent:
            columns = (
                ("rate", each.rate_per_s, ""),
                ("hold", each.hold_s, " s"),
                ("plan.visits", each.visits, ""),
                ("plan.dossiers", each.dossiers, ""),
            )
            cells = [
                f"{phrase(f'capacity.{name}').into(language)} {numeral(value, digits_of(value), unit).into(language)}"
                for name, value, unit in columns
            ]
            words.append(same("  " + "; ".join(cells)))
        words.append(phrase("capacity.plan.ceiling").filled(numeral(self.ceiling.per_s, digits_of(self.ceiling.per_s))))
        if self.ceiling.by.code:
            words.append(search_limit_text(self.ceiling.by))
        end = self.latest_end.astimezone().strftime("%d/%m/%Y %H:%M %Z" if language == "vi" else "%Y-%m-%d %H:%M %Z")
        words.append(phrase("capacity.plan.most").filled(numeral(self.most_visits, 0), numeral(self.most_dossiers, 0), end))
        return (each.into(language) for each in words)


def forecast(spec: CapacitySpec, catalog: Catalog) -> CapacityForecast:
    """The levels that a search may measure. Raises UsageError where no level can be judged, or none may be measured at all."""
    now, goals = datetime.now(UTC), journeys_of_folder(scenarios_folder())
    check_workload(spec.workload)
    hosts = hosts_for_dry_run((spec.portal,), catalog, now)
    spec = spec.on(hosts)
    require_judgeable(spec.objective, spec.workload, catalog.platforms[hosts.portals[0].platform], goals)
    levels = LevelsOnHosts(spec, hosts, catalog, spec.results / "capacity")
    levels = replace(levels, stay_s=expected_stay_s(spec, hosts, catalog))
    ceiling, ascent, passed, begin = levels.ceiling(1), list[ForecastLevel](), list[MeasuredLevel](), now
    while not isinstance(step := next_level(spec.settings, passed, ceiling), CapacityAnswer) and step.purpose == "search":
        times, plan = levels.times(step.rate_per_s), levels.plan(step.rate_per_s, 1).plan
        needed, begin = needed_at_most(plan, catalog, goals)[spec.portal.id], earliest_begin(plan, now)
        ascent.append(ForecastLevel(step.rate_per_s, times.run_up_s, times.hold_s, longest_s(plan), needed.visits, needed.dossiers))
        passed.append(MeasuredLevel(step.rate_per_s))
    if not ascent:
        raise UsageError(_no_level(spec, ceiling))
    return CapacityForecast(spec.portal.id, ceiling, spec.most_levels, tuple(ascent), begin, hosts.portals[0].terms.dossiers_max)


def _no_level(spec: CapacitySpec, ceiling: RateCeiling) -> Problem:
    """Why even the smallest level that the objective can be judged by may not be sent."""
    found, smallest = (f"{numeral(rate, digits_of(rate)).en} visits/s" for rate in (ceiling.per_s, spec.settings.smallest_per_s))
    expected = f"at least {smallest}: at a lower rate a level of {spec.longest_level_s:g} s has too few visits for the objective"
    remedy = "let levels take longer by --longest-level."
    match ceiling.by.code:
        case "largest_rate":
            return Problem("command line", "--max-rate", found, expected, f"Raise it, or {remedy}")
        case "ceiling":
            key, by = "citizens in flight", f"at most {ceiling.by.detail}, which is {found}"
            return Problem(f"workload {spec.workload.id}", key, by, expected, f"Have more permitted, or {remedy}")
        case _:
            by = f"{found} ({ceiling.by.detail})"
            return Problem(f"authorisation of {spec.portal.id}", "highest rate", by, expected, f"Have more permitted, or {remedy}")
