"""The scoreboard: the order of the portals, what each lost most points on, and the table on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rich.console import Console
from rich.text import Text

from harness.errors import visible
from harness.evidence.facts import Verdict
from harness.evidence.reasons import Language
from harness.publish.criterion_words import name_text, version_text
from harness.publish.publication_text import states_text
from harness.publish.reason_words import reason_text
from harness.publish.terminal import TableColumn, in_languages, print_line, print_table, print_text
from harness.publish.wording import LANGUAGES, Phrase, decimal, phrase, worded
from harness.scoring.ranking import group_name, rank
from harness.scoring.scorecard import CriterionScore, CriterionState, Scorecard, SweepScores
from harness.statistics.interval import RankInterval

_VERDICT_STYLES = {
    Verdict.VALID: "",  # it is about the measurement, and praises nobody
    Verdict.INSUFFICIENT: "yellow",
    Verdict.BLOCKED: "magenta",
    Verdict.UNREACHABLE: "red",
    Verdict.VOID: "bold red",
}
_WIDEST_ID = 20
"""A portal's id of at most so many cells is not broken at 80 columns."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of a scoreboard."""

    card: Scorecard
    worst: CriterionScore | None
    rank: RankInterval | None  # best and worst rank that the intervals allow; 1 is the best
    group: str = ""  # the letter of the group that it is ranked in; empty where one group holds all

    @property
    def unproven(self) -> int:
        """The number of criteria that are unproven."""
        return sum(criterion.state is CriterionState.UNPROVEN for criterion in self.card.criteria)


def standings(scores: SweepScores, ranks: Mapping[str, RankInterval] | None = None) -> list[Standing]:
    """Portals by points, highest first, then those without points by name. Without ``ranks`` scoring's own are used."""
    ranking = rank(scores)
    names = ranking.group_names if ranks is None else {}
    ranks = ranking.ranks if ranks is None else ranks
    cards = sorted(scores.scorecards, key=best_first)
    return [Standing(card, worst_criterion(card), ranks.get(card.portal), names.get(card.portal, "")) for card in cards]


def best_first(card: Scorecard) -> tuple[bool, float, str]:
    """The sort key that puts the card with most points first and cards without points last."""
    return card.points is None, -(card.points or 0.0), card.portal


def ranked_on(scores: SweepScores) -> list[Phrase]:
    """Which criteria the ranks are based on, a sentence for each group of portals; none where no portal is ranked."""
    groups = rank(scores).groups
    if len(groups) == 1:
        return [_filled("board.ranked_on", len(groups[0].ranked_on), groups[0].points_max)]
    return [
        _filled("board.ranked_group", group_name(index), len(group.ranks), len(group.ranked_on), group.points_max)
        for index, group in enumerate(groups)
    ]


def _filled(key: str, *values: str | float) -> Phrase:
    """The phrase with texts, counts and points filled in; points have a decimal where they are not whole."""
    words = phrase(key)
    vi, en = (
        [value if isinstance(value, str) else decimal(value, 0 if value == round(value) else 1, language) for value in values]
        for language in LANGUAGES
    )
    return Phrase(words.vi.format(*vi), words.en.format(*en))


def worst_criterion(card: Scorecard) -> CriterionScore | None:
    """The assessed criterion that lost most points; None where none lost any, or the card has no points."""
    if card.points is None:
        return None
    assessed = [criterion for criterion in card.criteria if criterion.state is CriterionState.ASSESSED]
    worst = max(assessed, key=points_lost, default=None)
    return worst if worst is not None and points_lost(worst) > 0 else None


def points_lost(criterion: CriterionScore) -> float:
    """The difference between the criterion's full points and its points."""
    return criterion.points_max - (criterion.points or 0.0)


