"""Pages as PDF: one sheet each, from a browser that is started for them and ended."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from harness.publish.letter import letter_page
from harness.publish.pdf import CannotPrint, printer
from harness.scoring import CriterionScore
from tests.publish.browser import require_chromium
from tests.publish.letters import NIGHT, facts, fullest


def sheets(pdf: bytes) -> int:
    """How many pages a PDF says that it has."""
    (found,) = re.findall(rb"/Type /Pages\s*/Count (\d+)", pdf)
    return int(found)


def is_a4(pdf: bytes) -> bool:
    (box,) = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    return tuple(round(float(side) * 25.4 / 72) for side in box) == (210, 297)


def children() -> set[int]:
    return {each.pid for each in psutil.Process().children(recursive=True)}


@pytest.mark.browser
def test_the_fullest_letter_prints_on_one_sheet():
    browser, _ = require_chromium()
    before = children()
    with printer(browser) as prints:
        fullest_of_all = prints.print_sheet(letter_page(fullest(), "vi"))
        with pytest.raises(CannotPrint, match="does not fit on one sheet"):
            prints.print_sheet("<p>line</p>" * 400)
        usual = prints.print_sheet(letter_page(facts(NIGHT.scorecards[1]), "vi"))
    assert children() <= before
    assert [sheets(pdf) for pdf in (fullest_of_all, usual)] == [1, 1]
    assert is_a4(usual)
    assert b"/Subtype /CIDFontType2" in usual  # letters, not a picture of them


def capitals(criteria: tuple[CriterionScore, ...]) -> tuple[CriterionScore, ...]:
    """Criteria whose names are as wide as names can be."""
    return tuple(replace(each, name_vi="W " * 60, name_en="W " * 60) for each in criteria)


@pytest.mark.browser
@pytest.mark.slow
def test_every_letter_prints_on_one_sheet_in_both_languages():
    browser, _ = require_chromium()
    wide = [
        replace(fullest(), card=replace(full.card, criteria=capitals(full.card.criteria[:number])))
        for full in [fullest()]
        for number in (10, 14, 24)
    ]
    found = [*map(facts, NIGHT.scorecards), fullest(), *wide]
    with printer(browser) as prints:
        printed = [prints.print_sheet(letter_page(each, language)) for each in found for language in ("vi", "en")]
    assert [sheets(pdf) for pdf in printed] == [1] * len(printed)


@pytest.mark.parametrize(
    ("does", "within_s", "why"),
    [
        ("exit 0", 60, "has ended"),
        ("exec sleep 60", 0.2, "did not answer within 0.2 s"),
        ("printf 'no JSON\\0' >&4; exec sleep 60", 60, "did not answer as Chromium does"),
        ("printf '[1]\\0' >&4; exec sleep 60", 60, "did not answer as Chromium does"),
        ("printf '{\"id\": 1}\\0' >&4; exec sleep 60", 60, "did not answer as Chromium does"),
        ('printf \'{"id": 1, "result": {}}\\0\' >&4; exec sleep 60', 60, "did not answer as Chromium does"),
        ('printf \'{"id": 1, "error": 7}\\0\' >&4; exec sleep 60', 60, "did not answer as Chromium does"),
    ],
)
def test_a_program_that_is_no_browser_is_told_and_ended(does, within_s, why, tmp_path):
    program = tmp_path / "chromium"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    before = children()
    with pytest.raises(CannotPrint, match=why), printer(str(program), within_s=within_s):
        pass
    assert children() <= before


def test_a_browser_that_stops_reading_holds_nobody(tmp_path):
    answers = (
        '{"id":1,"result":{"targetId":"t"}}',
        '{"id":2,"result":{"sessionId":"s"}}',
        '{"id":3,"result":{"frameTree":{"frame":{"id":"f"}}}}',
    )
    (tmp_path / "answers").write_bytes(b"".join(each.encode() + b"\0" for each in answers))
    program = tmp_path / "chromium"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/answers >&4\nexec sleep 60\n")
    program.chmod(0o755)
    with pytest.raises(CannotPrint, match="did not answer within"), printer(str(program), within_s=0.5) as prints:
        prints.print_sheet("x" * 300_000)


def test_a_browser_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(CannotPrint, match="cannot be started"), printer(str(tmp_path / "chromium")):
        pass


def test_a_browser_that_hangs_is_waited_for_once(tmp_path: Path):
    program = tmp_path / "chromium"
    answers = "".join(f'printf \'{{"id": {number}, "result": {{"targetId": "t", "sessionId": "s"}}}}\\0\' >&4; ' for number in (1, 2))
    program.write_text(f"#!/bin/sh\n{answers}exec cat <&3 >/dev/null\n")
    program.chmod(0o755)
    with printer(str(program), within_s=0.5) as prints:
        with pytest.raises(CannotPrint, match="did not answer"):
            prints.print_sheet("<p>one</p>")
        sent = prints._number
        with pytest.raises(CannotPrint, match="did not answer"):
            prints.print_sheet("<p>two</p>")
        assert prints._number == sent  # nothing more is asked
