"""A portal on hosts of its own, loaded by an authorisation's leave: within its limits, and not one request without it.

The hosts are a simulator's that the tests start and `harness` knows nothing of; it is found as any operator's portal is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.catalog import Portal
from harness.operations.embedded import EmbeddedPortals
from harness.records.permitted_hours import VIETNAM
from tests.e2e.commands import LOCUST, Finished, free_port, harness, invoke, run, started
from tests.e2e.evidence import ledger, load, only_folder, rows, unfinished
from tests.e2e.small_catalog import portal, write_catalog

FAR = timedelta(days=30)
SWIFT = portal("swift", 8)


class Operator:
    """The portal's operator: has it up, and knows every request that came to it."""

    def __init__(self, embedded: EmbeddedPortals) -> None:
        self._embedded = embedded
        self.origins = embedded.origins("swift")

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What citizens asked the portal, in the order of coming; the gateway's notices came by no socket."""
        httpx.get(f"{self._embedded.control}/flush", timeout=30).raise_for_status()
        lines = httpx.get(f"{self._embedded.control}/truth", params={"portal": "swift"}, timeout=30).text
        return [request for request in map(json.loads, lines.splitlines()) if request["client_port"]]

    @property
    def counts(self) -> dict[str, Any]:
        """What stands in its database."""
        return dict(self._embedded.counts()["swift"])


@pytest.fixture
def operator() -> Iterator[Operator]:
    fields = {name: value for name, value in SWIFT.items() if name != "name_en"}
    embedded = EmbeddedPortals.start([Portal(**fields, name_en="Test portal")], seed=3)
    yield Operator(embedded)
    embedded.stop()


def write_permission(catalog: Path, operator: Operator, *, begins: timedelta = -FAR, ends: timedelta = FAR, **changes: Any) -> None:
    """An authorisation for ``swift``: portal and identity provider, no payments."""
    now = datetime.now(UTC)
    permission = {
        "id": "letter-7", "portal": "swift", "platform": "liferay", "reference": "made up for a test", "granted_by": "this test",
        "valid_from": (now + begins).isoformat(), "valid_to": (now + ends).isoformat(), "citizens_in_flight_max": 40, "requests_per_s_max": 1000,
        "captcha_exemption": {"reference": "made up for a test"},
        "hosts": [{"origin": operator.origins["portal"]}, {"origin": operator.origins["identity"], "role": "identity", "owner": "identity"}],
        **changes,
    }  # fmt: skip
    path = catalog / "authorisations" / "swift.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(permission), encoding="utf-8")


def run_swift(folder: Path, by: Callable[..., Finished] = harness) -> Finished:
    return by(folder, "run", "swift", "--workload", "tiny", "--criteria", "speed-only", "--catalog", "catalog")


def with_sandbox(operator: Operator) -> dict[str, Any]:
    """The same permission with a payment host on which no money moves."""
    payment = operator.origins["payment"]
    hosts = [
        {"origin": operator.origins["portal"]},
        {"origin": operator.origins["identity"], "role": "identity", "owner": "identity"},
        {"origin": payment, "role": "payment", "owner": "payment"},
    ]
    return {"hosts": hosts, "payment_sandbox": {"origin": payment}}


@pytest.mark.slow
def test_an_authorised_portal_is_measured_on_its_own_hosts(tmp_path: Path, operator: Operator) -> None:
    write_permission(write_catalog(tmp_path / "catalog"), operator, **with_sandbox(operator))
    done = run_swift(tmp_path)
    assert done.code == 0, done.said
    assert "by authorisation letter-7, at most 40 citizens at once" in done.err
    folder = only_folder(tmp_path / "results")
    found = rows(folder, "swift")
    assert set(found["host"]) == set(operator.origins.values())
    while_measured = [request for request in operator.requests if request["arrival_us"] <= found["end_us"].max()]  # then it withdraws
    assert (found["host"] == operator.origins["portal"]).sum() == len(while_measured)
    assert load(folder / "manifests" / "swift.json")["authorisation"] == "letter-7"
    assert load(folder / "scores.json")["scores"][0]["verdict"] == "valid"
    assert ledger(folder, "swift")["payment"] == operator.counts["payments"]["paid"] > 0
    assert load(folder / "plan.json")["rounds"][1]["slots"][0]["in_flight_ceiling"] == 40
    assert unfinished(folder) == []


