"""Failures at one portal, on one worker: counted by kind, with the first few pages of each kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.pages.page import Page
from harness.records import FailureKind, Outcome
from harness.records.step_failures import (
    KINDS_PER_PORTAL,
    PAGE_BYTES,
    PAGES_BYTES_PER_PORTAL,
    PAGES_PER_PORTAL,
    RULE_LENGTH,
    WITH_PAGE,
    FailedPage,
    has_room,
)
from harness.visits import StepFailed, VisitState, blank_page

_MARGIN = 4_096  # longer than any secret: a secret that the cut splits would not be blanked
_BINARY = b"\0"
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


@dataclass(slots=True)
class FailureSampler:
    """The failures of one run on one worker. Its memory does not grow with their number."""

    _kinds: set[FailureKind] = field(default_factory=set)
    _pages: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # by step, outcome and rule
    _latest_us: dict[tuple[str, str, str], int] = field(default_factory=dict)  # of all failures, with a page or without
    _kept: int = 0
    _bytes: int = 0

    def kind(self, journey: str, failure: StepFailed) -> FailureKind:
        """The kind that a failure is counted by. Once there are too many kinds, the rule is left out."""
        kind = FailureKind(journey, failure.goal, failure.step, failure.outcome, failure.means, failure.rule[:RULE_LENGTH])
        if kind in self._kinds:
            return kind
        if len(self._kinds) >= KINDS_PER_PORTAL:
            return kind._replace(rule="")
        self._kinds.add(kind)
        return kind

    def page(self, kind: FailureKind, visit: VisitState, page: Page | None, now_us: int = 0) -> FailedPage | None:
        """The page of a failure if it is one of the first of its kind or of a new incident; only then is the page read."""
        of_kind = (kind.step, kind.outcome, kind.rule)
        pause_s = (now_us - self._latest_us.get(of_kind, now_us)) / 1e6
        self._latest_us[of_kind] = now_us
        if page is None or kind.outcome not in WITH_PAGE or self._kept >= PAGES_PER_PORTAL or self._bytes >= PAGES_BYTES_PER_PORTAL:
            return None
        raw = kind.outcome == Outcome.PROTOCOL
        if not has_room(self._pages[of_kind], pause_s) or not page.body or (not raw and _BINARY in page.body[:1024]):
            return None
        self._pages[of_kind] += 1
        self._kept += 1
        text, truncated = _cut(visit, as_received(page.body) if raw else page.text)
        self._bytes += len(text.encode())
        url = blank_page(visit, page.url)
        return FailedPage(kind, visit.visit, url, page.status, len(page.body), page.is_markup and not raw, text, truncated, now_us)


def as_received(data: bytes) -> str:
    """Bytes that are no readable answer, as text: UTF-8 where it is valid, all else and control characters as escapes."""
    return data.decode("utf-8", errors="backslashreplace").translate(_CONTROLS)


def _cut(visit: VisitState, text: str) -> tuple[str, bool]:
    """As much of a page as is kept, without secrets, and whether that is not all of it."""
    if len(text) <= PAGE_BYTES + _MARGIN:
        whole = blank_page(visit, text)
    else:
        whole = blank_page(visit, text[: PAGE_BYTES + _MARGIN])[:-_MARGIN]
        text = ""
    kept = whole.encode()[:PAGE_BYTES].decode(errors="ignore")
    return kept, not text or len(kept) < len(whole)
