"""Maintenance of a portal. Windows that overlap maintenance announced in time are not scored; all others are, and the card says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from harness.catalog.not_charged import MaintenanceNotice
from harness.evidence.facts import Reason, RunFacts, Verdict, WindowFacts
from harness.records import LONE
from harness.scoring.windows import span_of, utc_time

IN_TIME = "announced_maintenance"
"""Code of the reason for which a window is not scored."""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Maintenance of a portal and its announcement, with ISO 8601 times; ``document`` is a reference in words."""

    begin_utc: str
    end_utc: str
    announced_at: str = ""  # empty: nothing says when
    document: str = ""
    file: str = ""  # the document itself, relative to the sweep's folder

    def is_in_time(self, notice_h: float) -> bool:
        """Whether it was announced at least so many hours before it began."""
        return bool(self.announced_at) and self._ahead >= timedelta(hours=notice_h)

    def overlaps(self, window: WindowFacts) -> bool:
        """Whether a part of the window lies in it."""
        began, ended = span_of(window)
        return began < utc_time(self.end_utc) and utc_time(self.begin_utc) < ended

    def reason(self, notice: MaintenanceNotice, windows: Sequence[int]) -> Reason:
        """Times, announcement, document and windows, for the card."""
        said = f"{self.begin_utc} – {self.end_utc}"
        if self.announced_at:
            said += f", announced at {self.announced_at}, {self._ahead / timedelta(hours=1):.1f} h before; notice is {notice.hours:g} h"
        where = f"windows {', '.join(map(str, windows))}" if windows else ""
        code = (
            IN_TIME if self.is_in_time(notice.hours) else "maintenance_announced_late" if self.announced_at else "maintenance_not_announced"
        )
        return Reason(code, "; ".join(filter(None, (said, self.document, self.file, where))))

    @property
    def _ahead(self) -> timedelta:
        return utc_time(self.begin_utc) - utc_time(self.announced_at)


def announced_in_time(maintenance: Sequence[Maintenance], notice: MaintenanceNotice | None) -> tuple[Maintenance, ...]:
    """The maintenance that a portal is not charged for; all of it by a set that names no notice."""
    return tuple(each for each in maintenance if notice is None or each.is_in_time(notice.hours))


def without_maintenance(facts: RunFacts, maintenance: Sequence[Maintenance], notice: MaintenanceNotice | None) -> RunFacts:
    """The run, in which windows of load that overlap maintenance announced in time are not scored.

    Its reasons name all maintenance that overlaps a window, announced in time, late or not at all. A set that names no notice
    changes nothing. Windows that are void stay so. Applying it twice changes nothing more.
    """
    met = [each for each in maintenance if any(each.overlaps(window) for window in facts.windows)]
    if notice is None or not met:
        return facts
    in_time = announced_in_time(met, notice)
    windows = tuple(_not_scored(window, in_time, notice) for window in facts.windows)
    reasons = (each.reason(notice, [window.window for window in _loaded(facts) if each.overlaps(window)]) for each in met)
    return replace(facts, windows=windows, reasons=tuple(dict.fromkeys((*facts.reasons, *reasons))))


def is_left_out(window: WindowFacts) -> bool:
    """Whether a window is not scored because of maintenance."""
    return any(reason.code == IN_TIME for reason in window.reasons)


def _not_scored(window: WindowFacts, in_time: Sequence[Maintenance], notice: MaintenanceNotice) -> WindowFacts:
    overlapping = [] if window.stage == LONE or window.verdict is Verdict.VOID else [each for each in in_time if each.overlaps(window)]
    if not overlapping:
        return window
    return replace(window, verdict=Verdict.BLOCKED, reasons=tuple(each.reason(notice, ()) for each in overlapping))


def _loaded(facts: RunFacts) -> Iterator[WindowFacts]:
    return (window for window in facts.windows if window.stage != LONE)
