"""The sweeps of a results folder, and how each portal scored over the nights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.text import Text

from harness.errors import EvidenceError, visible
from harness.evidence.folder import REPORT_HTML, SCORES_CSV, SCORES_JSON, SCORES_XLSX
from harness.evidence.reasons import Language
from harness.publish.import_file import read_scores
from harness.publish.scoreboard import best_first, number_language, points_in_words
from harness.publish.tables import Table, TableRow
from harness.publish.terminal import TableColumn, in_languages
from harness.publish.wording import Phrase, day_text, phrase, same
from harness.scoring import StateOverNights
from harness.scoring.scorecard import AppliedCriteria, Scorecard, SweepScores

PUBLISHED = (REPORT_HTML, SCORES_JSON, SCORES_CSV, SCORES_XLSX)
"""The files of a sweep that pages link to and ``serve`` gives out; evidence is not among them."""

NIGHTS_CSV = "nights.csv"
_LEAST = {"board.portal": 16, "nights.night": 10}
"""The least width of these columns on a terminal, in cells."""
_COLUMNS = (
    "night", "portal", "name_vi", "name_en", "level", "verdict", "points", "points_low", "points_high", "points_max", "points_assessed_max",
    "windows", "reason_codes", "sweep", "revision", "nights_scored", "criteria_set", "criteria_set_version", "criteria_set_sha256", "provisional",
    "publication",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PublishedSweep:
    """One sweep's folder. ``scores`` is None where they are missing or unreadable, and ``trouble`` says why."""

    name: str
    files: tuple[str, ...]
    scores: SweepScores | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class PortalHistory:
    """One portal over the nights."""

    portal: str
    name_vi: str
    name_en: str
    cards: tuple[Scorecard | None, ...]  # one a night of the table; None where the portal was not measured


@dataclass(frozen=True, slots=True)
class SweepHistory:
    """Sweeps under one criteria set, oldest first. Points under different sets cannot be compared."""

    criteria_set: AppliedCriteria
    points_max: float
    sweeps: tuple[SweepScores, ...]
    portals: tuple[PortalHistory, ...]


def find_sweeps(folder: Path) -> list[PublishedSweep]:
    """Every folder in ``folder`` that holds a published file, newest first; EvidenceError where there is no such folder."""
    if not folder.is_dir():
        raise EvidenceError.missing(folder, "a folder of sweeps", "Name the results folder; `harness demo` makes one.")
    return sorted(_each_once([*_sweeps(folder)]), key=lambda sweep: sweep.name, reverse=True)


def _each_once(sweeps: Sequence[PublishedSweep]) -> Iterator[PublishedSweep]:
    """Of folders with scores of one measurement by one set only the latest revision counts, in the folder whose name is first; the others say so."""
    counted: list[tuple[str, SweepScores]] = []
    for each in sorted(sweeps, key=lambda sweep: (-(sweep.scores.revision if sweep.scores else 0), sweep.name)):
        if each.scores is None:
            yield each
        elif same_as := next((name for name, scores in counted if _count_once(scores, each.scores)), ""):
            yield replace(each, scores=None, trouble=f"the same sweep as {same_as}, which is counted")
        else:
            counted.append((each.name, each.scores))
            yield each


def _count_once(one: SweepScores, other: SweepScores) -> bool:
    return one.is_same_sweep_as(other) and one.criteria_set.is_same_as(other.criteria_set)


def over_nights(sweeps: Sequence[PublishedSweep], most: int = 14) -> list[SweepHistory]:
    """The latest sweeps of each criteria set side by side, portals with the most points in their latest sweep first."""
    by_set: dict[AppliedCriteria, list[SweepScores]] = {}
    for sweep in sorted(sweeps, key=lambda sweep: sweep.name):
        if sweep.scores is not None:
            by_set.setdefault(sweep.scores.criteria_set, []).append(sweep.scores)
    ordered = sorted(by_set.items(), key=lambda item: (item[0].id, item[0].version, item[0].sha256))
    return [SweepHistory(key, scored[-1].group.points_max, tuple(scored[-most:]), _portals(scored[-most:])) for key, scored in ordered]


def reused_versions(applied: Iterable[AppliedCriteria]) -> tuple[str, ...]:
    """Sets with version that were applied with more than one content: their rules changed without a new version."""
    digests: dict[str, set[str]] = {}
    for each in applied:
        digests.setdefault(each.named, set()).add(each.sha256)
    return tuple(name for name, found in digests.items() if len(found - {""}) > 1)


def reused_version_text(name: str) -> Phrase:
    """That the rules of a set changed without a new version."""
    return phrase("nights.reused_version").filled(same(visible(name)))


def rules_apart(rows: Sequence[Mapping[str, Any]]) -> Iterator[Phrase]:
    """That rows of ``history`` were scored by different rules; nothing where they were not."""
    applied = {applied_to(row) for row in rows}
    if len(applied) > 1:
        yield phrase("nights.other_rules")
    yield from map(reused_version_text, reused_versions(applied))


def applied_to(row: Mapping[str, Any]) -> AppliedCriteria:
    """The criteria set of a row of ``history``."""
    return AppliedCriteria(row["criteria_set"], row["criteria_set_version"], row["provisional"], row["criteria_set_sha256"])


