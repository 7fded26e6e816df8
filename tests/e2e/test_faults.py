"""A short sweep over portals that each have one fault: the report and the data name it, and nothing else."""

from __future__ import annotations

import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import invoke
from tests.e2e.conftest import Sweep, sweep
from tests.e2e.evidence import ledger, load, rows, steps
from tests.e2e.small_catalog import criteria, portal, workload
from tests.publish.pages import page_of

FAULTS = {  # portal: its faults, and the step and name under which the report is to have them
    "two-hundred-but-no": (["rejected_200"], "submit", "submission_rejected"),
    "same-answer": (["csrf_same_302", "stale_csrf"], "submit", "accepted_without_effect"),
    "short-sessions": (["session_expires"], "submit", "session_expired"),
    "no-callback": (["callback_lost"], "confirm_payment", "callback_lost"),
    "forgetful": (["not_stored"], "track", "acknowledged_not_stored"),
    "same-codes": (["colliding_codes"], "submit", "code_given_twice"),
}
ALSO = {"forgetful": {"acknowledged_not_found"}, "same-codes": {"acknowledged_not_stored", "wrong_content"}}  # what follows from the fault
CLEAN = "clean"
VISITS = {"submit": 8, "pay": 8}


def filed() -> dict[str, Any]:
    """Twenty points for the share of submissions that end well."""
    whole = criteria()
    (criterion,) = whole["criteria"]
    criterion |= {
        "id": "filed", "metric": "ok_rate", "heading": "correctness", "select": {"journey": ["submit"], "step": ["submit"], "stage": "typical"},
        "curve": {**criterion["curve"], "full": 99, "none": 90},
    }  # fmt: skip
    return {**whole, "id": "filed"}


def faulty_catalog(folder: Path) -> Path:
    """One portal a fault, one without; four seconds of dossiers and payments at each."""
    found = [portal(name, 8, faults=dict.fromkeys(faults, 1.0)) for name, (faults, _, _) in FAULTS.items()]
    found.append(portal(CLEAN, 8))
    members = [{"basis": "assumed: made up for a test", "portals": [each["id"] for each in found]}]
    sets = {"faults": {"name_vi": "Cổng có lỗi", "name_en": "Portals with faults", "members": members}}
    files = {
        "portals/faults.yaml": {"portals": found, "sets": sets},
        "workloads/brief.yaml": workload("brief", 4, VISITS),
        "criteria/filed.yaml": filed(),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    folder = tmp_path_factory.mktemp("faults")
    faulty_catalog(folder / "catalog")
    options = ("--workload", "brief", "--criteria", "filed", "--catalog", "catalog", "--seed", "5")
    return sweep(folder, "sweep", "--set", "faults", *options, code=10)  # some portals have no points: no lone citizen gets through


def faults_of(found: Sweep, name: str) -> list[dict[str, Any]]:
    (entry,) = [entry for entry in load(found.folder / "faults.json")["portals"] if entry["portal"] == name]
    faults: list[dict[str, Any]] = entry["faults"]
    return faults


def section(found: Sweep, name: str) -> str:
    """What the report says went wrong at a portal, as text."""
    (article,) = page_of(found.folder, name).split("<article ")[1:]
    return html.unescape(article.split("What went wrong</span></h2>")[1].split("<h2>")[0])


def index(found: Sweep, name: str) -> list[dict[str, Any]]:
    path = found.folder / "pages" / name / "index.json"
    return list(load(path)["pages"]) if path.is_file() else []


NAMES = {
    "submission_rejected": "Status 200, but the page says that the dossier is rejected",
    "accepted_without_effect": "Answered as if accepted, and nothing was stored",
    "session_expired": "The session expired midway",
    "callback_lost": "the payment's confirmation never reached the portal",
    "acknowledged_not_stored": "Acknowledged with a code, but the dossier was never stored",
    "code_given_twice": "One dossier code given to several citizens",
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_named_in_the_data_and_in_the_report(faulty: Sweep, name: str) -> None:
    _, step, meaning = FAULTS[name]
    found = {fault["fault"]: fault for fault in faults_of(faulty, name)}
    assert meaning in found
    assert found[meaning]["step"] == step
    assert 0 < found[meaning]["count"] <= found[meaning]["of"]
    assert NAMES[meaning] in section(faulty, name)
    assert set(found) - {meaning} <= ALSO.get(name, set()), "nothing else went wrong"


@pytest.mark.parametrize("name", FAULTS)
def test_a_journey_that_fails_for_every_lone_citizen_is_unproven_and_not_loaded(faulty: Sweep, name: str) -> None:
    _, step, meaning = FAULTS[name]
    walks = [walk for path in faulty.folder.glob("rounds/*.json") for walk in load(path).get("lone_walks", ()) if walk["portal"] == name]
    through = {walk["journey"] for walk in walks if walk["outcome"] == "ok"}
    loaded = set(rows(faulty.folder, name).query("stage != 'lone'")["journey"])
    assert loaded == through & {*VISITS}
    reasons = [reason["detail"] for reason in faulty.scores[name]["reasons"] if reason["code"] == "journey_unproven"]
    assert {detail.split("/")[0] for detail in reasons} == {*VISITS} - through
    assert {*VISITS} <= through or any(
        f"/{step}, wrong_content" in detail and meaning in detail and "pages/" in detail for detail in reasons
    )


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "same-codes"])
def test_no_fault_counts_as_a_success(faulty: Sweep, name: str) -> None:
    _, step, meaning = FAULTS[name]
    done = steps(faulty.folder, name, step)
    failed = sum(fault["count"] for fault in faults_of(faulty, name) if fault["fault"] == meaning and fault["step"] == step)
    assert len(done) == failed > 0
    assert not done["ok"].any()


