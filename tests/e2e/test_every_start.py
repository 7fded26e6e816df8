"""Every start refuses, before any packet, what the authorisation does not permit now: whichever command, and Locust by itself.

The portal is a socket that nobody reads from: a connection to it would wait there.
"""

from __future__ import annotations

import json
import select
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.cli import main
from harness.evidence import SweepFolder
from harness.operations.journeys import journeys_of_folder
from harness.operations.portal_hosts import hosts_for_dry_run
from harness.operations.shipped import scenarios_folder, shipped_catalog
from harness.operations.sweep_plan import make_plan
from harness.records import LedgerLine, append_to_ledger, run_id
from harness.records.permitted_hours import VIETNAM
from tests.e2e.commands import LOCUST, Finished, free_port, harness, invoke, run, started
from tests.e2e.small_catalog import write_catalog

IDENTITY, PAYMENT = "http://127.0.0.2:1", "http://127.0.0.3:1"
ELSEWHERE = "http://portal.example.invalid:80"
"""An operator's address that is not on loopback: that one needs no permission."""

SENDING: Mapping[str, tuple[str, ...]] = {
    "walk": ("walk", "swift", "--catalog", "catalog"),
    "run": ("run", "swift", "--workload", "tiny", "--criteria", "speed-only", "--catalog", "catalog"),
    "sweep": ("sweep", "swift", "sluggish", "--workload", "tiny", "--criteria", "speed-only", "--catalog", "catalog"),
    "capacity": ("capacity", "swift", "--objective", "p95 <= 10 s", "--catalog", "catalog"),
    "probe": ("probe", "swift", "--once", "--criteria", "speed-only", "--catalog", "catalog"),
    "withdraw": ("withdraw", "results/evening", "--catalog", "catalog"),
    "reconcile": ("reconcile", "results/evening", "--truth", f"{ELSEWHERE}/counts", "--catalog", "catalog"),
    "supply": ("supply", "results/evening", "swift", "--from", f"{ELSEWHERE}/metrics", "--metric", "busy", "--role", "database", "--catalog", "catalog"),
}  # fmt: skip
"""The commands that may send requests to a portal's hosts."""
WALKING = ("walk", "probe")
BY_PLAN = {"resume"}
"""Those that start Locust with a plan that lies there, as ``given_plan`` does below."""
SILENT = {
    "bundle", "calibrate", "compare", "demo", "doctor", "draft", "explain", "export", "gc", "init", "keys", "letter", "nights", "pack", "publication", "push",
    "report", "review", "score", "seal", "serve", "settle", "simulate", "status", "stop", "total", "validate", "verify", "workload",
}  # fmt: skip
"""Those that send it nothing: they read, or talk to embedded portals and to the main evaluation only. ``demo`` is a sweep."""


def closed_now() -> str:
    """Hours that begin three hours from now."""
    begin = datetime.now(UTC).astimezone(VIETNAM) + timedelta(hours=3)
    return f"{begin:%H:%M}-{begin + timedelta(hours=2):%H:%M}"


def days(begin: int, end: int) -> dict[str, str]:
    now = datetime.now(UTC)
    return {"valid_from": (now + timedelta(days=begin)).isoformat(), "valid_to": (now + timedelta(days=end)).isoformat()}


CAUSES: Mapping[str, Callable[[], dict[str, Any]]] = {
    "expired": lambda: days(-3, -1),
    "not yet": lambda: days(1, 3),
    "hours": lambda: {"hours": [closed_now()]},
    "source address": lambda: {"source_addresses": ["203.0.113.0/24"]},
}
TOLD = {"expired": "covers", "not yet": "covers", "hours": "letter-7.hours", "source address": "letter-7.source_addresses"}


class Place:
    """A folder with a catalog, an evening's sweep with one dossier, and a portal that notes whether anybody connected."""

    def __init__(self, folder: Path, portal: socket.socket) -> None:
        self.folder, self._portal = folder, portal
        self.origin = f"http://127.0.0.1:{portal.getsockname()[1]}"

    def permit(self, **changes: Any) -> None:
        """Write an authorisation that permits everything but the changes."""
        permission = {
            "id": "letter-7", "portal": "swift", "platform": "liferay", "reference": "made up for a test", "granted_by": "this test",
            **days(-3, 3), "citizens_in_flight_max": 400, "requests_per_s_max": 1000, "payment_sandbox": {"origin": PAYMENT},
            "hosts": [
                {"origin": self.origin}, {"origin": IDENTITY, "role": "identity", "owner": "identity"},
                {"origin": PAYMENT, "role": "payment", "owner": "payment"}, {"origin": ELSEWHERE, "role": "monitoring"},
            ],
            **changes,
        }  # fmt: skip
        path = self.folder / "catalog" / "authorisations" / "swift.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(permission), encoding="utf-8")

    def assert_nobody_came(self) -> None:
        assert select.select([self._portal], [], [], 0)[0] == []


