"""What an answer costs: processor time of the simulator a request, under wrk. Run by hand: ``python tests/simulator/cost.py [SECONDS]``."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

BASE = "/web/dich-vu-cong"
INSTANT = {"distribution": "constant", "median_ms": 0, "servers": 0, "page_bytes": 24_000}
PORTALS = [
    {"id": "instant", "family": "calibration", "personality": INSTANT},
    {"id": "delayed", "family": "calibration", "personality": {"distribution": "lognormal", "median_ms": 100, "servers": 0}},
    {"id": "liferay", "family": "liferay", "personality": INSTANT},
    {"id": "formio", "family": "igate-formio", "personality": INSTANT},
]
CASES = [
    ("calibration answer, 2.3 kB, no delay", "instant", "/truth/x", 50),
    ("calibration answer, 2.3 kB, 100 ms log-normal", "delayed", "/truth/x", 200),
    ("liferay: style sheet", "liferay", "/theme/main.css", 50),
    ("liferay: home", "liferay", "/", 50),
    ("liferay: search, ten results, 24 kB", "liferay", f"{BASE}/thu-tuc?_thutuc_WAR_dvcportlet_keywords=%C4%91%C4%83ng%20k%C3%BD", 50),
    ("liferay: procedure page, 24 kB", "liferay", f"{BASE}/thu-tuc/-/chi-tiet/5", 50),
    ("liferay: tracking", "liferay", f"{BASE}/tra-cuu?maHoSo=x", 50),
    ("igate-formio: search, ten results, JSON", "formio", "/api/basepad/procedure?keyword=%C4%91%C4%83ng", 50),
]


def processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    last = max(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.json"
        config.write_text(json.dumps({"database": f"{folder}/db", "truth_log": f"{folder}/truth.jsonl", "cpu": [last], "portals": PORTALS}))
        command = [sys.executable, "-m", "harness.simulator", "--config", str(config)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        portals = json.loads(process.stdout.readline())["portals"]
        for name, portal, path, connections in CASES:
            costs_us, rates = [], []
            for _ in range(3):
                before = processor_s(process.pid)
                wrk = ["taskset", "-c", "0", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", portals[portal] + path]
                said = subprocess.run(wrk, capture_output=True, text=True, check=True).stdout
                requests = int(re.search(r"(\d+) requests in", said)[1])
                costs_us.append((processor_s(process.pid) - before) / requests * 1e6)
                rates.append(requests / seconds)
            middle = statistics.median(costs_us)
            spread = f"{min(costs_us):.0f}–{max(costs_us):.0f}"
            print(f"{name:50s} {middle:5.0f} µs ({spread})   {1e6 / middle:6.0f}/s of one core   {statistics.median(rates):6.0f}/s seen")
        process.terminate()
        process.communicate()


if __name__ == "__main__":
    main()
