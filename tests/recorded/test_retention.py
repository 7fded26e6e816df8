"""``harness gc`` removes the bulk of old sweeps, and never what a published score rests on."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import psutil
import pytest

from harness.errors import EvidenceError
from harness.records.files import write_whole
from tests.e2e.commands import invoke
from tests.e2e.evidence import load
from tests.e2e.test_bad_input import assert_refused
from tests.recorded.conftest import RECORDED


@pytest.fixture
def results(tmp_path: Path) -> Iterator[Path]:
    """A results folder with one scored sweep, ``old``."""
    with chdir(tmp_path):
        shutil.copytree(RECORDED, tmp_path / "results" / "old")
        for page in ("report.html", "report/p1.html"):
            write_whole(tmp_path / "results" / "old" / page, b"made again at any time")
        yield tmp_path / "results"


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def collect(results: Path, *options: str) -> dict[str, dict[str, object]]:
    done = invoke(results.parent, "gc", "results", "--keep-days", "0", "--json", *options)
    assert done.code == 0, done.said
    return {sweep["sweep"]: sweep for sweep in json.loads(done.out)["sweeps"]}


def test_a_dry_run_names_what_would_go_and_removes_nothing(results: Path) -> None:
    before = files(results)
    old = collect(results, "--dry-run")["old"]
    named = set(map(str, old["files"]))  # type: ignore[call-overload]
    assert {name.split("/")[2] for name in named} == {"samples", "health", "pages", "report.html", "report"}
    assert old["bytes"] == sum((results.parent / name).stat().st_size for name in named)
    assert files(results) == before
    collect(results)
    assert {str(path.relative_to(results.parent)) for path in before - files(results)} == named


def test_what_was_removed_is_listed_and_scoring_says_so(results: Path) -> None:
    collect(results)
    removed = load(results / "old" / "removed.json")
    rows = next(each for each in removed["files"] if each["file"].startswith("samples/portal=slow"))
    assert rows["sha256"] in (RECORDED / "manifests" / "slow.json").read_text(encoding="utf-8")
    assert not (results / "old" / "samples").exists()
    for name in ("plan.json", "scores.json", "ledger.jsonl", "rounds/round-001-00.json", "manifests/slow.json"):
        assert (results / "old" / name).read_bytes() == (RECORDED / name).read_bytes()
    for command in (("score", "results/old"), ("explain", "results/old", "slow"), ("report", "results/old")):
        assert_refused(invoke(results.parent, *command), EvidenceError.exit_code, "removed.json", "harness gc")
    assert collect(results)["old"]["kept_because"] == "removed already"


def test_what_a_crash_left_is_removed_the_next_time(results: Path) -> None:
    collect(results)
    listed = (results / "old" / "removed.json").read_bytes()
    shutil.copytree(RECORDED / "samples", results / "old" / "samples")
    collect(results)
    assert not (results / "old" / "samples").exists()
    assert (results / "old" / "removed.json").read_bytes() == listed


def test_a_young_sweep_keeps_everything(results: Path) -> None:
    before = files(results)
    done = invoke(results.parent, "gc", "results", "--keep-days", "100000")
    assert done.code == 0, done.said
    assert "not older than 100000 days" in done.out
    assert files(results) == before


def seal(folder: Path) -> None:
    above = folder.parent
    assert invoke(above, "seal", "--new-key", "key").code == 0
    done = invoke(above, "seal", folder.name, "--key", f"file:{above / 'key'}")
    assert done.code == 0, done.said


def send(folder: Path) -> None:
    receipt(folder).write_text("{}", encoding="utf-8")


def receipt(folder: Path) -> Path:
    return folder / "scores.json.receipt.json"


def test_what_a_published_score_rests_on_stays(results: Path) -> None:
    """Also the earlier night that its scores count, which is not published itself."""
    shutil.copytree(RECORDED, results / "new")
    done = invoke(results.parent, "score", "results/new", "--with", "results/old")
    assert done.code == 0, done.said
    assert any("../old/" in each["file"] for card in load(results / "new" / "scores.json")["scores"] for each in card["evidence"])
    for publish, said in ((send, "sent"), (seal, "sealed")):
        publish(results / "new")
        before = files(results)
        found = collect(results)
        assert said in str(found["new"]["kept_because"])
        assert str(found["old"]["kept_because"]).startswith("the scores of new")
        assert files(results) == before
        receipt(results / "new").unlink(missing_ok=True)


def test_a_sweep_that_is_measured_now_stays(results: Path) -> None:
    (results / "old" / "locust.pid").write_text(f"{os.getpid()} {psutil.Process().create_time()}\n", encoding="utf-8")
    assert collect(results)["old"]["kept_because"] == "it is measured now"


def test_a_folder_without_sweeps_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    assert_refused(invoke(tmp_path, "gc", "results", "--keep-days", "1"), EvidenceError.exit_code, "a folder of sweeps")


@pytest.mark.parametrize(
    ("events", "why"), [(("begun", "aborted", "resumed"), "it never ended"), (("begun", "aborted", "resumed", "ended"), "")]
)
def test_a_sweep_that_was_resumed_is_kept_until_it_has_ended(results: Path, events: tuple[str, ...], why: str) -> None:
    lines = [{"at_utc": "2026-11-26T01:00:00+00:00", "event": event, "previous": "", "sha256": "", "sweep": "old"} for event in events]
    (results / "register.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (results / "old" / "portals").mkdir()
    (results / "old" / "portals" / "portals.sqlite").write_bytes(b"x")
    assert str(collect(results)["old"]["kept_because"]).startswith(why)
    assert (results / "old" / "portals").exists() == bool(why)
    if not why:
        assert_refused(invoke(results.parent, "resume", "results/old"), EvidenceError.exit_code, "removed.json", "harness gc")
