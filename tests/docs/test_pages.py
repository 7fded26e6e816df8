"""Every page: links lead somewhere, commands and files that are named exist, pictures are small."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.regenerate import commands

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), ROOT / "results" / "README.md", *(ROOT / "docs").rglob("*.md")])
COMMANDS = {name.partition(" ")[2] for name in commands()}
each = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each
def test_links_lead_somewhere(page: Path) -> None:
    plain = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", plain):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


@each
def test_commands_that_are_named_exist(page: Path) -> None:
    for name in re.findall(r"(?:`|\.venv/bin/)harness ([a-z]+)", text_of(page)):
        assert name in COMMANDS, name


@each
def test_targets_that_are_named_exist(page: Path) -> None:
    known = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    for name in re.findall(r"`make ([a-z]+)`", text_of(page)):
        assert name in known, name


@each
def test_tests_and_modules_that_are_named_exist(page: Path) -> None:
    for command in re.findall(r"pytest ((?:-m slow )?tests/[^`]*)", text_of(page)):
        for path in re.findall(r"tests/[\w/.]+", command):
            assert (ROOT / path).exists(), path
    for module in re.findall(r"python -m ((?:tests|benches)[\w.]*)", text_of(page)):
        assert (ROOT / f"{module.replace('.', '/')}.py").exists() or (ROOT / module.replace(".", "/") / "__main__.py").exists(), module


@each
def test_tests_that_are_chosen_by_a_word_exist(page: Path) -> None:
    """Each word of ``-k`` is part of a name in the files of the command."""
    for command in re.findall(r"pytest ([^`\n]*-k [^`\n]*)`", text_of(page)):
        chosen = re.search(r'-k ("[^"]+"|\w+)', command)
        assert chosen, command
        assert command.count("-k ") == 1, "of several, pytest takes the last"
        paths = [ROOT / path for path in re.findall(r"tests/[\w/.]+", command)]
        files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("test_*.py"))]
        names = {name for file in files for name in (file.stem, *re.findall(r"\w+", text_of(file)))}
        for word in set(chosen[1].strip('"').split()) - {"or", "and", "not"}:
            assert any(word in name for name in names), f"{command}: {word}"


@each
def test_files_that_are_named_exist(page: Path) -> None:
    for path in re.findall(r"`((?:harness|scenarios|tests|benches|docs|requirements)/[\w./-]+)`", text_of(page)):
        assert (ROOT / path).exists(), path


def test_a_claim_has_a_command_that_shows_it() -> None:
    sections = text_of(ROOT / "docs" / "claims.md").split("\n## Limits", 1)[0].split("\n## ")[1:]
    assert len(sections) > 8
    for section in sections:
        assert re.search(r"(?:→|^\n)\s*(?:Run )?`", section.partition("\n")[2], re.MULTILINE), section.partition("\n")[0]


def test_pictures_are_small_and_shown() -> None:
    shown = {
        (page.parent / path).resolve()
        for page in PAGES
        for path in re.findall(r"!\[[^\]]+\]\(([^)\s]+)\)", text_of(page))
        if "://" not in path
    }
    there = set((ROOT / "docs").rglob("*.png"))
    assert shown == there
    assert all(path.stat().st_size < 200_000 for path in there)
    assert ROOT / "docs" / "images" / "overview.png" in shown
    assert "(docs/images/overview.png)" in text_of(ROOT / "README.md")


def test_the_board_in_the_quick_start_is_that_of_the_demo() -> None:
    board = text_of(ROOT / "docs" / "quickstart.md").split("```text\n", 1)[1].split("```", 1)[0]
    portals = re.findall(r"^  - id: ([a-z-]+)$", text_of(ROOT / "scenarios" / "portals" / "demo.yaml"), re.MULTILINE)
    assert len(portals) == 6
    assert all(re.search(rf"^ +[\d–-]+  {portal}  ", board, re.MULTILINE) for portal in portals)
    assert "SHORTENED" in board
    assert "PROVISIONAL" in board


def test_no_page_names_a_path_of_somebodys_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    for name in listed or [page.relative_to(ROOT).as_posix() for page in PAGES]:
        assert not re.search(r"(?<![\w.])/(?:home|root|Users)/", text_of(ROOT / name)), name
