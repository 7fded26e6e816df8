"""The rows of a visit: one for each request and redirect hop, for what was not sent, for skipped steps, and one that closes it."""

from __future__ import annotations

from harness.client import Exchange
from harness.records import PORTAL, Outcome, Sample, visit_row
from harness.visits.state import RequestPlace, VisitState


def record_answer(state: VisitState, place: RequestPlace, exchange: Exchange, outcome: Outcome) -> None:
    """Record a request that was sent; what the server says of its own time comes just before its row."""
    if exchange.server_timing is not None and state.callbacks.server_timing is not None:
        state.callbacks.server_timing(exchange.server_timing)
    state.callbacks.record(
        Sample(
            state.journey, state.visit, place.goal, place.step, place.request, place.hop, place.attempt, exchange.host,
            state.target.owners.get(exchange.host, PORTAL), exchange.method, place.intended_us, exchange.start_us, exchange.first_byte_us,
            exchange.end_us, exchange.dns_us, exchange.connect_us, exchange.tls_us, exchange.reused, place.wait_us,
            exchange.wire_bytes, exchange.status, outcome, exchange.read_again, place.path_template,
        )
    )  # fmt: skip


def record_unanswered(
    state: VisitState,
    place: RequestPlace,
    outcome: Outcome,
    end_us: int,
    *,
    start_us: int = 0,
    method: str = "",
    host: str = "",
    status: int = 0,
) -> None:
    """Record a request that could not be sent or was never begun (``start_us`` 0), or that we cut off.

    ``host`` and ``status`` are those of the last answer where the visit waited for another one in vain.
    """
    host = host or _home(state)
    state.callbacks.record(
        Sample(
            state.journey, state.visit, place.goal, place.step, place.request, place.hop, place.attempt, host,
            state.target.owners.get(host, PORTAL), method, place.intended_us or end_us, start_us, 0, end_us, 0, 0, 0, False, place.wait_us,
            0, status, outcome, path_template=place.path_template,
        )
    )  # fmt: skip


def record_end(state: VisitState, end_us: int, outcome: Outcome) -> None:
    """Record the row that closes the visit."""
    times = {"intended_us": state.intended_us, "start_us": state.began_us, "end_us": end_us}
    state.callbacks.record(visit_row(state.journey, state.visit, _home(state), **times, outcome=outcome))


def _home(state: VisitState) -> str:
    return next((origin for origin, owner in state.target.owners.items() if owner == PORTAL), "")
