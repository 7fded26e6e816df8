"""The answer of a search for capacity in words, its levels as a table, and the curve of times against the rate as a small page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup
from rich.console import Console
from rich.text import Text

from harness.evidence.facts import Reason
from harness.evidence.reasons import Language
from harness.publish.capacity_file import CapacityReport, LevelRecord
from harness.publish.criterion_words import metric_text, name_text, unit_text
from harness.publish.palette import BLUE, FAINT, INK, LINE, MUTED, ORANGE
from harness.publish.plain_svg import SMALL, PlainSvg, digits_of_tick, round_ticks
from harness.publish.reason_details import detail_in_vietnamese
from harness.publish.reason_words import reason_text
from harness.publish.rendering import render
from harness.publish.terminal import TableColumn, in_languages, print_line, print_table, print_text
from harness.publish.value_text import digits_of
from harness.publish.wording import LANGUAGES, PHRASES, Phrase, joined, numeral, phrase, same, worded
from harness.records.files import write_whole
from harness.scoring.capacity_search import SearchLimit
from harness.scoring.level_figures import MissedLimit, StepAtLevel
from harness.statistics.objective import ObjectiveLimit, parse_objective

CAPACITY_HTML = "capacity.html"
_COLUMNS = ("level", "rate", "outcome", "p50", "p95", "failed", "in_flight", "hold", "purpose")
_WIDTH, _HEIGHT = 690.0, 300.0
_LEFT, _TOP, _RIGHT, _BOTTOM = 52.0, 16.0, 676.0, 252.0
_HIGHEST_LIMITS = 4.0
"""The drawing ends at so many times the objective's largest time: levels far beyond it would press the others flat."""


def write_capacity_page(folder: Path, report: CapacityReport) -> None:
    """Write capacity.html."""
    write_whole(folder / CAPACITY_HTML, capacity_page(report))


def capacity_page(report: CapacityReport) -> str:
    """The page of a search."""
    return render(
        "capacity.html.j2", LANGUAGES, report=report, portal=name_text(report.name_vi, report.name_en), objective=objective_text(report.objective),
        answer=answer_lines(report), columns=_COLUMNS, rows=[level_cells(each) for each in report.levels],
        chart=Markup(curve(report, LANGUAGES)),  # noqa: S704  (our own SVG, its texts escaped)
    )  # fmt: skip


def print_capacity(report: CapacityReport, console: Console, languages: Sequence[Language]) -> None:
    """The answer and the table of levels on a terminal."""
    title = worded(lambda language: f"{report.portal} · {name_text(report.name_vi, report.name_en).into(language)}")
    print_line(console, title.into(languages[0]), "bold")
    print_text(console, phrase("capacity.objective").filled(objective_text(report.objective)), languages)
    columns = [
        TableColumn(in_languages(phrase(f"capacity.{name}"), languages), is_right=name not in ("level", "purpose", "outcome"))
        for name in _COLUMNS
    ]
    rows = [[_cell(each, languages) for each in level_cells(level)] for level in report.levels]
    print_table(console, columns, rows)
    for number, line in enumerate(answer_lines(report)):
        print_text(console, line, languages, "bold" if number == 0 else "")


def _cell(words: Phrase, languages: Sequence[Language]) -> Text:
    return in_languages(words, languages[:1] if words.vi == words.en else languages)


def objective_text(objective: str) -> Phrase:
    """An objective in words."""
    return joined("; ", [_limit_text(limit) for limit in parse_objective(objective).limits])


def answer_lines(report: CapacityReport) -> list[Phrase]:
    """What was found, what it means in citizens, and what limits it; the conclusion first."""
    answer = report.answer
    if answer is None:
        return [phrase("capacity.not_ended")]
    bounds = [bound for bound in (answer.passing_per_s, answer.failing_per_s) if bound is not None]
    key = "stopped_above" if answer.state == "stopped" and bounds else answer.state
    found = [phrase(f"capacity.{key}").filled(*map(_rate, bounds))]
    citizens = [(bound, report.citizens(bound)) for bound in bounds]
    found += [
        phrase("capacity.citizens").filled(_rate(at), numeral(count, digits_of(count))) for at, count in citizens if count is not None
    ]
    if (missed := _first_missed(report)) is not None:
        found.append(phrase("capacity.first_missed").filled(_missed_text(missed), _where(missed)))
    if answer.limit.code:
        found.append(limit_text(answer.limit))
    if voids := sum(bool(each.void) for each in report.levels):
        found.append(phrase("capacity.void_levels").filled(str(voids)))
    if report.shortened:
        found.append(phrase("capacity.shortened"))
    return found


def limit_text(limit: SearchLimit) -> Phrase:
    """What limits an answer, or the rates of a search."""
    detail = same(limit.detail)
    if limit.code in ("generator", "safety_stop"):
        detail = _reasons_text(limit.detail)
    elif limit.code == "authorisation":
        detail = Phrase(detail_in_vietnamese("not_permitted", limit.detail), limit.detail)
    return phrase(f"capacity.limit.{limit.code}").filled(detail)


