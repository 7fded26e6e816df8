"""Files that are news of a sweep under way and no evidence: a master writes each again and again, and a sweep goes on without them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from harness.errors import EvidenceError, Problem
from harness.records.files import read_at_most
from harness.records.plain import Record, from_plain


def write_news(path: Path, text: str) -> None:
    """Write a file anew; a reader sees the old one or the new one. It does not wait for the disk. OSError."""
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(text.encode())
    new.replace(path)


def read_news(path: Path, kind: type[Record], most_bytes: int, check: Callable[[Record], None]) -> Record | None:
    """What a file says; None where there is none. ``check`` raises ValueError for what no master writes. EvidenceError."""
    try:
        found = from_plain(kind, json.loads(read_at_most(path, most_bytes)))
        check(found)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        remedy = "Remove it: nothing depends on it, and a sweep under way writes it again."
        raise EvidenceError(Problem(str(path), "content", f"unreadable ({error})", "the file as it was written", remedy)) from error
    return found
