"""Scores as tests of a pipeline: the points in all, and each criterion, against what was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.evidence.facts import Verdict
from harness.evidence.reasons import Language
from harness.publish.criterion_words import curve_text, metric_text, name_text
from harness.publish.junit import CaseState, JunitCase, JunitSuite
from harness.publish.reason_words import because, reason_text
from harness.publish.value_text import value_text
from harness.publish.wording import Phrase, phrase, written_number
from harness.scoring.requirements import NOTHING_ASSESSED, Requirement, RequirementResult, check_requirements
from harness.scoring.scorecard import CriterionScore, CriterionState, Scorecard, SweepScores

IN_ALL = "points"
"""The name of the test of a portal's points in all."""


def suites_of_scores(scores: SweepScores, requirements: Sequence[Requirement], language: Language) -> list[JunitSuite]:
    """A suite for each portal: its points in all, then each criterion."""
    results = {(each.portal, each.requirement.criterion): each for each in check_requirements(scores, requirements)}
    return [
        JunitSuite(card.portal, tuple(_cases(card, {name: each for (portal, name), each in results.items() if portal == card.portal}, language)))
        for card in scores.scorecards
    ]  # fmt: skip


def why_not_met(result: RequirementResult, card: Scorecard, language: Language) -> str:
    """Why a requirement is not met: the points that were measured, or why there are none."""
    if result.points is not None:
        return _filled("asked.below", language, _points(result.points, language), _points(result.points_max, language))
    return without_points(card, result.why_none, language)


def without_points(card: Scorecard, why: str, language: Language) -> str:
    """Why there are no points: the reason, and those of the portal's verdict where it is not valid."""
    reasons = [] if card.verdict is Verdict.VALID else [reason_text(each, language) for each in card.reasons]
    return "; ".join([because(why).into(language), *reasons])


def _cases(card: Scorecard, asked: Mapping[str, RequirementResult], language: Language) -> Iterator[JunitCase]:
    yield _in_all(card, asked.get(""), language)
    for score in card.criteria:
        yield _criterion(card, score, asked.get(score.id), language)
    for name, result in asked.items():
        if name and all(score.id != name for score in card.criteria):
            yield _not_met(name, result, card, (), language)


def _in_all(card: Scorecard, asked: RequirementResult | None, language: Language) -> JunitCase:
    points = "–" if card.points is None else _points(card.points, language)
    said = _filled("asked.assessed", language, points, *(_points(most, language) for most in (card.points_assessed_max, card.points_max)))
    lines = (said, *_asked(asked, language))
    if asked is not None and not asked.is_met:
        return _not_met(IN_ALL, asked, card, lines, language)
    if card.points is None or not card.points_assessed_max:
        why = f"verdict: {card.verdict.value}" if card.points is None else NOTHING_ASSESSED
        return JunitCase(IN_ALL, CaseState.ERROR, without_points(card, why, language), lines)
    return JunitCase(IN_ALL, CaseState.PASSED, "", lines)


def _criterion(card: Scorecard, score: CriterionScore, asked: RequirementResult | None, language: Language) -> JunitCase:
    lines = tuple(_lines(score, asked, language))
    if asked is not None and not asked.is_met:
        return _not_met(score.id, asked, card, lines, language)
    if score.state is CriterionState.ASSESSED:
        return JunitCase(score.id, CaseState.PASSED, "", lines)
    never = score.state is CriterionState.UNPROVEN or card.verdict in {Verdict.VOID, Verdict.BLOCKED, Verdict.UNREACHABLE}
    return JunitCase(score.id, CaseState.ERROR if never else CaseState.SKIPPED, without_points(card, score.reason, language), lines)


def _not_met(name: str, asked: RequirementResult, card: Scorecard, lines: tuple[str, ...], language: Language) -> JunitCase:
    """The test of a requirement that is not met: an error where there are no points, otherwise a failure."""
    state = CaseState.ERROR if asked.points is None else CaseState.FAILED
    return JunitCase(name, state, why_not_met(asked, card, language), lines)


def _lines(score: CriterionScore, asked: RequirementResult | None, language: Language) -> Iterator[str]:
    """Name, value, thresholds and points of a criterion, and what was asked."""
    yield f"{name_text(score.name_vi, score.name_en).into(language)}: {metric_text(score.metric).into(language)}"
    yield _filled("asked.value", language, value_text(score, language), str(score.windows))
    if score.curve:
        yield _filled("asked.thresholds", language, curve_text(score.curve, score.unit))
    if score.points is not None:
        yield _filled("asked.points", language, _points(score.points, language), _points(score.points_max, language))
    yield from _asked(asked, language)


def _asked(asked: RequirementResult | None, language: Language) -> Iterator[str]:
    if asked is not None:
        yield _filled("asked.least", language, _points(asked.requirement.points, language))


def _points(points: float, language: Language) -> str:
    """Points with all their decimals, so that points just below a requirement do not look equal to it."""
    return written_number(f"{points:.10g}").into(language)


def _filled(key: str, language: Language, *values: str | Phrase) -> str:
    return phrase(key).filled(*values).into(language)
