"""Gains in words: which change of which step gives how many points."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evidence.reasons import Language
from harness.publish.criterion_words import metric_text
from harness.publish.value_text import quantity
from harness.publish.wording import decimal, phrase
from harness.scoring.gains import Gain, WhatChanges
from harness.scoring.scored_units import Part


def by_change(gains: Sequence[Gain]) -> list[list[Gain]]:
    """Gains grouped by change, in the order given. A change that helps several criteria has several gains."""
    found: dict[tuple[Part, WhatChanges], list[Gain]] = {}
    for gain in gains:
        found.setdefault((gain.part, gain.change), []).append(gain)
    return list(found.values())


def best_changes(gains: Sequence[Gain], most: int) -> list[Gain]:
    """The first gain of each of the best changes. ``gains``: the best first."""
    return [first for first, *_ in by_change(gains)[:most]]


def gain_text(gain: Gain, language: Language) -> str:
    """The change: `Nộp hồ sơ: nộp: thời gian trung bình của một bước từ 1,09 s thành 0,25 s`."""
    censored = phrase("report.censored").into(language)
    ends = [censored if value is None else quantity(value, gain.unit, language) for value in (gain.value_from, gain.value_to)]
    metric = phrase("card.failed_visits").into(language) if gain.change == "fewer_failures" else metric_text(gain.metric).into(language)
    return phrase("card.gain").into(language).format(part_text(gain.part, language), metric, *ends)


def gained_text(gain: Gain, language: Language) -> str:
    """The points gained in all, `+1,2`; small gains have two decimals."""
    return f"+{decimal(gain.points_total, 1 if gain.points_total >= 0.1 else 2, language)}"


def part_text(part: Part, language: Language) -> str:
    """A journey and its step in words."""
    journey, _, step = part
    return ": ".join(phrase(f"{group}.{name}").into(language) for group, name in (("journey", journey), ("step", step)) if name)
