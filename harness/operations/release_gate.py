"""What a pipeline asks of a sweep: the fewest points of each portal. JUnit's file first, then one error for all that is not met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.errors import NoPointsError, Problem, RequirementError
from harness.evidence.reasons import Language
from harness.operations.sweep_result import SweepResult
from harness.publish.junit import CaseState, JunitCase, JunitSuite, junit_bytes
from harness.publish.score_cases import suites_of_scores, why_not_met
from harness.records.files import write_whole
from harness.scoring.requirements import Requirement, check_requirements


def begin_junit(path: Path | None, command: str) -> None:
    """Writes a file that says that the command has not ended: what an earlier one left there is not taken for its result.

    Raises EnvironmentFault where it cannot be written, before anything is measured.
    """
    if path is not None:
        case = JunitCase(command, CaseState.ERROR, f"harness {command} has not ended; its error is on stderr")
        write_whole(path, junit_bytes([JunitSuite("harness", (case,))]))


def conclude_scores(
    result: SweepResult, requirements: Sequence[Requirement], junit: Path | None, language: Language,
    require: Callable[[SweepResult], None] | None = None,
) -> None:  # fmt: skip
    """Writes each portal's criteria as tests, then raises an error for each requirement that is not met.

    ``require``: raises NoPointsError where the command itself needs points. That error comes first and holds the requirements too.
    """
    if junit is not None:
        write_whole(junit, junit_bytes(suites_of_scores(result.scores, requirements, language)))
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
            f"at least {each.requirement.points:g} points", f"`harness explain {result.folder.path} {each.portal}` says why.",
        )
        for each in check_requirements(result.scores, requirements)
        if not each.is_met
    ]  # fmt: skip
