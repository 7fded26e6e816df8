"""The control API: counts for reconciliation, and settings that a test changes while the portals run."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from harness.errors import CatalogError
from harness.simulator.configuration import patched
from harness.simulator.http_messages import whole_number
from harness.simulator.origin import SimulatedOrigin
from harness.simulator.portal import SimulatedPortal
from harness.simulator.procedures import Procedures
from harness.simulator.truth import TruthLog


class _RefusedError(Exception):
    """A control request with a mistake; the text says which."""


class ControlApi:
    """An origin without delays, faults or rows in the truth log."""

    def __init__(self, origins: Mapping[str, SimulatedOrigin], database: sqlite3.Connection, truth: TruthLog) -> None:
        self.url = ""
        self._origins = origins
        self._procedures = Procedures(database)
        self._truth = truth
        self._app = Starlette(
            routes=[
                Route("/ready", self.ready),
                Route("/counts", self.counts),
                Route("/flush", self.flush),
                Route("/dossiers", self.dossiers),
                Route("/truth", self.rows),
                Route("/freeze-origin", self.set_freeze_origin, methods=["POST"]),
                Route("/faults", self.set_faults, methods=["POST"]),
                Route("/personality", self.set_personality, methods=["POST"]),
            ],
            exception_handlers={_RefusedError: _refusal},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        await self._app(scope, receive, send)

    async def ready(self, request: Request) -> Response:
        """Answers as soon as the process serves."""
        return JSONResponse({"ready": True, "broken_pages": SimulatedOrigin.broken_pages})

    async def counts(self, request: Request) -> Response:
        """Rows and requests of each portal; requests of identity provider and gateway."""
        procedures = self._procedures.count()
        found: dict[str, Any] = {}
        for name, origin in self._origins.items():
            found[name] = {"requests": origin.requests, "in_flight": origin.in_flight, "queued": origin.queue.waiting}
            if isinstance(origin, SimulatedPortal):
                found[name] |= {"procedures": procedures} | origin.store.counts()
        return JSONResponse(found)

    async def flush(self, request: Request) -> Response:
        """Answers when every row so far can be read from the truth log."""
        await self._truth.flush()
        return JSONResponse({"truth_log": str(self._truth.path)})

    async def dossiers(self, request: Request) -> Response:
        """Every dossier of one portal."""
        origin = self._origin(request.query_params.get("portal", ""))
        return JSONResponse(origin.store.ledger() if isinstance(origin, SimulatedPortal) else [])

    async def rows(self, request: Request) -> Response:
        """Lines of the truth log, of one portal or all, from a moment on."""
        portal, since = request.query_params.get("portal", ""), request.query_params.get("since_us", "0")
        if portal:
            self._origin(portal)
        if whole_number(since, -1) < 0:
            raise _RefusedError(f"since_us is {since!r}; expected microseconds of the monotonic clock. Send a whole number.")
        return StreamingResponse(self._truth.lines(portal, whole_number(since, 0)), media_type="application/jsonl")

    async def set_freeze_origin(self, request: Request) -> Response:
        """Counts a portal's freezes from a moment on."""
        asked = await _object(request)
        moment = asked.get("at_monotonic_us")
        if not isinstance(moment, int):
            raise _RefusedError(f"at_monotonic_us is {moment!r}; expected microseconds of the monotonic clock. Send a whole number.")
        self._origin(asked.get("portal")).queue.set_freeze_origin(moment)
        return JSONResponse({"portal": asked["portal"], "at_monotonic_us": moment})

    async def set_faults(self, request: Request) -> Response:
        """Replaces a portal's faults."""
        asked = await _object(request)
        return self._changed(asked.get("portal"), {"faults": asked.get("faults", [])})

    async def set_personality(self, request: Request) -> Response:
        """Replaces the named traits of a portal; the others stay."""
        asked = await _object(request)
        return self._changed(asked.pop("portal", None), asked)

    def _changed(self, portal: object, traits: dict[str, Any]) -> Response:
        origin = self._origin(portal)
        try:
            origin.change(patched(origin.personality, traits, f"control request for {portal}"))
        except CatalogError as error:
            raise _RefusedError(str(error)) from error
        return JSONResponse({"portal": portal, "changed": sorted(traits)})

    def _origin(self, name: object) -> SimulatedOrigin:
        origin = self._origins.get(name) if isinstance(name, str) else None
        if origin is None:
            raise _RefusedError(f"portal is {name!r}; expected one of {', '.join(self._origins)}. Name an origin of this process.")
        return origin


async def _object(request: Request) -> dict[str, Any]:
    try:
        value = await request.json()
    except ValueError as error:
        raise _RefusedError(f"the body is not JSON ({error}); expected a JSON object.") from error
    if not isinstance(value, dict):
        raise _RefusedError("the body is not an object; expected a JSON object.")
    return value


async def _refusal(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=422)
