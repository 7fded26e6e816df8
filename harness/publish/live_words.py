"""How a sweep stands while it is measured, on one line of a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from math import ceil

from rich.cells import cell_len

from harness.evidence.reasons import Language
from harness.publish.wording import decimal, phrase
from harness.records.live_state import LiveState

_BETWEEN = " · "


def live_line(state: LiveState, language: Language, *, now: datetime | None = None, width: int = 1000) -> str:
    """Windows, rate, failures, what is left and the expected end; then as much of stage, citizens and generator as ``width`` holds, in cells."""
    now = now or datetime.now(UTC)
    if state.is_stale(now):
        return phrase("live.line.silent").into(language).format(_clock(state.at_utc))
    line = _BETWEEN.join(_always(state, now, language))
    for more in _where_there_is_room(state, language):
        if cell_len(line + _BETWEEN + more) <= width:
            line += _BETWEEN + more
    return line


def _always(state: LiveState, now: datetime, language: Language) -> Iterator[str]:
    yield phrase("live.line.windows").into(language).format(state.windows_done, state.windows_planned, state.windows_void)
    yield phrase("live.line.rate").into(language).format(decimal(state.rate_per_s, 1, language))
    yield phrase("live.line.failed").into(language).format(state.visits_failed, state.arrivals_begun)
    if state.expected_end_utc:
        left_s = max(0.0, (datetime.fromisoformat(state.expected_end_utc) - now).total_seconds())
        clock = _clock(state.expected_end_utc)
        yield (
            phrase("live.line.left").into(language).format(ceil(left_s / 60), clock)
            if left_s
            else phrase("live.line.past_end").into(language).format(clock)
        )


def _where_there_is_room(state: LiveState, language: Language) -> Iterator[str]:
    for each in state.rounds[-1:]:
        yield phrase("live.line.round").into(language).format(each.round, phrase(f"stage.{each.stage}").into(language))
    yield phrase("live.line.in_flight").into(language).format(state.in_flight)
    yield phrase("live.line.generator").into(language).format(round(state.generator.cpu_percent), state.generator.late_seconds)


def _clock(utc: str) -> str:
    """A time by this machine's clock, as the other lines have it."""
    return datetime.fromisoformat(utc).astimezone().strftime("%H:%M")
