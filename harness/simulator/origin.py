"""One origin: every request is logged on arrival, waits for a server, is served, and is logged again at its last byte."""

from __future__ import annotations

import asyncio
import re
import sys
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from harness.simulator.chance import Draws, Purpose
from harness.simulator.clock import now_us, sleep_until
from harness.simulator.personality import FAULTS, Personality
from harness.simulator.station import Station
from harness.simulator.truth import TruthLog
from harness.simulator.wire import Answer, Request, html, plain

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Handler = Callable[[Request], Awaitable[Answer]]

BODY_LIMIT = 16 << 20
BROKEN_TOLD = 20  # nobody may be reading stderr, and a full pipe would stop us
CLIENT_GONE = 499  # nginx's number for a client that left before its answer; never sent, only logged


@dataclass(frozen=True, slots=True)
class Route:
    """What answers a path, and how much of a service it costs."""

    handler: Handler
    weight: float
    stores: bool = False  # leaves rows behind: skipped when the client has gone


class _Service:
    """One request's stay at a station; ends once, however often it is told to."""

    __slots__ = ("_held", "_station", "start_us")

    def __init__(self, station: Station) -> None:
        self._station = station
        self._held = False
        self.start_us = now_us()  # of what is turned away without a server

    async def begin(self) -> None:
        self.start_us = await self._station.enter()
        self._held = True

    def end(self) -> None:
        if self._held:
            self._held = False
            self._station.leave()


