"""The charts of a report. Each function returns an ``<svg>`` element whose texts exist in each of the report's languages.

A portal's charts are plain SVG: with matplotlib they took most of the time of a report.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from textwrap import wrap

from matplotlib.axes import Axes

from harness.evidence.reasons import Language
from harness.publish.drawing import BLUE, FAINT, GREEN, INK, LINE, MUTED, ORANGE, PURPLE, SKY, VERMILION, WIDTH_IN, Drawing, styled
from harness.publish.plain_svg import LEGEND_ROW, SMALL, WIDTH, PlainSvg, plot_box, round_ticks, same
from harness.publish.reduction import StepSummary, Timeline
from harness.publish.report_data import HealthReading
from harness.publish.scoreboard import Standing
from harness.publish.time_plot import TimePlot, by_window
from harness.publish.wording import Phrase, phrase
from harness.records import Outcome
from harness.scoring.scorecard import CriterionScore

_STEP_TOP, _ROW = 22.0, 22.0  # of the chart of steps, in pixels
_PANEL = 122.0  # height of a criterion's panel
_SERVED = "#9CCDEE"
_HEALTH_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, "#7A6C00", MUTED)

_OUTCOME_COLOURS: Mapping[str, str] = {
    Outcome.OK: "#B7CCDB",  # pale: failures must stand out
    Outcome.HTTP_ERROR: VERMILION,
    Outcome.WRONG_CONTENT: ORANGE,
    Outcome.EXTRACTION: "#F0E442",
    Outcome.TIMEOUT: INK,
    Outcome.NOT_SERVED: PURPLE,
    Outcome.BLOCKED: "#8B1E3F",
    Outcome.DROPPED: MUTED,
}
_OTHER_COLOURS = (GREEN, SKY, BLUE, "#7A6C00", "#A9A9A9", "#6B4C9A", "#005B45")


@styled
def scoreboard_chart(standings: Sequence[Standing], points_max: float, languages: Sequence[Language]) -> str:
    """Points with their intervals and the assessed maximum; a portal without points shows its verdict."""
    longest = max((len(Phrase(s.card.name_vi, s.card.name_en).into(language)) for s in standings for language in languages), default=0)
    drawing = Drawing(WIDTH_IN + 0.06 * max(0, longest - 22), 0.55 + 0.27 * max(1, len(standings)), languages)
    axes = drawing.axes()[0]
    for y, standing in enumerate(standings):
        card = standing.card
        axes.barh(y, points_max, height=0.56, color=FAINT, linewidth=0)
        if card.points is None:
            verdict = drawing.say(phrase(f"verdict.{card.verdict.value}"))
            axes.text(points_max * 0.012, y, verdict, va="center", color=MUTED, style="italic", fontsize=8)
            continue
        axes.barh(y, card.points, height=0.56, color=BLUE, linewidth=0)
        axes.plot([card.points_assessed_max] * 2, [y - 0.36, y + 0.36], color=MUTED, linewidth=1.2)
        if card.interval is not None:
            _whisker(axes, card.interval, y)
        axes.text(points_max * 1.015, y, drawing.number(card.points, 1), va="center", ha="left", weight="bold")
    axes.set_yticks(range(len(standings)), [drawing.say(Phrase(s.card.name_vi, s.card.name_en)) for s in standings])
    axes.set_ylim(max(1, len(standings)) - 0.4, -0.6)
    axes.set_xlim(0, points_max * 1.09)
    axes.xaxis.set_major_formatter(drawing.formatter())
    axes.set_xticks([points_max * i / 4 for i in range(5)])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(drawing.say(phrase("chart.points")))
    return drawing.svg(phrase("board.title"))


def steps_chart(steps: Sequence[StepSummary], timeout_s: float, languages: Sequence[Language]) -> str:
    """Percentiles of the successful executions, one line a step, by journey; the share of failures at the right."""
    rows = len(steps) + len({step.journey for step in steps})
    chart = PlainSvg(WIDTH, _STEP_TOP + _ROW * rows + 26, languages)
    names = [phrase(f"step.{step.step}") for step in steps]
    left = 12 + 5.9 * max((len(name.into(language)) for name in names for language in languages), default=0)
    low, high = _time_range(steps, timeout_s)
    scale = (WIDTH - 46 - left) / math.log(high / low)

    def x(seconds: float) -> float:
        return left + scale * math.log(min(max(seconds, low), high) / low)

    bottom = _STEP_TOP + _ROW * rows
    for tick in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100):
        if low <= tick <= high:
            chart.line([(x(tick), _STEP_TOP), (x(tick), bottom)], FAINT)
            chart.number(x(tick), bottom + 14, tick, len(f"{tick:g}".partition(".")[2]), MUTED, after=" s", anchor="middle")
    chart.line([(left, bottom), (WIDTH - 46, bottom)], LINE)
    _strip_legend(chart, left)
    if any(step.failed for step in steps):
        chart.text(WIDTH, _STEP_TOP + 0.65 * _ROW, phrase("chart.failed"), VERMILION, size=SMALL, anchor="end")
    y, journey = _STEP_TOP + _ROW / 2, ""
    for step, name in zip(steps, names, strict=True):
        if step.journey != journey:
            journey = step.journey
            chart.text(left, y + 4, phrase(f"journey.{journey}"), INK, bold=True)
            y += _ROW
        chart.text(left - 8, y + 4, name, INK, anchor="end")
        _strip(chart, step, y, x)
        if step.failed:
            share = step.failed / step.n if step.n else 0.0
            chart.number(WIDTH, y + 4, 100 * share, 1 if share < 0.1 else 0, VERMILION, after=" %")
        y += _ROW
    return chart.svg(phrase("chart.steps"))


def windows_chart(criteria: Sequence[CriterionScore], languages: Sequence[Language]) -> str:
    """One panel a criterion: its metric in every window; the median window, where it gives the points, is a filled dot."""
    shown = [criterion for criterion in criteria if criterion.per_window]
    columns = 2 if len(shown) > 1 else 1
    rows = max(1, math.ceil(len(shown) / columns))
    chart = PlainSvg(WIDTH, _PANEL * rows, languages)
    for number, criterion in enumerate(shown):
        left, width = number % columns * WIDTH / columns, WIDTH / columns
        _window_panel(chart, criterion, left + 44, number // columns * _PANEL + 34, width - 60, _PANEL - 58)
    return chart.svg(phrase("chart.windows"))


def visits_chart(timeline: Timeline, languages: Sequence[Language]) -> str:
    """Planned arrivals per second, and successful visits per second."""
    plot = TimePlot(timeline, max(map(max, timeline.series.values())), 1, "chart.visits_per_s", languages)
    for span, (arrivals, served) in by_window(timeline, timeline.series["arrivals"], timeline.series["served"]):
        plot.area(span, served * 0.0, served, _SERVED)
        plot.chart.line(plot.steps(span, arrivals), INK, 1.4)
    plot.legend([("chart.served", _SERVED), ("chart.arrivals", INK)], 2)
    return plot.chart.svg(phrase("chart.visits"))


def outcomes_chart(timeline: Timeline, languages: Sequence[Language]) -> str:
    """Requests that ended per second, stacked by outcome."""
    others = iter(_OTHER_COLOURS)
    colours = {name: _OUTCOME_COLOURS.get(name) or next(others, MUTED) for name in timeline.series}
    whole = timeline.centres_s * 0.0 + sum(timeline.series.values())
    plot = TimePlot(timeline, max(whole), math.ceil(len(colours) / 3), "chart.requests_per_s", languages)
    for span, heights in by_window(timeline, *timeline.series.values()):
        floor = heights[0] * 0.0
        for height, colour in zip(heights, colours.values(), strict=True):
            plot.area(span, floor, floor + height, colour)
            floor = floor + height
    plot.legend([(f"outcome.{name}", colour) for name, colour in colours.items()], 3)
    return plot.chart.svg(phrase("chart.outcomes"))


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
    return chart.svg(phrase("chart.health"))


def _whisker(axes: Axes, interval: tuple[float, float], y: float) -> None:
    axes.plot(interval, [y, y], color="white", linewidth=3.6, solid_capstyle="butt")
    axes.plot(interval, [y, y], color=INK, linewidth=1.3, solid_capstyle="butt")
    for end in interval:
        axes.plot([end, end], [y - 0.16, y + 0.16], color=INK, linewidth=1.3)


def _time_range(steps: Sequence[StepSummary], timeout_s: float) -> tuple[float, float]:
    fast = min((step.fastest_s for step in steps if step.fastest_s), default=0.1)
    slow = max((step.slowest_s for step in steps if step.slowest_s), default=timeout_s)
    return max(0.001, fast / 1.4), max(slow * 1.4, fast * 10)


def _strip(chart: PlainSvg, step: StepSummary, y: float, x: Callable[[float], float]) -> None:
    if (
        step.p50_s is None
        or step.fastest_s is None
        or step.slowest_s is None
        or step.p95_s is None
        or step.p90_s is None
        or step.p99_s is None
    ):
        return
    chart.line([(x(step.fastest_s), y), (x(step.slowest_s), y)], LINE, 1.8)
    chart.line([(x(step.p50_s), y), (x(step.p95_s), y)], SKY, 7)
    _median_mark(chart, x(step.p50_s), y)
    chart.dot(x(step.p95_s), y, 3.2, BLUE)
    _diamond(chart, x(step.p99_s), y, 3.2, "#fff", BLUE)


def _strip_legend(chart: PlainSvg, left: float) -> None:
    y, step = 9.0, 58.0
    _median_mark(chart, left + 4, y)
    chart.dot(left + 4 + step, y, 3.2, BLUE)
    _diamond(chart, left + 4 + 2 * step, y, 3.2, "#fff", BLUE)
    chart.line([(left + 3 * step - 4, y), (left + 3 * step + 12, y)], LINE, 1.8)
    for number, name in enumerate(("p50", "p95", "p99")):
        chart.text(left + 14 + number * step, y + 4, same(name), INK, size=SMALL)
    chart.text(left + 17 + 3 * step, y + 4, same("min–max"), INK, size=SMALL)


def _median_mark(chart: PlainSvg, x: float, y: float) -> None:
    chart.line([(x, y - 6), (x, y + 6)], INK, 2.4)


def _diamond(chart: PlainSvg, x: float, y: float, radius: float, fill: str, edge: str) -> None:
    chart.shape([(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)], fill, edge)


def _triangle(chart: PlainSvg, x: float, y: float, radius: float, fill: str, edge: str = "none") -> None:
    chart.shape([(x, y - radius), (x + radius, y + radius * 0.8), (x - radius, y + radius * 0.8)], fill, edge)


def _mark(chart: PlainSvg, kind: int, x: float, y: float, colour: str) -> None:
    """A mark of its own for each of eight series, so that colour is not needed to tell them apart."""
    fill, edge = (colour, "none") if kind % 8 < 4 else ("#fff", colour)
    if kind % 4 == 0:
        chart.dot(x, y, 3, fill, edge)
    elif kind % 4 == 1:
        chart.shape([(x - 2.7, y - 2.7), (x + 2.7, y - 2.7), (x + 2.7, y + 2.7), (x - 2.7, y + 2.7)], fill, edge)
    elif kind % 4 == 2:
        _diamond(chart, x, y, 3.6, fill, edge)
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
    for tick in sorted({0.0, highest / 1.3 if criterion.value is None else criterion.value}):
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
    vi, en = (wrap(name, width, max_lines=2, placeholder="…") for name in (criterion.name_vi, criterion.name_en))
    lines = max(len(vi), len(en))
    return [Phrase(*pair) for pair in zip(_from_below(vi, lines), _from_below(en, lines), strict=True)]


def _from_below(lines: list[str], count: int) -> list[str]:
    return [""] * (count - len(lines)) + lines
