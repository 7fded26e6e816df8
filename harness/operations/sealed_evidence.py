"""The seal of a sweep: a signed list of its files, and the later inputs, which are chained to it.

    seal.json       every file that scores or their readers depend on, with SHA-256; the chain's last link; the key
    seal.sig        the Ed25519 signature of seal.json's bytes (64 bytes)
    addenda.jsonl   what commands added or changed afterwards: a line for each file, with the digest of the line before

An addendum is signed where HARNESS_SIGNING_KEY names the key. A signature covers all lines before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

import harness
from harness.catalog import Catalog
from harness.errors import EvidenceError, Problem, UsageError
from harness.evidence import SweepFolder
from harness.evidence.chain import SealedFile, changed, last_link
from harness.evidence.folder import portal_of
from harness.operations.integrity import check_evidence
from harness.operations.locust_run import measuring
from harness.operations.register import REGISTER, enter_end
from harness.operations.signing import fingerprint, is_signed, public_key, public_text, usual_key
from harness.records import read_plan
from harness.records.files import digest, json_bytes, locked, read_lines, write_together, write_whole
from harness.records.plain import from_plain, read_record, to_plain

SEAL, SIGNATURE, ADDENDA = "seal.json", "seal.sig", "addenda.jsonl"
_FOLDERS = ("chain", "health", "lone", "manifests", "pages", "rounds", "samples", "settlements", "supplied")
_FILES = (
    "plan.json", "rules.json", "rules.sig", REGISTER, "ledger.jsonl", "counted.json", "withdrawals.json", "not-withdrawn.csv",
    "settlements.json", "revisions.json", "scores.json", "faults.json", "locust.log",
)  # fmt: skip
_ARCHIVE = "Restore the file from the archive, or ask those who sealed it."


@dataclass(frozen=True, slots=True)
class EvidenceSeal:
    """The contents of ``seal.json``."""

    sweep: str
    sealed_utc: str  # ISO 8601
    harness: str  # version
    key: str  # the fingerprint of the public key
    public_key: str  # PEM
    last_link: SealedFile  # of the chain of rounds, or what it would begin with
    files: tuple[SealedFile, ...]
    schema: str = "evidence-seal/1"


@dataclass(frozen=True, slots=True)
class Addendum:
    """A file that a command wrote after the seal, or ``seal.json`` itself where somebody signed what had been added."""

    file: str
    sha256: str  # empty: the command removed the file
    command: str
    at_utc: str  # ISO 8601
    previous: str  # SHA-256 of the line before, of seal.json for the first
    signature: str = ""  # hexadecimal, of the line without it; empty: not signed

    def signed_bytes(self) -> bytes:
        """What the signature is of."""
        return json.dumps(to_plain(replace(self, signature="")), ensure_ascii=False, sort_keys=True).encode()

    def line(self) -> bytes:
        """The line without its end."""
        return json.dumps(to_plain(self), ensure_ascii=False, sort_keys=True).encode()


def seal(folder: SweepFolder, catalog: Catalog, key: Ed25519PrivateKey) -> EvidenceSeal:
    """Seal a sweep that has ended; of a sealed one, sign what was added since. Raises EvidenceError where its evidence does not hold.

    UsageError where another key sealed it.
    """
    process = measuring(folder)
    if process is not None:
        found, remedy = f"process {process} still measures it", "Wait until it has ended."
        raise EvidenceError(Problem(str(folder.path), "sweep", found, "a sweep that has ended", remedy))
    if (folder.path / SEAL).is_file():
        return _sign_additions(folder, key)
    check_evidence(folder, catalog)
    enter_end(folder, "aborted")  # where a crash kept it from being entered
    register = folder.path.parent / REGISTER
    if register.is_file():
        write_whole(folder.path / REGISTER, register.read_bytes())
    public = key.public_key()
    made = EvidenceSeal(
        read_plan(folder.plan).sweep, _now(), harness.__version__, fingerprint(public), public_text(public), last_link(folder),
        tuple(SealedFile(folder.relative(path), digest(path)) for path in _files(folder)),
    )  # fmt: skip
    content = json_bytes(to_plain(made))
    write_together(folder.path, {SIGNATURE: key.sign(content), SEAL: content})
    return made


def _sign_additions(folder: SweepFolder, key: Ed25519PrivateKey) -> EvidenceSeal:
    made = read_seal(folder)
    if fingerprint(key.public_key()) != made.key:
        expected = f"{made.key}, which sealed this sweep"
        raise UsageError(Problem(str(folder.path / SEAL), "--key", fingerprint(key.public_key()), expected, "Sign with the same key."))
    if problems := [problem for problem in seal_problems(folder) if problem.key != "signature of the last lines"]:
        raise EvidenceError(*problems)
    _append(folder, "seal", [folder.path / SEAL], key)
    return made


def read_seal(folder: SweepFolder) -> EvidenceSeal:
    """The seal; EvidenceError where there is none, or it cannot be read."""
    path = folder.path / SEAL
    if not path.is_file():
        raise EvidenceError.missing(path, "the seal of a sweep", "Ask for the sealed folder; `harness seal` makes the seal.")
    return read_record(EvidenceSeal, path)


def enter_addenda(folder: SweepFolder, command: str, paths: Iterable[Path]) -> None:
    """Chain files that a command has just written to the seal; nothing without a seal, and for files that are as they were."""
    if not (folder.path / SEAL).is_file():
        return
    known = _known(read_seal(folder), read_addenda(folder))
    new = [path for path in paths if (digest(path) if path.is_file() else "") != known.get(folder.relative(path), "")]
    if new:
        _append(folder, command, new, usual_key())


def _append(folder: SweepFolder, command: str, paths: Iterable[Path], key: Ed25519PrivateKey | None) -> None:
    path = folder.path / ADDENDA
    with locked(folder.path), path.open("ab") as file:
        lines = path.read_bytes().splitlines()
        previous = sha256(lines[-1]).hexdigest() if lines else digest(folder.path / SEAL)
        for each in paths:
            sha = digest(each) if each.is_file() else ""
            added = Addendum(folder.relative(each), sha, command, _now(), previous)
            line = (replace(added, signature=key.sign(added.signed_bytes()).hex()) if key is not None else added).line()
            previous = sha256(line).hexdigest()
            file.write(line + b"\n")


def read_addenda(folder: SweepFolder) -> tuple[Addendum, ...]:
    """The lines added since the seal; EvidenceError for a line that is none."""
    path = folder.path / ADDENDA
    try:
        return tuple(from_plain(Addendum, value) for value in read_lines(path).values)
    except ValueError as error:
        raise EvidenceError(Problem(str(path), "line", str(error), "addenda as they were written", _ARCHIVE)) from error


def seal_problems(folder: SweepFolder, key: Ed25519PublicKey | None = None, portal: str = "") -> Iterator[Problem]:
    """What does not agree with the seal: files, signatures, addenda.

    ``key``: the public key that is known to be that of the sealers; without it only that of the seal itself can be tried.
    ``portal``: only what a pack of this portal has. Raises EvidenceError where the seal cannot be read.
    """
    made, added = read_seal(folder), read_addenda(folder)
    path = folder.path / SEAL
    try:
        own = public_key(made.public_key)
    except ValueError:
        yield Problem(str(path), "public_key", "no key", "a public Ed25519 key in PEM", _ARCHIVE)
        return
    signer = key or own
    if len({made.key, fingerprint(own), fingerprint(signer)}) > 1:
        yield Problem(
            str(path),
            "key",
            made.key,
            f"{fingerprint(signer)}, the key that was given",
            "Somebody else has sealed this; ask whose key it is.",
        )
    signature = (folder.path / SIGNATURE).read_bytes() if (folder.path / SIGNATURE).is_file() else b""
    if not is_signed(path.read_bytes(), signature, signer):
        yield Problem(
            str(folder.path / SIGNATURE), "signature", "not of this seal by this key", f"that of key {fingerprint(signer)}", _ARCHIVE
        )
    yield from _addenda_problems(folder, added, signer)
    known = _known(made, added)
    for file, sha in sorted(known.items()):
        if _is_of(file, portal) and sha:
            yield from changed(folder, SealedFile(file, sha), by=SEAL)
    for there in _files(folder):
        if not known.get(folder.relative(there)):
            remedy = "Move it out of the folder; later inputs enter by `harness supply`, `settle` and `withdraw`."
            yield Problem(str(there), "file", "in no seal", "only files that were sealed or added by a command", remedy)
    found = last_link(folder)
    if found != made.last_link:
        yield Problem(
            str(folder.path / found.file), "last link", found.sha256, f"{made.last_link.file} with {made.last_link.sha256}", _ARCHIVE
        )


def _addenda_problems(folder: SweepFolder, added: tuple[Addendum, ...], signer: Ed25519PublicKey) -> Iterator[Problem]:
    path = folder.path / ADDENDA
    raw = path.read_bytes().splitlines() if path.is_file() else []
    previous, unsigned = digest(folder.path / SEAL), 0
    for number, (line, one) in enumerate(zip(raw, added, strict=False), 1):
        if one.previous != previous:
            yield Problem(str(path), "previous", one.previous, previous, _ARCHIVE, number)
        previous, unsigned = sha256(line).hexdigest(), unsigned + 1
        if one.signature:
            unsigned = 0
            if not is_signed(one.signed_bytes(), _from_hex(one.signature), signer):
                yield Problem(
                    str(path), "signature", "not of this line by this key", f"that of key {fingerprint(signer)}", _ARCHIVE, number
                )
    if unsigned or len(raw) != len(added):
        found = f"missing for the last {unsigned + len(raw) - len(added)}"
        remedy = "Those who sealed it sign what they know of with `harness seal FOLDER --key …`."
        yield Problem(str(path), "signature of the last lines", found, "one by the key of the seal", remedy)


def _known(made: EvidenceSeal, added: Iterable[Addendum]) -> dict[str, str]:
    """The digest that each file should have; empty where a command removed it."""
    return {each.file: each.sha256 for each in made.files} | {each.file: each.sha256 for each in added if each.file != SEAL}


def sealed_files(folder: SweepFolder, portal: str) -> list[str]:
    """The files that the seal and its addenda list, without those of other portals."""
    known = _known(read_seal(folder), read_addenda(folder))
    return sorted(file for file, sha in known.items() if sha and _is_of(file, portal))


def _files(folder: SweepFolder) -> list[Path]:
    inside = [path for name in _FOLDERS for path in (folder.path / name).rglob("*") if path.is_file() or path.is_symlink()]
    return sorted([*inside, *(path for name in _FILES if (path := folder.path / name).is_file())])


def _is_of(file: str, portal: str) -> bool:
    return not portal or portal_of(file) in ("", portal)


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
