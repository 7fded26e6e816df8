"""A report's pages as a reader of one language sees them: tables and other texts, and the numbers in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")
_NAMES = re.compile(r"https?://\S+|\b(?:p50|p90|p95|p99|SHA-256)\b")


@dataclass(frozen=True)
class PageTable:
    """One table: its columns, and its rows with as many cells; ``heads`` are rows of one cell, such as a journey's name above its steps."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(path: Path) -> Iterator[PageTable]:
    """The tables of a page."""
    for table in _read(path).css("table"):
        columns = tuple(_text(cell) for cell in table.css("thead th"))
        yield PageTable(columns, tuple(tuple(_text(cell) for cell in row.css("th, td")) for row in table.css("tbody tr")))


def texts(path: Path, selector: str, without: str = "vi") -> list[str]:
    """The texts of the elements that a selector finds, without one of the languages."""
    return [_text(node) for node in _read(path, without).css(selector)]


def title(path: Path) -> str:
    """A page's title."""
    node = LexborHTMLParser(path.read_text(encoding="utf-8")).css_first("title")
    assert node is not None
    return node.text()


def numbers(text: str) -> list[str]:
    """The numbers in a text, as they are printed; those in addresses and in names such as p95 are none."""
    return [found.rstrip(",") for found in _NUMBER.findall(_NAMES.sub(" ", text))]


def is_printed(token: str, value: float | None) -> bool:
    """Whether a printed number is this value, rounded to its digits."""
    if value is None:
        return False
    decimals = len(token.partition(".")[2])
    return bool(abs(float(token.replace(",", "")) - value) <= 0.5 * 10**-decimals + 1e-9)


def unclaimed(text: str, expected: Sequence[float | None]) -> list[str]:
    """The numbers of a cell that are not the expected ones, in their order; all of them where their count differs."""
    found = numbers(text)
    if len(found) != len(expected):
        return [f"{found}, expected {list(expected)}"]
    return [f"{token}, expected {value}" for token, value in zip(found, expected, strict=True) if not is_printed(token, value)]


def strange(text: str, known: Sequence[float | None]) -> list[str]:
    """The numbers of a cell that are none of those known."""
    return [token for token in numbers(text) if not any(is_printed(token, value) for value in known)]


def _read(path: Path, without: str = "vi") -> LexborHTMLParser:
    page = LexborHTMLParser(path.read_text(encoding="utf-8"))
    for node in page.css(f"body [lang={without}], style, script"):
        node.decompose()
    return page


def _text(node: LexborNode) -> str:
    return " ".join(node.text(separator=" ").split())
