"""Scorecards from rows and a criteria set; the same rows give the same bytes. No file, no network, no Locust."""

from harness.scoring.card import PortalIdentity, RunEvidence, score_portal, score_sweep
from harness.scoring.compare import compare
from harness.scoring.efficiency import ServerFigure, read_csv, write_csv
from harness.scoring.evaluation import PortalTotal, Totals, read_groups, total
from harness.scoring.explain import explain
from harness.scoring.final_states import StateOverNights, states_over_nights
from harness.scoring.gains import Gain, gains, gains_of_sweep
from harness.scoring.maintenance import Maintenance, announced_in_time, without_maintenance
from harness.scoring.named_change import FEW_PORTALS, Change, ChangeLimits, ChangeWord, Comparison, MissingValues, WhyMissing, WhyNoSteps
from harness.scoring.ranking import RankedGroup, Ranking, rank
from harness.scoring.rows import NEEDED_COLUMNS, Integers
from harness.scoring.scorecard import CriterionScore, CriterionState, Evidence, Scorecard, SweepScores
from harness.scoring.slow_visits import SlowVisit, slowest_visits
from harness.scoring.step_windows import StepWindows, step_windows
from harness.scoring.windows import TabulatedRun

__all__ = [
    "FEW_PORTALS",
    "NEEDED_COLUMNS",
    "Change",
    "ChangeLimits",
    "ChangeWord",
    "Comparison",
    "CriterionScore",
    "CriterionState",
    "Evidence",
    "Gain",
    "Integers",
    "Maintenance",
    "MissingValues",
    "PortalIdentity",
    "PortalTotal",
    "RankedGroup",
    "Ranking",
    "RunEvidence",
    "Scorecard",
    "ServerFigure",
    "SlowVisit",
    "StateOverNights",
    "StepWindows",
    "SweepScores",
    "TabulatedRun",
    "Totals",
    "WhyMissing",
    "WhyNoSteps",
    "announced_in_time",
    "compare",
    "explain",
    "gains",
    "gains_of_sweep",
    "rank",
    "read_csv",
    "read_groups",
    "score_portal",
    "score_sweep",
    "slowest_visits",
    "states_over_nights",
    "step_windows",
    "total",
    "without_maintenance",
    "write_csv",
]
