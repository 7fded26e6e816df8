"""The words that master and workers exchange over Locust's own connection, beside Locust's."""

from __future__ import annotations

from typing import Any, Protocol

# master → worker
ROUND = "harness-round"  # slices, targets and a common start
CLOSED = "harness-closed"  # a closed run begins: target and key, no schedule
STOP_ARRIVALS = "harness-stop-arrivals"  # of one portal (safety) or of all; `cut` ends visits at their next pause
ACKNOWLEDGED = "harness-acknowledged"  # a batch stands in the spool
CLOCK_PING = "harness-clock-ping"
# worker → master
BATCH = "harness-batch"  # numbered rows, kept by the worker until acknowledged
DONE = "harness-done"  # arrivals off, everything drained, and the number of the last batch
CLOCK_PONG = "harness-clock-pong"

STANDALONE = "local"
"""The worker's name in a Locust without workers."""


class Message(Protocol):
    """What Locust hands to a listener."""

    data: Any
    node_id: str


class Channel(Protocol):
    """The part of a Locust runner that sends and receives; the same for master, worker and standalone."""

    def send_message(self, msg_type: str, data: Any = None, client_id: str | None = None) -> None:
        """Send to one worker or all (from a master), or to the master (from a worker)."""
        ...
