"""States without points over several nights: on how many nights in a row a portal had one, and whether it is final."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.catalog.not_charged import FinalState, StateWithoutPoints
from harness.scoring.maintenance import IN_TIME
from harness.scoring.scorecard import CriterionState, Scorecard, SweepScores

Rules = Mapping[StateWithoutPoints, FinalState]
"""``states`` of a criteria set."""


@dataclass(frozen=True, slots=True)
class StateOverNights:
    """A state that a portal has on its latest night."""

    portal: str
    sweep: str  # of that night
    state: StateWithoutPoints
    nights: tuple[str, ...]  # on which it had the state in a row, the latest last; nights without a sweep of the portal do not count
    rule: FinalState  # of the set that the latest night was scored by

    @property
    def missing(self) -> int:
        """How many nights more would make it final; 0 where it is final."""
        return max(0, self.rule.nights - len(self.nights))


def states_over_nights(sweeps: Iterable[SweepScores], rules_of: Mapping[str, Rules]) -> tuple[StateOverNights, ...]:
    """Every state that a portal has on its latest night, ordered by portal.

    ``rules_of``: by set and version, for example ``demo@2``; that of the latest sweep decides, and a state that it does not name is
    left out. Of several sweeps of one portal on one night the last one by name counts.
    """
    by_portal: dict[str, dict[str, tuple[SweepScores, Scorecard]]] = {}
    for scores in sorted(sweeps, key=lambda each: each.sweep):
        for card in scores.scorecards:
            by_portal.setdefault(card.portal, {})[max(card.nights or scores.nights, default="")] = (scores, card)
    return tuple(found for portal in sorted(by_portal) for found in _of_portal(by_portal[portal], rules_of))


def states_of(card: Scorecard) -> tuple[StateWithoutPoints, ...]:
    """The states without points of one card."""
    found: list[StateWithoutPoints] = []
    if card.verdict.value in {"blocked", "unreachable"}:
        found.append("blocked" if card.verdict.value == "blocked" else "unreachable")
    if any(score.state is CriterionState.UNPROVEN for score in card.criteria):
        found.append("unproven")
    if any(reason.code == "address_limit" for reason in card.reasons):
        found.append("address_limit")
    if card.points is None and any(reason.code == IN_TIME for reason in card.reasons):
        found.append("announced_maintenance")
    return tuple(found)


def _of_portal(by_night: Mapping[str, tuple[SweepScores, Scorecard]], rules_of: Mapping[str, Rules]) -> Iterator[StateOverNights]:
    nights = sorted(by_night)
    scores, latest = by_night[nights[-1]]
    rules = rules_of.get(scores.criteria_set.named, {})
    for state in states_of(latest):
        if state in rules:
            yield StateOverNights(latest.portal, scores.sweep, state, _in_a_row(nights, by_night, state), rules[state])


def _in_a_row(nights: Sequence[str], by_night: Mapping[str, tuple[SweepScores, Scorecard]], state: StateWithoutPoints) -> tuple[str, ...]:
    without = [index for index, night in enumerate(nights) if state not in states_of(by_night[night][1])]
    return tuple(nights[without[-1] + 1 if without else 0 :])
