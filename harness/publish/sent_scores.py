"""A comparison of scores with the record of steps beside them: whether they are those that were sent or made final."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

from harness.errors import EvidenceError, Problem, UsageError
from harness.evidence import SweepFolder
from harness.evidence.publication import (
    PUBLICATION,
    PublicationStep,
    last_step,
    publication_of,
    read_publication,
    record_problems,
)
from harness.publish.import_file import card_digest
from harness.publish.publication_text import count_states
from harness.scoring.arithmetic import number
from harness.scoring.scorecard import CriterionScore, Scorecard, SweepScores, earlier_forms

_REOPEN: Final = "Name the cause first: `harness publication FOLDER reopened --portal {} --by NAME --confirmed-by NAME --reason CAUSE`."


def is_card_of(step: PublicationStep, card: Scorecard, scores: SweepScores) -> bool:
    """Whether a step was taken on this card, one of ``scores``. A card as an earlier version of this program wrote it is the same."""
    alone = replace(scores, scorecards=(card,))
    digests = {card_digest(each) for form in (alone, *earlier_forms(alone)) for each in form.scorecards}
    return step.criteria_sha256 == scores.criteria_set.sha256 and step.cards[card.portal] in digests


def changed_finals(
    scores: SweepScores, steps: Sequence[PublicationStep], path: Path, before: SweepScores | None = None
) -> Iterator[Problem]:
    """A problem for each portal that is final by ``steps`` and has another card in ``scores``. ``before``: the scores that were given out."""
    for card in scores.scorecards:
        last = last_step(steps, card.portal)
        if last is None or last.step != "final" or is_card_of(last, card, scores):
            continue
        found = f"final since {last.at_utc} (revision {last.revision}), and another card now: {difference(last, card, scores, before)}"
        yield Problem(str(path), card.portal, found, "the card that was made final", _REOPEN.format(card.portal))


def misfits(scores: SweepScores, steps: Sequence[PublicationStep], path: Path) -> Iterator[Problem]:
    """Each portal on which a scores.json and the record of steps beside it disagree. ``path``: of the scores."""
    for card in scores.scorecards:
        shown, expected = card.where_it_stands, publication_of(steps, card.portal)
        if shown != expected:
            found = f"{shown.state} {shown.since_utc}".strip() if shown.state != expected.state else "another date or cause"
            said = f"{expected.state} {expected.since_utc}".strip()
            remedy = "Run `harness score FOLDER`, which writes what the record says."
            yield Problem(str(path), f"publication of {card.portal}", found, f"{said}, as the record of steps beside it has it", remedy)
    yield from changed_finals(scores, steps, path)


def require_published(scores: SweepScores, path: Path, *, drafts: bool) -> None:
    """Raise EvidenceError where the record of steps beside a scores.json says otherwise, and UsageError for scores that are not final.

    ``drafts``: they need not be final.
    """
    folder = SweepFolder(path.parent)
    is_sweep = folder.plan.is_file() or (folder.path / PUBLICATION).is_file()
    if is_sweep and (problems := [*record_problems(folder), *misfits(scores, read_publication(folder), path)]):
        raise EvidenceError(*problems)
    counts = count_states(scores.scorecards)
    if not drafts and set(counts) - {"final"}:
        found = ", ".join(f"{count} {state}" for state, count in counts.items())
        remedy = f"`harness publication {path.parent}` shows where each stands; --drafts sends scores that are not final."
        raise UsageError(Problem(str(path), "publication", f"of {len(scores.scorecards)} portals: {found}", "all final", remedy))


def difference(step: PublicationStep, card: Scorecard, scores: SweepScores, before: SweepScores | None = None) -> str:
    """What differs from the card on which a step was taken, in words, points first.

    ``before``: earlier scores. Where they still hold that card, the differences are named one by one.
    """
    was, now = step.points.get(card.portal), card.points
    words = [f"points {_points(was)} → {_points(now)}" if was != now else f"the same points ({_points(now)})"]
    if step.criteria_sha256 != scores.criteria_set.sha256:
        words.append(f"by another criteria set ({scores.criteria_set.named})")
    old = next((each for each in before.scorecards if each.portal == card.portal), None) if before is not None else None
    if before is not None and old is not None and is_card_of(step, old, before):
        words += _of_criteria(old.criteria, card.criteria)
        names = (field.name for field in fields(Scorecard) if field.name not in ("points", "publication"))
        words += [f"other {name}" for name in names if getattr(old, name) != getattr(card, name)]
    elif was == now and len(words) == 1:
        words.append("other reasons, states or evidence")
    return ", ".join(words)


def _of_criteria(old: Iterable[CriterionScore], new: Iterable[CriterionScore]) -> list[str]:
    was = {each.id: each.points for each in old}
    return [f"{each.id} {_points(was.get(each.id))} → {_points(each.points)}" for each in new if was.get(each.id) != each.points]


def _points(points: float | None) -> str:
    return "none" if points is None else number(points)
