"""Where a secret is: ``env:NAME`` or ``file:PATH``. The secret itself stands in no catalog and on no command line."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.records.files import read_at_most

LARGEST_BYTES: Final = 65_536
"""Of a secret, a token or a key file (assumed: the longest keys in PEM have some thousands)."""


@dataclass(frozen=True, slots=True)
class SecretReference:
    """The name of an environment variable, or the path of a file."""

    kind: str  # env or file
    where: str

    def read(self) -> bytes:
        """The secret. Raises KeyError if the variable is not set, OSError if the file cannot be read or is too large."""
        return os.environb[os.fsencode(self.where)] if self.kind == "env" else read_at_most(Path(self.where), LARGEST_BYTES)


def parse_reference(text: str) -> SecretReference | None:
    """Read a reference from a text. None for any other text: it may be the secret itself, so no message may show it."""
    kind, _, where = text.partition(":")
    return SecretReference(kind, where) if kind in ("env", "file") and where else None
