"""The seal of a sweep: a signed list of its files, and the later inputs, which are chained to it.

    seal.json       every file that scores or their readers depend on, with SHA-256; the chain's last link; the key
    seal.sig        the Ed25519 signature of seal.json's bytes (64 bytes)
    addenda.jsonl   what commands added or changed afterwards: a line for each file, with the digest of the line before

An addendum is signed where HARNESS_SIGNING_KEY names the key. A signature covers all lines before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from harness.catalog import Catalog
from harness.errors import EvidenceError, Problem, UsageError
from harness.evidence import SweepFolder
from harness.evidence.chain import SealedFile, changed, last_link
from harness.evidence.folder import REGISTER, portal_of
from harness.evidence.publication import ANSWERS, PUBLICATION
from harness.operations.addenda import (
    ADDENDA,
    SEAL,
    SIGNATURE,
    Addendum,
    EvidenceSeal,
    append_addenda,
    known_digests,
    now_utc,
    read_addenda,
    read_seal,
)
from harness.operations.integrity import check_evidence
from harness.operations.locust_run import require_not_measured
from harness.operations.register import enter_end
from harness.operations.signing import fingerprint, is_signed, public_key, public_text
from harness.publish import FINDINGS_JSON
from harness.records import read_plan
from harness.records.chained_lines import link_problems
from harness.records.files import digest, json_bytes, read_lines, write_together, write_whole
from harness.records.plain import to_plain
from harness.version import __version__

_FOLDERS = ("chain", "health", "lone", "manifests", "pages", "rounds", "samples", "server_timing", "settlements", "supplied", ANSWERS)
_FILES = (
    "plan.json", "rules.json", "rules.sig", "journal.jsonl", REGISTER, "ledger.jsonl", "counted.json", "withdrawals.json", "not-withdrawn.csv",
    "settlements.json", PUBLICATION, "revisions.json", "scores.json", "faults.json", FINDINGS_JSON, "locust.log",
)  # fmt: skip
_MADE_BY_SCORING = ("scores.json", "revisions.json", "faults.json", FINDINGS_JSON)
_ARCHIVE = "Restore the file from the archive, or ask those who sealed it."


def seal(folder: SweepFolder, catalog: Catalog, key: Ed25519PrivateKey) -> EvidenceSeal:
    """Seal a sweep that has ended; of a sealed one, sign what was added since. Raises EvidenceError where its evidence does not hold.

    UsageError where another key sealed it.
    """
    require_not_measured(folder)
    if (folder.path / SEAL).is_file():
        return _sign_additions(folder, key)
    check_evidence(folder, catalog)
    enter_end(folder, "aborted")  # where a crash kept it from being entered
    register = folder.path.parent / REGISTER
    if register.is_file():
        write_whole(folder.path / REGISTER, register.read_bytes())
    public = key.public_key()
    made = EvidenceSeal(
        read_plan(folder.plan).sweep, now_utc(), __version__, fingerprint(public), public_text(public), last_link(folder),
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
    append_addenda(folder, "seal", [folder.path / SEAL], key)
    return made


def check_seal(folder: SweepFolder, portal: str = "") -> None:
    """Raise EvidenceError where what scoring reads is not as it was sealed or entered by a command; nothing without a seal.

    Files that scoring itself writes may be made again, additions may be signed later, and a step of the publication that a crash kept
    from being entered is entered by scoring. ``portal``: as in ``seal_problems``.
    """
    if not (folder.path / SEAL).is_file():
        return
    made_again = {str(folder.path / name) for name in _MADE_BY_SCORING}
    found = [
        each
        for each in seal_problems(folder, portal=portal)
        if each.file not in made_again and each.key != "signature of the last lines" and not _was_cut_off(folder, each)
    ]
    if found:
        raise EvidenceError(*dict.fromkeys(found))


def _was_cut_off(folder: SweepFolder, problem: Problem) -> bool:
    """Whether it is an operator's answer without a step, or a record of steps that goes on where the seal's ends."""
    path = folder.path / PUBLICATION
    if Path(problem.file).is_relative_to(folder.path / ANSWERS):
        return problem.value == "in no seal"
    if problem.file != str(path) or not path.is_file():
        return False
    known = known_digests(read_seal(folder), read_addenda(folder)).get(PUBLICATION, "")
    lines = path.read_bytes().splitlines(keepends=True)
    return not known or any(sha256(b"".join(lines[:count])).hexdigest() == known for count in range(1, len(lines)))


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
    known = known_digests(made, added)
    for file, sha in sorted(known.items()):
        if _is_of(file, portal) and sha:
            yield from changed(folder, SealedFile(file, sha), by=SEAL)
    for there in _files(folder):
        if not known.get(folder.relative(there)):
            remedy = "Move it out of the folder; later inputs enter by `harness supply`, `settle`, `publication` and `withdraw`."
            yield Problem(str(there), "file", "in no seal", "only files that were sealed or added by a command", remedy)
    found = last_link(folder)
    if found != made.last_link:
        yield Problem(
            str(folder.path / found.file), "last link", found.sha256, f"{made.last_link.file} with {made.last_link.sha256}", _ARCHIVE
        )


def _addenda_problems(folder: SweepFolder, added: tuple[Addendum, ...], signer: Ed25519PublicKey) -> Iterator[Problem]:
    path = folder.path / ADDENDA
    yield from link_problems(path, added, _ARCHIVE, digest(folder.path / SEAL))
    unsigned = 0
    for number, one in enumerate(added, 1):
        unsigned += 1
        if one.signature:
            unsigned = 0
            if not is_signed(one.signed_bytes(), _from_hex(one.signature), signer):
                yield Problem(
                    str(path), "signature", "not of this line by this key", f"that of key {fingerprint(signer)}", _ARCHIVE, number
                )
    unsigned += read_lines(path).left_out
    if unsigned:
        found = f"missing for the last {unsigned}"
        remedy = "Those who sealed it sign what they know of with `harness seal FOLDER --key …`."
        yield Problem(str(path), "signature of the last lines", found, "one by the key of the seal", remedy)


def sealed_files(folder: SweepFolder, portal: str) -> list[str]:
    """The files that the seal and its addenda list, without those of other portals."""
    known = known_digests(read_seal(folder), read_addenda(folder))
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
