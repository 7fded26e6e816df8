"""Rows of a visit: one for each request and hop, for what could not be sent, for what was never begun, and the last one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.catalog import Target
from harness.client import Exchange
from harness.records import VISIT_ROW, Outcome, Sample


@dataclass(slots=True)
class Turn:
    """The place in the visit of the request that is being done; hops and requests move it on."""

    goal: str
    step: str
    attempt: int  # which time this visit does this step, from 1
    request: int = 0  # within the step
    hop: int = 0
    intended_us: int = 0
    wait_us: int = 0  # waited on purpose before it, to poll again

    def move_on(self, wait_us: int = 0) -> None:
        """On to the step's next request."""
        self.request += 1
        self.hop = 0
        self.intended_us = 0
        self.wait_us = wait_us


class Rows:
    """Makes the rows of one visit and hands them on."""

    __slots__ = ("_home", "_journey", "_owners", "_record", "_visit")

    def __init__(self, journey: str, visit: int, target: Target, record: Callable[[Sample], None]) -> None:
        self._journey = journey
        self._visit = visit
        self._owners = target.owners
        self._record = record
        self._home = next((origin for origin, owner in target.owners.items() if owner == "portal"), "")

    def answered(self, turn: Turn, exchange: Exchange, outcome: Outcome) -> None:
        """A request that went out."""
        self._record(
            Sample(
                self._journey, self._visit, turn.goal, turn.step, turn.request, turn.hop, turn.attempt, exchange.host,
                self._owners.get(exchange.host, "portal"), exchange.method, turn.intended_us, exchange.start_us, exchange.first_byte_us,
                exchange.end_us, exchange.dns_us, exchange.connect_us, exchange.tls_us, exchange.reused, turn.wait_us,
                exchange.wire_bytes, exchange.status, outcome,
            )
        )  # fmt: skip

    def unanswered(self, turn: Turn, outcome: Outcome, end_us: int, *, start_us: int = 0, method: str = "", host: str = "") -> None:
        """A request that could not be sent, was never begun (``start_us`` 0), or was cut off by us."""
        host = host or self._home
        self._record(
            Sample(
                self._journey, self._visit, turn.goal, turn.step, turn.request, turn.hop, turn.attempt, host,
                self._owners.get(host, "portal"), method, turn.intended_us or end_us, start_us, 0, end_us, 0, 0, 0, False, turn.wait_us,
                0, 0, outcome,
            )
        )  # fmt: skip

    def closed(self, intended_us: int, began_us: int, end_us: int, outcome: Outcome) -> None:
        """The row that closes the visit."""
        self._record(
            Sample(
                self._journey, self._visit, "", "", VISIT_ROW, 0, 1, self._home, "portal", "", intended_us, began_us, 0, end_us,
                0, 0, 0, False, 0, 0, 0, outcome,
            )
        )  # fmt: skip
