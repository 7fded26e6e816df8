"""Secrets by reference: a command line names where a token is, never the token."""

from __future__ import annotations

import os
from pathlib import Path

from harness.errors import Problem, UsageError

_EXPECTED = "env:NAME or file:PATH"


def read_token(reference: str) -> str:
    """The token that ``env:NAME`` or ``file:PATH`` refers to; empty for an empty reference.

    Raises UsageError, which names the reference and never what it holds.
    """
    if not reference:
        return ""
    kind, _, name = reference.partition(":")
    if kind not in ("env", "file") or not name:
        # What was given may be the token itself.
        raise UsageError(
            Problem("push", "token reference", "not a reference", _EXPECTED, "Put the token into a variable or a file and name that.")
        )
    token = _from_environment(name) if kind == "env" else _from_file(Path(name))
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        remedy = "Store the token alone, on one line."
        raise UsageError(Problem("push", f"token {reference}", "empty, or not one word of printable ASCII", "a bearer token", remedy))
    return token


def _from_environment(name: str) -> str:
    if name not in os.environ:
        raise UsageError(
            Problem("push", f"token env:{name}", "not set", "an environment variable with the token", "Export it, or name another.")
        )
    return os.environ[name].strip()


def _from_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UsageError(
            Problem("push", f"token file:{path}", f"unreadable ({cause})", "a file with the token", "Check the path.")
        ) from error
