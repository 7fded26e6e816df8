"""The draft of a capture so far: what the browser shows, which values are known, what is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import Problem
from harness.operations.authoring.drafted_request import DraftedRequest
from harness.operations.authoring.har import EntryRemark, Recorded
from harness.operations.authoring.learned import LearnedValues
from harness.pages import Page


@dataclass
class CaptureDraft:
    """The draft so far."""

    capture: Path
    roles: Mapping[str, str]  # origin → role
    values: LearnedValues
    recorded: Sequence[Recorded] = ()
    left_out: list[EntryRemark] = field(default_factory=list)
    lost: list[Problem] = field(default_factory=list)
    cookies_set: set[str] = field(default_factory=set)
    receipt: str = ""
    unique_text: str = ""  # typed, and written anew for each visit
    has_codes: bool | None = None  # whether any answer holds a dossier's code; None: not looked yet
    logged_in: bool = False
    page: DraftedRequest | None = None  # whose answer the browser shows
    newest_document: DraftedRequest | None = None  # whose answer the harness takes for the current page
    changed: Page | None = None  # the page that the browser shows, after partial responses

    @property
    def shown(self) -> Page | None:
        """The page that the browser shows."""
        return self.changed or (self.page.page if self.page is not None else None)


def require(drafted: DraftedRequest, key: str, value: str) -> None:
    """Expect this of the answer; of a poll, of its last answer."""
    poll = drafted.rule.get("poll")
    rules = drafted.rule["expect"] if poll is None else poll["until"]
    before = rules.get(key)
    rules[key] = [before, value] if key == "require_text" and before not in (None, value) else value
