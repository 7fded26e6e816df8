"""Charts along time: citizens who came, how requests ended, and how well the generator was, window by window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from harness.evidence.reasons import Language
from harness.publish.background import HealthReading
from harness.publish.drawing import BLUE, FAINT, GREEN, INK, MUTED, ORANGE, PURPLE, SKY, VERMILION, WIDTH_IN, Drawing, styled
from harness.publish.phrase import Phrase
from harness.publish.reduction import Floats, Timeline
from harness.publish.texts import LANGUAGES, decimal, phrase
from harness.records import Outcome

_HEIGHT_IN = 2.5

_OUTCOME_COLOURS: Mapping[str, str] = {
    Outcome.OK: "#B7CCDB",  # recedes: what went well is the background of what did not
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
def visits_chart(timeline: Timeline, languages: Sequence[Language]) -> str:
    """Citizens due per second, and visits that ended well per second."""
    drawing = Drawing(WIDTH_IN, _HEIGHT_IN, languages)
    axes = drawing.axes()[0]
    labels = [drawing.say(phrase("chart.served")), drawing.say(phrase("chart.arrivals"))]
    for edges, (arrivals, served) in _by_window(timeline, timeline.series["arrivals"], timeline.series["served"]):
        axes.fill_between(edges, served, step="post", color=SKY, alpha=0.55, linewidth=0, label=labels[0])
        axes.step(edges, arrivals, where="post", color=INK, linewidth=1.1, label=labels[1])
        labels = ["", ""]  # one entry of the legend for all windows
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
            label = ""  # one entry of the legend for all windows
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
