"""An independent referee: what passed on the wire, by tcpdump, agrees with the simulator's own log of the same requests."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.evidence import SweepFolder
from harness.operations.calibration.known_delays import Case, measure_case
from harness.operations.shipped import shipped_catalog

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
    observation = measure_case(case, shipped_catalog(None).portals["calibration"], tmp_path, during=listen, after=stop)
    seen_us = on_the_wire(capture, port["portal"])
    logged = by_connection(observation.truth)
    both = [connection for connection in logged.index if connection in seen_us]
    assert len(both) == len(observation.truth) == observation.planned
    wire = np.array([seen_us[client] for client in both])
    log = (logged.loc[both, "end_us"] - logged.loc[both, "arrival_us"]).to_numpy()
    for percent in (50, 95, 99):
        on_wire, in_log = np.percentile(wire, percent, method="inverted_cdf"), np.percentile(log, percent, method="inverted_cdf")
        print(f"p{percent}: on the wire {on_wire / 1000:.3f} ms, in the log {in_log / 1000:.3f} ms, {100 * (in_log / on_wire - 1):+.2f} %")
        assert in_log == pytest.approx(on_wire, rel=0.01)
    rows = by_connection(observation.pairs).loc[both]
    print(
        f"measured minus wire, median: {np.median(rows['end_us'] - rows['start_us'] - wire) / 1000:.3f} ms (connecting and the client's own work)"
    )


def by_connection(requests: pd.DataFrame) -> pd.DataFrame:
    """One line a request, found by client port and how many connections had that port before: the kernel uses ports again."""
    ordered = requests.sort_values("arrival_us")
    return ordered.assign(before=ordered.groupby("client_port").cumcount()).set_index(["client_port", "before"])


def on_the_wire(capture: Path, portal: int) -> dict[tuple[int, int], int]:
    """By connection: microseconds from the request's first byte to the answer's last, as the kernel saw them pass."""
    text = subprocess.run(["tcpdump", "-r", str(capture), "-n", "-tt"], capture_output=True, text=True, check=True).stdout
    asked: dict[tuple[int, int], float] = {}
    answered: dict[tuple[int, int], float] = {}
    opened: Counter[int] = Counter()
    for line in text.splitlines():
        packet = _PACKET.match(line)
        if packet is None or packet["length"] == "0":
            continue
        at, asks = float(packet["at"]), int(packet["target"]) == portal
        client = int(packet["source" if asks else "target"])
        last = (client, opened[client] - 1)
        if not asks:
            answered[last] = at  # the latest packet of the answer stays
        elif last not in asked or last in answered:  # otherwise it is more of the same request
            asked[client, opened[client]] = at
            opened[client] += 1
    return {connection: round((answered[connection] - asked[connection]) * 1e6) for connection in asked if connection in answered}
