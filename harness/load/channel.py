"""The connection between master and workers, as the load core uses it; free of Locust."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from harness.records.fleet_messages import AnyMessage


class Channel(Protocol):
    """One end of the connection between master and workers."""

    def send(self, message: object, worker: str | None = None) -> None:
        """Send a message: to a worker (from the master), or to the master (from a worker)."""
        ...

    def listen(self, kind: type[AnyMessage], handler: Callable[[AnyMessage, str], None]) -> None:
        """Call ``handler`` with every message of a kind and its sender."""
        ...


class FleetChannel(Channel, Protocol):
    """The master's end."""

    def workers(self) -> list[str]:
        """The workers that can take part now, in a fixed order."""
        ...

    def is_missing(self, worker: str) -> bool:
        """Whether the connection to a worker is gone."""
        ...

    def on_heartbeat(self, handler: Callable[[str], None]) -> None:
        """Call ``handler`` with the name of every worker that sends a heartbeat."""
        ...
