"""Where the master puts what workers measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from harness.load.make_up import MeasuredWindow
from harness.records import LoneWalk, RoundRecord
from harness.records.fleet_messages import Batch


class Sink(Protocol):
    """Keeps batches and records of rounds; ``harness.evidence.Spool`` implements it."""

    def append(self, worker: str, batch: Batch) -> None:
        """Keep a batch; where its round is sealed already, only count it."""
        ...

    def open_round(self, token: str, record: RoundRecord) -> None:
        """Keep what is planned, before anything is sent."""
        ...

    def seal_round(self, token: str, record: RoundRecord) -> None:
        """End a round: no rows are added any more, and its record is final. Not called for two rounds at the same time."""
        ...

    def lone_walks(self, portal: str) -> Sequence[LoneWalk]:
        """The lone walks of a portal before its load, in order; those of an earlier attempt at this sweep included."""
        ...

    def measured(self) -> Sequence[MeasuredWindow]:
        """Every window of the sealed rounds but those of lone citizens, in order; those of an earlier attempt included."""
        ...

    def doubtful(self, token: str) -> frozenset[str]:
        """Portals that refused so many of this round's visits that a lone citizen has to find out whether it is the load."""
        ...
