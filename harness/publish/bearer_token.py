"""The token by which the main evaluation knows the sender: read from a reference, and blanked wherever a receiver repeats it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.catalog.secret_reference import parse_reference
from harness.errors import Problem, UsageError
from harness.visits.blanking import without
from harness.visits.credentials import BLANK, by_kind, is_credential


def read_token(reference: str) -> str:
    """The token that ``env:NAME`` or ``file:PATH`` refers to; empty for an empty reference.

    Raises UsageError, which names the reference and never the token.
    """
    if not reference:
        return ""
    named = parse_reference(reference)
    if named is None:
        remedy = "Put the token into a variable or a file and name that."  # the value is not shown: it may be the token itself
        raise UsageError(Problem("push", "token reference", "not a reference", "env:NAME or file:PATH", remedy))
    try:
        token = named.read().decode().strip()
    except KeyError as error:
        expected = "an environment variable with the token"
        raise UsageError(Problem("push", f"token {reference}", "not set", expected, "Export it, or name another.")) from error
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UsageError(
            Problem("push", f"token {reference}", f"unreadable ({cause})", "a file with the token", "Check the path.")
        ) from error
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        remedy = "Store the token alone, on one line."
        raise UsageError(Problem("push", f"token {reference}", "empty, or not one word of printable ASCII", "a bearer token", remedy))
    return token


@dataclass(frozen=True, slots=True)
class TokenBlanking:
    """Blanks the token and every other credential in what a receiver says."""

    token: str

    def __call__(self, text: str) -> str:
        """The text with both blanked."""
        return by_kind(without([self.token], text) if self.token else text)

    def data(self, value: Any) -> Any:
        """The same for every text in a JSON value."""
        if isinstance(value, dict):
            return {
                self(name): BLANK if isinstance(each, str) and is_credential(name, each) else self.data(each)
                for name, each in value.items()
            }
        if isinstance(value, list):
            return [self.data(each) for each in value]
        return self(value) if isinstance(value, str) else value
