"""Every fenced block of every page is run, read by the program's own reader, or says above it why not.

A comment right above a block may say ``tested: PATH`` (that test runs it), ``not run here: REASON``, or ``file: PATH`` (the reader saves it there). Blocks of commands without one are run by
``tests/acceptance/test_pages_commands.py``, each page from top to bottom. Here they are only compared with the commands and options that exist.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from pydantic import TypeAdapter

from harness.catalog.agency import Agency
from harness.catalog.authorisation import Authorisation
from harness.catalog.criteria_set import CriteriaSet
from harness.catalog.portal import PortalFile
from harness.catalog.workload import Workload
from harness.cli import main
from harness.simulator.configuration import Config
from tests.docs.reader import ELSEWHERE
from tests.docs.shell_blocks import SHELLS, ShellCommand, shell_commands
from tests.docs.snippets import Snippet, snippets

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
SHOWN_ONLY = {"text", "ini", "nginx"}
"""Languages of what is shown: output, grammars, files of other programs."""
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
BLOCKS = [block for page in PAGES for block in snippets(page)]


def place(block: Snippet) -> str:
    return f"{block.page.relative_to(ROOT).as_posix()}:{block.line}"


def noted(block: Snippet, kind: str) -> str:
    """What the note above a block says of one kind; empty without it."""
    return block.note.removeprefix(f"{kind}: ") if block.note.startswith(f"{kind}: ") else ""


def of(*languages: str) -> Any:
    """The blocks of some languages that no other test runs."""
    found = [block for block in BLOCKS if block.language in languages and (block.page.name, block.language) not in ELSEWHERE]
    return pytest.mark.parametrize("block", found, ids=place)


def test_every_block_is_run_or_says_why_not() -> None:
    run = {*SHELLS, *SHOWN_ONLY, "python", "yaml", "json", "sql", "promql"}
    assert len(BLOCKS) > 60
    unknown = [place(block) for block in BLOCKS if block.language not in run and not block.note]
    assert unknown == [], f"no note, and its language is none of {', '.join(sorted(run))}"


def test_a_note_is_one_of_three() -> None:
    kinds = ("tested: ", "not run here: ", "file: ")
    notes = [(block, block.note) for block in BLOCKS if block.note and block.language != "text"]
    assert [(place(block), note) for block, note in notes if not note.startswith(kinds)] == []


def test_a_test_that_is_named_above_a_block_exists() -> None:
    for block in BLOCKS:
        named = noted(block, "tested")
        for test in [named] if named else ELSEWHERE.get((block.page.name, block.language), ()):
            assert (ROOT / test).exists(), f"{place(block)}: {test}"


@of("python")
def test_python(block: Snippet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = ast.parse(block.text)
    for each in ast.walk(tree):
        if isinstance(each, ast.ImportFrom) and each.module and each.module.startswith("harness"):
            module = importlib.import_module(each.module)
            assert [name.name for name in each.names if not hasattr(module, name.name)] == []
    if not block.note:
        monkeypatch.chdir(tmp_path)
        block.run({})


@of("yaml", "json")
def test_data(block: Snippet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("chain.pem", "key.pem"):  # files that examples name
        (tmp_path / name).touch()
    read = json.loads(block.text) if block.language == "json" else yaml.safe_load(block.text)
    if not block.note or noted(block, "file"):
        model_of(read, place(block))


def model_of(data: Any, where: str) -> object:
    """What the program's own reader makes of it."""
    for keys, model in (
        ({"granted_by", "hosts"}, Authorisation), ({"portals", "truth_log"}, Config), ({"portals"}, PortalFile), ({"criteria", "groups"}, CriteriaSet), ({"stages"}, Workload), ({"people"}, Agency),
    ):  # fmt: skip
        if keys <= set(data):
            return model.model_validate(data)
    assert set(data) <= set(CriteriaSet.model_fields), f"{where}: no reader of ours takes this; say above it which test does"
    return [TypeAdapter(CriteriaSet.model_fields[key].annotation).validate_python(value) for key, value in data.items()]


@of(*SHELLS)
def test_commands_exist(block: Snippet) -> None:
    for command in shell_commands(block):
        problems = unknown_words(command)
        assert problems == [], command.place


def unknown_words(command: ShellCommand) -> list[str]:
    """Commands, options, targets, modules and files in it that do not exist."""
    found = [f"make {target}" for words in command.calls("make") for target in words[:1] if target not in TARGETS]
    for words in command.calls("harness"):
        found += unknown_options(words)
    for words in (*command.calls("python"), *command.calls("python3")):
        if words[:1] == ["-m"] and words[1].partition(".")[0] in {"tests", "benches", "harness"}:
            path = ROOT / words[1].replace(".", "/")
            found += [] if path.with_suffix(".py").exists() or (path / "__main__.py").exists() else [words[1]]
        found += [word for word in words if word.startswith("tests/") and not (ROOT / word.partition("::")[0]).exists()]
    return found


def unknown_options(words: list[str]) -> list[str]:
    """What ``harness`` does not have of the words behind it."""
    command: click.Command = main
    known = {name for parameter in command.params for name in parameter.opts}
    found = []
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-") and word in command.commands:
            command = command.commands[word]
            known |= {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"-h", "--help"}
        elif word.startswith("-") and word.partition("=")[0] not in known:
            found.append(word)
    return found if not isinstance(command, click.Group) or not words else [*found, f"harness {' '.join(words)}"]


def test_what_does_not_exist_is_noticed() -> None:
    for text, problem in (
        ("harness brand-new x", ["harness brand-new x"]),
        (".venv/bin/harness score results/x --brand-new && make test", ["--brand-new"]),
        ("make brand", ["make brand"]),
        (".venv/bin/python -m tests.docs.brand_new", ["tests.docs.brand_new"]),
        ("python -m pytest tests/docs/test_brand_new.py", ["tests/docs/test_brand_new.py"]),
        ("harness score results/x --json | jq .  # and more", []),
    ):
        assert unknown_words(ShellCommand("here", text)) == problem
