"""Nothing is lost at the end, however it comes: rows = the server's log; and the same citizens on any number of workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from harness.errors import MeasurementError
from harness.evidence import SweepFolder
from harness.operations import locust_run
from harness.operations.calibration.known_delays import Case, measure_case
from harness.operations.shipped import locust_conf, scenarios_folder

SLOW_ANSWERS = {"distribution": "constant", "median_ms": 1500, "servers": 0}


def rows_of(folder: Path) -> pd.DataFrame:
    rows = pd.concat([pd.read_parquet(path, partitioning=None) for path in sorted((folder / "samples").glob("*/*/*.parquet"))])
    return rows[(rows["request"] >= 0) & (rows["start_us"] > 0)]


@pytest.fixture
def slow_catalog(tmp_path: Path) -> Path:
    folder = tmp_path / "catalog" / "portals"
    folder.mkdir(parents=True)
    portal = {
        "id": "calibration", "name_vi": "Đối chứng", "name_en": "Calibration", "level": "sample", "embedded_platform": "calibration",
        "personality": SLOW_ANSWERS,
    }  # fmt: skip
    (folder / "slow.yaml").write_text(json.dumps({"portals": [portal]}), encoding="utf-8")
    return folder.parent


@pytest.mark.parametrize("ending", [pytest.param("run-time", marks=pytest.mark.slow), "ctrl-c"])
def test_a_closed_run_of_locust_keeps_every_row(tmp_path: Path, slow_catalog: Path, ending: str) -> None:
    command = [
        sys.executable, "-m", "locust", "--config", str(locust_conf()), "-f", str(scenarios_folder()), "--headless", "--only-summary", "--processes", "2",
        "-u", "40", "-r", "40", "--portal", "calibration", "--catalog", str(slow_catalog), "--results", str(tmp_path / "results"),
        "--master-bind-host", "127.0.0.1", *port_options(), *(["-t", "7s"] if ending == "run-time" else []),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    if ending == "ctrl-c":
        wait_for_rows(tmp_path / "results")
        os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    (folder,) = (path for path in (tmp_path / "results").iterdir() if path.is_dir())
    assert process.returncode == 0, said[-3000:]
    counted = json.loads((folder / "counted.json").read_text(encoding="utf-8"))["calibration"]["requests"]
    assert counted > 10  # enough were under way when the end came, on a busy machine too
    assert len(rows_of(folder)) == counted


def test_an_open_run_that_the_harness_stops_keeps_every_row(tmp_path: Path, calibration) -> None:
    case = Case("stopped", SLOW_ANSWERS, rate_per_s=20, duration_s=60)
    truths = {}

    def stop_it(folder: SweepFolder, process: int) -> None:
        wait_for_rows(tmp_path)
        truths["pid"] = locust_run.stop(folder)

    with pytest.raises(MeasurementError, match="of 1 sealed"):
        measure_case(case, calibration, tmp_path, workers=2, during=stop_it, after=lambda truth: truths.update(rows=truth))
    rows = rows_of(tmp_path / "stopped")
    assert len(rows) > 10
    assert len(rows) == len(truths["rows"])
    facts = json.loads((tmp_path / "stopped" / "rounds" / "round-000-00.json").read_text(encoding="utf-8"))
    assert facts["stopped"] is True
    assert all(outcome["complete"] for outcome in facts["outcome"])


@pytest.mark.slow
def test_one_worker_or_three_same_schedule_citizens_and_rows(tmp_path: Path, calibration) -> None:
    case = Case("workers", {"distribution": "constant", "median_ms": 20, "servers": 0}, rate_per_s=40, duration_s=3)
    found = {n: measure_case(case, calibration, tmp_path / str(n), workers=n) for n in (1, 3)}
    slots = {n: o.round_.slots[0] for n, o in found.items()}
    assert slots[1].schedule_sha256 == slots[3].schedule_sha256
    assert slots[1].citizens_sha256 == slots[3].citizens_sha256
    for observation in found.values():
        assert len(observation.rows) == len(observation.truth) == observation.planned
    assert sorted(found[1].rows["visit"]) == sorted(found[3].rows["visit"])
    assert found[3].rows["worker"].nunique() == 3


def port_options() -> list[str]:
    port = str(locust_run._free_port())
    return ["--master-bind-port", port, "--master-port", port]


def wait_for_rows(results: Path, bytes_: int = 4_000, at_most_s: float = 60.0) -> None:
    """Until the master has spooled some batches: the run is in full swing then."""
    end_s = time.monotonic() + at_most_s
    while time.monotonic() < end_s:
        if any(path.stat().st_size > bytes_ for path in results.glob("**/spool/*.msgpack")):
            return
        time.sleep(0.1)
    raise AssertionError("no rows were spooled")
