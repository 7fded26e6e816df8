"""A second opinion on answers that our client cannot read.

The first few such requests of a run are sent once more with httpx, usually the lone citizen's. An answer that httpx
rejects as well is the portal's failure; an answer that only our client rejects voids the window.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.catalog import Target
from harness.client import PhaseTimeouts, Resolver
from harness.client.request import IDEMPOTENT
from harness.client.second_opinion import ask_httpx  # not exported: httpx takes half a second to import
from harness.records.step_failures import SECOND_CLIENT
from harness.visits import VisitState, blank

ASKED = 3
"""Requests of one run on one worker that are sent again; no row records them, so they must stay few."""


@dataclass(slots=True)
class Opinions:
    """The second opinions of one run on one worker."""

    target: Target
    resolver: Resolver
    timeouts: PhaseTimeouts
    left: int = ASKED

    def of(self, visit: VisitState) -> str:
        """What httpx says of the request at which the visit has just failed; empty where it is not asked.

        It is not asked about a request that may not be sent twice, such as a POST; the window is void then.
        """
        if not self.left or visit.last_sent is None:
            return ""
        actor, message = visit.last_sent
        if message.method not in IDEMPOTENT:
            return ""
        self.left -= 1
        cookies = actor.session.cookies_for(message.url)
        headers = dict(message.headers)
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        found = ask_httpx(
            message.method, message.url, policy=self.target, resolver=self.resolver, headers=headers, body=message.body, timeouts=self.timeouts
        )  # fmt: skip
        return blank(visit, f"{SECOND_CLIENT}{found.opinion}{': ' if found.error else ''}{found.error}")
