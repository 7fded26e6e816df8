"""What happened at a portal on the clock, drawn: one axis of time for arrivals, citizens in flight, waiting times and failures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from harness.evidence.reasons import Language
from harness.publish.over_time import OverTime, Section
from harness.publish.palette import BLUE, FAINT, INK, LINE, MUTED, SKY, VERMILION
from harness.publish.plain_svg import HATCH, SMALL, WIDTH, PlainSvg, digits_of_tick, round_ticks
from harness.publish.wording import Phrase, numeral, phrase, same
from harness.records import Outcome
from harness.records.permitted_hours import VIETNAM

_WIDE: Final = 720.0
_LEFT, _RIGHT, _GAP = 52.0, _WIDE - 8, 12.0
_HEAD, _PANEL, _TITLE = 18.0, 92.0, 34.0  # heights: of the windows' numbers, a panel, its title
_TICKS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_JOURNEYS: Final[Mapping[str, tuple[str, str]]] = {"search": (BLUE, "dot"), "submit": ("#A34700", "square"), "pay": ("#5B2A6E", "diamond")}
_SERVED = "#9CCDEE"
_ENDS: Final[Mapping[str, str]] = {
    Outcome.NOT_SERVED: "#D8A0C4", Outcome.TIMEOUT: INK, Outcome.HTTP_ERROR: VERMILION, Outcome.WRONG_CONTENT: "#F0C75E", Outcome.BLOCKED: "#8B1E3F",
    Outcome.DROPPED: "#A9A9A9", Outcome.ABORTED: MUTED,
}  # fmt: skip
_OTHER_ENDS = ("#7A6C00", SKY, "#005B45", "#6B4C9A", "#C9B458")


def timeline_chart(times: OverTime, ceiling: int, void: Sequence[int], languages: Sequence[Language]) -> str:
    """Four panels over one axis: planned and begun arrivals, citizens in flight, waiting time of visits, and visits that failed.

    ``ceiling``: the most citizens that may be in flight, 0 without such a limit; ``void``: windows that do not count.
    """
    ends = _failures(times.sections)
    foot = 18.0 * math.ceil(len(ends) / 4) + 6
    chart = PlainSvg(_WIDE, _HEAD + 4 * (_PANEL + _TITLE) + 22 + foot, languages)
    axis = _ClockAxis(times.spans)
    tops = [_HEAD + _TITLE + number * (_PANEL + _TITLE) for number in range(4)]
    _windows(chart, axis, times.sections, void, (_HEAD, tops[-1] + _PANEL))
    _arrivals(chart, axis, times.sections, tops[0])
    _in_flight(chart, axis, times, ceiling, tops[1])
    _waiting(chart, axis, times.sections, tops[2])
    _failed(chart, axis, times.sections, tops[3], ends)
    axis.ticks(chart, tops[-1] + _PANEL)
    for number, (name, colour) in enumerate(ends.items()):
        x, y = _LEFT + number % 4 * 165, tops[-1] + _PANEL + 40 + 18 * (number // 4)
        chart.bar(x, y - 9, x + 11, y + 1, colour)
        chart.text(x + 16, y, phrase(f"outcome.{name}"), INK, size=SMALL)
    return chart.svg(phrase("chart.timeline"), "chart-timeline")


def load_chart(sections: Sequence[Section], languages: Sequence[Language]) -> str:
    """The median waiting time of each journey's visits against the arrivals per second; a triangle where most visits failed."""
    left, top, right, bottom = 46.0, 66.0, WIDTH - 10, 266.0
    chart = PlainSvg(WIDTH, bottom + 40, languages)
    y = _logarithmic(chart, sections, (left, top, right, bottom))
    highest = 1.1 * max((each.begun / (each.end_s - each.begin_s) for each in sections), default=1.0) or 1.0

    def x(each: Section) -> float:
        return left + (right - left) * each.begun / (each.end_s - each.begin_s) / highest

    for tick in round_ticks(highest):
        place = left + (right - left) * tick / highest
        chart.line([(place, top), (place, bottom)], FAINT)
        chart.number(place, bottom + 16, tick, digits_of_tick(tick), MUTED, anchor="middle")
    chart.line([(left, bottom), (right, bottom)], LINE)
    chart.text(0, top - 20, phrase("chart.median_waiting"), MUTED, size=SMALL)
    chart.text((left + right) / 2, bottom + 34, phrase("chart.begun_per_s"), MUTED, size=SMALL, anchor="middle")
    journeys = _journeys(sections)
    if not journeys:
        chart.text((left + right) / 2, (top + bottom) / 2, phrase("chart.none_well"), MUTED, anchor="middle")
    for each in sections:
        for name, seconds in each.waiting_s.items():
            _mark(chart, name, x(each), y(seconds))
    for each in sections:
        if each.planned and each.failed > each.planned / 2:
            at = x(each)
            chart.shape([(at, top - 12), (at + 4.5, top - 4), (at - 4.5, top - 4)], VERMILION)
    for number, name in enumerate(journeys):
        _mark(chart, name, left + 8 + number * 110, 9)
        chart.text(left + 18 + number * 110, 13, phrase(f"journey.{name}"), INK, size=SMALL)
    if any(each.failed > each.planned / 2 for each in sections):
        chart.shape([(left + 8, 19), (left + 12.5, 27), (left + 3.5, 27)], VERMILION)
        chart.text(left + 18, 28, phrase("chart.most_failed"), INK, size=SMALL)
    return chart.svg(phrase("chart.load"), "chart-load")


