"""`harness stop` ends a sweep that a script started with ``&``: such a process inherits SIGINT as ignored."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from harness.cli import main
from harness.errors import EvidenceError, MeasurementError
from harness.operations.locust_run import PID
from tests.e2e.commands import HARNESS, started
from tests.e2e.evidence import load, only_folder
from tests.e2e.small_catalog import write_catalog
from tests.e2e.test_family import IGNORING_SIGINT


def test_a_sweep_in_the_background_is_stopped_and_sealed(tmp_path: Path) -> None:
    catalog = write_catalog(tmp_path / "catalog")
    command = [HARNESS, "run", "swift", "--workload", "steady", "--criteria", "speed-only", "--catalog", str(catalog)]
    with started([*IGNORING_SIGINT, *command], tmp_path) as under_way:
        under_way.until(lambda: "· round 1 of 1" in under_way.said, "progress")
        folder = only_folder(tmp_path / "results")
        log = folder / "locust.log"
        under_way.until(lambda: "round 1 of 1" in log.read_text(encoding="utf-8"), "Locust's log while it runs")
        asked = CliRunner().invoke(main, ["stop", str(folder)])
        assert asked.exit_code == 0, asked.output
        assert under_way.ended() == MeasurementError.exit_code, under_way.said
    assert load(folder / "rounds" / "round-001-00.json")["stopped"] is True
    assert not (folder / PID).exists()
    assert CliRunner().invoke(main, ["stop", str(folder)]).exit_code == EvidenceError.exit_code
