"""What was sealed of a sweep, and what commands add afterwards: each file they write is a line chained to the seal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.errors import EvidenceError
from harness.evidence import SweepFolder
from harness.evidence.chain import SealedFile
from harness.operations.signing import usual_key
from harness.records.chained_lines import last_line, line_bytes, line_digest, read_chained
from harness.records.files import digest, locked
from harness.records.plain import read_record, to_plain

SEAL, SIGNATURE, ADDENDA = "seal.json", "seal.sig", "addenda.jsonl"


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
        return line_bytes(to_plain(replace(self, signature="")))

    def line(self) -> bytes:
        """The line without its end."""
        return line_bytes(to_plain(self))


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
    known = known_digests(read_seal(folder), read_addenda(folder))
    new = [path for path in paths if (digest(path) if path.is_file() else "") != known.get(folder.relative(path), "")]
    if new:
        append_addenda(folder, command, new, usual_key())


def append_addenda(folder: SweepFolder, command: str, paths: Iterable[Path], key: Ed25519PrivateKey | None) -> None:
    """Add a line for each file, signed where there is a key."""
    path = folder.path / ADDENDA
    with locked(folder.path), path.open("a+b") as file:
        previous = line_digest(last_line(file)) or digest(folder.path / SEAL)
        for each in paths:
            sha = digest(each) if each.is_file() else ""
            added = Addendum(folder.relative(each), sha, command, now_utc(), previous)
            line = (replace(added, signature=key.sign(added.signed_bytes()).hex()) if key is not None else added).line()
            previous = line_digest(line)
            file.write(line + b"\n")


def read_addenda(folder: SweepFolder) -> tuple[Addendum, ...]:
    """The lines added since the seal; EvidenceError for a line that is none."""
    return read_chained(Addendum, folder.path / ADDENDA, "addenda", "Restore the file from the archive.")


def known_digests(made: EvidenceSeal, added: Iterable[Addendum]) -> dict[str, str]:
    """The digest that each file should have; empty where a command removed it."""
    return {each.file: each.sha256 for each in made.files} | {each.file: each.sha256 for each in added if each.file != SEAL}


def now_utc() -> str:
    """The present moment, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
