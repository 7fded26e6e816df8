"""CPU and memory of a process and its children, from outside, while it works."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figure:
    """What one run of one subject cost."""

    requests: int
    cpu_s: float
    elapsed_s: float

    @property
    def cpu_us(self) -> float:
        """Processor time for one request, in µs."""
        return self.cpu_s / self.requests * 1e6

    @property
    def rate_per_s(self) -> float:
        """Requests in a second."""
        return self.requests / self.elapsed_s


@contextmanager
def running(command: list[str], cores: str) -> Iterator[subprocess.Popen[str]]:
    """A load generator pinned to cores; ended by its process id, with its children."""
    pinned = ["taskset", "-c", cores, *command]
    process = subprocess.Popen(pinned, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # noqa: S603  (made here)
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()


def measured(processes: list[subprocess.Popen[str]], served: Callable[[], int], warm_up_s: float, seconds: float) -> Figure:
    """Requests by the server's count, CPU by the kernel's, over ``seconds`` after the first request and the warm-up."""
    idle = served()
    while served() - idle < 100:  # starting costs CPU that is not the requests'
        time.sleep(0.2)
    time.sleep(warm_up_s)
    cpu_s, requests, began_s = _cpu_s(processes), served(), time.monotonic()
    time.sleep(seconds)
    return Figure(served() - requests, _cpu_s(processes) - cpu_s, time.monotonic() - began_s)


def memory_mib(process: subprocess.Popen[str]) -> float:
    """Proportional set size, in MiB."""
    for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _cpu_s(processes: list[subprocess.Popen[str]]) -> float:
    total = 0
    for process in processes:
        for one in (process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / _TICKS_PER_S


def spread(values: list[float], digits: int = 1) -> str:
    """Median and range."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"
