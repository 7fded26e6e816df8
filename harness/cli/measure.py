"""Commands that measure: portals by demo, run, sweep and resume, and the instrument itself by calibrate."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from harness.cli.live_progress import LiveProgress
from harness.cli.next_steps import say_next
from harness.cli.options import (
    AS_JSON,
    AT_ONCE,
    CATALOG,
    CATALOG_FOLDER,
    CRITERIA,
    FAIL_UNDER,
    JUNIT,
    LANG,
    RESULTS,
    SEED,
    SIGNING_KEY,
    SWEEP_FOLDER,
    VANTAGE_POINT,
    WORKERS,
    as_json_text,
    languages,
    progress,
    say,
    say_met,
    say_text,
    show_scores,
)  # fmt: skip
from harness.operations.number_options import WAIT_S, WORKER_COUNT, WORKERS_OR_NONE

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.operations.listening import Listening
    from harness.operations.sweep import SweepSpec
    from harness.operations.sweep_result import SweepResult
    from harness.scoring.requirements import Requirement

_WORKLOAD = click.option("--workload", required=True, help="A workload of the catalog.")
_SECOND_ADDRESS = click.option(
    "--second-address", default="", metavar="IP", help="Another address of this machine, for the lone citizen after a refusal under load."
)
_LISTEN = click.option("--listen", default="", metavar="HOST:PORT", help="Let workers on other machines take part; port 0: any free one.")
_EXPECT_WORKERS = click.option(
    "--expect-workers", type=WORKERS_OR_NONE, default=None, metavar="N",
    help="With --listen: workers on other machines to wait for before anything is sent.  [default: 1]",
)  # fmt: skip
_MAX_WAIT = click.option(
    "--expect-workers-max-wait", type=WAIT_S, default=300, show_default=True, metavar="SECONDS",
    help="With --listen: how long to wait for them.",
)  # fmt: skip
_CHANNEL_KEYS = click.option(
    "--channel-keys", type=click.Path(path_type=Path, dir_okay=False), default=None,
    help="With --listen: the master's file of `harness keys`; needed beyond loopback.",
)  # fmt: skip


@click.command()
@SIGNING_KEY
@SEED
@RESULTS
@CATALOG
@click.option("--open", "open_report", is_flag=True, help="Open the report in a browser.")
@LANG
def demo(seed: int, results: Path, catalog: Catalog, open_report: bool) -> None:
    """Run a short sweep over six embedded portals: scoreboard, report, scores."""
    from harness.operations.selection import select_portals, select_workload
    from harness.operations.sweep import SweepSpec

    spec = SweepSpec(
        "demo", select_portals(catalog, (), "demo"), select_workload(catalog, "demo"), seed, results,
        criteria="demo", back_to_back=True,
    )  # fmt: skip
    result = _run_and_show(spec, catalog)
    if open_report:
        webbrowser.open((result.folder.path / "report.html").resolve().as_uri())


@click.command()
@click.argument("portal")
@_WORKLOAD
@WORKERS
@VANTAGE_POINT
@_SECOND_ADDRESS
@SIGNING_KEY
@SEED
@RESULTS
@CATALOG
@CRITERIA
@FAIL_UNDER
@JUNIT
@AS_JSON
@LANG
def run(
    portal: str,
    workload: str,
    workers: int,
    vantage_point: str,
    second_address: str,
    seed: int,
    results: Path,
    catalog: Catalog,
    criteria: str,
    fail_under: tuple[str, ...],
    junit: Path | None,
    as_json: bool,
) -> None:
    """Measure one portal: samples, verdict, scorecard. Ends with 10 where the portal has no points."""
    from harness.operations.selection import select_portals, select_workload
    from harness.operations.shipped import DEFAULT_CRITERIA
    from harness.operations.sweep import SweepSpec, require_points

    spec = SweepSpec(
        portal, select_portals(catalog, (portal,)), select_workload(catalog, workload), seed, results, workers, 1,
        criteria or DEFAULT_CRITERIA, vantage_point=vantage_point, second_address=second_address,
    )  # fmt: skip
    _run_to_the_gate(spec, catalog, _asked(fail_under, spec, catalog), junit, require_points, as_json=as_json)


@click.command()
@click.argument("portals", nargs=-1)
@click.option("--set", "set_id", default="", help="A set of portals, for example 2024 or provinces-2025.")
@click.option("--workload", default="", help="A workload of the catalog; required unless --resume is given.")
@click.option("--workers", type=WORKERS_OR_NONE, default=None, help="Generator processes on this machine.  [default: 1; with --listen 0]")
@VANTAGE_POINT
@_SECOND_ADDRESS
@_LISTEN
@_EXPECT_WORKERS
@_MAX_WAIT
@_CHANNEL_KEYS
@AT_ONCE
@click.option(
    "--resume", "to_resume", type=click.Path(path_type=Path), metavar="FOLDER", help="Go on with this sweep, as `harness resume` does."
)
@click.option("--dry-run", is_flag=True, help="Print portals, hosts, permissions, load, and when the sweep would end. Nothing is sent.")
@SIGNING_KEY
@SEED
@RESULTS
@CATALOG
@CRITERIA
@FAIL_UNDER
@JUNIT
@AS_JSON
@LANG
def sweep(
    portals: tuple[str, ...], set_id: str, workload: str, workers: int | None, vantage_point: str, second_address: str, listen: str,
    expect_workers: int | None, expect_workers_max_wait: float, channel_keys: Path | None, at_once: int, to_resume: Path | None, dry_run: bool,
    seed: int, results: Path, catalog: Catalog, criteria: str, fail_under: tuple[str, ...], junit: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Measure many portals for one night, in rounds. Ends with 10 where a portal's verdict is void or insufficient."""
    from harness.operations.dry_run import plan_night
    from harness.operations.listening import fleet_of
    from harness.operations.selection import select_portals, select_workload
    from harness.operations.shipped import DEFAULT_CRITERIA
    from harness.operations.sweep import SweepSpec, require_results
    from harness.publish.terminal import print_table

    fleet = fleet_of(listen, workers, expect_workers, expect_workers_max_wait, channel_keys)
    if to_resume is not None:
        _refuse_beside_resume()
        _resume_and_show(to_resume, catalog.extra_folder, workers or 0, fleet, as_json=as_json)
        return
    if not workload:
        raise click.UsageError("Missing option '--workload'.")
    spec = SweepSpec(
        set_id or "-".join(portals[:2]), select_portals(catalog, portals, set_id), select_workload(catalog, workload), seed, results,
        (0 if listen else 1) if workers is None else workers, at_once, criteria or DEFAULT_CRITERIA, vantage_point=vantage_point,
        second_address=second_address, listening=fleet,
    )  # fmt: skip
    requirements = _asked(fail_under, spec, catalog)
    if dry_run:
        night = plan_night(spec, catalog)
        if as_json:
            say_text(as_json_text(night.facts()))
            return
        print_table(Console(), *night.table(languages()))
        for line in (*(line for language in languages() for line in night.lines(language)), *(f"  {note}" for note in night.notes)):
            say(line)
        say_next("without_dry_run")
    else:
        _run_to_the_gate(spec, catalog, requirements, junit, require_results, as_json=as_json)