def test_nothing_is_paid_without_a_sandbox(tmp_path: Path, operator: Operator) -> None:
    write_permission(write_catalog(tmp_path / "catalog"), operator)
    done = run_swift(tmp_path)
    assert done.code == 0, done.said
    assert "the authorisation names no payment sandbox: pay left out" in done.err
    found = rows(only_folder(tmp_path / "results"), "swift")
    assert set(found["journey"]) == {"search", "submit"}
    assert set(found["outcome"]) == {"ok"}
    assert operator.counts["withdrawn"] == operator.counts["dossiers"] > 0
    assert operator.counts["payments"]["paid"] == 0


def test_a_walk_pays_nothing_without_a_sandbox(tmp_path: Path, operator: Operator) -> None:
    write_permission(write_catalog(tmp_path / "catalog"), operator)
    done = harness(tmp_path, "walk", "swift", "--catalog", "catalog")
    assert done.code == 0, done.said
    assert "pay: left out, since the authorisation names no payment sandbox" in done.out
    assert operator.counts["withdrawn"] == operator.counts["dossiers"] == 1
    assert operator.counts["payments"]["paid"] == 0


REFUSED: Mapping[str, tuple[dict[str, timedelta], str]] = {
    "over": ({"ends": -timedelta(hours=1)}, "expected one that covers"),
    "not-yet": ({"begins": timedelta(hours=1)}, "expected one that covers"),
    "ends-soon": ({"ends": timedelta(seconds=20)}, "letter-7.valid_to"),  # the sweep may last longer than that
}


def test_not_one_request_goes_where_the_authorisation_does_not_reach(tmp_path: Path, operator: Operator) -> None:
    """Neither by `harness` nor by Locust, which is started in three folders at a time."""
    for name, (dates, told) in REFUSED.items():
        write_permission(write_catalog(tmp_path / name / "catalog"), operator, **dates)
        done = run_swift(tmp_path / name, by=invoke)
        assert done.code == 4, done.said
        assert told in done.err

    def by_locust(name: str) -> Finished:
        command = [*LOCUST, "--headless", "-u", "2", "-t", "3s", "--portal", "swift", "--workload", "tiny", "--catalog", "catalog"]
        return run([*command, "--web-port", free_port()], tmp_path / name)

    with ThreadPoolExecutor() as together:
        for finished in together.map(by_locust, REFUSED):
            assert finished.code == 4, finished.said
    assert operator.requests == []
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_rate_beyond_the_authorised_one_is_our_fault_and_stops(tmp_path: Path, operator: Operator) -> None:
    catalog = write_catalog(tmp_path / "catalog")
    write_permission(
        catalog, operator, requests_per_s_max=15, safety={"over_s": 1}
    )  # enough for the plan's mean, too little for its bursts
    done = run_swift(tmp_path)
    folder = only_folder(tmp_path / "results")
    (score,) = load(folder / "scores.json")["scores"]
    assert (score["verdict"], score["points"]) == ("void", None), done.said
    assert "held back (authorised rate" in done.err
    assert "beyond_authorisation" in json.dumps(load(folder / "manifests" / "swift.json"))


def test_a_permission_that_is_too_small_is_never_loaded_into_failure(tmp_path: Path, operator: Operator) -> None:
    """Its control is the run above it: what the permission covers is loaded."""
    write_permission(write_catalog(tmp_path / "catalog"), operator, citizens_in_flight_max=2)
    done = run_swift(tmp_path)
    assert done.code == 10, done.said
    assert "swift: typical needs citizens_in_flight_max 8 instead of 2: left out, and not assessed" in done.err
    folder = only_folder(tmp_path / "results")
    assert set(rows(folder, "swift")["stage"]) == {"lone"}
    assert set(rows(folder, "swift")["outcome"]) == {"ok"}
    (score,) = load(folder / "scores.json")["scores"]
    (criterion,) = score["criteria"]
    assert (criterion["state"], criterion["points"]) == ("not_assessed", None)
    assert criterion["reason"] == "not_permitted: typical needs citizens_in_flight_max 8 instead of 2"
    lacking = load(folder / "manifests" / "swift.json")["not_permitted"]
    assert [(each["limit"], each["allowed"], each["needed"]) for each in lacking][-1] == ("citizens_in_flight_max", 2, 8)