class _ClockAxis:
    """The spans of time side by side, on one scale, with a gap for each pause."""

    def __init__(self, spans: Sequence[tuple[float, float]]) -> None:
        self._spans = spans
        gap = min(_GAP, 0.3 * (_RIGHT - _LEFT) / len(spans))
        self._whole_s = sum(end - begin for begin, end in spans)
        self._scale = (_RIGHT - _LEFT - gap * (len(spans) - 1)) / self._whole_s
        starts = [_LEFT]
        for begin, end in spans[:-1]:
            starts.append(starts[-1] + (end - begin) * self._scale + gap)
        self._starts = starts

    def x(self, moment_s: float) -> float:
        """Where a moment stands on the axis; a moment within a pause stands at the end of the span before it."""
        number = max((index for index, (begin, _) in enumerate(self._spans) if begin <= moment_s), default=0)
        begin, end = self._spans[number]
        return self._starts[number] + (min(max(moment_s, begin), end) - begin) * self._scale

    def ticks(self, chart: PlainSvg, bottom: float) -> None:
        """The clock below the panels, where there is room for it."""
        step = next((each for each in _TICKS_S if each * self._scale >= 74), _TICKS_S[-1])
        seconds = self._whole_s < 600 and step < 60
        width = 58.0 if seconds else 42.0
        free = -math.inf
        for begin, end in self._spans:
            inside: list[float] = [step * number for number in range(math.ceil(begin / step), math.floor(end / step) + 1)]
            for moment in inside or [begin]:
                x = self.x(moment)
                if x - width / 2 >= free:
                    chart.line([(x, bottom), (x, bottom + 5)], MUTED)
                    chart.text(x, bottom + 18, _clock(moment, seconds=seconds), MUTED, size=SMALL, anchor="middle")
                    free = x + width / 2


def _clock(moment_s: float, *, seconds: bool) -> Phrase:
    return same(datetime.fromtimestamp(moment_s, VIETNAM).strftime("%H:%M:%S" if seconds else "%H:%M"))


def _windows(chart: PlainSvg, axis: _ClockAxis, sections: Sequence[Section], void: Sequence[int], extent: tuple[float, float]) -> None:
    """A background for each window, with its number where there is room; void windows are hatched."""
    free = -math.inf
    for window in dict.fromkeys(each.window for each in sections):
        mine = [each for each in sections if each.window == window]
        left, right = axis.x(mine[0].begin_s), axis.x(mine[-1].end_s)
        chart.bar(left + 0.5, extent[0], right - 0.5, extent[1], FAINT)
        if window in void:
            chart.bar(left + 0.5, extent[0], right - 0.5, extent[1], HATCH)
        words = Phrase(*(f"{text} {window}" for text in phrase("chart.window_short")))
        if right - left < 90:
            words = same(str(window))
        half = 3.5 * len(words.vi)
        if (left + right) / 2 - half > free:
            chart.text((left + right) / 2, extent[0] - 5, words, MUTED, size=SMALL, anchor="middle")
            free = (left + right) / 2 + half


