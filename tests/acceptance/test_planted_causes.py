"""Causes that a seed plants in portals are named by the diagnosis: in nine of ten draws, and none where none was planted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.planted_causes import draw, measure, table


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_planted_causes_are_named(tmp_path: Path) -> None:
    planted = draw(seed=3)
    assert len(planted) >= 40
    found = measure(planted, tmp_path, seed=3)
    said = "\n".join(table(planted, found))
    named = {each: each.is_named_by(found[each.portal]["findings"][0]) for each in planted}
    of_nothing = [is_named for each, is_named in named.items() if each.cause == "nothing"]
    assert sum(named.values()) >= 0.9 * len(planted), said
    assert all(of_nothing), said
    assert all("\n" not in sentence for each in found.values() for sentence in each["conclusion"].values())
