"""Commands that hand scores on: to files, operators, the main evaluation, and pages: export, publication, push, total, nights, report, serve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from harness.cli.next_steps import say_next
from harness.cli.options import AS_JSON, CATALOG, CRITERIA, EARLIER, LANG, SIGNING_KEY, SWEEP_FOLDER, as_json_text, languages, say, say_text
from harness.cli.outputs import OUTPUT_FILE, OUTPUT_FOLDER
from harness.errors import Problem, UsageError, did_you_mean
from harness.evidence.folder import SCORES_CSV, SCORES_JSON, SCORES_XLSX
from harness.operations.number_options import PORT

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.evidence.publication import PublicationStepName
    from harness.publish.history import PublishedSweep
    from harness.scoring import StateOverNights


@click.command()
@SWEEP_FOLDER
@click.option("--out", type=OUTPUT_FOLDER, help="Another folder; by default beside scores.json.")
def export(folder: Path, out: Path | None) -> None:
    """Write scores.json, scores.csv and scores.xlsx of a sweep's scores, all three or none."""
    from harness.evidence import SweepFolder
    from harness.operations.revisions import scores_given_out
    from harness.operations.score_folder import ranks_of
    from harness.publish import export as export_scores

    target = out or folder
    target.mkdir(parents=True, exist_ok=True)
    export_scores(scores_given_out(folder), target, ranks=ranks_of(SweepFolder(folder)))
    for name in (SCORES_JSON, SCORES_CSV, SCORES_XLSX):
        say(f"  {target / name}")
    say_next("push", "push", "URL", "--scores", target / SCORES_JSON)


