"""Sending one request of a visit: its redirects hop by hop, its row or rows, its answer judged and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.catalog import origin_of
from harness.client import Exchange
from harness.samples import Outcome, Sample
from harness.steps.actor import Actor, raw_origin
from harness.steps.bodies import query_entries
from harness.steps.compiled import CompiledRequest
from harness.steps.expectation import Broken, Expectation
from harness.steps.failure import StepFailed
from harness.steps.forms import FilledForm, urlencoded
from harness.steps.functions import PoolExhaustedError
from harness.steps.observer import Seen
from harness.steps.page import Page, resolve
from harness.steps.redirects import KEEP_METHOD, REDIRECTS, page_redirect
from harness.steps.template import MissingValueError, as_text

if TYPE_CHECKING:
    from harness.steps.visit import Visit

_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Message(NamedTuple):
    """A request as it goes on the wire."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


class Position(NamedTuple):
    """Which row: goal, step, request within the step, which time the step is done."""

    goal: str
    step: str
    request: int
    attempt: int


class InFlight(NamedTuple):
    """A request that has not been answered: what its row says if it is cut off."""

    position: Position
    hop: int
    message: Message
    intended_us: int
    wait_us: int
    start_us: int


def send(
    visit: Visit,
    actor: Actor,
    request: CompiledRequest,
    at: Position,
    wait_us: int = 0,
    until: Expectation | None = None,
    tolerate: frozenset[int] = frozenset(),
) -> Page | None:
    """Send a request and follow it; what is learned goes into the visit's scope.

    Answers the page, or None where ``until`` does not hold yet or its status is one to ``tolerate``. Raises StepFailed;
    its rows are recorded before.
    """
    intended_us = visit.due_us(wait_us)
    try:
        message = prepare(visit, actor, request)
    except MissingValueError as error:
        raise _unsent(visit, request, at, intended_us, wait_us, Outcome.EXTRACTION, str(error), actor.page) from None
    except PoolExhaustedError as error:
        raise _unsent(visit, request, at, intended_us, wait_us, Outcome.DROPPED, str(error), actor.page) from None
    locations: list[str] = []
    hop = 0
    while True:
        exchange = _exchange(visit, actor, message, request, at, hop, intended_us, wait_us)
        if exchange.outcome is not Outcome.OK:
            raise _failed(visit, actor, exchange, at, hop, intended_us, wait_us, Outcome(exchange.outcome), exchange.error, None)
        began_ns = perf_counter_ns()
        page = Page(exchange)
        try:
            location = _leads_to(page, request)
            if location is not None:
                locations.append(location)
                if hop < request.hops_max:
                    visit.record_row(exchange, at, hop, intended_us, wait_us, Outcome.OK)
                    if visit.observer is not None:
                        _show(visit, actor, exchange, at, hop, Outcome.OK, follows=location)
                    message = _redirected(message, exchange.status, location)
                    hop, intended_us, wait_us = hop + 1, exchange.end_us, 0
                    continue
            if page.status in tolerate:
                visit.record_row(exchange, at, hop, intended_us, wait_us, Outcome.OK)
                if visit.observer is not None:
                    _show(visit, actor, exchange, at, hop, Outcome.OK)
                return None
            return _judge(visit, actor, request, page, at, hop, intended_us, wait_us, locations, until)
        finally:
            visit.parsing_ns += perf_counter_ns() - began_ns


