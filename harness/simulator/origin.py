"""One origin: a request is stamped on arrival, waits for a server, is served, and gets one row in the truth log."""

from __future__ import annotations

import asyncio
import re
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from harness.simulator.chance import Draws, Purpose
from harness.simulator.clock import now_us, sleep_until
from harness.simulator.http_messages import Answer, EarlyAnswer, ReceivedRequest, html
from harness.simulator.personality import FAULTS, Personality
from harness.simulator.server_queue import ServerQueue
from harness.simulator.truth import TruthLog

Handler = Callable[[ReceivedRequest], Awaitable[Answer]]

BODY_LIMIT = 16 << 20
MAX_TRACEBACKS = 20  # if nobody reads stderr, a full pipe would block this process
CLIENT_GONE = 499  # nginx's status for a client that left before its answer; logged, never sent


@dataclass(frozen=True, slots=True)
class Route:
    """The handler of a path, and the weight of its service time."""

    handler: Handler
    weight: float
    stores: bool = False  # writes rows: skipped when the client has gone


class _Service:
    """One request's use of a server; ``end`` may be called twice."""

    __slots__ = ("_held", "_queue", "began", "database_us", "start_us")

    def __init__(self, queue: ServerQueue) -> None:
        self._queue = queue
        self._held = self.began = False
        self.database_us = 0
        self.start_us = now_us()  # for requests that are refused without a server

    async def begin(self) -> None:
        self.start_us = await self._queue.enter()
        self._held = self.began = True

    async def work(self, service_us: int, database_us: int) -> None:
        """Work for so long, at the end of it so long in the database."""
        end_us = self.start_us + service_us
        await self._queue.work_until(end_us - database_us)
        before_us = now_us()
        await self._queue.work_until(end_us)
        self.database_us = now_us() - before_us

    def timing(self, arrival_us: int) -> tuple[bytes, bytes]:
        """The Server-Timing of an answer that is sent now: the three durations add up to the time since the arrival."""
        queue_us = self.start_us - arrival_us
        app_us = now_us() - self.start_us - self.database_us
        shown = zip(("queue", "app", "db"), (queue_us, app_us, self.database_us), strict=True)
        return b"server-timing", ", ".join(f"{name};dur={time_us / 1000:.3f}" for name, time_us in shown).encode()

    def end(self) -> None:
        if self._held:
            self._held = False
            self._queue.leave()


