"""What a pipeline asks of a sweep: points, and to be no worse than another. JUnit's file first, then one error for all that is not met."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from harness.errors import NoPointsError, Problem, RequirementError
from harness.evidence.reasons import Language
from harness.operations.attempts import command_about
from harness.operations.sweep_result import SweepResult
from harness.publish.change_cases import suites_of_changes, why_stopped
from harness.publish.junit import CaseState, JunitCase, JunitSuite, junit_bytes
from harness.publish.score_cases import suites_of_scores, why_not_met
from harness.records import PlannedWindow, read_plan
from harness.records.files import is_written_through, write_output
from harness.scoring import Change, ChangeWord, Comparison, MissingValues, WhyMissing
from harness.scoring.release_stops import check_allowed, not_compared_at_all, release_stops, row_name, rows_of
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
    found: Comparison, before: Path, after: Path, junit: Path | None, language: Language, *, fails: bool = False,
    allowed: Collection[str] = (),
) -> None:  # fmt: skip
    """Writes each criterion and step as a test. ``fails``: then raises RequirementError for what is worse, and for what nothing tells.

    Portals that the two sweeps loaded unlike cannot be told either. ``allowed``: portals, criteria and steps that may be missing or left open; UsageError where the comparison does not have them.
    """
    check_allowed(found, allowed)
    compared = {row.portal for row in rows_of(found)}
    unlike = [portal for portal in unlike_loads(before, after) if portal in compared]
    if junit is not None:
        write_output(junit, junit_bytes(suites_of_changes(found, allowed, unlike, language)))
    problems = [*_worse_or_unknown(found, after, allowed)]
    problems += [Problem(str(after), portal, "loaded otherwise than before", "one load in both sweeps", _SAME_LOAD) for portal in unlike]
    if fails and problems:
        raise RequirementError(*problems)


_SAME_LOAD = "Measure both versions by one workload, with the same daily figures and authorised limits."


def unlike_loads(before: Path, after: Path) -> tuple[str, ...]:
    """The portals in the plans of both sweeps whose planned windows differ: what is slower under more load is not worse.

    Make-up windows and lone walks do not count. A scores.json has no plan, and says nothing of load.
    """
    one, other = (_planned_loads(path / "plan.json") for path in (before, after))
    return tuple(sorted(portal for portal in one.keys() & other.keys() if one[portal] != other[portal]))


def _planned_loads(path: Path) -> dict[str, list[PlannedWindow]]:
    """The windows of each portal, without their numbers and places in time."""
    found: dict[str, list[PlannedWindow]] = {}
    for slot in (slot for each in (read_plan(path).rounds if path.is_file() else ()) if not each.alone for slot in each.slots):
        windows = [
            replace(window, window=0, round=0, begin_s=0.0, first_serial=None) for window in slot.windows if window.make_up_of is None
        ]
        found[slot.portal] = sorted((*found.get(slot.portal, ()), *windows), key=repr)
    return found


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
    if not found.changes and not found.steps and not found.missing:
        yield _stop(after, "portals", "none", _UNKNOWN)


def _is_of_the_portal(row: MissingValues) -> bool:
    """Whether all of a portal is missing, and not this criterion alone."""
    alone = row.why in {WhyMissing.NOT_BEFORE, WhyMissing.NOT_AFTER}
    return bool(row.criterion) and (alone or any(each.startswith("verdict: ") for each in (row.before, row.after)))


_UNKNOWN = "Measure again; what may be missing is named by --allow-missing."


def _stop(after: Path, key: str, value: str, remedy: str) -> Problem:
    return Problem(str(after), key, value.rstrip("."), "nothing worse than before, and data that shows it", remedy)
