"""A tab in Locust's page with what its own charts cannot show: citizens, planned arrivals, exact percentiles of steps, generator health.

Locust counts one arrivals User a worker, requests without their plan, and times rounded to two digits. The tab is one of Locust's
extended tabs with a table; a script of our own (``tab/citizens.js``) draws the rest below it, from ``state.json``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import gevent
from flask import Blueprint, Response, jsonify, request
from locust.runners import STATE_CLEANUP, STATE_INIT, STATE_RUNNING, STATE_SPAWNING, STATE_STOPPED, STATE_STOPPING
from locust.web import WebUI

from harness.load.live_rounds import LiveRounds
from harness.load.peak_history import PeakHistory
from harness.load.step_percentiles import PERCENTS, StepPercentiles
from harness.records import Plan
from harness.records.live_state import LiveLoad
from harness.statistics.percentile import percentile_floor

EVERY_S = 1.0
"""Between two points of the charts: as often as workers tell their health."""

_KEY = "citizens"
_COLUMNS = (
    ("portal", "Portal"),
    ("due", "Arrivals planned until now"),
    ("begun", "Visits begun"),
    ("turned_away", "Turned away at the ceiling"),
    ("in_flight", "Citizens in flight"),
)
_SCRIPT = '<link rel="stylesheet" href="./citizens/citizens.css"><script type="module" src="./citizens/citizens.js"></script>'

_ASKS_FOR_HOST, _ASKS_FOR_NONE = '"missing_host_warning": true', '"missing_host_warning": false'
"""Locust's form asks for a host where classes have none; the portal chooses the hosts here, and any other is refused."""


class ArrivedSoFar(NamedTuple):
    """The citizens of one portal since the test began."""

    due: int | None  # visits that were to begin by now; None in a closed run
    begun: int
    turned_away: int
    in_flight: int


