"""What another client makes of answers that ours cannot read: whether the portal is to blame for them or we are.

The first few such answers of a run are asked for once more with httpx, when they come: the lone citizen's, usually. What
httpx rejects as well is the portal's own doing and counts as its failure; what only we reject voids the window.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.catalog import Target
from harness.client import PhaseTimeouts, Resolver, ask_httpx
from harness.client.request import IDEMPOTENT
from harness.records.step_failures import SECOND_CLIENT
from harness.visits import Visit

ASKED = 3
"""Of one run on one worker: more would be load that no row knows of."""


@dataclass(slots=True)
class Opinions:
    """Of one run on one worker."""

    target: Target
    resolver: Resolver
    timeouts: PhaseTimeouts
    left: int = ASKED

    def of(self, visit: Visit) -> str:
        """What httpx makes of the request that the visit has just failed at; empty where it is not asked.

        A request that may not be sent twice, such as a POST, is not: what it leaves open voids.
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
            message.method, message.url, policy=self.target.allowed, resolver=self.resolver, headers=headers, body=message.body, timeouts=self.timeouts
        )  # fmt: skip
        return visit.blank(f"{SECOND_CLIENT}{found.opinion}{': ' if found.error else ''}{found.error}")
