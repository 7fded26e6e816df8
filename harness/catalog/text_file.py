"""Text files that people bring, as editors, spreadsheets and secret stores save them."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Final

from harness.errors import HarnessError, Problem, UsageError
from harness.records.files import read_at_most

LARGEST_BYTES: Final = 100_000_000
"""Of a file that people bring (assumed: a browser's record of a long journey, with all that was fetched, has some tens of millions)."""


_PACKED = ((b"PK\x03\x04", "a workbook or a ZIP file"), (b"\xd0\xcf\x11\xe0", "an old workbook"), (b"\x1f\x8b", "a gzip file"))
BLANK_EDGE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]|.*[\s\u200b-\u200f\u2060\ufeff]\Z", re.DOTALL)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decoded(data: bytes) -> str:
    """A text as editors save it: UTF-8, or UTF-16 with a byte order mark. The mark is no part of the text. Raises UnicodeDecodeError."""
    return data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")


def has_blank_edges(text: str) -> bool:
    """Whether a text begins or ends with white space, or with a sign that nobody sees."""
    return BLANK_EDGE.match(text) is not None


def read_text_file(
    path: Path | str, what: str, problems: list[Problem], *, option: str = "file", most_bytes: int = LARGEST_BYTES
) -> str | None:
    """The text of a file; None, and one of ``problems``, where it cannot be read.

    ``what`` says which kind of file was expected, ``option`` which one of the command line named it.
    """
    try:
        data = read_at_most(Path(path), most_bytes)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        problems.append(Problem(str(path), option, f"unreadable ({error})", f"{what} in UTF-8", "Check the path."))
        return None
    return text_of(data, str(path), what, problems)


def required_text(path: Path | str, what: str, *, option: str = "file", error: type[HarnessError] = UsageError) -> str:
    """The text of a file, as ``read_text_file`` reads it; ``error`` where it cannot be read."""
    problems: list[Problem] = []
    text = read_text_file(path, what, problems, option=option)
    if text is None:
        raise error(*problems)
    return text


def text_of(data: bytes, file: str, what: str, problems: list[Problem]) -> str | None:
    """The text of bytes that came from ``file``; None, and one of ``problems``, where they are no text."""
    if packed := next((name for head, name in _PACKED if data.startswith(head)), ""):
        problems.append(
            Problem(file, "file", packed, f"{what} in UTF-8", "Unpack it, or save it as text (a spreadsheet: as “CSV UTF-8”).", 1)
        )
        return None
    try:
        text = decoded(data)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        shown = f"unreadable (not UTF-8: byte 0x{data[error.start]:02X} at place {error.start})"
        remedy = "Save it as UTF-8 (a spreadsheet: as “CSV UTF-8”); an older encoding such as windows-1258 is not guessed."
        problems.append(Problem(file, "file", shown, f"{what} in UTF-8", remedy, line))
        return None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        remedy = "The file is cut, or UTF-16 without a byte order mark: save it as UTF-8."
        problems.append(Problem(file, "file", "unreadable (it holds NUL)", f"{what} in UTF-8", remedy, line))
        return None
    return text
