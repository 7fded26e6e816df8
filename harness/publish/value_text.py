"""A criterion's value in words: what was measured, and what was scored where that differs."""

from __future__ import annotations

from harness.evidence.reasons import Language
from harness.publish.criterion_words import unit_text
from harness.publish.wording import decimal, phrase
from harness.scoring.scorecard import CriterionScore


def value_text(score: CriterionScore, language: Language) -> str:
    """What ``value_parts`` gives, in one line."""
    return "; ".join(value_parts(score, language))


def value_parts(score: CriterionScore, language: Language) -> list[str]:
    """The measured value with its unit ("–" if there is none), then failures, then the value that the points were computed from.

    Of a mean ``value_measured`` is the measured one, for example "2,17 s; tính tối đa 1 s". Scores from before that field, and
    other metrics, have one value. Failures are named where they are part of a time.
    """
    if score.value is None and not score.censored:
        return ["–"]
    scored = phrase("report.censored").into(language) if score.value is None else quantity(score.value, score.unit, language)
    is_time, failures = score.unit == "s", score.failures or 0
    parts = [scored]
    if score.zero_point_s is not None:
        none = phrase("value.no_success").into(language)
        parts = [none if score.value_measured is None else quantity(score.value_measured, "s", language)]
    if is_time and failures:
        unit = "visits" if score.metric.endswith(" of visits") else "steps"
        parts.append(phrase(f"value.failed_{unit}").into(language).format(failures, score.failures_of))
    if score.zero_point_s is not None and (failures or score.value != score.value_measured):
        zero = quantity(score.zero_point_s, "s", language)
        key = "at_most" if score.value == score.zero_point_s and not failures else "with_failures" if failures else "capped"
        parts.append(phrase(f"value.{key}").into(language).format(scored, zero))
    return parts


def quantity(value: float, unit: str, language: Language) -> str:
    """A number with three significant digits and its unit; whole numbers of more digits keep them all."""
    return f"{decimal(value, digits_of(value), language)} {unit_text(unit).into(language)}".rstrip()


def digits_of(value: float) -> int:
    """How many decimals give a measured value three significant digits."""
    size = abs(value)
    return 0 if size >= 100 or value == 0 else 1 if size >= 10 else 2 if size >= 1 else 3
