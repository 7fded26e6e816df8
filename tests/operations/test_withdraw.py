"""Withdrawal: every dossier of the ledger is taken back by who filed it; what cannot be is listed with its reason."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from harness.catalog import load_catalog
from harness.catalog.authorisation import Authorisation, Host
from harness.cli import main
from harness.evidence.filed_dossiers import NOT_WITHDRAWN, WITHDRAWALS, read_filed_dossiers
from harness.operations.dossiers import request_rate
from harness.operations.dossiers import withdraw as withdrawal
from harness.operations.dossiers.operators_list import UNSEEN
from harness.operations.dossiers.request_rate import RequestRate
from harness.operations.dossiers.withdraw import withdraw
from harness.operations.embedded import EmbeddedPortals, end_earlier, ports_of
from harness.records import read_plan
from harness.records.sweep_journal import JournalLine, append_to_journal
from harness.visits.person import MARK
from tests.operations.endpoint import Answer, endpoint
from tests.operations.filing import portal, said, start, sweep_folder, with_portals

SCENARIOS = Path(__file__).parents[2] / "scenarios"
FAMILIES = ("liferay", "national", "igate-formio", "igate-php", "eform", "opencps")
PORTALS = tuple(map(portal, FAMILIES))
CATALOG = with_portals(load_catalog(SCENARIOS), PORTALS)


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedPortals]:
    running = start(PORTALS)
    yield running
    running.stop()


def dossiers(embedded: EmbeddedPortals, name: str) -> list[dict[str, str]]:
    return list(httpx.get(f"{embedded.control}/dossiers", params={"portal": name}).json())


def listed(folder: Path) -> list[dict[str, str]]:
    text = (folder / NOT_WITHDRAWN).read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(text.decode("utf-8-sig").splitlines()))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fresh_visit_of_the_same_person_withdraws_on_every_family(embedded: EmbeddedPortals, tmp_path: Path, family: str) -> None:
    before = {item["code"] for item in dossiers(embedded, family)}
    folder = sweep_folder(tmp_path, CATALOG, [p for p in PORTALS if p.id == family], embedded, visits=3)
    lines, progress = said()
    record = withdraw(folder, CATALOG, progress)
    assert not record.not_withdrawn(), lines
    mine = [item for item in dossiers(embedded, family) if item["code"] not in before]
    assert [item["status"] for item in mine] == ["withdrawn"] * 3
    facts = json.loads((folder.path / WITHDRAWALS).read_text(encoding="utf-8"))
    assert (facts["dossiers"], facts["withdrawn"], facts["not_withdrawn"]) == (3, 3, 0)
    assert facts["withdrawn_counted_by_portal"][family] >= 3
    assert not (folder.path / NOT_WITHDRAWN).exists()
    assert lines[0] == "withdrawing 3 dossiers of 1 portals"
    assert not folder.samples.exists()  # nothing of it is evidence


def test_the_ledger_holds_what_withdrawal_needs_and_no_login(embedded: EmbeddedPortals, tmp_path: Path) -> None:
    folder = sweep_folder(tmp_path, CATALOG, PORTALS, embedded, visits=1)
    entries = [json.loads(line) for line in folder.ledger.read_text(encoding="utf-8").splitlines()]
    kept = {entry["portal"]: sorted(entry.get("kept", {})) for entry in entries if entry["kind"] == "dossier"}
    assert kept == {
        "liferay": ["own_url"], "eform": ["own_url"], "igate-php": ["own_url"], "national": [], "igate-formio": ["draft"], "opencps": ["draft"],
    }  # fmt: skip


def test_a_second_withdrawal_does_only_what_is_left(embedded: EmbeddedPortals, tmp_path: Path) -> None:
    folder = sweep_folder(tmp_path, CATALOG, PORTALS[:1], embedded, visits=4)
    whole = folder.ledger.read_text(encoding="utf-8")
    folder.ledger.write_text("".join(whole.splitlines(keepends=True)[:3]) + whole[:20], encoding="utf-8")  # as if it had crashed
    lines, progress = said()
    withdraw(folder, CATALOG, progress)
    assert lines[0] == f"{folder.ledger}: the last line was cut off by a crash and is left out"
    done = len(read_filed_dossiers(folder).filed)
    assert 0 < done < 4
    folder.ledger.write_text(whole, encoding="utf-8")
    lines, progress = said()
    assert not withdraw(folder, CATALOG, progress).not_withdrawn()
    assert lines[0] == f"withdrawing {4 - done} dossiers of 1 portals"
    assert withdraw(folder, CATALOG, pytest.fail).became  # nothing is left: nothing is said or sent


def test_what_the_portal_never_stored_is_listed_with_its_reason(embedded: EmbeddedPortals, tmp_path: Path) -> None:
    tell = {"portal": "eform", "faults": ["not_stored"]}
    httpx.post(f"{embedded.control}/faults", json=tell).raise_for_status()
    try:
        folder = sweep_folder(tmp_path, CATALOG, [p for p in PORTALS if p.id == "eform"], embedded, visits=1)
    finally:
        httpx.post(f"{embedded.control}/faults", json={"portal": "eform", "faults": []}).raise_for_status()
    lines, progress = said()
    (left,) = withdraw(folder, CATALOG, progress).not_withdrawn()
    (row,) = listed(folder.path)
    assert (row["portal"], row["code"], row["visit"]) == ("eform", left.key.code, "0")
    assert row["reason"].startswith("log_in: ")
    assert MARK in row["note"]
    assert any(f"eform {left.key.code} (visit 0): log_in: " in line for line in lines)
    assert any("1 dossiers could NOT be withdrawn" in line and NOT_WITHDRAWN in line for line in lines)


def test_a_platform_without_withdrawal_lists_all_of_its_dossiers(embedded: EmbeddedPortals, tmp_path: Path) -> None:
    folder = sweep_folder(tmp_path, CATALOG, PORTALS[:1], embedded)
    platform = CATALOG.platforms["liferay"]
    goals = {name: goal for name, goal in platform.goals.items() if name != "withdraw"}
    lacking = platform.model_copy(update={"goals": goals, "absent": {"withdraw": "only at the counter"}})
    lines, progress = said()
    withdraw(folder, replace(CATALOG, platforms={**CATALOG.platforms, "liferay": lacking}), progress)
    assert [row["reason"] for row in listed(folder.path)] == ["the platform has no withdrawal: only at the counter"] * 2
    said_of_them = [line for line in lines if "only at the counter" in line]
    assert said_of_them == [f"  {PORTALS[0].id}, 2 dossiers: the platform has no withdrawal: only at the counter"]  # one line, however many
    assert not any("try them again" in line for line in lines)


def test_portals_that_are_gone_are_said_to_be_gone(tmp_path: Path) -> None:
    gone = start(PORTALS[:1])
    folder = sweep_folder(tmp_path, CATALOG, PORTALS[:1], gone)
    gone.stop()
    done = CliRunner().invoke(main, ["withdraw", str(tmp_path)])
    assert done.exit_code == 7
    assert "catalog" in done.stderr  # `liferay` is a portal of this test's catalog alone
    withdraw(folder, CATALOG, said()[1])
    assert {row["reason"] for row in listed(tmp_path)} == {withdrawal.NOT_UP}


def test_what_was_stored_when_an_attempt_ended_is_listed_although_no_citizen_was_told(embedded: EmbeddedPortals, tmp_path: Path) -> None:
    folder = sweep_folder(tmp_path, CATALOG, PORTALS[:1], embedded, visits=2)
    told, *rest = folder.ledger.read_text(encoding="utf-8").splitlines(keepends=True)
    folder.ledger.write_text(told, encoding="utf-8")
    (unseen,) = {json.loads(line)["code"] for line in rest if json.loads(line)["kind"] == "dossier"} - {json.loads(told)["code"]}
    for attempt in (1, 2):
        append_to_journal(folder.journal, JournalLine(attempt, "begun", "2026-11-22T01:00:00+00:00"))
    lines, progress = said()
    assert not withdraw(folder, CATALOG, progress).not_withdrawn()
    rows = {row["code"]: row["reason"] for row in listed(folder.path) if row["portal"] == "liferay"}
    assert rows[unseen] == UNSEEN
    assert json.loads(told)["code"] not in rows
    assert unseen in json.loads((folder.path / WITHDRAWALS).read_text(encoding="utf-8"))["unseen"]["liferay"]
    assert any("of which no citizen was told" in line for line in lines)


def test_embedded_portals_come_back_on_their_ports_with_their_database(tmp_path: Path) -> None:
    kept = tmp_path / "portals"
    first = EmbeddedPortals.start(PORTALS[:1], seed=7, kept=kept)
    folder = sweep_folder(tmp_path, CATALOG, PORTALS[:1], first)
    before = dossiers(first, "liferay")
    first.stop()
    again = EmbeddedPortals.start(PORTALS[:1], seed=7, kept=kept, ports=ports_of(read_plan(folder.plan)))
    try:
        assert (again.control, again.origins("liferay")) == (first.control, first.origins("liferay"))
        assert dossiers(again, "liferay") == before
        assert not withdraw(folder, CATALOG, said()[1]).not_withdrawn()
        end_earlier(kept, print)  # as where their sweep has died and a worker still keeps them up
        assert again._process.wait(10) is not None
    finally:
        again.stop()


def test_a_portal_that_fails_again_and_again_is_left_alone(embedded: EmbeddedPortals, tmp_path: Path) -> None:
    folder = sweep_folder(tmp_path, CATALOG, PORTALS[:1], embedded, visits=30)
    httpx.post(f"{embedded.control}/personality", json={"portal": "liferay", "refuses": "forbidden"}).raise_for_status()
    try:
        before = httpx.get(f"{embedded.control}/counts").json()["liferay"]["requests"]
        withdraw(folder, CATALOG, said()[1])
        sent = httpx.get(f"{embedded.control}/counts").json()["liferay"]["requests"] - before
    finally:
        httpx.post(f"{embedded.control}/personality", json={"portal": "liferay", "refuses": "none"}).raise_for_status()
    reasons = [row["reason"] for row in listed(tmp_path)]
    assert len(reasons) == 30
    assert sum("blocked" in reason for reason in reasons) == sent < 30
    assert sum(reason.startswith("not tried: ") for reason in reasons) == 30 - sent
    assert not withdraw(folder, CATALOG, said()[1]).not_withdrawn()  # the next attempt finds it well


def permission(embedded: EmbeddedPortals, *, days: int) -> Authorisation:
    now = datetime.now(UTC)
    origins = embedded.origins("liferay")
    owners = {"portal": "portal", "identity": "identity"}
    return Authorisation(
        id="test-permission", portal="liferay", platform="liferay", reference="a test", granted_by="ourselves",
        valid_from=now - timedelta(days=2), valid_to=now + timedelta(days=days),
        hosts=tuple(Host(origin=origins[role], role=role, owner=owner) for role, owner in owners.items()),  # type: ignore[arg-type]
        citizens_in_flight_max=4, requests_per_s_max=40,
    )  # fmt: skip


def test_authorised_hosts_are_asked_at_half_of_their_limits(embedded: EmbeddedPortals, tmp_path: Path) -> None:
    catalog = replace(CATALOG, authorisations={"test-permission": permission(embedded, days=1)})
    folder = sweep_folder(tmp_path, catalog, PORTALS[:1], embedded, visits=5, authorisation="test-permission")
    before = httpx.get(f"{embedded.control}/counts").json()
    began = time.monotonic()
    lines, progress = said()
    assert not withdraw(folder, catalog, progress).not_withdrawn(), lines
    took_s = time.monotonic() - began
    after = httpx.get(f"{embedded.control}/counts").json()
    sent = sum(after[name]["requests"] - before[name]["requests"] for name in ("liferay", "identity"))
    assert sent > 20
    assert took_s > (sent - 6) / 20  # some of the requests are the portal's own, to the identity provider


@pytest.mark.parametrize(("refusals", "tries"), [(2, 3), (99, withdrawal.TRIES_OF_OVERLOADED)])
def test_a_portal_that_has_too_much_to_do_is_left_alone_for_a_while_and_tried_again(
    embedded: EmbeddedPortals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int, tries: int
) -> None:
    monkeypatch.setattr(request_rate, "REST_S", 0.05)
    whole = CATALOG.platforms["liferay"]
    one_request = {"steps": [{"step": "withdraw", "requests": [{"get": "{{ origin.portal }}/withdraw", "expect": {"status": 200}}]}]}
    goal = type(whole.goals["withdraw"]).model_validate(one_request)
    with endpoint(*[Answer(status=503)] * refusals, Answer()) as busy:
        hosts = tuple(
            each.model_copy(update={"origin": busy.url.removesuffix("/metrics")}) if each.role == "portal" else each
            for each in permission(embedded, days=1).hosts
        )
        busily = permission(embedded, days=1).model_copy(update={"hosts": hosts})
        catalog = replace(
            CATALOG, authorisations={"test-permission": busily},
            platforms={**CATALOG.platforms, "liferay": whole.model_copy(update={"goals": {**whole.goals, "withdraw": goal}})},
        )  # fmt: skip
        folder = sweep_folder(tmp_path, CATALOG, PORTALS[:1], embedded, visits=1, authorisation="test-permission")
        lines, progress = said()
        left = withdraw(folder, catalog, progress).not_withdrawn()
    assert len(busy.asked) == tries, lines
    assert bool(left) is (refusals > tries)
    assert [line for line in lines if "try them again" in line] == [f"try them again: harness withdraw {folder.path}"] * len(left)


def test_a_portal_that_has_too_much_to_do_is_asked_more_slowly() -> None:
    rate = RequestRate(1000.0)
    for _ in range(9):
        rate.slow_down(0.0)  # answers of one burst are one
    began = time.monotonic()
    for _ in range(3):
        rate.wait()
    assert time.monotonic() - began + 0.001 >= 2 * request_rate.FIRST_SPACE_S


def test_without_a_permission_nothing_is_sent(embedded: EmbeddedPortals, tmp_path: Path) -> None:
    catalog = replace(CATALOG, authorisations={"test-permission": permission(embedded, days=-1)})
    folder = sweep_folder(tmp_path, catalog, PORTALS[:1], embedded, authorisation="test-permission")
    before = httpx.get(f"{embedded.control}/counts").json()["liferay"]["requests"]
    withdraw(folder, catalog, said()[1])
    assert httpx.get(f"{embedded.control}/counts").json()["liferay"]["requests"] == before
    assert all("test-permission" in row["reason"] for row in listed(tmp_path))


@pytest.mark.slow
def test_an_interrupted_withdrawal_is_taken_up_again(embedded: EmbeddedPortals, tmp_path: Path) -> None:
    catalog_folder = tmp_path / "catalog"
    slowly = permission(embedded, days=1).model_dump(mode="json") | {"requests_per_s_max": 16}
    traits = {"id": "liferay", "name_vi": "Cổng thử", "name_en": "Test portal", "level": "sample", "embedded_platform": "liferay"}
    for kind, data in (("portals", {"portals": [traits]}), ("authorisations", slowly)):
        (catalog_folder / kind).mkdir(parents=True)
        (catalog_folder / kind / "test.yaml").write_text(json.dumps(data), encoding="utf-8")  # JSON is YAML
    folder = sweep_folder(tmp_path / "sweep", CATALOG, PORTALS[:1], embedded, visits=8, authorisation="test-permission")
    command = [sys.executable, "-m", "harness.cli", "withdraw", str(folder.path), "--catalog", str(catalog_folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as under_way:
        assert under_way.stdout is not None
        assert under_way.stdout.readline() == "· withdrawing 8 dossiers of 1 portals\n"
        time.sleep(3.5)
        under_way.send_signal(signal.SIGINT)
        said_then = under_way.stdout.read()
    assert under_way.returncode != 0
    assert "could NOT be withdrawn" in said_then
    assert "Traceback" not in said_then
    done = json.loads((folder.path / WITHDRAWALS).read_text(encoding="utf-8"))["withdrawn"]
    assert 0 < done < 8, said_then
    again = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert again.returncode == 0, again.stderr
    assert f"withdrawing {8 - done} dossiers of 1 portals" in again.stderr
    assert again.stdout == "8 of 8 dossiers of the ledger are withdrawn\n"
    assert not (folder.path / NOT_WITHDRAWN).exists()
