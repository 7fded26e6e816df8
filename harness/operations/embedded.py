"""Starts, queries and ends the simulator, which runs as a process of its own."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

from harness.catalog import Portal
from harness.errors import EnvironmentFault, Problem
from harness.operations.kept_process import await_end, running_process, write_process
from harness.records import Plan

START_S = 60.0
GONE_S = 30.0
"""The longest wait for the end of embedded portals that an earlier attempt left behind (assumed: half of the time that they may take to start)."""
PID = "simulator.pid"
URGENT = -10
"""The niceness of generator and embedded portals, where the machine allows to set it."""


@dataclass
class EmbeddedPortals:
    """The embedded portals on loopback, from ``start`` until ``stop`` (or until this process dies)."""

    ready: Mapping[str, Any]
    _process: subprocess.Popen[bytes]
    _folder: tempfile.TemporaryDirectory[str] = field(repr=False)
    _kept: Path | None = None

    @classmethod
    def start(
        cls, portals: Iterable[Portal], *, seed: int, cpu: int | None = None, ports: Mapping[str, int] | None = None, kept: Path | None = None,
        **settings: Any,
    ) -> EmbeddedPortals:  # fmt: skip
        """Start the simulator; EnvironmentFault with what it printed if it does not start.

        ``kept``: a folder that keeps the database after the end, so that a later call brings the same portals back.
        """
        folder = tempfile.TemporaryDirectory(prefix="harness-simulator-")
        if kept is not None:
            kept.mkdir(parents=True, exist_ok=True)
        config = {
            "seed": seed,
            "database": str((kept or Path(folder.name)).absolute() / "portals.sqlite"),
            "truth_log": str(Path(folder.name) / "truth.jsonl"),
            "portals": [
                {
                    "id": p.id,
                    "name_vi": p.name_vi,
                    "family": p.embedded_platform,
                    **({"personality": dict(p.personality)} if p.personality else {}),
                }
                for p in portals
            ],
            **({"cpu": [cpu]} if cpu is not None else {}),
            **({"ports": dict(ports)} if ports else {}),
            **settings,
        }
        path = Path(folder.name) / "simulator.json"
        path.write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
        process = subprocess.Popen(  # noqa: S603  (our own module)
            [sys.executable, "-m", "harness.simulator", "--config", str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        assert process.stdout is not None
        line = process.stdout.readline() if select.select([process.stdout], [], [], START_S)[0] else b""
        if not line.startswith(b"{"):
            process.kill()
            _, said = process.communicate()
            folder.cleanup()
            raise _not_started(said.decode(errors="replace"), path)
        raise_priority(process.pid)
        if kept is not None:
            write_process(kept / PID, process.pid)
        return cls(json.loads(line), process, folder, kept)

    def origins(self, portal: str) -> dict[str, str]:
        """The origins of one embedded portal, by role."""
        origins = {"portal": self.ready["portals"][portal], "identity": self.ready["identity"], "payment": self.ready["payment"]}
        if portal in self.ready.get("form_hosts", {}):
            origins["form_host"] = self.ready["form_hosts"][portal]
        return origins

    @property
    def control(self) -> str:
        """The origin of the control API."""
        return str(self.ready["control"])

    @property
    def held_open(self) -> int:
        """The descriptor whose end ends the simulator."""
        assert self._process.stdin is not None
        return self._process.stdin.fileno()

    def counts(self) -> dict[str, Any]:
        """What the simulator's database holds, by portal; EnvironmentFault if it does not answer."""
        return counts_of(self.control)

    def wait(self) -> None:
        """Wait until the simulator ends or Ctrl-C."""
        self._process.wait()

    def stop(self) -> None:
        """End the simulator and forget its database, unless a folder keeps it."""
        if self._process.stdin is not None:
            self._process.stdin.close()  # the simulator ends with its standard input
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        if self._kept is not None:
            (self._kept / PID).unlink(missing_ok=True)
        self._folder.cleanup()


def counts_of(control: str) -> dict[str, Any]:
    """What the simulator's database holds, by portal, as its control API says; EnvironmentFault if it does not answer."""
    try:
        return dict(httpx.get(f"{control}/counts", timeout=30, trust_env=False).raise_for_status().json())
    except (httpx.HTTPError, ValueError) as error:
        remedy = "The rows are kept: dossiers and payments are not compared with the portals' own count."
        raise EnvironmentFault(Problem("simulator", "counts", str(error), "what the embedded portals hold", remedy)) from error


def ports_of(plan: Plan) -> dict[str, int]:
    """The ports on which the embedded portals of a plan are to be reached, as the simulator names them; empty where it has none."""
    if not plan.simulator_control:
        return {}
    ports = {"control": plan.simulator_control}
    for target in (each for each in plan.targets if not each.authorisation):
        names = {"portal": target.portal, "form_host": f"{target.portal}:form"}
        ports |= {names.get(role, role): origin for role, origin in target.origins.items()}
    return {name: urlsplit(origin).port or 0 for name, origin in ports.items()}


def end_earlier(kept: Path, progress: Callable[[str], None]) -> None:
    """End embedded portals that an attempt which crashed left behind: while a worker lives, they hold the ports and the database."""
    earlier = running_process(kept / PID)
    if earlier is not None:
        progress(f"ending the embedded portals of the last attempt (process {earlier.pid})")
        with suppress(psutil.NoSuchProcess):
            earlier.terminate()
    if earlier is not None and not await_end(earlier, GONE_S):
        remedy = f"`kill {earlier.pid}` ends them."
        raise EnvironmentFault(
            Problem(str(kept), "embedded portals", f"process {earlier.pid}, which still runs", f"its end within {GONE_S:g} s", remedy)
        )


def _not_started(said: str, config: Path) -> EnvironmentFault:
    """The error with the simulator's own words, where it printed any."""
    last = said.strip().splitlines()[-1:]
    if last and last[0].startswith(f"{config}: "):
        return EnvironmentFault(last[0].replace(f"{config}: ", "simulator: ", 1))
    found = last[0] if last else "without a word"
    return EnvironmentFault(
        Problem("simulator", "start", found, f"its addresses within {START_S:g} s", "Try again when the machine is less busy.")
    )


def raise_priority(process: int) -> None:
    """Give a process priority over others, where the machine allows it: what it measures must not wait for them."""
    with suppress(PermissionError, ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, process, URGENT)


def separate_processors() -> tuple[int | None, int | None]:
    """One processor for the generator and one for the simulator; None for both where the machine has only one."""
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)
