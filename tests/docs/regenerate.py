"""Writes what the pages quote from the program: `python -m tests.docs.regenerate`.

Between ``<!-- help: NAME -->`` and ``<!-- end -->`` stands what ``harness NAME --help`` prints, between ``<!-- exit codes -->``
and ``<!-- end -->`` what ``harness.errors`` says, between ``<!-- table: NAME -->`` and ``<!-- end -->`` a table of
``tests.docs.reference``, in which cells that a person writes are kept. A command without a section gets one at the end;
write a sentence to it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from harness import errors
from harness.cli import main
from tests.docs.reference import reference_tables, regenerated_tables

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "commands.md"
WIDTH = 100
_BLOCK = re.compile(r"<!-- (?P<name>help: [^\n]*?|exit codes) -->\n.*?<!-- end -->", re.DOTALL)


def commands() -> dict[str, str]:
    """Every command by name, ``harness`` itself first, with what its ``--help`` prints at a fixed width."""
    return dict(_helps(main, "harness", None))


def _helps(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, info_name=name.rpartition(" ")[-1], parent=parent, **settings)
    yield name, command.get_help(context)
    if isinstance(command, click.Group):
        for each in sorted(command.commands):
            yield from _helps(command.commands[each], f"{name} {each}", context)


def exit_codes() -> str:
    """The table of exit codes, as the errors say themselves."""
    rows = [("0", "", "done")]
    kinds = sorted({errors.HarnessError, *errors.HarnessError.__subclasses__()}, key=lambda kind: kind.exit_code)
    for kind in kinds:
        if kind is errors.HarnessError:
            meaning = "something failed that no other class describes"
        else:
            assert kind.__doc__ is not None
            meaning = kind.__doc__.split("\n", 1)[0].rstrip(".")
        rows.append((str(kind.exit_code), f"`{kind.__name__}`", meaning))
    return "\n".join(["| code | error | meaning |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)])


def regenerated(text: str, helps: Mapping[str, str]) -> str:
    """The page with every quoted block as the program has it now; blocks of commands that are gone stay empty."""

    def quote(found: re.Match[str]) -> str:
        name = found["name"]
        body = exit_codes() if name == "exit codes" else f"```text\n{helps.get(name.removeprefix('help: '), '')}\n```"
        return f"<!-- {name} -->\n{body}\n<!-- end -->"

    return _BLOCK.sub(quote, text)


def with_sections(text: str, helps: Mapping[str, str]) -> str:
    """The page with an empty section at the end for every command that has none."""
    known = documented(text)
    return text + "".join(f"\n## `{name}`\n\n<!-- help: {name} -->\n<!-- end -->\n" for name in helps if name not in known)


def documented(text: str) -> list[str]:
    """The commands that have a section, in order."""
    return re.findall(r"^<!-- help: (.*?) -->$", text, re.MULTILINE)


if __name__ == "__main__":
    found = commands()
    PAGE.write_text(regenerated(with_sections(PAGE.read_text(encoding="utf-8"), found), found), encoding="utf-8")
    known = reference_tables()
    for page in sorted(DOCS.rglob("*.md")):
        page.write_text(regenerated_tables(page.read_text(encoding="utf-8"), known), encoding="utf-8")
    sys.stdout.write(f"{PAGE} holds {len(found)} commands, the pages {len(known)} tables\n")
