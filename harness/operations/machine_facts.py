"""What a machine has, as `harness doctor` reads it: from the kernel and the environment, and a folder that is tried. Nothing is sent."""

from __future__ import annotations

import os
import resource
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import getproxies_environment

import psutil

from harness.load.health_monitor import machine_ticks
from harness.load.kernel_time import wall_clock_error_us
from harness.operations.calibration.certificate import current
from harness.publish.pdf import CHROMIUM

BROWSERS = (*CHROMIUM, "firefox", "firefox-esr")
_CGROUPS, _OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
_RAISED_TO = 10_000
"""Open files (``minimum_open_file_limit`` in locust/main.py)."""
_UNLIMITED = 1 << 60
"""Bytes from which on a limit of version 1 is none: the kernel writes the largest multiple of a page."""


@dataclass(frozen=True, slots=True)
class BusyProcess:
    """Another process, and the processor time that it took."""

    pid: int
    name: str
    processors: float  # 1.0: one processor, all the time


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFacts:
    """What a machine has at a moment. None where it does not say."""

    processors: int
    usable: int  # of these, by this process
    quota: float | None  # processors that the control group may use; None: no limit
    free: float  # of the usable processors, how many were idle
    stolen_percent: float  # of the machine's processor time, taken by its host
    over_s: float  # how long these two were watched
    busiest: tuple[BusyProcess, ...]  # most first, over the same time
    governors: frozenset[str]  # of the processors' frequency; empty where they are not readable
    clock_error_s: float | None  # the most by which the time of day is wrong; None where no service that the kernel knows of keeps it
    clock_source: str  # of the kernel; empty where it is not readable
    open_files: int  # that one process may have, once Locust has raised its own limit as far as it can
    ports: int  # that connections may begin at
    ports_waiting: int  # of these, in TIME_WAIT now
    memory_bytes: int  # free for new processes, within the control group too
    disk: Path  # the folder that was asked for, or the nearest one above it that exists
    disk_bytes: int  # free there
    disk_writable: bool  # a folder with a file could be made there
    proxies: tuple[str, ...]  # names of the variables that are set; their values may hold a password
    name_servers: tuple[str, ...]
    browser: str  # a program; empty where there is none
    calibration: str  # valid, failed or none


