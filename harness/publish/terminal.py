"""Tables and paragraphs on a terminal, which fit its width, and the same where output is piped: a line a row, without box art."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.errors import visible
from harness.evidence.reasons import Language
from harness.publish.wording import Phrase

_BETWEEN = "  "
_USUAL_WIDTH = 80


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a table."""

    name: Text
    is_right: bool = False  # numbers stand at the right
    least: int = 0  # its least width, in cells: other columns wrap first


def in_languages(words: Phrase, languages: Sequence[Language], style: str = "") -> Text:
    """A text in each language, a line each; those after the first are dimmed. Control characters are made visible."""
    first, *others = languages
    text = Text(visible(words.into(first)), style=style)
    for language in others:
        text.append(f"\n{visible(words.into(language))}", style="not bold dim")
    return text


def print_table(console: Console, columns: Sequence[TableColumn], rows: Sequence[Sequence[Text]]) -> None:
    """A table whose cells wrap at the terminal's width. In a pipe each row is one line of any width, and each line of a cell is a column."""
    if console.is_terminal:
        table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False, collapse_padding=True)
        for column in columns:
            least = column.least if console.width >= _USUAL_WIDTH else None  # on a narrow terminal they would push others out
            table.add_column(column.name, justify="right" if column.is_right else "left", overflow="fold", min_width=least or None)
        for row in rows:
            table.add_row(*row)
        console.print(table)
        return
    parts = [max(len(_lines_of(cell)) for cell in cells) for cells in zip([column.name for column in columns], *rows, strict=True)]
    of_parts = [column for column, count in zip(columns, parts, strict=True) for _ in range(count)]
    lines = [_in_parts(row, parts) for row in ([column.name for column in columns], *rows)]
    widths = [max(map(cell_len, texts)) for texts in zip(*lines, strict=True)]
    for line in lines:
        console.out(_BETWEEN.join(map(_padded, line, widths, of_parts)).rstrip(), highlight=False)


def print_text(console: Console, words: Phrase, languages: Sequence[Language], style: str = "") -> None:
    """A paragraph in each language, wrapped at a terminal's width, on one line in a pipe."""
    for language in languages:
        print_line(console, words.into(language), style if language == languages[0] else f"{style} not bold dim")


def print_line(console: Console, text: str, style: str = "") -> None:
    """A line of text, wrapped at a terminal's width only."""
    if console.is_terminal:
        console.print(Text(visible(text), style=style))
    else:
        console.out(visible(text), highlight=False)


def _lines_of(cell: Text) -> list[str]:
    return cell.plain.split("\n")


def _in_parts(row: Sequence[Text], parts: Sequence[int]) -> list[str]:
    """The lines of all cells side by side, as many of each as ``parts`` says."""
    texts = [(_lines_of(cell), count) for cell, count in zip(row, parts, strict=True)]
    return [lines[at] if at < len(lines) else "" for lines, count in texts for at in range(count)]


def _padded(text: str, width: int, column: TableColumn) -> str:
    blanks = " " * (width - cell_len(text))
    return blanks + text if column.is_right else text + blanks