def _arrivals(chart: PlainSvg, axis: _ClockAxis, sections: Sequence[Section], top: float) -> None:
    highest = 1.1 * max(each.planned / (each.end_s - each.begin_s) for each in sections) or 1.0
    bottom = top + _PANEL - 14

    def y(count: int, each: Section) -> float:
        return bottom - (bottom - top) * count / (each.end_s - each.begin_s) / highest

    _scale(chart, highest, top, bottom)
    for each in sections:
        left, right, level = axis.x(each.begin_s), axis.x(each.end_s), y(each.begun, each)
        chart.bar(left, level, right, bottom, _SERVED)
        if each.begun < each.planned:
            chart.bar(left, y(each.planned, each), right, level, HATCH)
    for window in dict.fromkeys(each.window for each in sections):
        mine = [each for each in sections if each.window == window]
        corners = [(axis.x(edge), y(each.planned, each)) for each in mine for edge in (each.begin_s, each.end_s)]
        chart.line(corners, INK, 1.5)
    x = _title(chart, phrase("chart.arrivals_per_s"), top)
    for kind, name in (("line", "chart.planned"), ("bar", "chart.begun"), ("hatch", "chart.not_begun")):
        if kind == "line":
            chart.line([(x, top - 22), (x + 16, top - 22)], INK, 1.5)
        else:
            chart.bar(x + 2, top - 27, x + 14, top - 17, _SERVED if kind == "bar" else HATCH)
        chart.text(x + 20, top - 18, phrase(name), INK, size=SMALL)
        x += 36 + 6.3 * max(len(words) for words in phrase(name))


def _in_flight(chart: PlainSvg, axis: _ClockAxis, times: OverTime, ceiling: int, top: float) -> None:
    shown = ceiling if ceiling and times.in_flight.max(initial=0) * 3 >= ceiling else 0
    highest = 1.1 * max(1, int(times.in_flight.max(initial=0)), shown)
    bottom = top + _PANEL - 14

    def y(count: float) -> float:
        return bottom - (bottom - top) * count / highest

    _scale(chart, highest, top, bottom, whole=True)
    for begin, end in times.spans:
        inside = (times.in_flight_s >= begin) & (times.in_flight_s < end)
        lefts = [*times.in_flight_s[inside].tolist(), end]
        corners = [
            (axis.x(edge), y(count))
            for number, count in enumerate(times.in_flight[inside].tolist())
            for edge in (lefts[number], lefts[number + 1])
        ]
        chart.shape([(axis.x(begin), bottom), *_without_repeats(corners), (axis.x(end), bottom)], SKY)
    if shown:
        chart.line([(_LEFT, y(shown)), (_RIGHT, y(shown))], VERMILION, 1.4, dash="6 3")
    x = _title(chart, phrase("chart.in_flight"), top)
    if ceiling:
        words = Phrase(*(text.format(ceiling) for text in phrase("chart.ceiling" if shown else "chart.ceiling_far")))
        chart.line([(x, top - 22), (x + 16, top - 22)], VERMILION, 1.4, dash="6 3")
        chart.text(x + 20, top - 18, words, INK, size=SMALL)


