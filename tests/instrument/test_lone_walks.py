"""Whole runs on a server that a lone citizen does not get through at once: loaded, scored, or left out, by what it met."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.evidence import Reason, RunFacts, SweepFolder, Verdict, read_runs
from harness.evidence.facts import UnprovenJourney
from harness.operations.locust_run import run_locust
from harness.records import Plan
from tests.client.raw_server import Peer, RawServer, Script, answering

from .test_unreadable import plan_of

EMPTY_403 = answering(b"HTTP/1.1 403 Forbidden\r\nServer: Tengine\r\nContent-Length: 0\r\n\r\n", close=True)
EMPTY_404 = answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", close=True)
BROKEN_500 = answering(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", close=True)
BROKEN_503 = answering(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", close=True)
TOO_MANY_429 = answering(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", close=True)
REDESIGNED = answering(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<h1>Welcome</h1>", close=True)
VISITS = 10  # of each of the three loaded rounds


def as_expected(peer: Peer) -> None:
    """What the calibration's profile expects: JSON that names the path."""
    path = peer.read_request().split(b" ", 2)[1].decode()
    body = json.dumps({"path": path}).encode()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    peer.close()


def three_rounds(origin: str, results: Path) -> Plan:
    plan = plan_of(origin, results)
    (slot,) = plan.rounds[1].slots
    loaded = [
        replace(plan.rounds[1], round=n, slots=(replace(slot, windows=(replace(slot.windows[0], window=n, round=n),)),)) for n in (1, 2, 3)
    ]
    return replace(plan, rounds=(plan.rounds[0], *loaded))


def measure(tmp_path: Path, *scripts: Script, **changes: Any) -> tuple[RunFacts, SweepFolder, int]:
    """The run, its folder, and how many connections the server was asked for; script n is for connection n."""
    with RawServer(scripts) as server:
        plan = replace(three_rounds(server.url, tmp_path), **changes)
        folder = run_locust(plan, workers=1, processor=None, catalog=None, progress=print)
    (run,) = read_runs(folder)
    return run, folder, server.accepted


@pytest.mark.parametrize(
    ("script", "outcome", "rule", "with_page"),
    [
        pytest.param(EMPTY_404, "http_error", "status 404, expected 2xx", False, marks=pytest.mark.slow),
        (REDESIGNED, "wrong_content", "JSON", True),
    ],
)
def test_what_nothing_explains_is_not_loaded(tmp_path: Path, script: Script, outcome: str, rule: str, with_page: bool) -> None:
    run, folder, asked = measure(tmp_path, script)
    assert run.verdict is Verdict.INSUFFICIENT
    assert [reason.code for reason in run.reasons] == ["journey_unproven"]
    (unproven,) = run.unproven
    assert replace(unproven, rule="", page="") == UnprovenJourney("search", "find", "search", outcome, "", "", tries=3)
    assert rule in unproven.rule
    assert (unproven.page != "" and (folder.path / unproven.page).is_file()) is with_page
    assert folder.sealed_rounds() == ("000-00", "000-01", "000-02")
    assert asked == 3


def test_a_wall_that_a_rule_knows_blocks_the_portal_if_it_stands_at_every_try(tmp_path: Path) -> None:
    run, folder, asked = measure(tmp_path, EMPTY_403)
    assert (run.verdict, run.reasons, run.unproven) == (Verdict.BLOCKED, (Reason("lone_citizen_refused"),), ())
    assert folder.sealed_rounds() == ("000-00", "000-01", "000-02")
    assert asked == 3


def test_one_refusal_before_the_load_is_tried_again_and_costs_nothing(tmp_path: Path) -> None:
    run, folder, asked = measure(tmp_path, EMPTY_403, as_expected)
    assert (run.verdict, run.reasons, run.unproven) == (Verdict.VALID, (), ())
    assert folder.sealed_rounds() == ("000-00", "000-01", "001-00", "002-00", "003-00")
    assert asked == 2 + 3 * VISITS


