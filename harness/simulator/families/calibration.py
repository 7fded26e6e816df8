"""The calibration portal: /truth/<anything> is answered after the drawn service time, at the lowest cost."""

from __future__ import annotations

from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from harness.simulator.chance import Purpose
from harness.simulator.clock import now_us
from harness.simulator.http_messages import Answer, ReceivedRequest
from harness.simulator.origin import CLIENT_GONE, SimulatedOrigin, client_is_gone
from harness.simulator.personality import Personality
from harness.simulator.truth import TruthLog

_PREFIX = "/truth/"


class CalibrationPortal(SimulatedOrigin):
    """A bare ASGI application: reads no body and parses nothing; the answer is the path and padding."""

    def __init__(self, name: str, personality: Personality, seed: int, truth: TruthLog) -> None:
        super().__init__(name, personality, seed, truth)
        self.route("GET", _PREFIX + "{*}", self.answer, 1.0)
        self._prepare()

    def change(self, personality: Personality) -> None:
        """Set another personality."""
        super().change(personality)
        self._prepare()

    def _prepare(self) -> None:
        self._plain = self.personality.refuses == "none" and not (
            self.personality.faults
            or self.personality.too_many_requests_above
            or self.personality.hang_share
            or self.personality.server_timing
        )
        self._headers: dict[int, list[tuple[bytes, bytes]]] = {}
        self._tail = b" " * self.personality.body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers /truth/ itself; other paths, and personalities with refusals or faults, go through SimulatedOrigin."""
        if scope["type"] != "http" or not self._plain or not scope["path"].startswith(_PREFIX):
            await super().__call__(scope, receive, send)
            return
        arrival_us = scope.get("received_us") or now_us()
        self.requests = number = self.requests + 1
        traits, queue = self.personality, self.queue
        raw: str = scope["raw_path"].decode("latin-1")
        self.in_flight += 1
        start_us = end_us = status = sent = 0
        try:
            start_us = await queue.enter()
            try:
                await queue.work_until(start_us + traits.service_us(self.draws, number, 1.0, start_us - queue.freeze_origin_us))
                if client_is_gone(receive):
                    return
                status = 500 if self.draws.happens(traits.error_share, number, Purpose.ERROR) else 200
                body = self._body(raw)
                sent = len(body)
                await send({"type": "http.response.start", "status": status, "headers": self._head(sent)})
                await send({"type": "http.response.body", "body": body})
            finally:
                end_us = now_us()  # before the next request in the queue starts
                queue.leave()
        finally:
            self.in_flight -= 1
            self.truth.add(
                (self.name, number, scope["method"], raw, status or CLIENT_GONE, arrival_us, start_us, end_us, sent, scope["client"][1])
            )

    async def answer(self, request: ReceivedRequest) -> Answer:
        """The same answer through SimulatedOrigin."""
        body = self._body(quote(request.path))
        return Answer(200, list(self._head(len(body))), body)

    def _body(self, path: str) -> bytes:
        """JSON of at least ``body_bytes`` with the path: {"path":"…","padding":"…"}."""
        shown = path if '"' not in path and "\\" not in path else path.replace("\\", "\\\\").replace('"', '\\"')
        head = f'{{"path":"{shown}","padding":"'.encode("latin-1")
        return head + self._tail[: max(self.personality.body_bytes - len(head) - 2, 0)] + b'"}'

    def _head(self, size: int) -> list[tuple[bytes, bytes]]:
        head = self._headers.get(size)
        if head is None:
            head = self._headers[size] = [(b"content-type", b"application/json"), (b"content-length", b"%d" % size)]
        return head
