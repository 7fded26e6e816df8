"""A workload with ``assets: true`` makes citizens fetch what pages refer to; any other workload does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gevent.event import Event

from harness.catalog import Target, load_catalog
from harness.client import LeanSession, PhaseTimeouts, Resolver, loopback_only
from harness.load.clock import Clock
from harness.load.portal_load import PortalLoad
from harness.load.safety import RequestRoom
from harness.operations.measured_portal import MeasuredPortal
from harness.operations.shipped import scenarios_folder
from harness.operations.sweep_plan import make_plan
from harness.origins import origin_of
from harness.records import VISIT_ROW, Sample
from harness.statistics.trace_context import traceparent
from tests.html_site import in_a_thread
from tests.load.fleet import FakeFleet, FakeHealth, plan_of, round_of
from tests.visits.sloppy_site import Site, platform, requests

PAGE = requests('{get: "{{ origin.portal }}/assets", assets: true}')


@pytest.fixture
def site() -> Iterator[Site]:
    with in_a_thread(Site()) as server:
        yield server


def load_of(site: Site, rows: list[Sample], *, assets: bool) -> PortalLoad:
    """The load of a site on one worker, without a fleet."""
    outbox = SimpleNamespace(add_row=lambda _key, row: rows.append(row), count=lambda *_, **__: None, add_step=lambda *_: None)
    resolver: Any = Resolver()
    return PortalLoad(
        target=Target("site", "site", {"portal": site.origin}, {origin_of(site.origin): "portal"}), platform=platform(PAGE), run="r", seed=1,
        think={}, assets=assets, sessions=lambda: LeanSession(loopback_only, resolver), timeouts=PhaseTimeouts(), patience_s=60.0, outbox=outbox, keys={0: 0}, ceiling=1, cutting=Event(),
        health=FakeHealth(), clock=Clock(), room=RequestRoom(1e9, 5.0), slow_us=1e9, on_step=lambda _: None, failures=None,
    )  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize("assets", [True, False])
def test_citizens_under_load_fetch_assets_where_the_workload_asks(site: Site, assets: bool) -> None:
    rows: list[Sample] = []
    visit = load_of(site, rows, assets=assets).visit("search", ("find",), 0, 0, 1)
    visit.perform("find", keyword="x")
    visit.finish()
    asked = sorted(path for _, path, _, _ in site.asked)
    assert asked == (["/a.css", "/a.js", "/assets", "/bg.svg", "/gone.png"] if assets else ["/assets"])
    assert sum(row.request != VISIT_ROW for row in rows) == len(asked)
    assert not any("traceparent" in headers for _, _, headers, _ in site.asked)


def test_assets_of_the_portals_own_hosts_name_the_trace_too(site: Site) -> None:
    visit = replace(load_of(site, [], assets=True), traced=True).visit("search", ("find",), 0, 0, 1)
    visit.perform("find", keyword="x")
    visit.finish()
    assert len(site.asked) == 5
    assert {headers.get("traceparent") for _, _, headers, _ in site.asked} == {traceparent(1, "", "r", 0)}


@pytest.mark.parametrize(("assets", "traced"), [(True, False), (False, True)])
def test_every_worker_is_told_what_the_plan_says(assets: bool, traced: bool) -> None:
    fleet = FakeFleet("w1", "w2")
    told: dict[str, tuple[bool, bool]] = {}
    prepare = fleet._prepare

    def noting(worker: str, load: PortalLoad, *visit: int) -> Any:
        told[worker] = load.assets, load.traced
        return prepare(worker, load, *visit)

    fleet._prepare = noting  # type: ignore[method-assign]
    fleet.run(plan_of(round_of(0), assets=assets, traceparent=traced))
    assert told == {"w1": (assets, traced), "w2": (assets, traced)}


def test_a_workload_asks_for_assets_and_the_plan_keeps_it() -> None:
    catalog = load_catalog(scenarios_folder())
    measured = [MeasuredPortal(catalog.portals["binh-dinh"], "liferay", {})]
    for asked in (True, False):
        workload = catalog.workloads["demo"].model_copy(update={"assets": asked, "traceparent": asked})
        plan = make_plan("s", measured, workload, seed=1, results=Path("unused"), night="2026-01-01")
        assert (plan.assets, plan.traceparent) == (asked, asked)
