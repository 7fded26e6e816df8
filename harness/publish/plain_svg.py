"""A chart as plain SVG, each text in every language. Lengths are pixels of the page; y grows downwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from harness.errors import visible
from harness.evidence.reasons import Language
from harness.publish.wording import Phrase, numeral

WIDTH = 470.0  # two charts side by side on a page
SMALL, LABEL = 11.0, 11.5  # font sizes: of ticks, of names
LEGEND_ROW = 16.0
HATCH = "url(#hatch)"
"""A fill for what is missing: lines that survive a copy without colours. The page defines it once."""


class PlainSvg:
    """Shapes and texts, drawn in the order in which they are added."""

    def __init__(self, width: float, height: float, languages: Sequence[Language]) -> None:
        self.width, self.height, self.languages = width, height, languages
        self._parts: list[str] = []

    def line(
        self, points: Sequence[tuple[float, float]], colour: str, thickness: float = 1.0, *, opacity: float = 1.0, dash: str = ""
    ) -> None:
        """A line through points; ``dash``: lengths of its strokes and gaps."""
        path = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        see = f' opacity="{_n(opacity)}"' if opacity < 1 else ""
        strokes = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{_n(thickness)}"{see}{strokes}/>')

    def shape(self, points: Sequence[tuple[float, float]], fill: str, edge: str = "none") -> None:
        """A closed shape."""
        path = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points) + "z"
        self._parts.append(f'<path d="{path}" fill="{fill}"{_edge(edge)}/>')

    def bar(self, left: float, top: float, right: float, bottom: float, fill: str, edge: str = "none") -> None:
        """A rectangle."""
        self.shape([(left, top), (right, top), (right, bottom), (left, bottom)], fill, edge)

    def diamond(self, x: float, y: float, radius: float, fill: str, edge: str = "none") -> None:
        """A square that stands on a corner."""
        self.shape([(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)], fill, edge)

    def dot(self, x: float, y: float, radius: float, fill: str, edge: str = "none") -> None:
        """A circle."""
        self._parts.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{fill}"{_edge(edge)}/>')

    def text(
        self, x: float, y: float, words: Phrase, colour: str, *, size: float = LABEL, anchor: str = "start", bold: bool = False
    ) -> None:  # fmt: skip
        """A text whose baseline begins, ends or is centred at (x, y), in each language."""
        weight = ' font-weight="700"' if bold else ""
        place = f' text-anchor="{anchor}"' if anchor != "start" else ""
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" fill="{colour}"{place}{weight}>{tspans(visible_words(words), self.languages)}</text>'
        )

    def number(self, x: float, y: float, value: float, digits: int, colour: str, *, after: str = "", anchor: str = "end") -> None:
        """A number with the decimal sign of each language, in the size of ticks."""
        self.text(x, y, numeral(value, digits, after), colour, size=SMALL, anchor=anchor)

    def svg(self, title: Phrase, heading: str = "") -> str:
        """The chart as an ``<svg>`` element for a page, with ``title`` for screen readers.

        ``heading``: the id of the page's heading that names it in the language shown, if there is one; the element that describes it has the
        same id with ``-text``.
        """
        box = f"0 0 {_n(self.width)} {_n(self.height)}"
        names = f'aria-labelledby="{heading}" aria-describedby="{heading}-text" ' if heading else ""
        return f'{svg_begin(title, self.languages, self.width)}{names}viewBox="{box}">{"".join(self._parts)}</svg>'


def svg_begin(title: Phrase, languages: Sequence[Language], width: float) -> str:
    """How the ``<svg>`` element of a chart begins, with ``title`` for screen readers; further attributes follow."""
    shown = visible_words(title)
    label = escape(" / ".join(shown.into(language) for language in languages), quote=True)
    return f'<svg role="img" aria-label="{label}" style="width:{width:.0f}px" '


def tspans(words: Phrase, languages: Sequence[Language]) -> str:
    """What a ``<text>`` element holds: the text in each language, once where they are the same."""
    texts = [(language, escape(words.into(language))) for language in languages]
    if len({text for _, text in texts}) == 1:
        return texts[0][1]
    return "".join(f'<tspan lang="{language}">{text}</tspan>' for language, text in texts)


def visible_words(words: Phrase, keep: str = "") -> Phrase:
    """A text without control characters, because others may have written it."""
    return Phrase(visible(words.vi, keep=keep), visible(words.en, keep=keep))


def _edge(colour: str) -> str:
    return f' stroke="{colour}" stroke-width="1.3"' if colour != "none" else ""


def _n(value: float) -> str:
    """A coordinate to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")


def plot_box(legend_rows: int) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a plot below a legend of so many rows; its ticks stand left of it."""
    top = LEGEND_ROW * legend_rows + 26
    return 46.0, top, WIDTH - 8, top + 150


def digits_of_tick(value: float) -> int:
    """How many decimals a round number has."""
    return len(f"{value:.10g}".partition(".")[2])


def round_ticks(highest: float) -> list[float]:
    """Round numbers from 0 on, at most six."""
    power = 10.0 ** math.floor(math.log10(highest))
    step = next(size for size in (0.1 * power, 0.2 * power, 0.5 * power, power, 2 * power) if highest / size < 6)
    return [step * number for number in range(int(highest / step) + 1)]
