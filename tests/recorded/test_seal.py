"""A sealed sweep is checked by those who do not trust us: whatever was forged is named, and good evidence is good anywhere."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness import open_sweep
from harness.errors import EvidenceError
from harness.evidence import SweepFolder
from harness.operations import signing
from harness.operations.addenda import enter_addenda, read_addenda
from harness.operations.sealed_evidence import seal, seal_problems
from harness.operations.shipped import shipped_catalog
from harness.operations.supplied.probe_copies import supply_probes
from harness.records.files import digest, json_bytes, write_json
from harness.records.live_state import LIVE_JSON
from harness.records.live_steps import STEPS_JSON
from tests.e2e.commands import invoke
from tests.e2e.evidence import load
from tests.e2e.test_bad_input import assert_refused
from tests.programs import machine_lacks
from tests.recorded.conftest import PORTALS, RECORDED, as_recorded, chain_up
from tests.recorded.test_probe_copies import probed

ROWS = "samples/portal=slow/run=slow-seed7/part-001-00.parquet"


@dataclass(frozen=True)
class Sealed:
    """A sealed copy of the recorded sweep, and the key of those who sealed it."""

    folder: Path
    key: str
    public: Path

    @property
    def sweep(self) -> SweepFolder:
        return SweepFolder(self.folder)

    def named(self, *, portal: str = "") -> str:
        """What the seal says of the folder, without the scores computed again."""
        return "\n".join(map(str, seal_problems(self.sweep, signing.read_public_key(self.public), portal)))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    above = tmp_path_factory.mktemp("sealed")
    folder = shutil.copytree(RECORDED, above / "demo")
    chain_up(SweepFolder(folder))
    scored = invoke(above, "score", "demo")
    assert scored.code == 0, scored.said
    public = signing.make_key(above / "key")
    seal(SweepFolder(folder), shipped_catalog(), signing.signing_key(f"file:{above / 'key'}"))
    return Sealed(folder, f"file:{above / 'key'}", public)


@pytest.fixture
def sealed(kept: Sealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sealed]:
    monkeypatch.delenv(signing.KEY_VARIABLE, raising=False)
    with chdir(tmp_path):
        yield Sealed(shutil.copytree(kept.folder, tmp_path / "demo"), kept.key, kept.public)


def test_a_sealed_sweep_is_good_elsewhere_without_the_private_key(sealed: Sealed, tmp_path: Path) -> None:
    elsewhere = tmp_path / "an archive" / "of others"
    shutil.copytree(sealed.folder, elsewhere)
    before = {path: path.read_bytes() for path in sorted(elsewhere.rglob("*")) if path.is_file()}
    done = invoke(tmp_path, "verify", str(elsewhere), "--key", str(sealed.public), "--json")
    assert done.code == 0, done.said
    found = json.loads(done.out)
    assert found["scores"] == load(RECORDED / "scores.json")["criteria_set"]["sha256"]
    assert (found["rounds"], found["addenda"]) == (2, 0)
    assert {path: path.read_bytes() for path in sorted(elsewhere.rglob("*")) if path.is_file()} == before


def test_openssl_confirms_the_signature(sealed: Sealed) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:  # what `harness verify` says of a signature is tested without it
        machine_lacks("no openssl here")
    command = [
        openssl,
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        str(sealed.public),
        "-rawin",
        "-in",
        "demo/seal.json",
        "-sigfile",
        "demo/seal.sig",
    ]
    assert "Signature Verified Successfully" in subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _forge_rows(folder: Path) -> str:
    rows = pq.ParquetFile(folder / ROWS).read()
    pq.write_table(rows.set_column(rows.schema.get_field_index("bytes"), "bytes", pa.array([1] * rows.num_rows, pa.int64())), folder / ROWS)
    return ROWS


def _add_file(folder: Path) -> str:
    name = "supplied/slow.servers.csv"
    (folder / "supplied").mkdir()
    (folder / name).write_text("time_utc,server,role,cpu_percent\n2026-11-22T00:00:00Z,a,application,1\n", encoding="utf-8")
    return name


def _unlist(folder: Path) -> str:
    for path in (folder / "manifests").glob("*.json"):
        listed = load(path)
        write_json(path, listed | {"evidence": [item for item in listed["evidence"] if item["file"] != ROWS]})
    return "manifests/slow.json"


def _lower_a_count(folder: Path) -> str:
    path = folder / "counted.json"
    path.write_bytes(path.read_bytes().replace(b'"dossiers": 115', b'"dossiers": 15'))
    return "counted.json"


@pytest.mark.parametrize("forge", [_forge_rows, _add_file, _unlist, _lower_a_count])
def test_a_forgery_is_refused_by_name(sealed: Sealed, forge: Callable[[Path], str]) -> None:
    assert sealed.named() == ""
    assert forge(sealed.folder) in sealed.named()


def _redo(folder: Path, key: str = "") -> None:
    """All digests written anew: manifests, chain, seal; with a key the signature too."""
    sweep = SweepFolder(folder)
    shutil.rmtree(folder / "chain")
    for path in sweep.manifests():
        listed = load(path)
        items = [item for item in listed["evidence"] if not item["file"].startswith("chain/")]
        write_json(path, listed | {"evidence": [item | {"sha256": digest(folder / item["file"])} for item in items]})
    chain_up(sweep)
    made = load(folder / "seal.json")
    files = [item | {"sha256": digest(folder / item["file"])} for item in made["files"]]
    made |= {"files": files, "last_link": {"file": "chain/round-001-00.json", "sha256": digest(sweep.link("001-00"))}}
    if key:
        private = signing.signing_key(key)
        made |= {"public_key": signing.public_text(private.public_key()), "key": signing.fingerprint(private.public_key())}
        (folder / "seal.sig").write_bytes(private.sign(json_bytes(made)))
    (folder / "seal.json").write_bytes(json_bytes(made))


def test_digests_redone_lack_the_signature(sealed: Sealed) -> None:
    _forge_rows(sealed.folder)
    _redo(sealed.folder)
    done = invoke(sealed.folder.parent, "verify", "demo", "--key", str(sealed.public))
    assert_refused(done, EvidenceError.exit_code, "seal.sig", "signature is not of this seal by this key")


def test_another_key_is_named(sealed: Sealed, tmp_path: Path) -> None:
    """A forger who signs everything anew is good by his own key alone."""
    other = signing.make_key(tmp_path / "theirs")
    _redo(sealed.folder, f"file:{tmp_path / 'theirs'}")
    named = sealed.named()
    theirs = signing.fingerprint(signing.read_public_key(other))
    assert f"seal.json: key is {theirs}" in named
    assert "Somebody else has sealed this" in named
    assert "seal.sig: signature" in named


def test_scores_that_the_evidence_does_not_give_are_named(sealed: Sealed) -> None:
    """Signed by the sealers themselves."""
    path = sealed.folder / "scores.json"
    scores = load(path)
    scores["scores"][0]["criteria"][0]["n"] += 1
    path.write_text(json.dumps(scores, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    _redo(sealed.folder, sealed.key)
    done = invoke(sealed.folder.parent, "verify", "demo", "--key", str(sealed.public))
    assert_refused(done, EvidenceError.exit_code, "scores.json", "other bytes than the evidence gives (collapsing)")


def test_scores_of_before_a_field_was_added_verify_and_a_forged_field_does_not(sealed: Sealed) -> None:
    path = sealed.folder / "scores.json"
    written = path.read_bytes()
    path.write_bytes(as_recorded(written))
    assert path.read_bytes() != written
    _redo(sealed.folder, sealed.key)
    done = invoke(sealed.folder.parent, "verify", "demo", "--key", str(sealed.public))
    assert done.code == 0, done.said
    scores = json.loads(written)
    scores["scores"][0]["criteria"][0]["value_measured"] = 0.1
    path.write_text(json.dumps(scores, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    _redo(sealed.folder, sealed.key)
    done = invoke(sealed.folder.parent, "verify", "demo", "--key", str(sealed.public))
    assert_refused(done, EvidenceError.exit_code, "scores.json", "other bytes than the evidence gives (collapsing)")


def test_a_schedule_that_the_seed_does_not_give_is_named(sealed: Sealed) -> None:
    path = sealed.folder / "rounds" / "round-001-00.json"
    facts = load(path)
    facts["slots"][0]["windows"][0]["curve"] = [[0.0, 1.0], [1.0, 2.0]]
    write_json(path, facts)
    _redo(sealed.folder, sealed.key)
    done = invoke(sealed.folder.parent, "verify", "demo")
    assert done.code == EvidenceError.exit_code, done.said
    assert "round-001-00.json: schedule_sha256 of" in done.err
    assert "not as planned" in done.err


def test_every_problem_is_named_at_once(sealed: Sealed) -> None:
    named = [_forge_rows(sealed.folder), _add_file(sealed.folder), _lower_a_count(sealed.folder)]
    done = invoke(sealed.folder.parent, "verify", "demo")
    assert done.code == EvidenceError.exit_code, done.said
    assert all(name in done.err for name in named), done.said


# Later inputs.


@pytest.mark.parametrize("command", [("score", "demo"), ("explain", "demo", "slow"), ("report", "demo")])
def test_a_file_that_no_command_entered_is_not_scored(sealed: Sealed, command: tuple[str, ...]) -> None:
    name = _add_file(sealed.folder)
    assert_refused(invoke(sealed.folder.parent, *command), EvidenceError.exit_code, name, "in no seal")


def test_a_later_input_enters_by_its_command_and_is_chained_to_the_seal(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signing.KEY_VARIABLE, sealed.key)
    Path("notice.txt").write_text("bảo trì", encoding="utf-8")
    times = ("2026-11-22T00:00+00:00", "2026-11-22T00:01+00:00")
    announced = ("--announced-at", "2026-11-20T00:00+00:00", "--document", "12/TB", "--attach", "notice.txt")
    done = invoke(sealed.folder.parent, "supply", "demo", "slow", "--maintenance", *times, *announced)
    assert done.code == 0, done.said
    lines = [json.loads(line) for line in (sealed.folder / "addenda.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["file"] for line in lines] == ["supplied/maintenance.csv", lines[1]["file"]]
    assert lines[0]["previous"] == digest(sealed.folder / "seal.json")
    assert all(line["command"] == "supply" and line["signature"] for line in lines)
    assert sealed.named() == ""
    again = invoke(sealed.folder.parent, "supply", "demo", "slow", "--maintenance", *times, *announced)
    assert again.code == 0, again.said
    assert len((sealed.folder / "addenda.jsonl").read_bytes().splitlines()) == len(lines)
    (sealed.folder / "supplied" / "maintenance.csv").write_text("portal,begin_utc,end_utc\n", encoding="utf-8")
    assert "supplied/maintenance.csv: SHA-256" in sealed.named()


def test_an_addendum_without_a_signature_is_signed_by_those_who_know_of_it(sealed: Sealed) -> None:
    _add_file(sealed.folder)
    enter_addenda(sealed.sweep, "supply", [sealed.folder / "supplied" / "slow.servers.csv"])
    assert "addenda.jsonl: signature of the last lines is missing for the last 1" in sealed.named()
    done = invoke(sealed.folder.parent, "seal", "demo", "--key", sealed.key)
    assert done.code == 0, done.said
    assert sealed.named() == ""


def test_the_key_of_an_option_signs_the_seal_and_what_comes_later(sealed: Sealed) -> None:
    for name in ("seal.json", "seal.sig"):
        (sealed.folder / name).unlink()
    assert invoke(sealed.folder.parent, "seal", "demo", "--signing-key", sealed.key).code == 0
    begin, end = "2026-11-22T01:00:00+07:00", "2026-11-22T02:00:00+07:00"
    done = invoke(sealed.folder.parent, "supply", "demo", "slow", "--maintenance", begin, end, "--signing-key", sealed.key)
    assert done.code == 0, done.said
    assert sealed.named() == ""


def test_addenda_cannot_be_changed_left_out_or_put_in(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signing.KEY_VARIABLE, sealed.key)
    for name in ("one", "two"):
        path = sealed.folder / "supplied" / f"{name}.servers.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(name, encoding="utf-8")
        enter_addenda(sealed.sweep, "supply", [path])
    path = sealed.folder / "addenda.jsonl"
    first, second = path.read_bytes().splitlines(keepends=True)
    assert sealed.named() == ""
    path.write_bytes(second)
    assert "previous" in sealed.named()
    path.write_bytes(second + first)
    assert "previous" in sealed.named()
    changed = json.loads(second) | {"sha256": sha256(b"three").hexdigest()}
    path.write_bytes(first + json.dumps(changed).encode() + b"\n")
    (sealed.folder / "supplied" / "two.servers.csv").write_text("three", encoding="utf-8")
    assert "signature is not of this line by this key" in sealed.named()


# Keys and packs.


def test_a_private_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    done = invoke(tmp_path, "seal", "--new-key", "key")
    assert done.code == 0, done.said
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in (tmp_path / "key.pub").read_text(encoding="ascii")
    assert_refused(invoke(tmp_path, "seal", "--new-key", "key"), 2, "key", "there already")
    (tmp_path / "key").chmod(0o644)
    shutil.copytree(RECORDED, tmp_path / "demo")
    assert_refused(invoke(tmp_path, "seal", "demo", "--key", f"file:{tmp_path / 'key'}"), 6, "mode is 644", "chmod 600")
    assert_refused(invoke(tmp_path, "seal", "demo", "--key", "env:NOT_SET"), 6, "nothing at env:NOT_SET")
    assert_refused(invoke(tmp_path, "seal", "demo", "--key", "c2VjcmV0"), 2, "no reference")
    assert_refused(invoke(tmp_path, "verify", "demo"), EvidenceError.exit_code, "seal.json", "not there")


@pytest.mark.parametrize("ending", ["zip", "tar"])
def test_a_pack_of_one_portal_is_verified_alone(sealed: Sealed, tmp_path: Path, ending: str) -> None:
    done = invoke(tmp_path, "pack", "demo", "--portal", "slow", "--out", f"slow.{ending}")
    assert done.code == 0, done.said
    if ending == "zip":
        with zipfile.ZipFile(tmp_path / "slow.zip") as archive:
            archive.extractall(tmp_path / "theirs")
    else:
        with tarfile.open(tmp_path / "slow.tar") as archive:
            archive.extractall(tmp_path / "theirs", filter="data")
    (folder,) = (tmp_path / "theirs").iterdir()
    assert {path.name for path in folder.glob("samples/*")} == {"portal=slow"}
    done = invoke(tmp_path / "theirs", "verify", folder.name, "--key", str(sealed.public))
    assert done.code == 0, done.said
    assert f"{folder.name} slow: " in done.out
    if ending == "zip":
        explained = invoke(tmp_path / "theirs", "explain", folder.name, "slow")
        assert (explained.code, explained.out) == (0, invoke(tmp_path, "explain", "demo", "slow").out), "its operator needs nobody"
        assert_refused(invoke(tmp_path / "theirs", "explain", folder.name, "fast"), 2, "one of slow")
    share = open_sweep(folder)
    assert (share.portals, {*share.steps()["portal"]}) == (("slow",), {"slow"})
    assert {*share.windows()["portal"]} == {*share.scores()["portal"]} == PORTALS
    assert share.metadata.sealed_by == load(folder / "seal.json")["key"]
    assert _forge_rows(folder) in "\n".join(map(str, seal_problems(SweepFolder(folder), None, "slow")))


def test_frames_are_of_scores_and_rows_as_they_were_sealed(sealed: Sealed) -> None:
    scores = sealed.folder / "scores.json"
    written = scores.read_bytes()
    scores.write_bytes(written.replace(b'"basis": "assumed"', b'"basis": "official"', 1))
    with pytest.raises(EvidenceError, match=r"scores\.json: SHA-256 is .*, by seal\.json"):
        open_sweep(sealed.folder)
    scores.write_bytes(written)
    file = _forge_rows(sealed.folder)
    with pytest.raises(EvidenceError, match=f"{file}: SHA-256 is"):
        open_sweep(sealed.folder)


def test_a_packed_sweep_verifies_and_scores_elsewhere_as_before(sealed: Sealed, tmp_path: Path) -> None:
    before = (sealed.folder / "scores.json").read_bytes()
    (sealed.folder / LIVE_JSON).write_text("half a sta", encoding="utf-8")  # the master was killed; it is news, not evidence
    (sealed.folder / STEPS_JSON).write_text("half", encoding="utf-8")
    assert list(seal_problems(SweepFolder(sealed.folder))) == []
    done = invoke(tmp_path, "pack", "demo", "--out", "whole.zip")
    assert done.code == 0, done.said
    shutil.rmtree(sealed.folder)
    with zipfile.ZipFile(tmp_path / "whole.zip") as archive:
        assert not [name for name in archive.namelist() if LIVE_JSON in name or STEPS_JSON in name]
        archive.extractall(tmp_path / "elsewhere")
    (folder,) = (tmp_path / "elsewhere").iterdir()
    done = invoke(tmp_path / "elsewhere", "verify", folder.name, "--key", str(sealed.public))
    assert done.code == 0, done.said
    (folder / "scores.json").unlink()
    done = invoke(tmp_path / "elsewhere", "score", folder.name)
    assert done.code == 0, done.said
    assert (folder / "scores.json").read_bytes() == before


def test_a_pack_is_of_a_sealed_sweep_and_a_portal_in_it(sealed: Sealed) -> None:
    above = sealed.folder.parent
    assert_refused(invoke(above, "pack", "demo", "--portal", "other", "--out", "a.zip"), 2, "--portal", "other")
    assert_refused(invoke(above, "pack", "demo", "--portal", "slow", "--out", "a.rar"), 2, "--out", "a.rar")
    (sealed.folder / "seal.json").unlink()
    assert_refused(invoke(above, "pack", "demo", "--portal", "slow", "--out", "a.zip"), EvidenceError.exit_code, "seal.json")


def test_a_copied_availability_history_is_chained_to_the_seal_and_belongs_to_its_portal(sealed: Sealed, tmp_path: Path) -> None:
    probed(tmp_path / "results", "slow", days=1)
    supply_probes(sealed.sweep, tmp_path / "results")
    (line,) = read_addenda(sealed.sweep)
    assert (line.file, line.command) == ("supplied/slow.probes.jsonl", "supply")
    assert "slow.probes.jsonl: file" not in sealed.named()
    assert "slow.probes.jsonl" not in sealed.named(portal="fast")
    (sealed.folder / line.file).write_bytes(b"")
    assert "slow.probes.jsonl" in sealed.named(portal="slow")
    assert "slow.probes.jsonl" not in sealed.named(portal="fast")
