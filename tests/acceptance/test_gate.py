"""The gate: a release with one step that is 20 % slower is stopped, an unchanged one passes, and one that cannot be reached does not.

These are two runs of each kind: both must come out right, which a gate that is right in 19 of 20 runs does in nine of ten tries at the least.
`python -m tests.acceptance.gate --runs 20` makes the whole table.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.operations.shipped import scenarios_folder
from tests.acceptance.gate import fits, run_recipe, side_by_side, write_catalog
from tests.acceptance.gate_power import Design, stopped
from tests.e2e.commands import free_port
from tests.publish.junit_rules import read_junit

pytestmark = pytest.mark.slow


@pytest.mark.timeout(900)
def test_the_shipped_number_of_windows_and_visits_is_enough() -> None:
    shipped = yaml.safe_load((scenarios_folder() / "workloads" / "gate.yaml").read_text(encoding="utf-8"))
    (windows,) = [stage["windows"] for stage in shipped["stages"] if stage["stage"] == "typical"]
    (visits,) = set(shipped["quota_per_window"].values())
    found = stopped(Design(windows, visits), 200)
    assert found.slower >= 0.95
    assert found.unchanged <= 0.05


@pytest.mark.timeout(3600)
def test_the_recipe_stops_what_is_slower_and_what_cannot_be_reached_and_nothing_else(tmp_path: Path) -> None:
    runs = side_by_side(tmp_path, (1, 2), at_once=2)
    said = "\n\n".join(each.finished.said for each in runs)
    assert fits(runs), said
    for number, slowed in ((1, runs[1]), (2, runs[3])):
        unchanged, slower = (read_junit(tmp_path / str(number) / out / "changes.xml")["staging"] for out in ("unchanged", "slowed"))
        assert {end for end, _ in unchanged.values()} == {"passed", "skipped"}, said
        assert slowed.slower_step in {name.rpartition("/")[2] for name, (end, _) in slower.items() if end == "failure"}, said
        assert {end for end, _ in read_junit(tmp_path / str(number) / "slowed" / "points.xml")["staging"].values()} == {"passed", "skipped"}
    nowhere = {role: f"http://127.0.0.1:{free_port()}" for role in ("portal", "identity", "payment")}
    baseline = next((tmp_path / "1" / "unchanged" / "released").glob("*/scores.json")).parent
    done = run_recipe(tmp_path, BASELINE=baseline, CANDIDATE=write_catalog(tmp_path / "nowhere", nowhere), OUT="unreachable")
    assert done.code == 10, done.said
    assert "staging is unreachable: " in done.err  # of the run; of the comparison:
    assert "the run's verdict: unreachable" in done.err
    for file in ("points.xml", "changes.xml"):
        assert {end for end, _ in read_junit(tmp_path / "unreachable" / file)["staging"].values()} == {"error"}
