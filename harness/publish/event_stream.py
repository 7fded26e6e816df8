"""Server-sent events: an open live page gets each new view of its sweep. https://html.spec.whatwg.org/#server-sent-events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from harness.publish.live_page import LiveView

MOST_LISTENERS = 16
"""Streams that may be open at once; further ones get 503 (assumed: a quarter of all connections, so that pages can always be served)."""
LONGEST_S = 600.0
"""A stream ends after this time, and the page connects again (assumed: a listener who has left may keep a place for ten minutes)."""
EVERY_S = 1.0
"""How often a stream looks for something new (assumed: the master writes about once a second)."""
SIGN_OF_LIFE_S = 15.0
"""How often something is sent while nothing is new (borrowed: the standard's advice, because some proxies drop quiet connections)."""
AGAIN_MS = 2_000
"""How long a browser waits to connect again after a stream has ended (assumed: a page that is two seconds late is not misleading)."""


class Listeners:
    """How many streams are open, and whether they are to end because the server does."""

    def __init__(self) -> None:
        self.open = 0
        self.closing = False

    def has_room(self) -> bool:
        """Whether another one may be opened."""
        return self.open < MOST_LISTENERS


class EventStream(StreamingResponse):
    """A stream of views of one sweep: each new one, and ``end`` after the last."""

    def __init__(self, view: Callable[[], LiveView], listeners: Listeners, headers: dict[str, str]) -> None:
        super().__init__(_events(view, listeners), media_type="text/event-stream", headers=headers)
        self._listeners = listeners

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the sweep has ended, the listener has gone, or the time is over."""
        self._listeners.open += 1
        try:
            async with asyncio.timeout(LONGEST_S + SIGN_OF_LIFE_S):  # a listener who does not read holds up `send`
                await super().__call__(scope, receive, send)
        except TimeoutError:
            return
        finally:
            self._listeners.open -= 1


async def _events(view: Callable[[], LiveView], listeners: Listeners) -> AsyncIterator[str]:
    yield f"retry: {AGAIN_MS}\n\n"
    loop = asyncio.get_running_loop()
    end_s = loop.time() + LONGEST_S
    shown, said_s = "", loop.time()
    while loop.time() < end_s and not listeners.closing:
        now = await run_in_threadpool(view)
        if now.html != shown:
            shown, said_s = now.html, loop.time()
            yield _event("state", now.html)
        elif loop.time() - said_s > SIGN_OF_LIFE_S:
            said_s = loop.time()
            yield ": nothing new\n\n"
        if now.final:
            yield _event("end", "")
            return
        await asyncio.sleep(EVERY_S)


def _event(name: str, data: str) -> str:
    """An event. Only these three ends of line are ends of line in a stream."""
    lines = data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return f"event: {name}\n" + "".join(f"data: {line}\n" for line in lines) + "\n"
