"""The scores of a sweep as pandas frames: one line a criterion of a portal, or one line a portal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import pandas as pd

from harness.evidence.facts import Reason
from harness.publish.frame_columns import SCORECARDS, SCORES, framed
from harness.publish.scoreboard import standings
from harness.scoring.scorecard import CriterionScore, Scorecard, SweepScores
from harness.statistics.interval import RankInterval


def scores_frame(scores: SweepScores) -> pd.DataFrame:
    """One line a portal and criterion, in the order of ``scores.json``."""
    return framed(SCORES, [_criterion(card, each) for card in scores.scorecards for each in card.criteria])


def scorecards_frame(scores: SweepScores, ranks: Mapping[str, RankInterval] | None) -> pd.DataFrame:
    """One line a portal, in the order of the scoreboard. ``ranks``: as ``standings`` takes them."""
    return framed(SCORECARDS, [_card(each.card, each.rank) for each in standings(scores, ranks)])


def reasons_text(reasons: Iterable[Reason]) -> str:
    """The codes of reasons, each once, with ", " between them."""
    return ", ".join(dict.fromkeys(each.code for each in reasons))


def _criterion(card: Scorecard, score: CriterionScore) -> dict[str, object]:
    low, high = score.value_interval or (math.nan, math.nan)
    points_low, points_high = score.interval or (None, None)
    same = (
        "name_vi", "name_en", "heading", "reason", "metric", "selection", "curve", "over", "unit", "value_measured", "zero_point_s", "points",
        "points_max", "interval_kind", "windows", "n", "failures", "failures_of",
    )  # fmt: skip
    return {
        **{name: getattr(score, name) for name in same},
        "portal": card.portal,
        "verdict": card.verdict.value,
        "criterion": score.id,
        "state": score.state.value,
        "basis": score.basis,
        "value": math.inf if score.censored else score.value,
        "value_low": math.inf if low is None else low,
        "value_high": math.inf if high is None else high,
        "points_low": points_low,
        "points_high": points_high,
    }


def _card(card: Scorecard, rank: RankInterval | None) -> dict[str, object]:
    low, high = card.interval or (None, None)
    best, last = rank or (None, None)
    return {
        **{name: getattr(card, name) for name in ("portal", "name_vi", "name_en", "level", "points", "points_max", "points_assessed_max")},
        "verdict": card.verdict.value,
        "reasons": reasons_text(card.reasons),
        "points_low": low,
        "points_high": high,
        "best_rank": best,
        "last_rank": last,
    }
