"""Hours of the day in which a portal may be sent requests: ``22:00-05:00``, by the clock of Viet Nam."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

_EAST_OF_UTC = timedelta(hours=7)
VIETNAM = timezone(_EAST_OF_UTC)
"""The clock of Viet Nam, without daylight saving time since 1975: no table of time zones is needed."""
_DAY_S = 86_400
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")


@dataclass(frozen=True, slots=True)
class DailyHours:
    """A stretch of every day; it may reach over midnight."""

    begin_s: int  # after midnight
    length_s: int


def parse_hours(text: str) -> DailyHours:
    """``HH:MM-HH:MM``; ValueError for anything else, and where both are the same."""
    found = _HOURS.fullmatch(text)
    if found is None or found.group(1, 2) == found.group(3, 4):
        raise ValueError(
            'hours as "HH:MM-HH:MM" by the clock of Viet Nam, for example "22:00-05:00"; without the key the whole day is permitted'
        )
    begin, end = (int(hour or 24) * 3600 + int(minute or 0) * 60 for hour, minute in (found.group(1, 2), found.group(3, 4)))
    return DailyHours(begin, (end - begin) % _DAY_S or _DAY_S)


def permitted_until_s(hours: Sequence[str], moment_s: float) -> float | None:
    """When the permitted time ends in which a moment lies, both in seconds since 1970; None outside of it.

    Hours that follow each other or overlap are one stretch. Infinite where the whole day is permitted.
    """
    parsed = [parse_hours(each) for each in hours]
    end_s = moment_s
    while (further_s := _longest(parsed, end_s)) > 0:
        end_s += further_s
        if end_s >= moment_s + _DAY_S:
            return math.inf
    if not parsed:
        return math.inf
    return end_s if end_s > moment_s else None


def next_opening_s(hours: Iterable[str], moment_s: float) -> float:
    """When the next of these hours begin, not before a moment; in seconds since 1970."""
    return min(moment_s + (parse_hours(each).begin_s - _of_day(moment_s)) % _DAY_S for each in hours)


def in_vietnam(moment_s: float) -> str:
    """A moment (seconds since 1970) as an owner reads it: ``2026-11-21 22:00 +0700``."""
    return f"{datetime.fromtimestamp(moment_s, UTC).astimezone(VIETNAM):%Y-%m-%d %H:%M %z}"


def _longest(parsed: Iterable[DailyHours], moment_s: float) -> float:
    """How long the hours last that hold at a moment; 0 where none do."""
    since = ((each, (_of_day(moment_s) - each.begin_s) % _DAY_S) for each in parsed)
    return max((each.length_s - passed_s for each, passed_s in since), default=0.0)


def _of_day(moment_s: float) -> float:
    """Seconds after midnight in Viet Nam."""
    return (moment_s + _EAST_OF_UTC.total_seconds()) % _DAY_S
