"""One request of a draft while its rules are found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.operations.authoring.capture import Chain
from harness.pages import Page


@dataclass(slots=True)
class DraftedRequest:
    """One request of the draft, the recorded requests that it stands for, and its step."""

    step: str
    chain: Chain
    rule: dict[str, Any] = field(default_factory=dict)
    shown: DraftedRequest | None = None  # whose answer the browser showed when this was sent
    unproven: str = ""  # what its rules do not show: they hold too if nothing was withdrawn, filed …

    @property
    def page(self) -> Page:
        """The answer that its rules are about."""
        return self.chain.last.page
