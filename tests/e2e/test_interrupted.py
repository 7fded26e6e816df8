"""Ctrl-C in the middle of `harness run`: drained, sealed, counted, withdrawn, said in one line; what is sealed can be scored."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import MeasurementError
from tests.e2e.commands import HARNESS, invoke, spooled, started
from tests.e2e.evidence import assert_sealed, load, only_folder, steps
from tests.e2e.withdrawals import assert_withdrawn


@pytest.mark.slow
def test_an_interrupted_run_leaves_evidence_that_can_be_scored(tmp_path: Path, catalog: Path) -> None:
    options = ["--criteria", "speed-only", "--catalog", str(catalog)]
    with started([HARNESS, "run", "swift", "--workload", "steady", *options], tmp_path) as under_way:
        under_way.until(lambda: spooled(tmp_path / "results", 50_000), "rows")
        assert {address for address, _ in under_way.listening()} == {"127.0.0.1"}
        log = only_folder(tmp_path / "results") / "locust.log"
        assert "round 1 of 1: typical" in log.read_text(encoding="utf-8"), "line by line, while it measures"
        under_way.interrupt()
        assert under_way.ended() == MeasurementError.exit_code, under_way.said
    errors = [line for line in under_way.said.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "2 of 2 sealed, 1 of them cut short" in errors[0]
    assert under_way.errors == []
    folder = only_folder(tmp_path / "results")
    assert_sealed(folder, {"swift"})
    counted = load(folder / "counted.json")["swift"]
    assert counted["dossiers"] == int(steps(folder, "swift", "submit")["ok"].sum())
    assert_withdrawn(folder, "swift", at_least=1)
    assert not (folder / "scores.json").exists()
    scored = invoke(tmp_path, "score", str(folder), *options, "--json")
    assert scored.code == 0, scored.said
    (entry,) = load(folder / "scores.json")["scores"]
    assert (entry["verdict"], entry["points"]) == ("void", None)  # a window that was cut short judges nobody