@click.command()
@SWEEP_FOLDER
@click.option("--workers", type=WORKER_COUNT, help="Generator processes on this machine.  [default: those of the last attempt]")
@_LISTEN
@_EXPECT_WORKERS
@_MAX_WAIT
@_CHANNEL_KEYS
@CATALOG_FOLDER
@AS_JSON
@LANG
def resume(
    folder: Path, workers: int | None, listen: str, expect_workers: int | None, expect_workers_max_wait: float, channel_keys: Path | None,
    catalog_folder: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Go on with a sweep that was cut off, by the rules of its beginning. What is sealed stays, what was half done is measured once more.

    Ends with 0 where the sweep was complete: it is scored only. Otherwise with 10 where a portal's verdict is void or insufficient, and
    with 6 while the sweep is still under way. --catalog: by default that of the last attempt.
    """
    from harness.operations.listening import fleet_of

    fleet = fleet_of(listen, workers, expect_workers, expect_workers_max_wait, channel_keys)
    _resume_and_show(folder, catalog_folder, workers or 0, fleet, as_json=as_json)


@click.command()
@click.option("--workers", type=WORKER_COUNT, default=1, show_default=True, help="Generator processes to calibrate.")
@click.option(
    "--results", type=click.Path(path_type=Path, file_okay=False), default=Path("results/calibration"), show_default=True,
    help="Folder for the certificate.",
)  # fmt: skip
@CATALOG
@AS_JSON
def calibrate(workers: int, results: Path, catalog: Catalog, as_json: bool) -> None:
    """Compare the instrument with known delays: errors in % and ms, and a certificate for this machine."""
    from harness.operations.calibration import instrument
    from harness.records.files import read_json

    try:
        instrument.calibrate(catalog, results, workers=workers, progress=progress(quiet=as_json))
    finally:
        path = results / "certificate.json"
        if path.is_file():
            certificate = read_json(path)
            say_text(as_json_text(certificate) if as_json else instrument.printed(certificate))
    if not as_json:
        say_next("run", "run", "PORTAL", "--workload", "smoke", "--results", results.parent)


def _run_and_show(spec: SweepSpec, catalog: Catalog, *, as_json: bool = False) -> SweepResult:
    """Measure, score, print."""
    from harness.operations.sweep import run_sweep

    with LiveProgress(languages()[0], quiet=as_json) as lines:
        result = run_sweep(spec, catalog, lines, during=lines.follow)
    show_scores(result, as_json=as_json)
    return result


def _asked(fail_under: Sequence[str], spec: SweepSpec, catalog: Catalog) -> tuple[Requirement, ...]:
    from harness.operations.selection import select_criteria
    from harness.scoring.requirements import read_requirements

    return read_requirements(fail_under, select_criteria(catalog, spec.criteria))


def _run_to_the_gate(
    spec: SweepSpec, catalog: Catalog, requirements: Sequence[Requirement], junit: Path | None, require: Callable[[SweepResult], None], *, as_json: bool,
) -> None:  # fmt: skip
    """Measure, score, print; then what was asked of the portals."""
    from harness.operations.release_gate import begin_junit, conclude_scores

    begin_junit(junit, str(click.get_current_context().info_name))
    result = _run_and_show(spec, catalog, as_json=as_json)
    conclude_scores(result, requirements, junit, languages()[0], require)
    say_met(result, requirements)


def _resume_and_show(folder: Path, catalog_folder: Path | None, workers: int, listening: Listening | None, *, as_json: bool) -> None:
    from harness.evidence import sweep_at
    from harness.operations.resumption import resume_sweep
    from harness.operations.sweep import require_results

    sweep = sweep_at(folder)
    with LiveProgress(languages()[0], quiet=as_json) as lines:
        result, complete = resume_sweep(
            sweep, lines, catalog_folder=catalog_folder, workers=workers, listening=listening, during=lines.follow
        )  # fmt: skip
    show_scores(result, as_json=as_json)
    if not complete:
        require_results(result)


def _refuse_beside_resume() -> None:
    """Raise UsageError for options whose values are fixed in the plan of the sweep that is resumed."""
    context, free = (
        click.get_current_context(),
        {"to_resume", "workers", "catalog", "as_json", "listen", "expect_workers", "expect_workers_max_wait", "channel_keys"},
    )
    named = {each.name or "": each.opts[0] for each in context.command.params if each.name not in free}
    given = [option for name, option in named.items() if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT]
    if given:
        raise click.UsageError(f"--resume goes on by the plan in the folder: leave out {', '.join(given)}.")
