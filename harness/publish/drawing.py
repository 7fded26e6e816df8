"""The style of the charts, and the conversion of a matplotlib figure to a small SVG with its texts in both languages."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from contextlib import ContextDecorator
from html import unescape
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from harness.evidence.reasons import Language
from harness.publish.plain_svg import numeral, svg_begin, tspans, visible_words
from harness.publish.wording import Phrase

# Okabe and Ito's palette, which colour-blind readers can tell apart; ink and lines are ours.
BLUE: Final = "#0072B2"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
ORANGE: Final = "#E69F00"
VERMILION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
INK: Final = "#1F2933"
MUTED: Final = "#5B6875"
LINE: Final = "#D5DBE1"
FAINT: Final = "#EEF1F4"

WIDTH_IN: Final = 4.9  # two charts side by side on a page; one on a phone, its text still legible

_STYLE: Final[Any] = {
    "text.parse_math": False,  # a name may hold dollar signs
    "svg.fonttype": "none",  # keeps text as text: small, searchable, readable by screen readers
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 8,
}

_SHORTER: Final = tuple(
    (re.compile(pattern, re.DOTALL), replacement)
    for pattern, replacement in (
        (r"<metadata>.*?</metadata>", ""),
        (r"<defs>\s*<style.*?</style>\s*</defs>", ""),  # the page has it once for all charts
        (r"<!--.*?-->", ""),
        (r" (?:width|height)=\"[\d.]+pt\"", ""),
        (r" font-family: [^;\"]+;", ""),  # the page sets it; DejaVu Sans, used for the layout, is wider than most
        (r"<g id=\"[^\"]*\"", "<g"),
        (r" transform=\"rotate\(-0 [^\"]*\)\"", ""),
        (r"\s*\n\s*(?=[LMCQz])", ""),
        (r">\s+<", "><"),
    )
)


def _hundredths(number: re.Match[str]) -> str:
    """A coordinate rounded to a hundredth of a point."""
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


styled: Final[ContextDecorator] = mpl.rc_context(_STYLE)
"""Draws a chart in this module's style and then restores matplotlib's settings."""


class Drawing:
    """One figure. ``say`` and ``number`` give matplotlib the text in one language; ``svg`` puts the other one beside it."""

    def __init__(self, width_in: float, height_in: float, languages: Sequence[Language]) -> None:
        self.languages = languages
        self._said: dict[str, Phrase] = {}
        self.figure = Figure(figsize=(width_in, height_in), layout="constrained")

    def axes(self, rows: int = 1, columns: int = 1) -> list[Axes]:
        """The figure's axes, row by row."""
        grid = self.figure.subplots(rows, columns, squeeze=False)
        return [axes for row in grid for axes in row]

    def say(self, words: Phrase) -> str:
        """The text to draw: the longest translation, so that each has room."""
        words = visible_words(words, keep="\n")  # a warning of matplotlib prints it
        drawn = self._longest(words)
        self._said.setdefault(drawn, words)
        return drawn

    def number(self, value: float, digits: int, after: str = "") -> str:
        """A number to draw, with the decimal sign of each language."""
        return self.say(numeral(value, digits, after))

    def formatter(self, after: str = "") -> FuncFormatter:
        """Tick labels without trailing zeros."""

        def label(value: float, _position: int | None = None) -> str:
            text = f"{value:.10g}"
            digits = len(text.partition(".")[2]) if "e" not in text else 0
            return self.number(value, digits, after=after)

        return FuncFormatter(label)

    def svg(self, title: Phrase) -> str:
        """The figure as an ``<svg>`` element for a page, with ``title`` for screen readers."""
        buffer = io.StringIO()
        with mpl.rc_context({"svg.hashsalt": title.en}):
            self.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        return self._compact(buffer.getvalue(), title)

    def _compact(self, svg: str, title: Phrase) -> str:
        """The SVG without the parts that a page does not need, and with its texts in both languages."""
        svg = svg[svg.index("<svg") :]
        for pattern, replacement in _SHORTER:
            svg = pattern.sub(replacement, svg)
        svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"\d+\.\d{3,}", _hundredths, tag[0]), svg)
        svg = re.sub(r"(<text\b[^>]*>)([^<]*)(</text>)", self._in_both, svg)
        width_px = self.figure.get_size_inches()[0] * 96
        return svg.replace("<svg ", svg_begin(title, self.languages, width_px), 1).strip()

    def _in_both(self, match: re.Match[str]) -> str:
        words = self._said.get(unescape(match[2]))
        return match[0] if words is None else match[1] + tspans(words, self.languages) + match[3]

    def _longest(self, words: Phrase) -> str:
        return max((words.into(language) for language in self.languages), key=len)
