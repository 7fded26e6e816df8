"""Axes over time for a report's charts, in plain SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.evidence.reasons import Language
from harness.publish.drawing import FAINT, INK, MUTED
from harness.publish.plain_svg import LEGEND_ROW, SMALL, WIDTH, PlainSvg, plot_box, round_ticks, same
from harness.publish.reduction import Timeline
from harness.publish.wording import LANGUAGES, Phrase, decimal, phrase
from harness.statistics.percentile import Floats


def by_window(timeline: Timeline, *series: Floats) -> Iterator[tuple[tuple[float, float], list[Floats]]]:
    """For each window its span on the axis, and the heights of each series in its columns."""
    for begin, end in zip(timeline.begins_s, timeline.ends_s, strict=True):
        inside = (timeline.centres_s > begin) & (timeline.centres_s < end)
        yield (begin, end), [values[inside] for values in series]


class TimePlot:
    """Axes over time, with the windows of a run side by side."""

    def __init__(self, timeline: Timeline, highest: float, legend_rows: int, unit: str, languages: Sequence[Language]) -> None:
        self._timeline, self._highest = timeline, max(1.1 * float(highest), 0.1)
        self._left, self._top, self._right, self._bottom = plot_box(legend_rows)
        self.chart = PlainSvg(WIDTH, self._bottom + 36, languages)
        for begin, end, window in zip(timeline.begins_s, timeline.ends_s, timeline.windows, strict=True):
            self.chart.shape(
                [(self._x(begin), self._top), (self._x(end), self._top), (self._x(end), self._bottom), (self._x(begin), self._bottom)],
                FAINT,
            )
            self.chart.text(self._x((begin + end) / 2), self._bottom + 15, same(str(window)), MUTED, size=SMALL, anchor="middle")
        for tick in round_ticks(self._highest):
            digits = len(f"{tick:.10g}".partition(".")[2])
            self.chart.number(self._left - 6, self._y(tick) + 4, tick, digits, INK)
        self.chart.text(self._left, self._top - 8, phrase(unit), MUTED, size=SMALL)
        words = phrase("chart.window_axis")
        width = {language: decimal(timeline.width_s, 1 if timeline.width_s < 1 else 0, language) for language in LANGUAGES}
        below = Phrase(words.vi.format(width["vi"]), words.en.format(width["en"]))
        self.chart.text((self._left + self._right) / 2, self._bottom + 30, below, MUTED, size=SMALL, anchor="middle")

    def area(self, span: tuple[float, float], low: Floats, high: Floats, fill: str) -> None:
        """The area between two series of one window; nothing where they are equal."""
        if (high > low).any():
            self.chart.shape([*self.steps(span, high), *reversed(self.steps(span, low))], fill)

    def steps(self, span: tuple[float, float], heights: Floats) -> list[tuple[float, float]]:
        """The corners of a series of one window, drawn as columns."""
        edges = [min(span[0] + number * self._timeline.width_s, span[1]) for number in range(len(heights) + 1)]
        return [
            (self._x(edges[number + side]), self._y(float(height)))
            for number, height in enumerate(heights)
            for side in (0, 1)
            if side or not number or height != heights[number - 1]
        ]

    def legend(self, names: Sequence[tuple[str, str]], columns: int) -> None:
        """Names with their colours, above the plot."""
        for number, (name, colour) in enumerate(names):
            x, y = self._left + number % columns * (self._right - self._left) / columns, 11 + LEGEND_ROW * (number // columns)
            self.chart.shape([(x, y - 5), (x + 10, y - 5), (x + 10, y + 3), (x, y + 3)], colour)
            self.chart.text(x + 15, y + 3, phrase(name), INK, size=SMALL)

    def _x(self, seconds: float) -> float:
        first, last = self._timeline.begins_s[0], self._timeline.ends_s[-1]
        return self._left + (self._right - self._left) * (seconds - first) / (last - first)

    def _y(self, height: float) -> float:
        return self._bottom - (self._bottom - self._top) * height / self._highest
