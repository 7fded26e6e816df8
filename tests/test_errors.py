"""Texts of others in errors: nothing that a terminal obeys."""

from __future__ import annotations

import json

import pytest

from harness.errors import Problem, did_you_mean, visible


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b]0;title\x07", "\\u001b]0;title\\u0007"),
        ("\x9b31m", "\\u009b31m"),
        ("a\u202eb\u2066c\u200fd", "a\\u202eb\\u2066c\\u200fd"),
        ("line\r\nerror: forged", "line\\u000d\\u000aerror: forged"),
        ("a\u2028b\u0085c", "a\\u2028b\\u0085c"),
        ("\U000e0041", "\\udb40\\udc41"),
        ("Cổng dịch vụ công – Nộp hồ sơ\u00a0số 1", "Cổng dịch vụ công – Nộp hồ sơ\u00a0số 1"),
    ],
)
def test_what_a_terminal_obeys_is_spelled_out(written: str, shown: str) -> None:
    assert visible(written) == shown


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("smok", ["smoke", "nightly"], "Did you mean `smoke`? "),
        ("Ha-Noi", ["ha-noi", "ha-nam"], "Did you mean `ha-noi` or `ha-nam`? "),
        ("stgae", ["stage", "stages", "state", "x"], "Did you mean `state`, `stage` or `stages`? "),
        ("smoke", ["nightly"], ""),
        ("", [], ""),
    ],
)
def test_a_name_much_like_a_known_one_is_taken_for_it(name: str, known: list[str], said: str) -> None:
    assert did_you_mean(name, known) == said


def test_json_that_was_made_visible_says_the_same() -> None:
    said = {"name": "\x9b1m \u202e \U000e0041 Cổng\n"}
    text = json.dumps(said, ensure_ascii=False, indent=1)
    assert json.loads(visible(text, keep="\n")) == said


def test_a_problem_is_one_line_whatever_it_quotes() -> None:
    problem = Problem("a\nb.yaml", "key\x1b[2J", "x\nerror: forged", "a value", "Mend it.", 3)
    assert str(problem) == "a\\u000ab.yaml:3: key\\u001b[2J is x\\u000aerror: forged; expected a value. Mend it."
