"""However a run ends, what it filed is withdrawn: after Ctrl-C, and where Locust was killed. The portals' count is taken before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from harness.errors import MeasurementError
from harness.operations.dossiers.withdrawn import NOT_WITHDRAWN, WITHDRAWALS
from harness.operations.measure import PID
from tests.e2e.commands import HARNESS, Running, spooled, started
from tests.e2e.conftest import Sweep
from tests.e2e.evidence import ledger, load, only_folder

pytestmark = pytest.mark.alone


def kill_locust(under_way: Running, results: Path) -> None:
    """What a machine that runs out of memory does: no process of Locust is asked."""
    locust = psutil.Process(int((only_folder(results) / PID).read_text(encoding="ascii")))
    for process in (*locust.children(recursive=True), locust):
        process.kill()


def press_ctrl_c(under_way: Running, results: Path) -> None:
    under_way.interrupt()


@pytest.mark.parametrize("end", [press_ctrl_c, kill_locust])
def test_an_aborted_run_withdraws_what_stands_in_the_ledger(tmp_path: Path, catalog: Path, end: Callable[[Running, Path], None]) -> None:
    options = ["--criteria", "speed-only", "--catalog", str(catalog)]
    results = tmp_path / "results"
    with started([HARNESS, "run", "swift", "--workload", "steady", *options], tmp_path) as under_way:
        under_way.until(lambda: spooled(results, 50_000), "rows")
        end(under_way, results)
        assert under_way.ended() == MeasurementError.exit_code, under_way.said
    assert_withdrawn(only_folder(results), "swift", at_least=1)


@pytest.mark.parametrize("portal", ["fast", "ordinary", "slow", "collapsing", "failing-payments"])
def test_a_demo_leaves_nothing_behind(demo: Sweep, portal: str) -> None:
    assert_withdrawn(demo.folder, portal, at_least=20)
    assert "dossiers withdrawn in " in demo.finished.err


def assert_withdrawn(folder: Path, portal: str, *, at_least: int) -> None:
    filed = ledger(folder, portal)["dossier"]
    assert filed >= at_least
    assert load(folder / "counted.json")[portal]["withdrawn"] == 0
    facts = load(folder / WITHDRAWALS)
    assert [item["withdrawn"] for item in facts["outcomes"] if item["portal"] == portal] == [True] * filed
    assert facts["withdrawn_counted_by_portal"][portal] == filed
    assert not (folder / NOT_WITHDRAWN).exists()
