"""The lease as a worker holds it: the master's word that it is there, and what follows from its silence."""

from __future__ import annotations

from collections.abc import Callable

from harness.load.clock import Clock

LEASE_S = 1.5
"""The longest silence of the master under load (assumed: the load of a lost master ends within 2 s). A lease is renewed five times in it."""
LEASE_WATCHED_EVERY_S = 0.25
DESERTED_AFTER_S = 30.0
"""A worker ends after this silence of its master on the same machine (assumed: a pause of the machine is shorter)."""
ANNOUNCED_EVERY_S = 5.0
"""How often a worker announces itself while its master, on another machine, is silent: a master forgets a worker that it does not hear (assumed:
often enough to be back within a round, seldom enough to cost nothing)."""


class HeldLease:
    """The lease of one worker."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._renewed_us = 0  # when the master was last heard of; 0 before the first time

    def renew(self) -> None:
        """The master was heard of."""
        self._renewed_us = self._clock.now_us()

    @property
    def heard_of(self) -> bool:
        """Whether the master was ever heard of."""
        return self._renewed_us > 0

    @property
    def holds(self) -> bool:
        """Whether the master is not silent for longer than it may be under load."""
        return self._silent_s() < LEASE_S

    def _silent_s(self) -> float:
        """How long the master has been silent; 0 before its first word."""
        return (self._clock.now_us() - self._renewed_us) / 1e6 if self._renewed_us else 0.0

    def watch_for_ever(
        self, lapse: Callable[[], None], deserted: Callable[[], None], announce: Callable[[], None], at_most_s: float
    ) -> None:
        """Watch for silence of the master, longer than the lease.

        Calls ``lapse`` while it lasts, ``announce`` every ANNOUNCED_EVERY_S, and after ``at_most_s`` calls ``deserted`` and returns.
        """
        before_us = announced_us = self._clock.now_us()
        while True:
            self._clock.sleep(LEASE_WATCHED_EVERY_S)
            now_us = self._clock.now_us()
            if self._renewed_us and now_us - before_us > 2 * LEASE_WATCHED_EVERY_S * 1e6:
                self._renewed_us = now_us  # this process stood still: what came meanwhile is not read yet
            before_us = now_us
            silent_s = self._silent_s()
            if silent_s > LEASE_S:
                lapse()
            if silent_s > ANNOUNCED_EVERY_S and now_us - announced_us > ANNOUNCED_EVERY_S * 1e6:
                announced_us = now_us
                announce()
            if silent_s > at_most_s:
                deserted()
                return
