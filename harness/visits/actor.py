"""Actors: each has a browser of its own, with cookies and a page: the citizen, a fresh tracker, a clerk."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.client import LeanSession
from harness.pages.page import Page


@dataclass(slots=True)
class Actor:
    """One browser: its session, and the page that it shows."""

    name: str
    session: LeanSession
    page: Page | None = None
    fetched: set[str] = field(default_factory=set)  # assets in its cache

    def begin_anew(self) -> None:
        """Become a browser that was never used."""
        self.session.clear_cookies()
        self.page = None
        self.fetched.clear()
