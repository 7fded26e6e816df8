"""The scoreboard as a picture for a letter or a slide: a PNG, PDF or SVG file that needs no page around it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.errors import Problem, UsageError, visible
from harness.evidence.reasons import Language
from harness.publish.criterion_words import name_text
from harness.publish.palette import BLUE, FAINT, INK, LINE, MUTED, SKY
from harness.publish.scoreboard import Standing, standings
from harness.publish.wording import decimal, phrase
from harness.records.files import write_output
from harness.scoring.scorecard import SweepScores

FORMATS: Final = ("png", "pdf", "svg")
DOTS_PER_INCH: Final = 200
"""The resolution of a PNG (assumed: sharp in print at the width of an A4 page)."""

_WIDTH_IN, _ROW_IN = 7.2, 0.27
_LONGEST = 44  # letters of a name
_STYLE: Final[Any] = {
    "text.parse_math": False,  # a name may hold dollar signs
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "xtick.color": LINE,
    "xtick.labelcolor": MUTED,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "scoreboard",  # the same scores give the same bytes
}


def write_picture(scores: SweepScores, path: Path, language: Language) -> None:
    """Draws each portal's points with their interval, or its verdict, and writes the file whole or not at all.

    The end of the file's name says the format. Raises UsageError for an unknown one, EnvironmentFault where it cannot be written.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        remedy = "Choose the format by the end of the file's name."
        raise UsageError(Problem("command line", "--picture", path.name, "a name that ends in .png, .pdf or .svg", remedy))
    board, buffer = standings(scores), io.BytesIO()
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH_IN, 1.0 + _ROW_IN * max(1, len(board))), layout="constrained")
        axes = figure.subplots()
        _draw(axes, scores, board, language)
        dated = {"png": "Software", "pdf": "CreationDate", "svg": "Date"}[kind]
        figure.savefig(buffer, format=kind, dpi=DOTS_PER_INCH, metadata={dated: None})
    write_output(path, buffer.getvalue())


def _draw(axes: Axes, scores: SweepScores, board: list[Standing], language: Language) -> None:
    most = scores.group.points_max
    for row, standing in enumerate(board):
        card = standing.card
        axes.barh(row, most, height=0.6, color=FAINT)
        if card.points is None:
            axes.text(most * 0.012, row, phrase(f"verdict.{card.verdict.value}").into(language), va="center", color=MUTED, style="italic")
            continue
        axes.barh(row, card.points, height=0.6, color=SKY)
        axes.plot([card.points_assessed_max] * 2, [row - 0.36, row + 0.36], color=MUTED, linewidth=1.2)
        if card.interval is not None:
            below, above = card.points - card.interval[0], card.interval[1] - card.points
            axes.errorbar(card.points, row, xerr=[[below], [above]], color=BLUE, capsize=2.5, linewidth=1.2)
        axes.text(most * 1.015, row, decimal(card.points, 1, language), va="center", weight="bold")
    axes.set_yticks(range(len(board)), [_name(standing, language) for standing in board])
    axes.set_ylim(max(1, len(board)) - 0.4, -0.6)
    axes.set_xlim(0, most * 1.09)
    axes.set_xticks([most * quarter / 4 for quarter in range(5)])
    axes.xaxis.set_major_formatter(lambda points, _position: decimal(points, 0 if points == round(points) else 1, language))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(phrase("board.points").into(language), color=MUTED)
    applied = scores.criteria_set
    tags = {"tag.provisional": applied.provisional, "tag.shortened": applied.version != applied.unshortened_version}
    title = [
        phrase("board.title").into(language),
        visible(scores.sweep),
        *(phrase(tag).into(language) for tag, holds in tags.items() if holds),
    ]
    axes.figure.suptitle("\n".join([title[0], " · ".join(title[1:])]), x=0.01, ha="left", fontsize=10, weight="bold")


def _name(standing: Standing, language: Language) -> str:
    name = visible(name_text(standing.card.name_vi, standing.card.name_en).into(language))
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
