"""An independent referee: what passed on the wire, by tcpdump, agrees with the simulator's own log of the same requests."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from harness.evidence import SweepFolder
from harness.operations.night import catalog
from harness.operations.observation import Case, observe

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_PACKET = re.compile(r"^(?P<at>\d+\.\d+) IP 127\.0\.0\.1\.(?P<source>\d+) > 127\.0\.0\.1\.(?P<target>\d+): .*length (?P<length>\d+)")


def test_the_wire_agrees_with_the_servers_log(tmp_path: Path) -> None:
    assert shutil.which("tcpdump"), "the referee is tcpdump: apt-get install tcpdump (make acceptance does it where it may)"
    capture = tmp_path / "loopback.pcap"
    started: dict[str, subprocess.Popen[bytes]] = {}
    port = {}

    def listen(folder: SweepFolder, _locust: int) -> None:
        origin = json.loads(folder.plan.read_text(encoding="utf-8"))["targets"][0]["origins"]["portal"]
        port["portal"] = int(origin.rsplit(":", 1)[1])
        command = ["tcpdump", "-i", "lo", "-n", "-s", "96", "-B", "16384", "-w", str(capture), f"tcp port {port['portal']}"]
        started["tcpdump"] = subprocess.Popen(command, stderr=subprocess.PIPE)

    def stop(_truth: object) -> None:
        started["tcpdump"].send_signal(signal.SIGINT)
        started["tcpdump"].communicate(timeout=20)

    case = Case("referee", {"distribution": "lognormal", "median_ms": 100, "sigma": 0.5, "servers": 0}, 100, 20)
    observation = observe(case, catalog(None).portals["calibration"], tmp_path, during=listen, after=stop)
    seen_us = on_the_wire(capture, port["portal"])
    logged = observation.truth.set_index("client_port")
    both = [client for client in logged.index if client in seen_us]
    assert len(both) == len(observation.truth) == observation.planned
    wire = np.array([seen_us[client] for client in both])
    log = (logged.loc[both, "end_us"] - logged.loc[both, "arrival_us"]).to_numpy()
    for percent in (50, 95, 99):
        on_wire, in_log = np.percentile(wire, percent, method="inverted_cdf"), np.percentile(log, percent, method="inverted_cdf")
        print(f"p{percent}: on the wire {on_wire / 1000:.3f} ms, in the log {in_log / 1000:.3f} ms, {100 * (in_log / on_wire - 1):+.2f} %")
        assert in_log == pytest.approx(on_wire, rel=0.01)
    rows = observation.pairs.set_index("client_port").loc[both]
    print(
        f"measured minus wire, median: {np.median(rows['end_us'] - rows['start_us'] - wire) / 1000:.3f} ms (connecting and the client's own work)"
    )


def on_the_wire(capture: Path, portal: int) -> dict[int, int]:
    """By client port: microseconds from the request's first byte to the answer's last, as the kernel saw them pass."""
    text = subprocess.run(["tcpdump", "-r", str(capture), "-n", "-tt"], capture_output=True, text=True, check=True).stdout
    asked: dict[int, float] = {}
    answered: dict[int, float] = {}
    for line in text.splitlines():
        packet = _PACKET.match(line)
        if packet is None or packet["length"] == "0":
            continue
        at = float(packet["at"])
        if int(packet["target"]) == portal:
            asked.setdefault(int(packet["source"]), at)
        else:
            answered[int(packet["target"])] = at
    return {client: round((answered[client] - asked[client]) * 1e6) for client in asked if client in answered}
