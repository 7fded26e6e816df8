"""One change between two sweeps in words: its name, its values, its effect, and what its word rests on."""

from __future__ import annotations

from typing import Final

from harness.errors import visible
from harness.evidence.reasons import Language
from harness.publish.criterion_words import name_text
from harness.publish.reason_words import because
from harness.publish.value_text import quantity
from harness.publish.wording import PHRASES, Phrase, decimal, joined, phrase, same, worded
from harness.scoring import Change, ChangeWord, MissingValues, WhyMissing
from harness.scoring.compared_steps import FAILURES
from harness.scoring.named_change import Obstacle, VoidWindows
from harness.statistics.metric import parse_metric

_LEAST_P: Final = 0.001
INFINITE: Final = "∞"


def name_text_of(change: Change | MissingValues) -> Phrase:
    """The name of the criterion or step. A change in the share of failures says so beside the step."""
    if change.criterion:
        return name_text(change.name_vi or change.criterion, change.name_en or change.criterion)
    failures = isinstance(change, Change) and change.metric == str(FAILURES)
    step = phrase(f"step.{change.step}")
    return phrase("change.failures").filled(step) if failures else step


def place_text_of(change: Change | MissingValues) -> Phrase:
    """Journey and goal of a step; empty for a criterion."""
    if change.criterion:
        return same("")
    return joined(" / ", [phrase(f"journey.{change.journey}"), phrase(f"goal.{change.goal}")])


def word_text(word: ChangeWord) -> Phrase:
    """The word of a change, for example `worse`."""
    return phrase(f"change.word.{word.value}")


def value_of(change: Change, value: float | None, language: Language) -> str:
    """A value before or after with its unit; ∞ where it falls on failures."""
    return INFINITE if value is None else quantity(value, parse_metric(change.metric).unit, language)


def effect_text(change: Change, language: Language) -> str:
    """The effect: ×1.20 of a ratio, +2.5 of a difference. ×∞ is a change to failures, ×0 one back from them."""
    unknown = "0" if change.effect is None and not change.worse else INFINITE
    size = _number(change, change.effect, unknown, language)
    if change.effect_kind == "ratio":
        return f"×{size}"
    return f"{size} {phrase('change.points').into(language)}" if parse_metric(change.metric).unit == "%" else size


def interval_text_of(change: Change, language: Language) -> str:
    """The interval of the effect, in brackets."""
    infinite = change.effect is None
    low = _number(change, change.interval[0], INFINITE if infinite and change.worse else "0", language)
    high = _number(change, change.interval[1], "0" if infinite and not change.worse else INFINITE, language)
    return f"[{low}; {high}]"


def _number(change: Change, size: float | None, unknown: str, language: Language) -> str:
    if size is None:
        return unknown
    if change.effect_kind == "ratio":
        return decimal(size, 2 if size < 10 else 1, language)
    return f"{'' if size < 0 else '+'}{quantity(size, '', language)}"


def p_text(p_value: float, language: Language) -> str:
    """An adjusted p with three decimals."""
    return f"< {decimal(_LEAST_P, 3, language)}" if p_value < _LEAST_P else decimal(p_value, 3, language)


def detail_text(change: Change) -> Phrase:
    """Of "cannot tell" the pairs that it would need, of "spread changed" the spreads; empty for the words that rest on the effect."""
    if change.word is ChangeWord.CANNOT_TELL:
        return phrase("change.needs").filled(str(change.pairs), str(change.fewest_pairs))
    spread = change.spread
    if change.word is not ChangeWord.SPREAD_CHANGED or spread is None:
        return same("")
    way = phrase("change.wider" if spread.wider else "change.narrower")
    values = (
        worded(lambda language, value=value: INFINITE if value is None else quantity(value, "", language))  # type: ignore[misc]
        for value in (spread.before, spread.after)
    )
    return phrase("change.spread").filled(way, *values, worded(lambda language: p_text(spread.adjusted_p_value, language)))


def obstacle_text(obstacle: Obstacle) -> Phrase:
    """Why two sweeps, or one of their portals, cannot be judged against each other."""
    words = phrase(f"obstacle.{obstacle.why.name.lower()}").filled(*([visible(obstacle.detail)] if obstacle.detail else []))
    return joined(": ", [same(visible(obstacle.portal)), words]) if obstacle.portal else words


def void_text(found: VoidWindows) -> Phrase:
    """How many windows of a portal one of the sweeps had to leave out, and for which reasons."""
    causes = joined(
        ", ", [joined(" ", [PHRASES.get(f"cause.{code}") or same(visible(code)), same(str(count))]) for code, count in found.causes]
    )
    words = phrase("changes.void_after" if found.is_later else "changes.void_before")
    return words.filled(visible(found.portal), str(found.void), str(found.windows), causes)


def missing_text(missing: MissingValues) -> Phrase:
    """Why a criterion or step could not be compared, and which sweep lacks what."""
    if missing.why not in {WhyMissing.NO_WINDOWS, WhyMissing.TOO_FEW_EXECUTIONS} or not (missing.before or missing.after):
        return phrase(f"change.missing.{missing.why.name.lower()}")
    if missing.before == missing.after:
        return phrase("change.missing.both").filled(_lacking(missing.before))
    lacking = (("before", missing.before), ("after", missing.after))
    return joined("; ", [phrase(f"change.missing.{sweep}").filled(_lacking(reason)) for sweep, reason in lacking if reason])


def _lacking(reason: str) -> Phrase:
    """What a sweep lacks: a reason of a comparison, or else of a criterion on the card."""
    code, _, figures = reason.partition(": ")
    words = PHRASES.get(f"change.lacking.{code}")
    return because(reason) if words is None else words.filled(figures)
