"""The changes from one sweep to another, in words."""

from __future__ import annotations

from collections.abc import Iterator

from harness.evidence.reasons import Language
from harness.publish.criterion_words import metric_text
from harness.publish.value_text import quantity
from harness.publish.wording import phrase
from harness.scoring import Change, Comparison
from harness.statistics.metric import parse_metric


def changes_in_words(found: Comparison, language: Language) -> Iterator[str]:
    """A line for each named change, how many were named, and whether there were enough pairs to name one."""
    for kind, changes in (("worse", found.regressions), ("better", found.improvements)):
        for change in changes:
            yield _change(kind, change, language)
    named = len(found.regressions) + len(found.improvements)
    yield phrase("changes.named").into(language).format(named, len(found.changes), len(found.not_compared))
    if found.pairs < found.fewest_pairs:
        yield phrase("changes.too_few").into(language).format(found.pairs, found.fewest_pairs)


def _change(kind: str, change: Change, language: Language) -> str:
    effect_kind = (
        "difference.percent" if change.effect_kind == "difference" and parse_metric(change.metric).unit == "%" else change.effect_kind
    )
    effect, low, high = ("∞" if end is None else quantity(end, "", language) for end in (change.effect, *change.interval))
    return (
        phrase("changes.change")
        .into(language)
        .format(
            phrase(f"changes.{kind}").into(language), change.portal, change.criterion, metric_text(change.metric).into(language),
            phrase(f"changes.{effect_kind}").into(language), effect, low, high, quantity(change.adjusted_p_value, "", language), change.pairs,
        )
    )  # fmt: skip
