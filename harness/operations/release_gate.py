"""What a pipeline asks of a sweep: points, and to be no worse than another. JUnit's file first, then one error for all that is not met."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from harness.errors import NoPointsError, Problem, RequirementError
from harness.evidence.reasons import Language
from harness.operations.attempts import command_about
from harness.operations.sweep_result import SweepResult
from harness.publish.change_cases import suites_of_changes, why_stopped
from harness.publish.change_text import void_text
from harness.publish.junit import CaseState, JunitCase, JunitSuite, junit_bytes
from harness.publish.score_cases import suites_of_scores, why_not_met
from harness.records.files import is_written_through, write_output
from harness.scoring import Change, ChangeWord, Comparison, MissingValues, WhyMissing
from harness.scoring.named_change import WhyNotJudged
from harness.scoring.release_stops import LOAD, check_allowed, is_let_pass, not_compared_at_all, release_stops, row_name
from harness.scoring.requirements import Requirement, check_requirements


def begin_junit(path: Path | None, command: str) -> None:
    """Writes a file that says that the command has not ended: what an earlier one left there is not taken for its result.

    Raises EnvironmentFault where it cannot be written, before anything is measured.
    """
    if path is not None and not is_written_through(path):  # a reader at the other end waits for one file
        case = JunitCase(command, CaseState.ERROR, f"harness {command} has not ended; its error is on stderr")
        write_output(path, junit_bytes([JunitSuite("harness", (case,), "command")]))


def conclude_scores(
    result: SweepResult, requirements: Sequence[Requirement], junit: Path | None, language: Language,
    require: Callable[[SweepResult], None] | None = None,
) -> None:  # fmt: skip
    """Writes each portal's criteria as tests, then raises an error for each requirement that is not met.

    ``require``: raises NoPointsError where the command itself needs points. That error comes first and holds the requirements too.
    """
    if junit is not None:
        write_output(junit, junit_bytes(suites_of_scores(result.scores, requirements, language)))
    unmet = _unmet(result, requirements)
    if require is not None:
        try:
            require(result)
        except NoPointsError as error:
            raise NoPointsError(*error.problems, *unmet) from None
    if unmet:
        raise RequirementError(*unmet)


def _unmet(result: SweepResult, requirements: Sequence[Requirement]) -> list[Problem]:
    """A problem for each requirement that a portal does not meet; without portals none is met."""
    file, cards = str(result.folder.scores), {card.portal: card for card in result.scores.scorecards}
    if requirements and not cards:
        return [Problem(file, "scores", "without portals", "points of a portal", "Measure a portal.")]
    return [
        Problem(
            file, f"{each.portal}, {each.requirement.criterion or 'points in all'},", why_not_met(each, cards[each.portal], "en").rstrip("."),
            f"at least {each.requirement.points:g} points", f"`{command_about(result.folder.path, 'explain', result.folder.path, each.portal)}` says why.",
        )
        for each in check_requirements(result.scores, requirements)
        if not each.is_met
    ]  # fmt: skip


def conclude_comparison(
    found: Comparison, after: Path, junit: Path | None, language: Language, *, fails: bool = False, allowed: Collection[str] = ()
) -> None:  # fmt: skip
    """Writes each criterion and step as a test. ``fails``: then raises RequirementError for what is worse, and for what nothing tells.

    ``allowed``: portals, criteria and steps that may be missing or left open, and the load that a scores.json does not tell; UsageError where the comparison does not have them.
    """
    check_allowed(found, allowed)
    if junit is not None:
        write_output(junit, junit_bytes(suites_of_changes(found, allowed, language)))
    problems = [*_worse_or_unknown(found, after, allowed)]
    for each in found.obstacles:
        if not is_let_pass(each, allowed) and not (problems and each.why is WhyNotJudged.NOTHING):
            key, expected, remedy = _OBSTACLES[each.why]
            problems.append(Problem(str(after), each.portal or key, each.why.value, expected, remedy))
    if fails and problems:
        raise RequirementError(*problems, *(f"{after}: {void_text(each).en}" for each in found.void_windows))


_ALLOW_LOAD = f"Give the folders of both sweeps; if you know that the load was the same, add `--allow-missing {LOAD}`."
_OBSTACLES = {
    WhyNotJudged.SAME_SWEEP: ("sweep", "two measurements", "Name the sweep of the version before, and that of this one."),
    WhyNotJudged.NOTHING: ("portals", "a criterion or a step that both sweeps measure", "Measure again."),
    WhyNotJudged.UNKNOWN_LOAD: ("load", "the plans of both sweeps", _ALLOW_LOAD),
    WhyNotJudged.UNLIKE_LOAD: (
        "load", "one load in both sweeps", "Measure both versions by one workload, with the same daily figures and authorised limits."
    ),
    WhyNotJudged.NO_ROWS: (
        "steps", "the rows of both sweeps", "Give the folder that holds them; what may be missing is named by --allow-missing."
    ),
}  # fmt: skip
"""What each is about, what was expected, and what to do."""


def _worse_or_unknown(found: Comparison, after: Path, allowed: Collection[str]) -> Iterator[Problem]:
    """A problem for each row that stops a release; one for all of a portal that one of the sweeps has not, or not with a valid verdict."""
    absent: dict[str, str] = {}
    for row in release_stops(found, allowed):
        if isinstance(row, MissingValues) and _is_of_the_portal(row):
            absent[row.portal] = why_stopped(row, "en")
            continue
        is_worse = isinstance(row, Change) and row.word is ChangeWord.WORSE
        remedy = f"`{command_about(after, 'explain', after, row.portal)}` says where the time goes." if is_worse else _UNKNOWN
        yield _stop(after, f"{row.portal}, {row_name(row)},", why_stopped(row, "en"), remedy)
    absent |= dict.fromkeys(not_compared_at_all(found, allowed), "not compared in anything")
    for portal, why in absent.items():
        yield _stop(after, portal, why, _UNKNOWN)


def _is_of_the_portal(row: MissingValues) -> bool:
    """Whether all of a portal is missing, and not this criterion alone."""
    alone = row.why in {WhyMissing.NOT_BEFORE, WhyMissing.NOT_AFTER}
    return bool(row.criterion) and (alone or any(each.startswith("verdict: ") for each in (row.before, row.after)))


_UNKNOWN = "Measure again; what may be missing is named by --allow-missing."


def _stop(after: Path, key: str, value: str, remedy: str) -> Problem:
    return Problem(str(after), key, value.rstrip("."), "nothing worse than before, and data that shows it", remedy)
