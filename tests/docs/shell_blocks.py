"""The commands in the shell blocks of a page, and what the page says that they print."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from tests.docs.snippets import Snippet

SHELLS = ("console", "sh", "bash")
"""Languages of such blocks: in ``console`` a command begins with ``$ `` and its output follows; in the others each line is a command."""
_HEREDOC = re.compile(r"<<\s*'?(\w+)'?")
_ENDS = {";", "&&", "||", "|", "&"}


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """One command, also of several lines, with the lines that the page shows below it."""

    place: str  # page and line
    text: str
    shown: tuple[str, ...] = ()

    @property
    def exit_codes(self) -> set[int]:
        """0, or what a remark behind it says: ``# ends with 3``; both where it says ``# may end with 3``."""
        found = re.search(r"# (may end|ends) with (\d+)", self.text)
        return {0} if found is None else {int(found[2])} | ({0} if found[1] == "may end" else set())

    def calls(self, program: str) -> list[list[str]]:
        """The words behind each call of a program, whatever folder it is called from, also where it is not the first word (``podman run … harness``)."""
        found: list[list[str]] = []
        taking, first = False, True
        lexer = shlex.shlex(self.text.replace("\\\n", " "), posix=True, punctuation_chars=";&|")
        lexer.whitespace_split = True
        for word in lexer:
            if word in _ENDS:
                taking, first = False, True
                continue
            if taking:
                found[-1].append(word)
            elif word.rpartition("/")[2] == program and (first or self.text.startswith("podman ")):
                taking = True
                found.append([])
            first = first and "=" in word  # a variable for the command
        return found


def shell_commands(block: Snippet) -> list[ShellCommand]:
    """The commands of one block."""
    found: list[ShellCommand] = []
    lines = iter(enumerate(block.text.splitlines(), block.line))
    for number, line in lines:
        place, text = f"{block.page.name}:{number}", line
        if block.language == "console":
            if not line.startswith("$ "):
                assert found, f"{place}: a block of `console` begins with `$ `"
                found[-1] = ShellCommand(found[-1].place, found[-1].text, (*found[-1].shown, line))
                continue
            text = line.removeprefix("$ ")
        elif not line.strip() or line.lstrip().startswith("#"):
            continue
        while text.endswith("\\"):
            text += "\n" + next(lines)[1]
        if document := _HEREDOC.search(text):
            while text.rpartition("\n")[2] != document[1]:
                text += "\n" + next(lines)[1]
        found.append(ShellCommand(place, text))
    return found
