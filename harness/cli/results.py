"""Commands from evidence to points to the main evaluation: score, explain, settle, compare, export, push, total, nights, report, serve."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from harness.cli.next_steps import say_next, typed
from harness.cli.options import (
    AS_JSON,
    CATALOG,
    CRITERIA,
    FAIL_UNDER,
    JUNIT,
    LANG,
    SIGNING_KEY,
    as_json_text,
    languages,
    say,
    say_met,
    say_text,
    show_scores,
)  # fmt: skip
from harness.errors import Problem, UsageError
from harness.evidence.folder import REGISTER, SCORES_CSV, SCORES_JSON, SCORES_XLSX

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.operations.settlements import Cause
    from harness.scoring import StateOverNights


_FOLDER = click.argument("folder", type=click.Path(path_type=Path))
_EARLIER = click.option(
    "--with", "earlier", multiple=True, type=click.Path(path_type=Path), help="An earlier night's folder; may be given several times."
)


def _one_sweep(_context: click.Context, _argument: click.Parameter, paths: tuple[Path, ...]) -> Path:
    """The only sweep's folder among the paths that a shell makes of ``results/*``. The register beside it is left out, with a message."""
    registers = [path for path in paths if path.name == REGISTER and path.is_file()] if len(paths) > 1 else []
    for path in registers:
        say(f"{path}: left out; it is the register of all sweeps, not a sweep", err=True)
    folders = [path for path in paths if path not in registers]
    if len(folders) != 1:
        remedy = "Give one sweep at a time, or name earlier nights by --with."
        raise UsageError(Problem("command line", "FOLDER", ", ".join(map(str, folders)) or "none", "the folder of one sweep", remedy))
    return folders[0]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), nargs=-1, required=True, callback=_one_sweep)
@_EARLIER
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
@_FOLDER
@click.argument("portal")
@_EARLIER
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
@_FOLDER
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
@_EARLIER
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
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "--rescore",
    type=click.Choice(["before", "after"]),
    default=None,
    help="Score this one again by the criteria set of the other; it must be a sweep's folder, and nothing is written.",
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
    help="End with 11 where a criterion or a step is worse, or nothing tells whether it is. Steps are compared.",
)
@click.option(
    "--allow-missing",
    "allowed",
    multiple=True,
    metavar="PORTAL|CRITERION|STEP",
    help="With --fail-on-worse: this may be missing or left open. A step is STAGE/JOURNEY/GOAL/STEP. May be given several times.",
)
@JUNIT
@CATALOG
@AS_JSON
@LANG
def compare(
    before: Path, after: Path, rescore: str | None, portals: tuple[str, ...], with_steps: bool | None, fail_on_worse: bool,
    allowed: tuple[str, ...], junit: Path | None, catalog: Catalog, as_json: bool,
) -> None:  # fmt: skip
    """Compare two sweeps: paired windows, a test, a minimum effect, and one word for each criterion and step.

    Both must have been scored by one criteria set in one version.
    """
    from harness.operations.comparison import compare_sweeps
    from harness.operations.release_gate import begin_junit, conclude_comparison
    from harness.publish.changes import print_changes
    from harness.publish.wording import phrase

    begin_junit(junit, "compare")
    with_steps = True if fail_on_worse and with_steps is None else with_steps
    found = compare_sweeps(before, after, catalog, rescore=rescore or "", portals=portals, with_steps=with_steps)
    if as_json:
        say_text(as_json_text(asdict(found)))
    else:
        print_changes(found, Console(), languages())
        for change in found.regressions[:1]:
            say_next("explain", "explain", after, change.portal)
    conclude_comparison(found, before, after, junit, languages()[0], fails=fail_on_worse, allowed=allowed)
    for language in languages() if fail_on_worse else ():
        say(phrase("asked.not_worse").into(language), err=True)


@click.command()
@_FOLDER
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Another folder; by default beside scores.json.")
def export(folder: Path, out: Path | None) -> None:
    """Write scores.json, scores.csv and scores.xlsx of a sweep's scores, all three or none."""
    from harness.evidence import SweepFolder
    from harness.operations.score_folder import ranks_of, read_sweep_scores
    from harness.publish import export as export_scores

    target = out or folder
    target.mkdir(parents=True, exist_ok=True)
    export_scores(read_sweep_scores(folder), target, ranks=ranks_of(SweepFolder(folder)))
    for name in (SCORES_JSON, SCORES_CSV, SCORES_XLSX):
        say(f"  {target / name}")
    say_next("push", "push", "URL", "--scores", target / SCORES_JSON)


