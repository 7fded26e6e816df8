"""What is fixed before the first packet, and the register of a results folder: other rules, gaps and a hidden night are named."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.errors import EnvironmentFault, EvidenceError, UsageError
from harness.evidence import SweepFolder
from harness.operations import signing
from harness.operations.integrity import check_evidence
from harness.operations.manifest import catalog_digest
from harness.operations.register import enter_beginning, enter_end, register_problems
from harness.operations.rules import fix_rules
from harness.operations.sealed_evidence import seal
from harness.operations.shipped import shipped_catalog
from harness.operations.verification import verify
from harness.records import read_plan
from harness.records.files import digest, write_json
from tests.e2e.commands import invoke
from tests.e2e.evidence import load
from tests.e2e.test_bad_input import assert_refused
from tests.recorded.conftest import RECORDED, chain_up

CATALOG = shipped_catalog()


@dataclass(frozen=True)
class Measured:
    """The recorded sweep as if it had been measured today, with rules and a register, and the key of those who measured."""

    sweep: SweepFolder
    key: str

    @property
    def results(self) -> Path:
        return self.sweep.path.parent

    def sealed(self) -> None:
        seal(self.sweep, CATALOG, signing.signing_key(self.key))

    def said(self) -> str:
        """What `verify` says of it, once it is sealed."""
        try:
            verify(self.sweep, CATALOG)
        except EvidenceError as error:
            return str(error)
        return ""


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Measured:
    name = read_plan(RECORDED / "plan.json").sweep
    sweep = SweepFolder(shutil.copytree(RECORDED, tmp_path / "results" / name))
    (sweep.path / "scores.json").unlink()
    signing.make_key(tmp_path / "key")
    monkeypatch.setenv(signing.KEY_VARIABLE, f"file:{tmp_path / 'key'}")
    fix_rules(sweep, read_plan(sweep.plan), CATALOG, CATALOG.criteria["demo@1"])
    before_the_rounds = "2026-11-01T00:00:00.000+00:00"
    _set(sweep.rules, fixed_utc=before_the_rounds, plan_sha256=digest(sweep.plan))  # an earlier version wrote the plan
    sweep.rules_signature.write_bytes(signing.signing_key(f"file:{tmp_path / 'key'}").sign(sweep.rules.read_bytes()))
    for path in sweep.manifests():
        _set(path, catalog_sha256=catalog_digest(CATALOG))
    enter_beginning(sweep)
    chain_up(sweep)
    enter_end(sweep, "ended")
    return Measured(sweep, f"file:{tmp_path / 'key'}")


def _set(path: Path, **values: object) -> None:
    write_json(path, load(path) | values)


def test_rules_are_the_beginning_of_the_chain_and_hold(measured: Measured) -> None:
    rules = load(measured.sweep.rules)
    assert load(measured.sweep.link("000-00"))["previous"]["file"] == "rules.json"
    assert (rules["seed"], rules["workload"], rules["criteria"]["id"]) == (7, "demo", "demo")
    assert {"platforms", "workloads", "criteria", "walls"} <= {item["file"].split("/")[0] for item in rules["catalog"]}
    measured.sealed()
    assert measured.said() == ""
    assert verify(measured.sweep, CATALOG).rules_signed


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 8}, "rules.json: seed is 8"),
        ({"plan_sha256": "0" * 64}, "rules.json: plan_sha256"),
        ({"catalog_sha256": "0" * 64}, "slow.json: catalog_sha256"),
        ({"fixed_utc": "2027-01-01T00:00:00.000+00:00"}, "rules.json: fixed_utc"),
    ],
)
def test_other_rules_than_those_that_were_fixed_are_named(measured: Measured, change: dict[str, object], named: str) -> None:
    _set(measured.sweep.rules, **change)
    shutil.rmtree(measured.sweep.path / "chain")
    for path in measured.sweep.manifests():
        listed = load(path)
        _set(path, evidence=[item for item in listed["evidence"] if not item["file"].startswith("chain/")])
    chain_up(measured.sweep)
    measured.sealed()
    said = measured.said()
    assert named in said
    assert "rules.sig: signature is not of these rules" in said
    assert "register.jsonl: rules of" in said


def test_scores_by_another_set_than_was_fixed_are_named(measured: Measured) -> None:
    done = invoke(measured.results, "score", measured.sweep.path.name, "--criteria", "demo@2")
    assert done.code == 0, done.said
    measured.sealed()
    assert "scores.json: criteria_set is demo@2" in measured.said()


# The register.


def _named(measured: Measured) -> str:
    return "\n".join(map(str, register_problems(measured.sweep)))


def _begin(measured: Measured, name: str) -> SweepFolder:
    other = SweepFolder(measured.results / name)
    other.path.mkdir()
    for path in (measured.sweep.plan, measured.sweep.rules):
        shutil.copyfile(path, other.path / path.name)
    enter_beginning(other)
    return other


def test_a_sweep_has_a_line_when_it_begins_and_one_when_it_ends(measured: Measured) -> None:
    lines = [json.loads(line) for line in (measured.results / "register.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["sweep"], line["event"]) for line in lines] == [(measured.sweep.path.name, event) for event in ("begun", "ended")]
    enter_end(measured.sweep, "ended")
    assert len((measured.results / "register.jsonl").read_bytes().splitlines()) == len(lines)
    assert _named(measured) == ""


def test_a_night_that_is_not_shown_is_named(measured: Measured) -> None:
    worse = _begin(measured, "worse")
    assert "worse is begun, and neither ended nor aborted" in _named(measured)
    enter_end(worse, "aborted")
    assert _named(measured) == ""
    shutil.rmtree(worse.path)
    assert "worse is begun here, and its folder is gone" in _named(measured)


def test_a_sweep_that_the_register_does_not_have_is_named(measured: Measured) -> None:
    shutil.copytree(measured.sweep.path, measured.results / "better")
    assert "better: sweep is not in register.jsonl" in _named(measured)
    shutil.copytree(RECORDED, measured.results / "older")
    assert "older" not in _named(measured)


def _lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True)))) and None


@pytest.mark.parametrize(
    "change",
    [
        _lines(lambda lines: lines[1:]),
        _lines(lambda lines: [*lines[:2], lines[3]]),
        _lines(lambda lines: [lines[0].replace(b"2026", b"2025"), *lines[1:]]),
        _lines(lambda lines: [*lines[:-1], lines[-1][:-20]]),
    ],
)
def test_lines_that_were_changed_or_left_out_are_named(measured: Measured, change: Callable[[Path], None]) -> None:
    enter_end(_begin(measured, "other"), "ended")
    change(measured.results / "register.jsonl")
    assert "register.jsonl:" in _named(measured)


def test_the_seal_keeps_the_register_of_its_day(measured: Measured) -> None:
    _begin(measured, "other")
    measured.sealed()
    elsewhere = SweepFolder(shutil.copytree(measured.sweep.path, measured.results.parent / "elsewhere"))
    assert list(register_problems(elsewhere)) == []
    (measured.results / "register.jsonl").unlink()
    enter_beginning(measured.sweep)
    assert "lines is other than when the sweep was sealed" in _named(measured)


def test_a_night_that_was_cut_off_is_entered_as_aborted_once_it_is_read(measured: Measured) -> None:
    (measured.results / "register.jsonl").unlink()
    enter_beginning(measured.sweep)
    shutil.rmtree(measured.sweep.path / "manifests")
    check_evidence(measured.sweep, CATALOG)
    assert load_last(measured.results / "register.jsonl")["event"] == "aborted"


def test_half_a_line_that_a_crash_left_is_no_line(measured: Measured) -> None:
    register = measured.results / "register.jsonl"
    register.unlink()
    enter_beginning(measured.sweep)
    with register.open("ab") as file:
        file.write(b'{"sweep": "cut o')
    enter_end(measured.sweep, "ended")
    assert [json.loads(line)["event"] for line in register.read_text(encoding="utf-8").splitlines()] == ["begun", "ended"]
    assert list(register_problems(measured.sweep)) == []


def load_last(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
    return found


def test_a_register_that_cannot_be_written_ends_a_sweep_before_it_begins(measured: Measured) -> None:
    path = measured.results / "register.jsonl"
    path.unlink()
    path.mkdir()
    with pytest.raises(EnvironmentFault, match=r"register\.jsonl: file is not writable"):
        enter_beginning(measured.sweep)


def test_a_signing_key_that_is_not_there_is_told_before_anything_begins(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signing.KEY_VARIABLE, "env:NOWHERE")
    with pytest.raises(EnvironmentFault, match="nothing at env:NOWHERE"):
        fix_rules(measured.sweep, read_plan(measured.sweep.plan), CATALOG, CATALOG.criteria["demo@1"])
    done = invoke(measured.results, "seal", measured.sweep.path.name)
    assert_refused(done, EnvironmentFault.exit_code, "nothing at env:NOWHERE")


KEYS = {"text": "no reference", "file:absent": "nothing at file:absent", "file:weak": "mode is 644", "file:other": "no Ed25519 key"}


@pytest.mark.parametrize("command", [("run", "fast"), ("sweep", "fast"), ("sweep", "fast", "--dry-run"), ("demo",)], ids=" ".join)
@pytest.mark.parametrize("reference", KEYS)
def test_a_bad_signing_key_is_refused_before_anything_is_measured(command: tuple[str, ...], reference: str, tmp_path: Path) -> None:
    signing.make_key(tmp_path / "weak")
    (tmp_path / "weak").chmod(0o644)
    (tmp_path / "other").write_text("-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n", encoding="ascii")
    (tmp_path / "other").chmod(0o600)
    workload = () if command == ("demo",) else ("--workload", "demo")
    done = invoke(tmp_path, *command, *workload, "--signing-key", reference)
    assert_refused(done, done.code, KEYS[reference])
    assert done.code == (UsageError if reference == "text" else EnvironmentFault).exit_code
    assert not (tmp_path / "results").exists()


def test_a_key_given_as_an_argument_is_not_repeated(tmp_path: Path) -> None:
    signing.make_key(tmp_path / "key")
    pem = (tmp_path / "key").read_text(encoding="ascii")
    for reference in (pem, f"file:{pem}", f"env:{pem}"):
        done = invoke(tmp_path, "run", "fast", "--workload", "demo", "--signing-key", reference)
        assert_refused(done, UsageError.exit_code, "the key itself is never an argument")
        assert pem.splitlines()[1] not in done.said


def test_the_key_of_an_option_signs_the_rules_and_is_forgotten_afterwards(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signing.KEY_VARIABLE, "env:NOWHERE")
    with signing.key_named(measured.key, "--signing-key"):
        fix_rules(measured.sweep, read_plan(measured.sweep.plan), CATALOG, CATALOG.criteria["demo@1"])
    public = signing.signing_key(measured.key).public_key()
    assert signing.is_signed(measured.sweep.rules.read_bytes(), measured.sweep.rules_signature.read_bytes(), public)
    assert os.environ[signing.KEY_VARIABLE] == "env:NOWHERE"
    secret = Path(measured.key.removeprefix("file:")).read_bytes().splitlines()[1]
    assert not [path for path in measured.results.rglob("*") if path.is_file() and secret in path.read_bytes()]


def test_the_register_beside_the_sweeps_is_no_sweep(measured: Measured) -> None:
    """As a shell gives `harness score results/*`."""
    name = measured.sweep.path.name
    done = invoke(measured.results, "score", name, "register.jsonl")
    assert done.code == 0, done.said
    assert "register.jsonl: left out; it is the register of all sweeps" in done.err
    for command in (("score", "register.jsonl"), ("report", "register.jsonl"), ("seal", "register.jsonl")):
        assert_refused(invoke(measured.results, *command), EvidenceError.exit_code, "register.jsonl", "path is the register of all sweeps")
    assert_refused(invoke(measured.results, "score", name, name), UsageError.exit_code, "FOLDER", "the folder of one sweep")
    assert_refused(invoke(measured.results, "score", "."), EvidenceError.exit_code, "a folder without plan.json")
