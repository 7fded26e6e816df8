"""Composing a request of a profile: its address, form, headers and body, with what a browser adds."""

from __future__ import annotations

import re
from urllib.parse import quote

from harness.catalog import Target
from harness.origins import locate_origin, origin_of, resolve, shown_origin, without_fragment
from harness.pages.forms import FilledForm, urlencoded
from harness.pages.values import MissingValueError, as_text
from harness.profiles.bodies import evaluated
from harness.profiles.executable import BODY_HEADERS, CompiledRequest
from harness.profiles.template import Compiled, Scope
from harness.visits.actor import Actor
from harness.visits.outgoing import OutgoingRequest, referer
from harness.visits.state import VisitState

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VISIT_HEADER = "X-Performance-Test-Visit"
"""In every request of a sweep, so that operators find our lines in their logs, and we theirs in our rows."""
TRACE_HEADER = "traceparent"
_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_UNFIT_FOR_A_HEADER = re.compile(r"[\r\n\0\ud800-\udfff]")
_BROWSER_HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; dichvucong-harness; kiem-thu-hieu-nang)",
    "Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8",
    "Accept-Language": "vi-VN,vi;q=0.9,en;q=0.5",
}
_SPELLED = BODY_HEADERS | {name.lower(): name for name in (*_BROWSER_HEADERS, "Referer")}


def compose(state: VisitState, actor: Actor, request: CompiledRequest) -> OutgoingRequest:
    """The request to send; raises MissingValueError for a value that was never learned or is not on the page."""
    scope = state.scope
    for name, value in request.let:
        scope[name] = value(scope)
    form = _filled(state, actor, request) if request.form is not None else None
    url = _absolute(as_text(request.url(scope)), actor)
    if form is not None and request.body is None:  # a form that is sent by GET replaces the query of its action
        url = f"{without_fragment(url).partition('?')[0]}?{urlencoded(form.entries, form.encoding).decode('ascii')}"
    if query := evaluated(request.query, scope):
        url = without_fragment(url)
        url += ("&" if "?" in url else "?") + urlencoded(query).decode("ascii")
    headers = common_headers(state) | _page_headers(actor, request.method, url)
    body = b""
    if request.body is not None:
        body, content_type = request.body(scope, form)
        if content_type:
            headers["Content-Type"] = content_type
    headers.update(written_headers(request.headers, scope))
    headers = _with_contact(headers, state.target)
    if request.bearer is not None:
        bearer = state.platform.bearers[request.bearer]
        headers[bearer.header] = _on_one_line(bearer.header, bearer.scheme + as_text(bearer.token(scope)))
    return OutgoingRequest(request.method, url, headers, body)


def common_headers(state: VisitState) -> dict[str, str]:
    """The headers of every request, evaluated once: a browser does not change during a visit."""
    if not state.headers:
        named = {VISIT_HEADER: visit_mark(state.sweep, state.target.portal, state.visit)} if state.sweep else {}
        state.headers = _with_contact(_BROWSER_HEADERS | written_headers(state.platform.headers, state.scope) | named, state.target)
    return state.headers


def with_trace(state: VisitState, url: str, headers: dict[str, str]) -> dict[str, str]:
    """The headers of a request, with the visit's trace if it goes to one of the portal's own hosts.

    Shared hosts are not told: their operators have not agreed to be traced, and could link a visit across portals.
    """
    if not state.traceparent or not state.target.is_own(origin_of(url)):
        return headers
    return {name: value for name, value in headers.items() if name.lower() != TRACE_HEADER} | {TRACE_HEADER: state.traceparent}


def _with_contact(headers: dict[str, str], target: Target) -> dict[str, str]:
    """The headers with the contact of the authorisation in the User-Agent, whichever one a profile sets."""
    contact = target.authorisation.contact if target.authorisation is not None else ""
    if not contact or contact in headers["User-Agent"]:
        return headers
    return headers | {"User-Agent": f"{headers['User-Agent']} (contact {contact})"}


def visit_mark(sweep: str, portal: str, visit: int) -> str:
    """The value of ``VISIT_HEADER``: sweep, portal and number of the visit, in ASCII."""
    return quote(f"{sweep}/{portal}/{visit}")


def written_headers(headers: Compiled, scope: Scope) -> dict[str, str]:
    """The headers of a profile; one that a browser sends too has the browser's spelling, and so replaces it."""
    if not (given := headers.value(scope)):
        return {}
    written = ((as_text(name), as_text(value)) for name, value in given.items())
    return {_SPELLED.get(name.lower(), name): _on_one_line(name, value) for name, value in written}


def _on_one_line(name: str, value: str) -> str:
    """The value of a header; a page may have given one that would begin another header, or that no request can hold."""
    if not _HEADER_NAME.fullmatch(name):
        raise MissingValueError(f"{name[:80]!r} is no name of a header")
    if _UNFIT_FOR_A_HEADER.search(value):
        raise MissingValueError(f"the value for the header {name} has a line end or a character that no header can hold")
    return value


def may_send_to(target: Target, url: str) -> bool:
    """Whether the origin of a URL is one of the target."""
    origin = locate_origin(url)
    return origin is not None and target.allowed(origin.text)


def _page_headers(actor: Actor, method: str, url: str) -> dict[str, str]:
    """Referer and Origin, which some portals check, by the policy strict-origin-when-cross-origin."""
    if actor.page is None:
        return {}
    headers = {"Referer": referer(actor.page.url, url)}
    if method in _WRITING:
        headers["Origin"] = shown_origin(actor.page.url)
    return headers


def _filled(state: VisitState, actor: Actor, request: CompiledRequest) -> FilledForm:
    assert request.form is not None
    page = actor.page if request.form.page_name is None else state.kept_pages.get(request.form.page_name)
    if page is None:
        raise MissingValueError("there is no page with a form yet")
    form = request.form.fill(page, state.scope, lambda count: state.context.index_for(request.key, count))
    state.scope["form"] = {"action": form.action, "method": form.method, "fields": form.values}
    return form


def _absolute(url: str, actor: Actor) -> str:
    """An address as a browser would send it, relative to the current page of the actor."""
    if not url:
        raise MissingValueError("the address is empty")
    if actor.page is None and not url.startswith("http"):
        raise MissingValueError(f"{url[:80]} is relative, and there is no page yet")
    return resolve(actor.page.base if actor.page is not None else url, url)
