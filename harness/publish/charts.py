"""The charts of a report. Each function returns an ``<svg>`` element whose texts exist in each of the report's languages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from harness.evidence.reasons import Language
from harness.publish.drawing import BLUE, FAINT, GREEN, INK, LINE, MUTED, ORANGE, PURPLE, SKY, VERMILION, WIDTH_IN, Drawing, styled
from harness.publish.reduction import StepSummary, Timeline
from harness.publish.report_data import HealthReading
from harness.publish.scoreboard import Standing
from harness.publish.wording import LANGUAGES, Phrase, decimal, phrase
from harness.records import Outcome
from harness.scoring.scorecard import CriterionScore
from harness.statistics.percentile import Floats

_HEIGHT_IN = 2.5

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


@styled
def steps_chart(steps: Sequence[StepSummary], timeout_s: float, languages: Sequence[Language]) -> str:
    """Percentiles of the successful executions, one line a step, by journey; the share of failures at the right."""
    rows = sum(1 for _ in steps) + len({step.journey for step in steps})
    drawing = Drawing(WIDTH_IN, 0.75 + 0.235 * max(3, rows), languages)
    axes = drawing.axes()[0]
    y, places, names = 0, [], []
    journey = ""
    low, high = _time_range(steps, timeout_s)
    for step in steps:
        if step.journey != journey:
            journey = step.journey
            axes.text(
                0,
                y,
                drawing.say(phrase(f"journey.{journey}")),
                transform=axes.get_yaxis_transform(),
                weight="bold",
                va="center",
                fontsize=8,
            )
            y += 1
        _strip(axes, step, y)
        share = step.failed / step.n if step.n else 0.0
        if step.failed:
            text = drawing.number(100 * share, 1 if share < 0.1 else 0, after=" %")
            axes.text(1.02, y, text, transform=axes.get_yaxis_transform(), va="center", ha="left", color=VERMILION, fontsize=8)
        places.append(y)
        names.append(drawing.say(phrase(f"step.{step.step}")))
        y += 1
    axes.set_yticks(places, names)
    axes.set_ylim(y - 0.4, -0.9)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_xticks([tick for tick in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100) if low <= tick <= high])
    axes.minorticks_off()
    axes.xaxis.set_major_formatter(drawing.formatter(" s"))
    axes.grid(visible=True, axis="x")
    axes.spines["left"].set_visible(False)
    if any(step.failed for step in steps):
        heading = drawing.say(phrase("chart.failed"))
        axes.text(1.02, 0, heading, transform=axes.get_yaxis_transform(), va="center", ha="left", color=VERMILION, fontsize=7.5)
    _strip_legend(axes)
    return drawing.svg(phrase("chart.steps"))


@styled
def windows_chart(criteria: Sequence[CriterionScore], languages: Sequence[Language]) -> str:
    """One panel a criterion: its metric in every window; the median window, where it gives the points, is a filled dot."""
    shown = [criterion for criterion in criteria if criterion.per_window]
    columns = 2 if len(shown) > 1 else 1
    rows = max(1, math.ceil(len(shown) / columns))
    drawing = Drawing(WIDTH_IN, 0.2 + 1.25 * rows, languages)
    panels = drawing.axes(rows, columns)
    for axes, criterion in zip(panels, shown, strict=False):
        _window_panel(drawing, axes, criterion)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    return drawing.svg(phrase("chart.windows"))


@styled
def visits_chart(timeline: Timeline, languages: Sequence[Language]) -> str:
    """Planned arrivals per second, and successful visits per second."""
    drawing = Drawing(WIDTH_IN, _HEIGHT_IN, languages)
    axes = drawing.axes()[0]
    labels = [drawing.say(phrase("chart.served")), drawing.say(phrase("chart.arrivals"))]
    for edges, (arrivals, served) in _by_window(timeline, timeline.series["arrivals"], timeline.series["served"]):
        axes.fill_between(edges, served, step="post", color=SKY, alpha=0.55, linewidth=0, label=labels[0])
        axes.step(edges, arrivals, where="post", color=INK, linewidth=1.1, label=labels[1])
        labels = ["", ""]  # one legend entry for all windows
    _time_axis(drawing, axes, timeline)
    axes.set_ylabel(drawing.say(phrase("chart.visits_per_s")))
    _legend_above(axes, 2)
    return drawing.svg(phrase("chart.visits"))


@styled
def outcomes_chart(timeline: Timeline, languages: Sequence[Language]) -> str:
    """Requests that ended per second, stacked by outcome."""
    drawing = Drawing(WIDTH_IN, _HEIGHT_IN + 0.15 * (len(timeline.series) > 3), languages)
    axes = drawing.axes()[0]
    floor = timeline.centres_s * 0.0
    others = iter(_OTHER_COLOURS)
    for name, values in timeline.series.items():
        colour = _OUTCOME_COLOURS.get(name) or next(others, MUTED)
        label = drawing.say(phrase(f"outcome.{name}"))
        for edges, (low, high) in _by_window(timeline, floor, floor + values):
            axes.fill_between(edges, low, high, step="post", color=colour, linewidth=0, label=label)
            label = ""  # one legend entry for all windows
        floor = floor + values
    _time_axis(drawing, axes, timeline)
    axes.set_ylabel(drawing.say(phrase("chart.requests_per_s")))
    _legend_above(axes, 3)
    return drawing.svg(phrase("chart.outcomes"))


@styled
def health_chart(readings: Sequence[HealthReading], languages: Sequence[Language]) -> str:
    """Each health figure of the generator per window, as a share of its limit."""
    drawing = Drawing(WIDTH_IN, _HEIGHT_IN, languages)
    axes = drawing.axes()[0]
    names = sorted({reading.name for reading in readings})
    marks = "osD^vPX*hd"
    for index, name in enumerate(names):
        mine = sorted((r.window, 100 * r.value / r.limit) for r in readings if r.name == name and r.limit > 0)
        x, y = [window for window, _ in mine], [share for _, share in mine]
        colour = (BLUE, ORANGE, GREEN, PURPLE, SKY, "#7A6C00", MUTED)[index % 7]
        axes.plot(
            x, y, color=colour, marker=marks[index % len(marks)], markersize=4, linewidth=1, label=drawing.say(phrase(f"health.{name}"))
        )
    axes.axhline(100, color=VERMILION, linewidth=1.2)
    axes.set_ylim(0, max(118.0, *(108 * r.value / r.limit for r in readings if r.limit > 0)))
    windows = sorted({reading.window for reading in readings})
    axes.set_xticks(windows, [str(window) for window in windows])
    axes.yaxis.set_major_formatter(drawing.formatter(" %"))
    axes.grid(visible=True, axis="y")
    axes.set_xlabel(drawing.say(phrase("chart.window")))
    axes.set_ylabel(drawing.say(phrase("chart.of_limit")))
    _legend_above(axes, 2)
    return drawing.svg(phrase("chart.health"))


def _whisker(axes: Axes, interval: tuple[float, float], y: float) -> None:
    axes.plot(interval, [y, y], color="white", linewidth=3.6, solid_capstyle="butt")
    axes.plot(interval, [y, y], color=INK, linewidth=1.3, solid_capstyle="butt")
    for end in interval:
        axes.plot([end, end], [y - 0.16, y + 0.16], color=INK, linewidth=1.3)


def _time_range(steps: Sequence[StepSummary], timeout_s: float) -> tuple[float, float]:
    fast = min((step.fastest_s for step in steps if step.fastest_s), default=0.1)
    slow = max((step.slowest_s for step in steps if step.slowest_s), default=timeout_s)
    return max(0.001, fast / 1.4), max(slow * 1.4, fast * 10)


def _strip(axes: Axes, step: StepSummary, y: float) -> None:
    if (
        step.p50_s is None
        or step.fastest_s is None
        or step.slowest_s is None
        or step.p95_s is None
        or step.p90_s is None
        or step.p99_s is None
    ):
        return
    axes.plot([step.fastest_s, step.slowest_s], [y, y], color=LINE, linewidth=1.4, solid_capstyle="butt")
    axes.plot([step.p50_s, step.p95_s], [y, y], color=SKY, linewidth=5.5, solid_capstyle="butt")
    axes.plot([step.p50_s], [y], marker="|", color=INK, markersize=9, markeredgewidth=2)
    axes.plot([step.p95_s], [y], marker="o", color=BLUE, markersize=5)
    axes.plot([step.p99_s], [y], marker="D", color="white", markeredgecolor=BLUE, markeredgewidth=1.2, markersize=4)


def _strip_legend(axes: Axes) -> None:
    marks = (
        axes.plot([], [], marker="|", color=INK, markersize=9, markeredgewidth=2, linestyle="", label="p50")[0],
        axes.plot([], [], marker="o", color=BLUE, markersize=5, linestyle="", label="p95")[0],
        axes.plot([], [], marker="D", color="white", markeredgecolor=BLUE, markeredgewidth=1.2, markersize=4, linestyle="", label="p99")[0],
        axes.plot([], [], color=LINE, linewidth=1.4, label="min–max")[0],
    )
    axes.legend(handles=marks, loc="lower left", bbox_to_anchor=(0, 1), ncols=4, handletextpad=0.4, columnspacing=1.2, borderaxespad=0)


def _window_panel(drawing: Drawing, axes: Axes, criterion: CriterionScore) -> None:
    # By position: window numbers repeat over several nights.
    known = [(place, value) for place, (_, value, _) in enumerate(criterion.per_window) if value is not None]
    lost = [place for place, (_, value, _) in enumerate(criterion.per_window) if value is None]
    top = max((value for _, value in known), default=1.0) or 1.0
    if criterion.value is not None:
        axes.axhline(criterion.value, color=BLUE, linewidth=1, alpha=0.6)
    median = _median_window(known, criterion.value) if criterion.over == "median_window" else None
    for place, value in known:
        axes.plot([place], [value], marker="o", markersize=6 if place == median else 4.5, color=BLUE if place == median else "white",
                  markeredgecolor=BLUE, markeredgewidth=1.2, clip_on=False)  # fmt: skip
    for place in lost:
        axes.plot([place], [top * 1.12], marker="^", markersize=6, color=VERMILION)
    for line, words in enumerate(reversed(_title_lines(criterion))):
        text = axes.text(0, 1.05 + 0.17 * line, "", transform=axes.transAxes, fontsize=8, va="bottom")
        drawing.place(text, words)
    axes.set_ylim(0, top * 1.3)
    axes.margins(x=0.08)
    axes.set_xticks(*_sparse([str(window) for window, _, _ in criterion.per_window]))
    axes.set_yticks(sorted({0.0, top if criterion.value is None else criterion.value}))
    axes.yaxis.set_major_formatter(FuncFormatter(_three_digits(drawing, criterion.unit)))
    axes.tick_params(labelsize=7.5)


def _median_window(known: Sequence[tuple[int, float]], value: float | None) -> int | None:
    """The place of the window whose value is nearest to the criterion's."""
    if value is None or not known:
        return None
    return min(known, key=lambda item: abs(item[1] - value))[0]


