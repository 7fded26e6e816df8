"""The command on embedded portals: knees that are known, a portal that gets worse, and limits that come first.

`python -m tests.acceptance.capacity --seeds 10` has the numbers; here one search of each kind shows that they can be had.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.evidence import read_runs, sweep_at
from tests.acceptance.capacity import linear_levels, search, served, write_catalog
from tests.e2e.commands import Finished, harness


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("name", ["steady", "noisy"])
def test_the_interval_lies_around_the_knee(name: str, tmp_path: Path) -> None:
    found = search(name, 1, tmp_path)
    at = found.knee
    assert found.state == "found"
    assert found.low is not None
    assert found.high is not None
    assert 0.75 * at < found.low < found.high < 1.33 * at, at  # one search; nine of ten contain the knee itself
    assert found.levels < linear_levels(at, 1) + 3


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_a_portal_that_gets_worse_has_no_interval(tmp_path: Path) -> None:
    found = search("drifting", 1, tmp_path)
    assert (found.state, found.low, found.high) == ("drifting", None, None)


@pytest.fixture
def origin() -> Iterator[str]:
    """A portal on a host of its own that is overloaded above about 60 requests a second."""
    with served("steady", 0) as embedded:
        yield embedded.origins("knee-steady-0")["portal"]


def by_permission(folder: Path, origin: str, start: float, **permitted: Any) -> tuple[Finished, dict[str, Any], Path]:
    """A search under an authorisation: the command, capacity.json, and its folder."""
    write_catalog(folder / "catalog", "knee-steady-0", origin, **permitted)
    done = harness(
        folder, "capacity", "knee-steady-0", "--objective", "p95 <= 2 s and error_rate <= 3 %", "--workload", "short-levels", "--start",
        str(start), "--catalog", "catalog", "--json",
    )  # fmt: skip
    (found,) = (folder / "results").glob("*capacity*")
    return done, json.loads((found / "capacity.json").read_text(encoding="utf-8")), found


@pytest.mark.slow
def test_the_authorisation_bounds_a_search_and_its_levels_are_sweeps(origin: str, tmp_path: Path) -> None:
    done, said, folder = by_permission(tmp_path, origin, 8.0, requests_per_s_max=20)
    assert done.code == 0, done.said
    answer, rates = said["answer"], [each["rate_per_s"] for each in said["levels"]]
    assert (answer["state"], answer["limit"]["code"]) == ("at_least", "authorisation")
    assert "requests_per_s_max" in answer["limit"]["detail"]
    assert answer["passing_per_s"] == max(rates)
    assert 15 < max(rates) < 18  # three standard deviations below 20 a second, counted over ten seconds
    for each in said["levels"]:
        (run,) = read_runs(sweep_at(folder / each["folder"]))
        assert [window.stage for window in run.windows] == ["lone", "warm-up", "typical"]
        assert each["in_flight"]["counted"] == pytest.approx(each["in_flight"]["computed"], abs=each["in_flight"]["tolerance"])
    scored = harness(tmp_path, "score", str(folder / "level-01"), "--catalog", "catalog")
    assert scored.code == 0, scored.said


@pytest.mark.slow
def test_a_safety_stop_ends_the_search(origin: str, tmp_path: Path) -> None:
    limits = {"error_share_max": 0.5, "overload_share_max": 0.5, "p95_ms_max": 800, "over_s": 2}
    done, said, _ = by_permission(tmp_path, origin, 100.0, safety=limits)
    assert done.code == 10, done.said
    assert said["answer"]["state"] == "stopped"
    assert "slower than 800 ms" in said["answer"]["limit"]["detail"]
    (level,) = said["levels"]
    assert level["stopped"]
