"""A visit: one citizen walking one journey once, goal by goal, step by step, request by request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from time import monotonic_ns
from typing import Any

from harness.catalog import Target, origin_of
from harness.client import Session
from harness.pages.page import Page
from harness.pages.values import MissingValueError, as_text
from harness.profiles.expectation import Broken
from harness.profiles.functions import VIETNAM, VisitContext
from harness.profiles.steps import CompiledGoal, CompiledPlatform, CompiledRequest
from harness.profiles.template import CONTEXT, Scope, Value
from harness.records import OVERLOAD_STATUSES, Outcome, Sample
from harness.visits.actor import Actor
from harness.visits.blanking import secrets_of, without
from harness.visits.failure import StepFailed
from harness.visits.message import Message
from harness.visits.observer import Observer
from harness.visits.person import Person, synthetic_person
from harness.visits.receipts import Receipt, ReceiptKind
from harness.visits.rows import Rows, Turn
from harness.visits.walking import StepWalker

USER_AGENT = "Mozilla/5.0 (compatible; dichvucong-harness; kiem-thu-hieu-nang)"
_DEFAULT_HEADERS = {
    "User-Agent": USER_AGENT,
    "Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8",
    "Accept-Language": "vi-VN,vi;q=0.9,en;q=0.5",
}
_MONEY_MOVES = "payment"
KEPT_MOST = 2_000
"""Characters of one value that goes to the ledger with a receipt."""


def monotonic_us() -> int:
    """The worker's monotonic clock, in microseconds."""
    return monotonic_ns() // 1000


