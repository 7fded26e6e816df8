"""A comparison of two sweeps as tests of a pipeline: each criterion and each step, before and after."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from harness.evidence.reasons import Language
from harness.publish.change_text import (
    detail_text,
    effect_text,
    interval_text_of,
    missing_text,
    name_text_of,
    obstacle_text,
    p_text,
    place_text_of,
    value_of,
    void_text,
    word_text,
)  # fmt: skip
from harness.publish.junit import CaseState, JunitCase, JunitSuite
from harness.publish.value_text import quantity
from harness.publish.wording import phrase
from harness.scoring import Change, ChangeLimits, ChangeWord, Comparison
from harness.scoring.compared_steps import FAILURES
from harness.scoring.named_change import WhyNotJudged
from harness.scoring.paired_windows import is_ratio
from harness.scoring.release_stops import LOAD, ComparedRow, is_allowed, is_let_pass, not_compared_at_all, row_name, rows_of, tells_nothing
from harness.statistics.metric import parse_metric

_LIMITS = ChangeLimits()


_OBSTACLES: Final = {
    WhyNotJudged.SAME_SWEEP: "sweep",
    WhyNotJudged.NOTHING: "comparison",
    WhyNotJudged.UNKNOWN_LOAD: LOAD,
    WhyNotJudged.UNLIKE_LOAD: LOAD,
    WhyNotJudged.NO_ROWS: "steps",
}
"""The tests that say what keeps two sweeps from being judged."""


def suites_of_changes(found: Comparison, allowed: Collection[str], language: Language) -> list[JunitSuite]:
    """What concerns all portals, where there is anything; then a suite for each: criteria, steps, then what could not be compared."""
    portals = sorted({row.portal for row in rows_of(found)} | {each.portal for each in found.obstacles if each.portal})
    of_all = tuple(_obstacles(found, "", allowed, language))
    suites = [
        JunitSuite(portal, (*_obstacles(found, portal, allowed, language), *_cases(found, portal, allowed, language)), "changes")
        for portal in portals
    ]
    return [JunitSuite("comparison", of_all, "changes"), *suites] if of_all else suites


def _obstacles(found: Comparison, portal: str, allowed: Collection[str], language: Language) -> Iterator[JunitCase]:
    for each in found.obstacles:
        if each.portal == portal:
            state = CaseState.SKIPPED if is_let_pass(each, allowed) else CaseState.ERROR
            yield JunitCase(_OBSTACLES[each.why], state, obstacle_text(each).into(language))


def why_stopped(row: ComparedRow, language: Language) -> str:
    """Why a row stops a release."""
    if not isinstance(row, Change):
        return missing_text(row).into(language)
    return f"{word_text(row.word).into(language)}: {_change(row, language)}"


def _cases(found: Comparison, portal: str, allowed: Collection[str], language: Language) -> Iterator[JunitCase]:
    if portal in not_compared_at_all(found, allowed):
        yield JunitCase("comparison", CaseState.ERROR, phrase("asked.nothing_compared").into(language))
    for row in rows_of(found):
        if row.portal == portal:
            void = [void_text(each).into(language) for each in found.void_windows if each.portal == portal]
            yield JunitCase(_name(row), _state(row, allowed), why_stopped(row, language), (*_lines(row, language), *void))


def _name(row: ComparedRow) -> str:
    """The row's name; the share of failures of a step adds its metric, because the step's time has the same name."""
    is_share = isinstance(row, Change) and not row.criterion and row.metric == str(FAILURES)
    return f"{row_name(row)}: {FAILURES}" if is_share else row_name(row)


def _state(row: ComparedRow, allowed: Collection[str]) -> CaseState:
    if isinstance(row, Change) and row.word is ChangeWord.WORSE:
        return CaseState.FAILED
    if tells_nothing(row):
        return CaseState.SKIPPED if is_allowed(row, allowed) else CaseState.ERROR
    return CaseState.PASSED if isinstance(row, Change) else CaseState.SKIPPED


def _lines(row: ComparedRow, language: Language) -> Iterator[str]:
    """Name and place, values and effect, and what would be named."""
    yield " · ".join(text for each in (name_text_of(row), place_text_of(row)) if (text := each.into(language)))
    if isinstance(row, Change):
        yield why_stopped(row, language)
        yield phrase("asked.limit").filled(_limit(row, language), p_text(_LIMITS.false_discovery_rate, language)).into(language)


def _change(change: Change, language: Language) -> str:
    """Values, effect, interval, p and pairs in one line; then what the word rests on."""
    said = phrase("asked.change").filled(
        value_of(change, change.before, language),
        value_of(change, change.after, language),
        effect_text(change, language),
        interval_text_of(change, language),
        p_text(change.adjusted_p_value, language),
        str(change.pairs),
    )
    return "; ".join(text for text in (said.into(language), detail_text(change).into(language)) if text)


def _limit(change: Change, language: Language) -> str:
    """The least change that is named, in the unit of the effect."""
    metric = parse_metric(change.metric)
    if is_ratio(metric):
        return f"×{quantity(_LIMITS.ratio, '', language)}"
    if metric.figure == "apdex":
        return quantity(_LIMITS.apdex, "", language)
    return f"{quantity(_LIMITS.percentage_points, '', language)} {phrase('change.points').into(language)}"
