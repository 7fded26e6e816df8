"""The chain of sealed rounds: each link holds the digests of one round's files, and that of the link before.

    chain/round-001-00.json     written just before the round's record: a night that is cut off later keeps what is sealed

Links stand in the order in which rounds were sealed. The first one names what was fixed before the first packet: the rules,
or the plan in evidence without rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from harness.errors import EvidenceError, Problem
from harness.evidence.folder import SweepFolder, portal_of
from harness.records import RoundRecord, read_pages
from harness.records.files import digest, write_json
from harness.records.plain import read_record, to_plain
from harness.records.round import sealed_bytes

_ARCHIVE = "Restore the file from the archive; changed evidence is not scored."


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file, relative to the sweep's folder, and its SHA-256."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ChainLink:
    """One sealed round: its record, rows, server timings, health, lone walks and the pages that it added, and the ledger as far as it had grown."""

    round: str
    previous: SealedFile
    files: tuple[SealedFile, ...]
    ledger_bytes: int  # of the ledger, from its beginning
    ledger_sha256: str  # of these bytes
    schema: str = "round-chain/1"


def append_link(folder: SweepFolder, record: RoundRecord, ledger_bytes: int) -> None:
    """Chain a round that is about to be sealed: everything of it is written but its record.

    ``ledger_bytes``: how long the ledger was when the sealing began, at the end of a line; it may grow meanwhile.
    """
    paths = [folder.health(record.name), *folder.samples.glob(f"portal=*/run=*/part-{record.name}.parquet")]
    indexes = (read_pages(folder.pages(slot.portal)) for slot in record.slots)
    paths += [folder.path / page.file for pages in indexes for page in pages if page.part == record.name]
    paths += [*folder.lone_of(record.name), *folder.timings_of(record.name)]
    files = [_sealed(folder, path) for path in paths if path.is_file()]
    files.append(SealedFile(folder.relative(folder.round(record.name)), sha256(sealed_bytes(record)).hexdigest()))
    of_ledger = _digest_of_first(folder.ledger, ledger_bytes)
    link = ChainLink(record.name, last_link(folder), tuple(sorted(files, key=lambda each: each.file)), ledger_bytes, of_ledger)
    write_json(folder.link(record.name), to_plain(link))


def last_link(folder: SweepFolder) -> SealedFile:
    """The link of the round that was sealed last, or else what the first link begins with."""
    links = read_links(folder)
    named = {link.previous.file for link in links.values()}
    last = next((folder.link(name) for name in links if folder.relative(folder.link(name)) not in named), None)
    return _sealed(folder, last or (folder.rules if folder.rules.is_file() else folder.plan))


def read_links(folder: SweepFolder) -> Mapping[str, ChainLink]:
    """The links of the sealed rounds, by round; a link whose round was cut off before its record was written is none."""
    sealed = set(folder.sealed_rounds())
    return {name: read_record(ChainLink, folder.link(name)) for name in sorted(sealed) if folder.link(name).is_file()}


def chain_problems(folder: SweepFolder, portal: str = "") -> Iterator[Problem]:
    """What does not fit in the chain; nothing for evidence without one, as earlier versions wrote it.

    ``portal``: the files of other portals are not there, as in a pack of one portal.
    """
    paths = sorted((folder.path / "chain").glob("*.json"))
    if not paths:
        return
    try:
        links = read_links(folder)
    except EvidenceError as error:
        yield from (problem for problem in error.problems if isinstance(problem, Problem))
        return
    known = {folder.link(name): link for name, link in links.items()}
    for path in paths:
        name = path.stem.removeprefix("round-")
        if path not in known and not folder.spool(name).is_file():
            yield Problem(str(path), "round", f"{name}, which is not sealed", "the link of a sealed round", _ARCHIVE)
    for name in folder.sealed_rounds():
        if name not in links:
            yield Problem(str(folder.link(name)), "SHA-256", "no file", f"the link of round {name}", _ARCHIVE)
    followers: dict[str, str] = {}
    for path, link in known.items():
        for item in (link.previous, *link.files):
            if not portal or portal_of(item.file) in ("", portal):
                yield from changed(folder, item, by=folder.relative(path))
        other = followers.setdefault(link.previous.file, folder.relative(path))
        if other != folder.relative(path):
            yield Problem(str(path), "previous", f"{link.previous.file}, as of {other}", "another link: a chain has no branches", _ARCHIVE)
        if _digest_of_first(folder.ledger, link.ledger_bytes) != link.ledger_sha256:
            yield Problem(
                str(folder.ledger), f"SHA-256 of the first {link.ledger_bytes} bytes", "another",
                f"{link.ledger_sha256}, by {folder.relative(path)}", _ARCHIVE,
            )  # fmt: skip
    begins = [link for link in links.values() if folder.path / link.previous.file not in known]
    if len(begins) > 1:
        found = ", ".join(link.round for link in begins)
        yield Problem(str(folder.path / "chain"), "first link", found, "one", _ARCHIVE)


def changed(folder: SweepFolder, item: SealedFile, *, by: str) -> Iterator[Problem]:
    """The problem of a file that is gone or other than ``by`` says."""
    path = folder.path / item.file
    found = digest(path) if path.is_file() else "no file"
    if found != item.sha256:
        yield Problem(str(path), "SHA-256", found, f"{item.sha256}, by {by}", _ARCHIVE)


def _sealed(folder: SweepFolder, path: Path) -> SealedFile:
    return SealedFile(folder.relative(path), digest(path) if path.is_file() else "")


def _digest_of_first(path: Path, size: int) -> str:
    """SHA-256 of the first bytes of a file."""
    found, left = sha256(), size
    if size:
        with path.open("rb") as file:
            while left and (block := file.read(min(left, 1 << 20))):
                found.update(block)
                left -= len(block)
    return found.hexdigest()
