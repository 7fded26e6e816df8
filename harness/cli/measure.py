"""Commands that measure, or serve what is measured: demo, run, sweep, resume, status, probe, stop, calibrate, simulate."""

from __future__ import annotations

import json
import time
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from harness.cli.live_progress import LiveProgress
from harness.cli.next_steps import say_next, typed
from harness.cli.options import (
    AS_JSON,
    CATALOG,
    CATALOG_FOLDER,
    CRITERIA,
    FAIL_UNDER,
    JUNIT,
    LANG,
    RESULTS,
    SEED,
    SIGNING_KEY,
    Duration,
    as_json_text,
    languages,
    progress,
    say,
    say_met,
    say_text,
    show_scores,
)  # fmt: skip

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.operations.listening import Listening
    from harness.operations.sweep import SweepSpec
    from harness.operations.sweep_result import SweepResult
    from harness.records.probe_history import ProbeLine

FOLLOWED_EVERY_S = 2.0
"""How often `harness status --follow` looks."""

_WORKLOAD = click.option("--workload", required=True, help="A workload of the catalog.")
_VANTAGE_POINT = click.option(
    "--vantage-point", default="", metavar="TEXT", help='Where authorised hosts are measured from, for example "Ha Noi, VNPT, 1 Gbit/s".'
)
_SECOND_ADDRESS = click.option(
    "--second-address", default="", metavar="IP", help="Another address of this machine, for the lone citizen after a refusal under load."
)
_WORKERS = click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Generator processes on this machine.")
_LISTEN = click.option("--listen", default="", metavar="HOST:PORT", help="Let workers on other machines take part; port 0: any free one.")
_EXPECT_WORKERS = click.option(
    "--expect-workers", type=click.IntRange(0), default=None, metavar="N",
    help="With --listen: workers on other machines to wait for before anything is sent.  [default: 1]",
)  # fmt: skip
_MAX_WAIT = click.option(
    "--expect-workers-max-wait", type=click.FloatRange(1), default=300, show_default=True, metavar="SECONDS",
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
@_WORKERS
@_VANTAGE_POINT
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
    _run_to_the_gate(spec, catalog, fail_under, junit, require_points, as_json=as_json)


@click.command()
@click.argument("portals", nargs=-1)
@click.option("--set", "set_id", default="", help="A set of portals, for example 2024 or provinces-2025.")
@click.option("--workload", default="", help="A workload of the catalog; required unless --resume is given.")
@click.option("--workers", type=click.IntRange(0), default=None, help="Generator processes on this machine.  [default: 1; with --listen 0]")
@_VANTAGE_POINT
@_SECOND_ADDRESS
@_LISTEN
@_EXPECT_WORKERS
@_MAX_WAIT
@_CHANNEL_KEYS
@click.option("--at-once", type=click.IntRange(1), default=6, show_default=True, help="Portals loaded at the same time.")
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
        _run_to_the_gate(spec, catalog, fail_under, junit, require_results, as_json=as_json)


@click.command()
@click.argument("portals", nargs=-1)
@click.option("--set", "set_id", default="", help="A set of portals.")
@click.option("--every", "every_s", type=Duration(), help="One probe of each portal in each interval of this length, for example 5m.")
@click.option("--for", "during_s", type=Duration(), help="How long, for example 7d; by default until Ctrl-C.")
@click.option("--once", is_flag=True, help="One probe of each portal, now: for a timer.")
@SEED
@RESULTS
@CATALOG
@CRITERIA
@AS_JSON
def probe(
    portals: tuple[str, ...], set_id: str, every_s: float | None, during_s: float | None, once: bool, seed: int, results: Path, catalog: Catalog,
    criteria: str, as_json: bool,
) -> None:  # fmt: skip
    """Search once on each portal, again and again, day and night, into its availability history."""
    from math import inf

    from harness.errors import Problem, UsageError
    from harness.operations import probe as prober
    from harness.operations.selection import select_criteria, select_portals
    from harness.operations.shipped import DEFAULT_CRITERIA
    from harness.records.plain import to_plain

    if once == (every_s is not None) or (once and during_s is not None):
        remedy = "Give --every and, if it is to end by itself, --for; or --once alone."
        found = "--once beside others" if once else "neither --every nor --once"
        raise UsageError(Problem("command line", "--every, --for, --once", found, "an interval, or --once alone", remedy))
    if every_s is not None and every_s < prober.LEAST_EVERY_S:
        expected = f"at least {prober.LEAST_EVERY_S:g} s: more often is load"
        raise UsageError(Problem("command line", "--every", f"{every_s:g} s", expected, "Give a longer interval, for example 5m."))

    def show(line: ProbeLine) -> None:
        say_text(json.dumps(to_plain(line), ensure_ascii=False, sort_keys=True)) if as_json else say(line.in_words)

    prober.probe(
        catalog, tuple({portal.id: portal for portal in select_portals(catalog, portals, set_id)}.values()), results=results,
        criteria=select_criteria(catalog, criteria or DEFAULT_CRITERIA), seed=seed, every_s=every_s or 0.0, during_s=during_s or inf,
        show=show, note=progress(quiet=as_json),
    )  # fmt: skip
    if not as_json:
        say_next("supply", "supply", "SWEEP", "--probes", results)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--workers", type=click.IntRange(1), help="Generator processes on this machine.  [default: those of the last attempt]")
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
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--follow", is_flag=True, help="Print it again whenever it changes, until the sweep is no longer under way.")
@AS_JSON
@LANG
def status(folder: Path, follow: bool, as_json: bool) -> None:
    """Print how far a sweep is: what is done, under way, void and left, and its expected end. Ends with 0 in every state.

    With --follow and --json each status is one line.
    """
    from harness.evidence import sweep_at
    from harness.operations.status import CUT_OFF, UNDER_WAY, status_of

    sweep, before = sweep_at(folder), ""
    while True:
        found = status_of(sweep)
        text = json.dumps(asdict(found), ensure_ascii=False, sort_keys=True) if follow and as_json else ""
        text = text or (
            as_json_text(asdict(found)) if as_json else "\n".join(line for language in languages() for line in found.lines(language))
        )
        if text != before:
            say_text(text)
        if not follow or found.state != UNDER_WAY:
            if not as_json:
                purpose = {UNDER_WAY: "follow", CUT_OFF: "resume"}.get(found.state, "score")
                say_next(purpose, *(("status", folder, "--follow") if purpose == "follow" else (purpose, folder)))
            return
        before = text
        time.sleep(FOLLOWED_EVERY_S)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def stop(folder: Path) -> None:
    """End a running sweep: arrivals stop, visits in progress end, evidence is sealed."""
    from harness.evidence import sweep_at
    from harness.operations import locust_run

    say(f"process {locust_run.stop(sweep_at(folder))} has ended; `{typed('score', folder)}` uses what is sealed")


@click.command()
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Generator processes to calibrate.")
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


@click.command()
@click.argument("portals", nargs=-1)
@click.option("--set", "set_id", default="", help="A set of portals.")
@click.option(
    "--stand-in", default="", metavar="identity,payment", help="Instead of portals: serve these hosts for a staging on this machine."
)
@click.option("--client", default="staging", show_default=True, metavar="ID", help="With --stand-in: the staging's id at these hosts.")
@click.option("--redirect-uri", default="", metavar="URL", help="With --stand-in identity: where the staging takes the login's code.")
@click.option("--callback", default="", metavar="URL", help="With --stand-in payment: where the staging takes the gateway's report.")
@click.option(
    "--identity-port", type=click.IntRange(0, 65_535), default=0, show_default=True, help="Port of the identity host; 0: any free one."
)
@click.option(
    "--payment-port", type=click.IntRange(0, 65_535), default=0, show_default=True, help="Port of the payment host; 0: any free one."
)
@click.option("--port", type=int, default=0, show_default=True, help="Port of the control API; 0: any free one.")
@SEED
@CATALOG
def simulate(
    portals: tuple[str, ...], set_id: str, stand_in: str, client: str, redirect_uri: str, callback: str, identity_port: int, payment_port: int,
    port: int, seed: int, catalog: Catalog,
) -> None:  # fmt: skip
    """Serve only the embedded portals, until Ctrl-C.

    With --stand-in it serves an identity host, a payment host or both for a portal of your own on this machine, which cannot reach the
    national ones, and prints what that portal must be told: addresses, its id and the stand-ins' own secrets.
    """
    from harness.errors import Problem, UsageError
    from harness.operations.embedded import EmbeddedPortals
    from harness.operations.selection import select_portals
    from harness.operations.staging_hosts import stand_in_settings

    ports = {name: number for name, number in (("control", port), ("identity", identity_port), ("payment", payment_port)) if number}
    if stand_in:
        if portals or set_id:
            found, remedy = "given beside portals", "Leave the portals out: the staging is your own."
            raise UsageError(Problem("command line", "--stand-in", found, "the hosts alone", remedy))
        settings = stand_in_settings(stand_in, client, redirect_uri, callback, seed)
        embedded = EmbeddedPortals.start([], seed=seed, ports=ports or None, stand_in=settings)
    else:
        chosen = select_portals(catalog, portals, set_id or ("" if portals else "demo"))
        embedded = EmbeddedPortals.start(chosen, seed=seed, ports=ports or None)
    try:
        say_text(as_json_text(embedded.ready))
        embedded.wait()
    except KeyboardInterrupt:
        pass
    finally:
        embedded.stop()


def _run_and_show(spec: SweepSpec, catalog: Catalog, *, as_json: bool = False) -> SweepResult:
    """Measure, score, print."""
    from harness.operations.sweep import run_sweep

    with LiveProgress(languages()[0], quiet=as_json) as lines:
        result = run_sweep(spec, catalog, lines, during=lines.follow)
    show_scores(result, as_json=as_json)
    return result


def _run_to_the_gate(
    spec: SweepSpec, catalog: Catalog, fail_under: Sequence[str], junit: Path | None, require: Callable[[SweepResult], None], *, as_json: bool
) -> None:  # fmt: skip
    """Measure, score, print; then what was asked of the portals."""
    from harness.operations.release_gate import begin_junit, conclude_scores
    from harness.operations.selection import select_criteria
    from harness.scoring.requirements import read_requirements

    requirements = read_requirements(fail_under, select_criteria(catalog, spec.criteria))
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