@click.command()
@SWEEP_FOLDER
@click.argument("step", type=click.Choice(["sent", "answered", "final", "reopened"]), required=False)
@click.option("--portal", "portals", multiple=True, help="Only this portal; may be given several times. A step is taken for all or none.")
@click.option("--by", default="", metavar="NAME", help="The evaluator who takes the step.")
@click.option("--confirmed-by", default="", metavar="NAME", help="The confirmer, another person.")
@click.option("--reason", default="", metavar="TEXT", help="Why; of reopened: the cause that later revisions have.")
@click.option(
    "--answer-by",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Of sent: the last day for answers.  [default: by answer_within_days of agency.yaml]",
)
@click.option(
    "--answer", type=click.Path(path_type=Path, dir_okay=False), help="Of answered: what the operator wrote; copied, with its SHA-256."
)
@click.option(
    "--answers", type=click.Path(path_type=Path, file_okay=False), help="Of answered: a folder with the answers of all, each file named after its portal."
)  # fmt: skip
@click.option("--no-answer", is_flag=True, help="Of answered: none came until the last day.")
@click.option(
    "--agency",
    "names",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The names file.  [default: agency.yaml beside the sweep's folder]",
)
@EARLIER
@SIGNING_KEY
@CATALOG
@AS_JSON
@LANG
def publication(
    folder: Path, step: PublicationStepName | None, portals: tuple[str, ...], by: str, confirmed_by: str, reason: str,
    answer_by: datetime | None, answer: Path | None, answers: Path | None, no_answer: bool, names: Path | None, earlier: tuple[Path, ...], catalog: Catalog,
    as_json: bool,
) -> None:  # fmt: skip
    """Show where the scores of each portal stand, or take a step: sent, answered, final, reopened.

    Scores begin as drafts. They are sent to the operators, answered, and made final, each by two persons of agency.yaml with a reason. A
    final score changes only after it was reopened with a cause. Each step is a revision of the scores.
    """
    from harness.evidence import sweep_at
    from harness.operations.publication_steps import IntendedStep, standings, take_step
    from harness.publish import read_scores
    from harness.publish.publication_text import standing_lines, standings_document

    sweep = sweep_at(folder)
    options = {
        "--by": by,
        "--confirmed-by": confirmed_by,
        "--reason": reason,
        "--answer": answer,
        "--answers": answers,
        "--answer-by": answer_by,
    }
    if step is None and (given := [name for name, value in {**options, "--no-answer": no_answer}.items() if value]):
        remedy = "Name the step: sent, answered, final or reopened."
        raise UsageError(Problem("command line", "STEP", f"missing, with {', '.join(given)}", "a step, or no option of one", remedy))
    if step is not None:
        intended = IntendedStep(
            step=step, by=by, confirmed_by=confirmed_by, reason=reason, portals=portals,
            answer_by=answer_by.date() if answer_by is not None else None, answer=answer, answers=answers, no_answer=no_answer,
        )  # fmt: skip
        take_step(sweep, catalog, intended, names=names, earlier=[sweep_at(each) for each in earlier])
    found, scores = standings(sweep, portals), read_scores(sweep.scores)
    if as_json:
        say_text(as_json_text({"sweep": scores.sweep, "revision": scores.revision, "portals": standings_document(found)}))
        return
    for language in languages():
        for portal, (stands, steps) in found.items():
            for line in standing_lines(portal, stands, steps, language):
                say(line)
    say(f"the scores are revision {scores.revision}", err=True)
    if step == "sent":
        say_next("letter", "letter", folder)
    if step == "final":
        say_next("push", "push", "URL", "--scores", sweep.scores)


@click.command()
@click.argument("url")
@click.option("--scores", "scores_path", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The scores.json to send.")
@click.option("--token", default="", metavar="env:NAME|file:PATH", help="Where the token is; never the token itself.")
@click.option("--allow-host", "allowed", multiple=True, help="A host other than this machine that may be sent scores; over TLS only.")
@click.option("--drafts", is_flag=True, help="Send scores that are not final, too.")
def push(url: str, scores_path: Path, token: str, allowed: tuple[str, ...], drafts: bool) -> None:
    """Send final scores to the main evaluation; sending twice changes nothing.

    Scores of which a portal is not final (`harness publication`) are refused without --drafts.
    """
    from harness.operations.revisions import scores_given_out
    from harness.publish import push as push_scores

    if drafts:  # a final score is compared with the card that was made final
        scores_given_out(scores_path)
    receipt = push_scores(url, scores_path, token, allowed_hosts=allowed, drafts=drafts)
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
@click.option("--out", type=OUTPUT_FOLDER, help="Folder for totals.json and totals.csv; by default beside the scores.")
@CATALOG
@CRITERIA
@LANG
def total(scores_path: Path, groups_path: Path, out: Path | None, catalog: Catalog, criteria: str) -> None:
    """Add the other groups: total and grade of each system, and the number of each grade."""
    from harness.catalog.text_file import required_text
    from harness.operations import score_folder as scoring
    from harness.operations.revisions import scores_given_out
    from harness.operations.selection import select_criteria
    from harness.publish import export_totals
    from harness.publish.exports import TOTALS_CSV, TOTALS_JSON
    from harness.scoring import read_groups
    from harness.scoring import total as add_up

    target = out or scores_path.parent
    if any(groups_path.resolve() == (target / name).resolve() for name in (TOTALS_CSV, TOTALS_JSON)):
        expected, remedy = f"a table that is not written over by {TOTALS_CSV} and {TOTALS_JSON}", "Rename it, or add --out."
        raise UsageError(Problem("command line", "--groups", str(groups_path), expected, remedy))
    scores = scores_given_out(scores_path)
    chosen = select_criteria(catalog, criteria or scoring.applied_criteria(scores))
    totals = add_up(scores, read_groups(required_text(groups_path, "a text file"), str(groups_path), chosen), chosen)
    say(f"rule between bands: {totals.rule}")
    for system in totals.systems:
        shown = f"{system.total} {system.grade or ''}" if system.total is not None else f"– ({system.why_not})"
        say(f"{system.portal:40} {shown}")
    if totals.unknown:
        say(f"not in these scores, and left out: {', '.join(totals.unknown)}", err=True)
    say(f"  {export_totals(totals, scores, target)}")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path("results"))
@click.option("--portal", "portals", multiple=True, help="Only this portal; may be given several times.")
@click.option("--out", type=OUTPUT_FILE, help="Also write the table here as CSV.")
@CATALOG
@AS_JSON
@LANG
def nights(folder: Path, portals: tuple[str, ...], out: Path | None, catalog: Catalog, as_json: bool) -> None:
    """Print the nights of a folder of sweeps as one table: points, interval, verdict and windows of each portal and night.

    Below it stands whether states without points are final, by the criteria sets of the catalog; what comparable portals moved in
    common in each night; and the portals whose night stands out from their own earlier ones: a single night, or a change that lasts.
    """
    from harness.publish.history import find_sweeps, history, nights_in_words, over_nights, rules_apart, state_in_words
    from harness.publish.night_board import night_facts, nights_in_lines
    from harness.publish.tables import csv_bytes
    from harness.publish.terminal import print_table, print_text
    from harness.records.files import write_output
    from harness.scoring import states_over_nights

    sweeps = find_sweeps(folder)
    table, troubles = history(sweeps, portals)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    if problems := [*_without_nights(folder, sweeps, portals)]:
        raise UsageError(*problems)
    rules = {criteria.named: criteria.states for criteria in catalog.criteria.values()}
    scored = [sweep.scores for sweep in sweeps if sweep.scores is not None]
    states = [state for state in states_over_nights(scored, rules) if not portals or state.portal in portals]
    tables = over_nights(sweeps)
    if as_json:
        of_nights = night_facts(tables)
        told = ({**row, "states": [_state(state) for state in states if _is_of(state, row)], **of_nights(row)} for row in rows)
        say_text(as_json_text(list(told)))
    if not as_json:
        print_table(Console(), *nights_in_words(rows, languages()))
    for said in rules_apart(rows) if not as_json else ():
        print_text(Console(), said, languages(), "yellow")
    for line in (state_in_words(state, language) for state in states for language in languages() if not as_json):
        say(line)
    for line in (line for language in languages() for line in nights_in_lines(tables, portals, language) if not as_json):
        say(line)
    for trouble in troubles:
        say(f"left out: {trouble}", err=True)
    if out is not None:
        write_output(out, csv_bytes(table))
        say(f"  {out}", err=as_json)
    if not as_json:
        newest = next(sweep for sweep in sweeps if sweep.scores is not None and sweep.scores.sweep == rows[-1]["sweep"])
        say_next("explain", "explain", folder / newest.name, str(rows[-1]["portal"]))


def _without_nights(folder: Path, sweeps: Sequence[PublishedSweep], portals: tuple[str, ...]) -> Iterator[Problem]:
    """Why a folder, or a portal that was asked for, gives no night; nothing where all give one."""
    scored = [sweep.scores for sweep in sweeps if sweep.scores is not None]
    if scored:
        known = dict.fromkeys(card.portal for scores in scored for card in scores.scorecards)
        for portal in (each for each in portals if each not in known):
            remedy = f"{did_you_mean(portal, known)}Leave --portal out for all."
            yield Problem("command line", "--portal", portal, f"a portal of the sweeps in {folder}", remedy)
        return
    for sweep in sweeps:
        yield Problem(str(folder / sweep.name), "scores", sweep.trouble, "readable scores", "Score it with `harness score`.")
    if not sweeps:
        is_sweep = (folder / "plan.json").is_file() or (folder / SCORES_JSON).is_file()
        found = "one sweep" if is_sweep else "a folder without sweeps"
        remedy = (
            f"Name the folder around it: {folder.absolute().parent}" if is_sweep else "Name the results folder; `harness demo` makes one."
        )
        yield Problem("command line", "FOLDER", found, "a folder of sweeps with scores", f"{remedy.rstrip('.')}.")


def _is_of(state: StateOverNights, row: dict[str, Any]) -> bool:
    return (state.portal, state.sweep) == (row["portal"], row["sweep"])


def _state(state: StateOverNights) -> dict[str, Any]:
    found = {"state": state.state, "nights": state.nights, "missing": state.missing}
    return {**found, "final_after": state.rule.nights, "consequence": state.rule.consequence, "basis": state.rule.basis}


@click.command()
@SWEEP_FOLDER
@click.option("--picture", type=OUTPUT_FILE, help="Also draw the scoreboard: a .png, .pdf or .svg file.")
@EARLIER
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
@click.option("--port", type=PORT, default=0, show_default=True, help="0: any free one.")
def serve(folder: Path, port: int) -> None:
    """Serve pages of all sweeps in a folder, on loopback, until Ctrl-C."""
    from harness.publish import serve as serve_pages

    serve_pages(folder, port, announce=say)
