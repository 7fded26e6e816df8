"""Results on a terminal of 80 columns and in a pipe: nothing is cut, nothing depends on colour, and the language is the one asked for."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import click
import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from rich.console import Console

from harness import publish
from harness.cli import main
from harness.cli.options import lang_option, languages
from harness.evidence.facts import Verdict

COLOURS = re.compile(r"\x1b\[(?:[0-9]+;)*(?:3[0-7]|4[0-7]|9[0-7])(?:;[0-9]+)*m")
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
BOX = re.compile("[─━│┃┏┗┌└]")


def board(scores, *, terminal: bool, **options) -> str:
    console = Console(file=io.StringIO(), width=80, force_terminal=terminal, color_system="standard" if terminal else None)
    publish.scoreboard(scores, console, **options)
    return console.file.getvalue()


def many(scores, count: int):
    card = next(card for card in scores.scorecards if card.points is not None)
    cards = (
        replace(
            card, portal=f"bo-nong-nghiep-va-phat-trien-{n:02d}", name_vi=f"Cổng dịch vụ công Bộ Nông nghiệp và Phát triển nông thôn {n}"
        )
        for n in range(count)
    )
    return replace(scores, scorecards=tuple(cards))


@pytest.mark.parametrize("count", [6, 84])
@pytest.mark.parametrize("chosen", [("vi",), ("en",), ("vi", "en")])
def test_a_board_fits_eighty_columns_whole(scores, count, chosen):
    text = ESCAPES.sub("", board(many(scores, count), terminal=True, languages=chosen))
    assert max(map(cell_len, text.splitlines())) <= 80
    beginnings = re.findall(r"^[ \d–]+  bo-nong-nghiep-va-pha", text, re.MULTILINE)
    assert len(beginnings) == count
    assert "…" not in text
    assert text.count(" / ") >= count


@pytest.mark.parametrize("count", [6, 84])
def test_in_a_pipe_each_portal_is_a_line_without_art(scores, count):
    text = board(many(scores, count), terminal=False, languages=("vi",))
    lines = [line for line in text.splitlines() if "bo-nong-nghiep" in line]
    assert [re.search(r"trien-(\d\d) ", line)[1] for line in lines] == [f"{n:02d}" for n in range(count)]
    assert all(f"nông thôn {n}  " in line for n, line in enumerate(lines))
    assert len({line.index("nông thôn") for line in lines}) == 1
    assert not BOX.search(text)
    assert "\x1b" not in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_a_language_stands_alone(scores):
    vi, en, both = (board(scores, terminal=False, languages=chosen) for chosen in (("vi",), ("en",), ("vi", "en")))
    for vietnamese, english in (("hợp lệ", "valid"), ("Hạng", "Rank"), ("TẠM THỜI", "PROVISIONAL")):
        assert (vietnamese in vi, english in vi) == (True, False)
        assert (vietnamese in en, english in en) == (False, True)
        assert vietnamese in both
        assert english in both
    card = next(card for card in scores.scorecards if card.points is not None)
    assert f"{card.points:.1f} / " in en
    assert f"{card.points:.1f} / ".replace(".", ",") in vi


def test_no_colour_is_used_where_the_environment_says_so(scores, monkeypatch):
    assert COLOURS.search(board(scores, terminal=True))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not COLOURS.search(board(scores, terminal=True))


@pytest.mark.parametrize("terminal", [True, False])
def test_what_a_terminal_obeys_in_a_name_is_visible_text(scores, terminal):
    card = replace(
        scores.scorecards[0], portal="a\x1b[2Jb", name_vi="c\u202ed\ne", name_en="c\u202ed\ne", verdict=Verdict.VALID,
        criteria=tuple(replace(each, name_vi="f\x1b]0;g\x07", name_en="f\x1b]0;g\x07") for each in scores.scorecards[0].criteria),
    )  # fmt: skip
    text = ESCAPES.sub("", board(replace(scores, scorecards=(card,)), terminal=terminal))
    assert {sign for sign in text if not sign.isprintable()} == {"\n"}
    for written in ("a\\u001b[2Jb", "c\\u202ed\\u000ae", "f\\u001b]0;g\\u0007"):
        assert written in text.replace("\n", "") or terminal


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, ("en",)),
        ({"LANG": "vi_VN.UTF-8"}, ("vi",)),
        ({"LANG": "C.UTF-8"}, ("en",)),
        ({"LC_ALL": "", "LC_MESSAGES": "vi_VN", "LANG": "en_US"}, ("vi",)),
        ({"LC_ALL": "C", "LANG": "vi_VN.UTF-8"}, ("en",)),
        ({"HARNESS_LANG": "both", "LANG": "vi_VN.UTF-8"}, ("vi", "en")),
    ],
)
def test_the_language_is_that_of_the_environment_unless_one_is_named(environment, found, monkeypatch):
    for name in ("HARNESS_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    said = []

    @click.command()
    @lang_option(envvar="HARNESS_LANG")
    def show() -> None:
        said.append(languages())

    for arguments in ([], ["--lang", "vi"]):
        assert CliRunner().invoke(show, arguments, env=environment).exit_code == 0
    assert said == [found, ("vi",)]


def test_a_language_that_nobody_speaks_is_refused_wherever_it_is_named():
    for arguments, environment in ((["nights", "--lang", "vn", "."], {}), (["nights", "."], {"HARNESS_LANG": "vn"})):
        done = CliRunner().invoke(main, arguments, env=environment)
        assert done.exit_code == 2
        assert "'vn' is not one of 'vi', 'en', 'both'" in done.output
