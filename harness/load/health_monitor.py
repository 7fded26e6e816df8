"""Whether the generator could measure right: once a second each worker measures itself (a ``HealthLine``)."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import gevent
import psutil

from harness.client import longest_unread_us
from harness.load.memory import settle
from harness.load.reference import Reference
from harness.records import HealthLine

CANARY_S = 0.01
"""Sleep of the canary, a greenlet that measures how late it is woken."""

EARLY_US = 400
"""Citizens are woken this much before they are due, so that they are awake when they are due (PortalLoad.wait_awake)."""

IDLE_PERCENT = 50
"""A process that is busier than this wakes nobody early: its processor is awake anyway."""

KEPT_PER_SECOND = 100
"""Values kept of each second, the largest. The canary measures so many; arrivals may be more."""


class HealthMonitor:
    """Measures this process once a second from its first round on; ``reference`` starts the loopback reference."""

    def __init__(self, reference: Callable[[], Reference]) -> None:
        self._start_reference = reference
        self._reference: Reference | None = None
        self._report: Callable[[HealthLine], None]
        self._in_flight: Callable[[], int]
        self._lags: list[int] = []
        self._lateness: list[int] = []
        self._gc_began_us = 0
        self._gc_max_us = 0
        self.parsing_us = 0
        self._greenlets: list[gevent.Greenlet[..., None]] = []
        self._process = psutil.Process()
        self._cpu_percent = 0.0  # of the last second

    def begin_round(self, report: Callable[[HealthLine], None], in_flight: Callable[[], int]) -> None:
        """Give ``report`` a line every second. Figures from before are dropped: they are of the time between rounds."""
        self._report, self._in_flight = report, in_flight
        settle()
        self._reference = self._reference or self._start_reference()
        self._lags, self._lateness, self._gc_max_us = [], [], 0
        if not self._greenlets:
            gc.callbacks.append(self._on_gc)
            self._greenlets = [gevent.spawn(self._canary), gevent.spawn(self._every_second)]

    def stop(self) -> None:
        """Stop measuring."""
        gevent.killall(self._greenlets)
        self._greenlets = []
        if self._on_gc in gc.callbacks:
            gc.callbacks.remove(self._on_gc)
        if self._reference is not None:
            self._reference.close()
            self._reference = None

    def early_us(self) -> int:
        """How long before its due moment to wake a citizen."""
        return EARLY_US if self._cpu_percent < IDLE_PERCENT else 0

    def arrival_began(self, late_us: int) -> None:
        """Record how late one citizen began."""
        self._lateness.append(late_us)

    def _canary(self) -> None:
        while True:
            due_us = time.monotonic_ns() // 1000 + int(CANARY_S * 1e6)
            gevent.sleep(CANARY_S)
            self._lags.append(time.monotonic_ns() // 1000 - due_us)

    def _on_gc(self, phase: str, _info: Mapping[str, int]) -> None:
        now_us = time.monotonic_ns() // 1000
        if phase == "start":
            self._gc_began_us = now_us
        elif self._gc_began_us:
            self._gc_max_us = max(self._gc_max_us, now_us - self._gc_began_us)

    def _every_second(self) -> None:
        cpu_s, waited_s, wall_s, stolen, total = time.process_time(), _waited_s(), time.monotonic(), *machine_ticks()
        while True:
            gevent.sleep(1.0)
            reference_us = self._reference.measure() if self._reference else None
            now_cpu_s, now_waited_s, now_s, now_stolen, now_total = time.process_time(), _waited_s(), time.monotonic(), *machine_ticks()
            self._cpu_percent = 100 * (now_cpu_s - cpu_s) / (now_s - wall_s)
            lags, late = sorted(self._lags), sorted(self._lateness)
            self._lags, self._lateness = [], []
            self._report(
                HealthLine(
                    at_us=time.monotonic_ns() // 1000,
                    cpu_percent=round(self._cpu_percent, 2),
                    busy_percent=round(100 * (now_cpu_s - cpu_s + now_waited_s - waited_s) / (now_s - wall_s), 2),
                    steal_percent=round(100 * (now_stolen - stolen) / max(1, now_total - total), 2),
                    lag_max_us=lags[-1] if lags else 0,
                    lag_us=tuple(lags[-KEPT_PER_SECOND:]),
                    late_max_us=late[-1] if late else 0,
                    late_us=tuple(late[-KEPT_PER_SECOND:]),
                    late_count=len(late),
                    unread_max_us=longest_unread_us(),
                    gc_max_us=self._gc_max_us,
                    parsing_us=self.parsing_us,
                    sockets=sum(1 for _ in Path("/proc/self/fd").iterdir()),
                    rss_bytes=self._process.memory_info().rss,
                    in_flight=self._in_flight(),
                    reference_us=reference_us,
                )
            )
            self._gc_max_us = self.parsing_us = 0
            cpu_s, waited_s, wall_s, stolen, total = now_cpu_s, now_waited_s, now_s, now_stolen, now_total


def _waited_s() -> float:
    """Seconds for which this thread was ready to run and had no processor, from /proc/self/schedstat; 0 where there is none."""
    try:
        return int(Path("/proc/self/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def machine_ticks() -> tuple[int, int]:
    """(stolen, all) clock ticks of the machine since it booted, from /proc/stat."""
    fields = [int(field) for field in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]]
    return fields[7], sum(fields)
