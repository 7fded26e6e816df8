"""The points of every portal on every criterion, as the page of a sweep shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.publish.scoreboard import Standing
from harness.scoring.scorecard import CriterionScore, CriterionState

SHADES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""A cell is darker the fewer of its points were given: shade 0 below 25 %, …, shade 4 for all of them."""


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One portal's criteria, in the order of the columns; None where its card does not have one."""

    standing: Standing
    place: int  # on the scoreboard, from 1
    cells: tuple[CriterionScore | None, ...]

    @property
    def link(self) -> str:
        """The portal's page, from the page of the sweep."""
        return f"report/p{self.place}.html"


@dataclass(frozen=True, slots=True)
class ScoreMatrix:
    """Portals with points and portals without, by criterion."""

    criteria: tuple[CriterionScore, ...]  # of any portal: names and most points of the columns
    with_points: tuple[MatrixRow, ...]
    without_points: tuple[MatrixRow, ...]
    assessed_nowhere: tuple[CriterionScore, ...]  # criteria that have no column

    @property
    def rows(self) -> tuple[MatrixRow, ...]:
        """All portals, in the order of the scoreboard."""
        return (*self.with_points, *self.without_points)

    @property
    def assessed_max(self) -> float | None:
        """The most points that could be had, where that is the same for all portals with points."""
        found = {row.standing.card.points_assessed_max for row in self.with_points}
        return found.pop() if len(found) == 1 else None


def score_matrix(board: Sequence[Standing]) -> ScoreMatrix:
    """The matrix of a scoreboard. A criterion has a column if it was assessed or is unproven on any portal."""
    named: dict[str, CriterionScore] = {}
    shown: dict[str, CriterionScore] = {}
    for standing in board:
        for criterion in standing.card.criteria:
            named.setdefault(criterion.id, criterion)
            if criterion.state is not CriterionState.NOT_ASSESSED:
                shown.setdefault(criterion.id, criterion)
    columns = [name for name in named if name in shown]
    rows = [_row(standing, place, columns) for place, standing in enumerate(board, start=1)]
    return ScoreMatrix(
        tuple(shown[name] for name in columns),
        tuple(row for row in rows if row.standing.card.points is not None),
        tuple(row for row in rows if row.standing.card.points is None),
        tuple(criterion for name, criterion in named.items() if name not in shown),
    )


def shade(criterion: CriterionScore) -> int:
    """The shade of an assessed criterion's cell, from 0 (few points) to 4 (all)."""
    share = (criterion.points or 0.0) / criterion.points_max if criterion.points_max else 1.0
    return max(number for number, least in enumerate(SHADES) if share >= least - 1e-9)


def _row(standing: Standing, place: int, columns: Sequence[str]) -> MatrixRow:
    own: Mapping[str, CriterionScore] = {criterion.id: criterion for criterion in standing.card.criteria}
    return MatrixRow(standing, place, tuple(own.get(name) for name in columns))
