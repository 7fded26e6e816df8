"""Think times, and when the next request of a visit is due."""

from __future__ import annotations

from time import monotonic_ns

from harness.visits.state import VisitState


def monotonic_us() -> int:
    """The worker's monotonic clock, in microseconds."""
    return monotonic_ns() // 1000


def think(state: VisitState, name: str) -> None:
    """Pause as a citizen does; the next step is due when the drawn time has passed since the end of the last one."""
    seconds = state.callbacks.think_s(name)
    if not seconds:
        return
    state.pending_think_us += round(seconds * 1e6)
    due_us = (state.last_end_us or state.began_us) + state.pending_think_us
    state.callbacks.sleep(max((due_us - monotonic_us()) / 1e6, 0.0))


def take_due_us(state: VisitState, wait_us: int) -> int:
    """When the next request is due: at the arrival, or at the end of the last answer plus think time or wait.

    The think time counts once.
    """
    since_us = state.last_end_us + wait_us if state.last_end_us else state.intended_us
    due_us = since_us + state.pending_think_us
    state.pending_think_us = 0
    return due_us
