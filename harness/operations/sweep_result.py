"""What a sweep led to: its folder, the scores, and what was computed beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.evidence import SweepFolder
from harness.scoring.scorecard import SweepScores

if TYPE_CHECKING:  # pandas loads for a second
    import pandas as pd

    from harness.publish import ReportExtras


@dataclass(frozen=True, slots=True)
class SweepResult:
    """A sweep's folder, the scores in it, and what reports show beside them."""

    folder: SweepFolder
    scores: SweepScores
    extras: ReportExtras | None = None
    rows: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # by portal, as judged; read on access
