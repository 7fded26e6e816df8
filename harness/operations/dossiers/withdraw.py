"""Withdraws the dossiers of a sweep after its end, each by the citizen who filed it."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import gevent
import httpx
from gevent.pool import Pool

from harness.catalog import Catalog, Target
from harness.catalog.gate import refusal
from harness.client import PhaseTimeouts, Resolver
from harness.errors import HarnessError, Problem, UsageError
from harness.evidence import SweepFolder
from harness.evidence.filed_dossiers import NEVER_TRIED, NO_WITHDRAWAL, WITHDRAWALS, FiledDossier, FiledDossiers, read_filed_dossiers
from harness.load.serials import Serials
from harness.operations.addenda import enter_addenda
from harness.operations.dossiers.operators_list import write_outcomes
from harness.operations.dossiers.request_rate import RateLimitedSession, RequestRate
from harness.operations.portal_hosts import target_of_plan
from harness.origins import is_loopback
from harness.profiles import CompiledPlatform, compile_platform, load_functions
from harness.profiles.template import Function
from harness.records import Outcome, Plan, PlannedTarget, RoundRecord, read_plan
from harness.records.sweep_journal import last_attempt
from harness.visits import StepFailed, Visit

PORTALS_AT_ONCE = 6
CITIZENS_AT_ONCE = 8
"""Citizens who withdraw at the same time at one embedded portal."""
SHARE_OF_LIMITS = 0.5
"""The share of an authorisation's citizens and requests that a withdrawal uses."""
GIVE_UP_AFTER = 10
"""Failures in a row after which no more dossiers of a portal are tried."""
TRIES_OF_OVERLOADED = 4
"""How often one dossier is tried where the portal answers 429 or 503, with a rest before each further try (assumed: `harness withdraw` tries later again)."""
SAVED_EVERY_S = 10.0
SHOWN = 20
"""Lines of the list that are printed; the file has all of them."""
NOT_UP = "the sweep's embedded portals are no longer up: they end with the command that started them; `harness resume` brings them back"

_RETRIED = frozenset({Outcome.TIMEOUT, Outcome.CONNECT, Outcome.RESET, Outcome.PROTOCOL, Outcome.NOT_SERVED, Outcome.HTTP_ERROR})
_AT_ONCE: Mapping[str, Any] = {"distribution": "constant", "median_ms": 0, "servers": 0}


def withdraw(folder: SweepFolder, catalog: Catalog, progress: Callable[[str], None]) -> FiledDossiers:
    """Withdraw the dossiers of the ledger that are still there, and write down the outcome of each.

    Requests go to loopback, or to hosts that an authorisation of the catalog covers at that moment, at no more than half of its
    limits; no row of them enters the evidence. Ctrl-C ends it; what was done until then is kept, and a later call does the rest.
    """
    record = read_filed_dossiers(folder)
    left = record.not_withdrawn()
    if record.lines_left_out:
        progress(f"{folder.ledger}: the last line was cut off by a crash and is left out")
    plan = read_plan(folder.plan)
    attempt = last_attempt(folder.journal)
    if attempt is not None and attempt.attempt > 1 and (unseen := _unseen(plan, record)) is not None:
        record.unseen = unseen
    if not record.filed and not record.unseen:
        return record
    if left or record.unseen:
        try:
            _Withdrawing(record, plan, catalog, progress, folder.rounds()).carry_out(left)
        finally:
            enter_addenda(folder, "withdraw", [folder.path / WITHDRAWALS, record.operators_list])
    return record


