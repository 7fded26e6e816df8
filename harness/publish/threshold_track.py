"""A measured value on the track between its two thresholds, and a portal's points on the track of all points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from harness.evidence.reasons import Language
from harness.publish.drawing import BLUE, FAINT, INK, LINE, MUTED, VERMILION
from harness.publish.plain_svg import SMALL, PlainSvg, numeral
from harness.publish.wording import Phrase, phrase
from harness.scoring.scorecard import CriterionScore, Scorecard

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_LINEAR: Final = re.compile(rf"linear/1 full {_NUMBER}.* none {_NUMBER}")
_LOG_NORMAL: Final = re.compile(rf"log_normal/1 p10 {_NUMBER}.* median {_NUMBER}")
_BAND: Final = re.compile(rf"{_NUMBER} → {_NUMBER}")

_WIDTH, _HEIGHT = 250.0, 38.0
_ZERO, _FULL = 26.0, 224.0  # where the two thresholds stand; better is to the right
_TOTAL_WIDTH = 340.0


class Thresholds(NamedTuple):
    """The two ends of a criterion's curve, in the metric's unit."""

    zero: float  # no points from here on; of a log-normal curve, half of them
    full: float  # full points up to here; of a log-normal curve, nine tenths
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


def value_track(criterion: CriterionScore, value: float | None, languages: Sequence[Language]) -> str:
    """The value between the thresholds, better to the right: a dot, a triangle beyond the end, a cross where it has no number.

    Empty where the curve has no two thresholds or the criterion no points.
    """
    ends = thresholds(criterion.curve)
    if ends is None or criterion.points is None or ends.zero == ends.full:
        return ""
    chart = PlainSvg(_WIDTH, _HEIGHT, languages)
    y = 11.0
    chart.line([(4, y), (_WIDTH - 4, y)], LINE, 5)
    chart.line([(_ZERO, y), (_FULL, y)], MUTED, 1.2)
    for x in (_ZERO, _FULL):
        chart.line([(x, y - 7), (x, y + 7)], INK, 1.6)
    for x, at, words, anchor in ((2.0, ends.zero, ends.zero_words, "start"), (_WIDTH - 2, ends.full, ends.full_words, "end")):
        number = numeral(at, _digits(at), f" {criterion.unit}" if criterion.unit in ("s", "%") else "")
        told = Phrase(*(f"{text} {shown}" for text, shown in zip(phrase(words), number, strict=True)))
        chart.text(x, _HEIGHT - 4, told, MUTED, size=SMALL, anchor=anchor)
    if value is None:
        chart.line([(6, y - 5), (16, y + 5)], VERMILION, 2.4)
        chart.line([(6, y + 5), (16, y - 5)], VERMILION, 2.4)
    else:
        share = (value - ends.zero) / (ends.full - ends.zero)
        x = _ZERO + (_FULL - _ZERO) * share
        if x < 8:
            chart.shape([(5, y), (15, y - 6.5), (15, y + 6.5)], VERMILION)
        elif x > _WIDTH - 8:
            chart.shape([(_WIDTH - 5, y), (_WIDTH - 15, y - 6.5), (_WIDTH - 15, y + 6.5)], BLUE)
        else:
            chart.dot(x, y, 6, VERMILION if share <= 0 else BLUE, "#fff")
    return chart.svg(
        Phrase(*(f"{title}: {name}" for title, name in zip(phrase("track.title"), (criterion.name_vi, criterion.name_en), strict=True)))
    )


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
        words = numeral(tick, _digits(tick))
        if anchor == "middle":
            words = Phrase(*(f"{text} {number}" for text, number in zip(phrase("track.assessed"), words, strict=True)))
        chart.text(x(tick) + (2 if anchor == "end" else -2 if anchor == "start" else 0), y + 24, words, MUTED, size=SMALL, anchor=anchor)
    return chart.svg(phrase("track.points"))


def _digits(number: float) -> int:
    return len(f"{number:.10g}".partition(".")[2])
