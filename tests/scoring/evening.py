"""Rows of a synthetic run, written down step by step: what the tests of this room score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from harness.catalog.criteria_set import CriteriaSet
from harness.evidence.facts import Reason, RunFacts, Verdict, WindowFacts
from harness.records import VISIT_ROW, Outcome
from harness.scoring import NEEDED_COLUMNS, PortalIdentity, RunEvidence, Scorecard, score_portal

PORTAL = PortalIdentity("tinh-mau", "Tỉnh Mẫu", "Sample Province", "province")
SECOND = 1_000_000


def score_run(
    rows: Any, facts: RunFacts, criteria: CriteriaSet, portal: PortalIdentity, *, highest_level: float | None = None, **given: Any
) -> Scorecard:
    """The card of one run."""
    return score_portal([RunEvidence(portal, facts, rows, **given)], criteria, highest_level=highest_level)


@dataclass
class Evening:
    """A run under construction; visits begin one second apart."""

    rows: list[tuple[object, ...]] = field(default_factory=list)
    visits: int = 0

    def row(self, *columns: object, wait: int = 0, hop: int = 0) -> None:
        """One row: window, journey, visit, goal, step, request, attempt, owner, intended_us, end_us, outcome."""
        *front, outcome = columns
        self.rows.append((*front, wait, hop, str(outcome)))

    def visit(
        self,
        window: int,
        journey: str,
        steps: Sequence[tuple[str, str, float, str]] = (),
        outcome: str | None = None,
        *,
        closing: bool = True,
    ) -> int:
        """A visit with steps (goal, step, seconds, outcome), one second of thinking between them; one request each."""
        self.visits += 1
        clock = begin = self.visits * SECOND
        for goal, step, seconds, ended in steps:
            skipped = ended == Outcome.SKIPPED
            end = clock + round(seconds * SECOND)
            self.row(window, journey, self.visits, goal, step, 0, 1, "portal", 0 if skipped else clock, 0 if skipped else end, ended)
            clock = end + (0 if skipped else SECOND)
        if closing:
            failed = next((ended for _, _, _, ended in steps if ended != Outcome.OK), "ok")
            self.row(window, journey, self.visits, "", "", VISIT_ROW, 0, "", begin, clock, outcome or failed)
        return self.visits

    def frame(self) -> pd.DataFrame:
        return frame(self.rows)


def frame(rows: Iterable[tuple[object, ...]]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=list(NEEDED_COLUMNS))
    for name in ("journey", "goal", "step", "host_owner", "outcome"):
        table[name] = table[name].astype("category")
    return table


def facts(windows: Iterable[int | WindowFacts] = range(6), verdict: Verdict = Verdict.VALID, reasons: tuple[Reason, ...] = ()) -> RunFacts:
    return RunFacts(
        "sweep",
        "run",
        PORTAL.id,
        verdict,
        reasons,
        tuple(each if isinstance(each, WindowFacts) else window(each) for each in windows),
        60.0,
    )


def window(
    number: int, *, stage: str = "typical", round_: int | None = None, night: str = "2026-11-21", level: float = 5.0, duration_s: float = 60.0,
    verdict: Verdict = Verdict.VALID, began_utc: str = "",
) -> WindowFacts:  # fmt: skip
    began = began_utc or f"2026-11-21T15:{number % 60:02d}:00+00:00"
    return WindowFacts("run", number, number if round_ is None else round_, night, stage, level, began, duration_s, verdict)


SEARCH = (("find", "search", 0.4), ("find", "open_procedure", 0.2))
SUBMIT = (*SEARCH, ("file", "log_in", 0.5), ("file", "fill_in", 0.8), ("file", "submit", 1.2), ("track", "track", 0.3))
PAY = (*SEARCH, ("pay", "quote_fee", 0.3), ("pay", "pay", 1.0), ("pay", "confirm_payment", 0.7))
JOURNEYS = {"search": SEARCH, "submit": SUBMIT, "pay": PAY}


def good_evening(
    windows: Iterable[int] = range(6), visits: int = 60, *, slower: float = 1.0, failing: dict[str, float] | None = None
) -> Evening:
    """Each journey ``visits`` times in each window; ``failing`` gives, by step, the share of visits in which it fails."""
    evening = Evening()
    for number in windows:
        for journey, steps in JOURNEYS.items():
            for count in range(visits):
                evening.visit(
                    number, journey, walked(steps, count / visits, slower * (1 + 0.01 * (count % 7) + 0.02 * number), failing or {})
                )
    return evening


def walked(steps, position: float, factor: float, failing: dict[str, float]):
    broken = False
    result = []
    for goal, step, seconds in steps:
        fails = not broken and position < failing.get(step, 0.0)
        result.append((goal, step, seconds * factor, "skipped" if broken else "http_error" if fails else "ok"))
        broken = broken or fails
    return result
