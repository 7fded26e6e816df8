"""How ids and names of a catalog are spelled. An id is the name of a file or a folder somewhere, so it can never lead out of one."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator

from harness.errors import Problem, UsageError

LONGEST_ID: Final = 100
"""Characters: as long as the names of files in a bundle. With what stands before and behind it a file system still takes the name."""
ID_IN_WORDS: Final = f"small letters a to z, digits and hyphens, at most {LONGEST_ID} characters, of which the first is no hyphen"
_ID: Final = rf"[a-z0-9][a-z0-9-]{{0,{LONGEST_ID - 1}}}"


def spelled(pattern: str, words: str) -> AfterValidator:
    """A text that is whole as a pattern says; where it is not, ``words`` say what it may hold."""

    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(words)
        return text

    return AfterValidator(check)


PlainId = Annotated[str, spelled(_ID, ID_IN_WORDS)]
"""The id of a portal, a set, a platform, a workload, an authorisation, a group or a criterion."""
Name = Annotated[str, spelled(r"[a-z][a-z0-9_]*", "small letters a to z, digits and underscores, of which the first is a letter")]
"""A name that a profile gives: of a value, a pool, a journey."""


def is_id(text: str) -> bool:
    """Whether a text may be an id."""
    return re.fullmatch(_ID, text) is not None


def check_id(text: str, given_by: str) -> None:
    """Raise UsageError for an id that none may be; ``given_by``: the option that gave it."""
    if not is_id(text):
        raise UsageError(Problem("command line", given_by, repr(text), ID_IN_WORDS, "Give another id; nothing was written."))
