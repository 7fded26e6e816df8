"""Which workers take part: the master compares each worker's setup with its own, and tells a worker that is refused why."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from harness.load.channel import Channel
from harness.records import PlannedTarget
from harness.records.fleet_messages import Present, Refused, RollCall, WorkerSetup

TIME_OF_DAY_S = 2.0
"""The largest difference between a worker's time of day and the master's (assumed): authorisations end by it, and forms have its date."""
NAMED = 5
"""Files that are named one by one: the first few say enough."""


def answer_roll_calls(
    channel: Channel,
    setup: WorkerSetup,
    free: Callable[[], bool],
    lacking: Callable[[Sequence[PlannedTarget]], tuple[str, ...]],
    refused: Callable[[Refused], None],
    time_of_day_s: Callable[[], float] = time.time,
) -> None:
    """The worker's side of a roll call: answer with this process's setup while it is ``free``; call ``refused`` if it is not admitted.

    ``lacking`` says what this machine lacks for some portals.
    """

    def answer(call: RollCall, _: str) -> None:
        if free():
            channel.send(Present(setup, time_of_day_s(), lacking(call.targets)))

    channel.listen(RollCall, answer)
    channel.listen(Refused, lambda said, _: refused(said))


def why_refused(own: WorkerSetup, worker: Present, *, asked_s: float, heard_s: float, embedded: bool) -> str:
    """Why a worker cannot take part; empty where it can.

    ``asked_s`` and ``heard_s``: the master's time of day when it asked and when the answer came, in seconds since 1970.
    ``embedded``: portals are played on the master's loopback.
    """
    found = [*_versions(own, worker.setup)] or [*_files(own, worker.setup)]
    off_s = min(0.0, worker.utc_s - asked_s) + max(0.0, worker.utc_s - heard_s)
    if abs(off_s) > TIME_OF_DAY_S:
        side = "ahead of" if off_s > 0 else "behind"
        found.append(
            f"its time of day is {abs(off_s):.1f} s {side} the master's, and {TIME_OF_DAY_S:g} s are allowed: set both clocks, for example by NTP"
        )
    if embedded and worker.setup.loopback != own.loopback:
        found.append(
            "the sweep has embedded portals, which only workers on the master's machine reach: measure authorised portals, or start it there"
        )
    found += worker.lacks[:NAMED]
    return "; ".join(found)


def _versions(own: WorkerSetup, worker: WorkerSetup) -> Iterator[str]:
    for name in ("harness", "locust", "python"):
        ours, theirs = getattr(own, name), getattr(worker, name)
        if ours != theirs:
            yield f"{name} {theirs or 'of an unknown version'} where the master has {ours}: install the same"


def _files(own: WorkerSetup, worker: WorkerSetup) -> Iterator[str]:
    ours, theirs = own.files, worker.files
    for what, names in (
        ("it lacks", ours.keys() - theirs.keys()),
        ("the master lacks", theirs.keys() - ours.keys()),
        ("it has another", {name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name]}),
    ):
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            yield f"{what} {', '.join(sorted(names)[:NAMED])}{more}: give both the same scenarios and the same catalog"