def scoreboard(
    scores: SweepScores,
    console: Console,
    *,
    ranks: Mapping[str, RankInterval] | None = None,
    shortened: bool = False,
    languages: Sequence[Language] = LANGUAGES,
) -> None:
    """Prints a row a portal: points of the assessed maximum with interval, verdict, and the criterion that lost most points.

    ``ranks`` holds the best and the worst rank of each portal that can be ranked; without it scoring's own are used.
    ``shortened``: the windows were shorter than the rules ask for.
    """
    board = standings(scores, ranks)
    ranked = any(standing.rank for standing in board)
    print_heading(scores, console, languages)
    least = min(_WIDEST_ID, max((len(standing.card.portal) for standing in board), default=0))
    columns = [
        *([TableColumn(in_languages(phrase("board.rank"), languages), is_right=True)] if ranked else []),
        TableColumn(in_languages(phrase("board.portal"), languages), least=least),
        TableColumn(in_languages(phrase("board.points"), languages), is_right=True),
        TableColumn(in_languages(phrase("board.verdict"), languages)),
        TableColumn(in_languages(phrase("board.worst"), languages)),
    ]
    rows = []
    for standing in board:
        cells = [
            _portal(standing, languages),
            _points(standing.card, languages),
            _verdict(standing, languages),
            _worst(standing, languages),
        ]
        rows.append([Text(rank_text(standing)), *cells] if ranked else cells)
    print_table(console, columns, rows)
    for basis in ranked_on(scores) if ranked and ranks is None else ():
        print_text(console, basis, languages)
    print_notes(scores, console, shortened=shortened, languages=languages)


def print_heading(scores: SweepScores, console: Console, languages: Sequence[Language], title: str = "") -> None:
    """The title, and below it the sweep, the criteria set and whether the scores are published."""
    revision = f", {phrase('report.revision').into(languages[0]).lower()} {scores.revision}" if scores.revision > 1 else ""
    version = version_text(scores.criteria_set.version).into(languages[0])
    print_line(console, title or " · ".join(phrase("board.title").into(language) for language in languages), "bold")
    state = states_text(scores.scorecards).into(languages[0])
    print_line(console, f"{scores.sweep}{revision} · {scores.criteria_set.id} {version} · {state}")


def print_notes(scores: SweepScores, console: Console, *, shortened: bool, languages: Sequence[Language]) -> None:
    """What limits the use of these scores."""
    for note, applies in (("note.provisional", scores.criteria_set.provisional), ("note.shortened", shortened)):
        if applies:
            print_text(console, phrase(note), languages, "bold yellow")


def number_language(languages: Sequence[Language]) -> Language:
    """The language of numbers that stand once for all languages."""
    return languages[0] if len(languages) == 1 else "en"


def points_in_words(points: float | None, maximum: float, interval: tuple[float, float] | None, language: Language) -> str:
    """Points of a maximum with their interval: ``11,6 / 12 [11,5–11,7]``; without points the maximum alone."""
    most = decimal(maximum, next((digits for digits in (0, 1) if round(maximum, digits) == round(maximum, 2)), 2), language)
    if points is None:
        return most
    ends = "" if interval is None else f" [{decimal(interval[0], 1, language)}–{decimal(interval[1], 1, language)}]"
    return f"{decimal(points, 1, language)} / {most}{ends}"


def _points(card: Scorecard, languages: Sequence[Language]) -> Text:
    """Points of the assessed maximum, and their interval below."""
    words = points_in_words(card.points, card.points_assessed_max, card.interval, number_language(languages))
    if card.points is None:
        return Text(f"– / {words}", style="dim")
    first, bracket, rest = words.partition(" [")
    return Text(first, style="bold").append(f"\n[{rest}" if bracket else "", style="not bold dim")


def rank_text(standing: Standing) -> str:
    """The rank, as an interval where the points' intervals leave it open, with the letter of its group; "–" without one."""
    if standing.rank is None:
        return "–"
    best, worst = standing.rank
    return f"{standing.group} ".lstrip() + (str(best) if best == worst else f"{best}–{worst}")


def _portal(standing: Standing, languages: Sequence[Language]) -> Text:
    card = standing.card
    names = in_languages(name_text(card.name_vi, card.name_en), languages[:1], "not bold dim")
    return Text(visible(card.portal), style="bold").append("\n").append_text(names)


def _verdict(standing: Standing, languages: Sequence[Language]) -> Text:
    verdict = standing.card.verdict
    text = in_languages(phrase(f"verdict.{verdict.value}"), languages, _VERDICT_STYLES[verdict])
    if standing.unproven:
        text.append("\n").append_text(in_languages(_filled("board.unproven", standing.unproven), languages, "bold magenta"))
    return text


def _worst(standing: Standing, languages: Sequence[Language]) -> Text:
    if standing.worst is not None:
        name, lost = name_text(standing.worst.name_vi, standing.worst.name_en), points_lost(standing.worst)
        return in_languages(worded(lambda language: f"{name.into(language)} (−{decimal(lost, 1, language)})"), languages)
    if standing.card.points is not None or not standing.card.reasons:
        return Text("–")
    reason = standing.card.reasons[0]
    return in_languages(worded(partial(reason_text, reason)), languages)
