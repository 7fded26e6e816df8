"""The checks of evidence are switched off, one at a time: what was forged is believed, and changes points, verdicts or withdrawals."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from harness.errors import EvidenceError
from harness.evidence.folder import SweepFolder
from harness.load import collector
from harness.operations import integrity, score_folder, sealed_evidence, verification
from harness.operations.addenda import enter_addenda
from harness.operations.register import enter_end
from harness.operations.sealed_evidence import seal_problems
from harness.operations.signing import KEY_VARIABLE, make_key
from harness.records import LedgerLine
from harness.records.files import digest, write_json
from harness.records.fleet_messages import Batch, RoundOrder
from tests.drill.guards import guard_off
from tests.e2e.commands import invoke
from tests.e2e.evidence import load
from tests.load.fleet import End, FakeFleet, plan_of, round_of
from tests.recorded.test_integrity import ROWS, _rewritten
from tests.recorded.test_rules import Measured, _begin, _set
from tests.recorded.test_seal import Sealed, _add_file, _forge_rows, _redo

pytestmark = pytest.mark.slow  # part of `make drill`


def nothing(*_given: object, **_named: object) -> tuple[()]:
    """A check that finds nothing."""
    return ()


def score_of(folder: Path, portal: str = "slow") -> dict[str, object]:
    """A portal's entry in the scores that its evidence, as it now is, gives."""
    done = invoke(folder.parent, "score", folder.name, "--criteria", "demo@1")
    assert done.code == 0, done.said
    return next(entry for entry in load(folder / "scores.json")["scores"] if entry["portal"] == portal)


def digests_redone(folder: Path, name: str) -> None:
    """Have the manifests list a file as it now is."""
    for path in (folder / "manifests").glob("*.json"):
        listed = load(path)
        items = [item | {"sha256": digest(folder / name)} if item["file"] == name else item for item in listed["evidence"]]
        write_json(path, listed | {"evidence": items})