def prepare(visit: Visit, actor: Actor, request: CompiledRequest) -> Message:
    """The request as it goes on the wire; raises MissingValueError for what has not been learned."""
    scope = visit.scope
    form: FilledForm | None = None
    if request.form is not None:
        page = actor.page if request.form.page_name is None else visit.kept.get(request.form.page_name)
        if page is None:
            raise MissingValueError("there is no page with a form yet")
        began_ns = perf_counter_ns()
        form = request.form.fill(page, scope, lambda: visit.context.random_for(request.key))
        visit.parsing_ns += perf_counter_ns() - began_ns
        scope["form"] = {"action": form.action, "method": form.method, "fields": form.values}
    for name, value in request.let:
        scope[name] = value(scope)
    url = as_text(request.url(scope))
    if not url:
        raise MissingValueError("the address is empty")
    if not url.isascii() or " " in url or "#" in url:
        url = resolve(actor.page.base if actor.page is not None else url, url)
    elif not url.startswith("http"):
        url = resolve(actor.page.base if actor.page is not None else "", url)
    if request.query:
        url += ("&" if "?" in url else "?") + urlencoded(query_entries(request.query, scope)).decode("ascii")
    if form is not None and request.body is None:
        url = f"{url.partition('?')[0]}?{urlencoded(form.entries).decode('ascii')}"
    headers = dict(visit.common_headers())
    if actor.page is not None:
        _add_context(headers, actor, request.method, url)
    body = b""
    if request.body is not None:
        body, content_type = request.body(scope, form)
        if content_type:
            headers["Content-Type"] = content_type
    for name, value in request.headers:
        headers[name] = as_text(value(scope))
    if request.bearer is not None:
        bearer = visit.compiled.bearers[request.bearer]
        headers[bearer.header] = bearer.scheme + as_text(bearer.token(scope))
    return Message(request.method, url, headers, body)


def _add_context(headers: dict[str, str], actor: Actor, method: str, url: str) -> None:
    """Referer and Origin as a browser sends them (strict-origin-when-cross-origin): some portals check them."""
    assert actor.page is not None
    origin = actor.page_origin
    headers["Referer"] = actor.page.url if url.startswith(origin) and url[len(origin) : len(origin) + 1] in "/?" else origin + "/"
    if method in _WRITING:
        headers["Origin"] = origin


def _exchange(
    visit: Visit, actor: Actor, message: Message, request: CompiledRequest, at: Position, hop: int, intended_us: int, wait_us: int
) -> Exchange:
    now_us = visit.clock()
    if not visit.allows(raw_origin(message.url)):
        refused = Exchange(message.method, message.url, _origin_or_text(message.url), Outcome.LEFT_ALLOWED_HOSTS, end_us=now_us)
        refused.error = f"{refused.host} may not be sent requests"
        visit.last_end_us = now_us
        return refused
    visit.in_flight = InFlight(at, hop, message, intended_us, wait_us, now_us)
    exchange = actor.session.request(message.method, message.url, headers=message.headers, body=message.body, timeouts=request.timeouts)
    visit.in_flight = None
    visit.last_end_us = exchange.end_us
    visit.last_status = exchange.status
    return exchange


def _leads_to(page: Page, request: CompiledRequest) -> str | None:
    """Where an answer leads, if it is one that is followed or inspected."""
    status = page.status
    if 300 <= status < 400:
        location = page.exchange.headers.get("location") if status in REDIRECTS else ""
        if location and (request.follow_http or not request.follow_page):
            return resolve(page.url, location) if request.follow_http else None
        return None
    if request.follow_page and page.is_markup:
        return page_redirect(page, request.follow_page)
    return None


def _redirected(message: Message, status: int, location: str) -> Message:
    if status in KEEP_METHOD or (message.method in ("GET", "HEAD") and 300 <= status < 400):
        return Message(message.method, location, message.headers, message.body)
    headers = {name: value for name, value in message.headers.items() if name not in ("Content-Type", "Origin")}
    return Message("GET", location, headers, b"")