def _without_repeats(corners: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The corners of a stepped line; points within a level stretch are left out."""
    last = len(corners) - 1
    return [
        each
        for number, each in enumerate(corners)
        if number in (0, last) or not corners[number - 1][1] == each[1] == corners[number + 1][1]
    ]


def _waiting(chart: PlainSvg, axis: _ClockAxis, sections: Sequence[Section], top: float) -> None:
    bottom = top + _PANEL - 14
    y = _logarithmic(chart, sections, (_LEFT, top, _RIGHT, bottom))
    x = _title(chart, phrase("chart.waiting"), top)
    if not _journeys(sections):
        chart.text((_LEFT + _RIGHT) / 2, (top + bottom) / 2 + 4, phrase("chart.none_well"), MUTED, anchor="middle")
    for name in _journeys(sections):
        for window in dict.fromkeys(each.window for each in sections):
            places = [
                ((axis.x(each.begin_s) + axis.x(each.end_s)) / 2, y(each.waiting_s[name]))
                for each in sections
                if each.window == window and name in each.waiting_s
            ]
            if len(places) > 1:
                chart.line(places, _colour(name), 1.0, opacity=0.6)
            for place in places:
                _mark(chart, name, *place)
        _mark(chart, name, x + 6, top - 22)
        chart.text(x + 15, top - 18, phrase(f"journey.{name}"), INK, size=SMALL)
        x += 30 + 6.3 * max(len(words) for words in phrase(f"journey.{name}"))


def _failed(chart: PlainSvg, axis: _ClockAxis, sections: Sequence[Section], top: float, ends: Mapping[str, str]) -> None:
    bottom = top + _PANEL - 14
    for percent in (0, 50, 100):
        y = bottom - (bottom - top) * percent / 100
        chart.line([(_LEFT, y), (_RIGHT, y)], LINE)
        chart.number(_LEFT - 6, y + 4, percent, 0, INK, after=" %")
    for each in sections:
        floor = bottom
        for name, colour in ends.items():
            height = (bottom - top) * each.ended.get(name, 0) / max(1, each.planned)
            if height:
                chart.bar(axis.x(each.begin_s) + 0.4, floor - height, axis.x(each.end_s) - 0.4, floor, colour)
                floor -= height
    _title(chart, phrase("chart.failed_visits" if ends else "chart.no_failed_visits"), top)


def _title(chart: PlainSvg, words: Phrase, top: float) -> float:
    """The title of a panel; returns where its legend may begin."""
    chart.text(_LEFT, top - 18, words, INK, bold=True)
    return _LEFT + 26 + 7.0 * max(len(text) for text in words)


def _scale(chart: PlainSvg, highest: float, top: float, bottom: float, *, whole: bool = False) -> None:
    for tick in round_ticks(highest)[::2]:
        if whole and tick != round(tick):
            continue
        y = bottom - (bottom - top) * tick / highest
        chart.line([(_LEFT, y), (_RIGHT, y)], LINE)
        chart.number(_LEFT - 6, y + 4, tick, digits_of_tick(tick), INK)


def _logarithmic(chart: PlainSvg, sections: Sequence[Section], box: tuple[float, float, float, float]) -> Callable[[float], float]:
    """The lines of a logarithmic axis of seconds that holds all waiting times; returns where a time stands on it."""
    left, top, right, bottom = box
    known = [max(seconds, 0.001) for each in sections for seconds in each.waiting_s.values()]
    low, high = min(known, default=0.1) / 1.3, max(known, default=10.0) * 1.3
    if high / low < 12:
        low, high = low / (12 * low / high) ** 0.5, high * (12 * low / high) ** 0.5

    def y(seconds: float) -> float:
        return bottom - (bottom - top) * math.log(min(max(seconds, low), high) / low) / math.log(high / low)

    for tick in log_ticks(low, high):
        chart.line([(left, y(tick)), (right, y(tick))], LINE)
        chart.text(left - 6, y(tick) + 4, seconds_words(tick), INK, size=SMALL, anchor="end")
    return y


def log_ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Round values on a logarithmic axis: 1 and 3 of each power of ten, or 1 alone where these are too many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = [digit * 10.0**power for power in powers for digit in (1, 3) if low <= digit * 10.0**power <= high]
    return fine if len(fine) <= most else [10.0**power for power in powers if low <= 10.0**power <= high]


def seconds_words(value: float) -> Phrase:
    """A round number of seconds, with its unit."""
    return numeral(value, max(0, -math.floor(math.log10(value) + 1e-9)), " s")


def _journeys(sections: Sequence[Section]) -> list[str]:
    found = {name for each in sections for name in each.waiting_s}
    return [name for name in _JOURNEYS if name in found] + sorted(found - _JOURNEYS.keys())


def _colour(journey: str) -> str:
    return _JOURNEYS.get(journey, (MUTED, "square"))[0]


def _mark(chart: PlainSvg, journey: str, x: float, y: float) -> None:
    """A mark of its own for each journey, so that colour is not needed to tell them apart."""
    colour, kind = _JOURNEYS.get(journey, (MUTED, "square"))
    if kind == "dot":
        chart.dot(x, y, 3.4, colour)
    elif kind == "square":
        chart.bar(x - 3.1, y - 3.1, x + 3.1, y + 3.1, "#fff", colour)
    else:
        chart.diamond(x, y, 4.6, colour)


def _failures(sections: Sequence[Section]) -> dict[str, str]:
    """The outcomes of visits that did not end well, the most frequent first, with their colours."""
    counts: dict[str, int] = {}
    for each in sections:
        for name, count in each.ended.items():
            if name != Outcome.OK:
                counts[name] = counts.get(name, 0) + count
    others = iter(_OTHER_ENDS)
    return {name: _ENDS.get(name) or next(others, MUTED) for name in sorted(counts, key=lambda name: (-counts[name], name))}