def test_without_the_check_of_files_added_rows_change_the_points(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = score_of(folder)["points"]
    monkeypatch.setattr(score_folder, "check_evidence", nothing)
    monkeypatch.setattr(integrity, "check_evidence", nothing)
    fast = next((folder / "samples" / "portal=fast").glob("run=*/part-001-00.parquet"))
    shutil.copyfile(fast, folder / "samples" / "portal=slow" / "run=slow-seed7" / "part-000-50.parquet")
    assert score_of(folder)["points"] != before


def test_without_the_digests_rows_that_were_made_faster_change_the_points(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = score_of(folder)["points"]
    rows = pq.ParquetFile(folder / ROWS).read()
    sent = pc.greater(rows["start_us"], 0)
    at_once = pc.if_else(sent, pc.add(rows["intended_us"], 1000), rows["end_us"])
    pq.write_table(rows.set_column(rows.schema.get_field_index("end_us"), "end_us", at_once), folder / ROWS)
    assert invoke(folder.parent, "score", folder.name).code == EvidenceError.exit_code
    monkeypatch.setattr(integrity, "_changed", nothing)
    assert score_of(folder)["points"] > before


def test_without_the_sealed_counts_rows_that_nobody_sent_change_the_points(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = score_of(folder)["points"]
    monkeypatch.setattr(integrity, "_odd_rows", nothing)
    fast = pq.ParquetFile(next((folder / "samples" / "portal=fast").glob("run=*/part-001-00.parquet"))).read()
    _rewritten(folder, lambda rows: pa.concat_tables([rows, *[fast] * 5]))
    assert score_of(folder)["points"] != before


READS_CRAFTED_ROWS = """
import sys
from pathlib import Path
from click.testing import CliRunner
from harness.cli import main
from harness.operations import integrity
if sys.argv[1] == "off":
    integrity._odd_rows = lambda *_: ()
print(CliRunner().invoke(main, ["score", "demo", "--criteria", "demo@1"]).exit_code)
print(int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) >> 10)
"""


@pytest.mark.parametrize("guard", ["on", "off"])
def test_without_the_look_before_reading_crafted_rows_fill_the_memory(folder: Path, guard: str) -> None:
    """Three million rows in a file of less than a megabyte; the real one had some thousand."""
    _rewritten(folder, lambda rows: rows.take(pa.repeat(0, 3_000_000)))
    assert (folder / ROWS).stat().st_size < 1_000_000
    done = subprocess.run(
        [sys.executable, "-c", READS_CRAFTED_ROWS, guard], cwd=folder.parent, capture_output=True, text=True, check=False, timeout=110
    )
    code, megabytes = map(int, done.stdout.split())
    assert (code == EvidenceError.exit_code) is (guard == "on"), done.stderr
    assert (megabytes < 450) if guard == "on" else (megabytes > 900)


def test_without_the_chain_a_round_that_was_changed_voids_a_portal(chained: SweepFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = chained.path
    assert score_of(folder, "fast")["verdict"] == "valid"
    path = chained.round("001-00")
    facts = load(path)
    (slot,) = [slot for slot in facts["slots"] if slot["portal"] == "fast"]
    for window in slot["windows"]:
        window["health"]["gc_max_us"] = 10**9
    write_json(path, facts)
    digests_redone(folder, "rounds/round-001-00.json")
    assert invoke(folder.parent, "score", folder.name).code == EvidenceError.exit_code
    monkeypatch.setattr(integrity, "chain_problems", nothing)
    assert score_of(folder, "fast")["verdict"] == "void"


def test_without_the_signature_digests_redone_are_believed(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    _forge_rows(sealed.folder)
    _redo(sealed.folder)
    assert "signature" in sealed.named()
    monkeypatch.setattr(sealed_evidence, "is_signed", lambda *_: True)
    assert sealed.named() == ""


def test_without_the_sealers_key_a_forger_who_signs_is_believed(sealed: Sealed, tmp_path: Path) -> None:
    _forge_rows(sealed.folder)
    make_key(tmp_path / "theirs")
    _redo(sealed.folder, f"file:{tmp_path / 'theirs'}")
    assert "Somebody else has sealed this" in sealed.named()
    assert list(seal_problems(sealed.sweep)) == []


def test_without_the_look_into_the_seal_a_file_that_nobody_entered_is_scored(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    _add_file(sealed.folder)
    assert invoke(sealed.folder.parent, "score", "demo").code == EvidenceError.exit_code
    monkeypatch.setattr(score_folder, "check_seal", nothing)
    assert score_of(sealed.folder)["verdict"] == "valid"
    assert "slow.servers.csv" in (sealed.folder / "scores.json").read_text(encoding="utf-8")


def test_without_their_chain_addenda_that_were_changed_are_believed(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, sealed.key)
    enter_addenda(sealed.sweep, "supply", [sealed.folder / _add_file(sealed.folder)])
    assert sealed.named() == ""
    path = sealed.folder / "addenda.jsonl"
    (sealed.folder / "supplied" / "slow.servers.csv").write_text("other figures", encoding="utf-8")
    changed = json.loads(path.read_bytes()) | {"sha256": sha256(b"other figures").hexdigest()}
    path.write_text(json.dumps(changed) + "\n", encoding="utf-8")
    assert "signature is not of this line by this key" in sealed.named()
    monkeypatch.setattr(sealed_evidence, "_addenda_problems", nothing)
    assert sealed.named() == ""


def _hide_a_night(measured: Measured) -> None:
    worse = _begin(measured, "worse")
    enter_end(worse, "ended")
    shutil.rmtree(worse.path)


def _score_by_another_set(measured: Measured) -> None:
    done = invoke(measured.results, "score", measured.sweep.path.name, "--criteria", "demo@2")
    assert done.code == 0, done.said


def _other_schedule(measured: Measured) -> None:
    path = measured.sweep.round("001-00")
    facts = load(path)
    facts["slots"][0]["schedule_sha256"] = "0" * 64
    _set(path, slots=facts["slots"])
    digests_redone(measured.sweep.path, "rounds/round-001-00.json")
    link = measured.sweep.link("001-00")
    files = load(link)["files"]
    _set(link, files=[item | {"sha256": digest(path)} if item["file"] == "rounds/round-001-00.json" else item for item in files])
    digests_redone(measured.sweep.path, "chain/round-001-00.json")


@pytest.mark.parametrize(
    ("forge", "guard"),
    [(_hide_a_night, "register_problems"), (_score_by_another_set, "_rules_problems"), (_other_schedule, "_schedule_problems")],
    ids=["register", "rules", "schedule"],
)
def test_without_it_what_was_changed_is_good(
    measured: Measured, monkeypatch: pytest.MonkeyPatch, forge: Callable[[Measured], None], guard: str
) -> None:
    forge(measured)
    measured.sealed()
    assert measured.said() != ""
    monkeypatch.setattr(verification, guard, nothing)
    assert measured.said() == ""


def test_without_recomputing_points_that_the_rows_do_not_give_are_good(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    done = invoke(measured.results, "score", measured.sweep.path.name, "--criteria", "demo@1")
    assert done.code == 0, done.said
    path = measured.sweep.scores
    scores = load(path)["scores"]
    scores[0]["criteria"][0]["n"] += 1
    _set(path, scores=scores)
    measured.sealed()
    assert "other bytes than the evidence gives" in measured.said()
    monkeypatch.setattr(verification, "_score_problems", nothing)
    assert measured.said() == ""


def test_without_the_look_at_names_a_stranger_asks_for_withdrawals(monkeypatch: pytest.MonkeyPatch) -> None:
    def codes() -> list[str]:
        """The codes of dossiers that a round kept, of which a stranger sent one."""
        fleet = FakeFleet("w0")
        kept: list[str] = []
        append = fleet.sink.append

        def note(worker: str, batch: Batch) -> None:
            kept.extend(line.code for line in batch.ledger)
            if worker != "stranger":
                append(worker, batch)

        def forge(_worker: str, visit: int) -> None:
            if visit == 3:
                line = LedgerLine("q", "q-seed1", 1, "H-FORGED", "dossier")
                batch = Batch(fleet.network.sent(RoundOrder)[0].token, 100, 0, b"", ledger=(line,))
                fleet.network.workers["stranger"] = End(fleet.network, "stranger")
                fleet.network.carry("stranger", "master", batch)

        fleet.sink.append = note  # type: ignore[method-assign]
        fleet.prepared = forge
        fleet.run(plan_of(round_of(0)))
        return kept

    assert codes() == []
    monkeypatch.setattr(collector, "_foreign", lambda *_: "")
    assert codes() == ["H-FORGED"]


def test_a_guard_that_is_switched_off_is_off_in_processes_that_are_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seam by which all other controls work."""
    asks = [sys.executable, "-c", "from harness.load import lease; print(lease.LEASE_S)"]
    assert subprocess.run(asks, capture_output=True, text=True, check=True).stdout.strip() == "1.5"
    guard_off(monkeypatch, tmp_path, "harness.load.lease", "LEASE_S = 7")
    assert subprocess.run(asks, capture_output=True, text=True, check=True).stdout.strip() == "7"