class Visit:
    """One citizen on one journey; see ``perform``, ``think`` and ``finish``.

    ``intended_us`` is the intended arrival, and ``on_time`` holds the first request back until then where it is ready
    sooner; ``think`` draws a named think time in seconds, ``sleep`` waits it. Every
    request becomes a row through ``record``; what the portal acknowledges is kept in ``receipts`` and handed to
    ``acknowledge`` before the visit goes on. A step that fails is handed to ``failed``, with the page on which it shows.
    """

    __slots__ = (
        "__weakref__",
        "_acknowledge",
        "_actors",
        "_failed",
        "_inside",
        "_outcome",
        "_pending_think_us",
        "_reached",
        "_roots",
        "_steps",
        "_think",
        "began_us",
        "clock",
        "compiled",
        "context",
        "failure",
        "goals",
        "headers",
        "in_flight",
        "intended_us",
        "journey",
        "kept",
        "last_end_us",
        "last_sent",
        "last_status",
        "learned_us",
        "not_yet",
        "observer",
        "on_time",
        "overload_statuses",
        "parsing_ns",
        "person",
        "receipts",
        "rows",
        "scope",
        "session_factory",
        "sleep",
        "target",
        "tracked",
        "visit",
        "with_assets",
    )

    def __init__(
        self,
        compiled: CompiledPlatform,
        target: Target,
        *,
        journey: str,
        goals: tuple[str, ...],
        visit: int,
        seed: int,
        run: str,
        session_factory: Callable[[], Session],
        record: Callable[[Sample], None],
        intended_us: int,
        think: Callable[[str], float],
        sleep: Callable[[float], None],
        on_time: Callable[[int], None] | None = None,
        observer: Observer | None = None,
        acknowledge: Callable[[Receipt], None] | None = None,
        failed: Callable[[Visit, StepFailed], None] | None = None,
        overload_statuses: frozenset[int] = OVERLOAD_STATUSES,
        with_assets: bool = False,
    ) -> None:
        self.compiled = compiled
        self.target = target
        self.journey = journey
        self.goals = goals
        self.visit = visit
        self.rows = Rows(journey, visit, target, record)
        self.clock = monotonic_us
        self.observer = observer
        self.overload_statuses = overload_statuses
        self.with_assets = with_assets
        self.intended_us = intended_us
        self.began_us = monotonic_us()
        self.last_end_us = 0
        self.last_status = 0
        self.not_yet: Broken | None = None  # what the last poll was still waiting for
        self.parsing_ns = 0  # spent on reading and judging pages
        self.in_flight: tuple[Turn, Message, int] | None = None  # and when it was sent
        self.last_sent: tuple[Actor, Message] | None = None  # the request that went out last, and by whom
        self.failure: StepFailed | None = None
        self.receipts: list[Receipt] = []
        self.tracked: list[Receipt] = []  # what was looked up afterwards: found or missing
        self.kept: dict[str, Page] = {}
        self.learned_us: dict[str, int] = {}  # bearer → when its token was learned
        self.person: Person = _person(target, seed, run, visit)
        actors: dict[str, Actor] = {}
        self._actors = actors
        self.context = VisitContext(
            seed, run, visit, compiled.pools, target.secret, lambda name: _cookie(actors, target, name), lambda: datetime.now(VIETNAM)
        )  # fmt: skip
        self.scope: Scope = {
            CONTEXT: self.context,
            "origin": target.origins,
            "person": self.person.values,
            "portal": target.portal,
            "run": run,
            "visit": visit,
            "journey": journey,
        }
        self.session_factory = session_factory
        self._think = think
        self.sleep = sleep
        self.on_time = on_time
        self._acknowledge = acknowledge
        self._failed = failed
        self.headers: dict[str, str] | None = None  # of every request, once they are known
        self._roots = tuple([f"{origin}/" for origin in target.owners])
        self._pending_think_us = 0
        self._reached: set[str] = set()
        self._inside: dict[str, dict[str, Any]] = {}
        self._steps = StepWalker(self)
        self._outcome: Outcome | None = None

    # What journeys call

    def perform(self, goal: str, **inputs: Any) -> Mapping[str, Any]:
        """Pursue a goal and answer what it gives; raises StepFailed at its first failure.

        A goal that was reached inside another one answers what was learned there; one that the platform lacks, nothing.
        """
        if goal in self._inside:
            return self._inside[goal]
        compiled = self.compiled.goals.get(goal)
        if compiled is None:
            return {}
        self._steps.visit = self
        for name, value in inputs.items():
            self.scope[name] = value[name] if isinstance(value, Mapping) and name in value else value
        try:
            for step in compiled.steps:
                self._steps.walk(step)
            given = self._given(compiled)
        except StepFailed as failure:
            self.failure = self.failure or failure
            if self._failed is not None:
                self._failed(self, failure)
            raise
        self._reached.add(goal)
        for inner, outputs in compiled.inside.items():
            self._reached.add(inner)
            self._inside[inner] = {name: given[name] for name in outputs}
        return given

    def think(self, name: str = "default") -> None:
        """Pause as a citizen does; the next step is due when the drawn time has passed since the end of the last one."""
        seconds = self._think(name)
        if not seconds:
            return
        self._pending_think_us += round(seconds * 1e6)
        due_us = (self.last_end_us or self.began_us) + self._pending_think_us
        self.sleep(max((due_us - self.clock()) / 1e6, 0.0))

    def finish(self, *, aborted: bool = False) -> Outcome:
        """Record what was not reached and the row that closes the visit; a second call changes nothing."""
        if self._outcome is not None:
            return self._outcome
        now_us = self.clock()
        if self.in_flight is not None:
            turn, message, start_us = self.in_flight
            self.in_flight = None
            host = origin_of(message.url)
            self.rows.unanswered(turn, Outcome.ABORTED, now_us, start_us=start_us, method=message.method, host=host)
            aborted = True
        missed = self._record_skipped(now_us)
        if self.failure is not None:
            outcome = self.failure.outcome
        elif aborted:
            outcome = Outcome.ABORTED
        else:
            outcome = Outcome.SKIPPED if missed else Outcome.OK
        self._outcome = outcome
        self.rows.closed(self.intended_us, self.began_us, now_us if aborted else self.last_end_us or now_us, outcome)
        self.close()
        for actor in self._actors.values():
            actor.page = None  # parsed pages are large: they go now, not when the garbage collector comes by
        self._steps.visit = None  # and so does the visit itself: nothing is left that leads round to it
        self.kept.clear()
        return outcome

    def close(self) -> None:
        """Close every actor's connections; a goal that is pursued later opens new ones."""
        for actor in self._actors.values():
            actor.session.close()

    @property
    def parsing_us(self) -> int:
        """How long reading and judging pages took, in microseconds of this process."""
        return self.parsing_ns // 1000

    @property
    def acknowledged(self) -> list[Receipt]:
        """The payments that the portal acknowledged."""
        return [receipt for receipt in self.receipts if receipt["kind"] == _MONEY_MOVES]

    # Within a goal

    def note(self, request: CompiledRequest, turn: Turn) -> None:
        """Keep what the portal has acknowledged, and what it showed again."""
        if request.receipt is not None:
            code = as_text(request.receipt.code(self.scope))
            receipt = Receipt(code=code, kind=request.receipt.kind, step=turn.step, when_us=self.last_end_us)
            if request.receipt.keep:
                receipt["kept"] = self._kept(request.receipt.keep)
            self.receipts.append(receipt)
            if self._acknowledge is not None:
                self._acknowledge(receipt)
        if request.confirms is not None:
            self.note_tracked(request.confirms, "found", turn)

    def _kept(self, names: tuple[str, ...]) -> dict[str, str | int | float]:
        """Values of these names that may stand in the ledger: short and plain ones, without a secret or a test identity in them."""
        found = {name: self.scope.get(name) for name in names}
        return {
            name: value
            for name, value in found.items()
            if isinstance(value, str | int | float) and len(str(value)) <= KEPT_MOST and self.blank_page(str(value)) == str(value)
        }

    def note_tracked(self, code: Value, kind: ReceiptKind, turn: Turn) -> None:
        """Keep that something acknowledged was looked up, and whether it was there."""
        receipt = Receipt(code=as_text(code(self.scope)), kind=kind, step=turn.step, when_us=self.last_end_us)
        self.tracked.append(receipt)

    def _given(self, compiled: CompiledGoal) -> dict[str, Any]:
        try:
            return {name: value(self.scope) for name, value in compiled.gives}
        except MissingValueError as error:
            last = compiled.steps[-1]
            turn = Turn(last.goal, last.step, self._steps.attempts.get((last.goal, last.step), 1), len(last.requests))
            raise self._steps.fail_between(Outcome.EXTRACTION, turn, str(error), None) from None

    def _record_skipped(self, now_us: int) -> bool:
        """Rows for the steps that were planned and never begun; answers whether there are any."""
        missed = False
        attempts, passed_over = self._steps.attempts, self._steps.passed_over
        for place in self.compiled.planned(self.goals):
            if place not in attempts and place not in passed_over and place[0] not in self._reached:
                missed = True
                self.rows.unanswered(Turn(*place, 1), Outcome.SKIPPED, now_us)
        return missed

    # What the sender asks

    def due_us(self, wait_us: int) -> int:
        """When the next request should begin: the arrival, or the end of what was before and the think or wait since."""
        if not self.last_end_us:
            intended_us = self.intended_us + self._pending_think_us
        else:
            intended_us = self.last_end_us + self._pending_think_us + wait_us
        self._pending_think_us = 0
        return intended_us

    def note_tokens(self, learned: Mapping[str, Any]) -> None:
        """Keep when bearer tokens were learned, if these values are any."""
        for name, bearer in self.compiled.bearers.items():
            if not bearer.names.isdisjoint(learned):
                self.learned_us[name] = self.last_end_us

    def common_headers(self) -> dict[str, str]:
        """The headers of every request, evaluated once: a browser does not change in the middle of a visit."""
        if self.headers is None:
            self.headers = _DEFAULT_HEADERS | {name: as_text(value(self.scope)) for name, value in self.compiled.headers}
        return self.headers

    def may_send_to(self, url: str) -> bool:
        """Whether a URL's origin, however it is spelled, is one that requests may be sent to."""
        if url.startswith(self._roots):
            return True
        try:
            return self.target.allowed(origin_of(url))
        except ValueError:
            return False

    def blocked_by(self, page: Page) -> str | None:
        """The platform's rule by which an answer is a refusal, or None."""
        for rule in self.compiled.blocked:
            if rule.statuses and page.status not in rule.statuses:
                continue
            if rule.url is not None and not re.search(rule.url, page.url):
                continue
            if not all(map(page.holds, rule.texts)):
                continue
            if rule.selector is not None and page.first(rule.selector) is None:
                continue
            return rule.name
        return None

    def blank(self, text: str) -> str:
        """A text without the secrets that were used in this visit."""
        for secret in self.context.hidden:
            text = text.replace(secret, "•••") if secret else text
        return text

    def blank_page(self, text: str) -> str:
        """What a portal said, without anything of the target that is nobody else's business, however it is spelled there."""
        return without(secrets_of(self.target, self.visit, self.context.hidden), text)

    def actor_of(self, name: str) -> Actor:
        """The actor of a name; it comes into being with a browser of its own when it first acts."""
        actor = self._actors.pop(name, None)
        if actor is None:
            actor = Actor(name, self.session_factory())
        self._actors[name] = actor  # the last one is who acts now
        return actor


def _cookie(actors: dict[str, Actor], target: Target, name: str) -> str | None:
    """A cookie of the actor who acts now, for the page that is shown."""
    actor = next(reversed(actors.values()), None)
    if actor is None:
        return None
    url = actor.page.url if actor.page is not None else target.origins["portal"]
    return actor.session.cookies_for(url).get(name)


def _person(target: Target, seed: int, run: str, visit: int) -> Person:
    """The visit's citizen: synthetic, or with the test identity's number, name and password in their places."""
    person = synthetic_person(seed, run, visit)
    if not target.identities:
        return person
    return Person({**person.values, **target.identities[visit % len(target.identities)]})
