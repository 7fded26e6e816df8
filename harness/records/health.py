"""Generator health: what a worker records of itself once a second, and the summary of a window."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.records.files import write_whole
from harness.records.plain import to_plain


@dataclass(frozen=True, slots=True)
class HealthLine:
    """One second of one worker, a line of ``health/round-….jsonl``."""

    at_us: int  # end of the second, worker's monotonic clock
    cpu_percent: float  # of one core, this process
    busy_percent: float  # of one core: running, or ready to run and waiting for a processor
    steal_percent: float  # of the machine, taken by its host
    lag_max_us: int  # how late a greenlet that sleeps 10 ms was woken
    lag_us: tuple[int, ...]
    late_max_us: int  # how late arrivals were begun
    late_us: tuple[int, ...]  # the largest of them
    late_count: int
    unread_max_us: int  # the longest wait of an answer to be read; measured times exclude it: they use kernel receive timestamps
    gc_max_us: int  # the longest garbage collection
    parsing_us: int  # spent on reading pages, after their times were taken
    sockets: int  # open descriptors
    rss_bytes: int
    in_flight: int  # citizens
    reference_us: int | None  # measured minus true time of the loopback reference; None where it failed
    worker: str = ""


@dataclass(frozen=True, slots=True)
class WindowHealth:
    """The worst worker's health in one window; ``seconds`` is 0 where none was recorded."""

    cpu_percent: float = 0.0  # means over the window
    busy_percent: float = 0.0
    steal_percent: float = 0.0
    lag_max_us: int = 0
    lag_p99_us: int = 0
    late_max_us: int = 0
    late_p99_us: int = 0
    unread_max_us: int = 0
    gc_max_us: int = 0
    parsing_us: int = 0
    sockets: int = 0
    rss_bytes: int = 0
    in_flight: int = 0
    reference_error_us: int | None = None  # median of |measured − true|
    reference_failures: int = 0
    workers: int = 0
    seconds: int = 0

    def facts(self) -> dict[str, float | None]:
        """The figures as round and manifest show them, none where no second was recorded."""
        facts: dict[str, float | None] = to_plain(self) if self.seconds else {}
        return facts


def write_health(path: Path, lines: Iterable[HealthLine]) -> None:
    """Write the lines of a round."""
    write_whole(path, "".join(json.dumps(to_plain(line), sort_keys=True) + "\n" for line in lines))
