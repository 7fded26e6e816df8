"""A disk that is full, too small or read-only, and a folder that another sweep measures into: said in one line, and nothing is left behind."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import EnvironmentFault
from tests.e2e.commands import HARNESS
from tests.e2e.evidence import load, only_folder
from tests.programs import machine_lacks
from tests.recorded.conftest import RECORDED

IN_A_FILE_SYSTEM_OF_ITS_OWN = """
set -e
mount -t tmpfs -o size=$1 tmpfs results
set +e
[ "$2" = ro ] && mount -o remount,ro results
"$3" run swift --workload steady --criteria speed-only --catalog "$4" --results results > out 2> err &
harness=$!
if [ "$2" = fill ]; then
  while kill -0 $harness 2> /dev/null && [ "$(cat results/*/spool/round-001-*.msgpack 2> /dev/null | wc -c)" -lt 30000 ]; do sleep 0.05; done
  dd if=/dev/zero of=results/filler bs=64k 2> /dev/null
fi
wait $harness; echo $? > code
rm -f results/filler
cp -r results/. kept
"""


def measured(tmp_path: Path, catalog: Path, size: str, what: str) -> tuple[int, list[str]]:
    """The exit code of a sweep on a small file system, and its errors; the folder is copied to ``kept``."""
    (tmp_path / "results").mkdir()
    (tmp_path / "kept").mkdir()
    tried = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "results"], cwd=tmp_path, capture_output=True, check=False)
    if tried.returncode != 0:  # kernels and containers may forbid it
        machine_lacks(f"no file system of one's own here: {tried.stderr!r}")
    command = ["unshare", "-rm", "sh", "-c", IN_A_FILE_SYSTEM_OF_ITS_OWN, "sh", size, what, str(HARNESS), str(catalog)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=150)
    assert (tmp_path / "code").exists(), done.stderr
    said = (tmp_path / "err").read_text(encoding="utf-8")
    assert "Traceback" not in said
    return int((tmp_path / "code").read_text(encoding="ascii")), [line for line in said.splitlines() if line.startswith("error: ")]


@pytest.mark.parametrize(("size", "what", "said"), [("8m", "", "MB free; expected"), ("60m", "ro", "Read-only file system")])
def test_a_disk_without_room_is_found_before_the_load(tmp_path: Path, catalog: Path, size: str, what: str, said: str) -> None:
    code, errors = measured(tmp_path, catalog, size, what)
    assert code == EnvironmentFault.exit_code
    assert len(errors) == 1
    assert said in errors[0]
    assert not list((tmp_path / "kept").rglob("*.json"))


@pytest.mark.slow
def test_a_disk_that_fills_ends_the_load_and_withdraws(tmp_path: Path, catalog: Path) -> None:
    code, errors = measured(tmp_path, catalog, "60m", "fill")
    assert code == EnvironmentFault.exit_code
    assert len(errors) == 1
    assert "1 of them cut short" in errors[0]
    folder = only_folder(tmp_path / "kept")
    log = (folder / "locust.log").read_text(encoding="utf-8")
    assert "not writable (No space left on device)" in log
    assert "Traceback" not in log
    withdrawals = load(folder / "withdrawals.json")
    assert withdrawals["dossiers"] == withdrawals["withdrawn"] > 0
    assert withdrawals["dossiers"] == load(folder / "counted.json")["swift"]["dossiers"]
    assert (folder / "manifests" / "swift.json").is_file()
    assert not (folder / "reserve").exists()


def test_a_folder_that_is_measured_is_refused_to_another(tmp_path: Path) -> None:
    plan = load(RECORDED / "plan.json") | {"results": str(tmp_path)}
    (tmp_path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    command = [sys.executable, "-m", "locust", "-f", "scenarios", "--headless", "--plan", str(tmp_path / "plan.json")]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=120)
    os.close(held)
    assert done.returncode == EnvironmentFault.exit_code, done.stderr
    assert "folder is measured by another process" in done.stderr
    assert not (tmp_path / "rounds").exists()
