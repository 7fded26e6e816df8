"""A search for capacity on a terminal, and as a small page with the curve of times against the rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup
from rich.console import Console
from rich.text import Text

from harness.evidence.reasons import Language
from harness.publish.capacity_file import CapacityReport, LevelRecord
from harness.publish.capacity_text import COLUMNS, answer_lines, level_cells, objective_text
from harness.publish.criterion_words import name_text
from harness.publish.palette import BLUE, FAINT, INK, LINE, MUTED, ORANGE
from harness.publish.plain_svg import SMALL, PlainSvg, digits_of_tick, round_ticks
from harness.publish.rendering import render
from harness.publish.terminal import TableColumn, in_languages, print_line, print_table, print_text
from harness.publish.wording import LANGUAGES, Phrase, phrase, worded
from harness.records.files import write_whole
from harness.scoring.level_figures import slowest_step
from harness.statistics.objective import parse_objective

CAPACITY_HTML = "capacity.html"
_WIDTH, _HEIGHT = 690.0, 300.0
_LEFT, _TOP, _RIGHT, _BOTTOM = 52.0, 16.0, 676.0, 252.0
_HIGHEST_LIMITS = 4.0
"""The drawing ends at so many times the objective's largest time (assumed: levels far beyond it would press the others flat)."""


def write_capacity_page(folder: Path, report: CapacityReport) -> None:
    """Write capacity.html."""
    write_whole(folder / CAPACITY_HTML, capacity_page(report))


def capacity_page(report: CapacityReport) -> str:
    """The page of a search."""
    return render(
        "capacity.html.j2", LANGUAGES, report=report, portal=name_text(report.name_vi, report.name_en), objective=objective_text(report.objective),
        answer=answer_lines(report), columns=COLUMNS, rows=[level_cells(each) for each in report.levels],
        chart=Markup(curve(report, LANGUAGES)),  # noqa: S704  (our own SVG, its texts escaped)
    )  # fmt: skip


def print_capacity(report: CapacityReport, console: Console, languages: Sequence[Language]) -> None:
    """The answer and the table of levels on a terminal."""
    title = worded(lambda language: f"{report.portal} · {name_text(report.name_vi, report.name_en).into(language)}")
    print_line(console, title.into(languages[0]), "bold")
    print_text(console, phrase("capacity.objective").filled(objective_text(report.objective)), languages)
    columns = [
        TableColumn(in_languages(phrase(f"capacity.{name}"), languages), is_right=name not in ("level", "purpose", "outcome"))
        for name in COLUMNS
    ]
    rows = [[_cell(each, languages) for each in level_cells(level)] for level in report.levels]
    print_table(console, columns, rows)
    for number, line in enumerate(answer_lines(report)):
        print_text(console, line, languages, "bold" if number == 0 else "")


def _cell(words: Phrase, languages: Sequence[Language]) -> Text:
    return in_languages(words, languages[:1] if words.vi == words.en else languages)


def curve(report: CapacityReport, languages: Sequence[Language]) -> str:
    """p95 of the slowest step at each level against its rate; empty without levels that count and have one."""
    drawn = [(each, seconds) for each in report.levels if not each.void and (seconds := _p95_s(each)) is not None]
    if not drawn:
        return ""
    chart = PlainSvg(_WIDTH, _HEIGHT, languages)
    fastest = 1.05 * max(each.rate_per_s for each, _ in drawn)
    limits = [float(limit.bound) for limit in parse_objective(report.objective).limits if limit.metric.unit == "s"]
    known = [seconds for _, seconds in drawn if math.isfinite(seconds)]
    highest = 1.1 * max([*known, *limits, 0.01])
    if limits:
        highest = min(highest, _HIGHEST_LIMITS * max(limits))

    def x(rate: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * rate / fastest

    def y(seconds: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * min(seconds, highest) / highest

    answer = report.answer
    if answer is not None and answer.passing_per_s is not None:
        end = fastest if answer.failing_per_s is None else answer.failing_per_s
        chart.bar(x(answer.passing_per_s), _TOP, x(end), _BOTTOM, "#E3F0F8")
    for tick in round_ticks(highest):
        chart.line([(_LEFT, y(tick)), (_RIGHT, y(tick))], LINE if tick == 0 else FAINT)
        chart.number(_LEFT - 5, y(tick) + 4, tick, digits_of_tick(tick), MUTED, after=" s")
    for tick in round_ticks(fastest):
        chart.number(x(tick), _BOTTOM + 16, tick, digits_of_tick(tick), MUTED, anchor="middle")
    chart.text((_LEFT + _RIGHT) / 2, _BOTTOM + 36, phrase("capacity.rate"), MUTED, size=SMALL, anchor="middle")
    for bound in limits:
        chart.line([(_LEFT, y(bound)), (_RIGHT, y(bound))], ORANGE, 1.4, dash="5 3")
    for level, seconds in sorted(drawn, key=lambda each: each[0].rate_per_s):
        at, fill = x(level.rate_per_s), BLUE if not level.missed and not level.stopped else "#fff"
        if seconds > highest:
            chart.shape([(at - 5, _TOP + 8), (at + 5, _TOP + 8), (at, _TOP - 1)], fill, INK)
        else:
            chart.dot(at, y(seconds), 4.2, fill, BLUE)
    return chart.svg(phrase("capacity.chart"), "chart-capacity")


def _p95_s(level: LevelRecord) -> float | None:
    """Of the slowest step of a level, +inf where it falls on failures; None where there are too few steps for it."""
    slow = slowest_step(level.steps)
    return None if slow is None else slow.p95_or_inf_s