def read_machine(results: Path, *, watch_s: float = 2.0) -> MachineFacts:
    """Read this machine; takes ``watch_s`` seconds, in which processor time is watched. ``results``: where evidence would go."""
    before, (stolen, total), idle_s = dict(_processor_seconds()), machine_ticks(), _idle_s()
    began = time.monotonic()
    time.sleep(watch_s)
    over_s = time.monotonic() - began
    now_stolen, now_total = machine_ticks()
    usable, quota = len(os.sched_getaffinity(0)), _processor_quota()
    free = max(0.0, (_idle_s() - idle_s) / over_s)
    above = (results.absolute(), *results.absolute().parents)
    disk = next(path for path in above if path.is_dir())
    low, high = map(int, _text(Path("/proc/sys/net/ipv4/ip_local_port_range"), "32768 60999").split())
    return MachineFacts(
        processors=os.cpu_count() or 1,
        usable=usable,
        quota=quota,
        free=min(free, usable, usable if quota is None else quota),
        stolen_percent=100 * (now_stolen - stolen) / max(1, now_total - total),
        over_s=over_s,
        busiest=_busiest(before, over_s),
        governors=frozenset(_text(path, "") for path in Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor")) - {""},
        clock_error_s=None if (error_us := wall_clock_error_us()) is None else error_us / 1e6,
        clock_source=_text(Path("/sys/devices/system/clocksource/clocksource0/current_clocksource"), ""),
        open_files=_open_files(),
        ports=high - low + 1,
        ports_waiting=_waiting(_text(Path("/proc/net/sockstat"), "")),
        memory_bytes=min([psutil.virtual_memory().available, *_memory_left()]),
        disk=disk,
        disk_bytes=shutil.disk_usage(disk).free,
        disk_writable=_can_hold_a_folder(next(path for path in above if os.path.lexists(path))),
        proxies=tuple(sorted(f"{scheme}_proxy" for scheme in getproxies_environment() if scheme != "no")),
        name_servers=tuple(line.split()[1] for line in _text(Path("/etc/resolv.conf"), "").splitlines() if line.startswith("nameserver ")),
        browser=next((path for path in map(shutil.which, BROWSERS) if path), ""),
        calibration=current(results).state,
    )


def _can_hold_a_folder(place: Path) -> bool:
    """Whether a folder with a file can be made in a place; it is made, and removed again: permissions alone do not say it."""
    try:
        with TemporaryDirectory(prefix=".harness-doctor-", dir=place) as made:
            (Path(made) / "tried").write_bytes(bytes(4096))
    except OSError:  # also where the place is a file, or a link that leads nowhere
        return False
    return True


def _idle_s() -> float:
    """How long the processors that this process may use were idle since the machine booted, in all."""
    usable = os.sched_getaffinity(0)
    return sum(times.idle + times.iowait for number, times in enumerate(psutil.cpu_times(percpu=True)) if number in usable)


def _processor_seconds() -> Iterator[tuple[tuple[int, float], float]]:
    """The processor time of each other process, by its number and when it began."""
    for process in psutil.process_iter(["pid", "create_time", "cpu_times"]):
        times = process.info["cpu_times"]
        if times is not None and process.info["pid"] != os.getpid():
            yield (process.info["pid"], process.info["create_time"]), times.user + times.system


def _busiest(before: Mapping[tuple[int, float], float], over_s: float) -> tuple[BusyProcess, ...]:
    found = []
    for key, seconds in _processor_seconds():
        with suppress(psutil.NoSuchProcess):
            if key in before:
                found.append(BusyProcess(key[0], psutil.Process(key[0]).name(), (seconds - before[key]) / over_s))
    return tuple(sorted(found, key=lambda each: -each.processors)[:5])


def _open_files() -> int:
    """What Locust makes of the limit: it raises the soft one to 10,000 where the hard one allows that."""
    soft, hard = (_UNLIMITED if limit == resource.RLIM_INFINITY else limit for limit in resource.getrlimit(resource.RLIMIT_NOFILE))
    return max(soft, _RAISED_TO) if hard >= _RAISED_TO else soft


def _waiting(sockets: str) -> int:
    """Connections in TIME_WAIT, by /proc/net/sockstat."""
    for line in sockets.splitlines():
        kind, _, counts = line.partition(": ")
        if kind == "TCP" and "tw" in (fields := counts.split()):
            return int(fields[fields.index("tw") + 1])
    return 0


def _processor_quota() -> float | None:
    """Processors that the control groups of this process may use together, of version 2 or 1."""
    quotas = []
    for text in _in_groups("cpu", "cpu.max"):
        quota, _, period = text.partition(" ")
        if quota != "max":
            quotas.append(int(quota) / int(period))
    for quota, period in zip(_in_groups("cpu", "cpu.cfs_quota_us"), _in_groups("cpu", "cpu.cfs_period_us"), strict=True):
        if int(quota) > 0:
            quotas.append(int(quota) / int(period))
    return min(quotas, default=None)


def _memory_left() -> Iterator[int]:
    """What the limits of the control groups leave."""
    for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        for most, now in zip(_in_groups("memory", limit), _in_groups("memory", used), strict=False):
            if most != "max" and int(most) < _UNLIMITED:
                yield int(most) - int(now)


def _in_groups(controller: str, name: str) -> Iterator[str]:
    """A file of each control group that holds this process, from its own up to the root."""
    for line in _text(_OWN_GROUPS, "").splitlines():
        _, controllers, inside = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = _CGROUPS / controller if controllers else _CGROUPS
        folder = root / inside.lstrip("/")
        for each in (folder, *folder.parents):
            if each.is_relative_to(root) and (text := _text(each / name, "")):
                yield text


def _text(path: Path, otherwise: str) -> str:
    """A small file of the kernel; ``otherwise`` where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return otherwise