@pytest.fixture
def place(tmp_path: Path, evening: Path) -> Iterator[Place]:
    shutil.copytree(evening, tmp_path, dirs_exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as portal:
        yield Place(tmp_path, portal)


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog, and what a sweep of an evening left behind: a plan, and a dossier at the authorised portal."""
    place = tmp_path_factory.mktemp("evening")
    write_catalog(place / "catalog")
    with socket.create_server(("127.0.0.1", 0)) as portal:
        Place(place, portal).permit()
    found = shipped_catalog(place / "catalog")
    hosts = hosts_for_dry_run([found.portals["swift"]], found, datetime.now(UTC))
    folder = SweepFolder(place / "results" / "evening")
    folder.path.mkdir(parents=True)
    plan = make_plan("evening", hosts.portals, found.workloads["tiny"], seed=1, results=Path("results/evening"), night="2026-01-01")
    folder.plan.write_text(replace(plan, criteria="speed-only").to_json(), encoding="utf-8")
    append_to_ledger(folder.ledger, [LedgerLine("swift", run_id("swift", 1), 0, "H-1", "dossier", "submit", "submit")])
    return place


def test_every_command_is_known_to_send_or_not_to_send() -> None:
    """A new command belongs in one of these lists. Commands that send are tried below."""
    assert SENDING.keys() | BY_PLAN | SILENT == main.commands.keys()
    assert not (SENDING.keys() | BY_PLAN) & SILENT


@pytest.mark.parametrize(
    "cause", ["hours", "source address", *(pytest.param(each, marks=pytest.mark.slow) for each in ("expired", "not yet"))]
)
@pytest.mark.parametrize("command", [pytest.param(each, marks=pytest.mark.slow) if each in WALKING else each for each in SENDING])
def test_no_command_sends_anything_then(place: Place, command: str, cause: str) -> None:
    place.permit(**CAUSES[cause]())
    by = harness if command in WALKING else invoke  # walking loads Locust, which changes the process
    done = by(place.folder, *SENDING[command])
    if command == "probe" and done.code == 0:  # its line says that nothing was sent
        assert "not_permitted" in done.out
    elif command == "withdraw":  # it lists the dossier, with the reason
        assert done.code == 7, done.said
    elif cause == "source address" and command in ("reconcile", "supply") and "letter-7.source_addresses" not in done.err:
        assert done.code == 5, done.said  # a machine without any route: the name leads nowhere
        return
    else:
        assert done.code == 4, done.said
    assert TOLD[cause] in done.said
    place.assert_nobody_came()


def locust(place: Place, *options: str) -> Finished:
    return run([*LOCUST, "--headless", "-t", "2s", "--catalog", "catalog", "--web-port", free_port(), *options], place.folder)


def given_plan(place: Place) -> Finished:
    return locust(place, "--plan", "results/evening/plan.json", "-u", "1")


def host_of_the_portal(place: Place) -> Finished:
    return locust(place, "--portal", "swift", "-H", place.origin, "-u", "2")


def host_of_nobody(place: Place) -> Finished:
    return locust(place, "-H", place.origin, "-u", "2")


def open_workload(place: Place) -> Finished:
    return locust(place, "--portal", "swift", "--workload", "tiny", "-u", "2")


def page(place: Place) -> Finished:
    """Locust's own page: its form starts the test."""
    port = free_port()
    with started([*LOCUST, "--web-port", port, "--portal", "swift", "--catalog", "catalog"], place.folder) as process:
        process.until(lambda: answers(port), "the page")
        httpx.post(f"http://127.0.0.1:{port}/swarm", data={"user_count": "2", "spawn_rate": "1"}, timeout=30).raise_for_status()
        process.until(lambda: "letter-7" in process.said or "covers" in process.said, "a refusal")
        return Finished(4, process.said, "")


def answers(port: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=5).is_success
    except httpx.HTTPError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("start", [given_plan, host_of_the_portal, open_workload, page])
def test_locust_sends_nothing_then(place: Place, start: Callable[[Place], Finished], cause: str) -> None:
    place.permit(**CAUSES[cause]())
    done = start(place)
    assert done.code == 4, done.said
    assert TOLD[cause] in done.said
    place.assert_nobody_came()


@pytest.mark.slow
@pytest.mark.parametrize("start", [given_plan, host_of_the_portal])
@pytest.mark.parametrize(
    ("changes", "key"),
    [({"journeys": ["search"]}, "journeys"), ({"payment_sandbox": None, "hosts": None}, "payment_sandbox")],
)
def test_locust_walks_no_journey_that_is_not_permitted(
    place: Place, start: Callable[[Place], Finished], changes: dict[str, Any], key: str
) -> None:
    hosts = [{"origin": place.origin}, {"origin": IDENTITY, "role": "identity", "owner": "identity"}]
    place.permit(**changes | ({"hosts": hosts} if "hosts" in changes else {}))
    done = start(place)
    assert done.code == 4, done.said
    assert f"letter-7.{key}" in done.said
    place.assert_nobody_came()


@pytest.mark.slow
def test_a_host_without_an_authorisation_is_refused(place: Place) -> None:
    done = host_of_nobody(place)
    assert done.code == 2, done.said
    place.assert_nobody_came()


def test_a_plan_leaves_out_journeys_and_the_command_says_so(place: Place) -> None:
    place.permit(journeys=["search"])
    done = invoke(place.folder, *SENDING["sweep"], "--dry-run")
    assert done.code == 0, done.said
    assert "swift: terms of letter-7: only the journeys search" in done.out
    assert journeys_of_folder(scenarios_folder()).keys() == {"search", "submit", "pay"}
