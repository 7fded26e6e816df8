"""Probes: at intervals one citizen searches once on each portal. Each probe is a line of the portal's availability history.

    results/availability/<portal>.jsonl    as ``harness.records.probe_history`` describes it

Each interval has one turn, at a moment drawn from the seed: otherwise a job that a portal runs every five minutes would meet every
probe, or none. Intervals follow the monotonic clock, so a step of the wall clock does not move them. A turn that was missed is written
down as our fault, and is not made up for.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import gevent
from gevent.pool import Pool

from harness.catalog import Catalog, Portal, Target, authorised_target, embedded_target
from harness.catalog.criteria_set import CriteriaSet
from harness.errors import AuthorisationError, HarnessError
from harness.evidence.path_doubt import OUT_OF_REACH, hit_together
from harness.operations.measured_portal import MeasuredPortal
from harness.operations.portal_hosts import PortalHosts, find_hosts, hosts_for_dry_run, require_journeys
from harness.operations.shared_hosts import with_shared_hosts
from harness.operations.shipped import scenarios_folder
from harness.origins import is_loopback_address, locate, origin_of
from harness.profiles import CompiledPlatform, compile_platform, load_functions
from harness.records import PORTAL, LoneVisit, LoneWalk, Met, Outcome
from harness.records.probe_history import AVAILABILITY, MISSED, NOT_PERMITTED, ProbeBlame, ProbeHistory, ProbeLine, open_history
from harness.statistics.keyed import keyed_random

JOURNEY: Final = "search"
"""The journey of a probe: it files nothing and pays nothing."""
AT_ONCE: Final = 20
"""Portals that are probed at the same time (assumed: no load for one generator). If all of 84 hang for ``PATIENCE_S``, a turn takes five minutes."""
PATIENCE_S: Final = 60.0
"""For the portal's answers, and for those of shared hosts, in one probe. Assumed: the usual timeout of one request."""
LONGEST_S: Final = 2 * PATIENCE_S + 30.0
"""After this time we cut a probe off: the patience for both kinds of hosts, and 30 s for waits between polls (assumed)."""
LEAST_EVERY_S: Final = 10.0
"""The shortest interval (assumed: a citizen every ten seconds is no load yet)."""

WalkAlone = Callable[[Portal, CompiledPlatform, Target, int, Collection[str]], LoneVisit]
"""Walks the journey on a portal: its platform, its hosts, the number of the visit, and the origins of hosts that portals share."""

_TOO_MANY_REQUESTS = 429
_MAINTENANCE_PAGE = "maintenance"  # its name in scenarios/walls
_BLAME: Final = {
    Met.THROUGH: ProbeBlame.NOBODY,
    Met.PORTAL_FAILED: ProbeBlame.PORTAL,
    Met.NO_CONNECTION: ProbeBlame.PORTAL,
    Met.BLOCKED: ProbeBlame.BLOCKED,
    Met.SHARED_HOST: ProbeBlame.SHARED_HOST,
    Met.OUR_FILES: ProbeBlame.OURS,
    Met.UNEXPLAINED: ProbeBlame.UNEXPLAINED,
}


@dataclass(frozen=True, slots=True)
class ProbeClock:
    """The clocks of a prober, in seconds. The monotonic one also runs while the machine sleeps."""

    monotonic_s: Callable[[], float] = field(default=lambda: time.clock_gettime(time.CLOCK_BOOTTIME))
    utc_s: Callable[[], float] = time.time
    sleep: Callable[[float], None] = gevent.sleep


def probe(
    catalog: Catalog, portals: Sequence[Portal], *, results: Path, criteria: CriteriaSet, seed: int, every_s: float, during_s: float,
    show: Callable[[ProbeLine], None], note: Callable[[str], None], clock: ProbeClock | None = None, walk: WalkAlone | None = None,
) -> None:  # fmt: skip
    """Probe every portal once in each interval of ``every_s`` seconds, for ``during_s`` seconds or until a signal. With ``every_s`` 0, once and now.

    A portal with an authorisation is probed on its own hosts, and only while the authorisation permits it. The simulator plays all
    others. ``show`` is given each line once it is on disk. Raises AuthorisationError where nothing may be sent at all, EnvironmentFault where a history
    cannot be written or another prober has it.
    """
    clock = clock or ProbeClock()
    with ExitStack() as closing:
        histories = {portal.id: closing.enter_context(open_history(results / AVAILABILITY / f"{portal.id}.jsonl")) for portal in portals}
        _require_some_permitted(portals, catalog, _now(clock), note)
        played = [portal for portal in portals if portal.id not in catalog.authorised_portals]
        hosts = find_hosts(played, catalog, _now(clock), seed=seed, cpu=None) if played else PortalHosts((), None)
        closing.callback(hosts.stop)
        prober = _Prober(catalog, portals, hosts, criteria, histories, walk or _searching(seed), every_s, show, clock)
        try:
            for turn in due_turns(every_s, during_s, seed, clock, prober.miss):
                prober.run(turn)
        except KeyboardInterrupt:
            note("ended by a signal; what was probed is kept, and a turn that was cut off leaves no line")


