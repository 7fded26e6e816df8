"""Reasons in words: of a verdict, of a criterion that was not assessed, and how an interval was computed."""

from __future__ import annotations

from collections.abc import Mapping

from harness.evidence.facts import Reason
from harness.evidence.reasons import CODES, Language, text
from harness.publish.reason_details import detail_in_vietnamese, figures_in_vietnamese
from harness.publish.wording import PHRASES, Phrase, phrase, same

_LISTS = {"all_windows_void": "cause", "guard_without_data": "guard"}
"""Reasons whose detail lists names, and the group of their phrases."""


def reason_text(reason: Reason, language: Language, names: Mapping[str, Phrase] | None = None) -> str:
    """The text of a verdict's reason; ``names``: of criteria, by id. A code from a newer version is printed as it is."""
    if reason.code in CODES:
        return text(reason, language, reason_figures(reason, language, names))
    return f"{reason.code} ({reason.detail})" if reason.detail else reason.code


def reason_figures(reason: Reason, language: Language, names: Mapping[str, Phrase] | None = None) -> str:
    """The figures of a reason in a language; ``names``: of criteria, by id."""
    if reason.code in {"not_enough_windows", "not_enough_steps"}:
        criterion, _, why = reason.detail.partition(": ")
        named = (names or {}).get(criterion, same(criterion)).into(language)
        return f"{named}: {because(why).into(language)}" if why else named
    if reason.code in _LISTS and reason.detail:
        return ", ".join(phrase(f"{_LISTS[reason.code]}.{name}").into(language) for name in reason.detail.split(", "))
    return detail_in_vietnamese(reason.code, reason.detail) if language == "vi" else reason.detail


def because(reason: str) -> Phrase:
    """Why a criterion was not assessed: ``reason`` is a code, or a code and its figures after a colon. Other text is printed as it is."""
    code, colon, figures = reason.partition(": ")
    if code == "verdict":
        verdict = phrase(f"verdict.{figures}")
        return Phrase(f"kết luận của lần đo: {verdict.vi}", f"the run's verdict: {verdict.en}")
    words = PHRASES.get(f"because.{code}")
    if words is None:
        return same(reason)
    return Phrase(f"{words.vi} ({figures_in_vietnamese(figures)})", f"{words.en} ({figures})") if colon else words


def interval_text(kind: str) -> Phrase:
    """How an interval was computed."""
    return PHRASES.get(f"interval.{kind}") or Phrase(figures_in_vietnamese(kind), kind)
