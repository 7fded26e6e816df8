"""Whom a resumed sweep may not load any more: left out by name, and the others go on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.catalog import Catalog
from harness.evidence import Spool, SweepFolder
from harness.operations.resumption import portals_left_out
from harness.operations.score_folder import _portal_steps
from harness.records import Plan
from harness.records.round import RoundMember
from tests.evidence.spooled import batch, key, record, row
from tests.operations.test_permitted_load import catalog, planned


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalog, Plan]:
    """A catalog with an authorisation for ``swift``, and a plan with it and an embedded portal."""
    found = catalog(tmp_path_factory.mktemp("catalog"))
    return found, planned(found)[0]


def changed(found: Catalog, **changes: Any) -> Catalog:
    named: Mapping[str, Any] = found.authorisations
    return replace(found, authorisations={name: each.model_copy(update=changes) for name, each in named.items()})


def test_who_is_permitted_goes_on(given: tuple[Catalog, Plan], tmp_path: Path) -> None:
    assert portals_left_out(SweepFolder(tmp_path), given[1], given[0]) == {}


@pytest.mark.parametrize(
    ("valid_for", "said"),
    [
        (timedelta(hours=-1), "swift"),
        (timedelta(minutes=2), "letter-7 ends at .*; the sweep may last until"),
    ],
)
def test_an_authorisation_that_has_ended_or_ends_too_early_leaves_its_portal_out(
    given: tuple[Catalog, Plan], tmp_path: Path, valid_for: timedelta, said: str
) -> None:
    left_out = portals_left_out(SweepFolder(tmp_path), given[1], changed(given[0], valid_to=datetime.now(UTC) + valid_for))
    assert left_out.keys() == {"swift"}
    assert re.search(said, left_out["swift"])


def test_the_table_of_steps_knows_the_workers_of_every_attempt(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path / "s")
    for number, worker in enumerate(("w0", "w1"), 1):
        name, spool = f"00{number}-00", Spool(folder)
        one = replace(record("fast"), name=name, members=(RoundMember(worker, 0, 0, 5),))
        spool.open_round(name, one)
        spool.append(worker, replace(batch({0: key("fast", 1, worker=worker)}, [(0, row(number))]), token=name))
        spool.seal_round(name, one)
    rows = SimpleNamespace(measured=lambda _criteria: None)
    evidence = SimpleNamespace(facts=SimpleNamespace(portal="fast"), under=lambda _criteria: rows)
    (found,) = _portal_steps(folder, [evidence], None)  # type: ignore[list-item, arg-type]
    assert found.worker_of == {1: "w0", 2: "w1"}
