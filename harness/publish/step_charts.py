"""The steps of a portal, drawn: how long each takes, which part of them never ends well, and on what the time goes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from harness.evidence.reasons import Language
from harness.publish.clock_charts import log_ticks, seconds_words
from harness.publish.palette import BLUE, FAINT, INK, LINE, MUTED, ORANGE, RUST
from harness.publish.plain_svg import HATCH, SMALL, PlainSvg, digits_of_tick, round_ticks
from harness.publish.step_times import PHASES, StepPhases, StepSpread
from harness.publish.wording import Phrase, phrase
from harness.statistics.percentile import Floats

_PANEL_WIDTH, _PANEL_HEIGHT = 165.0, 148.0
_CORNERS = 60  # of a distribution, at most
_WIDE, _ROW = 720.0, 22.0
VISIBLE = 0.002
"""The share of the axis below which a phase is not visible; the legend leaves out a phase that is shorter in every step."""
_PHASES: Final[Mapping[str, tuple[str, str]]] = {  # fill, and ink on it; neighbours differ in brightness
    "wait": ("#F0E442", INK), "dns": ("#005B45", "#fff"), "connect": (ORANGE, INK), "tls": ("#5B2A6E", "#fff"),
    "server": (BLUE, "#fff"), "transfer": ("#9CCDEE", INK), "polling": (MUTED, "#fff"), "shared": (LINE, INK),
}  # fmt: skip


def spread_range(spreads: Sequence[StepSpread]) -> tuple[float, float]:
    """The axis of seconds that all panels of a portal share."""
    known = [float(end) for each in spreads if len(each.whole_s) for end in (each.whole_s[0], each.whole_s[-1])]
    low, high = max(0.001, min(known, default=0.1)), max(known, default=1.0)
    return low / 1.15, max(high * 1.15, low * 20)


def spread_chart(spread: StepSpread, limits: tuple[float, float], languages: Sequence[Language]) -> str:
    """The share of the executions that had ended well by each time; the hatched part never did."""
    chart = PlainSvg(_PANEL_WIDTH, _PANEL_HEIGHT, languages)
    left, top, right, bottom = 36.0, 24.0, _PANEL_WIDTH - 6, _PANEL_HEIGHT - 20
    low, high = limits

    def x(seconds: float) -> float:
        return left + (right - left) * math.log(min(max(seconds, low), high) / low) / math.log(high / low)

    def y(share: float) -> float:
        return bottom - (bottom - top) * share

    for tick in log_ticks(low, high, 3):
        chart.line([(x(tick), top), (x(tick), bottom)], FAINT)
        words = seconds_words(tick)
        anchor = "end" if x(tick) > right - 14 else "middle"
        chart.text(right + 4 if anchor == "end" else x(tick), bottom + 15, words, MUTED, size=SMALL, anchor=anchor)
    for share in (0.0, 0.5, 1.0):
        chart.line([(left, y(share)), (right, y(share))], LINE)
        chart.number(left - 4, y(share) + 4, 100 * share, 0, MUTED, after=" %")
    name = phrase(f"step.{spread.part[2]}")
    chart.text(left, 13, name, INK, bold=True)
    if spread.never:
        chart.bar(left, y(1), right, y(1 - spread.never), HATCH)
    if len(spread.whole_s):
        if not np.array_equal(spread.whole_s, spread.own_s):
            chart.line(_corners(spread.own_s, spread.n, x, y, right), INK, 1.2, dash="3 2")
        chart.line(_corners(spread.whole_s, spread.n, x, y, right), BLUE, 2)
    if spread.never:
        percent = 100 * spread.never
        chart.bar(right - 48, y(1) + 2, right - 1, y(1) + 16, "#fff")
        chart.number(right - 4, y(1) + 13, percent, 1 if percent < 10 else 0, RUST, after=" %")
    return chart.svg(Phrase(*(f"{title}: {step}" for title, step in zip(phrase("chart.steps"), name, strict=True))))


def phases_chart(phases: Sequence[StepPhases], languages: Sequence[Language]) -> str:
    """A bar a step, by journey: the mean time of each phase, one after the other."""
    highest = 1.02 * max(sum(each.mean_s.values()) for each in phases) or 1.0
    present = [name for name in PHASES if any(each.mean_s.get(name, 0) > VISIBLE * highest for each in phases)]
    names = [phrase(f"step.{each.part[2]}") for each in phases]
    left = min(280.0, 14 + 6.4 * max(len(text) for name in names for text in name))
    top = 10 + 18.0 * math.ceil(len(present) / 4)
    rows = len(phases) + len({each.part[0] for each in phases})
    chart = PlainSvg(_WIDE, top + _ROW * rows + 40, languages)
    right, bottom = _WIDE - 62, top + _ROW * rows + 4
    for number, phase in enumerate(present):
        x, y = left + number % 4 * 142, 9 + 18 * (number // 4)
        chart.bar(x, y - 6, x + 12, y + 5, _PHASES[phase][0], LINE)
        chart.text(x + 17, y + 4, phrase(f"phases.{phase}"), INK, size=SMALL)
    for tick in round_ticks(highest):
        place = left + (right - left) * tick / highest
        chart.line([(place, top), (place, bottom)], FAINT)
        chart.number(place, bottom + 15, tick, digits_of_tick(tick), MUTED, anchor="middle")
    chart.text((left + right) / 2, bottom + 32, phrase("chart.phases.axis"), MUTED, size=SMALL, anchor="middle")
    middle, journey = top + _ROW / 2, ""
    for each, name in zip(phases, names, strict=True):
        if each.part[0] != journey:
            journey = each.part[0]
            chart.text(0, middle + 5, phrase(f"journey.{journey}"), INK, bold=True)
            middle += _ROW
        chart.text(left - 8, middle + 4, name, INK, size=SMALL, anchor="end")
        end = _phase_bar(chart, each, (left, middle), (right - left) / highest)
        total = sum(each.mean_s.values())
        chart.number(end + 6, middle + 4, total, 3 if total < 1 else 2, INK, after=" s", anchor="start")
        middle += _ROW
    return chart.svg(phrase("chart.phases"), "chart-phases")


def _phase_bar(chart: PlainSvg, phases: StepPhases, start: tuple[float, float], scale: float) -> float:
    """The phases of a step one after the other, named where there is room; returns where the bar ends."""
    x, y = start
    for phase, seconds in phases.mean_s.items():
        width = scale * seconds
        fill, ink = _PHASES[phase]
        if width >= 0.3:
            chart.bar(x, y - 7, x + width, y + 7, fill, "#fff" if width > 4 else "none")
        words = phrase(f"phases.{phase}.short")
        if width > 10 + 6.4 * max(map(len, words)):
            chart.text(x + width / 2, y + 4, words, ink, size=SMALL, anchor="middle")
        x += width
    return x


def _corners(values: Floats, n: int, x: Callable[[float], float], y: Callable[[float], float], right: float) -> list[tuple[float, float]]:
    """The corners of a distribution: it rises at each time that is shown, and stays level to the end of the axis."""
    places = np.unique(np.linspace(0, len(values) - 1, _CORNERS).astype(np.int64)).tolist()
    corners, share = [(x(float(values[0])), y(0.0))], 0.0
    for place in places:
        before, share = share, (place + 1) / n
        corners += [(x(float(values[place])), y(before)), (x(float(values[place])), y(share))]
    return [*corners, (right, y(share))]
