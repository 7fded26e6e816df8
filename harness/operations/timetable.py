"""The timetable of a plan: when its rounds end at most, and how long a night may take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median

from harness.load.further_windows import lone_tries
from harness.load.lone_rounds import turns
from harness.records import MOST_UNDER_WAY, Plan, Round, RoundRecord

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
    lone_s, further = _lone_s(plan)
    return projected_s(plan, plan.drain_s, lone_s) + longest_make_up_s(plan) + further * lone_s


def expected_end(plan: Plan, begun: Iterable[RoundRecord], left: Iterable[Round], now: datetime, since: str) -> datetime:
    """When the parts of a plan that are left will have ended: each takes its windows and the median pause of this attempt; at first, the full drain.

    ``begun``: the rounds that have begun, sealed or not; ``left``: what has not begun; ``since``: when the attempt began (ISO 8601).
    """
    mine = sorted((each for each in begun if each.began_utc >= since), key=lambda each: each.began_utc)
    begins = [datetime.fromisoformat(each.began_utc) for each in mine]
    pauses = [(after - begin).total_seconds() - _duration_s(each) for begin, after, each in zip(begins, begins[1:], mine, strict=False)]
    pause_s = max(0.0, median(pauses)) if pauses else plan.lead_s + plan.drain_s
    end = max([now, *(begin + timedelta(seconds=_duration_s(each) + pause_s) for begin, each in zip(begins[-1:], mine[-1:], strict=True))])
    return end + timedelta(seconds=sum(each.duration_s + pause_s for each in left))


def latest_end(plan: Plan, under_way: Iterable[RoundRecord], left: Sequence[Round], now: datetime) -> datetime:
    """The latest end of a sweep: computed like ``longest_s``, for the rounds under way and those that are left."""
    lone_s, further = _lone_s(plan)
    drained_s = plan.drain_s * max((turns(each) for each in plan.rounds), default=1) + lone_s
    ends = [datetime.fromisoformat(each.began_utc) + timedelta(seconds=_duration_s(each) + drained_s) for each in under_way]
    rest_s = projected_s(replace(plan, rounds=tuple(left)), plan.drain_s, lone_s) + longest_make_up_s(plan) + further * lone_s
    return max([now, *ends]) + timedelta(seconds=rest_s)


def _lone_s(plan: Plan) -> tuple[float, int]:
    """How long one round of lone citizens takes at most, and how many of them may be added to the plan; nothing where it has none."""
    first = plan.rounds[0]
    if not first.alone:
        return 0.0, 0
    return _pause_s(plan) + first.duration_s + plan.drain_s * turns(first), lone_tries(plan) - 1 + _make_up_rounds(plan)


def _duration_s(record: RoundRecord) -> float:
    return max(window.begin_s + window.duration_s for slot in record.slots for window in slot.windows)


def _pause_s(plan: Plan) -> float:
    return plan.lead_s + BETWEEN_ROUNDS_S


def _make_up_rounds(plan: Plan) -> int:
    """The rounds of make-up windows at most, each part counted: portals are together in them as in the plan's last round."""
    return plan.spare_windows * sum(round_.round == plan.rounds[-1].round for round_ in plan.rounds)