class Origin:
    """One listening socket's worth of HTTP: routes, a station of servers, a personality, rows in the truth log."""

    broken = 0  # pages that ended with an exception of ours, in this process
    holds_server_while_calling = True  # a portal waits for the gateway with its own server in hand; shared hosts do not

    def __init__(self, name: str, personality: Personality, seed: int, truth: TruthLog) -> None:
        self.name = name
        self.url = ""  # known once the socket is bound
        self.personality = personality
        self.draws = Draws(seed, name)
        self.station = Station(personality.servers, personality.freezes)
        self.truth = truth
        self.requests = 0
        self.in_flight = 0
        self._exact: dict[tuple[str, str], Route] = {}
        self._patterns: list[tuple[str, re.Pattern[str], Route]] = []

    def route(self, method: str, path: str, handler: Handler, weight: float, *, stores: bool = False) -> None:
        """Answer ``path``, which may hold ``{}`` for one segment and ``{*}`` for the rest."""
        if "{" not in path:
            self._exact[method, path] = Route(handler, weight, stores)
            return
        pattern = re.escape(path).replace(re.escape("{*}"), "(.*)").replace(re.escape("{}"), "([^/]+)")
        self._patterns.append((method, re.compile(pattern), Route(handler, weight, stores)))

    def change(self, personality: Personality) -> None:
        """Be like this from now on."""
        self.personality = personality
        self.station.change(personality.servers, personality.freezes)

    def has_fault(self, name: str, number: int) -> bool:
        """Whether fault ``name`` is on and befalls this request."""
        share = self.personality.faults.get(name)
        return share is not None and self.draws.happens(share, number, Purpose.FAULT + FAULTS.index(name))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application of this origin."""
        arrival_us = scope.get("received_us") or now_us()
        if scope["type"] != "http":
            return
        self.requests = number = self.requests + 1
        method, client = scope["method"], scope["client"]
        self.in_flight += 1
        service, answer, sent = _Service(self.station), None, 0
        try:
            body = await _body(receive)
            request = Request(method, scope["path"], scope["query_string"], headers=scope["headers"], body=body, number=number)
            answer = await self._answer(request, receive, service)
            if is_gone(receive):
                answer = None
            if answer is not None:
                sent = await self._send(answer, request, send, service)
        finally:
            end_us = now_us()  # before the next in the queue begins
            service.end()
            self.in_flight -= 1
            status = answer.status if answer is not None else CLIENT_GONE
            raw = scope["raw_path"].decode("latin-1")
            query = scope["query_string"].decode("latin-1")
            path = f"{raw}?{query}" if query else raw
            self.truth.add(
                (self.name, number, method, path, status, arrival_us, service.start_us, end_us, sent, client[1] if client else 0)
            )

    async def call(self, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes) -> Answer:
        """A request from another origin of this process: the same service, faults and log (client port 0) without a socket."""
        arrival_us = now_us()
        self.requests = number = self.requests + 1
        self.in_flight += 1
        service, answer = _Service(self.station), None
        try:
            answer = await self._answer(Request(method, path, b"", headers=headers, body=body, number=number), None, service)
            return answer if answer is not None else plain("", CLIENT_GONE)
        finally:
            end_us = now_us()  # before the next in the queue begins
            service.end()
            self.in_flight -= 1
            status, sent = (answer.status, len(answer.body)) if answer is not None else (CLIENT_GONE, 0)
            self.truth.add((self.name, number, method, path, status, arrival_us, service.start_us, end_us, sent, 0))

    async def _answer(self, request: Request, receive: Receive | None, service: _Service) -> Answer | None:
        """The answer, or None where the client has gone."""
        traits, number = self.personality, request.number
        if traits.refuses != "none" and (refusal := self.refusal(request)) is not None:
            return refusal
        if traits.too_many_requests_above and self.in_flight > traits.too_many_requests_above:
            answer = html("<!DOCTYPE html><title>429</title><h1>Quá nhiều yêu cầu, vui lòng thử lại sau</h1>", 429)
            answer.headers.append((b"retry-after", b"1"))
            return answer
        route = self._find(request)
        await service.begin()
        await self.station.work_until(service.start_us + traits.service_us(self.draws, number, route.weight))
        if self.draws.happens(traits.hang_share, number, Purpose.HANG):
            service.end()  # a hung request holds its connection, not the whole portal
            gone = await _until_gone(receive, traits.hang_s)
            return None if gone else html("<!DOCTYPE html><title>504 Gateway Time-out</title><h1>504</h1>", 504)
        if self.draws.happens(traits.error_share, number, Purpose.ERROR):
            return self.error_page()
        if route.stores and is_gone(receive):
            return None
        if not self.holds_server_while_calling:
            service.end()
        return await self._handled(route, request)

    async def _handled(self, route: Route, request: Request) -> Answer:
        try:
            return await route.handler(request)
        except Exception:  # a page of ours that breaks must look like a portal that breaks, and be told where it can be read
            if Origin.broken < BROKEN_TOLD:
                print(f"{self.name}: {request.method} {request.path}", traceback.format_exc(), sep="\n", file=sys.stderr, flush=True)
            Origin.broken += 1
            return self.error_page()

    def _find(self, request: Request) -> Route:
        found = self._exact.get((request.method, request.path))
        if found is None and request.method == "HEAD":
            found = self._exact.get(("GET", request.path))
        if found is not None:
            return found
        for method, pattern, route in self._patterns:
            if method == request.method and (match := pattern.fullmatch(request.path)):
                request.parts = match.groups()
                return route
        return Route(self.not_found, 0.2)

    async def not_found(self, request: Request) -> Answer:
        """The answer to a path that nothing has."""
        return html("<!DOCTYPE html><meta charset=utf-8><title>404</title><h1>Không tìm thấy trang</h1>", 404)

    def error_page(self) -> Answer:
        """The answer when the personality says that this request fails."""
        return html("<!DOCTYPE html><meta charset=utf-8><title>500</title><h1>Hệ thống đang bận, vui lòng thử lại sau</h1>", 500)

    def refusal(self, request: Request) -> Answer | None:
        """What everybody gets while the personality refuses; None where this request is let through."""
        return REFUSALS[self.personality.refuses]()

    async def _send(self, answer: Answer, request: Request, send: Send, service: _Service) -> int:
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        body = b"" if request.method == "HEAD" else answer.body
        if body and self.personality.faults:
            if self.has_fault("early_close", request.number):
                await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
                return len(body) // 2  # the server closes a connection whose answer was never completed
            if self.has_fault("slow_body", request.number):
                service.end()  # what is in front of a portal sends slowly, not the portal
                body = await self._trickle(body, send)
        await send({"type": "http.response.body", "body": body})
        return len(answer.body) if request.method != "HEAD" else 0

    async def _trickle(self, body: bytes, send: Send) -> bytes:
        """Send all of ``body`` but its last piece, slowly."""
        pieces = 20
        size = max(len(body) // pieces, 1)
        began_us, at = now_us(), 0
        while len(body) - at > size:
            await send({"type": "http.response.body", "body": body[at : at + size], "more_body": True})
            at += size
            await sleep_until(began_us + round(self.personality.slow_body_s * 1e6 * at / len(body)))
        return body[at:]


def is_gone(receive: Receive | None) -> bool:
    """Whether the client has closed its connection: asks ``receive`` once and does not wait for an answer."""
    if receive is None:
        return False
    asking = receive()
    try:
        asking.send(None)  # type: ignore[attr-defined]  # a coroutine, as every server here makes it
    except StopIteration as answered:
        return bool(answered.value["type"] == "http.disconnect")
    asking.close()  # type: ignore[attr-defined]
    return False


async def _until_gone(receive: Receive | None, longest_s: float) -> bool:
    """Whether the client left before ``longest_s`` seconds had passed."""
    try:
        async with asyncio.timeout(longest_s):
            if receive is None:
                await asyncio.Future()  # never done: only the time limit ends it
            while receive and (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    chunks, size = [body], len(body)
    while message.get("more_body") and size <= BODY_LIMIT:
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
    return b"".join(chunks)


def _forbidden() -> Answer:
    return html(
        "<!DOCTYPE html><html lang=vi><meta charset=utf-8><title>403 Forbidden</title><h1>Truy cập bị từ chối</h1>"
        "<p id=waf>Yêu cầu của bạn đã bị tường lửa ứng dụng web chặn. Mã sự cố: 7f3a-0001</p>",
        403,
    )


def _captcha() -> Answer:
    return html(
        "<!DOCTYPE html><html lang=vi><meta charset=utf-8><title>Xác minh</title><h1>Xác minh bạn không phải là người máy</h1>"
        '<form id="captcha" method="post"><img src="/captcha.png" alt="captcha"><input name="captcha"><button>Xác nhận</button></form>'
    )


def _maintenance() -> Answer:
    answer = html(
        "<!DOCTYPE html><html lang=vi><meta charset=utf-8><title>Bảo trì</title><h1 id=bao-tri>Hệ thống đang bảo trì</h1>"
        "<p>Hệ thống tạm ngừng phục vụ để nâng cấp. Xin quý vị quay lại sau.</p>",
        503,
    )
    answer.headers.append((b"retry-after", b"3600"))
    return answer


REFUSALS: dict[str, Callable[[], Answer]] = {"forbidden": _forbidden, "captcha": _captcha, "maintenance": _maintenance}
