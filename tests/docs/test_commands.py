"""docs/commands.md quotes the program, and leaves no command out."""

from __future__ import annotations

import click

from tests.docs.regenerate import PAGE, commands, documented, exit_codes, regenerated, with_sections

ANEW = "run `python -m tests.docs.regenerate`"


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    found = documented(PAGE.read_text(encoding="utf-8"))
    assert sorted(found) == sorted(commands()), ANEW
    assert len(found) == len(set(found))


def test_what_is_quoted_is_what_the_program_prints() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert regenerated(text, commands()) == text, ANEW


def test_every_command_and_option_says_what_it_does() -> None:
    for name, text in commands().items():
        assert "Usage: harness" in text, name
        described = [line for line in text.splitlines()[1:] if line.startswith("  ") and not line.lstrip().startswith("-")]
        assert described, name


def test_a_new_command_gets_a_section() -> None:
    helps = {**commands(), "harness brand-new": "Usage: harness brand-new"}
    text = regenerated(with_sections(PAGE.read_text(encoding="utf-8"), helps), helps)
    assert "harness brand-new" in documented(text)
    assert "```text\nUsage: harness brand-new\n```" in text


def test_a_command_that_is_gone_is_noticed() -> None:
    text = PAGE.read_text(encoding="utf-8")
    fewer = {name: text_of for name, text_of in commands().items() if name != "harness demo"}
    assert regenerated(text, fewer) != text


def test_exit_codes_are_each_one_error() -> None:
    codes = [line.split("|")[1].strip() for line in exit_codes().splitlines()[2:]]
    assert codes == [*map(str, range(len(codes)))]


def test_help_is_the_same_on_every_terminal(monkeypatch) -> None:
    before = commands()
    monkeypatch.setattr(click.formatting, "FORCED_WIDTH", 40)
    assert commands() == before
