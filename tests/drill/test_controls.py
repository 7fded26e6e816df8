"""Each guard is switched off, and the fault that it is there for does its harm: so the tests of the guard test something."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from harness.catalog import Target
from harness.records import Outcome
from tests.client.conftest import permitted
from tests.client.raw_server import RawServer, answering, plain
from tests.client.test_hosts import Lying
from tests.drill.guards import guard_off
from tests.e2e.commands import HARNESS, LOCUST, free_port, run, started
from tests.e2e.evidence import load, only_folder
from tests.e2e.test_family import Family
from tests.e2e.test_web_ui import answers
from tests.instrument import test_members_only
from tests.instrument.test_members_only import Master, _dealer, _message
from tests.operations import test_walk
from tests.operations.test_walk import walk

pytestmark = pytest.mark.slow  # part of `make drill`

LOADS_ON_S = 4
"""Longer than load may go on without its master (2 s)."""


@pytest.fixture
def open_master(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Master]:
    """A master with Locust's own sockets."""
    closes = "members_only.close_channel(Path(sys.argv[1]) if len(sys.argv) > 1 else None)\n"
    assert closes in test_members_only.MASTER
    monkeypatch.setattr(test_members_only, "MASTER", test_members_only.MASTER.replace(closes, ""))
    master = Master(tmp_path)
    with master.process:
        yield master
        master.process.kill()


def test_without_keys_a_stranger_ends_a_members_test(open_master: Master) -> None:
    with _dealer(open_master, "member", None) as member, _dealer(open_master, "stranger", None) as stranger:
        member.send(_message("client_ready", -1, "member"))
        member.recv()
        stranger.send(_message("ask", "60 forged rows", "member"))
        assert open_master.heard("heard member 60 forged rows")
        stranger.send(_message("quit", None, "member"))
        stranger.send(_message("ask", "done", "member"))
        assert open_master.heard("heard member done")
        assert open_master.end()[-1] == "0"


@pytest.mark.parametrize(
    ("changes", "whose"),
    [
        ({"harness.operations.ending": "watch_lifeline = lambda ended: None"}, "harness"),
        (
            {
                "harness.load.lease": "LEASE_S = DESERTED_AFTER_S = 1e9",
                "harness.operations.ending": "end_forked_with_this = lambda: None",  # ends workers of the master's own machine too
            },
            "master",
        ),
    ],
    ids=["lifeline", "lease"],
)
def test_without_it_the_load_goes_on(
    tmp_path: Path, catalog: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], whose: str
) -> None:
    for module, change in changes.items():
        guard_off(monkeypatch, tmp_path / "start", module, change)
    command = [HARNESS, "run", "swift", "--workload", "steady", "--criteria", "speed-only", "--catalog", str(catalog)]
    with started(command, tmp_path) as running:
        family = Family(running, tmp_path / "results")
        try:
            if whose == "master":
                family.harness.suspend()  # it would end the portals once its Locust is gone
            getattr(family, whose).kill()
            time.sleep(LOADS_ON_S)
            before = family.requests()
            time.sleep(2)
            assert family.requests() > before > 0
        finally:
            for process in family.everybody:
                with suppress(psutil.NoSuchProcess):
                    process.kill()


def test_without_the_policy_an_allowed_name_leads_inside(new_citizen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Target, "allows_address", lambda *_: True)
    with RawServer([answering(plain())]) as server:  # stands for 169.254.169.254
        origin = f"http://portal.example:{server.port}"
        exchange = new_citizen(policy=permitted(origin), resolver=Lying("127.0.0.1")).request("GET", origin)
    assert (exchange.outcome, server.accepted) == (Outcome.OK, 1)


def test_without_the_check_another_site_starts_a_test(tmp_path: Path, catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard_off(monkeypatch, tmp_path / "start", "harness.load.web_requests", "refuse_foreign_requests = lambda web_ui: None")
    port = free_port()
    page = f"http://127.0.0.1:{port}"
    with started([*LOCUST, "--web-port", port, "--catalog", str(catalog)], tmp_path) as locust:
        locust.until(lambda: answers(f"{page}/"), "the page")
        form = {"user_count": "1", "spawn_rate": "1", "portal": "swift", "workload": ""}
        answer = httpx.post(f"{page}/swarm", data=form, headers={"Origin": "http://portal.example"})
        assert (answer.status_code, answer.json()["success"]) == (200, True)
        locust.until(lambda: list((tmp_path / "results").glob("*/plan.json")), "a sweep that nobody asked for")
        locust.interrupt()
        locust.ended()


def test_without_the_look_at_it_a_host_that_is_named_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard_off(monkeypatch, tmp_path / "start", "harness.operations.locust_plan", "check_host = lambda *given: None")
    done = run([*LOCUST, "--headless", "-u", "1", "-t", "3s", "-H", "http://127.0.0.1:9"], tmp_path)
    assert done.code == 0, done.said
    loaded = load(only_folder(tmp_path / "results") / "plan.json")["targets"][0]["origins"].values()
    assert "http://127.0.0.1:9" not in loaded, "another host is loaded, and nothing is said"


@pytest.mark.parametrize(
    ("module", "change", "shown"),
    [
        ("harness.errors", "visible = lambda text, *, keep='': text", "\u202e"),
        ("harness.visits.blanking", "without = lambda secrets, text: text\nby_kind = lambda text: text", "token-of-portal-2"),
    ],
    ids=["visible", "blank"],
)
def test_without_it_the_terminal_is_given_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, change: str, shown: str
) -> None:
    guard_off(monkeypatch, tmp_path / "start", module, change)
    said: list[str] = []
    monkeypatch.setattr(test_walk, "walk", lambda *options: said.append((done := walk(*options)).stdout) or done)
    with pytest.raises(AssertionError):
        test_walk.test_secrets_are_blanked_and_what_a_terminal_obeys_is_visible(tmp_path, monkeypatch)
    assert shown in said[0]
