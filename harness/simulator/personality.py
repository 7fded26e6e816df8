"""How a portal behaves: how fast it is, how many requests it serves at once, when it freezes, which faults it has."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from harness.simulator.chance import Draws, Purpose

FAULTS = (
    "csrf_same_302",  # a wrong CSRF token is answered like a right one, but nothing is stored
    "stale_csrf",  # the token is invalid at the submission
    "rejected_200",  # a submission is answered 200 with a page or JSON that refuses it
    "colliding_codes",  # submissions within one second get the same dossier code
    "callback_lost",  # the payment callback never reaches the portal
    "not_stored",  # a submission is answered with a code and never stored
    "session_expires",  # the session ends right before the submission
    "slow_body",  # the body arrives slowly
    "early_close",  # the connection ends in the middle of the body
)
"""The names that ``faults`` may hold; a fault that is not named is off. New faults go to the end: the place decides the draws."""


def _integer(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _known_fault(name: str) -> str:
    if name not in FAULTS:
        raise ValueError("one of " + ", ".join(FAULTS))
    return name


def _shares(value: object) -> object:
    return dict.fromkeys(value, 1.0) if isinstance(value, list) and all(isinstance(name, str) for name in value) else value


_Amount = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
_Share = Annotated[float, Field(strict=True, ge=0, le=1)]
_Whole = Annotated[int, BeforeValidator(_integer), Field(strict=True, ge=0)]
_Faults = Annotated[dict[Annotated[str, AfterValidator(_known_fault)], _Share], BeforeValidator(_shares)]


class Freezes(BaseModel):
    """Times in which no service starts or ends, counted from a moment that the control API can set."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    first_at_s: _Amount
    every_s: _Amount  # 0: only one freeze
    duration_s: _Amount

    @model_validator(mode="after")
    def _end_before_the_next(self) -> Freezes:
        if self.every_s and self.duration_s >= self.every_s:
            raise ValueError("a duration_s below every_s")
        return self

    def end_us(self, origin_us: int, moment_us: int) -> int:
        """The end of the freeze that contains ``moment_us``, or 0 if none does; the end itself is outside."""
        since_us = moment_us - origin_us - round(self.first_at_s * 1e6)
        if since_us < 0:
            return 0
        every_us = round(self.every_s * 1e6)
        into_us = since_us % every_us if every_us else since_us
        duration_us = round(self.duration_s * 1e6)
        return moment_us - into_us + duration_us if into_us < duration_us else 0


class Personality(BaseModel):
    """Everything that can be set for one origin; service times are for weight 1 and exclude waiting."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    distribution: Literal["lognormal", "constant", "bimodal", "exponential"] = "lognormal"
    median_ms: _Amount = 80.0
    sigma: _Amount = 0.4  # of the logarithm; lognormal, and both modes of bimodal
    slow_median_ms: _Amount = 1000.0  # bimodal: the second mode
    slow_share: _Share = 0.05  # bimodal: share of the second mode
    growth_per_s: _Amount = 0.0  # share of itself by which a service time grows each second, from the moment that freezes count from
    servers: _Whole = 16  # requests in service at once; 0 = unbounded
    freezes: Freezes | None = None
    error_share: _Share = 0.0  # HTTP 500 after a full service, nothing stored
    payment_failure_share: _Share = 0.0
    hang_share: _Share = 0.0  # never answered: held until the client leaves, or for hang_s
    hang_s: _Amount = 120.0
    refuses: Literal["none", "forbidden", "captcha", "maintenance"] = "none"
    too_many_requests_above: _Whole = 0  # 429 when more requests than this are in flight; 0 = never
    page_bytes: _Whole = 24_000  # minimum size of result lists and procedure pages; other pages a third of it
    large_paths: dict[str, _Whole] = Field(default_factory=dict)  # end of a path -> minimum size of its pages
    slow_paths: dict[str, _Amount] = Field(default_factory=dict)  # end of a path -> ms in the database, besides the service time
    slower_paths: dict[str, _Amount] = Field(default_factory=dict)  # end of a path -> factor of the service time
    handshake_ms: _Amount = 0.0  # before anything that a connection brings is read; with TLS its handshake takes so much longer
    line_kbit_per_s: _Amount = 0.0  # what a connection carries towards the client; 0 = unlimited
    body_bytes: _Whole = 2_300  # size of calibration answers
    session_ttl_s: _Amount = 1_800.0
    token_ttl_s: _Amount = 300.0  # bearer tokens
    server_timing: bool = False  # answers say how long they waited for a server, and were in application and database
    database_share: _Share = 0.25  # of the service time
    storing_ms: _Amount = 0.0  # in the database, besides the service time, for a request that stores something
    slow_body_s: _Amount = 2.0  # slow_body: the time that a body takes
    faults: _Faults = Field(default_factory=dict)  # name -> share of requests that have it

    def changed(self, given: Personality) -> Personality:
        """A copy with the traits that were set when ``given`` was made."""
        return self.model_copy(update={name: getattr(given, name) for name in given.model_fields_set})

    def storing_us(self, *, stores: bool) -> int:
        """What a request takes in the database besides its service time, in microseconds."""
        return round(self.storing_ms * 1000) if stores else 0

    @property
    def far(self) -> bool:
        """Whether connections lead over a line of their own."""
        return bool(self.handshake_ms or self.line_kbit_per_s)

    def database_us(self, path: str) -> int:
        """What a request for ``path`` takes in the database besides its service time, in microseconds."""
        return round(1000 * sum(ms for end, ms in self.slow_paths.items() if path.endswith(end)))

    def slowness(self, path: str) -> float:
        """The factor of the service time of a request for ``path``."""
        return math.prod(factor for end, factor in self.slower_paths.items() if path.endswith(end))

    def page_size(self, path: str) -> int:
        """The minimum size of the page at ``path``; 0 where it has its usual one."""
        return max((size for end, size in self.large_paths.items() if path.endswith(end)), default=0)

    def service_us(self, draws: Draws, number: int, weight: float, since_us: int = 0) -> int:
        """The service time of request ``number``, in microseconds; ``since_us``: from the moment that growth counts from."""
        if self.distribution == "constant":
            base_ms = self.median_ms
        elif self.distribution == "exponential":
            base_ms = self.median_ms / math.log(2) * draws.exponential(number, Purpose.SERVICE)
        else:
            slow = self.distribution == "bimodal" and draws.happens(self.slow_share, number, Purpose.MODE)
            median_ms = self.slow_median_ms if slow else self.median_ms
            base_ms = median_ms * math.exp(self.sigma * draws.normal(number, Purpose.SERVICE))
        return round(base_ms * weight * 1000 * (1 + self.growth_per_s * since_us / 1e6))


def default_personality(seed: int, portal: str) -> Personality:
    """The personality that a portal gets from its id: median 40 to 400 ms, 4 to 24 servers."""
    draws = Draws(seed, f"personality of {portal}")
    return Personality(
        distribution="lognormal",
        median_ms=round(40.0 * 10 ** draws.uniform(0, 1), 1),
        sigma=round(0.25 + 0.35 * draws.uniform(0, 2), 2),
        servers=4 + int(21 * draws.uniform(0, 3)),
        page_bytes=10_000 + int(50_000 * draws.uniform(0, 4)),
    )
