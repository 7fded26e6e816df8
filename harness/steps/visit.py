"""A visit: one citizen walking one journey once, goal by goal, step by step, request by request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from time import monotonic_ns
from typing import Any, TypedDict

from harness.catalog import Target, origin_of
from harness.client import Exchange, Session
from harness.samples import VISIT_ROW, Outcome, Sample
from harness.steps.actor import Actor
from harness.steps.compiled import CompiledBearer, CompiledGoal, CompiledPlatform, CompiledRepeat, CompiledRequest, CompiledStep
from harness.steps.expectation import Expectation
from harness.steps.failure import StepFailed
from harness.steps.functions import VIETNAM, VisitContext
from harness.steps.observer import Observer
from harness.steps.page import Page
from harness.steps.person import Person, synthetic_person
from harness.steps.sending import InFlight, Position, send
from harness.steps.template import CONTEXT, MissingValueError, Scope, Value, as_text

OVERLOAD_STATUSES = frozenset({429, 503})
USER_AGENT = "Mozilla/5.0 (compatible; dichvucong-harness; kiem-thu-hieu-nang)"
_DEFAULT_HEADERS = {
    "User-Agent": USER_AGENT,
    "Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8",
    "Accept-Language": "vi-VN,vi;q=0.9,en;q=0.5",
}
_MONEY_MOVES = "payment"


class Receipt(TypedDict):
    """Something that the portal acknowledged to this visit."""

    code: str
    kind: str  # dossier, payment, withdrawal
    step: str
    when_us: int  # of the worker's monotonic clock


def monotonic_us() -> int:
    """The worker's monotonic clock, in microseconds."""
    return monotonic_ns() // 1000


