"""What a recorded sweep tells: its points, its claims, its faults, its pages, and the path from rows to points."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.errors import UsageError
from tests.e2e.claims import assert_claims
from tests.e2e.commands import invoke
from tests.e2e.conftest import Sweep
from tests.e2e.evidence import load
from tests.e2e.test_bad_input import assert_refused
from tests.e2e.withdrawals import assert_withdrawn
from tests.publish.pages import all_pages, page_of
from tests.publish.vietnamese import english_in
from tests.recorded.conftest import PORTALS

FILED = sorted(PORTALS - {"refusing"})


@pytest.mark.parametrize("portal", sorted(PORTALS))
def test_dossiers_and_payments_are_the_same_to_everybody(scored: Sweep, portal: str) -> None:
    assert_claims(scored.folder, portal)


@pytest.mark.parametrize("portal", FILED)
def test_what_was_filed_is_withdrawn(scored: Sweep, portal: str) -> None:
    assert_withdrawn(scored.folder, portal, at_least=20)


def test_a_withdrawal_finds_nothing_left(scored: Sweep) -> None:
    done = invoke(scored.folder.parent, "withdraw", "demo")
    assert done.code == 0, done.said
    assert re.fullmatch(r"(\d+) of \1 dossiers of the ledger are withdrawn\n", done.out)


def test_the_ledger_agrees_with_the_portals_own_count(scored: Sweep) -> None:
    done = invoke(scored.folder.parent, "reconcile", "demo", "--truth", "demo/counted.json")
    assert done.code == 0, done.said
    for portal in FILED:
        assert re.search(rf"^{portal} dossiers: (\d+) acknowledged to citizens, \1 counted outside", done.out, re.MULTILINE), done.said


def test_a_count_that_differs_is_told(folder: Path) -> None:
    counted = folder / "counted.json"
    counted.write_text(counted.read_text(encoding="utf-8").replace('"dossiers": 115', '"dossiers": 114', 1), encoding="utf-8")
    done = invoke(folder.parent, "reconcile", "demo", "--truth", "demo/counted.json")
    assert done.code == 5, done.said
    assert "DIFFER" in done.out


@pytest.mark.parametrize("portal", sorted(PORTALS))
def test_points_are_explained_from_the_rows(scored: Sweep, portal: str) -> None:
    score = scored.scores[portal]
    done = invoke(scored.folder.parent, "explain", "demo", portal)
    assert done.code == 0, done.said
    assert score["verdict"] in done.out
    for criterion in score["criteria"]:
        assert criterion["id"] in done.out
    faults = {entry["portal"]: entry["faults"] for entry in load(scored.folder / "faults.json")["portals"]}[portal]
    for fault in faults:
        named = f"{fault['fault']} at {fault['step']}" if fault["step"] else fault["fault"]
        assert f"{named}: {fault['count']} of {fault['of']} (" in done.out, done.said
    if not faults:
        assert "nothing went wrong" in done.out


def test_a_portal_that_is_not_in_the_sweep_is_refused(scored: Sweep) -> None:
    assert_refused(invoke(scored.folder.parent, "explain", "demo", "binh-dinh"), UsageError.exit_code, "PORTAL", "binh-dinh")


def test_the_report_names_every_portal_and_asks_nobody_for_anything(scored: Sweep) -> None:
    page = all_pages(scored.folder)
    assert page.count("<svg") > len(PORTALS)
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    for portal in PORTALS:
        assert f'<p class="small">{portal} ·' in page_of(scored.folder, portal)


def test_the_report_is_vietnamese_to_who_reads_vietnamese(scored: Sweep) -> None:
    ids = {word for portal in PORTALS for word in (portal, *portal.split("-"))}
    assert english_in(all_pages(scored.folder), frozenset(ids)) == []


def test_the_sweeps_of_a_folder_are_one_table(scored: Sweep) -> None:
    done = invoke(scored.folder.parent, "nights", ".")
    assert done.code == 0, done.said
    verdicts = {line.split()[0]: re.search(r"\b(valid|blocked)\b", line) for line in done.out.splitlines()}
    assert {portal: found[0] for portal, found in verdicts.items() if found} == {**dict.fromkeys(FILED, "valid"), "refusing": "blocked"}
