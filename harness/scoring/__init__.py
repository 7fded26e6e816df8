"""Pure: rows and a criteria set give a scorecard; the same rows give the same bytes."""

from harness.scoring.card import PortalIdentity, RunEvidence, score_portal, score_run, score_sweep
from harness.scoring.rows import NEEDED_COLUMNS
from harness.scoring.scorecard import CriterionScore, CriterionState, Evidence, Scorecard, SweepScores

__all__ = [
    "NEEDED_COLUMNS",
    "CriterionScore",
    "CriterionState",
    "Evidence",
    "PortalIdentity",
    "RunEvidence",
    "Scorecard",
    "SweepScores",
    "score_portal",
    "score_run",
    "score_sweep",
]
