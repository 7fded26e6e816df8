"""A real simulator process, on ports that the kernel picks, ended with the test."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

QUICK = {"distribution": "constant", "median_ms": 1, "servers": 0, "page_bytes": 12_000}


@dataclass
class Running:
    process: subprocess.Popen[str]
    control: str
    identity: str
    payment: str
    portals: dict[str, str]
    form_hosts: dict[str, str]
    folder: Path

    def counts(self, portal: str) -> dict[str, Any]:
        return httpx.get(f"{self.control}/counts").json()[portal]

    def truth(self, portal: str = "") -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.control}/truth", params={"portal": portal})
        return [json.loads(line) for line in answer.text.splitlines()]

    def tell(self, path: str, **asked: Any) -> None:
        httpx.post(f"{self.control}{path}", json=asked).raise_for_status()


Start = Callable[..., Running]


def portal(name: str, family: str = "liferay", **personality: Any) -> dict[str, Any]:
    return {"id": name, "name_vi": "Tỉnh Thử Nghiệm", "family": family, "personality": QUICK | personality}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a simulator with the given portals; further keywords are keys of the configuration."""
    processes: list[subprocess.Popen[str]] = []

    def go(*portals: dict[str, Any], **more: Any) -> Running:
        folder = tmp_path / f"simulator-{len(processes)}"
        folder.mkdir()
        quick = {"distribution": "constant", "median_ms": 0, "servers": 0}
        config = {
            "seed": 7, "database": str(folder / "portals.sqlite"), "truth_log": str(folder / "truth.jsonl"),
            "portals": list(portals), "identity": quick, "payment": quick,
        }  # fmt: skip
        path = folder / "config.json"
        path.write_text(json.dumps(config | more), encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "harness.simulator", "--config", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            assert process.stderr is not None
            pytest.fail(process.stderr.read())
        said = json.loads(line)
        assert said["pid"] == process.pid
        return Running(process, said["control"], said["identity"], said["payment"], said["portals"], said.get("form_hosts", {}), folder)

    yield go
    for process in processes:
        process.terminate()
        process.communicate(timeout=10)
