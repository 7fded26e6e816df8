from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import get_args

import pytest

from harness.catalog.criteria import Heading, Over
from harness.catalog.platform import StepName
from harness.evidence.facts import Reason, Verdict
from harness.evidence.reasons import CODES
from harness.publish.wording import PHRASES, because, decimal, interval_text, phrase, reason_text
from harness.records import FAILURES_OF_THE_GENERATOR, Outcome
from harness.scoring.scorecard import CriterionState

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("verdict", list(Verdict)),
        ("outcome", list(Outcome)),
        ("state", list(CriterionState)),
        ("heading", get_args(Heading)),
        ("step", get_args(StepName)),
        ("over", get_args(Over)),
        ("basis", ["official", "borrowed", "assumed"]),
        ("level", ["ministry", "province", "sample"]),
        ("journey", ["search", "submit", "pay"]),
        ("owner", ["portal", "identity", "payment", "assets"]),
    ],
)
def test_every_name_that_can_occur_has_words_in_both_languages(group, names):
    assert [name for name in names if f"{group}.{name}" not in PHRASES] == []


def test_every_fault_that_a_shipped_profile_names_has_words_in_both_languages():
    """The names stand in the profiles; a new one needs words here."""
    source = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "scenarios" / "platforms").glob("*.yaml"))
    named = set(re.findall(r"\bmeans: (\w+)", source)) | set(re.findall(r"- \{name: (\w+), (?:status|selector|text|url)", source))
    assert {"callback_lost", "submission_rejected", "firewall", "captcha", "maintenance"} < named
    seen = named | (set(Outcome) - FAILURES_OF_THE_GENERATOR - {Outcome.OK, Outcome.SKIPPED, Outcome.ABORTED})
    assert {name for name in seen if f"fault.{name}" not in PHRASES} == set()


def test_every_key_that_a_template_or_a_chart_asks_for_is_there():
    room = resources.files("harness.publish")
    sources = [
        path.read_text(encoding="utf-8")
        for path in (*room.joinpath("templates").iterdir(), *(p for p in room.iterdir() if p.name.endswith(".py")))
    ]
    asked = {key for text in sources for key in re.findall(r"""\b(?:t|label|first|phrase|_both)\("([a-z_]+(?:\.[a-z_0-9]+)+)"\)""", text)}
    assert len(asked) > 50
    assert asked <= set(PHRASES)


def test_no_phrase_is_empty_or_left_in_one_language():
    same = {key for key, words in PHRASES.items() if words.vi == words.en}
    assert all(words.vi.strip() and words.en.strip() for words in PHRASES.values())
    assert same == {"health.cpu_percent"}


def test_no_key_of_the_phrases_is_given_twice():
    """YAML would keep the last one silently."""
    source = resources.files("harness.publish").joinpath("phrases.yaml").read_text(encoding="utf-8")
    keys = re.findall(r"""^"?([a-z][^:"]*)"?:""", source, flags=re.MULTILINE)
    assert keys == list(PHRASES)


def test_the_reasons_of_scoring_are_worded():
    for reason in ("no_windows_of_stage", "not_measured", "too_few_windows: 4 of 6, 2 with fewer than 50 steps", "too_few_nights: 1 of 5",
                   "no_operator_figures", "verdict: blocked", "unproven: submit stopped at submit"):  # fmt: skip
        words = because(reason)
        assert words.vi != words.en
        assert "_" not in words.vi + words.en
    assert because("too_few_windows: 4 of 6, 2 with fewer than 50 steps").vi.endswith("(4/6, 2 cửa sổ có ít hơn 50 bước)")
    assert because("something of tomorrow") == ("something of tomorrow", "something of tomorrow")


def test_reasons_scoring_gives_are_all_known():
    """The codes stand in the source of scoring; a new one needs words here."""
    source = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "harness" / "scoring").glob("*.py"))
    given = set(re.findall(r'reason = f?"([a-z_]+)', source)) | set(re.findall(r'not_assessed\(criterion, "([a-z_]+)"', source))
    assert len(given) >= 4
    assert {code for code in given if f"because.{code}" not in PHRASES} == set()


@pytest.mark.parametrize("kind", ["minimum to maximum of 4 windows", "sign test over windows", "block, one window",
                                  "share of windows, clustered by night; 2 in planned maintenance left out"])  # fmt: skip
def test_kinds_of_intervals_are_worded(kind):
    assert interval_text(kind).en == kind or f"interval.{kind}" in PHRASES
    assert interval_text(kind).vi != kind


def test_reasons_of_verdicts_have_texts_and_unknown_ones_stand_for_themselves():
    for code in CODES:
        assert reason_text(Reason(code, "7"), "vi") != reason_text(Reason(code, "7"), "en")
    assert reason_text(Reason("of_tomorrow", "x"), "vi") == "of_tomorrow (x)"


@pytest.mark.parametrize(
    ("value", "digits", "vi", "en"),
    [(13.25, 1, "13,2", "13.2"), (1234.5, 1, "1.234,5", "1,234.5"), (7, 0, "7", "7"), (-0.5, 1, "-0,5", "-0.5")],
)
def test_numbers_follow_the_custom_of_their_language(value, digits, vi, en):
    assert (decimal(value, digits, "vi"), decimal(value, digits, "en")) == (vi, en)


def test_a_phrase_that_is_not_known_stands_for_itself():
    assert phrase("step.of_tomorrow") == ("of_tomorrow", "of_tomorrow")


def test_the_glossary_has_every_verdict_and_outcome_with_the_words_of_reports():
    page = (REPOSITORY / "docs" / "glossary.md").read_text(encoding="utf-8")
    for verdict in Verdict:
        assert re.search(rf"^\| {verdict.value} \|.*\| {phrase(f'verdict.{verdict.value}').vi} \|$", page, flags=re.MULTILINE)
    assert {outcome.value for outcome in Outcome} <= set(re.findall(r"`(\w+)`", page))
