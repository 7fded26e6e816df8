"""When to stop loading a portal: its last seconds and its last requests, compared with the limits of its authorisation."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from harness.records import StopLimits
from harness.records.fleet_messages import Tally

SLOW_SHARE = 0.05
HOPS_UNDER_LOAD = 2
"""So many times the redirects of a lone citizen belong to our load, whose mix of journeys is another; more are the portal's doing."""


@dataclass(frozen=True, slots=True)
class PassedLimit:
    """A limit that was passed. ``ours``: by the rate of our own load, not by the portal's answers or redirects."""

    reason: str
    ours: bool = False


@dataclass
class RequestRoom:
    """The room that the authorised rate leaves one worker at one portal, over the last ``span_s`` seconds."""

    per_s: float
    span_s: float
    _sent_us: deque[int] = field(default_factory=deque)

    def take(self, now_us: int) -> bool:
        """Count one request; whether there was room for it."""
        sent = self._sent_us
        while sent and sent[0] < now_us - self.span_s * 1e6:
            sent.popleft()
        sent.append(now_us)
        return len(sent) <= self.per_s * self.span_s


@dataclass
class SafetyWatch:
    """One portal's requests of the last ``limits.span_s`` seconds in a round, compared with its limits.

    ``failures_in_a_row`` goes on from round to round: a small load brings few requests in each.
    """

    limits: StopLimits
    failures_in_a_row: int = 0
    usual_hops: float | None = None  # redirects that one request of a lone citizen led to; None where that is not known
    _seen: deque[tuple[int, int, int, int, int, int, int]] = field(default_factory=deque)

    def add(self, tally: Tally, now_us: int) -> PassedLimit | None:
        """Add a tally; answers the first limit that is passed."""
        self._seen.append((now_us, tally.requests, tally.failed, tally.refused, tally.slow, tally.elsewhere, tally.hops))
        while self._seen[0][0] < now_us - self.limits.span_s * 1e6:
            self._seen.popleft()
        all_failed = tally.failed_last == tally.requests
        self.failures_in_a_row = tally.failed_last + (self.failures_in_a_row if all_failed else 0)
        requests, failed, refused, slow, elsewhere, hops = (sum(item[i] for item in self._seen) for i in range(1, 7))
        sent, most = requests + elsewhere, self.limits.requests_per_s * self.limits.span_s
        if sent > most:
            rate = f"{sent / self.limits.span_s:.1f} > {self.limits.requests_per_s:g} requests/s"
            if self.usual_hops is not None and (sent - hops) * (1 + HOPS_UNDER_LOAD * self.usual_hops) <= most:
                return PassedLimit(f"redirects: {rate}, {hops} of {sent} by redirects")
            return PassedLimit(f"authorised rate: {rate}", ours=True)
        if 0 < self.limits.failures_in_a_row <= self.failures_in_a_row:
            return PassedLimit(f"{self.failures_in_a_row} failures in a row ≥ {self.limits.failures_in_a_row}")
        if requests < self.limits.min_requests:
            return None
        if failed / requests > self.limits.error_share:
            return PassedLimit(f"errors {failed}/{requests} > {self.limits.error_share:.0%}")
        if refused / requests > self.limits.refused_share:
            return PassedLimit(f"429/503 {refused}/{requests} > {self.limits.refused_share:.0%}")
        if slow / requests > SLOW_SHARE:
            return PassedLimit(f"slower than {self.limits.p95_ms:g} ms {slow}/{requests} > {SLOW_SHARE:.0%}")
        return None
