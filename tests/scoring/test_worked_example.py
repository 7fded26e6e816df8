"""The worked example of docs/scoring.md is what the program says, to the last digit."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from harness.catalog.criteria_set import CriteriaSet
from harness.scoring import NEEDED_COLUMNS
from tests.docs.tables import tables_in
from tests.scoring.evening import PORTAL, facts, score_run

PAGE = (Path(__file__).parents[2] / "docs" / "scoring.md").read_text(encoding="utf-8")
EXAMPLE = PAGE[PAGE.index("## A worked example") :]
ROWS, BY_HAND, RESULT = tables_in(EXAMPLE)


def _card():
    criteria = CriteriaSet.model_validate(yaml.safe_load(EXAMPLE.split("```")[1].removeprefix("yaml")))
    table = pd.DataFrame(ROWS[1:], columns=ROWS[0])
    for name in NEEDED_COLUMNS:
        if name not in {"journey", "goal", "step", "host_owner", "outcome"}:
            table[name] = table[name].astype("int64")
    return score_run(table, facts(), criteria, PORTAL)


def test_there_are_a_dozen_rows():
    assert len(ROWS) == 1 + 12
    assert tuple(ROWS[0]) == NEEDED_COLUMNS


def test_each_line_of_the_result_is_the_programs():
    card = _card()
    printed = {score.id: [score.value, *score.value_interval, score.points, *score.interval] for score in card.criteria} | {
        "total": ["", "", "", card.points, *card.interval]
    }
    assert printed == {line[0]: [float(cell) if cell else "" for cell in line[1:]] for line in RESULT[1:]}


@pytest.mark.parametrize("window", range(6))
def test_each_window_by_hand_is_the_programs(window):
    average, visits = _card().criteria
    _, _, seconds, points, share, visit_points, total = BY_HAND[1 + window]
    assert average.per_window[window] == (window, float(seconds.split()[0]), 1)
    assert average.points_per_window[window][3] == float(points.split("=")[-1])
    assert visits.per_window[window] == (window, float(share.split()[0]), 1)
    assert visits.points_per_window[window][3] == float(visit_points)
    assert average.points_per_window[window][3] + visits.points_per_window[window][3] == float(total)
