"""One citizen walking: a visit, the requests it sends, the steps it takes, and what the portal acknowledges."""

from harness.visits.blanking import blank, blank_page
from harness.visits.observer import Seen
from harness.visits.patience import Patience
from harness.visits.person import Person, synthetic_person
from harness.visits.receipts import Receipt, judge_receipts
from harness.visits.state import StepFailed, VisitState
from harness.visits.visit import Visit

__all__ = [
    "Patience",
    "Person",
    "Receipt",
    "Seen",
    "StepFailed",
    "Visit",
    "VisitState",
    "blank",
    "blank_page",
    "judge_receipts",
    "synthetic_person",
]
