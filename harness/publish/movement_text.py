"""What comparable portals moved in common, and what a portal's night was beside its others, in words."""

from __future__ import annotations

from harness.publish.criterion_words import unit_text
from harness.publish.value_text import digits_of
from harness.publish.wording import Phrase, joined, numeral, phrase, same
from harness.scoring.common_movement import LEAST_PORTALS, CommonMovement
from harness.scoring.night_changes import NightChange
from harness.scoring.paired_windows import is_ratio
from harness.statistics.metric import Metric, parse_metric


def movement_number(metric: Metric, movement: CommonMovement) -> Phrase:
    """The movement as a number with its sign, for a table: `+28 %`, `−0.05 s`, 0, or a dash where nothing was taken out."""
    if movement.kind == "none":
        return same("–")
    if _rounds_to_nothing(movement):
        return same("0")
    by_share = movement.kind == "multiplied"
    sign = "+" if movement.size > by_share else "−"
    return joined("", [same(sign), _percent(movement.size) if by_share else _amount(metric, abs(movement.size))])


def movement_text(metric: Metric, movement: CommonMovement) -> Phrase:
    """The movement, the number of portals, and that it was taken out; or that there are too few portals."""
    if movement.kind == "none":
        return phrase("movement.too_few").filled(str(movement.portals), str(LEAST_PORTALS))
    is_seen = not _rounds_to_nothing(movement)
    moved = _moved(metric, movement.size, by_share=movement.kind == "multiplied") if is_seen else phrase("movement.unchanged")
    return phrase("movement.taken_out").filled(moved, str(movement.portals))


def night_change_text(change: NightChange) -> Phrase:
    """How far the night lies from the portal's usual nights, and whether the change lasts."""
    metric = parse_metric(change.metric)
    if change.effect is None:
        moved = phrase("movement.censored" if change.worse else "movement.uncensored")
    else:
        moved = _moved(metric, change.effect, by_share=is_ratio(metric))
    return phrase(f"night_change.{change.persistence}").filled(moved)


def _moved(metric: Metric, size: float, *, by_share: bool) -> Phrase:
    """How far and in which direction: by a share of a ratio, otherwise by a difference."""
    key = _direction(metric, is_more=size > by_share)
    return phrase(key).filled(_percent(size) if by_share else _amount(metric, abs(size)))


def _rounds_to_nothing(movement: CommonMovement) -> bool:
    return abs(movement.size - (movement.kind == "multiplied")) < 0.0005


def _percent(ratio: float) -> Phrase:
    percent = 100 * abs(ratio - 1)
    return numeral(percent, 0 if percent >= 10 else 1, " %")


def _direction(metric: Metric, *, is_more: bool) -> str:
    if metric.unit == "s":
        return "movement.slower" if is_more else "movement.faster"
    return "movement.higher" if is_more else "movement.lower"


def _amount(metric: Metric, size: float) -> Phrase:
    """A difference with its unit: seconds, percentage points, or a bare number."""
    number = numeral(size, digits_of(size))
    unit = phrase("unit.points_of_percent") if metric.unit == "%" else unit_text(metric.unit)
    return joined(" ", [number, unit]) if metric.unit else number