class _Withdrawing:
    """One withdrawal under way."""

    def __init__(
        self, record: FiledDossiers, plan: Plan, catalog: Catalog, progress: Callable[[str], None], rounds: Sequence[RoundRecord]
    ) -> None:
        self._rounds = rounds
        self._record = record
        self._plan = plan
        self._catalog = catalog
        self._say = progress
        self._functions = load_functions(*catalog.folders)
        self._embedded_up = _without_delays(plan.simulator_control)
        self._done = 0

    def carry_out(self, left: Sequence[FiledDossier]) -> None:
        portals: dict[str, list[FiledDossier]] = {}
        for filed in left:
            portals.setdefault(filed.key.portal, []).append(filed)
        self._say(f"withdrawing {len(left)} dossiers of {len(portals)} portals")
        began_s = saved_s = monotonic()
        pool = Pool(PORTALS_AT_ONCE)
        under_way = [pool.spawn(self._of_portal, portal, of_portal) for portal, of_portal in portals.items()]
        try:
            while not all(each.ready() for each in under_way):
                gevent.joinall(under_way, timeout=0.5)
                if monotonic() - saved_s > SAVED_EVERY_S:
                    saved_s = monotonic()
                    write_outcomes(self._record)
                    pace = max(self._done, 1) / (saved_s - began_s)
                    self._say(
                        f"{self._done} of {len(left)} dossiers tried, {pace:.0f} a second, about {(len(left) - self._done) / pace / 60:.0f} min to go"
                    )
            for each in under_way:
                each.get()
        finally:
            pool.kill()
            self._record.counted.update(_withdrawn(self._plan.simulator_control) if self._embedded_up else {})
            write_outcomes(self._record)
            self._report(left, monotonic() - began_s)

    def _report(self, left: Sequence[FiledDossier], seconds: float) -> None:
        standing = self._record.not_withdrawn()
        gone = len(left) - len(standing)
        self._say(f"{gone} of {len(left)} dossiers withdrawn in {seconds:.1f} s ({gone / max(seconds, 0.001):.0f} a second)")
        if unseen := sum(map(len, self._record.unseen.values())):
            self._say(f"{unseen} dossiers were stored of which no citizen was told; they are listed in {self._record.operators_list}")
        if not standing:
            return
        self._say(f"{len(standing)} dossiers could NOT be withdrawn; the list for the operators is {self._record.operators_list}")
        became = {filed.key: self._record.became.get(filed.key, NEVER_TRIED) for filed in standing}
        impossible = Counter((key.portal, reason) for key, reason in became.items() if reason.startswith(NO_WITHDRAWAL))
        for (portal, reason), number in impossible.items():
            self._say(f"  {portal}, {number} dossiers: {reason}")
        others = [(key, reason) for key, reason in became.items() if not reason.startswith(NO_WITHDRAWAL)]
        for key, reason in others[:SHOWN]:
            self._say(f"  {key.portal} {key.code} (visit {key.visit}): {reason}")
        if len(others) > SHOWN:
            self._say(f"  … and {len(others) - SHOWN} more")
        if any(reason != NOT_UP for _, reason in others):
            named = ["--catalog", str(self._catalog.extra_folder)] if self._catalog.extra_folder else []
            self._say(f"try them again: {shlex.join(['harness', 'withdraw', str(self._record.operators_list.parent), *named])}")

    def _of_portal(self, portal: str, filed: Sequence[FiledDossier]) -> None:
        try:
            citizens = _Citizens(self._plan.target(portal), self._plan, self._rounds, self._catalog, self._functions, up=self._embedded_up)
        except HarnessError as error:
            self._give_up(filed, "; ".join(map(str, error.problems)))
            return
        if citizens.impossible:
            self._give_up(filed, citizens.impossible)
            return
        in_a_row = 0

        def one(each: FiledDossier) -> None:
            nonlocal in_a_row
            if in_a_row >= GIVE_UP_AFTER:
                self._note(each, f"not tried: {GIVE_UP_AFTER} others failed one after another")
                return
            reason = citizens.withdraw(each)
            in_a_row = in_a_row + 1 if reason else 0
            self._note(each, reason)

        pool = Pool(citizens.at_once)
        try:
            for _ in pool.imap_unordered(one, filed, maxsize=citizens.at_once):
                pass
        finally:
            pool.kill()

    def _give_up(self, filed: Sequence[FiledDossier], reason: str) -> None:
        for each in filed:
            self._note(each, reason)

    def _note(self, filed: FiledDossier, reason: str) -> None:
        self._done += 1
        self._record.became[filed.key] = reason
        self._record.when[filed.key] = datetime.now(UTC).isoformat(timespec="seconds")