@pytest.mark.slow
def test_what_fails_by_itself_is_loaded_and_scored(tmp_path: Path) -> None:
    run, folder, asked = measure(tmp_path, BROKEN_500)
    assert (run.verdict, run.reasons, run.unproven) == (Verdict.VALID, (), ())
    assert folder.sealed_rounds() == ("000-00", "000-01", "000-02", "001-00", "002-00", "003-00")
    assert asked == 3 + 3 * VISITS


@pytest.mark.slow
def test_one_status_503_to_the_lone_citizen_does_not_make_our_mistakes_the_portals(tmp_path: Path) -> None:
    """What every later walk meets is not what the profile expects, and the portal cannot help it."""
    run, folder, asked = measure(tmp_path, BROKEN_503, REDESIGNED)
    assert (run.verdict, [each.journey for each in run.unproven]) == (Verdict.INSUFFICIENT, ["search"])
    assert folder.sealed_rounds() == ("000-00", "000-01", "000-02")
    assert asked == 3


@pytest.mark.slow
def test_one_status_503_to_the_lone_citizen_alone_costs_nothing(tmp_path: Path) -> None:
    run, folder, asked = measure(tmp_path, BROKEN_503, as_expected)
    assert (run.verdict, run.reasons, run.unproven) == (Verdict.VALID, (), ())
    assert folder.sealed_rounds() == ("000-00", "000-01", "001-00", "002-00", "003-00")
    assert asked == 2 + 3 * VISITS


def test_a_window_that_was_missed_is_made_up_for_at_the_end(tmp_path: Path) -> None:
    run, folder, asked = measure(tmp_path, EMPTY_403, EMPTY_403, as_expected, spare_windows=2)
    assert (run.verdict, run.reasons, run.unproven) == (Verdict.VALID, (), ())
    assert folder.sealed_rounds() == ("000-00", "000-01", "000-02", "002-00", "003-00", "004-00")
    loaded = [window for window in run.windows if window.stage == "typical"]
    assert [(window.window, window.round, window.make_up_of) for window in loaded] == [(2, 2, None), (3, 3, None), (4, 4, 1)]
    assert asked == 3 + 3 * VISITS


@pytest.mark.parametrize(
    ("lone", "verdicts", "reason"),
    [
        (as_expected, [Verdict.BLOCKED, Verdict.VALID, Verdict.VALID], "address_limit"),
        (TOO_MANY_429, [Verdict.VALID] * 3, "refused_under_load"),
    ],
)
def test_a_refusal_under_load_is_scored_unless_a_lone_citizen_is_served(
    tmp_path: Path, lone: Script, verdicts: list[Verdict], reason: str
) -> None:
    """The first round is refused; then one citizen walks alone, and the later rounds are measured as planned."""
    run, folder, asked = measure(tmp_path, as_expected, *[TOO_MANY_429] * VISITS, lone, as_expected)
    assert run.verdict is Verdict.VALID
    assert [window.verdict for window in run.windows if window.stage == "typical"] == verdicts
    assert run.reasons == (Reason(reason, "round 1, window 1: 10 of 10 visits"),)
    assert folder.sealed_rounds() == ("000-00", "001-00", "001-50", "002-00", "003-00")
    assert asked == 2 + 3 * VISITS


def test_a_portal_that_refuses_one_address_and_serves_a_second_one_has_an_address_limit(tmp_path: Path) -> None:
    def refuses_the_first(peer: Peer) -> None:
        (as_expected if peer.sock.getpeername()[0] == "127.0.0.2" else TOO_MANY_429)(peer)

    scripts = (as_expected, *[TOO_MANY_429] * VISITS, refuses_the_first, as_expected)
    run, folder, asked = measure(tmp_path, *scripts, second_address="127.0.0.2")
    assert run.reasons == (Reason("address_limit", "round 1, window 1: 10 of 10 visits"),)
    assert [(round_.name, round_.source_address) for round_ in folder.rounds() if round_.source_address] == [("001-50", "127.0.0.2")]
    assert asked == 2 + 3 * VISITS