def _sparse(names: Sequence[str], most: int = 12) -> tuple[list[int], list[str]]:
    """Places and names of at most about ``most`` ticks."""
    places = list(range(0, len(names), max(1, math.ceil(len(names) / most))))
    return places, [names[place] for place in places]


def _three_digits(drawing: Drawing, unit: str) -> Callable[[float, int | None], str]:
    def label(value: float, _position: int | None = None) -> str:
        digits = 0 if value == 0 or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
        return drawing.number(value, digits, after=f" {unit}" if unit in ("s", "%", "ms") else "")

    return label


def _title_lines(criterion: CriterionScore, width: int = 32) -> list[Phrase]:
    """A criterion's name on one line or two, in each language."""
    vi, en = (wrap(name, width, max_lines=2, placeholder="…") for name in (criterion.name_vi, criterion.name_en))
    lines = max(len(vi), len(en))
    return [Phrase(*pair) for pair in zip(_from_below(vi, lines), _from_below(en, lines), strict=True)]


def _from_below(lines: list[str], count: int) -> list[str]:
    return [""] * (count - len(lines)) + lines


def _by_window(timeline: Timeline, *series: Floats) -> Iterator[tuple[Floats, list[Floats]]]:
    """For each window the edges of its columns, and the heights of each series with the last one repeated at the end."""
    for begin, end in zip(timeline.begins_s, timeline.ends_s, strict=True):
        inside = (timeline.centres_s > begin) & (timeline.centres_s < end)
        edges = np.append(timeline.centres_s[inside] - timeline.width_s / 2, end)
        yield edges, [np.append(values[inside], values[inside][-1]) for values in series]


def _time_axis(drawing: Drawing, axes: Axes, timeline: Timeline) -> None:
    for begin, end in zip(timeline.begins_s, timeline.ends_s, strict=True):
        axes.axvspan(begin, end, color=FAINT, zorder=-2, linewidth=0)
    middles = [(begin + end) / 2 for begin, end in zip(timeline.begins_s, timeline.ends_s, strict=True)]
    axes.set_xticks(middles, [str(window) for window in timeline.windows])
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(timeline.begins_s[0], timeline.ends_s[-1])
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(drawing.formatter())
    words = phrase("chart.window_axis")
    width = {language: decimal(timeline.width_s, 1 if timeline.width_s < 1 else 0, language) for language in LANGUAGES}
    axes.set_xlabel(drawing.say(Phrase(words.vi.format(width["vi"]), words.en.format(width["en"]))))


def _legend_above(axes: Axes, columns: int) -> None:
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 1),
        ncols=columns,
        handlelength=1.2,
        handletextpad=0.5,
        columnspacing=1.3,
        borderaxespad=0.2,
    )
