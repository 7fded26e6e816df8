"""One portal's points over sweeps as plain SVG: a column a sweep, points of neighbouring sweeps connected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from markupsafe import Markup

from harness.evidence.reasons import Language
from harness.publish.history import PortalHistory, SweepHistory
from harness.publish.palette import BLUE, LINE, MUTED, RUST, SKY
from harness.publish.plain_svg import PlainSvg
from harness.publish.wording import Phrase, numeral, same
from harness.scoring.scorecard import Scorecard

_WIDTH, _HEIGHT = 340.0, 96.0  # a phone shows it in its own size
_LEFT, _RIGHT, _TOP, _FLOOR = 30.0, 6.0, 12.0, 74.0
_NARROWEST_LABEL = 32.0
_SMALL = 10.0


def trend(table: SweepHistory, portal: PortalHistory, languages: Sequence[Language]) -> Markup:
    """The chart of one portal. A cross on the axis is a sweep that gave it no points; an empty column is a sweep that did not measure it."""
    svg = PlainSvg(_WIDTH, _HEIGHT, languages)
    column = (_WIDTH - _LEFT - _RIGHT) / len(table.sweeps)
    centres = [_LEFT + column * (index + 0.5) for index in range(len(table.sweeps))]
    for points in (0.0, table.points_max):
        y = _y(points, table.points_max)
        svg.line([(_LEFT, y), (_WIDTH - _RIGHT, y)], LINE)
        svg.text(_LEFT - 5, y + 3.5, numeral(points, 0), MUTED, size=_SMALL, anchor="end")
    every = max(1, round(_NARROWEST_LABEL / column + 0.49))
    for index, (x, scores) in enumerate(zip(centres, table.sweeps, strict=True)):
        svg.line([(x, _TOP), (x, _FLOOR)], LINE, 0.6)
        if (len(table.sweeps) - 1 - index) % every == 0:
            svg.text(x, _HEIGHT - 6, day_and_month(scores.nights[-1] if scores.nights else ""), MUTED, size=_SMALL, anchor="middle")
    for run in _runs(centres, portal.cards, table.points_max):
        svg.line(run, BLUE, 1.6)
    for x, card in zip(centres, portal.cards, strict=True):
        _draw(svg, x, card, table.points_max)
    return Markup(svg.svg(Phrase(f"Điểm qua các đợt đo: {portal.name_vi}", f"Points over sweeps: {portal.name_en}")))  # noqa: S704  (our own SVG, its texts escaped)


def _draw(svg: PlainSvg, x: float, card: Scorecard | None, points_max: float) -> None:
    if card is None:
        return
    if card.points is None:
        for slope in (-3.5, 3.5):
            svg.line([(x - 3.5, _FLOOR - slope), (x + 3.5, _FLOOR + slope)], RUST, 1.8)
        return
    if card.interval:
        svg.line([(x, _y(bound, points_max)) for bound in card.interval], SKY, 3.0)
    svg.dot(x, _y(card.points, points_max), 3.2, BLUE)


def _runs(centres: Sequence[float], cards: Sequence[Scorecard | None], points_max: float) -> Iterator[list[tuple[float, float]]]:
    """The stretches of neighbouring sweeps that all have points."""
    run: list[tuple[float, float]] = []
    for x, card in zip(centres, cards, strict=True):
        if card is not None and card.points is not None:
            run.append((x, _y(card.points, points_max)))
            continue
        if len(run) > 1:
            yield run
        run = []
    if len(run) > 1:
        yield run


def _y(points: float, points_max: float) -> float:
    return _FLOOR - (_FLOOR - _TOP) * points / (points_max or 1.0)


def day_and_month(night: str) -> Phrase:
    """A night below its column: `05/03`, 5 Mar."""
    try:
        day = date.fromisoformat(night)
    except ValueError:
        return same(night[:6])
    return Phrase(f"{day:%d/%m}", f"{day.day} {day:%b}")
