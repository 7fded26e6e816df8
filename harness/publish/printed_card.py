"""One portal's scorecard on a terminal: the conclusion, each criterion, what would gain most, slow steps, failures."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import pandas as pd
from rich.console import Console
from rich.text import Text

from harness.errors import visible
from harness.evidence.reasons import Language
from harness.publish.criterion_words import curve_text, name_text
from harness.publish.gain_text import best_changes, gain_text, gained_text, part_text
from harness.publish.portal_faults import FaultCount
from harness.publish.portal_findings import conclusion_text
from harness.publish.reason_words import because, reason_text
from harness.publish.reduction import StepSummary, step_summaries
from harness.publish.report_data import ReportExtras
from harness.publish.scoreboard import number_language, points_in_words, print_heading, print_notes
from harness.publish.terminal import TableColumn, in_languages, print_line, print_table, print_text
from harness.publish.value_text import quantity, value_text
from harness.publish.wording import LANGUAGES, PHRASES, phrase, same, worded
from harness.scoring.gains import Gain
from harness.scoring.scorecard import CriterionScore, CriterionState, Scorecard, SweepScores

MOST_SHOWN: Final = 5
"""The most slow steps, kinds of failures and changes that are printed (assumed: the card fits a screen); the report has all."""
_TOLD_BELOW: Final = frozenset({"not_enough_windows", "not_enough_steps"})
"""Reasons of a verdict that are printed once, because each criterion below says its own."""


def print_card(
    scores: SweepScores, extras: ReportExtras, rows: Mapping[str, pd.DataFrame], console: Console, languages: Sequence[Language] = LANGUAGES
) -> None:
    """Prints the only scorecard of ``scores``. ``rows``: of its portal, as judged."""
    (card,) = scores.scorecards
    print_heading(scores, console, languages, title=f"{card.portal} · {name_text(card.name_vi, card.name_en).into(languages[0])}")
    print_text(console, worded(lambda language: _verdict(card, language)), languages, "bold")
    for reason in {each.code if each.code in _TOLD_BELOW else each: each for each in card.reasons}.values():
        print_text(console, worded(partial(reason_text, reason)), languages)
    for diagnosis in extras.diagnoses:
        if diagnosis.portal == card.portal:
            print_text(console, worded(partial(conclusion_text, diagnosis)), languages, "bold")

    def part(names: str, cells: Iterable[Sequence[Text]], right: Collection[int] = ()) -> None:
        if found := [*cells]:
            columns = [TableColumn(in_languages(phrase(name), languages), is_right=at in right) for at, name in enumerate(names.split())]
            print_line(console, "")
            print_table(console, columns, found)

    part("report.criterion card.measured board.points", (_criterion(each, languages) for each in card.criteria), {2})
    part("card.gains card.gained", (_gain(each, languages) for each in best_changes(extras.gains.get(card.portal, ()), MOST_SHOWN)), {1})
    steps = step_summaries(rows[card.portal]) if card.portal in rows else []
    part(
        "card.slow_steps card.n percentile.50 percentile.95 card.slowest chart.failed",
        (_step(each, languages) for each in _slowest(steps)),
        {1, 2, 3, 4, 5},
    )
    faults = [fault for found in extras.faults if found.portal == card.portal for fault in found.faults]
    part("faults.count faults.fault", (_fault(each, languages) for each in faults[:MOST_SHOWN]), {0})
    print_line(console, "")
    print_notes(scores, console, shortened=extras.shortened, languages=languages)


def _verdict(card: Scorecard, language: Language) -> str:
    verdict = phrase(f"verdict.{card.verdict.value}").into(language)
    if card.points is None:
        return phrase("card.verdict.no_points").into(language).format(verdict)
    points = points_in_words(card.points, card.points_assessed_max, card.interval, language)
    maximum = points_in_words(None, card.points_max, None, language)
    return phrase("card.verdict").into(language).format(verdict, points, maximum)


def _criterion(score: CriterionScore, languages: Sequence[Language]) -> list[Text]:
    """Its name; the value and what it is judged by, or why there is none; its points."""
    name = in_languages(name_text(score.name_vi, score.name_en), languages)
    if score.state is not CriterionState.ASSESSED:
        state = worded(lambda language: f"{phrase(f'state.{score.state.value}').into(language)}: {because(score.reason).into(language)}")
        return [
            name,
            in_languages(state, languages, "dim"),
            Text(f"– / {points_in_words(None, score.points_max, None, number_language(languages))}"),
        ]
    value = in_languages(worded(lambda language: value_text(score, language)), languages)
    judged = in_languages(curve_text(score.curve, score.unit), languages, "dim")
    points = points_in_words(score.points or 0.0, score.points_max, score.interval, number_language(languages))
    return [name, value.append("\n").append_text(judged), Text(points.replace(" [", "\n["))]


def _gain(gain: Gain, languages: Sequence[Language]) -> list[Text]:
    return [
        in_languages(worded(lambda language: gain_text(gain, language)), languages),
        Text(gained_text(gain, number_language(languages))),
    ]


def _slowest(steps: Sequence[StepSummary]) -> list[StepSummary]:
    return sorted(steps, key=lambda each: each.p95_s or each.slowest_s or 0.0, reverse=True)[:MOST_SHOWN]


def _step(step: StepSummary, languages: Sequence[Language]) -> list[Text]:
    name = in_languages(worded(lambda language: part_text((step.journey, step.goal, step.step), language)), languages)
    seconds = (
        Text("–" if value is None else quantity(value, "", number_language(languages)))
        for value in (step.p50_s, step.p95_s, step.slowest_s)
    )
    return [name, Text(str(step.n)), *seconds, Text(str(step.failed))]


def _fault(fault: FaultCount, languages: Sequence[Language]) -> list[Text]:
    """What profiles name is worded where a phrase is known; the name of a user's own rule stays."""
    known = PHRASES.get(f"fault.{fault.fault}") or same(fault.fault)
    name = worded(lambda language: f"{known.into(language)}" + (f" ({phrase(f'step.{fault.step}').into(language)})" if fault.step else ""))
    count = worded(lambda language: f"{fault.count} {phrase('faults.of').into(language)} {fault.of}")
    where = Text(f"\n{visible(fault.pages[0])}" if fault.pages else "", style="dim")
    return [in_languages(count, languages), in_languages(name, languages).append_text(where)]
