"""What `harness sweep --dry-run` says of a night: rounds, length, load and permissions. Nothing is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.text import Text

from harness.catalog import Catalog
from harness.catalog.least_drain import longest_waits_s
from harness.errors import visible
from harness.evidence.reasons import Language
from harness.operations.journeys import journeys_of_folder
from harness.operations.permitted_journeys import Goals
from harness.operations.permitted_load import NeededAtMost, needed_at_most
from harness.operations.plan_summary import longer_windows, plan_in_words, terms_in_words
from harness.operations.portal_hosts import check_permitted, earliest_begin, hosts_for_dry_run
from harness.operations.provisions import check_provisions
from harness.operations.shipped import scenarios_folder
from harness.operations.sweep import SweepSpec, check_workload, plan_sweep
from harness.operations.times_usage import JourneyFactor, factors
from harness.operations.timetable import longest_make_up_s, longest_s, planned_s, projected_s
from harness.publish.terminal import TableColumn, in_languages
from harness.publish.wording import Phrase, decimal, phrase
from harness.records import Plan

_LEAST = {"board.portal": 20, "night.permission": 16}
"""Terminal cells down to which these columns do not wrap."""


@dataclass(frozen=True, slots=True)
class PlannedPortal:
    """One portal of a planned night."""

    portal: str
    hosts: tuple[str, ...]  # origins; empty where the simulator plays it
    reference: str  # of the authorisation: number and date of the document
    valid_to: datetime | None
    windows: int  # of the plan, those of lone citizens not counted
    needed: NeededAtMost

    def cells(self, languages: Sequence[Language]) -> list[Text]:
        """Its row of the table."""
        hosts, none = ", ".join(self.hosts), Text("–")
        where = in_languages(Phrase(hosts, hosts), languages[:1]) if hosts else in_languages(phrase("night.embedded"), languages)
        permission = none if self.valid_to is None else Text(f"{visible(self.reference)}\n→ {_clock(self.valid_to, languages[0])}")
        counts = (self.windows, self.needed.visits, self.needed.dossiers)
        return [Text(f"{self.portal}\n").append_text(where), permission, *(Text(str(count)) for count in counts)]


@dataclass(frozen=True, slots=True)
class PlannedNight:
    """A plan, and what it may take at most."""

    plan: Plan
    at_once: int  # portals
    begin: datetime  # when all permitted hours are open
    begins_now: bool
    prompt_s: float  # the longest that the last citizens of a round stay, where portals answer promptly
    factors: Mapping[str, JourneyFactor]  # by journey
    portals: tuple[PlannedPortal, ...]
    notes: tuple[str, ...]  # and warnings, in English

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
            "needed_at_most": {each.portal: asdict(each.needed) for each in self.portals if each.reference},
        }  # fmt: skip

    def lines(self, language: Language) -> Iterator[str]:
        """The length of the night as lines of text."""

        def words(key: str, *values: object) -> str:
            return phrase(f"night.{key}").into(language).format(*values)

        plan = self.plan
        yield words("plan", plan.sweep, len(plan.targets), self._rounds, len(plan.rounds), self.at_once)
        yield words("begin_now") if self.begins_now else words("begin", _clock(self.begin, language))
        expected = self.begin + timedelta(seconds=projected_s(plan, self.prompt_s))
        yield words("expected", _clock(expected, language), round(projected_s(plan, self.prompt_s) / 60), round(self.prompt_s))
        at_most = (round(seconds / 60) for seconds in (longest_s(plan), planned_s(plan), longest_make_up_s(plan)))
        yield words("latest", _clock(self.begin + timedelta(seconds=longest_s(plan)), language), *at_most)
        for journey, rate in ((name, each) for name, each in self.factors.items() if name in plan.journeys):
            named = phrase(f"journey.{journey}").into(language)
            yield words(
                "rate", named, decimal(rate.planned_per_s, 3, language), "–" if rate.factor is None else decimal(rate.factor, 1, language)
            )

    def table(self, languages: Sequence[Language]) -> tuple[list[TableColumn], list[list[Text]]]:
        """Each portal with its hosts, its permission, its windows, and what the whole night may need of it at most."""
        names = ("board.portal", "night.permission", "night.windows", "night.visits", "night.dossiers")
        columns = [
            TableColumn(in_languages(phrase(name), languages), is_right=at > 1, least=_LEAST.get(name, 0)) for at, name in enumerate(names)
        ]
        return columns, [each.cells(languages) for each in self.portals]

    @property
    def _rounds(self) -> int:
        return len({each.round for each in self.plan.rounds})

    @property
    def _latest_end(self) -> str:
        return _minute(self.begin + timedelta(seconds=longest_s(self.plan)))


def plan_night(spec: SweepSpec, catalog: Catalog) -> PlannedNight:
    """Plan the night of a sweep that begins as soon as all permitted hours are open.

    Sends nothing. Raises what ``run_sweep`` raises before its first request.
    """
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
        tuple(_portals(plan, catalog, goals)),
        (*hosts.notes, *longer_windows(catalog.workloads[spec.workload.id], spec.workload), *plan_in_words(plan, goals)),
    )


def _portals(plan: Plan, catalog: Catalog, goals: Goals) -> Iterator[PlannedPortal]:
    needed = needed_at_most(plan, catalog, goals)
    windows = Counter(slot.portal for each in plan.rounds if not each.alone for slot in each.slots for _ in slot.windows)
    for target in plan.targets:
        permission = catalog.authorisations.get(target.authorisation)
        yield PlannedPortal(
            target.portal, tuple(dict.fromkeys(target.origins.values())), permission.reference if permission is not None else "",
            permission.valid_to if permission is not None else None, windows[target.portal], needed[target.portal],
        )  # fmt: skip


def _clock(moment: datetime, language: Language) -> str:
    """A moment by this machine's clock, with its zone, because pages have the clock of Viet Nam."""
    return moment.astimezone().strftime("%d/%m/%Y %H:%M %Z" if language == "vi" else "%Y-%m-%d %H:%M %Z")


def _minute(moment: datetime) -> str:
    return moment.astimezone().isoformat(timespec="minutes")
