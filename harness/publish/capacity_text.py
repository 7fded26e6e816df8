"""The words of a search for capacity: its objective, its answer, and the row of each level."""

from __future__ import annotations

import math
import re

from harness.evidence.facts import Reason
from harness.publish.capacity_file import CapacityReport, LevelRecord
from harness.publish.criterion_words import metric_text, unit_text
from harness.publish.reason_details import detail_in_vietnamese
from harness.publish.reason_words import reason_text
from harness.publish.value_text import digits_of
from harness.publish.wording import PHRASES, Phrase, joined, numeral, phrase, same, worded
from harness.scoring.capacity_search import SearchLimit
from harness.scoring.level_figures import MissedLimit, slowest_step
from harness.statistics.objective import ObjectiveLimit, parse_objective

COLUMNS = ("level", "rate", "outcome", "p50", "p95", "failed", "in_flight", "hold", "purpose")
"""The columns of a table of levels: keys of the phrases ``capacity.…``."""


def objective_text(objective: str) -> Phrase:
    """An objective in words."""
    return joined("; ", [_objective_limit_text(limit) for limit in parse_objective(objective).limits])


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
        found.append(search_limit_text(answer.limit))
    if voids := sum(bool(each.void) for each in report.levels):
        found.append(phrase("capacity.void_levels").filled(str(voids)))
    if report.shortened:
        found.append(phrase("capacity.shortened"))
    return found


def search_limit_text(limit: SearchLimit) -> Phrase:
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
        none if slow is None else _seconds(slow.p50_or_inf_s),
        none if slow is None else _seconds(slow.p95_or_inf_s),
        numeral(100 * failed / steps, 1, " %") if steps else none,
        none if level.in_flight is None else numeral(level.in_flight.counted, 1),
        numeral(level.hold_s, 0, " s"),
        phrase(f"capacity.purpose.{level.purpose}"),
    ]


def _first_missed(report: CapacityReport) -> MissedLimit | None:
    """The first limit that the lowest failing level missed. The level at the answer's failing bound comes first; void levels do not count."""
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
    words = _objective_limit_text(limit)
    if missed.value is None:
        return phrase("capacity.on_failures").filled(words)
    value = joined(" ", [numeral(missed.value, digits_of(missed.value)), unit_text(limit.metric.unit)])
    return joined(": ", [words, value])


def _where(missed: MissedLimit) -> Phrase:
    return phrase(f"step.{missed.step}") if missed.step else phrase("capacity.visits")


def _objective_limit_text(limit: ObjectiveLimit) -> Phrase:
    sign = "≤" if limit.at_most else "≥"
    bound = numeral(float(limit.bound), max(0, -int(limit.bound.normalize().as_tuple().exponent)))
    words = joined(" ", [metric_text(str(limit.metric)), same(sign), bound, *([unit_text(limit.metric.unit)] if limit.metric.unit else [])])
    return phrase("capacity.at_step").filled(words, phrase(f"step.{limit.step}")) if limit.step else words


def _reasons_text(reasons: str) -> Phrase:
    """Why a level does not count or was stopped. ``reasons``: codes with their figures, as the level has them."""
    return joined("; ", [_reason(*part.partition(": ")[::2]) for part in reasons.split("; ")])


def _reason(code: str, detail: str) -> Phrase:
    own = PHRASES.get(f"capacity.void.{code}")
    return (
        own.filled(*re.findall(r"\d+", detail)) if own is not None else worded(lambda language: reason_text(Reason(code, detail), language))
    )


def _seconds(value: float | None) -> Phrase:
    if value is None:
        return same("–")
    return same("∞") if math.isinf(value) else numeral(value, digits_of(value), " s")


def _rate(value: float) -> Phrase:
    return numeral(value, digits_of(value))
