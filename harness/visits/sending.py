"""Sending one request of a visit: its redirects hop by hop, its rows, and its answer judged and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import monotonic_ns
from typing import Any, NamedTuple

from harness.client import Exchange, PhaseTimeouts
from harness.origins import locate, origin_of, resolve, why_not_sendable
from harness.pages.page import Page
from harness.pages.redirects import REDIRECTS, page_redirect
from harness.pages.values import MissingValueError
from harness.profiles.executable import CompiledRequest
from harness.profiles.expectation import Broken, Expectation
from harness.profiles.our_fault import OurFaultError
from harness.records import OVERLOAD_STATUSES, PORTAL, Outcome
from harness.visits.actor import Actor
from harness.visits.blanking import blank, blank_page
from harness.visits.composing import compose, may_send_to, with_trace
from harness.visits.observer import Seen
from harness.visits.outgoing import OutgoingRequest
from harness.visits.receipt_keeping import note_looked_up
from harness.visits.recording import record_answer, record_unanswered
from harness.visits.state import InFlight, RequestPlace, StepFailed, VisitState
from harness.visits.timing import monotonic_us, take_due_us

_NOT_SHOWN = frozenset({Outcome.WRONG_CONTENT, Outcome.EXTRACTION})
_NO_ROOM = "a redirect for which the authorised rate has no room"
_UNREADABLE = Broken("an answer that neither our parser nor a second one can read")


class SendResult(NamedTuple):
    """The result of a request that did not fail."""

    page: Page
    refused: bool = False  # its status is one of those that the caller tolerates
    waiting_for: Broken | None = None  # what does not hold yet of the answer that the caller waits for


@dataclass(slots=True)
class Sending:
    """One request from its preparation to its last row. What it learns goes into the scope of the visit."""

    state: VisitState
    actor: Actor
    request: CompiledRequest
    place: RequestPlace
    locations: list[str] = field(default_factory=list)  # where redirects led

    def run(self, until: Expectation | None = None, tolerate: frozenset[int] = frozenset()) -> SendResult:
        """Send and follow redirects; raises StepFailed after the rows are recorded."""
        state, place, request = self.state, self.place, self.request
        place.intended_us = take_due_us(state, place.wait_us)
        place.path_template = request.path_template
        began_ns = monotonic_ns()
        try:
            outgoing = compose(state, self.actor, request)
        except (MissingValueError, UnicodeEncodeError) as error:
            raise self._unsent(Outcome.EXTRACTION, str(error)) from None
        except OurFaultError as fault:
            raise self._unsent(Outcome.DROPPED, str(fault)) from None
        while True:
            state.parsing_ns += monotonic_ns() - began_ns
            exchange = self._exchange(outgoing)
            began_ns = monotonic_ns()
            page = Page(exchange)
            if beyond := page.beyond_bounds:
                raise self._failed(exchange, Outcome.WRONG_CONTENT, beyond, broken=Broken(beyond))
            redirect = self._redirect(page, outgoing)
            if redirect is None or place.hop >= request.hops_max:
                break
            record_answer(state, place, exchange, Outcome.OK)
            outgoing, wait_s = redirect
            self._show(exchange, Outcome.OK, follows=outgoing.url)
            wait_us = wait_s * 1_000_000
            place.hop, place.intended_us, place.wait_us = place.hop + 1, exchange.end_us + wait_us, wait_us
            if wait_us:
                state.callbacks.sleep(max((place.intended_us - monotonic_us()) / 1e6, 0.0))
                began_ns = monotonic_ns()
            if state.callbacks.may_follow is not None and not state.callbacks.may_follow():
                raise self._unsent(Outcome.NOT_SERVED, _NO_ROOM, outgoing.method)
        try:
            return self._judged(page, until, tolerate)
        finally:
            state.parsing_ns += monotonic_ns() - began_ns

    def _exchange(self, outgoing: OutgoingRequest) -> Exchange:
        """Send one hop and read its answer, whatever its status."""
        state, place = self.state, self.place
        if state.callbacks.on_time is not None and not state.last_end_us:
            state.callbacks.on_time(place.intended_us)
        if not may_send_to(state.target, outgoing.url):
            raise self._not_allowed(outgoing)
        if state.callbacks.stop_if_cut is not None and not place.hop:  # a redirect may show the code of what is stored by now
            state.callbacks.stop_if_cut()
        timeouts = self._time_limits(outgoing)
        state.in_flight = InFlight(place, outgoing, monotonic_us())
        exchange = self.actor.session.request(
            outgoing.method, outgoing.url, headers=with_trace(state, outgoing.url, outgoing.headers), body=outgoing.body, timeouts=timeouts
        )
        state.in_flight = None
        state.last_end_us = exchange.end_us
        used_up = self._used_up(exchange)
        if exchange.outcome is Outcome.PROTOCOL:
            raise self._failed(exchange, Outcome.PROTOCOL, exchange.error, Page(replace(exchange, body=exchange.received)), _UNREADABLE)
        if exchange.outcome is not Outcome.OK:
            raise self._failed(exchange, exchange.outcome, str(used_up or exchange.error), broken=used_up)
        return exchange

    def _time_limits(self, outgoing: OutgoingRequest) -> PhaseTimeouts | None:
        """The time limits of one hop; StepFailed where the visit's patience has no time left for its host."""
        patience = self.state.patience
        if patience is None:
            return self.request.timeouts
        host = origin_of(outgoing.url)
        owner = self.state.target.owners.get(host, PORTAL)
        if patience.left_us(owner) <= 0:
            raise self._unsent(Outcome.TIMEOUT, patience.rule(owner), outgoing.method, host)
        return patience.limits(owner, self.request.timeouts)

    def _used_up(self, exchange: Exchange) -> Broken | None:
        """Take the time of an answer from the visit's patience; the rule that is broken where that ended the request."""
        patience = self.state.patience
        if patience is None:
            return None
        owner = self.state.target.owners.get(exchange.host, PORTAL)
        patience.spend(owner, exchange.end_us - exchange.start_us)
        return Broken(patience.rule(owner)) if exchange.outcome is Outcome.TIMEOUT and patience.left_us(owner) <= 0 else None

    def _redirect(self, page: Page, outgoing: OutgoingRequest) -> tuple[OutgoingRequest, int] | None:
        """The request to which an answer leads in the ways that the profile follows, and the seconds to wait before it."""
        location = page.exchange.headers.get_escaped("location") if page.status in REDIRECTS else ""
        if location:
            target = _located(page.url, location)
            self.locations.append(target)
            return (outgoing.redirected(page.status, target), 0) if self.request.follow_http else None
        kinds = self.request.follow_page
        found = page_redirect(page, kinds) if kinds else None
        if found is None:
            return None
        self.locations.append(found.url)
        return outgoing.sent_on(page.url, found.url), found.delay_s

    def _judged(self, page: Page, until: Expectation | None, tolerate: frozenset[int]) -> SendResult:
        state, request, exchange = self.state, self.request, page.exchange
        if page.status in tolerate:
            record_answer(state, self.place, exchange, Outcome.OK)
            self._show(exchange, Outcome.OK)
            return SendResult(page, refused=True)
        if page.is_document:
            self.actor.page = page
        elif page.is_partial and self.actor.page is not None:
            self.actor.page = self.actor.page.changed_by(page)
        scope = state.scope
        scope["page"] = {"url": page.url, "status": page.status}
        extracted: dict[str, Any] = {}
        try:
            broken = request.expect.broken(page, scope, self.locations)
            if broken is not None:
                raise self._failed(exchange, self._blame(page, broken), str(broken), page, broken)
            waiting_for = until.broken(page, scope, self.locations) if until is not None else None
            held = self._held(until if waiting_for is None else None)
            if waiting_for is None:
                extracted = {extractor.name: extractor.value(page, scope, self) for extractor in request.extract}
                broken = request.expect.broken_value(extracted, scope)
                if broken is not None:
                    raise self._failed(exchange, self._blame(page, broken), str(broken), page, broken)
                self._learn(extracted)
        except MissingValueError as error:
            broken = Broken(str(error))
            raise self._failed(exchange, self._blame(page, broken, Outcome.EXTRACTION), str(error), page, broken) from None
        except OurFaultError as fault:
            raise self._failed(exchange, Outcome.DROPPED, str(fault), page, Broken(str(fault))) from None
        record_answer(state, self.place, exchange, Outcome.OK)
        self._show(exchange, Outcome.OK, extracted=extracted, held=held)
        if request.keep_page is not None:
            state.kept_pages[request.keep_page] = page
        return SendResult(page, waiting_for=waiting_for)

    def _learn(self, extracted: Mapping[str, Any]) -> None:
        self.state.scope.update(extracted)
        for name, bearer in self.state.platform.bearers.items():
            if not bearer.names.isdisjoint(extracted):
                self.state.tokens_learned_us[name] = self.state.last_end_us

    def cookie(self, name: str) -> str | None:
        """The cookie that this actor would send to where the last answer came from."""
        return self.actor.session.cookies_for(self.state.scope["page"]["url"]).get(name)

    def draw(self, purpose: str, count: int) -> int:
        """A seeded number below ``count``."""
        return self.state.context.index_for(f"{self.request.key}.{purpose}", count)

    def _blame(self, page: Page, broken: Broken, otherwise: Outcome = Outcome.WRONG_CONTENT) -> Outcome:
        """What kind of failure an answer is: a wall, a refusal of our own test data, an overload, a status, or a wrong answer."""
        if self.state.platform.blocked_by(page, alone=self.state.alone) is not None:
            return Outcome.BLOCKED
        if broken.ours:
            return Outcome.DROPPED
        if page.status in OVERLOAD_STATUSES:
            return Outcome.NOT_SERVED
        return Outcome.HTTP_ERROR if broken.of_status else otherwise

    def _not_allowed(self, outgoing: OutgoingRequest) -> StepFailed:
        """The failure of a request to a host that is not one of the target's: nothing was sent."""
        self.state.last_end_us = monotonic_us()
        origin, _ = locate(outgoing.url)
        host = origin.text if origin is not None else outgoing.url[:80]
        error = f"{host} may not be sent requests" if origin is not None else why_not_sendable(outgoing.url)
        refused = Exchange(outgoing.method, outgoing.url, host, Outcome.LEFT_ALLOWED_HOSTS, error, end_us=self.state.last_end_us)
        return self._failed(refused, refused.outcome, error)

    def _failed(
        self, exchange: Exchange, outcome: Outcome, detail: str, page: Page | None = None, broken: Broken | None = None
    ) -> StepFailed:
        state, place = self.state, self.place
        record_answer(state, place, exchange, outcome)
        if self.request.confirms is not None and outcome in _NOT_SHOWN:
            note_looked_up(state, self.request.confirms, "missing", place)
        blocked = state.platform.blocked_by(page, alone=state.alone) if page is not None and outcome is Outcome.BLOCKED else None
        seen = broken.seen(lambda text: blank_page(state, text)) if broken is not None else ""
        shown = blank(state, f"{blocked} ({detail}{seen})" if blocked else f"{detail}{seen}")
        self._show(exchange, outcome, failure=shown)
        means, rule = (broken.means, blank(state, broken.rule)) if broken is not None else ("", "")
        return StepFailed(outcome, place.goal, place.step, shown, page=page, means=means or blocked or "", rule=rule)

    def _unsent(self, outcome: Outcome, detail: str, method: str = "", host: str = "") -> StepFailed:
        """The failure of a request that was not sent; its row never began."""
        state, place = self.state, self.place
        state.last_end_us = monotonic_us()
        record_unanswered(state, place, outcome, state.last_end_us, method=method or self.request.method, host=host)
        shown = blank(state, detail)
        return StepFailed(outcome, place.goal, place.step, shown, page=self.actor.page, rule=shown)

    def _held(self, until: Expectation | None) -> tuple[str, ...]:
        """The rules that held, for the observer."""
        if self.state.callbacks.observer is None:
            return ()
        return tuple(
            shown
            for expectation in (self.request.expect, until)
            if expectation is not None
            for shown in expectation.shown(self.state.scope, lambda text: blank_page(self.state, text))
        )

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
        state, place = self.state, self.place
        if state.callbacks.observer is None:
            return
        shown = {name: blank_page(state, value) if isinstance(value, str) else value for name, value in (extracted or {}).items()}
        where = (place.goal, place.step, self.actor.name, place.request, place.hop)
        state.callbacks.observer.seen(Seen(*where, exchange, outcome, follows, shown, held, failure))


def _located(url: str, location: str) -> str:
    """The address in a Location; without a fragment of its own it keeps that of the request (Fetch Standard, "location URL")."""
    target, fragment = resolve(url, location), url.partition("#")[2]
    return f"{target}#{fragment}" if fragment and "#" not in target else target
