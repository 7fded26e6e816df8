"""A measured value on the track between its two thresholds, and a portal's points on the track of all points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from harness.evidence.reasons import Language
from harness.publish.criterion_words import name_text
from harness.publish.palette import BLUE, FAINT, INK, LINE, MUTED, VERMILION
from harness.publish.plain_svg import SMALL, PlainSvg, digits_of_tick
from harness.publish.wording import Phrase, numeral, phrase
from harness.scoring.scorecard import CriterionScore, Scorecard

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_LINEAR: Final = re.compile(rf"linear/1 full {_NUMBER}.* none {_NUMBER}")
_LOG_NORMAL: Final = re.compile(rf"log_normal/1 p10 {_NUMBER}.* median {_NUMBER}")
_BAND: Final = re.compile(rf"{_NUMBER} → {_NUMBER}")

_WIDTH, _HEIGHT, _LEVEL = 250.0, 38.0, 11.0
_ZERO, _FULL = 26.0, 224.0  # where the two thresholds stand; better is to the right
_TOTAL_WIDTH = 340.0


class Thresholds(NamedTuple):
    """The two ends of a criterion's curve, in the metric's unit."""

    zero: float  # no points from here on (a log-normal curve: half of the points here)
    full: float  # full points up to here (a log-normal curve: nine tenths)
    zero_words: str  # keys of the phrases that name the ends
    full_words: str


def thresholds(curve: str) -> Thresholds | None:
    """The ends of a curve as scores print it; None where it is of another kind."""
    if found := _LINEAR.match(curve):
        return Thresholds(float(found[2]), float(found[1]), "track.zero", "track.full")
    if found := _LOG_NORMAL.match(curve):
        return Thresholds(float(found[2]), float(found[1]), "track.half", "track.most")
    bands = _BAND.findall(curve) if curve.startswith("bands/1 ") else []
    if len(bands) > 1:
        return Thresholds(float(bands[-1][0]), float(bands[0][0]), "track.last_band", "track.first_band")
    return None


def value_track(criterion: CriterionScore, languages: Sequence[Language]) -> str:
    """The scored value between the thresholds, better to the right, and as a ring the measured one where it differs.

    A triangle stands for a value beyond the drawing, a cross where there is none. Empty where the curve has no two thresholds
    or the criterion no points.
    """
    ends = thresholds(criterion.curve)
    if ends is None or criterion.points is None or ends.zero == ends.full:
        return ""
    chart = PlainSvg(_WIDTH, _HEIGHT, languages)
    chart.line([(4, _LEVEL), (_WIDTH - 4, _LEVEL)], LINE, 5)
    chart.line([(_ZERO, _LEVEL), (_FULL, _LEVEL)], MUTED, 1.2)
    for x in (_ZERO, _FULL):
        chart.line([(x, _LEVEL - 7), (x, _LEVEL + 7)], INK, 1.6)
    for x, at, words, anchor in ((2.0, ends.zero, ends.zero_words, "start"), (_WIDTH - 2, ends.full, ends.full_words, "end")):
        number = numeral(at, digits_of_tick(at), f" {criterion.unit}" if criterion.unit in ("s", "%") else "")
        told = Phrase(*(f"{text} {shown}" for text, shown in zip(phrase(words), number, strict=True)))
        chart.text(x, _HEIGHT - 4, told, MUTED, size=SMALL, anchor=anchor)
    if criterion.value is None:
        chart.line([(6, _LEVEL - 5), (16, _LEVEL + 5)], VERMILION, 2.4)
        chart.line([(6, _LEVEL + 5), (16, _LEVEL - 5)], VERMILION, 2.4)
    else:
        _mark(chart, (criterion.value - ends.zero) / (ends.full - ends.zero), filled=True)
    if criterion.value_measured is not None and criterion.value_measured != criterion.value:
        _mark(chart, (criterion.value_measured - ends.zero) / (ends.full - ends.zero), filled=False)
    title, name = phrase("track.title"), name_text(criterion.name_vi, criterion.name_en)
    return chart.svg(Phrase(f"{title.vi}: {name.vi}", f"{title.en}: {name.en}"))


def _mark(chart: PlainSvg, share: float, *, filled: bool) -> None:
    """A value: a dot or a ring, or a triangle at the end beyond which it lies. ``share``: 0 at no points, 1 at full points."""
    colour = VERMILION if share <= 0 else BLUE
    fill, edge = (colour, "#fff") if filled else ("#fff", colour)
    x = _ZERO + (_FULL - _ZERO) * share
    if x < 8:
        chart.shape([(5, _LEVEL), (15, _LEVEL - 6.5), (15, _LEVEL + 6.5)], fill, edge)
    elif x > _WIDTH - 8:
        chart.shape([(_WIDTH - 5, _LEVEL), (_WIDTH - 15, _LEVEL - 6.5), (_WIDTH - 15, _LEVEL + 6.5)], fill, edge)
    else:
        chart.dot(x, _LEVEL, 6 if filled else 4.5, fill, edge)


def points_track(card: Scorecard, languages: Sequence[Language]) -> str:
    """The points with their interval, on a track from 0 to the most that the group gives; empty without points."""
    if card.points is None:
        return ""
    chart = PlainSvg(_TOTAL_WIDTH, 44, languages)
    left, right, y = 8.0, _TOTAL_WIDTH - 14, 14.0

    def x(points: float) -> float:
        return left + (right - left) * points / card.points_max

    chart.line([(left, y), (right, y)], FAINT, 12)
    chart.line([(left, y), (x(card.points_assessed_max), y)], LINE, 12)
    chart.line([(left, y), (x(card.points), y)], BLUE, 12)
    if card.interval is not None:
        low, high = map(x, card.interval)
        chart.line([(low, y), (high, y)], "#fff", 4)
        chart.line([(low, y), (high, y)], INK, 1.6)
        for end in (low, high):
            chart.line([(end, y - 5), (end, y + 5)], INK, 1.6)
    shown = {0.0: "start", card.points_max: "end"} | (
        {card.points_assessed_max: "middle"} if 0.15 < card.points_assessed_max / card.points_max < 0.85 else {}
    )
    for tick, anchor in shown.items():
        chart.line([(x(tick), y - 9), (x(tick), y + 9)], MUTED, 1.2)
        words = numeral(tick, digits_of_tick(tick))
        if anchor == "middle":
            words = Phrase(*(f"{text} {number}" for text, number in zip(phrase("track.assessed"), words, strict=True)))
        chart.text(x(tick) + (2 if anchor == "end" else -2 if anchor == "start" else 0), y + 24, words, MUTED, size=SMALL, anchor=anchor)
    return chart.svg(phrase("track.points"))