@pytest.mark.parametrize("name", [*FAULTS, CLEAN])
def test_failures_are_counted_as_often_as_rows_show_them(faulty: Sweep, name: str) -> None:
    slots = [slot for path in faulty.folder.glob("rounds/*.json") for slot in load(path)["slots"] if slot["portal"] == name]
    counted = sum(failure["count"] for slot in slots for window in slot["windows"] for failure in window["failures"])
    found = rows(faulty.folder, name)
    assert counted == int((~found["outcome"].isin(["ok", "skipped"])).sum())


def test_dossiers_that_share_a_code_are_no_dossiers_of_their_own(faulty: Sweep) -> None:
    (fault,) = [fault for fault in faults_of(faulty, "same-codes") if fault["fault"] == "code_given_twice"]
    counted = load(faulty.folder / "counted.json")["same-codes"]
    assert counted["duplicates"] > 0
    assert len(fault["codes"]) == fault["count"]
    assert ledger(faulty.folder, "same-codes")["dossier"] == counted["dossiers"] == fault["of"]
    shared = faulty.manifest("same-codes")["shared_codes"]
    assert sorted(shared) == sorted(fault["codes"])
    (score,) = [criterion for criterion in faulty.scores["same-codes"]["criteria"] if criterion["id"] == "filed"]
    done = steps(faulty.folder, "same-codes", "submit")
    scored = done[(done["journey"] == "submit") & (done["visit"] >= 1_000_000)]  # without the lone citizen's
    own = scored[~scored["visit"].isin([visit for visits in shared.values() for visit in visits])]
    assert score["n"] == len(scored)
    assert score["value"] == pytest.approx(100 * len(own) / len(scored), abs=0.01)
    assert score["value"] < 100
    assert [each["value"] for each in faulty.scores[CLEAN]["criteria"]] == [100]


def test_where_there_is_no_fault_none_is_reported(faulty: Sweep) -> None:
    assert faults_of(faulty, CLEAN) == []
    assert index(faulty, CLEAN) == []
    assert "No step failed" in section(faulty, CLEAN)
    assert bool((rows(faulty.folder, CLEAN)["outcome"] == "ok").all())
    assert steps(faulty.folder, CLEAN, "submit")["ok"].sum() >= sum(VISITS.values())


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "same-codes"])
def test_the_first_pages_are_kept_with_what_failed_on_them(faulty: Sweep, name: str) -> None:
    _, step, meaning = FAULTS[name]
    pages = [page for page in index(faulty, name) if page["means"] == meaning and page["step"] == step]
    assert len({(page["goal"], page["rule"]) for page in pages}) * 3 >= len(pages) >= 3
    for page in pages:
        path = faulty.folder / page["file"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == page["sha256"]
        assert page["outcome"] == "wrong_content"
        assert page["url"].startswith("http://127.0.0.1:")
        assert page["status"] == 200
        assert not page["truncated"]
        assert re.search(rf"^pages/{name}/{step}-wrong_content-\d+\.html$", page["file"])
    listed = {entry["file"]: entry["sha256"] for entry in faulty.manifest(name)["pages"]}
    assert {page["file"]: page["sha256"] for page in index(faulty, name)}.items() <= listed.items()
    assert pages[0]["file"] in section(faulty, name)


def test_explain_says_it_too(faulty: Sweep) -> None:
    root = faulty.folder.parents[1]
    said = invoke(root, "explain", str(faulty.folder), "two-hundred-but-no", "--catalog", "catalog").out
    assert re.search(
        r"submission_rejected at submit: \d+ of \d+ \(wrong_content; no text 'hệ thống từ chối tiếp nhận'\), [^,]+ UTC, page pages/", said
    )
    assert "nothing went wrong" in invoke(root, "explain", str(faulty.folder), CLEAN, "--catalog", "catalog").out


def test_a_page_that_was_changed_is_noticed(faulty: Sweep) -> None:
    path = faulty.folder / index(faulty, "forgetful")[0]["file"]
    before = path.read_bytes()
    path.write_bytes(before + b" ")
    try:
        refused = invoke(faulty.folder.parents[1], "score", str(faulty.folder), "--catalog", "catalog")
    finally:
        path.write_bytes(before)
    assert refused.code == 5
    assert path.name in refused.err
