"""Sweeps of many portals on one criterion, from values window by window: nothing is measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from harness.evidence.facts import Verdict
from harness.scoring import CriterionScore, CriterionState, Scorecard, SweepScores
from harness.scoring.judge import line_of
from harness.scoring.scorecard import AppliedCriteria, ScoredGroup, WindowScore
from tests.scoring.sets import criteria_set, criterion

CRITERIA = criteria_set(criterion("average", points=10), criterion("p95", "p95", points=10, quota={"n": 93}))
LINES = {each.id: line_of(each) for each in CRITERIA.criteria}

Windows = Sequence[float | None]


def sweep_of(name: str, nights: Sequence[str], portals: Mapping[str, Mapping[str, Windows]]) -> SweepScores:
    """A sweep: for each portal and criterion (``average`` or ``p95``) its windows, spread evenly over the nights, one a round."""
    cards = [_card(portal, nights, of_criteria) for portal, of_criteria in portals.items()]
    return SweepScores(
        sweep=name, revision=1, supersedes=None, nights=tuple(nights), criteria_set=AppliedCriteria("test", "1", provisional=True),
        group=ScoredGroup("performance", "Hiệu năng", "Performance", 20.0), scorecards=tuple(cards),
    )  # fmt: skip


def nights_of(portals: Mapping[str, Sequence[Windows]], first: int = 1) -> list[SweepScores]:
    """A sweep a night of March 2026 on the criterion ``average``: for each portal the windows of each night; none where it was not measured."""
    count = max(map(len, portals.values()))
    return [
        sweep_of(
            f"s-{night:02d}",
            [f"2026-03-{first + night:02d}"],
            {
                portal: {"average": of_nights[night]}
                for portal, of_nights in portals.items()
                if night < len(of_nights) and len(of_nights[night])
            },
        )
        for night in range(count)
    ]


def night_series() -> list[SweepScores]:
    """Four nights of nine portals: all are slower in the third, p-2 is by itself in the fourth, and p-8 has a censored window."""
    portals = {
        f"p-{number}": [[round(level * factor * (1 + 0.01 * window), 4) for window in range(6)] for factor in (1.0, 1.01, 1.3, 1.0)]
        for number, level in enumerate((0.05, 0.1, 0.2, 0.4, 0.6, 1.0, 1.5, 2.5, 4.0))
    }
    portals["p-2"][3] = [2 * value for value in portals["p-2"][3]]
    return nights_of({**portals, "p-8": [*portals["p-8"][:3], [*portals["p-8"][3][:5], None]]})


def _card(portal: str, nights: Sequence[str], of_criteria: Mapping[str, Windows]) -> Scorecard:
    lines = tuple(_line(criterion, nights, values) for criterion, values in of_criteria.items())
    return Scorecard(
        portal=portal, name_vi=portal, name_en=portal, level="province", verdict=Verdict.VALID, reasons=(), points=float(len(lines)), interval=None,
        points_max=20.0, points_assessed_max=20.0, criteria=lines, nights=tuple(nights), evidence=(),
    )  # fmt: skip


def _line(criterion: str, nights: Sequence[str], values: Windows) -> CriterionScore:
    a_night = len(values) // len(nights)
    return dataclasses.replace(
        LINES[criterion],
        state=CriterionState.ASSESSED,
        points=1.0,
        value=sorted(values, key=lambda value: (value is None, value))[len(values) // 2],
        windows=len(values),
        per_window=tuple(WindowScore(window, value, 3000) for window, value in enumerate(values)),
        points_per_window=tuple((nights[window // a_night], window % a_night, 0, 1.0) for window in range(len(values))),
    )
