"""The scoreboard: the order of the portals, what each lost most points on, and the table on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from harness.evidence.facts import Verdict
from harness.publish.wording import Phrase, decimal, phrase, reason_text
from harness.scoring.ranking import rank
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


def standings(scores: SweepScores, ranks: Mapping[str, RankInterval] | None = None) -> list[Standing]:
    """Portals by points, highest first, then those without points by name. Without ``ranks`` scoring's own are used."""
    ranks = rank(scores).ranks if ranks is None else ranks
    cards = sorted(scores.scorecards, key=best_first)
    return [Standing(card, worst_criterion(card), ranks.get(card.portal)) for card in cards]


def best_first(card: Scorecard) -> tuple[bool, float, str]:
    """The sort key that puts the card with most points first and cards without points last."""
    return card.points is None, -(card.points or 0.0), card.portal


def ranked_on(scores: SweepScores) -> Phrase | None:
    """Which criteria the ranks are based on; None where no portal is ranked."""
    ranking = rank(scores)
    if not ranking.places:
        return None
    words, count, most = phrase("board.ranked_on"), len(ranking.ranked_on), ranking.points_max
    digits = 0 if most == round(most) else 1
    return Phrase(words.vi.format(count, decimal(most, digits, "vi")), words.en.format(count, decimal(most, digits, "en")))


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
    if ranked and ranks is None and (basis := ranked_on(scores)) is not None:
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
    return Text(str(best) if best == worst else f"{best}–{worst}")


def _portal(standing: Standing) -> Text:
    return Text(standing.card.portal, style="bold").append(f"\n{standing.card.name_vi}", style="not bold dim")


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
    return Text(words.vi, style=_VERDICT_STYLES[standing.card.verdict]).append(f"\n{words.en}", style="dim")


def _worst(standing: Standing) -> Text:
    if standing.worst is not None:
        lost = points_lost(standing.worst)
        return Text(f"{standing.worst.name_vi} (−{lost:.1f})").append(f"\n{standing.worst.name_en}", style="dim")
    if standing.card.points is not None or not standing.card.reasons:
        return Text("–")
    reason = standing.card.reasons[0]
    return Text(reason_text(reason, "vi")).append(f"\n{reason_text(reason, 'en')}", style="dim")
