"""A lone walk as it is kept: every request and answer in the order in which they began, without secrets.

    lone/<portal>/<round>-<journey>-<visit>.jsonl.gz     gzip of JSON lines: the walk, then one line an exchange

Times are microseconds of the worker's monotonic clock, as in the rows: the line of an exchange has the ``start_us`` of its row.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

from harness.errors import EvidenceError, Problem, visible
from harness.records.files import read_at_most
from harness.records.plain import from_plain, to_plain

BODY_BYTES = 256_000
"""Kept of one body: as much as of a page on which a step failed."""
WALK_BYTES = 2_000_000
"""Kept of bodies, header fields and addresses in one walk (assumed: a walk has some 20 pages of 50 to 100 kB). Of bodies beyond it only length and SHA-256 are kept."""
HEAD_BYTES = 16_384
"""Kept of the header fields of one request or answer (assumed: twice what servers commonly accept)."""
EXCHANGES = 400
"""Kept of one walk (assumed: a walk has some 40 requests; with what pages refer to, some hundreds)."""
LARGEST_FILE = 4 << 20
"""Bytes of one packed walk at most: bodies and heads at their limits, as Base64."""
LARGEST_WALK = 64 << 20
"""Bytes of one unpacked walk at most (assumed: JSON writes a byte as up to six, and each exchange has figures of its own)."""


@dataclass(frozen=True, slots=True)
class KeptBody:
    """A body: its length, and as much of it as is kept, as text or, of what is no text, as Base64."""

    bytes: int  # of the whole body, decoded by its content encoding
    sha256: str = ""  # of the whole body before secrets are blanked; empty where it held one that was given to us
    text: str = ""
    base64: str = ""
    cut_at: int | None = None  # how many bytes of the body are kept; None: all


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A request or an answer: its first line, header fields in their order, and body."""

    line: str
    fields: tuple[tuple[str, str], ...]
    body: KeptBody
    fields_left_out: int = 0  # beyond the limit


@dataclass(frozen=True, slots=True)
class KeptExchange:
    """One request and its answer; its place in the journey is that of its row."""

    goal: str
    step: str
    attempt: int
    request: int
    hop: int
    outcome: str  # of the row; empty where the visit was cut off before it was judged
    url: str
    start_us: int
    first_byte_us: int
    end_us: int
    dns_us: int
    connect_us: int
    tls_us: int
    reused: bool
    read_again: bool
    wire_bytes: int
    address: str  # that was connected to; empty where none was
    certificate: str  # SHA-256 of the server's certificate; empty without TLS
    error: str
    sent: KeptMessage
    received: KeptMessage | None  # None without a complete head


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """A certificate that a server showed, whether or not it was accepted."""

    sha256: str  # of its DER form
    subject: str  # RFC 4514
    issuer: str
    names: tuple[str, ...]  # for which it is valid
    not_before: str  # ISO 8601, UTC
    not_after: str
    serial: str  # hexadecimal
    chain: tuple[str, ...] = ()  # of a server's own certificate: the subjects of those that were shown with it


@dataclass(frozen=True, slots=True)
class KeptWalk:
    """One visit of one citizen alone."""

    sweep: str
    round: int
    run: str
    window: int
    portal: str
    worker: str
    journey: str
    visit: int
    outcome: str
    ended_utc: str  # ISO 8601, by the worker's clock
    ended_us: int  # the same moment by the monotonic clock
    certificates: tuple[PeerCertificate, ...] = ()
    left_out: int = 0  # exchanges beyond the limit
    schema: str = "lone-walk/1"
    exchanges: tuple[KeptExchange, ...] = ()


@dataclass(frozen=True, slots=True)
class PackedWalk:
    """A walk on its way to the master: the file as it will lie in the evidence."""

    journey: str
    visit: int
    file: bytes


def pack_walk(walk: KeptWalk) -> bytes:
    """A walk as a file. What a terminal would obey or hide is escaped in it, as JSON allows."""
    facts = to_plain(walk)
    lines = [facts, *facts.pop("exchanges")]
    return gzip.compress(b"".join(visible(json.dumps(line, ensure_ascii=False)).encode() + b"\n" for line in lines), mtime=0)


def read_walk(path: Path) -> KeptWalk:
    """A walk from its file; EvidenceError where it is missing, is none, or is larger than a walk can be."""
    try:
        lines = _unpacked(read_at_most(path, LARGEST_FILE)).splitlines()
        facts, *exchanges = (json.loads(line) for line in lines)
        return from_plain(KeptWalk, {**facts, "exchanges": exchanges})
    except (OSError, EOFError, zlib.error, ValueError, TypeError, RecursionError) as error:
        problem = Problem(str(path), "content", f"unreadable ({error})", "a lone walk as it was written", "Restore it from the archive.")
        raise EvidenceError(problem) from error


def _unpacked(data: bytes) -> bytes:
    with gzip.open(io.BytesIO(data)) as file:
        found = file.read(LARGEST_WALK + 1)
    if len(found) > LARGEST_WALK:
        raise ValueError(f"more than {LARGEST_WALK} bytes")
    return found
