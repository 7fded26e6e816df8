"""The points and ranks of all portals that have points, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evidence.reasons import Language
from harness.publish.criterion_words import name_text
from harness.publish.palette import BLUE, FAINT, INK, LINE, MUTED, SKY
from harness.publish.plain_svg import LEGEND_ROW, SMALL, PlainSvg, round_ticks
from harness.publish.scoreboard import Standing, rank_text
from harness.publish.wording import Phrase, numeral, phrase, same

ROWS = 42  # of one chart: half a page of 84 portals, so that no chart is cut in print
_WIDTH, _ROW = 690.0, 17.0
_NAMES, _POINTS, _RANKS = 280.0, 470.0, 640.0  # where names, the axis of points and that of ranks end
_LONGEST = 44  # letters of a name
_TOP = LEGEND_ROW + 14


def rank_charts(scored: Sequence[Standing], points_max: float, languages: Sequence[Language]) -> list[str]:
    """Charts of at most ``ROWS`` portals each, in the order of ``scored``: all have points, and the best stands first."""
    return [_chart(scored[first : first + ROWS], scored, points_max, languages) for first in range(0, len(scored), ROWS)]


def _chart(shown: Sequence[Standing], scored: Sequence[Standing], points_max: float, languages: Sequence[Language]) -> str:
    bottom = _TOP + _ROW * len(shown)
    chart = PlainSvg(_WIDTH, bottom + 20, languages)
    lowest = max((standing.rank[1] for standing in scored if standing.rank), default=0)

    def points_x(points: float) -> float:
        return _NAMES + (_POINTS - 44 - _NAMES) * points / points_max

    def rank_x(rank: float) -> float:
        return _POINTS + 14 + (_RANKS - _POINTS - 14) * (rank - 0.5) / lowest

    chart.text(_NAMES, 12, phrase("board.points"), INK, bold=True)
    for tick in round_ticks(points_max):
        chart.line([(points_x(tick), _TOP), (points_x(tick), bottom)], LINE if tick == 0 else FAINT)
        chart.number(points_x(tick), bottom + 14, tick, 0 if tick == round(tick) else 1, MUTED, anchor="middle")
    if lowest:
        chart.text(_POINTS + 14, 12, phrase("board.rank"), INK, bold=True)
        for tick in _rank_ticks(lowest):
            chart.line([(rank_x(tick), _TOP), (rank_x(tick), bottom)], FAINT)
            chart.number(rank_x(tick), bottom + 14, tick, 0, MUTED, anchor="middle")
    for number, standing in enumerate(shown):
        y, card = _TOP + _ROW * (number + 0.5), standing.card
        chart.text(_NAMES - 8, y + 4, _short(name_text(card.name_vi, card.name_en)), INK, anchor="end")
        points = card.points or 0.0
        chart.bar(points_x(0), y - 5, points_x(points), y + 5, SKY)
        chart.line([(points_x(card.points_assessed_max), y - 6), (points_x(card.points_assessed_max), y + 6)], MUTED, 1.2)
        if card.interval is not None:
            low, high = map(points_x, card.interval)
            chart.line([(low, y), (high, y)], INK, 1.3)
            for end in (low, high):
                chart.line([(end, y - 3.5), (end, y + 3.5)], INK, 1.3)
        chart.text(_POINTS, y + 4, numeral(points, 1), INK, anchor="end", bold=True)
        if standing.rank is not None:
            best, worst = standing.rank
            chart.bar(rank_x(best) - 3.5, y - 3.5, rank_x(worst) + 3.5, y + 3.5, BLUE)
            chart.text(_WIDTH, y + 4, same(rank_text(standing)), INK, size=SMALL, anchor="end")
    return chart.svg(phrase("chart.ranks"))


def _rank_ticks(lowest: int) -> list[int]:
    """The first rank and round ones, at most about ten."""
    step = next(size for size in (1, 2, 5, 10, 20, 50, 100, 1000) if lowest / size <= 10 or size == 1000)
    return sorted({1, *range(step, lowest + 1, step)} - ({2} if step == 2 else set()))


def _short(name: Phrase) -> Phrase:
    vi, en = (text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…" for text in name)
    return Phrase(vi, en)
