"""Small criteria sets for tests, written as data."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.catalog.criteria_set import CriteriaSet, read_criteria
from harness.evidence.facts import Verdict
from harness.scoring import CriterionScore, Scorecard, SweepScores
from harness.scoring.scorecard import AppliedCriteria, ScoredGroup

SHIPPED = Path(__file__).parents[2] / "scenarios" / "criteria"
SOURCED = {"basis": "assumed", "source": "a test"}
LINEAR = {"kind": "linear", "version": 1, "full": 2.5, "none": 10, **SOURCED}
SHARES = {"kind": "linear", "version": 1, "full": 99, "none": 50, **SOURCED}


def the_2024_set(version: str = "3") -> CriteriaSet:
    return read_criteria(SHIPPED / ("473-qd-btttt-2024.yaml" if version == "3" else f"473-qd-btttt-2024-v{version}.yaml"))


def criterion(name: str, metric: str = "mean", *, points: float = 20, **more: Any) -> dict[str, Any]:
    quota = {"windows": 6, "n": 1, **SOURCED} | more.pop("quota", {})
    return {
        "id": name,
        "name_vi": name,
        "name_en": name,
        "heading": "average_response",
        "points": {"value": points, **SOURCED},
        "metric": metric,
        "select": {"journey": ["search"], "stage": "typical"},
        "curve": LINEAR,
        "quota": quota,
        **more,
    }


def criteria_data(*criteria: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A set as its file has it."""
    return {
        "id": "test",
        "version": "1",
        "name_vi": "thử",
        "name_en": "test",
        "provisional": True,
        "points_total": {"value": 20, **SOURCED},
        "groups": [{"id": "performance", "name_vi": "Hiệu năng", "name_en": "Performance", "points": {"value": 20, **SOURCED}}],
        "performance_group": "performance",
        "criteria": list(criteria),
        **more,
    }


def criteria_set(*criteria: dict[str, Any], **more: Any) -> CriteriaSet:
    return CriteriaSet.model_validate(criteria_data(*criteria, **more))


def card(portal: str, criteria: Iterable[CriterionScore], verdict: Verdict = Verdict.VALID) -> Scorecard:
    """A card of a valid run that holds these criteria."""
    return Scorecard(
        portal=portal, name_vi=portal, name_en=portal, level="province", verdict=verdict, reasons=(), points=2.0, interval=None,
        points_max=20.0, points_assessed_max=20.0, nights=("2026-11-21",), criteria=tuple(criteria), evidence=(),
    )  # fmt: skip


def sweep_scores(cards: Iterable[Scorecard], sweep: str = "s") -> SweepScores:
    """Some cards as the scores of a sweep by the set of this module."""
    return SweepScores(
        sweep=sweep, revision=1, supersedes=None, nights=("2026-11-21",), criteria_set=AppliedCriteria("test", "1", provisional=True),
        group=ScoredGroup("performance", "Hiệu năng", "Performance", 20.0), scorecards=tuple(cards),
    )  # fmt: skip
