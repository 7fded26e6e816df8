"""A sweep's folder as a person names it from wherever they stand."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

import pytest

from harness.evidence import sweep_at
from harness.evidence.folder import CAPACITY_JSON, results_around


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    folder = tmp_path / "results" / "sweep"
    (folder / "rounds").mkdir(parents=True)
    (folder / "plan.json").write_text("{}")
    return folder


@pytest.mark.parametrize(("where", "typed"), [(".", "."), ("rounds", ".."), ("rounds", "../../sweep/.")])
def test_from_within_a_sweep_the_results_folder_is_the_one_around_it(sweep: Path, where: str, typed: str) -> None:
    with chdir(sweep / where):
        found = sweep_at(Path(typed)).path
        assert found.name == "sweep"
        assert results_around(found.parent).resolve() == sweep.parent


def test_a_path_with_a_name_stays_as_it_was_typed(sweep: Path) -> None:
    with chdir(sweep.parent):
        assert sweep_at(Path("sweep")).path == Path("sweep")


def test_from_within_a_search_for_capacity_the_results_folder_is_the_one_around_the_search(sweep: Path) -> None:
    (sweep.parent / CAPACITY_JSON).write_text("{}")
    with chdir(sweep.parent):
        assert results_around(sweep_at(Path("sweep")).path.parent) == sweep.parent.parent
