"""Commands from evidence to points: score, review, explain, settle, compare."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from harness.cli.next_steps import say_next, typed
from harness.cli.options import (
    AS_JSON,
    CATALOG,
    CRITERIA,
    EARLIER,
    FAIL_UNDER,
    JUNIT,
    LANG,
    SIGNING_KEY,
    SWEEP_FOLDER,
    as_json_text,
    languages,
    say,
    say_met,
    say_text,
    show_scores,
)  # fmt: skip
from harness.errors import Problem, UsageError
from harness.evidence.folder import REGISTER

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.operations.settlements import Cause
    from harness.scoring.rule_changes import Rescored


_KINDS_OF_WORK = (
    "unproven", "address_limit", "void", "blocked", "unreachable", "insufficient", "shared_failure", "path_doubt", "late_maintenance",
    "not_withdrawn", "not_assessed",
)  # fmt: skip
"""Those of ``harness.publish.work_item``, which takes long to import."""


def _one_sweep(_context: click.Context, _argument: click.Parameter, paths: tuple[Path, ...]) -> Path:
    """The folder of one sweep. A shell makes several paths of ``results/*``: files beside the sweeps are left out, each with a message."""
    from harness.catalog.agency import AGENCY_FILE

    beside = {REGISTER: "the register of all sweeps", AGENCY_FILE: "the agency's names file"}
    left_out = [path for path in paths if path.name in beside and path.is_file()] if len(paths) > 1 else []
    for path in left_out:
        say(f"{path}: left out; it is {beside[path.name]}, not a sweep", err=True)
    folders = [path for path in paths if path not in left_out]
    if len(folders) != 1:
        remedy = "Give one sweep at a time, or name earlier nights by --with."
        raise UsageError(Problem("command line", "FOLDER", ", ".join(map(str, folders)) or "none", "the folder of one sweep", remedy))
    return folders[0]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), nargs=-1, required=True, callback=_one_sweep)
@EARLIER
@SIGNING_KEY
@CATALOG
@CRITERIA
@FAIL_UNDER
@JUNIT
@AS_JSON
@LANG
def score(
    folder: Path, earlier: tuple[Path, ...], catalog: Catalog, criteria: str, fail_under: tuple[str, ...], junit: Path | None, as_json: bool
) -> None:
    """Score a sweep's evidence again; a changed evidence file is refused."""
    from harness.evidence import sweep_at
    from harness.operations import score_folder as scoring
    from harness.operations.release_gate import begin_junit, conclude_scores
    from harness.operations.selection import select_criteria
    from harness.scoring.requirements import read_requirements

    sweep_folder = sweep_at(folder)
    chosen = select_criteria(catalog, criteria or scoring.measured_criteria(sweep_folder, catalog))
    requirements = read_requirements(fail_under, chosen)
    begin_junit(junit, "score")
    result = scoring.score_folder(sweep_folder, catalog, chosen, check=True, earlier=[sweep_at(each) for each in earlier])
    show_scores(result, as_json=as_json)
    conclude_scores(result, requirements, junit, languages()[0])
    say_met(result, requirements)


@click.command()
@SWEEP_FOLDER
@click.argument("portal")
@EARLIER
@CATALOG
@CRITERIA
@AS_JSON
@LANG
def explain(folder: Path, portal: str, earlier: tuple[Path, ...], catalog: Catalog, criteria: str, as_json: bool) -> None:
    """Print why one portal is as it is, and the path from rows to points.

    The first line names cause, share and remedy. With --json: the findings, all gains, and the scorecard as scores.json has it.
    """
    from harness.evidence import sweep_at
    from harness.operations.explanation import explain_portal, explanation

    of = (sweep_at(folder), catalog, portal, criteria, [sweep_at(each) for each in earlier])
    if as_json:
        say_text(as_json_text(explanation(*of)))
        return
    for line in explain_portal(*of, languages()):
        say(line)
    say_next("compare", "compare", "EARLIER", folder)


@click.command()
@SWEEP_FOLDER
@click.argument("portal")
@click.argument("journey")
@click.option(
    "--as",
    "cause",
    type=click.Choice(["portal", "profile", "unproven", "address", "address_limit"]),
    help="Propose. Of a journey: portal (it is broken), profile (ours was out of date) or unproven (takes it back). Of address_limit:"
    " portal (the windows are scored), address (they are not) or address_limit (takes it back).",
)
@click.option("--by", required=True, metavar="NAME", help="The person who proposes or confirms.")
@click.option("--reason", default="", metavar="TEXT", help="Of a proposal: what was found, and how.")
@click.option(
    "--attach", type=click.Path(path_type=Path, dir_okay=False), help="Of a proposal: what a person saw; copied, with its SHA-256."
)
@click.option("--confirm", "confirms", is_flag=True, help="Confirm the open proposal; by another person.")
@EARLIER
@SIGNING_KEY
@CATALOG
@AS_JSON
@LANG
def settle(
    folder: Path, portal: str, journey: str, cause: Cause | None, by: str, reason: str, attach: Path | None, confirms: bool,
    earlier: tuple[Path, ...], catalog: Catalog, as_json: bool,
) -> None:  # fmt: skip
    """Settle what a person has to decide, by two persons.

    JOURNEY is an unproven journey, or address_limit for the windows in which the portal may have limited our address. A proposal, then its confirmation, after the sweep has ended. Each is a revision of the scores.
    """
    from harness.evidence import sweep_at
    from harness.operations import score_folder as scoring
    from harness.operations import settlements
    from harness.operations.selection import select_criteria

    if confirms == (cause is not None) or (confirms and (reason or attach)):
        remedy = "Propose with --as, --reason and perhaps --attach; confirm with --confirm alone."
        raise UsageError(Problem("command line", "--as, --confirm", "both or neither", "a proposal or its confirmation", remedy))
    sweep_folder = sweep_at(folder)
    chosen = select_criteria(catalog, scoring.scored_criteria(sweep_folder, catalog))
    if cause is None:
        step = settlements.confirm(sweep_folder, portal, journey, by=by)
    else:
        step = settlements.propose(sweep_folder, portal, journey, cause, by=by, reason=reason, attachment=attach)
    scores = scoring.score_folder(sweep_folder, catalog, chosen, check=True, earlier=[sweep_at(each) for each in earlier]).scores
    if as_json:
        say_text(as_json_text({"revision": scores.revision, **asdict(step)}))
        return
    say(f"{portal} {journey}: {step.step} as {step.cause} by {step.by}; the scores are revision {scores.revision}")
    if step.step == "proposed":
        say(f"to confirm it, another person: {typed('settle', folder, portal, journey, '--confirm', '--by', 'NAME')}")


@click.command()
@SWEEP_FOLDER
@click.option("--portal", "portals", multiple=True, help="Only this portal; may be given several times.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(_KINDS_OF_WORK),
    multiple=True,
    metavar="KIND",
    help="Only this kind, for example unproven; may be given several times.",
)
@click.option("--open", "only_open", is_flag=True, help="Only what somebody still has to do something about.")
@AS_JSON
@LANG
def review(folder: Path, portals: tuple[str, ...], kinds: tuple[str, ...], only_open: bool, as_json: bool) -> None:
    """Print what a sweep leaves to persons before its scores are published: what was seen, who settles it and how, and by when.

    First comes what two persons have to decide, then what else is to be done, by portal. Nothing is written.
    """
    from harness.operations.reviewing import review_sweep
    from harness.publish.printed_worklist import print_worklist
    from harness.publish.worklist import worklist_document

    found = review_sweep(folder, portals, kinds, only_open=only_open)
    if as_json:
        say_text(as_json_text(worklist_document(found.scores, found.items, found.until)))
        return
    print_worklist(found.scores, found.items, found.until, Console(), languages(), str(folder))


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "--rescore",
    type=click.Choice(["before", "after"]),
    default=None,
    help="Score this one again by the criteria set of the other; it must be a sweep's folder, and nothing is written.  [default: before, where the sets differ]",
)
@click.option("--portal", "portals", multiple=True, help="Only this portal; may be given several times.")
@click.option(
    "--steps/--no-steps",
    "with_steps",
    default=None,
    help="Compare steps too, from the rows of both sweeps.  [default: where at most six portals are compared]",
)
@click.option(
    "--fail-on-worse",
    is_flag=True,
    help="End with 11 where a criterion or a step is worse, or nothing tells whether it is. Steps are compared. What the rules changed is not judged.",
)
@click.option(
    "--allow-missing",
    "allowed",
    multiple=True,
    metavar="PORTAL|CRITERION|STEP|load",
    help="With --fail-on-worse: this may be missing or left open. A step is STAGE/JOURNEY/GOAL/STEP; load lets a scores.json pass, which does not tell its load. May be given several times.",
)
@JUNIT
@CATALOG
@AS_JSON
@LANG
def compare(
    before: Path, after: Path, rescore: Rescored | None, portals: tuple[str, ...], with_steps: bool | None, fail_on_worse: bool,
    allowed: tuple[str, ...], junit: Path | None, catalog: Catalog, as_json: bool,
) -> None:  # fmt: skip
    """Compare two sweeps: paired windows, a test, a minimum effect, and one word for each criterion and step.

    If they were scored by two sets or versions, BEFORE is scored again by the set of AFTER first. What the rules changed and what the
    portal changed are then told apart.
    """
    from harness.operations.comparison import compare_sweeps
    from harness.operations.release_gate import begin_junit, conclude_comparison
    from harness.publish.changes import print_changes
    from harness.publish.wording import phrase

    begin_junit(junit, "compare")
    with_steps = True if fail_on_worse and with_steps is None else with_steps
    found = compare_sweeps(before, after, catalog, rescore=rescore, portals=portals, with_steps=with_steps, check=fail_on_worse)
    if as_json:
        say_text(as_json_text(asdict(found)))
    else:
        print_changes(found, Console(), languages())
        for change in found.regressions[:1]:
            say_next("explain", "explain", after, change.portal)
    for language in languages() if fail_on_worse and found.rule_changes else ():
        say(phrase("asked.portal_only").into(language), err=True)
    conclude_comparison(found, after, junit, languages()[0], fails=fail_on_worse, allowed=allowed)
    for language in languages() if fail_on_worse else ():
        say(phrase("asked.not_worse").into(language), err=True)
