"""The scoreboard: the order of the portals, what each lost most points on, and the table on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from harness.errors import visible
from harness.evidence.facts import Verdict
from harness.publish.reason_words import reason_text
from harness.publish.wording import LANGUAGES, Phrase, decimal, phrase
from harness.scoring.ranking import group_name, rank
from harness.scoring.scorecard import CriterionScore, CriterionState, Scorecard, SweepScores
from harness.statistics.interval import RankInterval

_VERDICT_STYLES = {
    Verdict.VALID: "green",
    Verdict.INSUFFICIENT: "yellow",
    Verdict.BLOCKED: "magenta",
    Verdict.UNREACHABLE: "red",
    Verdict.VOID: "bold red",
}


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


def scoreboard(scores: SweepScores, console: Console, *, ranks: Mapping[str, RankInterval] | None = None, shortened: bool = False) -> None:
    """Prints one line a portal: points with interval, the assessed maximum, verdict, and the criterion that lost most points.

    ``ranks`` holds the best and the worst rank of each portal that can be ranked; without it scoring's own are used.
    ``shortened``: the windows were shorter than the rules ask for.
    """
    table = Table(title=_title(scores), title_justify="left", header_style="bold", expand=False, pad_edge=False)
    board = standings(scores, ranks)
    ranked = any(standing.rank for standing in board)
    if ranked:
        table.add_column(_both("board.rank"), justify="right", no_wrap=True)
    table.add_column(_both("board.portal"), overflow="fold")
    table.add_column(_both("board.points"), justify="right", no_wrap=True)
    table.add_column(_both("board.assessed"), justify="right")
    table.add_column(_both("board.verdict"))
    table.add_column(_both("board.worst"), overflow="fold")
    for standing in board:
        cells = [_portal(standing), _points(standing), _assessed(standing), _verdict(standing), _worst(standing)]
        table.add_row(*([_rank(standing), *cells] if ranked else cells))
    console.print(table)
    for basis in ranked_on(scores) if ranked and ranks is None else ():
        console.print(Text(basis.vi))
        console.print(Text(basis.en, style="dim"))
    for note, applies in (("note.provisional", scores.criteria_set.provisional), ("note.shortened", shortened)):
        if applies:
            console.print(Text(phrase(note).vi, style="bold yellow"))
            console.print(Text(phrase(note).en, style="yellow"))


def _title(scores: SweepScores) -> Text:
    revision = f", revision {scores.revision}" if scores.revision > 1 else ""
    title, names = phrase("board.title"), f"{scores.sweep}{revision} · {scores.criteria_set.id} {scores.criteria_set.version}"
    return Text(f"{title.vi} · {title.en}\n{names}", style="bold")


def _both(key: str) -> str:
    words = phrase(key)
    return f"{escape(words.vi)}\n[dim]{escape(words.en)}[/dim]"


def _rank(standing: Standing) -> Text:
    if standing.rank is None:
        return Text("–")
    best, worst = standing.rank
    return Text(f"{standing.group} " if standing.group else "").append(str(best) if best == worst else f"{best}–{worst}")


def _portal(standing: Standing) -> Text:
    return Text(standing.card.portal, style="bold").append(f"\n{visible(standing.card.name_vi)}", style="not bold dim")


def _points(standing: Standing) -> Text:
    card = standing.card
    if card.points is None:
        return Text("–", style="dim")
    text = Text(f"{card.points:.1f}", style="bold")
    return text if card.interval is None else text.append(f"\n[{card.interval[0]:.1f}–{card.interval[1]:.1f}]", style="not bold dim")


def _assessed(standing: Standing) -> Text:
    return Text(f"/ {standing.card.points_assessed_max:g}", style="" if standing.card.points is not None else "dim")


def _verdict(standing: Standing) -> Text:
    words = phrase(f"verdict.{standing.card.verdict.value}")
    text = Text(words.vi, style=_VERDICT_STYLES[standing.card.verdict]).append(f"\n{words.en}", style="dim")
    if standing.unproven:
        unproven = _filled("board.unproven", standing.unproven)
        text.append(f"\n{unproven.vi}", style="bold magenta").append(f"\n{unproven.en}", style="dim")
    return text


def _worst(standing: Standing) -> Text:
    if standing.worst is not None:
        lost = points_lost(standing.worst)
        return Text(f"{standing.worst.name_vi} (−{lost:.1f})").append(f"\n{standing.worst.name_en}", style="dim")
    if standing.card.points is not None or not standing.card.reasons:
        return Text("–")
    reason = standing.card.reasons[0]
    return Text(visible(reason_text(reason, "vi"))).append(f"\n{visible(reason_text(reason, 'en'))}", style="dim")
