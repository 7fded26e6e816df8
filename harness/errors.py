"""Every error this package raises, and the exit code each ends a command with.

    HarnessError                   1   something failed that no other class describes
    ├── UsageError                 2   an option or an argument of a command is wrong
    ├── CatalogError               3   files of the catalog are wrong: all problems of all files
    ├── AuthorisationError         4   a host would be loaded without a written permission
    ├── EvidenceError              5   results are missing, unreadable or changed since they were sealed
    ├── EnvironmentFault           6   this machine: a port in use, a missing program, a full disk
    ├── MeasurementError           7   a sweep or a run ended before its plan did
    ├── CalibrationError           8   the instrument is further from the truth than its limits
    ├── DeliveryError              9   the main evaluation did not accept the import
    ├── NoPointsError             10   a portal was measured as planned and has no points
    └── RequirementError          11   a portal is below what was asked, is worse, or nothing shows that it is not

Every error says what is wrong, where, what was expected and what to do about it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import ClassVar, Final

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode that a terminal obeys or hides: control characters, direction marks and others without a shape, line ends."""


def visible(text: str, *, keep: str = "") -> str:
    r"""A text that others may have written, as it may be printed: what a terminal would obey or hide is spelled as in JSON, ``\u001b``.

    ``keep``: characters that stay as they are, for example the line ends of a text of ours.
    """
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign in keep or unicodedata.category(sign) not in _UNSEEN else _spelled(sign) for sign in text
    )


def _spelled(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``Did you mean `x`?`` and a blank, where known names are much like this one; else nothing. A remedy may begin with it."""
    spelled = {each.lower(): each for each in sorted(known)}
    near = [f"`{spelled[each]}`" for each in get_close_matches(name.lower(), spelled, n=3)]
    return f"Did you mean {' or '.join([', '.join(near[:-1]), near[-1]] if near[1:] else near)}? " if near else ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in one input: its place, the value, what was expected, what to do."""

    file: str
    key: str
    value: str
    expected: str
    remedy: str
    line: int = 0  # from 1; 0 where there are no lines

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return visible(f"{place}: {self.key} is {self.value}; expected {self.expected}. {self.remedy}")


class HarnessError(Exception):
    """The root of the tree; carries the problems it is about, one line each."""

    exit_code: ClassVar[int] = 1

    def __init__(self, *problems: Problem | str) -> None:
        self.problems: Sequence[Problem | str] = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class UsageError(HarnessError):
    """An option or an argument of a command is wrong."""

    exit_code = 2


class CatalogError(HarnessError):
    """Portals, platforms, workloads, authorisations or criteria have mistakes."""

    exit_code = 3


class AuthorisationError(HarnessError):
    """A host would be sent a request without an authorisation for it."""

    exit_code = 4


class EvidenceError(HarnessError):
    """Results are missing, unreadable, or changed since they were sealed."""

    exit_code = 5

    @classmethod
    def missing(cls, path: Path, expected: str, remedy: str) -> EvidenceError:
        """The error for a folder or file that should be there."""
        return cls(Problem(str(path), "path", "not there", expected, remedy))


class EnvironmentFault(HarnessError):  # noqa: N818  (EnvironmentError is Python's)
    """A command needs something that this machine lacks."""

    exit_code = 6


class MeasurementError(HarnessError):
    """A run or a sweep ended before its plan did."""

    exit_code = 7


class CalibrationError(HarnessError):
    """The instrument's error is beyond its limits."""

    exit_code = 8


class DeliveryError(HarnessError):
    """The main evaluation did not accept the scores."""

    exit_code = 9


class NoPointsError(HarnessError):
    """A portal was measured as planned and has no points."""

    exit_code = 10


class RequirementError(HarnessError):
    """A portal is below what was asked, is worse than before, or nothing shows that it is not."""

    exit_code = 11
