"""The results folder as pages on this machine: an index of sweeps, the scoreboard over nights, the published files."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import h11
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from harness.catalog.ids import is_id
from harness.errors import EnvironmentFault, EvidenceError, Problem
from harness.evidence.folder import REPORT_HTML
from harness.publish.event_stream import EventStream, Listeners
from harness.publish.history import (
    NIGHTS_CSV,
    PUBLISHED,
    find_sweeps,
    nights_table,
    over_nights,
    reused_version_text,
    reused_versions,
    windows_of,
)
from harness.publish.live_page import live_page, live_sweeps, live_view
from harness.publish.metrics_page import metrics_page
from harness.publish.night_board import movement_note, night_board
from harness.publish.night_strips import criterion_over_nights, strip_chart, threshold_words
from harness.publish.rendering import language_script, render, script_digest, template_text
from harness.publish.report import PORTAL_PAGES
from harness.publish.review_page import review_page
from harness.publish.tables import csv_bytes
from harness.publish.trend import trend
from harness.publish.wording import LANGUAGES

_HOST = "127.0.0.1"  # the pages are for users of this machine
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
LARGEST_HEAD_BYTES = 16_384
"""The most bytes of a request's head (assumed: a browser's has some hundred)."""
HEAD_WITHIN_S = 10.0
"""The longest time that a connection may be without a whole request (assumed: a browser on this machine sends one at once)."""
MOST_CONNECTIONS = 64
"""The most connections at once; further ones are answered 503 (assumed: a browser opens six)."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src {}; connect-src 'self'"
"""Styles stand in the pages themselves, and charts set lengths by attributes `style`."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY.format(f"'self' '{script_digest(language_script())}'"),
}  # fmt: skip
_FROM_DISK = {**_HEADERS, "Content-Security-Policy": _POLICY.format("'unsafe-inline'")}
"""A report has to work from disk too, so its own policy, in the page, says which script may run: none, or the one that sorts a table."""


def site(folder: Path) -> Starlette:
    """The pages as an application; it reads the folder anew for every page."""
    listeners = Listeners()

    def index(_request: Request) -> Response:
        return _page("index.html.j2", sweeps=find_sweeps(folder), live=live_sweeps(folder))

    def newest_live(_request: Request) -> Response:
        found = live_sweeps(folder)
        return RedirectResponse(f"/sweeps/{quote(found[0].name, safe='')}/live", headers=_HEADERS) if found else _page("no_sweep.html.j2")

    def live(request: Request) -> Response:
        return HTMLResponse(live_page(folder, _existing(folder, request.path_params["sweep"])), headers=_HEADERS)

    def events(request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise HTTPException(403)  # a page elsewhere would use up the places of those who listen
        sweep = _existing(folder, request.path_params["sweep"])
        if not listeners.has_room():
            return PlainTextResponse("too many listeners", 503, headers={**_HEADERS, "Retry-After": "10"})
        return EventStream(lambda: live_view(folder, sweep), listeners, _HEADERS)

    def metrics(request: Request) -> Response:
        content, media_type = metrics_page(folder, request.headers.get("accept", ""))
        return Response(content, headers={**_HEADERS, "Content-Type": media_type})

    def script(_request: Request) -> Response:
        return Response(template_text("live.js"), media_type="text/javascript; charset=utf-8", headers=_HEADERS)

    def nights(_request: Request) -> Response:
        sweeps = find_sweeps(folder)
        reports = {sweep.scores.sweep: sweep.name for sweep in sweeps if sweep.scores is not None and REPORT_HTML in sweep.files}
        tables = [(table, night_board(table)) for table in over_nights(sweeps)]
        return _page(
            "nights.html.j2", tables=tables, reports=reports, windows_of=windows_of, table_csv=NIGHTS_CSV, trend=trend,
            movement_note=movement_note(), reused=reused_versions(table.criteria_set for table, _ in tables),
            reused_version=reused_version_text,
        )  # fmt: skip

    def nights_of_criterion(request: Request) -> Response:
        criterion = request.path_params["criterion"]
        boards = [(table, board) for table in over_nights(find_sweeps(folder)) if (board := criterion_over_nights(table, criterion))]
        if not boards:
            raise HTTPException(404)
        return _page(
            "night_strips.html.j2", boards=boards, strip_chart=strip_chart, threshold_words=threshold_words, movement_note=movement_note()
        )

    def nights_as_csv(_request: Request) -> Response:
        return Response(csv_bytes(nights_table(find_sweeps(folder))), media_type=_MEDIA_TYPES[".csv"], headers=_HEADERS)

    def review(request: Request) -> Response:
        return HTMLResponse(review_page(folder, _existing(folder, request.path_params["sweep"])), headers=_HEADERS)

    def published(request: Request) -> Response:
        if request.path_params["name"] not in PUBLISHED:
            raise HTTPException(404)
        return _file(folder, request.path_params["sweep"], request.path_params["name"])

    def portal_page(request: Request) -> Response:
        page = request.path_params["page"]
        if re.fullmatch(r"p\d+\.html", page) is None:
            raise HTTPException(404)
        return _file(folder, request.path_params["sweep"], PORTAL_PAGES, page)

    def failed_page(request: Request) -> Response:
        portal, page = request.path_params["portal"], request.path_params["page"]
        if not is_id(portal) or re.fullmatch(r"[a-z_]+-[a-z_]+-\d+\.html", page) is None:
            raise HTTPException(404)
        return _file(folder, request.path_params["sweep"], "pages", portal, page)

    routes = [
        Route("/", index),
        Route("/metrics", metrics),
        Route("/live", newest_live),
        Route("/live.js", script),
        Route("/sweeps/{sweep}/live", live),
        Route("/sweeps/{sweep}/live/events", events),
        Route("/nights", nights),
        Route("/nights/{criterion}", nights_of_criterion),
        Route(f"/{NIGHTS_CSV}", nights_as_csv),
        Route("/sweeps/{sweep}/review", review),
        Route("/sweeps/{sweep}/{name}", published),
        Route("/sweeps/{sweep}/report/{page}", portal_page),
        Route("/sweeps/{sweep}/pages/{portal}/{page}", failed_page),
    ]
    # Without this check a web page elsewhere could read these pages through a host name that resolves to 127.0.0.1.
    pages = Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[_HOST, "localhost"])])
    pages.state.listeners = listeners
    return pages


def serve(folder: Path, port: int = 0, *, announce: Callable[[str], None] = print) -> None:
    """Serves the results on loopback until Ctrl-C; port 0 lets the kernel pick one.

    ``announce`` is called with the address once it accepts connections. Raises EvidenceError where the folder is missing and
    EnvironmentFault where the port is taken.
    """
    if not folder.is_dir():
        raise EvidenceError.missing(folder, "a folder of sweeps", "Name the results folder; `harness demo` makes one.")
    try:
        listener = socket.create_server((_HOST, port))
    except (OSError, OverflowError) as error:
        remedy = "Name another port, or 0 to let the system pick one."
        raise EnvironmentFault(Problem("serve", "port", f"{port} ({error})", "a free port of this machine", remedy)) from error
    with listener, suppress(KeyboardInterrupt):  # Ctrl-C; uvicorn has closed everything by then
        announce(f"http://{_HOST}:{listener.getsockname()[1]}/")
        server(folder).run(sockets=[listener])


def server(folder: Path) -> uvicorn.Server:
    """A server of the pages, for a socket that listens already."""
    pages = site(folder)
    return _Server(
        uvicorn.Config(
            pages, http=_Bounded, ws="none", log_level="warning", lifespan="off", server_header=False, timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=LARGEST_HEAD_BYTES, limit_concurrency=MOST_CONNECTIONS,
        )
    )  # fmt: skip


class _Server(uvicorn.Server):
    """A server that ends its streams when it ends. uvicorn itself would wait, and then cut them off with a traceback."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.listeners.closing = True  # type: ignore[union-attr]
        await super().shutdown(sockets)


