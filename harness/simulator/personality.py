"""What a portal is like: how fast, how many at once, when it stalls, what it gets wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.simulator.chance import Draws, Purpose

Distribution = Literal["lognormal", "constant", "bimodal", "exponential"]
Refusal = Literal["none", "forbidden", "captcha", "maintenance"]

FAULTS = (
    "csrf_same_302",  # a wrong CSRF token is answered as a right one, nothing stored
    "stale_csrf",  # the token is no longer valid when the dossier is submitted
    "rejected_200",  # a submission is answered 200 with a page or JSON that says no
    "colliding_codes",  # submissions within one second get the same dossier code
    "callback_lost",  # the payment callback never reaches the portal
    "not_stored",  # a submission is acknowledged with a code and never stored
    "session_expires",  # the session is gone when the dossier is to be submitted
    "slow_body",  # the body trickles out
    "early_close",  # the connection ends in the middle of the body
)
"""The names that ``faults`` may hold; each is off unless named."""


@dataclass(frozen=True, slots=True)
class Freezes:
    """Stalls during which no service starts or ends, counted from a moment that the control API can set."""

    first_at_s: float
    every_s: float  # 0: one stall only
    duration_s: float

    def end_us(self, origin_us: int, moment_us: int) -> int:
        """When the stall that ``moment_us`` lies in ends, or 0 outside of any; the end itself is outside."""
        since_us = moment_us - origin_us - round(self.first_at_s * 1e6)
        if since_us < 0:
            return 0
        every_us = round(self.every_s * 1e6)
        into_us = since_us % every_us if every_us else since_us
        duration_us = round(self.duration_s * 1e6)
        return moment_us - into_us + duration_us if into_us < duration_us else 0


@dataclass(frozen=True, slots=True)
class Personality:
    """Everything that can be set about one origin; times are of service at weight 1, before any queue."""

    distribution: Distribution = "lognormal"
    median_ms: float = 80.0
    sigma: float = 0.4  # of the logarithm; lognormal, and both modes of bimodal
    slow_median_ms: float = 1000.0  # bimodal: the second mode
    slow_share: float = 0.05  # bimodal: how often it is the second mode
    servers: int = 16  # requests in service at once; 0 = unbounded
    freezes: Freezes | None = None
    error_share: float = 0.0  # HTTP 500 after a full service, nothing stored
    payment_failure_share: float = 0.0
    hang_share: float = 0.0  # never answered: held until the client leaves, or for hang_s
    hang_s: float = 120.0
    refuses: Refusal = "none"
    too_many_requests_above: int = 0  # 429 when more than so many are in flight; 0 = never
    page_bytes: int = 24_000  # least size of result lists and procedure pages; other pages a third of it
    body_bytes: int = 2_300  # calibration answers
    session_ttl_s: float = 1_800.0
    token_ttl_s: float = 300.0  # bearer tokens, where the family has them
    slow_body_s: float = 2.0  # slow_body: how long a body takes
    faults: Mapping[str, float] = field(default_factory=dict)  # name -> share of requests that meet it

    def service_us(self, draws: Draws, number: int, weight: float) -> int:
        """The service time of request ``number``, in microseconds."""
        if self.distribution == "constant":
            base_ms = self.median_ms
        elif self.distribution == "exponential":
            base_ms = self.median_ms / math.log(2) * draws.exponential(number, Purpose.SERVICE)
        else:
            slow = self.distribution == "bimodal" and draws.happens(self.slow_share, number, Purpose.MODE)
            median_ms = self.slow_median_ms if slow else self.median_ms
            base_ms = median_ms * math.exp(self.sigma * draws.normal(number, Purpose.SERVICE))
        return round(base_ms * weight * 1000)


def default_personality(seed: int, portal: str) -> Personality:
    """The personality of a portal for which none is given, from its id: median 40 to 400 ms, 4 to 24 servers."""
    draws = Draws(seed, f"personality of {portal}")
    return Personality(
        distribution="lognormal",
        median_ms=round(40.0 * 10 ** draws.uniform(0, 1), 1),
        sigma=round(0.25 + 0.35 * draws.uniform(0, 2), 2),
        servers=4 + int(21 * draws.uniform(0, 3)),
        page_bytes=10_000 + int(50_000 * draws.uniform(0, 4)),
    )
