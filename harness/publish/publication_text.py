"""Where scores stand between the night and their publication, in words for pages and terminals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from harness.evidence.publication import STATES, PortalPublication, PublicationStep
from harness.evidence.reasons import Language
from harness.publish.wording import Phrase, day_text, joined, moment_text, phrase, same
from harness.scoring.scorecard import Scorecard


def count_states(cards: Iterable[Scorecard]) -> dict[str, int]:
    """The number of portals in each state, without states in which none is."""
    counts = Counter(card.where_it_stands.state for card in cards)
    return {state: counts[state] for state in STATES if counts[state]}


def states_text(cards: Iterable[Scorecard]) -> Phrase:
    """The state of all portals: one text where it is the same for all, else the number of portals in each."""
    counts = count_states(cards)
    if len(counts) == 1:
        return phrase(f"publication.{next(iter(counts))}")
    return joined("; ", [phrase("publication.count").filled(str(count), phrase(f"publication.{state}")) for state, count in counts.items()])


def standing_lines(portal: str, found: PortalPublication, steps: Sequence[PublicationStep], language: Language) -> Iterator[str]:
    """The lines of one portal: its state, then each of its steps with names, moment and reason."""
    parts = [phrase(f"publication.{found.state}")]
    parts += [phrase("publication.since").filled(moment_text(found.since_utc))] if found.since_utc else []
    parts += [phrase("publication.answer_by").filled(day_text(found.answer_by))] if found.answer_by else []
    yield f"{portal}: {joined(', ', parts).into(language)}"
    for each in steps:
        answer = each.answers.get(portal)
        what = phrase("publication.step.no_answer" if each.step == "answered" and answer is None else f"publication.step.{each.step}")
        told = same(f"{each.reason} ({answer.file})" if answer is not None else each.reason)
        line = phrase("publication.step").filled(moment_text(each.at_utc), what, each.by, each.confirmed_by, str(each.revision), told)
        yield f"  {line.into(language)}"


def standings_document(standings: Mapping[str, tuple[PortalPublication, Sequence[PublicationStep]]]) -> list[dict[str, object]]:
    """The states and steps of all portals, as ``--json`` prints them."""
    return [
        {
            "portal": portal, "state": found.state, "since_utc": found.since_utc, "answer_by": found.answer_by,
            "causes": [{"revision": each.revision, "cause": each.cause} for each in found.causes],
            "steps": [_step(portal, each) for each in steps],
        }
        for portal, (found, steps) in standings.items()
    ]  # fmt: skip


def _step(portal: str, step: PublicationStep) -> dict[str, object]:
    kept = step.answers.get(portal)
    answer = None if kept is None else {"file": kept.file, "sha256": kept.sha256}
    return {
        "step": step.step, "at_utc": step.at_utc, "by": step.by, "confirmed_by": step.confirmed_by, "reason": step.reason,
        "revision": step.revision, "points": step.points[portal], "answer_by": step.answer_by, "answer": answer,
    }  # fmt: skip
