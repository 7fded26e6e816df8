"""After how many nights a state without points is final: counted over sweeps, by the rules of the latest set."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.catalog.not_charged import FinalState
from harness.evidence.facts import Reason, UnprovenJourney, Verdict
from harness.publish.history import state_in_words
from harness.scoring import RunEvidence, StateOverNights, SweepScores, score_sweep, states_over_nights
from tests.scoring.evening import PORTAL, Evening, facts, window
from tests.scoring.sets import SOURCED, criteria_set, criterion

SET = criteria_set(criterion("search"))
THREE = FinalState(nights=3, consequence="no_points", **SOURCED)
ONE = FinalState(nights=1, consequence="person", **SOURCED)
RULES = {"test@1": {"blocked": THREE, "unreachable": THREE, "unproven": ONE, "address_limit": ONE}}
UNPROVEN = UnprovenJourney("search", "find", "search", "wrong_content", "css #x", "", 3)


def sweep(night: str, verdict: Verdict = Verdict.BLOCKED, *, name: str = "", **changes: object) -> SweepScores:
    run = replace(facts([window(number, night=night) for number in range(6)], verdict=verdict), **changes)
    evening = Evening()
    for number in range(6):
        evening.visit(number, "search", [("find", "search", 0.1, "ok")])
    return score_sweep(name or f"{night}-sweep", [RunEvidence(PORTAL, run, evening.frame())], SET)


def one(*sweeps: SweepScores) -> StateOverNights:
    (found,) = states_over_nights(sweeps, RULES)
    return found


def test_it_is_final_after_as_many_nights_in_a_row_as_the_set_names() -> None:
    nights = [sweep(f"2026-11-2{day}") for day in (1, 2, 3)]
    assert [one(*nights[:count]).missing for count in (1, 2, 3)] == [2, 1, 0]
    assert state_in_words(one(*nights[:1]), "en") == (
        "tinh-mau: blocked, nights in a row: 1, up to 21 November 2026; nights until it is final: 2; "
        "then there are no points, which is not zero points (assumed)"
    )
    assert state_in_words(one(*nights), "en") == (
        "tinh-mau: blocked, nights in a row: 3, up to 23 November 2026; this is final: there are no points, which is not zero points (assumed)"
    )
    assert state_in_words(one(*nights[:1]), "vi") == (
        "tinh-mau: bị từ chối, số ngày đo liên tiếp: 1, đến ngày 21/11/2026; sau 2 ngày đo nữa là kết quả cuối cùng; "
        "khi đó không có điểm (không phải điểm 0) (căn cứ: giả định)"
    )
    assert one(*reversed(nights)) == one(*nights), "the order of the folders does not matter"


@pytest.mark.parametrize("between", [Verdict.VALID, Verdict.UNREACHABLE, Verdict.VOID])
def test_a_night_without_the_state_begins_the_count_anew(between: Verdict) -> None:
    nights = [sweep("2026-11-21"), sweep("2026-11-22"), sweep("2026-11-23", between), sweep("2026-11-24")]
    assert one(*nights).nights == ("2026-11-24",)
    assert [state.state for state in states_over_nights(nights[:3], RULES)] == (["unreachable"] if between is Verdict.UNREACHABLE else [])


def test_two_sweeps_of_one_night_are_one_night_and_the_last_one_counts() -> None:
    assert one(sweep("2026-11-21", name="a"), sweep("2026-11-21", name="b")).nights == ("2026-11-21",)
    assert states_over_nights([sweep("2026-11-21", name="a"), sweep("2026-11-21", Verdict.VALID, name="b")], RULES) == ()


def test_an_unproven_journey_and_an_address_limit_wait_for_a_person() -> None:
    night = sweep("2026-11-21", Verdict.VALID, unproven=(UNPROVEN,), reasons=(Reason("address_limit", "round 1"),))
    found = states_over_nights([night], RULES)
    assert [(each.state, each.missing) for each in found] == [("unproven", 0), ("address_limit", 0)]
    assert all(state_in_words(each, "en").endswith("; this is final: a person decides, on the record (assumed)") for each in found)
    settled = sweep("2026-11-21", Verdict.VALID, reasons=(Reason("refusals_settled_as_address", "An & Bình"),))
    assert states_over_nights([settled], RULES) == ()


@pytest.mark.parametrize(("verdict", "states"), [(Verdict.INSUFFICIENT, ["announced_maintenance"]), (Verdict.VALID, [])])
def test_maintenance_announced_for_every_night_is_final_like_a_wall(verdict: Verdict, states: list[str]) -> None:
    """With points it is no state: other windows gave them."""
    rules = {named: {"announced_maintenance": THREE} for named in RULES}
    nights = [sweep(f"2026-11-2{day}", verdict, reasons=(Reason("announced_maintenance", "22:00 – 05:00"),)) for day in (1, 2, 3)]
    assert [(state.state, state.missing) for state in states_over_nights(nights, rules)] == [(state, 0) for state in states]


def test_a_set_that_names_no_nights_says_nothing() -> None:
    assert states_over_nights([sweep("2026-11-21")], {}) == ()
