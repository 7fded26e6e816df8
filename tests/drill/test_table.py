"""Every test that the table names is there: one that was renamed must not drop out of the drill in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drill.faults import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.fault)
def test_its_tests_are_there(fault: Fault) -> None:
    for test in filter(None, (*fault.tests, fault.control)):
        file, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}" in (ROOT / file).read_text(encoding="utf-8"), test
    assert bool(fault.control) == bool(fault.harm)