class CitizensTab:
    """The tab, in the process of the master or of a standalone Locust."""

    def __init__(self, web_ui: WebUI, live: LiveRounds) -> None:
        self._live = live
        self._plan: Plan | None = None
        self._place = self._said = ""
        live.steps = StepPercentiles()
        self._add_to(web_ui)
        gevent.spawn(self._sample_for_ever)

    def begin(self, plan: Plan, place: str) -> None:
        """A test begins; ``place``: where its evidence goes."""
        self._plan, self._place, self._said = plan, place, ""
        self._begun_s = time.monotonic()
        self._citizens: dict[str, PeakHistory] = {target.portal: PeakHistory() for target in plan.targets}
        self._health = PeakHistory()

    def say(self, line: str) -> None:
        """Show a line: why a test did not begin, or what the last one has left behind."""
        self._said = line

    def _sample_for_ever(self) -> None:
        was_under_way = False
        while True:
            under_way = bool(self._live.rounds())
            if self._plan is not None and (under_way or was_under_way):  # and once more after the last round
                self._sample()
            was_under_way = under_way
            gevent.sleep(EVERY_S)

    def _sample(self) -> None:
        at_s = round(time.monotonic() - self._begun_s, 1)
        for portal, arrived in self._arrived().items():
            self._citizens[portal].add(at_s, arrived.in_flight, arrived.due or 0, arrived.begun, arrived.turned_away)
        lines = self._live.workers().values()
        if lines:
            worst_us = (max(line.lag_max_us for line in lines), max(line.late_max_us for line in lines))
            percents = (max(line.cpu_percent for line in lines), max(line.steal_percent for line in lines))
            self._health.add(at_s, *percents, *(us / 1000 for us in worst_us))

    def _arrived(self) -> dict[str, ArrivedSoFar]:
        """The citizens of each portal over all rounds of the test; in rounds that are sealed nobody is in flight."""
        ended, under_way = self._live.ended(), self._live.rounds()
        loads = [
            *(replace(load, in_flight=0) for each in ended for load in each.loads),
            *(load for each in under_way for load in each.loads),
        ]
        return {
            target.portal: _sum(load for load in loads if load.portal == target.portal)
            for target in (self._plan.targets if self._plan is not None else ())
        }

    # Locust's page.

    def _add_to(self, web_ui: WebUI) -> None:
        app = web_ui.app
        assert app is not None
        self._web_ui = web_ui
        options = web_ui.environment.parsed_options
        base = (options.web_base_path if options is not None else "") or ""
        web_ui.template_args = {
            **web_ui.template_args,
            "extended_tabs": [{"title": "Citizens", "key": _KEY}],
            "extended_tables": [{"key": _KEY, "structure": [{"key": key, "title": title} for key, title in _COLUMNS]}],
        }
        pages = Blueprint(_KEY, __name__, url_prefix=f"{base}/{_KEY}", static_folder="tab", static_url_path="")
        pages.add_url_rule("/state.json", view_func=web_ui.auth_required_if_enabled(self._state))
        app.register_blueprint(pages)
        app.after_request(self._extend)

    def _extend(self, response: Response) -> Response:
        """Add the tab's table to Locust's statistics, and its script to Locust's page."""
        if request.endpoint == "locust.request_stats" and response.is_json:
            data = {**(response.json or {}), "extended_stats": [{"key": _KEY, "data": [*self._table()]}]}
            data["state"] = _polled_state(data["state"], self._web_ui)
            response.set_data(json.dumps(data))
        elif request.endpoint == "locust.index" and response.mimetype == "text/html":
            before, end, after = response.get_data(as_text=True).rpartition("</body>")
            response.set_data(f"{before.replace(_ASKS_FOR_HOST, _ASKS_FOR_NONE)}{_SCRIPT}{end}{after}")
        return response

    def _table(self) -> Iterator[dict[str, Any]]:
        for portal, arrived in self._arrived().items():
            yield {"portal": portal, **arrived._asdict(), "due": "–" if arrived.due is None else arrived.due}

    def _state(self) -> Response:
        """Everything that the script draws."""
        plan, steps = self._plan, self._live.steps
        if plan is None or steps is None:
            return jsonify({"test": "", "said": self._said})
        return jsonify(
            {
                "test": plan.sweep,
                "workload": plan.workload,
                "rounds": [f"round {each.round}, {each.stage}" for each in self._live.rounds()],
                "said": self._said,
                "kept": self._place,
                "portals": [
                    {"portal": portal, **arrived._asdict(), "history": self._citizens[portal].points}
                    for portal, arrived in self._arrived().items()
                ],
                "health": {"history": self._health.points, "limits": dict(plan.health), "workers": [*self._workers()]},
                "percents": [[percent, percentile_floor(percent)] for percent in PERCENTS],
                "steps": [figures._asdict() for figures in steps.figures()],
            }
        )

    def _workers(self) -> Iterator[dict[str, Any]]:
        for worker, line in sorted(self._live.workers().items()):
            reference_ms = None if line.reference_us is None else line.reference_us / 1000
            yield {
                "worker": worker, "cpu": line.cpu_percent, "steal": line.steal_percent, "lag_ms": line.lag_max_us / 1000,
                "late_ms": line.late_max_us / 1000, "late_count": line.late_count, "reference_ms": reference_ms,
            }  # fmt: skip


def _polled_state(state: str, web_ui: WebUI) -> str:
    """The state of the test as Locust's page is to read it: once it reads another than spawning or running, it never asks again.

    A test that begins is still "ready" or "stopped", and one that ends is "stopping" or "cleanup", for as long as their listeners take.
    """
    if state in {STATE_STOPPING, STATE_CLEANUP}:
        return STATE_RUNNING
    runner = web_ui.environment.runner
    starts = [web_ui._swarm_greenlet, runner.spawning_greenlet if runner is not None else None]  # noqa: SLF001  (a master starts in the first one)
    begins = any(start is not None and not start.ready() for start in starts)
    return STATE_SPAWNING if begins and state in {STATE_INIT, STATE_STOPPED} else state


def _sum(loads: Iterable[LiveLoad]) -> ArrivedSoFar:
    rounds = [*loads]
    planned = [load.due for load in rounds if load.due is not None]
    return ArrivedSoFar(
        sum(planned) if planned else None,
        *(sum(getattr(load, name) for load in rounds) for name in ("begun", "turned_away", "in_flight")),
    )
