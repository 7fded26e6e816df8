"""Why a step failed: the outcome, the rule, and the page on which it shows."""

from __future__ import annotations

from harness.pages.page import Page
from harness.records import Outcome


class StepFailed(Exception):  # noqa: N818  (a citizen's way ends here; it is not an error of the program)
    """A step did not end well; the rest of the visit is not walked.

    ``rule`` is the rule that did not hold, worded alike whatever the answer was, or empty where there was no answer to judge;
    ``means`` is what the profile says of it (for example ``session_expired``), or empty.
    """

    def __init__(
        self, outcome: Outcome, goal: str, step: str, detail: str, *, page: Page | None = None, means: str = "", rule: str = ""
    ) -> None:
        super().__init__(f"{goal}/{step}: {outcome}: {detail}")
        self.outcome = outcome
        self.goal = goal
        self.step = step
        self.detail = detail
        self.page = page
        self.means = means
        self.rule = rule
