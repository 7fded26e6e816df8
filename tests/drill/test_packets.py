"""Not one packet goes where none may go: seen by listeners that are really there, and by a packet capture in a network of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.drill.guards import guard_off
from tests.drill.network import BOTH, HERE, MEASURED, METADATA, NAT64, OTHER, PRIVATE, PROXY, REDIRECTS, SIX_TO_FOUR, STEADY, TURNS, UNIQUE
from tests.e2e.evidence import load, only_folder
from tests.programs import machine_lacks

pytestmark = pytest.mark.slow  # part of `make drill`

PERMITTED = {STEADY, TURNS, REDIRECTS, BOTH}


def measured(folder: Path, *portals: str) -> dict[str, Any]:
    """What listeners and capture saw of a sweep over these portals in a network of its own."""
    assert shutil.which("tcpdump"), "the capture is tcpdump: apt-get install tcpdump (make drill does it where it may)"
    if os.geteuid() != 0 or shutil.which("unshare") is None:  # the drill then counts the row as not as expected
        machine_lacks("a network of one's own needs root and unshare")
    command = ["unshare", "--net", "--mount", sys.executable, "-m", "tests.drill.network", str(folder), *portals]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr[-4000:]
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen["dropped"] == 0, "the capture has seen all"
    return seen


def forbidden(ends: dict[str, int]) -> set[str]:
    """Of ``address port``, those where nothing may go: of this machine itself, the ports that listen to everybody."""
    pairs = {tuple(end.split(" ")) for end in ends}
    return {address if port == "80" else f"{address} {port}" for address, port in pairs if not _may(address, port)}


def _may(address: str, port: str) -> bool:
    return address in PERMITTED or (address in (HERE, "::1") and port not in ("80", str(PROXY)))


def test_not_one_packet_goes_to_an_address_that_is_not_permitted(tmp_path: Path) -> None:
    seen = measured(tmp_path, *MEASURED, "embedded")
    assert forbidden(seen["packets"]) == forbidden(seen["connections"]) == set(), seen["said"]
    assert all(seen["packets"][f"{address} 80"] and seen["connections"][f"{address} 80"] for address in PERMITTED), seen["said"]
    folder = only_folder(tmp_path / "results")
    scores = {score["portal"]: score for score in load(folder / "scores.json")["scores"]}
    ways = {name: score["verdict"] for name, score in scores.items()}
    assert [ways[name] for name in ("steady", "both", "embedded")] == ["valid"] * 3, seen["said"]
    kept = {name: found for path in folder.glob("rounds/*.json") for found in load(path).get("addresses", {}).values() for name in found}
    assert kept["turning.example"]["turning.example"] == [METADATA], "where a name led is evidence"


def test_without_the_policy_packets_go_to_forbidden_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change = "Target.allowed = Target.allows_address = lambda *_: True"
    guard_off(monkeypatch, tmp_path / "start", "harness.catalog.target", change)
    seen = measured(tmp_path, *MEASURED, "embedded")
    found = forbidden(seen["packets"])
    assert {METADATA, PRIVATE, HERE, "::1", UNIQUE, OTHER} <= found, seen["said"]
    assert {SIX_TO_FOUR, NAT64} & found, seen["said"]
    assert {METADATA, PRIVATE, OTHER} <= forbidden(seen["connections"])


def test_where_the_environments_proxies_are_obeyed_packets_go_to_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    obeys = "begin = Client.__init__\nClient.__init__ = lambda self, **given: begin(self, **given | {'trust_env': True})"
    guard_off(monkeypatch, tmp_path / "start", "httpx._client", obeys)
    assert f"{PRIVATE} {PROXY}" in forbidden(measured(tmp_path, "embedded")["packets"])
