"""Actors: a browser each. The citizen, a fresh tracker, a clerk have cookies and pages of their own."""

from __future__ import annotations

from harness.client import Session
from harness.pages.page import Page


class Actor:
    """One browser: its session, the page it shows, and the tokens it holds."""

    __slots__ = ("fetched", "name", "page", "page_root", "session")

    def __init__(self, name: str, session: Session) -> None:
        self.name = name
        self.session = session
        self.page: Page | None = None
        self.page_root = ""  # the origin with a slash: what addresses on it begin with
        self.fetched: set[str] = set()  # assets that are in this browser's cache

    @property
    def page_origin(self) -> str:
        """The origin of the page, as it is spelled there."""
        return self.page_root[:-1]

    def shows(self, page: Page) -> None:
        """The browser shows a page from now on."""
        self.page = page
        if not self.page_root or not page.url.startswith(self.page_root):
            self.page_root = raw_origin(page.url) + "/"

    def begin_anew(self) -> None:
        """As a browser that was never used."""
        self.session.clear_cookies()
        self.page = None
        self.page_root = ""
        self.fetched.clear()


def raw_origin(url: str) -> str:
    """A URL up to its path, as it is spelled."""
    end = url.find("/", 8)
    if end < 0:
        end = url.find("?", 8)
    return url if end < 0 else url[:end]