class SimulatedOrigin:
    """What one listening socket serves: routes, a server queue, a personality, rows in the truth log."""

    broken_pages = 0  # handlers that raised an exception, in this process
    holds_server_while_calling = True  # a portal keeps its server while it waits for the gateway; shared hosts do not

    def __init__(self, name: str, personality: Personality, seed: int, truth: TruthLog) -> None:
        self.name = name
        self.url = ""  # known once the socket is bound
        self.personality = personality
        self.draws = Draws(seed, name)
        self.queue = ServerQueue(personality.servers, personality.freezes)
        self.truth = truth
        self.requests = 0
        self.in_flight = 0
        self._exact: dict[tuple[str, str], Route] = {}
        self._patterns: list[tuple[str, re.Pattern[str], Route]] = []

    def route(self, method: str, path: str, handler: Handler, weight: float, *, stores: bool = False) -> None:
        """Let ``handler`` answer ``path``; ``{}`` in it matches one segment, ``{*}`` the rest."""
        if "{" not in path:
            self._exact[method, path] = Route(handler, weight, stores)
            return
        pattern = re.escape(path).replace(re.escape("{*}"), "(.*)").replace(re.escape("{}"), "([^/]+)")
        self._patterns.append((method, re.compile(pattern), Route(handler, weight, stores)))

    def change(self, personality: Personality) -> None:
        """Set another personality."""
        self.personality = personality
        self.queue.change(personality.servers, personality.freezes)

    def has_fault(self, name: str, number: int) -> bool:
        """Whether fault ``name`` is on and applies to this request."""
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
        service, answer, sent = _Service(self.queue), None, 0
        try:
            body = await _body(receive)
            request = ReceivedRequest(method, scope["path"], scope["query_string"], scope["headers"], body, number)
            answer = await self._answer(request, receive, service)
            if client_is_gone(receive):
                answer = None
            if answer is not None:
                if self.personality.server_timing and service.began:
                    answer.headers.append(service.timing(arrival_us))
                sent = await self._send(answer, request, send, service)
        finally:
            end_us = now_us()  # before the next request in the queue starts
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
        """A request from another origin of this process: same service, faults and log (client port 0), but no socket."""
        arrival_us = now_us()
        self.requests = number = self.requests + 1
        self.in_flight += 1
        service, answer = _Service(self.queue), None
        try:
            answer = await self._answer(ReceivedRequest(method, path, b"", headers, body, number), None, service)
            return answer if answer is not None else Answer(CLIENT_GONE, [])
        finally:
            end_us = now_us()  # before the next request in the queue starts
            service.end()
            self.in_flight -= 1
            status, sent = (answer.status, len(answer.body)) if answer is not None else (CLIENT_GONE, 0)
            self.truth.add((self.name, number, method, path, status, arrival_us, service.start_us, end_us, sent, 0))

    async def _answer(self, request: ReceivedRequest, receive: Receive | None, service: _Service) -> Answer | None:
        """The answer, or None if the client has gone."""
        traits, number = self.personality, request.number
        if traits.refuses != "none" and (refusal := self.refusal(request)) is not None:
            return refusal
        if traits.too_many_requests_above and self.in_flight > traits.too_many_requests_above:
            answer = html("<!DOCTYPE html><title>429</title><h1>Quá nhiều yêu cầu, vui lòng thử lại sau</h1>", 429)
            answer.headers.append((b"retry-after", b"1"))
            return answer
        route = self._find(request)
        await service.begin()
        weight = route.weight * traits.slowness(request.path)
        service_us = traits.service_us(self.draws, number, weight, service.start_us - self.queue.freeze_origin_us)
        database_us = traits.storing_us(stores=route.stores) + traits.database_us(request.path)
        if traits.server_timing:
            await service.work(service_us + database_us, round(service_us * traits.database_share) + database_us)
        else:
            await self.queue.work_until(service.start_us + service_us + database_us)
        if self.draws.happens(traits.hang_share, number, Purpose.HANG):
            service.end()  # a hung request holds its connection, not a server
            gone = await _until_gone(receive, traits.hang_s)
            return None if gone else html("<!DOCTYPE html><title>504 Gateway Time-out</title><h1>504</h1>", 504)
        if self.draws.happens(traits.error_share, number, Purpose.ERROR):
            return self.error_page()
        if route.stores and client_is_gone(receive):
            return None
        if not self.holds_server_while_calling:
            service.end()
        answer = await self._handled(route, request)
        return answer if not traits.large_paths else answer.padded(traits.page_size(request.path))

    async def _handled(self, route: Route, request: ReceivedRequest) -> Answer:
        try:
            return await route.handler(request)
        except EarlyAnswer as early:
            return early.answer
        except Exception:  # a bug of ours must look like an error of the portal, and leave a traceback
            if SimulatedOrigin.broken_pages < MAX_TRACEBACKS:
                print(f"{self.name}: {request.method} {request.path}", traceback.format_exc(), sep="\n", file=sys.stderr, flush=True)
            SimulatedOrigin.broken_pages += 1
            return self.error_page()

    def _find(self, request: ReceivedRequest) -> Route:
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

    async def not_found(self, request: ReceivedRequest) -> Answer:
        """The answer to an unknown path."""
        return not_found_page()

    def error_page(self) -> Answer:
        """The answer when the personality says that this request fails."""
        return html("<!DOCTYPE html><meta charset=utf-8><title>500</title><h1>Hệ thống đang bận, vui lòng thử lại sau</h1>", 500)

    def refusal(self, request: ReceivedRequest) -> Answer | None:
        """The answer to everybody while the personality refuses; None lets this request through."""
        status, page = _REFUSALS[self.personality.refuses]
        answer = html(f"<!DOCTYPE html><html lang=vi><meta charset=utf-8>{page}", status)
        if status == 503:
            answer.headers.append((b"retry-after", b"3600"))
        return answer

    async def _send(self, answer: Answer, request: ReceivedRequest, send: Send, service: _Service) -> int:
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        body = b"" if request.method == "HEAD" else answer.body
        if body and self.personality.faults:
            if self.has_fault("early_close", request.number):
                await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
                return len(body) // 2  # uvicorn closes a connection whose answer is incomplete
            if self.has_fault("slow_body", request.number):
                service.end()  # the network in front of a portal is slow, not the portal
                body = await self._send_slowly(body, send)
        await send({"type": "http.response.body", "body": body})
        return len(answer.body) if request.method != "HEAD" else 0

    async def _send_slowly(self, body: bytes, send: Send) -> bytes:
        """Send ``body`` slowly; answers its last piece, which is not sent yet."""
        pieces = 20
        size = max(len(body) // pieces, 1)
        began_us, at = now_us(), 0
        while len(body) - at > size:
            await send({"type": "http.response.body", "body": body[at : at + size], "more_body": True})
            at += size
            await sleep_until(began_us + round(self.personality.slow_body_s * 1e6 * at / len(body)))
        return body[at:]


def client_is_gone(receive: Receive | None) -> bool:
    """Whether the client has closed its connection; asks ``receive`` once, without waiting."""
    if receive is None:
        return False
    asking = receive()
    try:
        asking.send(None)  # type: ignore[attr-defined]  # every ASGI server here passes a coroutine function
    except StopIteration as answered:
        return bool(answered.value["type"] == "http.disconnect")
    asking.close()  # type: ignore[attr-defined]
    return False


async def _until_gone(receive: Receive | None, longest_s: float) -> bool:
    """Whether the client left before ``longest_s`` seconds had passed."""
    try:
        async with asyncio.timeout(longest_s):
            if receive is None:
                await asyncio.Future()  # never done: the time limit ends it
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


def not_found_page() -> Answer:
    """The 404 page."""
    return html("<!DOCTYPE html><meta charset=utf-8><title>404</title><h1>Không tìm thấy trang</h1>", 404)


_WAF = "<p id=waf>Yêu cầu của bạn đã bị tường lửa ứng dụng web chặn. Mã sự cố: 7f3a-0001</p>"
_CAPTCHA = '<form id="captcha" method="post"><img src="/captcha.png" alt="captcha"><input name="captcha"><button>Xác nhận</button></form>'
_PAUSE = "<p>Hệ thống tạm ngừng phục vụ để nâng cấp. Xin quý vị quay lại sau.</p>"
_REFUSALS = {
    "forbidden": (403, f"<title>403 Forbidden</title><h1>Truy cập bị từ chối</h1>{_WAF}"),
    "captcha": (200, f"<title>Xác minh</title><h1>Xác minh bạn không phải là người máy</h1>{_CAPTCHA}"),
    "maintenance": (503, f"<title>Bảo trì</title><h1 id=bao-tri>Hệ thống đang bảo trì</h1>{_PAUSE}"),
}
"""Status and page of each refusal."""
