"""The timetable of a plan: when its rounds end at most, and how long a night may take."""

from __future__ import annotations

from harness.load.further_windows import lone_tries
from harness.load.lone_rounds import turns
from harness.records import MOST_UNDER_WAY, Plan, Round

BETWEEN_ROUNDS_S = 2.0
"""From the last citizen's arrival, or the end of a drain that is waited for, to the next orders, at most (assumed; ``benches.night`` measured at most
1.3 s, and 4.7 s on an overloaded machine)."""


def planned_s(plan: Plan) -> float:
    """The longest that the rounds of a plan take: every round waits its full drain time."""
    return projected_s(plan, plan.drain_s)


def projected_s(plan: Plan, drain_s: float, check_s: float = 0.0) -> float:
    """How long the rounds of a plan take if every drain lasts ``drain_s``. Each round begins as soon as the conductor lets it.

    ``check_s``: how long a lone citizen walks after each loaded round.
    """
    return max((end_s for end_s, _ in _ends(plan, drain_s, check_s)), default=0.0)


def last_ends_s(plan: Plan) -> dict[str, float]:
    """The latest end of each portal's last round, in seconds from the sweep's start; every round waits its full drain time."""
    ends_s: dict[str, float] = {}
    for end_s, round_ in _ends(plan, plan.drain_s):
        for slot in round_.slots:
            ends_s[slot.portal] = max(end_s, ends_s.get(slot.portal, 0.0))
    return ends_s


def _ends(plan: Plan, drain_s: float, check_s: float = 0.0) -> list[tuple[float, Round]]:
    """When each round of a plan ends, as ``projected_s`` says, in seconds from the sweep's start."""
    arrived_s = 0.0  # when the last citizen of the round before has arrived
    ends: list[tuple[float, Round]] = []
    for round_ in plan.rounds:
        in_the_way = [end_s for end_s, other in ends if not plan.may_overlap(round_, other)]
        most = sorted(end_s for end_s, _ in ends)[-MOST_UNDER_WAY:]
        room_s = most[0] if len(most) == MOST_UNDER_WAY else 0.0
        arrived_s = max((arrived_s, room_s, *in_the_way)) + _pause_s(plan) + round_.duration_s
        ends.append((arrived_s + drain_s * turns(round_) + (0.0 if round_.alone else check_s), round_))
    return ends


def longest_make_up_s(plan: Plan) -> float:
    """The most seconds that make-up windows may take. Each of their rounds counts like the plan's longest round."""
    longest = max(round_.duration_s for round_ in plan.rounds)
    return _make_up_rounds(plan) * (_pause_s(plan) + longest + plan.drain_s)


def longest_s(plan: Plan) -> float:
    """The longest that a night may take: the plan's rounds, further lone walks, make-up windows, and a check after every loaded round.

    A closed run plans no round and ends when it is stopped: 0.
    """
    if not plan.rounds:
        return 0.0
    if not plan.rounds[0].alone:
        return planned_s(plan) + longest_make_up_s(plan)
    lone_s = _pause_s(plan) + plan.rounds[0].duration_s + plan.drain_s * turns(plan.rounds[0])
    further = lone_tries(plan) - 1 + _make_up_rounds(plan)
    return projected_s(plan, plan.drain_s, lone_s) + longest_make_up_s(plan) + further * lone_s


def _pause_s(plan: Plan) -> float:
    return plan.lead_s + BETWEEN_ROUNDS_S


def _make_up_rounds(plan: Plan) -> int:
    """The rounds of make-up windows at most, each part counted: portals are together in them as in the plan's last round."""
    return plan.spare_windows * sum(round_.round == plan.rounds[-1].round for round_ in plan.rounds)
