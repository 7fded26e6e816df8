"""One citizen walks every journey of a portal, each step shown, until the first failure."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import gevent
from gevent.event import Event
from gevent.pool import Pool

from harness.catalog import Catalog, Portal, Target
from harness.catalog.platform import Platform
from harness.client import LeanSession, PhaseTimeouts, Resolver
from harness.errors import CatalogError, Problem, UsageError, did_you_mean
from harness.load.citizen import Citizen
from harness.operations.journeys import scenario_source
from harness.operations.measured_portal import MeasuredPortal
from harness.operations.permitted_journeys import why
from harness.operations.portal_hosts import find_hosts, target_of_plan
from harness.operations.provisions import missing_values
from harness.operations.shown_steps import ShownSteps
from harness.pages.media import media_type
from harness.profiles import CompiledPlatform, compile_platform, load_functions
from harness.records import VISIT_ROW, LoneVisit, LoneWalk, Outcome, Sample
from harness.visits import Receipt, Seen, StepFailed, Visit, blank_page
from harness.visits.blanking import blank_body
from harness.visits.credentials import by_kind
from harness.visits.patience import Patience

PORTALS_AT_ONCE = 10  # each is walked by one citizen at a time
RUN = "walk"
Show = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class JourneyResult:
    """How one journey on one portal ended."""

    journey: str
    outcome: Outcome
    requests: int
    duration_s: float
    step: str = ""  # where it failed
    detail: str = ""
    means: str = ""


@dataclass(frozen=True, slots=True)
class WalkResult:
    """How all journeys on one portal ended, and what could not be withdrawn."""

    portal: str
    name_vi: str
    platform: str
    journeys: tuple[JourneyResult, ...]
    not_withdrawn: tuple[str, ...]
    withdraws: bool  # whether the platform can withdraw at all

    @property
    def ok(self) -> bool:
        """Whether any journey was walked, all ended well, and all that can be withdrawn was."""
        withdrawn = not (self.withdraws and self.not_withdrawn)
        return bool(self.journeys) and withdrawn and all(journey.outcome is Outcome.OK for journey in self.journeys)

    def line(self) -> str:
        """The portal on one line."""
        marks = "  ".join(
            f"✓ {item.journey}"
            if item.outcome is Outcome.OK
            else f"✗ {item.journey} {item.outcome} at {item.step}: {item.means or item.detail}"
            for item in self.journeys
        )
        seconds = sum(item.duration_s for item in self.journeys)
        if self.withdraws and self.not_withdrawn:
            marks += f"  not withdrawn: {', '.join(self.not_withdrawn)}"
        marks = marks or "nothing was walked"
        return f"{self.portal:40} {self.platform:14} {sum(item.requests for item in self.journeys):4} requests {seconds:6.1f} s  {marks}"


def walk(
    catalog: Catalog,
    portals: Sequence[Portal],
    journeys: Sequence[type[Citizen]],
    *,
    show: Show,
    one_line: bool = False,
    verbose: bool = False,
    save_pages: Path | None = None,
    seed: int = 1,
) -> tuple[WalkResult, ...]:
    """Walk every journey on every portal, and withdraw the dossiers that were filed.

    A portal for which the catalog holds an authorisation is walked on its own hosts, without the journeys that it
    does not permit; the simulator plays all others. Journeys are left out, too, if the profile declares absent what they are for.
    Each portal stops at its first failure. One line is shown for each portal with ``one_line``, else for each step, and with
    ``verbose`` for each request. Raises AuthorisationError, CatalogError, UsageError.
    """
    functions = load_functions(*catalog.folders)
    if save_pages is not None:
        save_pages.mkdir(parents=True, exist_ok=True)
    with ExitStack() as closing:
        goals = {journey.journey(): journey.goals for journey in journeys}
        hosts = find_hosts(portals, catalog, datetime.now(UTC), seed=seed, cpu=None, goals=goals)
        closing.callback(hosts.stop)
        compiled = {name: compile_platform(_platform(catalog, name), functions) for name in {one.platform for one in hosts.portals}}
        if any("file" in reached for reached in goals.values()):  # known before anything is filed that could not be withdrawn
            targets = [target_of_plan(catalog, one.portal.id, one.origins, one.authorisation) for one in hosts.portals]
            if missing := [problem for target in targets for problem in missing_values(compiled[target.platform], target)]:
                raise CatalogError(*dict.fromkeys(missing))

        def walk_portal(one: MeasuredPortal) -> WalkResult:
            target = target_of_plan(catalog, one.portal.id, one.origins, one.authorisation)  # asked anew: a set takes a while
            walker = _Walker(
                one.portal, compiled[target.platform], target, seed=seed, save_pages=save_pages,
                show=(lambda _line: None) if one_line else show, verbose=verbose,
            )  # fmt: skip
            left_out = {each.journey: why(each.limit) for each in one.not_permitted if each.journey}
            left_out |= {each.journey: f"the profile declares {each.goal} absent" for each in one.absent_goals}
            return walker.walk(journeys, left_out)

        results = []
        for result in Pool(PORTALS_AT_ONCE).imap(walk_portal, hosts.portals) if one_line else map(walk_portal, hosts.portals):
            if one_line:
                show(result.line())
            results.append(result)
        return tuple(results)


def walk_alone(
    portal: Portal, compiled: CompiledPlatform, target: Target, journey: type[Citizen], *, seed: int, number: int, shared: Collection[str],
    patience_s: float,
) -> LoneVisit:  # fmt: skip
    """Walk one journey that files nothing, without think times, as visit ``number``. ``shared``: origins of hosts that portals share.

    The portal's answers, and those of shared hosts, may each take ``patience_s`` in all. If the greenlet is killed meanwhile, the
    visit is returned as aborted.
    """
    walker = _Walker(portal, compiled, target, seed=seed, save_pages=None, show=lambda _line: None, patience_s=patience_s)
    return walker.walk_alone(journey, number, shared)


def load_journeys(folder: Path, names: Sequence[str] = ()) -> tuple[type[Citizen], ...]:
    """The journeys of a scenarios folder, those of ``names`` or all, by name; raises UsageError for one that is not there."""
    found: dict[str, type[Citizen]] = {}
    sys.path.insert(0, str(folder))
    try:
        for path in sorted(folder.glob("*.py")):
            if path.name.startswith("_"):
                continue
            scenario_source(path)  # an import would wait for the other end of a FIFO
            spec = importlib.util.spec_from_file_location(f"scenario_{path.stem}", path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            for item in vars(module).values():
                if isinstance(item, type) and issubclass(item, Citizen) and item.goals and item.__module__ == module.__name__:
                    found[item.journey()] = item
    finally:
        sys.path.remove(str(folder))
    unknown = [name for name in names if name not in found]
    if unknown:
        expected = f"one of {', '.join(sorted(found))}"
        raise UsageError(
            *(
                Problem("command line", "--journey", name, expected, f"{did_you_mean(name, found)}Name a journey of scenarios/.")
                for name in unknown
            )
        )
    return (
        tuple(found[name] for name in names) if names else tuple(sorted(found.values(), key=lambda item: (len(item.goals), item.journey())))
    )


def _platform(catalog: Catalog, name: str) -> Platform:
    if name not in catalog.platforms:
        known = ", ".join(sorted(catalog.platforms))
        raise UsageError(
            Problem(
                "command line",
                "platform",
                name,
                f"one with a profile: {known}",
                f"{did_you_mean(name, catalog.platforms)}Write platforms/<name>.yaml.",
            )
        )
    return catalog.platforms[name]


class _Walker:
    """Walks the journeys of one portal. For its citizen it takes the place of a ``PortalLoad``; ``say`` shows a line."""

    run = RUN

    def __init__(
        self,
        portal: Portal,
        compiled: CompiledPlatform,
        target: Target,
        *,
        seed: int,
        save_pages: Path | None,
        show: Show,
        verbose: bool = False,
        patience_s: float = 0.0,
    ) -> None:
        self.portal = portal
        self.compiled = compiled
        self.target = target
        self.seed = seed
        self.save_pages = save_pages
        self.cutting = Event()  # never set: nobody cuts a walk short
        self._show = show
        self._steps = ShownSteps(self.say, verbose=verbose)
        self._patience_s = patience_s  # 0: each request has its own timeout only
        self._visit: Visit | None = None
        self._rows: list[Sample] = []
        self._pages = 0
        self._journey = ""
        self._resolver = Resolver()

    def say(self, line: str) -> None:
        """Show a line without secrets of the visit, and without credentials of any kind."""
        self._show(self._blanked(line))

    def _blanked(self, text: str) -> str:
        return by_kind(text) if self._visit is None else blank_page(self._visit.state, text)

    def walk(self, journeys: Sequence[type[Citizen]], left_out: Mapping[str, str]) -> WalkResult:
        """Walk every journey but those ``left_out``, each with the reason, until the first that fails; withdraw what each has filed."""
        permission = self.target.authorisation
        where = f"at {self.target.origins['portal']}, authorised by {permission.reference}" if permission else "on the simulator"
        self.say(f"{self.portal.id}  {self.portal.name_vi}  ({self.compiled.id}, {where})")
        results: list[JourneyResult] = []
        left: list[str] = []
        withdraws = not self.compiled.lacks("withdraw")
        for number, journey in enumerate(journeys):
            if reason := left_out.get(journey.journey()):
                self.say(f"  {journey.journey()}: left out, since {reason}")
                continue
            result, visit = self._journey_of(journey, number)
            results.append(result)
            left.extend(self._withdraw(visit))
            if result.outcome is not Outcome.OK or (left and withdraws):
                break
        return WalkResult(self.portal.id, self.portal.name_vi, self.compiled.id, tuple(results), tuple(left), withdraws)

    def walk_alone(self, journey: type[Citizen], number: int, shared: Collection[str]) -> LoneVisit:
        """Walk one journey, as ``walk_alone`` outside does."""
        result, visit = self._journey_of(journey, number)
        walk = LoneWalk(self.portal.id, result.journey, result.outcome)
        rows = [row for row in self._rows if row.request != VISIT_ROW]
        last = next((row for row in rows if row.outcome not in {Outcome.OK, Outcome.SKIPPED} and row.outcome == result.outcome), None)
        if last is not None:
            shared_host = last.host if last.host in shared else ""
            walk = replace(walk, goal=last.goal, step=last.step, status=last.status, owner=last.host_owner, host=shared_host)
        if (failure := visit.state.failure) is not None:
            walk = replace(walk, goal=failure.goal, step=failure.step, rule=self._blanked(failure.rule or failure.detail))
        duration_us = sum(row.end_us - row.start_us for row in rows if row.start_us)
        addresses = sorted({address for found in self._resolver.addresses.values() for address in found})
        return LoneVisit(walk, result.means, result.requests, duration_us / 1e6, tuple(addresses))

    def _journey_of(self, journey: type[Citizen], number: int) -> tuple[JourneyResult, Visit]:
        name = journey.journey()
        lacks = tuple(goal for goal in journey.goals if self.compiled.lacks(goal))
        self.say(f"  {name}: {', '.join(journey.goals)}" + (f"  (absent here: {', '.join(lacks)})" if lacks else ""))
        self._rows.clear()
        self._journey = name
        citizen = journey.__new__(journey)  # a Locust User without its Locust
        began_s = monotonic()
        outcome = citizen.prepare(self, number, 0, 0).walk_once(journey.body())  # type: ignore[arg-type]
        duration_s = monotonic() - began_s
        visit = self._visit
        assert visit is not None
        requests = sum(row.request != VISIT_ROW and row.start_us > 0 for row in self._rows)
        failure = visit.state.failure
        if failure is not None:
            self._steps.fail(failure)
            return JourneyResult(name, outcome, requests, duration_s, failure.step, self._blanked(failure.detail), failure.means), visit
        self._steps.end()
        return JourneyResult(name, outcome, requests, duration_s), visit

    def visit(self, journey: str, goals: tuple[str, ...], number: int, _window: int, intended_us: int) -> Visit:
        """The visit of a journey, without think times."""
        timeouts = PhaseTimeouts(total_s=self._patience_s) if self._patience_s else PhaseTimeouts()
        self._visit = Visit(
            self.compiled,
            self.target,
            journey=journey,
            goals=goals,
            visit=number,
            seed=self.seed,
            run=RUN,
            session_factory=lambda: LeanSession(self.target, self._resolver, timeouts=timeouts),
            record=self._rows.append,
            intended_us=intended_us,
            think=lambda _name: 0.0,
            sleep=gevent.sleep,
            observer=self,
            alone=True,
            patience=Patience(self._patience_s, timeouts) if self._patience_s else None,
        )
        return self._visit

    def may_file(self) -> bool:
        return True

    def enter(self) -> None:
        return

    def leave(self, visit: Visit) -> None:
        return

    def _withdraw(self, visit: Visit) -> Iterator[str]:
        """Withdraw the dossiers of a visit; yields the codes of those that could not be."""
        filed = [receipt for receipt in visit.state.receipts if receipt["kind"] == "dossier"]
        for receipt in filed:
            if reason := self._why_not_withdrawn(visit, receipt):
                self.say(f"    {receipt['code']} could not be withdrawn: {reason}")
                yield receipt["code"]

    def _why_not_withdrawn(self, visit: Visit, receipt: Receipt) -> str:
        """Withdraw one dossier. Answers why it could not be; empty where it was."""
        if self.compiled.lacks("withdraw"):
            return f"the profile has no withdrawal (absent: {self.compiled.absent['withdraw']})"
        try:
            visit.perform("withdraw", receipt=receipt["code"])
        except StepFailed as failure:
            self._steps.fail(failure)
            return f"{failure.goal}/{failure.step}: {failure.outcome}: {failure.detail}"
        finally:
            visit.close()
        self._steps.end()
        return ""

    def seen(self, request: Seen) -> None:
        """Show a request, and keep its page."""
        self._steps.seen(request)
        if self.save_pages is not None:
            self._save(request)

    def _save(self, request: Seen) -> None:
        assert self.save_pages is not None
        self._pages += 1
        kind = media_type(request.exchange.headers).essence.rpartition("/")[2]
        kind = kind if re.fullmatch(r"[a-z]{2,5}", kind) else "bin"
        name = f"{self.portal.id}-{self._pages:03d}-{self._journey}-{request.step}-{request.request}-{request.hop}.{kind}"
        path = self.save_pages / name
        part = path.with_suffix(".part")
        assert self._visit is not None
        part.write_bytes(blank_body(self._visit.state, request.exchange.body))
        part.rename(path)