def _judge(
    visit: Visit,
    actor: Actor,
    request: CompiledRequest,
    page: Page,
    at: Position,
    hop: int,
    intended_us: int,
    wait_us: int,
    locations: Sequence[str],
    until: Expectation | None,
) -> Page | None:
    exchange, scope = page.exchange, visit.scope
    if page.is_markup:
        actor.shows(page)
    scope["page"] = {"url": page.url, "status": page.status}
    if not locations and 300 <= page.status < 400:  # inspected, not followed
        locations = [resolve(page.url, exchange.headers.get("location"))]
    extracted: dict[str, Any] | None = None
    try:
        broken = request.expect.broken(page, scope, locations)
        if broken is not None:
            outcome = _blame(visit, page, broken)
            raise _failed(visit, actor, exchange, at, hop, intended_us, wait_us, outcome, str(broken), page, broken.means)
        if until is not None and until.broken(page, scope, locations) is not None:
            visit.record_row(exchange, at, hop, intended_us, wait_us, Outcome.OK)
            if visit.observer is not None:
                _show(visit, actor, exchange, at, hop, Outcome.OK)
            return None
        if request.extract:
            extracted = _extract(visit, actor, request, page)
            scope.update(extracted)
    except MissingValueError as error:
        outcome = _blame(visit, page, Broken(str(error)), Outcome.EXTRACTION)
        raise _failed(visit, actor, exchange, at, hop, intended_us, wait_us, outcome, str(error), page) from None
    visit.record_row(exchange, at, hop, intended_us, wait_us, Outcome.OK)
    if visit.observer is not None:
        held = request.expect.labels + (until.labels if until is not None else ())
        _show(visit, actor, exchange, at, hop, Outcome.OK, extracted=extracted, held=held)
    if request.keep_page is not None:
        visit.kept[request.keep_page] = page
    return page


def _extract(visit: Visit, actor: Actor, request: CompiledRequest, page: Page) -> dict[str, Any]:
    scope, context = visit.scope, visit.context

    def cookie(name: str) -> str | None:
        return actor.session.cookies_for(page.url).get(name)

    found: dict[str, Any] = {}
    for extractor in request.extract:
        found[extractor.name] = extractor.value(page, scope, cookie, lambda: context.random_for(f"{request.key}.{extractor.name}"))  # noqa: B023  (called at once)
    return found


def _blame(visit: Visit, page: Page, broken: Broken, otherwise: Outcome = Outcome.WRONG_CONTENT) -> Outcome:
    """What a refusal is: the platform's own way of blocking, an overload, a status, or a wrong answer."""
    if visit.blocked_by(page) is not None:
        return Outcome.BLOCKED
    if page.status in visit.overload_statuses:
        return Outcome.NOT_SERVED
    return Outcome.HTTP_ERROR if broken.of_status else otherwise


def _failed(
    visit: Visit,
    actor: Actor,
    exchange: Exchange,
    at: Position,
    hop: int,
    intended_us: int,
    wait_us: int,
    outcome: Outcome,
    detail: str,
    page: Page | None,
    means: str = "",
) -> StepFailed:
    visit.record_row(exchange, at, hop, intended_us, wait_us, outcome)
    blocked = visit.blocked_by(page) if page is not None and outcome is Outcome.BLOCKED else None
    shown = visit.blank(f"{blocked} ({detail})" if blocked else detail)
    if visit.observer is not None:
        _show(visit, actor, exchange, at, hop, outcome, failure=shown)
    return StepFailed(outcome, at.goal, at.step, shown, page, means or (blocked or ""))


def _unsent(
    visit: Visit, request: CompiledRequest, at: Position, intended_us: int, wait_us: int, outcome: Outcome, detail: str, page: Page | None
) -> StepFailed:
    """The failure of a request that could not be made; it leaves a row that never began."""
    now_us = visit.clock()
    visit.last_end_us = now_us
    host = visit.target.origins.get("portal", "")
    visit.record(
        Sample(
            visit.journey, visit.visit, at.goal, at.step, at.request, 0, at.attempt, host, visit.target.owner_of(host), request.method,
            intended_us, 0, 0, now_us, 0, 0, 0, False, wait_us, 0, 0, outcome,
        )
    )  # fmt: skip
    return StepFailed(outcome, at.goal, at.step, visit.blank(detail), page)


def _show(
    visit: Visit,
    actor: Actor,
    exchange: Exchange,
    at: Position,
    hop: int,
    outcome: Outcome,
    *,
    follows: str = "",
    extracted: Mapping[str, Any] | None = None,
    held: tuple[str, ...] = (),
    failure: str = "",
) -> None:
    assert visit.observer is not None
    shown = {name: visit.blank(value) if isinstance(value, str) else value for name, value in (extracted or {}).items()}
    visit.observer.seen(Seen(at.goal, at.step, actor.name, at.request, hop, exchange, outcome, follows, shown, held, failure))


def _origin_or_text(url: str) -> str:
    try:
        return origin_of(url)
    except ValueError:
        return raw_origin(url)
