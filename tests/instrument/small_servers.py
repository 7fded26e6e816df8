"""Runs of Locust over small servers that answer what a test tells them to, one for each portal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from harness.catalog.workload import HealthLimits
from harness.evidence import RunFacts, SweepFolder, read_runs
from harness.operations.locust_run import run_locust
from harness.records import LONE, Plan, PlannedTarget, PlannedWindow, Round, Slot, StopLimits, run_id
from tests.client.raw_server import Peer, RawServer, Script
from tests.e2e.small_catalog import write_files

RESTLESS = HealthLimits(steal_percent=100, cpu_percent=100, lag_p99_ms=5000, lateness_p99_ms=5000, scheduler_lag_ms=9000, arrival_lateness_ms=9000, reference_error_ms=5000, gc_pause_ms=5000, silent_s=30)  # fmt: skip

VISITS = 10
"""Of each portal in each loaded round."""


def as_expected(peer: Peer) -> None:
    """What the calibration's profile expects: JSON that names the path."""
    path = peer.read_request().split(b" ", 2)[1].decode()
    body = json.dumps({"path": path}).encode()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    peer.close()


class Measured(NamedTuple):
    """One portal of a run that has ended."""

    run: RunFacts
    folder: SweepFolder
    asked: int  # connections that its server was asked for

    @property
    def rounds(self) -> tuple[str, ...]:
        """The sealed rounds in which it was measured."""
        return tuple(each.name for each in self.folder.rounds() if any(slot.portal == self.run.portal for slot in each.slots))


def measure(results: Path, portals: Mapping[str, Sequence[Script]], *, rounds: int = 3, **changes: Any) -> dict[str, Measured]:
    """One run over all portals: a lone citizen at each, then loaded rounds. Script n of a portal is for its server's connection n."""
    with ExitStack() as stack:
        servers = {portal: stack.enter_context(RawServer(scripts)) for portal, scripts in portals.items()}
        plan = replace(_plan({portal: server.url for portal, server in servers.items()}, results, rounds), **changes)
        folder = run_locust(plan, workers=1, processor=None, catalog=_catalog(results / "catalog", portals), progress=print)
    return {run.portal: Measured(run, folder, servers[run.portal].accepted) for run in read_runs(folder)}


def _catalog(folder: Path, portals: Iterable[str]) -> Path:
    described = [
        {"id": portal, "name_vi": portal, "name_en": portal, "level": "sample", "embedded_platform": "calibration"} for portal in portals
    ]
    return write_files(folder, {"portals/small.yaml": {"portals": described}})


def _plan(origins: Mapping[str, str], results: Path, rounds: int) -> Plan:
    alone = PlannedWindow(0, LONE, 0.0, 0.0, 0.2, {}, {"search": 1})
    loaded = [PlannedWindow(n, "typical", 1.0, 0.0, 2.0, {}, {"search": VISITS}, round=n) for n in range(1, rounds + 1)]
    planned = [
        Round(window.round, tuple(Slot(portal, run_id(portal, 1), (window,), 100) for portal in origins)) for window in (alone, *loaded)
    ]
    targets = tuple(PlannedTarget(portal, "calibration", {"portal": origin}, "", StopLimits()) for portal, origin in origins.items())
    return Plan(
        sweep="small", seed=1, arrivals="poisson", workload="test", results=str(results / "small"), night="2026-11-22",
        targets=targets, rounds=tuple(planned), timeout_s=5, drain_s=5, health=RESTLESS.model_dump(), lead_s=1.0,
    )  # fmt: skip
