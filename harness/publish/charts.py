"""The charts of a report; each answers an ``<svg>`` element whose words exist in the report's languages."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from harness.evidence.reasons import Language
from harness.publish.drawing import BLUE, FAINT, INK, LINE, MUTED, SKY, VERMILION, WIDTH_IN, Drawing, styled
from harness.publish.phrase import Phrase
from harness.publish.reduction import StepSummary
from harness.publish.standing import Standing
from harness.publish.texts import phrase
from harness.scoring.scorecard import CriterionScore


@styled
def scoreboard_chart(standings: Sequence[Standing], points_max: float, languages: Sequence[Language]) -> str:
    """Points with their intervals, against what could be reached; portals without points say why."""
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
    """Percentile strips of the steps that succeeded, a line each, by journey; failures stand apart as a share."""
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
    """A small panel a criterion: its metric in every window, the median window filled and named by a line."""
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
    # By position, not by number: over several nights a number comes back.
    known = [(place, value) for place, (_, value, _) in enumerate(criterion.per_window) if value is not None]
    lost = [place for place, (_, value, _) in enumerate(criterion.per_window) if value is None]
    top = max((value for _, value in known), default=1.0) or 1.0
    if criterion.value is not None:
        axes.axhline(criterion.value, color=BLUE, linewidth=1, alpha=0.6)
    median = _median_window(known, criterion.value)
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
    """The window whose value the criterion has, or, between two of an even count, the nearer."""
    if value is None or not known:
        return None
    return min(known, key=lambda item: abs(item[1] - value))[0]


def _sparse(names: Sequence[str], most: int = 12) -> tuple[list[int], list[str]]:
    """Places and names of the ticks of a panel that has room for twelve."""
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
