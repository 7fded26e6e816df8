"""Tables of pages in Markdown."""

from __future__ import annotations


def tables_in(text: str) -> list[list[list[str]]]:
    """Each table of a text: the line of its heads, then its rows, as cells."""
    tables: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            tables[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        elif tables[-1]:
            tables.append([])
    return [[table[0], *table[2:]] for table in tables if table]
