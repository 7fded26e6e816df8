"""What lone walks permit: rules of blame, one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records import LoneWalk, Met, Outcome, admit


def walk(journey: str, outcome: str, status: int = 0) -> LoneWalk:
    return LoneWalk("p", journey, outcome, status=status)


@pytest.mark.parametrize(
    ("outcome", "status", "met"),
    [
        ("ok", 0, Met.THROUGH),
        ("blocked", 403, Met.BLOCKED),
        ("blocked", 503, Met.BLOCKED),  # a maintenance page that a rule knows
        ("connect", 0, Met.NO_CONNECTION),
        ("dns", 0, Met.NO_CONNECTION),
        ("tls", 0, Met.NO_CONNECTION),
        ("timeout", 0, Met.PORTAL_FAILED),
        ("reset", 0, Met.PORTAL_FAILED),
        ("protocol", 0, Met.PORTAL_FAILED),
        ("http_error", 500, Met.PORTAL_FAILED),
        ("not_served", 503, Met.PORTAL_FAILED),
        ("http_error", 403, Met.UNEXPLAINED),
        ("not_served", 429, Met.UNEXPLAINED),
        ("not_served", 0, Met.UNEXPLAINED),  # turned away at our own ceiling
        ("wrong_content", 200, Met.UNEXPLAINED),
        ("extraction", 200, Met.UNEXPLAINED),
        ("left_allowed_hosts", 0, Met.UNEXPLAINED),
        ("skipped", 0, Met.UNEXPLAINED),
        ("dropped", 0, Met.OUR_FILES),
        ("aborted", 0, Met.UNEXPLAINED),
    ],
)
def test_what_a_walk_met(outcome: str, status: int, met: Met) -> None:
    assert walk("search", outcome, status).met is met


@pytest.mark.parametrize(
    ("walks", "loaded", "stopped", "refused"),
    [
        ([], set(), [], ""),
        ([("search", "ok"), ("pay", "extraction")], {"search"}, ["pay"], ""),
        ([("search", "ok"), ("pay", "blocked")], {"search"}, ["pay"], ""),
        ([("search", "ok"), ("pay", "connect")], {"search", "pay"}, [], ""),
        ([("pay", "extraction"), ("pay", "ok")], {"pay"}, [], ""),
        ([("pay", "extraction"), ("pay", "timeout")], {"pay"}, [], ""),
        ([("pay", "timeout"), ("pay", "extraction")], set(), ["pay"], ""),  # one timeout does not prove what stands behind it
        ([("search", "ok"), ("pay", "timeout"), ("pay", "extraction")], {"search"}, ["pay"], ""),
        ([("search", "ok"), ("pay", "timeout"), ("pay", "connect")], {"search", "pay"}, [], ""),
        ([("search", "timeout"), ("search", "blocked")], set(), ["search"], "blocked"),
        ([("search", "timeout"), ("search", "dropped")], set(), ["search"], ""),
        ([("search", "blocked"), ("pay", "blocked")], set(), ["pay", "search"], "blocked"),
        ([("search", "connect"), ("search", "blocked")], set(), ["search"], "blocked"),
        ([("search", "blocked"), ("search", "extraction")], set(), ["search"], ""),
        ([("search", "extraction"), ("pay", "blocked")], set(), ["pay", "search"], "blocked"),
        ([("search", "dns"), ("pay", "tls")], set(), ["pay", "search"], "unreachable"),
        ([("search", "connect"), ("search", "dropped"), ("pay", "dns")], set(), ["pay", "search"], "unreachable"),
        ([("search", "dropped"), ("search", "blocked")], set(), ["search"], "blocked"),
        ([("search", "connect"), ("pay", "dropped")], set(), ["pay", "search"], ""),
        ([("search", "dropped")], set(), ["search"], ""),
        ([("search", "connect"), ("pay", "extraction")], set(), ["pay", "search"], ""),
        ([("search", "extraction")], set(), ["search"], ""),
    ],
)
def test_what_walks_permit(walks: list[tuple[str, str]], loaded: set[str], stopped: list[str], refused: str) -> None:
    found = admit([walk(*each) for each in walks])
    assert (found.loaded, [each[0].journey for each in found.stopped], found.refused) == (loaded, stopped, refused)


@given(
    st.lists(st.tuples(st.sampled_from(["search", "submit", "pay"]), st.sampled_from(list(Outcome)), st.sampled_from([0, 200, 403, 500])))
)
def test_every_journey_is_loaded_or_stopped_and_a_success_always_opens(walks: list[tuple[str, str, int]]) -> None:
    found = admit([walk(*each) for each in walks])
    stopped = {each[0].journey for each in found.stopped}
    assert found.loaded | stopped == {journey for journey, _, _ in walks}
    assert not found.loaded & stopped
    assert {journey for journey, outcome, _ in walks if outcome == "ok"} <= found.loaded
    assert not (found.refused and found.loaded)