def _searching(seed: int) -> WalkAlone:
    from harness.operations.walk import load_journeys, walk_alone  # noqa: PLC0415  (Locust, which it imports, patches this process)

    (journey,) = load_journeys(scenarios_folder(), (JOURNEY,))

    def walk(portal: Portal, compiled: CompiledPlatform, target: Target, number: int, shared: Collection[str]) -> LoneVisit:
        return walk_alone(portal, compiled, target, journey, seed=seed, number=number, shared=shared, patience_s=PATIENCE_S)

    return walk


def due_turns(every_s: float, during_s: float, seed: int, clock: ProbeClock, miss: Callable[[int], None]) -> Iterator[int]:
    """The number of each turn, at its moment; with ``every_s`` 0, turn 0 alone. ``miss`` is given the number of turns in a row that were missed."""
    if not every_s:
        yield 0
        return
    began_s, turn = clock.monotonic_s(), 0

    last = math.ceil(during_s / every_s) if math.isfinite(during_s) else math.inf

    def interval() -> int:
        """The number of the present interval; after the end, that of the last one plus 1."""
        return int(min((clock.monotonic_s() - began_s) // every_s, last))

    while turn < last:
        due_s = began_s + (turn + keyed_random(seed, "probe", turn, "moment").random()) * every_s
        while (left_s := due_s - clock.monotonic_s()) > 0:
            clock.sleep(min(left_s, 1.0))  # a machine that slept meanwhile is noticed
        if interval() <= turn:
            yield turn
            turn += 1
        if (missed := interval() - turn) > 0:
            miss(missed)
            turn += missed


class _Prober:
    """Probes all portals at the same time. Where nearly all of them are out of reach together, the path is to blame and no portal."""

    def __init__(
        self, catalog: Catalog, portals: Sequence[Portal], hosts: PortalHosts, criteria: CriteriaSet, histories: Mapping[str, ProbeHistory],
        walk: WalkAlone, every_s: float, show: Callable[[ProbeLine], None], clock: ProbeClock,
    ) -> None:  # fmt: skip
        self._catalog, self._portals, self._criteria, self._histories = catalog, portals, criteria, histories
        self._played = {one.portal.id: one for one in hosts.portals}
        self._walk, self._every_s, self._show, self._clock = walk, every_s, show, clock
        self._functions = load_functions(*catalog.folders)
        self._compiled: dict[str, CompiledPlatform] = {}
        self._anchor_utc_s, self._anchor_s = clock.utc_s(), clock.monotonic_s()
        self._places: dict[str, set[str]] = {}  # by portal: where its hosts were when they were last found

    def run(self, turn: int) -> None:
        """Probe each portal once, and write all lines at the end: only then is it known whether the path is to blame."""
        pool = Pool(AT_ONCE)
        try:
            lines: list[ProbeLine] = pool.map(lambda portal: self._probe(portal, turn), self._portals)
        except KeyboardInterrupt:
            pool.kill(block=False)
            raise
        for line in self._without_path(lines):
            self._show(self._histories[line.portal].add(line))

    def miss(self, count: int) -> None:
        """Write that turns were missed."""
        for portal in self._portals:
            self._show(self._histories[portal.id].add(self._line(portal, MISSED, ProbeBlame.OURS, count=count)))

    def _probe(self, portal: Portal, turn: int) -> ProbeLine:
        try:
            one, target = self._permitted(portal)
            compiled = self._compile(target.platform)
        except HarnessError as error:
            outcome = NOT_PERMITTED if isinstance(error, AuthorisationError) else Outcome.DROPPED
            return self._line(portal, outcome, ProbeBlame.OURS, rule=str(error))
        begun = self._line(portal, Outcome.ABORTED, ProbeBlame.OURS)
        walking = gevent.spawn(self._walk, portal, compiled, target, turn, one.shared_hosts or ())
        walking.join(timeout=LONGEST_S)
        walking.kill()
        host = origin_of(one.origins[PORTAL])
        if not isinstance(walking.value, LoneVisit):
            rule = str(walking.exception or f"cut off after {LONGEST_S:g} s")
            return replace(begun, host=host, authorisation=one.authorisation, rule=rule)
        visit = walking.value
        literal = locate(host)[0]
        addresses = visit.addresses or ((literal.name,) if literal is not None and literal.address is not None else ())
        found = {address for address in visit.addresses if not is_loopback_address(address)}
        self._places[portal.id] = (found or self._places.get(portal.id, set())) | ({one.hosting_group} if one.hosting_group else set())
        return replace(
            begun, outcome=str(visit.walk.outcome), blame=blame_of(visit.walk, visit.means), duration_s=round(visit.duration_s, 6),
            requests=visit.requests, goal=visit.walk.goal, step=visit.walk.step, rule=visit.walk.rule, status=visit.walk.status, host=host,
            addresses=addresses, authorisation=one.authorisation,
        )  # fmt: skip

    def _permitted(self, portal: Portal) -> tuple[MeasuredPortal, Target]:
        """The portal's hosts as they may be sent to now; AuthorisationError where they may not."""
        now, one = _now(self._clock), self._played.get(portal.id)
        if one is None:
            one = hosts_for_dry_run((portal,), self._catalog, now).portals[0]
            target = authorised_target(portal, list(self._catalog.authorisations.values()), now)
            require_journeys(one.authorisation, (JOURNEY,), one.not_permitted)
        else:
            target = embedded_target(portal, one.origins)
        one = with_shared_hosts(PortalHosts((one,), None), self._catalog, self._criteria).portals[0]
        return one, target if one.shared_hosts is None else target.sharing(one.shared_hosts)

    def _compile(self, platform: str) -> CompiledPlatform:
        if platform not in self._compiled:
            self._compiled[platform] = compile_platform(self._catalog.platforms[platform], self._functions)
        return self._compiled[platform]

    def _line(self, portal: Portal, outcome: str, blame: ProbeBlame, *, rule: str = "", count: int = 1) -> ProbeLine:
        utc_s, since_s = self._clock.utc_s(), self._clock.monotonic_s() - self._anchor_s
        return ProbeLine(
            portal.id, JOURNEY, _utc(utc_s), _utc(self._anchor_utc_s), round(since_s, 3), round(utc_s - self._anchor_utc_s - since_s, 3),
            str(outcome), blame, self._every_s, rule=rule, count=count,
        )  # fmt: skip

    def _without_path(self, lines: Sequence[ProbeLine]) -> Iterator[ProbeLine]:
        """The lines. If nearly all portals were out of reach together, the path is blamed for those that were."""
        limits = None if self._criteria.path_doubt is None else self._criteria.path_doubt.limits
        hit = {line.portal: _out_of_reach(line) for line in lines if line.blame is not ProbeBlame.OURS and self._says_something(line)}
        ours = limits is not None and hit_together(hit, self._places, limits)
        for line in lines:
            yield replace(line, blame=ProbeBlame.PATH) if ours and _out_of_reach(line) else line

    def _says_something(self, line: ProbeLine) -> bool:
        """Whether the portal was in reach at its last probe, or is now: a portal that stays down says nothing about the path."""
        last = self._histories[line.portal].last
        return last is None or not _out_of_reach(last) or not _out_of_reach(line)


def blame_of(walk: LoneWalk, means: str) -> ProbeBlame:
    """Whose fault it is that a probe did not get through. ``means``: the name that the wall or the profile gives the failure."""
    if walk.outcome == Outcome.ABORTED:
        return ProbeBlame.OURS
    blame = _BLAME[walk.met]
    if blame is ProbeBlame.BLOCKED and means == _MAINTENANCE_PAGE:
        return ProbeBlame.MAINTENANCE
    if blame is ProbeBlame.UNEXPLAINED and walk.status == _TOO_MANY_REQUESTS:
        return ProbeBlame.BLOCKED
    return blame


def _out_of_reach(line: ProbeLine) -> bool:
    return line.blame is ProbeBlame.PORTAL and line.outcome in OUT_OF_REACH and not line.status


def _require_some_permitted(portals: Sequence[Portal], catalog: Catalog, now: datetime, note: Callable[[str], None]) -> None:
    refused: list[HarnessError] = []
    for portal in portals:
        try:
            hosts_for_dry_run((portal,), catalog, now)
        except AuthorisationError as error:
            refused.append(error)
            note(f"WARNING: {portal.id} may not be sent to now: {error}")
    if refused and len(refused) == len(portals):
        raise AuthorisationError(*(problem for error in refused for problem in error.problems))


def _now(clock: ProbeClock) -> datetime:
    return datetime.fromtimestamp(clock.utc_s(), UTC)


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
