"""What the network or the server did to a request, on its way from a connection to the outcome of an exchange."""

from __future__ import annotations

from harness.records import Outcome


class Fault(Exception):  # noqa: N818  (never leaves this room: a session turns it into an outcome)
    """One request failed.

    ``outcome`` says how it is counted, ``unanswered`` that not one byte of an answer came, ``unsent`` that not one byte
    of the request left this machine.
    """

    def __init__(self, outcome: Outcome, error: str, *, unanswered: bool = False, unsent: bool = False) -> None:
        self.outcome = outcome
        self.error = error
        self.unanswered = unanswered
        self.unsent = unsent
        super().__init__(error)
