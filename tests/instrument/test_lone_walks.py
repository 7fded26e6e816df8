"""Whole runs on servers that a lone citizen does not get through at once: loaded, scored, or left out, by what it met.

All portals but those of two plans of their own are measured in one run, each on a server of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from harness.evidence import Reason, Verdict
from harness.evidence.facts import UnprovenJourney
from tests.client.raw_server import Peer, answering

from .small_servers import VISITS, Measured, as_expected, measure

EMPTY_403 = answering(b"HTTP/1.1 403 Forbidden\r\nServer: Tengine\r\nContent-Length: 0\r\n\r\n", close=True)
EMPTY_404 = answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", close=True)
BROKEN_500 = answering(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", close=True)
BROKEN_503 = answering(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", close=True)
TOO_MANY_429 = answering(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", close=True)
REDESIGNED = answering(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<h1>Welcome</h1>", close=True)

UNDER_LOAD = (as_expected, *[TOO_MANY_429] * VISITS)
PORTALS = {
    "empty-404": (EMPTY_404,),
    "redesigned": (REDESIGNED,),
    "wall": (EMPTY_403,),
    "wall-once": (EMPTY_403, as_expected),
    "broken": (BROKEN_500,),
    "broken-once": (BROKEN_503, as_expected),
    "broken-then-redesigned": (BROKEN_503, REDESIGNED),
    "limits-our-address": (*UNDER_LOAD, as_expected, as_expected),
    "refuses-everybody": (*UNDER_LOAD, TOO_MANY_429, as_expected),
}

ALL_TRIES = ("000-00", "000-01", "000-02")
LOADED = ("001-00", "002-00", "003-00")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Measured]:
    return measure(tmp_path_factory.mktemp("lone-walks"), PORTALS)


@pytest.mark.parametrize(
    ("portal", "outcome", "rule", "with_page"),
    [("empty-404", "http_error", "status 404, expected 2xx", False), ("redesigned", "wrong_content", "JSON", True)],
)
def test_what_nothing_explains_is_not_loaded(night: Mapping[str, Measured], portal: str, outcome: str, rule: str, with_page: bool) -> None:
    run, folder, asked = found = night[portal]
    assert run.verdict is Verdict.INSUFFICIENT
    assert [reason.code for reason in run.reasons] == ["journey_unproven"]
    (unproven,) = run.unproven
    assert replace(unproven, rule="", page="") == UnprovenJourney("search", "find", "search", outcome, "", "", tries=3)
    assert rule in unproven.rule
    assert (unproven.page != "" and (folder.path / unproven.page).is_file()) is with_page
    assert found.rounds == ALL_TRIES
    assert asked == 3


def test_a_wall_that_a_rule_knows_blocks_the_portal_if_it_stands_at_every_try(night: Mapping[str, Measured]) -> None:
    run, _, asked = found = night["wall"]
    assert (run.verdict, run.reasons, run.unproven) == (Verdict.BLOCKED, (Reason("lone_citizen_refused"),), ())
    assert found.rounds == ALL_TRIES
    assert asked == 3


@pytest.mark.parametrize("portal", ["wall-once", "broken-once"])
def test_what_only_the_first_try_meets_costs_nothing(night: Mapping[str, Measured], portal: str) -> None:
    run, _, asked = found = night[portal]
    assert (run.verdict, run.reasons, run.unproven) == (Verdict.VALID, (), ())
    assert found.rounds == ("000-00", "000-01", *LOADED)
    assert asked == 2 + 3 * VISITS


def test_what_fails_by_itself_is_loaded_and_scored(night: Mapping[str, Measured]) -> None:
    run, _, asked = found = night["broken"]
    assert (run.verdict, run.reasons, run.unproven) == (Verdict.VALID, (), ())
    assert found.rounds == (*ALL_TRIES, *LOADED)
    assert asked == 3 + 3 * VISITS


def test_one_status_503_to_the_lone_citizen_does_not_make_our_mistakes_the_portals(night: Mapping[str, Measured]) -> None:
    """What every later walk meets is not what the profile expects, and the portal cannot help it."""
    run, _, asked = found = night["broken-then-redesigned"]
    assert (run.verdict, [each.journey for each in run.unproven]) == (Verdict.INSUFFICIENT, ["search"])
    assert found.rounds == ALL_TRIES
    assert asked == 3


@pytest.mark.parametrize(
    ("portal", "verdicts", "reason"),
    [
        ("limits-our-address", [Verdict.BLOCKED, Verdict.VALID, Verdict.VALID], "address_limit"),
        ("refuses-everybody", [Verdict.VALID] * 3, "refused_under_load"),
    ],
)
def test_a_refusal_under_load_is_scored_unless_a_lone_citizen_is_served(
    night: Mapping[str, Measured], portal: str, verdicts: list[Verdict], reason: str
) -> None:
    """The first round is refused; then one citizen walks alone, and the later rounds are measured as planned."""
    run, _, asked = found = night[portal]
    assert run.verdict is Verdict.VALID
    assert [window.verdict for window in run.windows if window.stage == "typical"] == verdicts
    assert run.reasons == (Reason(reason, "round 1, window 1: 10 of 10 visits"),)
    assert found.rounds == ("000-00", "001-00", "001-50", "002-00", "003-00")
    assert asked == 2 + 3 * VISITS


@pytest.fixture(scope="module")
def second_night(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Measured]:
    """By a plan with spare windows and a second address."""

    def refuses_the_first(peer: Peer) -> None:
        (as_expected if peer.sock.getpeername()[0] == "127.0.0.2" else TOO_MANY_429)(peer)

    portals = {"missed": (EMPTY_403, EMPTY_403, as_expected), "two-addresses": (*UNDER_LOAD, refuses_the_first, as_expected)}
    return measure(tmp_path_factory.mktemp("second"), portals, spare_windows=2, second_address="127.0.0.2")


def test_a_window_that_was_missed_is_made_up_for_at_the_end(second_night: Mapping[str, Measured]) -> None:
    run, _, asked = found = second_night["missed"]
    assert (run.verdict, run.reasons, run.unproven) == (Verdict.VALID, (), ())
    assert found.rounds == (*ALL_TRIES, "002-00", "003-00", "004-00")
    loaded = [window for window in run.windows if window.stage == "typical"]
    assert [(window.window, window.round, window.make_up_of) for window in loaded] == [(2, 2, None), (3, 3, None), (4, 4, 1)]
    assert asked == 3 + 3 * VISITS


def test_a_portal_that_refuses_one_address_and_serves_a_second_one_has_an_address_limit(second_night: Mapping[str, Measured]) -> None:
    run, folder, asked = second_night["two-addresses"]
    assert run.reasons == (Reason("address_limit", "round 1, window 1: 10 of 10 visits"),)
    assert [(round_.name, round_.source_address) for round_ in folder.rounds() if round_.source_address] == [("001-50", "127.0.0.2")]
    assert asked == 2 + 3 * VISITS
