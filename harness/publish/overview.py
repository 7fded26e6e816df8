"""The scoreboard's chart as a picture of its own, for a README or a slide."""

from __future__ import annotations

from pathlib import Path

from harness.evidence.reasons import Language
from harness.publish.charts import scoreboard_chart
from harness.publish.standing import standings
from harness.records.files import write_whole
from harness.scoring.scorecard import SweepScores

# Alone, the picture has no page to give it a font, a ground or the way lines end.
_STYLE = (
    "<style>text{font-family:'Segoe UI','Noto Sans',Arial,'DejaVu Sans',sans-serif}*{stroke-linejoin:round;stroke-linecap:butt}</style>"
)
_GROUND = '<rect width="100%" height="100%" fill="#fff"/>'


def draw_overview(scores: SweepScores, path: Path, language: Language = "en") -> Path:
    """Writes an SVG with each portal's points and interval in one language; the same scores give the same bytes.

    Raises EnvironmentFault where the file cannot be written.
    """
    svg = scoreboard_chart(standings(scores), scores.points_max, (language,))
    opening, rest = svg.split(">", 1)
    write_whole(path, f'<?xml version="1.0" encoding="utf-8"?>\n{opening}>{_STYLE}{_GROUND}{rest}\n'.encode())
    return path