@click.command()
@click.argument("url")
@click.option("--scores", "scores_path", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The scores.json to send.")
@click.option("--token", default="", metavar="env:NAME|file:PATH", help="Where the token is; never the token itself.")
@click.option("--allow-host", "allowed", multiple=True, help="A host other than this machine that may be sent scores; over TLS only.")
def push(url: str, scores_path: Path, token: str, allowed: tuple[str, ...]) -> None:
    """Send scores to the main evaluation; sending twice changes nothing."""
    from harness.publish import push as push_scores

    receipt = push_scores(url, scores_path, token, allowed_hosts=allowed)
    say(f"accepted with {receipt.status} after {receipt.attempts} attempt(s); receipt beside {scores_path}")
    say_next("seal", "seal", scores_path.parent)


@click.command()
@click.option("--scores", "scores_path", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A scores.json.")
@click.option(
    "--groups",
    "groups_path",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="CSV: portal and the other groups' points.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for totals.json and totals.csv; by default beside the scores."
)
@CATALOG
@CRITERIA
@LANG
def total(scores_path: Path, groups_path: Path, out: Path | None, catalog: Catalog, criteria: str) -> None:
    """Add the other groups: total and grade of each system, and the number of each grade."""
    from harness.catalog.text_file import required_text
    from harness.operations import score_folder as scoring
    from harness.operations.selection import select_criteria
    from harness.publish import export_totals, read_scores
    from harness.scoring import read_groups
    from harness.scoring import total as add_up

    scores = read_scores(scores_path)
    chosen = select_criteria(catalog, criteria or scoring.applied_criteria(scores))
    totals = add_up(scores, read_groups(required_text(groups_path, "a text file"), str(groups_path), chosen), chosen)
    say(f"rule between bands: {totals.rule}")
    for system in totals.systems:
        shown = f"{system.total} {system.grade or ''}" if system.total is not None else f"– ({system.why_not})"
        say(f"{system.portal:40} {shown}")
    if totals.unknown:
        say(f"not in these scores, and left out: {', '.join(totals.unknown)}", err=True)
    say(f"  {export_totals(totals, scores, out or scores_path.parent)}")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path("results"))
@click.option("--portal", "portals", multiple=True, help="Only this portal; may be given several times.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Also write the table here as CSV.")
@CATALOG
@AS_JSON
@LANG
def nights(folder: Path, portals: tuple[str, ...], out: Path | None, catalog: Catalog, as_json: bool) -> None:
    """Print the nights of a folder of sweeps as one table: points, interval, verdict and windows of each portal and night.

    Below it stands whether states without points are final, by the criteria sets of the catalog; what comparable portals moved in
    common in each night; and the portals whose night stands out from their own earlier ones: a single night, or a change that lasts.
    """
    from harness.publish.history import find_sweeps, history, nights_in_words, over_nights, state_in_words
    from harness.publish.night_board import night_facts, nights_in_lines
    from harness.publish.terminal import print_table
    from harness.scoring import states_over_nights

    sweeps = find_sweeps(folder)
    table, troubles = history(sweeps, portals, out)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    rules = {criteria.named: criteria.states for criteria in catalog.criteria.values()}
    scored = [sweep.scores for sweep in sweeps if sweep.scores is not None]
    states = [state for state in states_over_nights(scored, rules) if not portals or state.portal in portals]
    tables = over_nights(sweeps)
    if as_json:
        of_nights = night_facts(tables)
        told = ({**row, "states": [_state(state) for state in states if _is_of(state, row)], **of_nights(row)} for row in rows)
        say_text(as_json_text(list(told)))
    if rows and not as_json:
        print_table(Console(), *nights_in_words(rows, languages()))
    for line in (state_in_words(state, language) for state in states for language in languages() if not as_json):
        say(line)
    for line in (line for language in languages() for line in nights_in_lines(tables, portals, language) if not as_json):
        say(line)
    for trouble in troubles:
        say(f"left out: {trouble}", err=True)
    if out is not None:
        say(f"  {out}", err=as_json)
    if rows and not as_json:
        newest = next(sweep for sweep in sweeps if sweep.scores is not None and sweep.scores.sweep == rows[-1]["sweep"])
        say_next("explain", "explain", folder / newest.name, str(rows[-1]["portal"]))


def _is_of(state: StateOverNights, row: dict[str, Any]) -> bool:
    return (state.portal, state.sweep) == (row["portal"], row["sweep"])


def _state(state: StateOverNights) -> dict[str, Any]:
    found = {"state": state.state, "nights": state.nights, "missing": state.missing}
    return {**found, "final_after": state.rule.nights, "consequence": state.rule.consequence, "basis": state.rule.basis}


@click.command()
@_FOLDER
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Also draw the scoreboard: a .png, .pdf or .svg file.")
@_EARLIER
@CATALOG
@CRITERIA
@LANG
def report(folder: Path, picture: Path | None, earlier: tuple[Path, ...], catalog: Catalog, criteria: str) -> None:
    """Make report.html of a sweep again from its evidence.

    It uses the criteria set of the scores.
    """
    from harness.evidence import sweep_at
    from harness.operations import score_folder as scoring
    from harness.operations.selection import select_criteria

    sweep = sweep_at(folder)
    chosen = select_criteria(catalog, criteria or scoring.scored_criteria(sweep, catalog))
    result = scoring.score_folder(sweep, catalog, chosen, check=True, earlier=[sweep_at(each) for each in earlier])
    say(f"  {folder / 'report.html'}")
    if picture is not None:
        from harness.publish.picture import write_picture

        write_picture(result.scores, picture, languages()[0])
        say(f"  {picture}")
    say_next("serve", "serve", folder.parent)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path("results"))
@click.option("--port", type=int, default=0, show_default=True, help="0: any free one.")
def serve(folder: Path, port: int) -> None:
    """Serve pages of all sweeps in a folder, on loopback, until Ctrl-C."""
    from harness.publish import serve as serve_pages

    serve_pages(folder, port, announce=say)
