"""Where Locust was killed, what it filed is withdrawn all the same. After Ctrl-C: ``test_interrupted``."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import MeasurementError
from harness.operations.kept_process import running_process
from harness.operations.locust_run import PID
from tests.e2e.commands import HARNESS, spooled, started
from tests.e2e.evidence import only_folder
from tests.e2e.withdrawals import assert_withdrawn


@pytest.mark.slow
def test_a_run_whose_locust_was_killed_withdraws_what_stands_in_the_ledger(tmp_path: Path, catalog: Path) -> None:
    """No process of Locust is asked: what a machine that runs out of memory does."""
    options = ["--criteria", "speed-only", "--catalog", str(catalog)]
    results = tmp_path / "results"
    with started([HARNESS, "run", "swift", "--workload", "steady", *options], tmp_path) as under_way:
        under_way.until(lambda: spooled(results, 50_000), "rows")
        locust = running_process(only_folder(results) / PID)
        assert locust is not None
        for process in (*locust.children(recursive=True), locust):
            process.kill()
        assert under_way.ended() == MeasurementError.exit_code, under_way.said
    assert_withdrawn(only_folder(results), "swift", at_least=1)
