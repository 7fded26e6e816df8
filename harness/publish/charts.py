"""The charts of a report. Each function returns an ``<svg>`` element whose texts exist in each of the report's languages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import wrap

from harness.evidence.reasons import Language
from harness.publish.criterion_words import name_text
from harness.publish.palette import BLUE, FAINT, GREEN, INK, LINE, MUTED, ORANGE, PURPLE, SKY, VERMILION
from harness.publish.plain_svg import LEGEND_ROW, SMALL, WIDTH, PlainSvg, plot_box, round_ticks
from harness.publish.report_data import HealthReading
from harness.publish.wording import Phrase, phrase, same
from harness.scoring.scorecard import CriterionScore

_PANEL = 122.0  # height of a criterion's panel
_LABEL = 12.0  # height of a label beside an axis
_HEALTH_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, "#7A6C00", MUTED)


def windows_chart(criteria: Sequence[CriterionScore], languages: Sequence[Language]) -> str:
    """One panel a criterion: its metric in every window; the median window, where it gives the points, is a filled dot."""
    shown = [criterion for criterion in criteria if criterion.per_window]
    columns = 2 if len(shown) > 1 else 1
    rows = max(1, math.ceil(len(shown) / columns))
    chart = PlainSvg(WIDTH, _PANEL * rows, languages)
    for number, criterion in enumerate(shown):
        left, width = number % columns * WIDTH / columns, WIDTH / columns
        _window_panel(chart, criterion, left + 44, number // columns * _PANEL + 34, width - 60, _PANEL - 58)
    return chart.svg(phrase("chart.windows"), "chart-windows")


def health_chart(readings: Sequence[HealthReading], languages: Sequence[Language]) -> str:
    """Each health figure of the generator per window, as a share of its limit."""
    names = sorted({reading.name for reading in readings})
    windows = sorted({reading.window for reading in readings})
    shares = {(r.name, r.window): 100 * r.value / r.limit for r in readings if r.limit > 0}
    legend_rows = math.ceil(len(names) / 2)
    left, top, right, bottom = plot_box(legend_rows)
    chart = PlainSvg(WIDTH, bottom + 34, languages)
    highest = max(118.0, *(1.08 * share for share in shares.values()))

    def x(window: int) -> float:
        return left + (right - left) * (windows.index(window) + 0.5) / len(windows)

    def y(share: float) -> float:
        return bottom - (bottom - top) * share / highest

    for tick in round_ticks(highest):
        chart.line([(left, y(tick)), (right, y(tick))], FAINT if tick else LINE)
        chart.number(left - 6, y(tick) + 4, tick, 0, INK, after=" %")
    chart.line([(left, y(100)), (right, y(100))], VERMILION, 1.3)
    for index, name in enumerate(names):
        colour = _HEALTH_COLOURS[index % len(_HEALTH_COLOURS)]
        points = [(x(window), y(shares[name, window])) for window in windows if (name, window) in shares]
        if len(points) > 1:
            chart.line(points, colour)
        for at in points:
            _mark(chart, index, *at, colour)
        column, row = index % 2, index // 2
        _mark(chart, index, left + 6 + column * (right - left) / 2, 12 + LEGEND_ROW * row, colour)
        chart.text(left + 16 + column * (right - left) / 2, 16 + LEGEND_ROW * row, phrase(f"health.{name}"), INK, size=SMALL)
    for place in _sparse(windows):
        chart.text(x(windows[place]), bottom + 15, same(str(windows[place])), MUTED, size=SMALL, anchor="middle")
    chart.text((left + right) / 2, bottom + 30, phrase("chart.window"), MUTED, size=SMALL, anchor="middle")
    chart.text(left, top - 2, phrase("chart.of_limit"), MUTED, size=SMALL)
    return chart.svg(phrase("chart.health"), "chart-health")


def _triangle(chart: PlainSvg, x: float, y: float, radius: float, fill: str, edge: str = "none") -> None:
    chart.shape([(x, y - radius), (x + radius, y + radius * 0.8), (x - radius, y + radius * 0.8)], fill, edge)


def _mark(chart: PlainSvg, kind: int, x: float, y: float, colour: str) -> None:
    """A mark of its own for each of eight series, so that colour is not needed to tell them apart."""
    fill, edge = (colour, "none") if kind % 8 < 4 else ("#fff", colour)
    if kind % 4 == 0:
        chart.dot(x, y, 3, fill, edge)
    elif kind % 4 == 1:
        chart.bar(x - 2.7, y - 2.7, x + 2.7, y + 2.7, fill, edge)
    elif kind % 4 == 2:
        chart.diamond(x, y, 3.6, fill, edge)
    else:
        _triangle(chart, x, y, 3.6, fill, edge)


def _window_panel(chart: PlainSvg, criterion: CriterionScore, left: float, top: float, width: float, height: float) -> None:
    # By position: window numbers repeat over several nights.
    known = [(place, value) for place, (_, value, _) in enumerate(criterion.per_window) if value is not None]
    lost = [place for place, (_, value, _) in enumerate(criterion.per_window) if value is None]
    highest = (max((value for _, value in known), default=1.0) or 1.0) * 1.3
    count = len(criterion.per_window)

    def x(place: int) -> float:
        return left + width * (place + 0.5) / count

    def y(value: float) -> float:
        return top + height * (1 - value / highest)

    chart.line([(left, top), (left, top + height), (left + width, top + height)], LINE)
    for line, words in enumerate(reversed(_title_lines(criterion))):
        chart.text(left, top - 7 - 13 * line, words, INK)
    named = criterion.value if criterion.value is not None else max((value for _, value in known), default=0.0)
    for tick in (0.0, named) if y(0.0) - y(named) >= _LABEL else (named,):
        digits = 0 if tick == 0 or abs(tick) >= 100 else 1 if abs(tick) >= 10 else 2
        chart.number(left - 5, y(tick) + 3.5, tick, digits, INK, after=f" {criterion.unit}" if criterion.unit in ("s", "%", "ms") else "")
    if criterion.value is not None:
        chart.line([(left, y(criterion.value)), (left + width, y(criterion.value))], BLUE, opacity=0.6)
    median = _median_window(known, criterion.value) if criterion.over == "median_window" else None
    for place, value in known:
        chart.dot(x(place), y(value), 4 if place == median else 3, BLUE if place == median else "#fff", BLUE)
    for place in lost:
        _triangle(chart, x(place), y(highest * 1.12 / 1.3), 4, VERMILION)
    for place in _sparse(criterion.per_window):
        chart.text(x(place), top + height + 13, same(str(criterion.per_window[place][0])), MUTED, size=SMALL, anchor="middle")


def _median_window(known: Sequence[tuple[int, float]], value: float | None) -> int | None:
    """The place of the window whose value is nearest to the criterion's."""
    if value is None or not known:
        return None
    return min(known, key=lambda item: abs(item[1] - value))[0]


def _sparse(names: Sequence[object], most: int = 12) -> range:
    """Places of at most about ``most`` ticks."""
    return range(0, len(names), max(1, math.ceil(len(names) / most)))


def _title_lines(criterion: CriterionScore, width: int = 34) -> list[Phrase]:
    """A criterion's name on one line or two, in each language."""
    vi, en = (wrap(name, width, max_lines=2, placeholder="…") for name in name_text(criterion.name_vi, criterion.name_en))
    lines = max(len(vi), len(en))
    return [Phrase(*pair) for pair in zip(_from_below(vi, lines), _from_below(en, lines), strict=True)]


def _from_below(lines: list[str], count: int) -> list[str]:
    return [""] * (count - len(lines)) + lines
