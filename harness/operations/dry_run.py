"""What `harness sweep --dry-run` says of a night: rounds, length, load and permissions. Nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.catalog import Catalog
from harness.catalog.least_drain import longest_waits_s
from harness.operations.journeys import journeys_of_folder
from harness.operations.permitted_load import NeededAtMost, needed_at_most
from harness.operations.plan_summary import longer_windows, plan_in_words, terms_in_words
from harness.operations.portal_hosts import check_permitted, earliest_begin, hosts_for_dry_run
from harness.operations.provisions import check_provisions
from harness.operations.shipped import scenarios_folder
from harness.operations.sweep import SweepSpec, check_workload, plan_sweep
from harness.operations.times_usage import JourneyFactor, factors
from harness.operations.timetable import longest_make_up_s, longest_s, planned_s, projected_s
from harness.records import Plan


@dataclass(frozen=True, slots=True)
class PlannedNight:
    """A plan, and what it may take at most."""

    plan: Plan
    at_once: int  # portals
    begin: datetime  # when all permitted hours are open
    begins_now: bool
    prompt_s: float  # the longest that the last citizens of a round stay, where portals answer promptly
    factors: Mapping[str, JourneyFactor]  # by journey
    needed: Mapping[str, NeededAtMost]  # by authorised portal
    notes: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """The night as JSON."""
        plan, targets = self.plan, self.plan.targets
        return {
            "sweep": plan.sweep, "portals": len(targets), "authorised": sorted(each.portal for each in targets if each.authorisation),
            "rounds": self._rounds, "parts": len(plan.rounds), "at_most_s": round(planned_s(plan)),
            "projected_s": round(projected_s(plan, self.prompt_s)), "projected_drain_s": round(self.prompt_s, 1),
            "make_up_at_most_s": round(longest_make_up_s(plan)), "night_at_most_s": round(longest_s(plan)),
            "begin": _minute(self.begin), "latest_end": self._latest_end,
            "factors": {journey: asdict(rate) for journey, rate in self.factors.items()},
            "not_permitted": {each.portal: [asdict(one) for one in each.not_permitted] for each in targets if each.not_permitted},
            "terms": {each.portal: words for each in targets if (words := terms_in_words(each.terms))},
            "times_usage": {each.portal: {one.journey: one.times for one in each.times_usage} for each in targets},
            "needed_at_most": {portal: asdict(most) for portal, most in self.needed.items()},
        }  # fmt: skip

    def lines(self) -> Iterator[str]:
        """The night as lines of text."""
        plan, begun = self.plan, "now" if self.begins_now else f"when all permitted hours are open, at {_minute(self.begin)}"
        yield (
            f"{plan.sweep}: {len(plan.targets)} portals, {self._rounds} rounds in {len(plan.rounds)} parts,"
            f" at most {planned_s(plan) / 60:.0f} min, and at most {longest_make_up_s(plan) / 60:.0f} min of make-up windows"
        )
        yield (
            f"  with further lone walks and checks after refusals at most {longest_s(plan) / 60:.0f} min:"
            f" begun {begun}, it ends by {self._latest_end}"
        )
        yield (
            f"  projected {projected_s(plan, self.prompt_s) / 60:.0f} min, {self.at_once} portals at once, where portals answer promptly:"
            f" their last citizens are gone after the longest thinks and polls, {self.prompt_s:.0f} s"
        )
        for portal, most in self.needed.items():
            yield (
                f"  {portal}: at most {most.visits} visits, {most.requests} requests (redirects and assets not counted)"
                f" and {most.dossiers} dossiers, make-up windows included"
            )
        for note in self.notes:
            yield f"  {note}"
        for journey, rate in self.factors.items():
            yield f"  {journey}: {rate.planned_per_s:.3f} visits/s a portal ({rate})"

    @property
    def _rounds(self) -> int:
        return len({each.round for each in self.plan.rounds})

    @property
    def _latest_end(self) -> str:
        return _minute(self.begin + timedelta(seconds=longest_s(self.plan)))


def plan_night(spec: SweepSpec, catalog: Catalog) -> PlannedNight:
    """The night that a sweep would take, begun as soon as all permitted hours are open. Errors as of ``run_sweep`` before it sends anything."""
    now = datetime.now(UTC)
    check_workload(spec.workload)
    plan, hosts = plan_sweep(spec, hosts_for_dry_run(spec.portals, catalog, now), catalog)
    begin, goals = earliest_begin(plan, now), journeys_of_folder(scenarios_folder())
    check_permitted(plan, catalog, begin)
    check_provisions(plan, catalog)
    return PlannedNight(
        plan,
        spec.at_once,
        begin,
        begin == now,
        max(longest_waits_s(catalog.platforms[target.platform], spec.workload.think) for target in plan.targets),
        factors(spec.workload),
        needed_at_most(plan, catalog, goals),
        (*hosts.notes, *longer_windows(catalog.workloads[spec.workload.id], spec.workload), *plan_in_words(plan, goals)),
    )


def _minute(moment: datetime) -> str:
    return moment.astimezone().isoformat(timespec="minutes")