def level_cells(level: LevelRecord) -> list[Phrase]:
    """A level's row of the table."""
    none, slow = same("–"), slowest_step(level.steps)
    steps, failed = sum(each.n for each in level.steps), sum(each.failed for each in level.steps)
    return [
        same(level.folder.removeprefix("level-")),
        _rate(level.rate_per_s),
        _outcome(level),
        none if slow is None else _seconds(slow.p50_s),
        none if slow is None else _seconds(slow.p95_s),
        numeral(100 * failed / steps, 1, " %") if steps else none,
        none if level.in_flight is None else numeral(level.in_flight.counted, 1),
        numeral(level.hold_s, 0, " s"),
        phrase(f"capacity.purpose.{level.purpose}"),
    ]


def slowest_step(steps: Sequence[StepAtLevel]) -> StepAtLevel | None:
    """The step with the longest p95; one whose p95 falls on failures is longer than all others."""
    return max(steps, key=lambda each: (each.p95_s is None, each.p95_s or 0.0), default=None)


def curve(report: CapacityReport, languages: Sequence[Language]) -> str:
    """p95 of the slowest step at each level against its rate; empty without levels that count."""
    drawn = [each for each in report.levels if each.steps and not each.void]
    if not drawn:
        return ""
    chart = PlainSvg(_WIDTH, _HEIGHT, languages)
    fastest = 1.05 * max(each.rate_per_s for each in drawn)
    limits = [float(limit.bound) for limit in parse_objective(report.objective).limits if limit.metric.unit == "s"]
    known = [slow.p95_s for each in drawn if (slow := slowest_step(each.steps)) and slow.p95_s is not None]
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
    for level in sorted(drawn, key=lambda each: each.rate_per_s):
        slow = slowest_step(level.steps)
        seconds = None if slow is None else slow.p95_s
        at, fill = x(level.rate_per_s), BLUE if not level.missed and not level.stopped else "#fff"
        if seconds is None or seconds > highest:
            chart.shape([(at - 5, _TOP + 8), (at + 5, _TOP + 8), (at, _TOP - 1)], fill, INK)
        else:
            chart.dot(at, y(seconds), 4.2, fill, BLUE)
    return chart.svg(phrase("capacity.chart"), "chart-capacity")


def _first_missed(report: CapacityReport) -> MissedLimit | None:
    """What the lowest failing level that counts missed, the failing bound before others."""
    failing = [each for each in report.levels if each.missed and not each.void]
    bound = None if report.answer is None else report.answer.failing_per_s
    lowest = min(failing, key=lambda each: (each.rate_per_s != bound, each.rate_per_s), default=None)
    return None if lowest is None else lowest.missed[0]


def _outcome(level: LevelRecord) -> Phrase:
    if level.void:
        return phrase("capacity.void").filled(_reasons_text(level.void))
    if level.stopped:
        return phrase("capacity.stop").filled(_reasons_text(level.stopped))
    if not level.missed:
        return phrase("capacity.met")
    missed = [joined("", [_missed_text(each), same(" ("), _where(each), same(")")]) for each in level.missed]
    return phrase("capacity.missed").filled(joined("; ", missed))


def _missed_text(missed: MissedLimit) -> Phrase:
    """A limit in words, and what was measured instead."""
    (limit,) = parse_objective(missed.limit).limits
    words = _limit_text(limit)
    if missed.too_few:
        return phrase("capacity.too_few").filled(words, str(missed.too_few))
    if missed.value is None:
        return phrase("capacity.on_failures").filled(words)
    value = joined(" ", [numeral(missed.value, digits_of(missed.value)), unit_text(limit.metric.unit)])
    return joined(": ", [words, value])


def _where(missed: MissedLimit) -> Phrase:
    return phrase(f"step.{missed.step}") if missed.step else phrase("capacity.visits")


def _limit_text(limit: ObjectiveLimit) -> Phrase:
    sign = "≤" if limit.at_most else "≥"
    bound = numeral(float(limit.bound), max(0, -int(limit.bound.normalize().as_tuple().exponent)))
    words = joined(" ", [metric_text(str(limit.metric)), same(sign), bound, *([unit_text(limit.metric.unit)] if limit.metric.unit else [])])
    return phrase("capacity.at_step").filled(words, phrase(f"step.{limit.step}")) if limit.step else words


def _reasons_text(void: str) -> Phrase:
    """Why a level does not count, or was stopped: each reason as a code and its figures."""
    return joined("; ", [_reason(*part.partition(": ")[::2]) for part in void.split("; ")])


def _reason(code: str, detail: str) -> Phrase:
    own = PHRASES.get(f"capacity.void.{code}")
    return own if own is not None else worded(lambda language: reason_text(Reason(code, detail), language))


def _seconds(value: float | None) -> Phrase:
    return same("∞") if value is None else numeral(value, digits_of(value), " s")


def _rate(value: float) -> Phrase:
    return numeral(value, digits_of(value))
