"""A real simulator process, on ports that the kernel picks, ended with the test."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

CONTEXT = ssl.create_default_context()  # making one costs 30 ms: one for all
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

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.control, verify=CONTEXT)

    def counts(self, portal: str) -> dict[str, Any]:
        return self.http.get("/counts").json()[portal]

    def truth(self, portal: str = "") -> list[dict[str, Any]]:
        answer = self.http.get("/truth", params={"portal": portal})
        return [json.loads(line) for line in answer.text.splitlines()]

    def tell(self, path: str, **asked: Any) -> None:
        self.http.post(path, json=asked).raise_for_status()


Start = Callable[..., Running]


def portal(name: str, family: str = "liferay", **personality: Any) -> dict[str, Any]:
    return {"id": name, "name_vi": "Tỉnh Thử Nghiệm", "family": family, "personality": QUICK | personality}


_OPEN: list[httpx.Client] = []


def browser(**more: Any) -> httpx.Client:
    """A browser with cookies of its own, closed at the end of the test."""
    _OPEN.append(httpx.Client(verify=CONTEXT, **more))
    return _OPEN[-1]


@pytest.fixture(autouse=True)
def close_browsers() -> Iterator[None]:
    yield
    while _OPEN:
        _OPEN.pop().close()


def get(url: str, **more: Any) -> httpx.Response:
    """A request by a browser that has never been here."""
    return httpx.get(url, verify=CONTEXT, **more)


def post(url: str, **more: Any) -> httpx.Response:
    return httpx.post(url, verify=CONTEXT, **more)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a simulator with the given portals; further keywords are keys of the configuration."""
    with started_in(tmp_path) as go:
        yield go


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One simulator with a portal of each family, named as its family; tests leave no fault behind."""
    families = ("national", "igate-formio", "igate-php", "eform", "liferay", "opencps")
    with started_in(tmp_path_factory.mktemp("six")) as go:
        yield go(*(portal(family, family) for family in families))


@contextmanager
def started_in(tmp_path: Path) -> Iterator[Start]:
    processes: list[subprocess.Popen[str]] = []
    running: list[Running] = []

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
        running.append(
            Running(process, said["control"], said["identity"], said["payment"], said["portals"], said.get("form_hosts", {}), folder)
        )
        return running[-1]

    yield go
    for item in running:
        item.http.close()
    for process in processes:
        process.terminate()
        process.communicate(timeout=10)
