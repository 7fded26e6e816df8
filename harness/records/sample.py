"""One request as one row, and the row that closes a visit."""

from __future__ import annotations

from typing import NamedTuple

VISIT_ROW = -1
"""The ``request`` index of the row that closes a visit; request rows count from 0."""
PORTAL = "portal"
"""The owner of a portal's own hosts, and the role of the host that a visit begins at."""


class WindowKey(NamedTuple):
    """The values that all rows of one window on one worker share; sent once a batch, repeated in every Parquet row."""

    sweep: str
    round: int
    run: str
    window: int
    portal: str
    stage: str
    worker: str


class Sample(NamedTuple):
    """One request (each redirect hop is one), in the order of its columns.

    Times are integer microseconds of the worker's monotonic clock; 0 where the moment never came.

    A row with ``request == VISIT_ROW`` closes a visit: ``goal`` and ``step`` are empty, ``intended_us`` is the
    intended arrival, ``start_us`` the moment the citizen began, ``end_us`` the moment it was done or given up, and
    ``outcome`` is ``ok`` only if every goal of the journey was reached (otherwise the first failure's outcome).

    A step is all request rows that share (run, journey, visit, goal, step, attempt). It begins when it is due, which is the
    ``intended_us`` of its first request, and ends with the last ``end_us``; its outcome is ``ok`` only if all of its rows are.
    """

    journey: str
    visit: int  # unique within the run
    goal: str
    step: str
    request: int  # 0, 1, … within the step
    hop: int  # 0 for the request itself, 1, … for the redirects it led to
    attempt: int  # attempt number, from 1
    host: str  # the origin: scheme://name:port
    host_owner: str  # portal, identity, payment, assets
    method: str
    intended_us: int  # when it was due: at the arrival, or at the end of the visit's answer before plus the drawn think time or wait
    start_us: int  # when the first byte of the request, or of its connection, was sent
    first_byte_us: int
    end_us: int
    dns_us: int  # the three phases are durations; 0 on a reused connection
    connect_us: int
    tls_us: int
    reused: bool
    polling_wait_us: int  # the deliberate wait before this request, where it polls or a page asked for it
    bytes: int  # received over the wire
    status: int  # 0 without an answer
    outcome: str
    read_again: bool = False  # our parser could not read the answer; a second one read the same bytes
    path_template: str = ""  # the request's address as the profile writes it; empty for what a page refers to, and for what was never begun


def visit_row(journey: str, visit: int, host: str, *, intended_us: int, start_us: int, end_us: int, outcome: str) -> Sample:
    """The row that closes a visit; ``start_us`` is 0 where the visit did not begin."""
    return Sample(
        journey, visit, "", "", VISIT_ROW, 0, 1, host, PORTAL, "", intended_us, start_us, 0, end_us, 0, 0, 0, False, 0, 0, 0, outcome
    )
