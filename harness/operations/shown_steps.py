"""What `harness walk` shows of a visit: a line a step, and the requests of a step that fails, or of all steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.pages import describe_page, page_messages
from harness.visits import Seen, StepFailed


class ShownSteps:
    """Shows the steps of one walker. Requests are kept until their step has ended, or shown at once."""

    def __init__(self, say: Callable[[str], None], *, verbose: bool) -> None:
        self._say, self._verbose = say, verbose
        self._step: tuple[str, str] | None = None  # goal and step under way
        self._requests: list[Seen] = []

    def seen(self, request: Seen) -> None:
        """Take in a request; that of another step ends the step before."""
        if self._step != (request.goal, request.step):
            self.end()
        self._step = request.goal, request.step
        self._requests.append(request)
        if self._verbose:
            self._show(request)

    def end(self) -> None:
        """Show that the step under way, if any, went well."""
        if self._step is not None:
            self._say(f"    ✓ {'/'.join(self._step):24} {self._figures()}")
        self._forget()

    def fail(self, failure: StepFailed) -> None:
        """Show the step that failed, its requests, and what stands on its page."""
        if self._step != (failure.goal, failure.step):
            self.end()
        means = f"  ({failure.means})" if failure.means else ""
        self._say(f"    ✗ {failure.goal}/{failure.step}: {failure.outcome}: {failure.detail}{means}")
        for request in () if self._verbose else self._requests:
            self._show(request)
        self._forget()
        if failure.page is not None:
            for message in page_messages(failure.page):
                self._say(f"    the page says: {message}")
            self._say(f"    on the page {failure.page.url} there is:")
            for line in describe_page(failure.page, failure.detail):
                self._say(f"        {line}")

    def _forget(self) -> None:
        self._step, self._requests = None, []

    def _figures(self) -> str:
        spent_us = sum(each.exchange.end_us - each.exchange.start_us for each in self._requests if each.exchange.start_us)
        requests = "1 request " if len(self._requests) == 1 else f"{len(self._requests)} requests"
        return f"{requests:>11}  {spent_us / 1000:6.0f} ms"

    def _show(self, request: Seen) -> None:
        for line in _lines(request):
            self._say(line)


def _lines(request: Seen) -> Iterator[str]:
    exchange = request.exchange
    millis = (exchange.end_us - exchange.start_us) / 1000 if exchange.start_us else 0.0
    hop = f"{'↳' if request.hop else ' '}{request.goal}/{request.step}"
    who = "" if request.actor == "citizen" else f" [{request.actor}]"
    line = f"    {hop:26} {exchange.method:4} {exchange.url}{who}  {exchange.status or request.outcome}  {millis:.0f} ms  hop {request.hop}"
    yield line + (f"  → {request.follows}" if request.follows else "")
    for name, value in (request.extracted or {}).items():
        yield f"        {name} = {_short(value)}"
    if request.held:
        yield f"        holds: {'; '.join(request.held)}"


def _short(value: Any, length: int = 90) -> str:
    text = str(value) if not isinstance(value, Mapping) else repr(dict(value))
    return text if len(text) <= length else text[: length - 1] + "…"
