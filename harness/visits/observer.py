"""What an observer is told of each request. Load has no observer; ``walk`` prints what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from harness.client import Exchange
from harness.records import Outcome


@dataclass(frozen=True, slots=True)
class Seen:
    """One request and its answer, judged."""

    goal: str
    step: str
    actor: str
    request: int
    hop: int
    exchange: Exchange
    outcome: Outcome
    follows: str = ""  # where a redirect leads
    extracted: Mapping[str, Any] | None = None
    held: tuple[str, ...] = ()  # the rules that held
    failure: str = ""


class Observer(Protocol):
    """Is told of each request."""

    def seen(self, request: Seen) -> None:
        """A request was answered and judged; secrets are blanked."""
        ...
