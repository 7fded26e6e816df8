"""Messages: a request of the profile as it goes on the wire, with what a browser adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.origins import resolve
from harness.pages.forms import FilledForm, urlencoded
from harness.pages.redirects import KEEP_METHOD
from harness.pages.values import MissingValueError, as_text
from harness.profiles.bodies import query_entries
from harness.profiles.steps import BODY_HEADERS, CompiledRequest
from harness.visits.actor import Actor, raw_origin

if TYPE_CHECKING:
    from harness.visits.visit import Visit

_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Message(NamedTuple):
    """A request as it goes on the wire."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    def redirected(self, status: int, location: str) -> Message:
        """The request that a redirect leads to: 307 and 308 repeat it, the others make it a GET (Fetch Standard, 4.4)."""
        if status in KEEP_METHOD or self.method in ("GET", "HEAD"):
            return Message(self.method, location, self.headers, self.body)
        headers = self.headers.copy()
        for name in BODY_HEADERS.values():
            headers.pop(name, None)
        return Message("GET", location, headers, b"")


def prepare(visit: Visit, actor: Actor, request: CompiledRequest) -> Message:
    """The message of a request; raises MissingValueError for what has not been learned or is not on the page."""
    scope = visit.scope
    for name, value in request.let:
        scope[name] = value(scope)
    form = _filled(visit, actor, request) if request.form is not None else None
    url = request.url(scope)
    if type(url) is not str:
        url = as_text(url)
    if not (url.startswith("http") and url.isascii() and " " not in url and "#" not in url):
        url = _absolute(url, actor)
    if request.query:
        url += ("&" if "?" in url else "?") + urlencoded(query_entries(request.query, scope)).decode("ascii")
    if form is not None and request.body is None:  # a form that is sent by GET replaces the action's own query
        url = f"{url.partition('?')[0]}?{urlencoded(form.entries).decode('ascii')}"
    headers = (visit.headers or visit.common_headers()).copy()
    if actor.page is not None:  # some portals check them
        within = url.startswith(actor.page_root) or raw_origin(url) == actor.page_origin
        headers["Referer"] = actor.page.url if within else actor.page_root  # strict-origin-when-cross-origin
        if request.method in _WRITING:
            headers["Origin"] = actor.page_origin
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


def _filled(visit: Visit, actor: Actor, request: CompiledRequest) -> FilledForm:
    assert request.form is not None
    page = actor.page if request.form.page_name is None else visit.kept.get(request.form.page_name)
    if page is None:
        raise MissingValueError("there is no page with a form yet")
    form = request.form.fill(page, visit.scope, lambda count: visit.context.index_for(request.key, count))
    visit.scope["form"] = {"action": form.action, "method": form.method, "fields": form.values}
    return form


def _absolute(url: str, actor: Actor) -> str:
    """An address as a browser would send it, relative to the page that is shown."""
    if not url:
        raise MissingValueError("the address is empty")
    if actor.page is None and not url.startswith("http"):
        raise MissingValueError(f"{url[:80]} is relative, and there is no page yet")
    return resolve(actor.page.base if actor.page is not None else url, url)