class _Citizens:
    """The citizens of one portal who withdraw what they filed, one visit for each dossier."""

    def __init__(
        self,
        facts: PlannedTarget,
        plan: Plan,
        rounds: Sequence[RoundRecord],
        catalog: Catalog,
        functions: Mapping[str, Function],
        *,
        up: bool,
    ) -> None:
        self._target = _target(facts, catalog)
        self._platform = _compiled(self._target, catalog, functions)
        self._seed, self._sweep = plan.seed, plan.sweep
        distinct = any(pool.distinct for pool in self._platform.pools.values())
        self._serials = Serials(plan, rounds) if distinct else None  # the dossier's citizen had rows of their own
        permission = self._permission = self._target.authorisation
        self.impossible = ""
        if self._platform.lacks("withdraw"):
            self.impossible = f"{NO_WITHDRAWAL}{self._platform.absent['withdraw']}"
        elif permission is None and not up:
            self.impossible = NOT_UP
        self.at_once = (
            max(1, min(CITIZENS_AT_ONCE, int(permission.citizens_in_flight_max * SHARE_OF_LIMITS))) if permission else CITIZENS_AT_ONCE
        )
        self._rate = RequestRate(permission.requests_per_s_max * SHARE_OF_LIMITS if permission else math.inf)
        self._resolver = Resolver()
        timeout_s = max(plan.timeout_s, 10.0)
        self._timeouts = PhaseTimeouts(first_byte_s=timeout_s, total_s=timeout_s)

    def withdraw(self, filed: FiledDossier) -> str:
        """Withdraw one dossier; the answer is the reason why not, empty on success."""
        reason = doubt = ""
        for number in range(1, TRIES_OF_OVERLOADED + 1):
            self._rate.rest()
            if self._permission is not None and (refused := refusal(self._permission, datetime.now(UTC))):
                return reason or f"not permitted now: {refused.key} is {refused.value}"
            try:
                self._once(filed)
            except StepFailed as failure:
                reason = f"{failure.step}: {failure.means or failure.detail} ({failure.outcome})"
                if failure.outcome in _RETRIED and failure.step == "withdraw":
                    doubt = "; it may have been withdrawn all the same"
                if failure.outcome not in _RETRIED or (number > 1 and failure.outcome is not Outcome.NOT_SERVED):
                    break
            else:
                return ""
        return reason + doubt

    def _once(self, filed: FiledDossier) -> None:
        visit = Visit(
            self._platform,
            self._target,
            journey=filed.journey,
            goals=("withdraw",),
            visit=filed.key.visit,
            seed=self._seed,
            run=filed.key.run,
            serial=self._serials.of(filed.key.run, filed.key.visit) if self._serials is not None else None,
            session_factory=lambda: RateLimitedSession(self._rate, self._target, self._resolver, timeouts=self._timeouts),
            record=lambda _row: None,  # a withdrawal is no measurement
            intended_us=1,
            think=lambda _name: 0.0,
            sleep=gevent.sleep,
            sweep=self._sweep,
        )
        try:
            visit.state.scope.update(filed.kept)
            visit.perform("withdraw", receipt=filed.key.code, dossier=visit.state.person.dossier_for(None))
        finally:
            visit.finish(aborted=True)


def _target(facts: PlannedTarget, catalog: Catalog) -> Target:
    if facts.portal not in catalog.portals:
        raise UsageError(Problem("catalog", "portals", facts.portal, "the catalog that the sweep was made with", "Name it with --catalog."))
    return target_of_plan(catalog, facts.portal, facts.origins, facts.authorisation)


def _compiled(target: Target, catalog: Catalog, functions: Mapping[str, Function]) -> CompiledPlatform:
    if target.platform not in catalog.platforms:
        raise UsageError(
            Problem("catalog", "platforms", target.platform, "the catalog that the sweep was made with", "Name it with --catalog.")
        )
    return compile_platform(catalog.platforms[target.platform], functions)


def _without_delays(control: str) -> bool:
    """Whether the sweep's embedded portals are up; their simulated delays are switched off then."""
    if not control or not is_loopback(control):
        return False
    with suppress(httpx.HTTPError, ValueError), httpx.Client(timeout=10, trust_env=False) as client:
        origins = client.get(f"{control}/counts").raise_for_status().json()
        for name in origins:
            if name != "control":
                client.post(f"{control}/personality", json={"portal": name, **_AT_ONCE}).raise_for_status()
        return True
    return False


def _unseen(plan: Plan, record: FiledDossiers) -> dict[str, Sequence[str]] | None:
    """The dossiers of embedded portals that stand in no ledger, because an attempt ended before the answer; None where they are not up."""
    control, told = plan.simulator_control, {(key.portal, key.code) for key in record.filed}
    if not control or not is_loopback(control):
        return None
    found: dict[str, Sequence[str]] = {}
    with suppress(httpx.HTTPError, ValueError), httpx.Client(timeout=30, trust_env=False) as client:
        for target in (each for each in plan.targets if not each.authorisation):
            stored = client.get(f"{control}/dossiers", params={"portal": target.portal}).raise_for_status().json()
            codes = [each["code"] for each in stored if each["status"] != "withdrawn" and (target.portal, each["code"]) not in told]
            found |= {target.portal: codes} if codes else {}
        return found
    return None


def _withdrawn(control: str) -> dict[str, int]:
    """The withdrawn dossiers in each embedded portal's database."""
    with suppress(httpx.HTTPError, ValueError), httpx.Client(timeout=10, trust_env=False) as client:
        counts = client.get(f"{control}/counts").raise_for_status().json()
        return {portal: count["withdrawn"] for portal, count in counts.items() if "withdrawn" in count}
    return {}
