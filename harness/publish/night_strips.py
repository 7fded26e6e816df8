"""One criterion over nights: for each portal a strip with a dot for each window, all on one axis, and the nights that stand out."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from markupsafe import Markup

from harness.evidence.reasons import Language
from harness.publish.clock_charts import log_ticks, seconds_words
from harness.publish.criterion_words import name_text, unit_text
from harness.publish.history import PortalHistory, SweepHistory
from harness.publish.movement_text import movement_number, night_change_text
from harness.publish.palette import BLUE, FAINT, LINE, MUTED, RUST, SKY, VERMILION
from harness.publish.plain_svg import PlainSvg, digits_of_tick, round_ticks
from harness.publish.threshold_track import thresholds
from harness.publish.trend import day_and_month
from harness.publish.wording import Phrase, joined, numeral, phrase
from harness.scoring.night_changes import NightChange, NightMovement, changes_over_nights, windows_by_night
from harness.scoring.scorecard import CriterionScore
from harness.statistics.metric import parse_metric

_WIDTH, _HEIGHT = 340.0, 124.0  # a phone shows it in its own size
_LEFT, _RIGHT, _TOP, _FLOOR = 42.0, 6.0, 12.0, 100.0
_NARROWEST_LABEL = 32.0
_SMALL: Final = 10.0


@dataclass(frozen=True, slots=True)
class Axis:
    """The axis that all strips of a criterion share: from ``low`` to ``high`` in its unit, upwards; times by their logarithm."""

    low: float
    high: float
    is_log: bool

    def y(self, value: float) -> float:
        """Where a value stands; those beyond the axis at its end."""
        value = min(max(value, self.low), self.high)
        share = math.log(value / self.low) / math.log(self.high / self.low) if self.is_log else (value - self.low) / (self.high - self.low)
        return _FLOOR - (_FLOOR - _TOP) * share

    def ticks(self) -> list[tuple[float, Phrase]]:
        """Round values with their texts."""
        if self.is_log:
            return [(tick, seconds_words(tick)) for tick in log_ticks(self.low, self.high)]
        return [(tick, numeral(tick, digits_of_tick(tick))) for tick in round_ticks(self.high) if tick >= self.low]


@dataclass(frozen=True, slots=True)
class PortalStrip:
    """One portal on one criterion over the nights.

    ``nights`` has an item for each night: the values of its windows, or None where the portal was not measured. A censored value is None.
    """

    portal: str
    name_vi: str
    name_en: str
    nights: tuple[tuple[float | None, ...] | None, ...]
    changes: tuple[NightChange, ...]

    @property
    def words(self) -> list[tuple[NightChange, Phrase]]:
        """Its nights that stand out."""
        return [(each, night_change_text(each)) for each in self.changes]


@dataclass(frozen=True, slots=True)
class CriterionOverNights:
    """A criterion over the nights of one table: its strips, those that stand out first, and what the portals moved in common."""

    score: CriterionScore  # of one portal: for names, unit and thresholds
    nights: tuple[str, ...]
    strips: tuple[PortalStrip, ...]
    movements: tuple[NightMovement, ...]
    axis: Axis

    @property
    def moved(self) -> list[Phrase]:
        """What the portals moved in common in each night, as numbers."""
        return [movement_number(parse_metric(each.metric), each.movement) for each in self.movements]


def criterion_over_nights(table: SweepHistory, criterion: str) -> CriterionOverNights | None:
    """One criterion of a table; None where no portal has windows of it."""
    scores = [each for sweep in table.sweeps for card in sweep.scorecards for each in card.criteria if each.id == criterion]
    by_metric = windows_by_night(table.sweeps, criterion)
    if not by_metric:
        return None
    ((_, metric), by_night), *_ = by_metric.items()  # a set has one metric for each criterion
    over = changes_over_nights(table.sweeps, only=criterion)
    nights = tuple(sorted(by_night))
    strips = [_strip_of(portal, nights, [by_night[night].get(portal.portal) for night in nights], over.changes) for portal in table.portals]
    measured = tuple(sorted((each for each in strips if any(each.nights)), key=lambda each: not each.changes))
    score = next(each for each in reversed(scores) if each.metric == metric)
    return CriterionOverNights(score, nights, measured, over.movements, _axis(score, measured))


def strip_chart(board: CriterionOverNights, strip: PortalStrip, languages: Sequence[Language]) -> Markup:
    """The strip of one portal: a column a night, dots for windows, the medians of neighbouring nights connected."""
    svg = PlainSvg(_WIDTH, _HEIGHT, languages)
    column = (_WIDTH - _LEFT - _RIGHT) / len(board.nights)
    for value, words in board.axis.ticks():
        svg.line([(_LEFT, board.axis.y(value)), (_WIDTH - _RIGHT, board.axis.y(value))], FAINT)
        svg.text(_LEFT - 5, board.axis.y(value) + 3.5, words, MUTED, size=_SMALL, anchor="end")
    ends = thresholds(board.score.curve)
    for value in () if ends is None else (ends.full, ends.zero):
        svg.line([(_LEFT, board.axis.y(value)), (_WIDTH - _RIGHT, board.axis.y(value))], MUTED, 1.2, dash="5 3")
    every = max(1, math.ceil(_NARROWEST_LABEL / column))
    for index, night in enumerate(board.nights):
        x = _LEFT + column * (index + 0.5)
        svg.line([(x, _FLOOR), (x, _FLOOR + 3)], LINE)
        if (len(board.nights) - 1 - index) % every == 0:
            svg.text(x, _HEIGHT - 6, day_and_month(night), MUTED, size=_SMALL, anchor="middle")
    _draw_windows(svg, column, strip, board.nights, board.axis)
    svg.line([(_LEFT, _FLOOR), (_WIDTH - _RIGHT, _FLOOR)], LINE)
    title = phrase("nights.strip_title").filled(name_text(strip.name_vi, strip.name_en))
    return Markup(svg.svg(title))  # noqa: S704  (our own SVG, its texts escaped)


def threshold_words(score: CriterionScore) -> Phrase | None:
    """The two thresholds of a criterion in words; None where its curve has no two."""
    ends = thresholds(score.curve)
    if ends is None:
        return None
    return joined(
        "; ", [_threshold(ends.full_words, ends.full, score.unit), _threshold(ends.zero_words, ends.zero, score.unit)]
    )  # fmt: skip


def _threshold(key: str, value: float, unit: str) -> Phrase:
    parts = [phrase(key), numeral(value, digits_of_tick(value))]
    return joined(" ", [*parts, unit_text(unit)] if unit else parts)


def _strip_of(
    portal: PortalHistory,
    nights: Sequence[str],
    values: Sequence[Mapping[tuple[int, int], float | None] | None],
    changes: Sequence[NightChange],
) -> PortalStrip:
    of_portal = tuple(each for each in changes if each.portal == portal.portal and each.night in nights)
    shown = tuple(None if each is None else tuple(each.values()) for each in values)
    return PortalStrip(portal.portal, portal.name_vi, portal.name_en, shown, of_portal)


def _axis(score: CriterionScore, strips: Sequence[PortalStrip]) -> Axis:
    ends = thresholds(score.curve)
    known = [value for strip in strips for night in strip.nights for value in night or () if value is not None]
    known += [] if ends is None else [ends.full, ends.zero]
    if score.unit == "s":
        positive = [value for value in known if value > 0] or [1.0]
        return Axis(min(positive) / 1.1, max(positive) * 1.1, is_log=True)
    if score.unit == "%":
        return Axis(0.0, 100.0, is_log=False)
    return Axis(0.0, max([*known, 0.0]) * 1.05 or 1.0, is_log=False)


def _draw_windows(svg: PlainSvg, column: float, strip: PortalStrip, nights: Sequence[str], axis: Axis) -> None:
    medians = [None if night is None else _median(night) for night in strip.nights]
    places = [(_LEFT + column * (index + 0.5), None if middle is None else axis.y(middle)) for index, middle in enumerate(medians)]
    for (x, y), (next_x, next_y) in pairwise(places):
        if y is not None and next_y is not None:
            svg.line([(x, y), (next_x, next_y)], BLUE, 1.6)
    standing_out = {change.night for change in strip.changes}
    for (x, y), night, windows in zip(places, nights, strip.nights, strict=True):
        for number, value in enumerate(windows or ()):
            if value is not None:
                svg.dot(x + _spread_over(column, number, len(windows or ())), axis.y(value), 1.5, SKY)
        if None in (windows or ()):
            for slope in (-3.0, 3.0):
                svg.line([(x - 3, _TOP - 4 - slope), (x + 3, _TOP - 4 + slope)], RUST, 1.6)
        if y is not None:
            svg.dot(x, y, 2.6, BLUE)
        if night in standing_out:
            svg.dot(x, _TOP if y is None else y, 6.5, "none", VERMILION)


def _spread_over(column: float, number: int, count: int) -> float:
    """How far beside the middle of its column the dot of a window stands, so that the dots of a night do not cover each other."""
    return min(column * 0.35, 9.0) * (2 * (number + 0.5) / count - 1)


def _median(values: Sequence[float | None]) -> float | None:
    """The median of the windows; None where it is censored."""
    middle = statistics.median(math.inf if value is None else value for value in values)
    return None if math.isinf(middle) else middle