@pytest.mark.slow
def test_a_closed_run_keeps_to_the_ceiling(tmp_path: Path, operator: Operator) -> None:
    write_permission(write_catalog(tmp_path / "catalog"), operator, citizens_in_flight_max=3)
    only_searching = [*LOCUST[:2], str(Path(LOCUST[2]) / "search.py")]
    options = ["--headless", "-u", "12", "-r", "12", "-t", "6s", "--portal", "swift", "--catalog", "catalog", "--processes", "2"]
    done = run([*only_searching, *options, "--master-bind-port", (port := free_port()), "--master-port", port], tmp_path)
    assert done.code == 0, done.said
    folder = only_folder(tmp_path / "results")
    (sealed,) = [load(path) for path in folder.glob("rounds/round-*.json")]
    most = [outcome["stretches"]["swift"]["most_in_flight"] for outcome in sealed["outcome"]]
    assert sum(most) == 3
    sent = rows(folder, "swift").query("start_us > 0")
    assert len(sent) == len(operator.requests) > 10


@pytest.mark.slow
def test_what_locust_files_is_withdrawn_when_it_ends(tmp_path: Path, operator: Operator) -> None:
    write_permission(write_catalog(tmp_path / "catalog"), operator)
    only_filing = [*LOCUST[:2], str(Path(LOCUST[2]) / "submit.py")]
    done = run([*only_filing, "--headless", "-u", "4", "-r", "4", "-t", "16s", "--portal", "swift", "--catalog", "catalog"], tmp_path)
    assert done.code == 0, done.said
    folder = only_folder(tmp_path / "results")
    filed = ledger(folder, "swift")["dossier"]
    assert operator.counts["dossiers"] == operator.counts["withdrawn"] == filed > 0
    assert not (folder / "not-withdrawn.csv").exists()


def test_a_closed_run_that_would_pay_is_refused(tmp_path: Path, operator: Operator) -> None:
    write_permission(write_catalog(tmp_path / "catalog"), operator)
    done = run([*LOCUST, "--headless", "-u", "2", "-t", "3s", "--portal", "swift", "--catalog", "catalog"], tmp_path)
    assert done.code == 4, done.said
    assert "letter-7.payment_sandbox" in done.err + done.out
    assert operator.requests == []


@pytest.mark.slow
def test_arrivals_stop_at_the_end_of_the_permitted_hours(tmp_path: Path, operator: Operator) -> None:
    """Nothing is asked afterwards, though Locust's users are still there; its control is the time before."""
    ends = datetime.now(VIETNAM) + timedelta(seconds=100)
    ends = ends.replace(second=0, microsecond=0)
    hours = f"{ends - timedelta(hours=3):%H:%M}-{ends:%H:%M}"
    write_permission(write_catalog(tmp_path / "catalog"), operator, hours=[hours])
    command = [
        *LOCUST[:2],
        str(Path(LOCUST[2]) / "search.py"),
        "--headless",
        "-u",
        "4",
        "-r",
        "4",
        "--portal",
        "swift",
        "--catalog",
        "catalog",
    ]
    with started(command, tmp_path) as locust:
        locust.until(lambda: "held back (the permitted hours have ended)" in locust.said, "the end of the hours", at_most_s=150)
        assert datetime.now(VIETNAM) >= ends
        sent = len(operator.requests)
        time.sleep(5)  # its users ask four times a second as long as they may
        assert len(operator.requests) == sent > 10
        locust.interrupt()
        assert locust.ended() == 0, locust.said
    folder = only_folder(tmp_path / "results")
    (sealed,) = [load(path) for path in folder.glob("rounds/round-000-00.json")]
    assert sealed["held_back"] == {"swift": "the permitted hours have ended"}
    found = rows(folder, "swift").query("start_us > 0")
    assert len(found) == sent
    began = datetime.fromisoformat(sealed["began_utc"])
    last = began + timedelta(microseconds=int(found["start_us"].max()) - sealed["start_us"])
    assert last < ends + timedelta(seconds=1)
