"""The fenced blocks of a documentation page, for the tests that run them."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BLOCK = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<language>[^\n`]*)\n(?P<text>.*?)^(?P=indent)(?P=fence) *$", re.MULTILINE | re.DOTALL
)
_NOTE = re.compile(r"<!--\s*(?P<note>[^>]*?)\s*-->\s*\Z")


@dataclass(frozen=True, slots=True)
class Snippet:
    """One fenced block."""

    page: Path
    line: int  # of the first line of its text, from 1
    language: str  # the first word after the fence; empty where there is none
    text: str
    note: str = ""  # the HTML comment right above it

    def run(self, names: dict[str, Any]) -> str:
        """Execute a block of Python among these names, which it may change; what it printed. A traceback names page and line."""
        code = compile("\n" * (self.line - 1) + self.text, str(self.page), "exec")
        with redirect_stdout(io.StringIO()) as printed:
            exec(code, names)
        return printed.getvalue()


def snippets(page: Path, *languages: str) -> list[Snippet]:
    """The blocks of a page in their order, also those in lists; all of them where no language is named."""
    text = page.read_text(encoding="utf-8")
    found = [
        Snippet(
            page,
            text.count("\n", 0, block.start("text")) + 1,
            block["language"].strip().partition(" ")[0],
            re.sub(f"^{block['indent']}", "", block["text"], flags=re.MULTILINE),
            note["note"] if (note := _NOTE.search(text, 0, block.start())) else "",
        )
        for block in _BLOCK.finditer(text)
    ]
    return [each for each in found if not languages or each.language in languages]
