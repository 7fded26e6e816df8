"""A tab in Locust's web UI with the citizens at each portal. Locust's own user count shows one arrivals User a worker."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from flask import Response, request
from locust.web import WebUI

from harness.records.fleet_messages import CitizenCounts

_KEY = "citizens"
_COLUMNS = (
    ("portal", "Portal"),
    ("in_flight", "Citizens under way"),
    ("begun", "Visits begun"),
    ("turned_away", "Turned away at the ceiling"),
    ("most_in_flight", "Most under way at once (of one worker)"),
)


def add_citizens_tab(web_ui: WebUI, citizens: Callable[[], Mapping[str, CitizenCounts]]) -> None:
    """Add the tab; ``citizens`` answers them by portal."""
    web_ui.template_args = {
        **web_ui.template_args,
        "extended_tabs": [{"title": "Citizens", "key": _KEY}],
        "extended_tables": [{"key": _KEY, "structure": [{"key": key, "title": title} for key, title in _COLUMNS]}],
    }

    def with_citizens(response: Response) -> Response:
        if request.path.endswith("/stats/requests") and response.is_json:
            rows = [{"portal": portal, **counts._asdict()} for portal, counts in citizens().items()]
            data = {**(response.json or {}), "extended_stats": [{"key": _KEY, "data": rows}]}
            response.set_data(json.dumps(data))
        return response

    assert web_ui.app is not None
    web_ui.app.after_request(with_citizens)