class Visit:
    """One citizen on one journey; see ``perform``, ``think`` and ``finish``.

    ``intended_us`` is the intended arrival; ``think`` draws a named think time in seconds, ``sleep`` waits it. Every
    request becomes a row through ``record``; what the portal acknowledges is kept in ``receipts`` and handed to
    ``acknowledge`` before the visit goes on.
    """

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
        clock: Callable[[], int] = monotonic_us,
        observer: Observer | None = None,
        acknowledge: Callable[[Receipt], None] | None = None,
        overload_statuses: frozenset[int] = OVERLOAD_STATUSES,
    ) -> None:
        self.compiled = compiled
        self.target = target
        self.journey = journey
        self.goals = goals
        self.visit = visit
        self.record = record
        self.clock = clock
        self.observer = observer
        self.overload_statuses = overload_statuses
        self.intended_us = intended_us
        self.began_us = clock()
        self.last_end_us = 0
        self.last_status = 0
        self.parsing_ns = 0  # spent on reading and judging pages
        self.in_flight: InFlight | None = None
        self.failure: StepFailed | None = None
        self.receipts: list[Receipt] = []
        self.confirmed: set[str] = set()  # codes that the portal showed again, where the profile asks
        self.kept: dict[str, Page] = {}
        self.person: Person = _person(target, seed, run, visit)
        self.context = VisitContext(
            seed, run, visit, compiled.pools, target.secret, self._cookie, lambda: datetime.now(VIETNAM)
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
        self._session_factory = session_factory
        self._think = think
        self._sleep = sleep
        self._acknowledge = acknowledge
        self._actors: dict[str, Actor] = {}
        self._actor: Actor | None = None
        self._headers: dict[str, str] | None = None
        self._pending_think_us = 0
        self._reached: set[str] = set()
        self._inside: dict[str, dict[str, Any]] = {}
        self._attempts: dict[tuple[str, str], int] = {}
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
        for name, value in inputs.items():
            self.scope[name] = value[name] if isinstance(value, Mapping) and name in value else value
        try:
            for step in compiled.steps:
                self._walk_step(step)
            given = self._given(compiled)
        except StepFailed as failure:
            self.failure = self.failure or failure
            raise
        self._reached.add(goal)
        for inner, outputs in compiled.inside.items():
            self._reached.add(inner)
            self._inside[inner] = {name: given[name] for name in outputs}
        return given

    def think(self, name: str = "default") -> None:
        """Pause as a citizen does; the next step is due when the drawn time has passed since the end of the last one."""
        seconds = self._think(name)
        self._pending_think_us += round(seconds * 1e6)
        due_us = (self.last_end_us or self.began_us) + self._pending_think_us
        self._sleep(max((due_us - self.clock()) / 1e6, 0.0))

    def finish(self, *, aborted: bool = False) -> Outcome:
        """Record what was not reached and the row that closes the visit; a second call changes nothing."""
        if self._outcome is not None:
            return self._outcome
        now_us = self.clock()
        if self.in_flight is not None:
            self._record_cut_off(self.in_flight, now_us)
            aborted = True
        missed = self._record_skipped(now_us)
        if self.failure is not None:
            outcome = self.failure.outcome
        elif aborted:
            outcome = Outcome.ABORTED
        else:
            outcome = Outcome.SKIPPED if missed else Outcome.OK
        self._outcome = outcome
        host = self.target.origins.get("portal", "")
        end_us = now_us if aborted else self.last_end_us or now_us
        self.record(
            Sample(
                self.journey, self.visit, "", "", VISIT_ROW, 0, 1, host, self.target.owner_of(host), "",
                self.intended_us, self.began_us, 0, end_us, 0, 0, 0, False, 0, 0, 0, outcome,
            )
        )  # fmt: skip
        for actor in self._actors.values():
            actor.session.close()
        return outcome

    @property
    def parsing_us(self) -> int:
        """How long reading and judging pages took, in microseconds of this process."""
        return self.parsing_ns // 1000

    @property
    def acknowledged(self) -> list[Receipt]:
        """The payments that the portal acknowledged."""
        return [receipt for receipt in self.receipts if receipt["kind"] == _MONEY_MOVES]

    # Steps

    def _walk_step(self, step: CompiledStep) -> None:
        key = (step.goal, step.step)
        if step.once and any(done == step.step for _, done in self._attempts):
            return
        if not self._wanted(step.only_if, step.skip_if):
            return
        if step.think is not None:
            self.think(step.think)
        actor = self._actor_of(step.actor)
        if step.fresh:
            actor.begin_anew()
        for _ in self._times(step.repeat, key):
            attempt = self._attempts[key] = self._attempts.get(key, 0) + 1
            index = 0
            for request in step.requests:
                index = self._walk_request(actor, request, step, index, attempt)

    def _walk_request(self, actor: Actor, request: CompiledRequest, step: CompiledStep, index: int, attempt: int) -> int:
        """Do a request as often as the profile says; answers the index of the step's next one."""
        key = (step.goal, step.step)
        if (request.only_if is not None or request.skip_if is not None) and not self._wanted(request.only_if, request.skip_if):
            return index
        for _ in self._times(request.repeat, key):
            at = Position(step.goal, step.step, index, attempt)
            at = self._poll(actor, request, at) if request.poll is not None else self._send(actor, request, at)[1]
            index = at.request + 1
            self._note(request, step)
        return index

    def _poll(self, actor: Actor, request: CompiledRequest, at: Position) -> Position:
        """Send a request until its answer is what the profile waits for; answers the position of the last one."""
        poll = request.poll
        assert poll is not None
        began_us, wait_us = self.last_end_us or self.clock(), 0
        while True:
            page, at = self._send(actor, request, at, wait_us, poll.until)
            if page is not None:
                return at
            at = at._replace(request=at.request + 1)
            if self.last_end_us + poll.every_us - began_us > poll.limit_us:
                detail = f"not {', '.join(poll.until.labels)} within {poll.limit_us / 1e6:g} s"
                raise self._fail_after(Outcome.WRONG_CONTENT, at, detail, actor.page)
            wait_us = poll.every_us
            self._sleep(max((self.last_end_us + wait_us - self.clock()) / 1e6, 0.0))

    def _send(
        self, actor: Actor, request: CompiledRequest, at: Position, wait_us: int = 0, until: Expectation | None = None
    ) -> tuple[Page | None, Position]:
        """Send a request, with a bearer token that is renewed when it has expired or is refused once."""
        if request.bearer is None:
            return send(self, actor, request, at, wait_us, until), at
        bearer = self.compiled.bearers[request.bearer]
        renewed_us, life_us = actor.renewed_us.get(request.bearer, (0, 0))
        if not renewed_us or (life_us and self.clock() > renewed_us + life_us - bearer.margin_us):
            at, wait_us = self._renew(actor, bearer, request.bearer, at), 0
            return send(self, actor, request, at, wait_us, until), at
        page = send(self, actor, request, at, wait_us, until, bearer.refused)
        if self.last_status not in bearer.refused:
            return page, at
        at = self._renew(actor, bearer, request.bearer, at._replace(request=at.request + 1))
        return send(self, actor, request, at, 0, until), at

    def _renew(self, actor: Actor, bearer: CompiledBearer, name: str, at: Position) -> Position:
        """Renew a bearer token within the step; answers the position after it."""
        for request in bearer.renew:
            send(self, actor, request, at)
            at = at._replace(request=at.request + 1)
        life_us = round(float(bearer.expires_in_s(self.scope)) * 1e6) if bearer.expires_in_s is not None else 0
        actor.renewed_us[name] = (self.clock(), life_us)
        return at

    def _note(self, request: CompiledRequest, step: CompiledStep) -> None:
        """Keep what the portal has acknowledged, and what it showed again."""
        if request.receipt is not None:
            code = as_text(request.receipt.code(self.scope))
            receipt = Receipt(code=code, kind=request.receipt.kind, step=step.step, when_us=self.last_end_us)
            self.receipts.append(receipt)
            if self._acknowledge is not None:
                self._acknowledge(receipt)
        if request.confirms is not None:
            self.confirmed.add(as_text(request.confirms(self.scope)))

    def _given(self, compiled: CompiledGoal) -> dict[str, Any]:
        try:
            return {name: value(self.scope) for name, value in compiled.gives}
        except MissingValueError as error:
            at = Position(compiled.name, compiled.steps[-1].step, len(compiled.steps[-1].requests), 1)
            raise self._fail_after(Outcome.EXTRACTION, at, str(error), None) from None

    def _wanted(self, only_if: Value | None, skip_if: Value | None) -> bool:
        if only_if is not None and not self._truth(only_if):
            return False
        return skip_if is None or not self._truth(skip_if)

    def _truth(self, condition: Value) -> bool:
        """A condition's value; what is not known is false."""
        try:
            value = condition(self.scope)
        except MissingValueError:
            return False
        return bool(value) and value not in ("0", "false")

    def _times(self, repeat: CompiledRepeat | None, key: tuple[str, str]) -> Iterator[None]:
        if repeat is None:
            yield
            return
        try:
            items: Sequence[Any] = repeat.over(self.scope) if repeat.over is not None else range(1, repeat.times + 1)
        except MissingValueError as error:
            raise self._fail_after(Outcome.EXTRACTION, Position(*key, 0, self._attempts.get(key, 0) + 1), str(error), None) from None
        for item in items:
            self.scope[repeat.item] = item
            yield

    # What the sender asks

    def due_us(self, wait_us: int) -> int:
        """When the next request should begin: the arrival, or the end of what was before and the think or wait since."""
        if not self.last_end_us:
            intended_us = self.intended_us + self._pending_think_us
        else:
            intended_us = self.last_end_us + self._pending_think_us + wait_us
        self._pending_think_us = 0
        return intended_us

    def common_headers(self) -> Mapping[str, str]:
        """The headers of every request, evaluated once: a browser does not change in the middle of a visit."""
        if self._headers is None:
            self._headers = _DEFAULT_HEADERS | {name: as_text(value(self.scope)) for name, value in self.compiled.headers}
        return self._headers

    def allows(self, origin: str) -> bool:
        """Whether an origin, as it is spelled in a URL, may be sent requests."""
        if origin in self.target.owners:
            return True
        try:
            return self.target.allowed(origin_of(origin))
        except ValueError:
            return False

    def blocked_by(self, page: Page) -> str | None:
        """The platform's rule by which an answer is a refusal, or None."""
        for rule in self.compiled.blocked:
            if rule.statuses and page.status not in rule.statuses:
                continue
            if rule.url is not None and not re.search(rule.url, page.url):
                continue
            if not all(page.holds(text, raw) for text, raw in rule.texts):
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

    def record_row(self, exchange: Exchange, at: Position, hop: int, intended_us: int, wait_us: int, outcome: Outcome) -> None:
        """One request as one row."""
        self.record(
            Sample(
                self.journey, self.visit, at.goal, at.step, at.request, hop, at.attempt, exchange.host,
                self.target.owners.get(exchange.host, "portal"), exchange.method, intended_us, exchange.start_us, exchange.first_byte_us,
                exchange.end_us, exchange.dns_us, exchange.connect_us, exchange.tls_us, exchange.reused, wait_us, exchange.wire_bytes,
                exchange.status, outcome,
            )
        )  # fmt: skip

    # Rows that are not answers

    def _fail_after(self, outcome: Outcome, at: Position, detail: str, page: Page | None) -> StepFailed:
        """A failure that shows only between requests; it leaves a row of its own, so that the step is not ok."""
        now_us = self.clock()
        self._record_without_answer(at, 0, "", self.target.origins.get("portal", ""), self.last_end_us or now_us, 0, 0, now_us, outcome)
        return StepFailed(outcome, at.goal, at.step, self.blank(detail), page)

    def _record_cut_off(self, cut: InFlight, now_us: int) -> None:
        host = cut.message.url
        try:
            host = origin_of(host)
        except ValueError:
            host = self.target.origins.get("portal", "")
        self._record_without_answer(
            cut.position, cut.hop, cut.message.method, host, cut.intended_us, cut.wait_us, cut.start_us, now_us, Outcome.ABORTED
        )
        self.in_flight = None

    def _record_skipped(self, now_us: int) -> bool:
        """Rows for the steps that were planned and never begun; answers whether there are any."""
        missed = False
        for goal, step in self.compiled.planned(self.goals):
            if (goal, step) in self._attempts or goal in self._reached:
                continue
            missed = True
            at = Position(goal, step, 0, 1)
            self._record_without_answer(at, 0, "", self.target.origins.get("portal", ""), now_us, 0, 0, now_us, Outcome.SKIPPED)
        return missed

    def _record_without_answer(
        self, at: Position, hop: int, method: str, host: str, intended_us: int, wait_us: int, start_us: int, end_us: int, outcome: Outcome
    ) -> None:
        self.record(
            Sample(
                self.journey, self.visit, at.goal, at.step, at.request, hop, at.attempt, host, self.target.owner_of(host), method,
                intended_us, start_us, 0, end_us, 0, 0, 0, False, wait_us, 0, 0, outcome,
            )
        )  # fmt: skip

    def _actor_of(self, name: str) -> Actor:
        actor = self._actors.get(name)
        if actor is None:
            actor = self._actors[name] = Actor(name, self._session_factory())
        self._actor = actor
        return actor

    def _cookie(self, name: str) -> str | None:
        if self._actor is None:
            return None
        url = self._actor.page.url if self._actor.page is not None else self.target.origins["portal"]
        return self._actor.session.cookies_for(url).get(name)


def _person(target: Target, seed: int, run: str, visit: int) -> Person:
    """The visit's citizen: synthetic, or with the test identity's number, name and password in their places."""
    person = synthetic_person(seed, run, visit)
    if not target.identities:
        return person
    return Person({**person.values, **target.identities[visit % len(target.identities)]})
