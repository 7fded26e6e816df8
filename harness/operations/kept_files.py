"""Keeps copies of files that people attach, in a sweep's folder: a picture of a page, the document of an announcement."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from harness.errors import EvidenceError, Problem, UsageError
from harness.evidence import SweepFolder
from harness.records.files import digest, read_at_most, write_whole

LARGEST_BYTES = 100_000_000
"""Of one kept file (assumed: a scanned announcement or a recording of a screen)."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A kept file; ``file`` is relative to the sweep's folder."""

    file: str
    sha256: str

    def check(self, folder: SweepFolder) -> None:
        """Raise EvidenceError where the file is gone or was changed."""
        path = folder.path / self.file
        found = digest(path) if path.is_file() else "no file"
        if found != self.sha256:
            raise EvidenceError(Problem(str(path), "SHA-256", found, self.sha256, "Restore the attachment from the archive."))


def keep_file(folder: SweepFolder, beside: str, path: Path, option: str = "--attach") -> Attachment:
    """Copy a file into a sweep's subfolder ``beside``. Its digest begins the new name. Raises UsageError if it cannot be read.

    ``option``: the one that named it.
    """
    try:
        content = read_at_most(path, LARGEST_BYTES)
    except OSError as error:
        raise UsageError(Problem("command line", option, f"{path} ({error})", "a file that can be read", "Check the path.")) from error
    value = sha256(content).hexdigest()
    kept = folder.path / beside / f"{value[:12]}-{path.name}"
    write_whole(kept, content)
    return Attachment(folder.relative(kept), value)