def nights_table(sweeps: Iterable[PublishedSweep], portals: Sequence[str] = ()) -> Table:
    """One row a portal and sweep with readable scores, for the named portals or all; ordered by portal, then night.

    ``windows``: of the criterion that has most. ``nights_scored``: all nights that a card is based on; ``night`` is the latest
    of them. The table holds all criteria sets; rows under different sets must not be compared.
    """
    rows = [
        _row(sweep.scores, card)
        for sweep in sweeps
        if sweep.scores is not None
        for card in sweep.scores.scorecards
        if not portals or card.portal in portals
    ]
    by_portal_and_night = sorted(rows, key=lambda row: (str(row[1]), str(row[0]), str(row[_COLUMNS.index("sweep")])))
    return Table("nights", _COLUMNS, by_portal_and_night)


def windows_of(card: Scorecard) -> int:
    """The windows of the criterion that has most of them."""
    return max((criterion.windows for criterion in card.criteria), default=0)


def history(sweeps: Sequence[PublishedSweep], portals: Sequence[str] = ()) -> tuple[Table, tuple[str, ...]]:
    """The table of some sweeps, and why sweeps are missing from it."""
    return nights_table(sweeps, portals), tuple(f"{sweep.name}: {sweep.trouble}" for sweep in sweeps if sweep.scores is None)


def _sweeps(folder: Path) -> Iterator[PublishedSweep]:
    for path in folder.iterdir():
        files = tuple(name for name in PUBLISHED if (path / name).is_file()) if path.is_dir() and not path.is_symlink() else ()
        if not files:
            continue
        try:
            yield PublishedSweep(path.name, files, read_scores(path / SCORES_JSON))
        except EvidenceError as error:
            yield PublishedSweep(path.name, files, None, str(error))


def _portals(scored: Sequence[SweepScores]) -> tuple[PortalHistory, ...]:
    tables = [{card.portal: card for card in scores.scorecards} for scores in scored]
    latest = {portal: card for table in tables for portal, card in table.items()}
    return tuple(
        PortalHistory(card.portal, card.name_vi, card.name_en, tuple(table.get(card.portal) for table in tables))
        for card in sorted(latest.values(), key=best_first)
    )


def _row(scores: SweepScores, card: Scorecard) -> TableRow:
    low, high = card.interval or (None, None)
    nights = card.nights or scores.nights
    return (
        max(nights, default=""), card.portal, card.name_vi, card.name_en, card.level, card.verdict.value, card.points, low, high,
        card.points_max, card.points_assessed_max, windows_of(card), " ".join(reason.code for reason in card.reasons), scores.sweep,
        scores.revision, " ".join(nights), scores.criteria_set.id, scores.criteria_set.version, scores.criteria_set.sha256, scores.criteria_set.provisional,
        card.where_it_stands.state,
    )  # fmt: skip


def nights_in_words(rows: Sequence[Mapping[str, Any]], languages: Sequence[Language]) -> tuple[list[TableColumn], list[list[Text]]]:
    """The rows of ``history`` as a table for a terminal: portal, night, points with interval, verdict, windows, sweep and publication."""
    columns = [
        TableColumn(in_languages(phrase(name), languages), is_right=name in {"board.points", "night.windows"}, least=_LEAST.get(name, 0))
        for name in ("board.portal", "nights.night", "board.points", "board.verdict", "night.windows", "report.sweep")
    ]
    return columns, [_cells(row, languages) for row in rows]


def state_in_words(state: StateOverNights, language: Language) -> str:
    """A state without points: on how many nights the portal had it, whether it is final, and what follows."""
    name = phrase(f"verdict.{state.state}" if state.state in {"blocked", "unreachable"} else f"state.{state.state}").into(language)
    follows = phrase(f"consequence.{state.rule.consequence}").into(language)
    when = phrase("nights.not_final" if state.missing else "nights.final").into(language)
    when = when.format(state.missing, follows) if state.missing else when.format(follows)
    until, basis = day_text(state.nights[-1]).into(language), phrase(f"basis.{state.rule.basis}").into(language)
    return phrase("nights.state").into(language).format(state.portal, name[:1].lower() + name[1:], len(state.nights), until, when, basis)


def _cells(row: Mapping[str, Any], languages: Sequence[Language]) -> list[Text]:
    interval = None if row["points_low"] is None else (row["points_low"], row["points_high"])
    points = points_in_words(row["points"], row["points_assessed_max"], interval, number_language(languages)).replace(" [", "\n[")
    version, shortened, _ = str(row["criteria_set_version"]).partition("+")
    criteria = f"{row['criteria_set']} {version}" + (f" ({phrase('tag.shortened').into(languages[0])})" if shortened else "")
    verdict = in_languages(phrase(f"verdict.{row['verdict']}"), languages)
    night = day_text(row["night"]).into(languages[0]) if row["night"] else "–"
    texts = (row["portal"], night, points if row["points"] is not None else f"– / {points}")
    publication = phrase(f"publication.{row['publication']}").into(languages[0])
    sweep = Text(f"{visible(row['sweep'])}\n{visible(criteria)}\n{publication}")
    return [*(Text(visible(text, keep="\n")) for text in texts), verdict, Text(str(row["windows"])), sweep]