class _Bounded(H11Protocol):
    """A connection that is closed where it has no whole request after some seconds."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._timer = self.loop.call_later(HEAD_WITHIN_S, self._close_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def _close_idle(self) -> None:
        if self.conn.their_state is h11.IDLE:
            self.transport.close()
        self._timer = self.loop.call_later(HEAD_WITHIN_S, self._close_idle)


def _existing(folder: Path, sweep: str) -> str:
    """The name of an existing folder, so that a request cannot form a path."""
    if sweep not in {found.name for found in folder.iterdir() if found.is_dir() and not found.is_symlink()}:
        raise HTTPException(404)
    return sweep


def _file(folder: Path, sweep: str, *rest: str) -> FileResponse:
    """A published file of a sweep."""
    path = folder.joinpath(_existing(folder, sweep), *rest)
    if not path.is_file() or path.resolve() != folder.resolve().joinpath(sweep, *rest):  # a link may lead anywhere
        raise HTTPException(404)
    return FileResponse(path, media_type=_MEDIA_TYPES[path.suffix], headers=_FROM_DISK)


def _page(template: str, **values: object) -> HTMLResponse:
    return HTMLResponse(
        render(template, LANGUAGES, **values, link=lambda *parts: "/".join(quote(part, safe="") for part in parts)), headers=_HEADERS
    )
