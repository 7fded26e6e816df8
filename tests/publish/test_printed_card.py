"""The scorecard of one portal on a terminal and in a pipe: each number once, in the language asked for, and nothing that is not there."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from harness import publish
from harness.diagnosis import Diagnosis, Finding
from harness.publish import FaultCount, PortalFaults, ReportExtras
from harness.publish.criterion_words import name_text
from harness.publish.reduction import step_summaries
from harness.publish.value_text import quantity
from harness.scoring.gains import Gain
from harness.scoring.scorecard import CriterionState
from tests.publish.simulated_night import PORTALS, frame, with_unproven

SLOW = next(person for person in PORTALS if not person.refuses)
ROWS = {SLOW.portal: frame(SLOW)}
GAINS = tuple(
    Gain(criterion=criterion, part=("submit", "file", "submit"), change="faster", metric="mean", unit="s", value_from=6.125, value_to=2.5, points=1.0, points_total=1.75)
    for criterion in ("average-submit", "slowest-submit")
)  # fmt: skip
FAULTS = (
    PortalFaults(
        SLOW.portal,
        (FaultCount("session_expired", "file", "log_in", "wrong_content", "text x", 12, 340, pages=("pages/x/log_in-1.html",)),),
    ),
)


def one(scores, portal: str = SLOW.portal, **changes):
    card = next(card for card in scores.scorecards if card.portal == portal)
    return replace(scores, scorecards=(replace(card, **changes),))


def printed(scores, *, terminal: bool = False, extras: ReportExtras | None = None, rows=ROWS, languages=("en",)) -> str:
    console = Console(file=io.StringIO(), width=80, force_terminal=terminal, color_system=None)
    publish.print_card(scores, extras or ReportExtras(), rows, console, languages)
    return console.file.getvalue()


@pytest.mark.parametrize("chosen", [("vi",), ("en",), ("vi", "en")])
def test_a_card_fits_eighty_columns_and_names_every_criterion(scores, chosen):
    extras = ReportExtras(faults=FAULTS, gains={SLOW.portal: GAINS})
    text = printed(one(scores), terminal=True, extras=extras, languages=chosen)
    assert max(map(cell_len, text.splitlines())) <= 80
    assert "…" not in text
    flat = printed(one(scores), extras=extras, languages=chosen)
    assert "\x1b" not in flat
    for criterion in one(scores).scorecards[0].criteria:
        for language, name in zip(("vi", "en"), name_text(criterion.name_vi, criterion.name_en), strict=True):
            assert (name in flat) == (language in chosen)


def test_each_criterion_says_value_limits_points_and_interval_or_why_not(scores):
    (card,) = one(scores).scorecards
    lines = printed(one(scores)).splitlines()
    for criterion in card.criteria:
        line = next(line for line in lines if line.startswith(criterion.name_en))
        if criterion.state is CriterionState.ASSESSED:
            assert f"{criterion.points:.1f} / {criterion.points_max:g}" in line
            assert f"[{criterion.interval[0]:.1f}–{criterion.interval[1]:.1f}]" in line
            assert "full points at" in line
            shown = float(re.search(r"  ([\d.,]+) ", line)[1])
            measured = criterion.value if criterion.zero_point_s is None else criterion.value_measured
            assert shown == pytest.approx(measured, rel=0.005)
            assert criterion.value_measured is None or f"scored as {quantity(criterion.value, 's', 'en')}" in line
        else:
            assert "not assessed: the operator supplied no server figures" in line


def test_a_value_that_was_not_reached_is_no_number(scores):
    (card,) = one(scores).scorecards
    censored = (replace(card.criteria[0], value=None, value_interval=None, censored=True), *card.criteria[1:])
    line = printed(one(scores, criteria=censored)).splitlines()[5]
    assert "timed out or failed" in line


def test_what_would_gain_is_named_once_with_both_values(scores):
    text = printed(one(scores), extras=ReportExtras(gains={SLOW.portal: GAINS}))
    (line,) = [line for line in text.splitlines() if "6.12" in line]
    assert re.search(r"Submit: submit: mean.* from 6\.12 s to 2\.50 s  +\+1\.8$", line)
    assert "What would gain most" not in printed(one(scores))


def test_slow_steps_are_those_of_the_report(scores):
    found = {each.step: each for each in step_summaries(ROWS[SLOW.portal]) if each.journey == "submit"}
    lines = [line for line in printed(one(scores)).splitlines() if line.startswith("Submit: ")]
    assert lines
    for line in lines:
        step = found[line.removeprefix("Submit: ").split("  ")[0].replace(" ", "_")]
        cells = line.rsplit(maxsplit=5)[1:]
        assert (int(cells[0]), int(cells[4])) == (step.n, step.failed)
        assert float(cells[3]) == pytest.approx(step.slowest_s, rel=0.005)
    assert "Slowest steps" not in printed(one(scores), rows={})


def test_failures_name_step_count_and_page(scores):
    text = printed(one(scores), extras=ReportExtras(faults=FAULTS))
    assert re.search(r"^12 of 340  The session expired midway \(log in\) +pages/x/log_in-1\.html$", text, re.MULTILINE)
    assert "Phiên làm việc hết hạn giữa chừng (đăng nhập)" in printed(one(scores), extras=ReportExtras(faults=FAULTS), languages=("vi",))


def test_the_conclusion_comes_before_the_numbers(scores):
    diagnosis = Diagnosis(SLOW.portal, (Finding(code="refused_alone", sureness="measured"),))
    sentence = publish.conclusion_text(diagnosis, "en")
    text = printed(one(scores), extras=ReportExtras(diagnoses=(diagnosis,)))
    assert text.index(sentence) < text.index("Criterion  ")
    another = replace(diagnosis, portal="another")
    assert sentence not in printed(one(scores), extras=ReportExtras(diagnoses=(another,)))


def test_a_portal_without_points_says_why(scores):
    refused = next(card for card in scores.scorecards if card.points is None)
    text = printed(one(scores, refused.portal), rows={})
    assert "blocked; no points, which is not zero points" in text
    assert "A lone citizen is refused too" in text
    unproven = with_unproven(scores)
    text = printed(replace(unproven, scorecards=unproven.scorecards[:1]), rows={})
    assert "unproven: " in text


@pytest.mark.parametrize("terminal", [True, False])
def test_what_a_terminal_obeys_stays_visible_text(scores, terminal):
    (card,) = one(scores).scorecards
    evil = "a\x1b[2J\u202eb\nc"
    faults = (PortalFaults(SLOW.portal, (FaultCount(evil, "file", evil, "wrong_content", evil, 1, 2, pages=(evil,)),)),)
    changed = replace(card, name_en=evil, criteria=tuple(replace(each, name_en=evil, curve=evil, reason=evil) for each in card.criteria))
    text = printed(replace(scores, scorecards=(changed,)), terminal=terminal, extras=ReportExtras(faults=faults))
    assert {sign for sign in text if not sign.isprintable()} == {"\n"}
    assert "\\u001b[2J" in text
