"""Sending: one request of a visit, its redirects hop by hop, its rows; its answer judged, then read."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from harness.catalog import origin_of
from harness.client import Exchange
from harness.origins import resolve
from harness.pages.page import Page
from harness.pages.redirects import REDIRECTS, page_redirect
from harness.pages.values import MissingValueError
from harness.profiles.expectation import Broken, Expectation
from harness.profiles.functions import PoolExhaustedError
from harness.profiles.steps import CompiledRequest
from harness.records import Outcome
from harness.visits.actor import Actor, raw_origin
from harness.visits.failure import StepFailed
from harness.visits.message import Message, prepare
from harness.visits.observer import Seen
from harness.visits.rows import Turn

if TYPE_CHECKING:
    from harness.visits.visit import Visit

_NOT_SHOWN = frozenset({Outcome.WRONG_CONTENT, Outcome.EXTRACTION})
_NONE: frozenset[int] = frozenset()
_OK = Outcome.OK  # a member of an enumeration costs several times as much as a name


class Sending:
    """One request from its message to its last row. What is learned goes into the visit's scope."""

    __slots__ = ("actor", "locations", "request", "turn", "visit")

    def __init__(self, visit: Visit, actor: Actor, request: CompiledRequest, turn: Turn) -> None:
        self.visit = visit
        self.actor = actor
        self.request = request
        self.turn = turn
        self.locations: list[str] = []

    def run(self, until: Expectation | None = None, tolerate: frozenset[int] = _NONE) -> Page | None:
        """Send and follow; answers the page, or None where ``until`` does not hold yet or the status is one to ``tolerate``.

        Raises StepFailed; the rows are recorded before.
        """
        visit, turn, request = self.visit, self.turn, self.request
        turn.intended_us = visit.due_us(turn.wait_us)
        began_ns = monotonic_ns()
        try:
            message = prepare(visit, self.actor, request)
        except MissingValueError as error:
            raise self._unsent(Outcome.EXTRACTION, str(error)) from None
        except PoolExhaustedError as error:
            raise self._unsent(Outcome.DROPPED, str(error)) from None
        while True:
            now_ns = monotonic_ns()
            visit.parsing_ns += now_ns - began_ns
            if visit.on_time is not None and not visit.last_end_us:
                visit.on_time(turn.intended_us)
                now_ns = monotonic_ns()
            if not visit.may_send_to(message.url):
                raise self._not_allowed(message, now_ns // 1000)
            visit.in_flight = (turn, message, now_ns // 1000)
            visit.last_sent = (self.actor, message)
            exchange = self.actor.session.request(
                message.method, message.url, headers=message.headers, body=message.body, timeouts=request.timeouts
            )
            visit.in_flight = None
            visit.last_end_us = exchange.end_us
            visit.last_status = exchange.status
            if exchange.outcome is not _OK:
                raise self._failed(exchange, exchange.outcome, exchange.error)
            began_ns = monotonic_ns()
            page, location = None, None
            if 300 <= exchange.status < 400:
                location = self._redirect(exchange)
            elif request.follow_page:
                page = Page(exchange)
                location = self._redirect_in(page)
            if location is None or turn.hop >= request.hops_max:
                break
            visit.rows.answered(turn, exchange, _OK)
            if visit.observer is not None:
                self._show(exchange, _OK, follows=location)
            message = message.redirected(exchange.status, location)
            turn.hop, turn.intended_us, turn.wait_us = turn.hop + 1, exchange.end_us, 0
        try:
            return self._judge(page or Page(exchange), until, tolerate)
        finally:
            visit.parsing_ns += monotonic_ns() - began_ns

    def _not_allowed(self, message: Message, now_us: int) -> StepFailed:
        """The failure of a request to a host that is not the target's: nothing was sent."""
        self.visit.last_end_us = now_us
        host = _shown_origin(message.url)
        error = f"{host} may not be sent requests"
        refused = Exchange(message.method, message.url, host, Outcome.LEFT_ALLOWED_HOSTS, error, end_us=now_us)
        return self._failed(refused, refused.outcome, error)

    def _redirect(self, exchange: Exchange) -> str | None:
        """Where an answer leads, if the profile follows it there."""
        location = exchange.headers.get("location") if exchange.status in REDIRECTS else ""
        if not location:
            return None
        target = resolve(exchange.url, location)
        self.locations.append(target)
        return target if self.request.follow_http else None

    def _redirect_in(self, page: Page) -> str | None:
        """Where a page leads by itself, in the ways that the profile follows."""
        target = page_redirect(page, self.request.follow_page) if page.is_markup else None
        if target is not None:
            self.locations.append(target)
        return target

    def _judge(self, page: Page, until: Expectation | None, tolerate: frozenset[int]) -> Page | None:
        visit, request, exchange = self.visit, self.request, page.exchange
        if page.status in tolerate:
            visit.rows.answered(self.turn, exchange, _OK)
            self._show(exchange, _OK)
            return None
        if page.is_markup:
            self.actor.shows(page)
        scope = visit.scope
        scope["page"] = {"url": page.url, "status": page.status}
        extracted: dict[str, Any] | None = None
        held: tuple[str, ...] = ()
        try:
            broken = request.expect.broken(page, scope, self.locations)
            if broken is not None:
                raise self._failed(exchange, self._blame(page, broken), str(broken), page, broken)
            visit.not_yet = until.broken(page, scope, self.locations) if until is not None else None
            ready = visit.not_yet is None
            if visit.observer is not None:
                held = request.expect.shown(scope, visit.blank_page) + (until.shown(scope, visit.blank_page) if until and ready else ())
            if ready and request.extract:
                extracted = self._extract(page)
                scope.update(extracted)
                if visit.compiled.bearers:
                    visit.note_tokens(extracted)
        except MissingValueError as error:
            broken = Broken(str(error))
            raise self._failed(exchange, self._blame(page, broken, Outcome.EXTRACTION), str(error), page, broken) from None
        visit.rows.answered(self.turn, exchange, _OK)
        if visit.observer is not None:
            self._show(exchange, _OK, extracted=extracted, held=held)
        if request.keep_page is not None:
            visit.kept[request.keep_page] = page
        return page if ready else None

    def _extract(self, page: Page) -> dict[str, Any]:
        scope = self.visit.scope
        return {extractor.name: extractor.value(page, scope, self) for extractor in self.request.extract}

    def cookie(self, name: str) -> str | None:
        """The cookie that this actor would send to where the last answer came from."""
        page = self.visit.scope["page"]
        return self.actor.session.cookies_for(page["url"]).get(name)

    def draw(self, purpose: str, count: int) -> int:
        """A seeded number below ``count``."""
        return self.visit.context.index_for(f"{self.request.key}.{purpose}", count)

    def _blame(self, page: Page, broken: Broken, otherwise: Outcome = Outcome.WRONG_CONTENT) -> Outcome:
        """What a refusal is: the platform's own way of blocking, an overload, a status, or a wrong answer."""
        if self.visit.blocked_by(page) is not None:
            return Outcome.BLOCKED
        if page.status in self.visit.overload_statuses:
            return Outcome.NOT_SERVED
        return Outcome.HTTP_ERROR if broken.of_status else otherwise

    def _failed(
        self, exchange: Exchange, outcome: Outcome, detail: str, page: Page | None = None, broken: Broken | None = None
    ) -> StepFailed:
        visit, turn = self.visit, self.turn
        visit.rows.answered(turn, exchange, outcome)
        if self.request.confirms is not None and outcome in _NOT_SHOWN:
            visit.note_tracked(self.request.confirms, "missing", turn)
        blocked = visit.blocked_by(page) if page is not None and outcome is Outcome.BLOCKED else None
        shown = visit.blank(f"{blocked} ({detail})" if blocked else detail)
        self._show(exchange, outcome, failure=shown)
        means, rule = (broken.means, visit.blank(broken.rule)) if broken is not None else ("", "")
        return StepFailed(outcome, turn.goal, turn.step, shown, page=page, means=means or blocked or "", rule=rule)

    def _unsent(self, outcome: Outcome, detail: str) -> StepFailed:
        """The failure of a request that could not be made; it leaves a row that never began."""
        visit, turn = self.visit, self.turn
        visit.last_end_us = visit.clock()
        visit.rows.unanswered(turn, outcome, visit.last_end_us, method=self.request.method)
        shown = visit.blank(detail)
        return StepFailed(outcome, turn.goal, turn.step, shown, page=self.actor.page, rule=shown)

    def _show(
        self,
        exchange: Exchange,
        outcome: Outcome,
        *,
        follows: str = "",
        extracted: Mapping[str, Any] | None = None,
        held: tuple[str, ...] = (),
        failure: str = "",
    ) -> None:
        visit, turn = self.visit, self.turn
        if visit.observer is None:
            return
        shown = {name: visit.blank_page(value) if isinstance(value, str) else value for name, value in (extracted or {}).items()}
        place = (turn.goal, turn.step, self.actor.name, turn.request, turn.hop)
        visit.observer.seen(Seen(*place, exchange, outcome, follows, shown, held, failure))


def _shown_origin(url: str) -> str:
    try:
        return origin_of(url)
    except ValueError:
        return raw_origin(url)
