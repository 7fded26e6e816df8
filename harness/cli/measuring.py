"""Commands that measure, or serve what is measured: demo, run, sweep, stop, calibrate, simulate."""

from __future__ import annotations

import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from harness.cli.options import AS_JSON, CATALOG, CRITERIA, RESULTS, SEED, as_json_text, progress, show_scores


@click.command()
@SEED
@RESULTS
@CATALOG
@click.option("--open", "open_report", is_flag=True, help="Open the report in a browser when it is there.")
def demo(seed: int, results: Path, catalog_folder: Path | None, open_report: bool) -> None:
    """A short sweep over six embedded portals: scoreboard, report, scores."""
    from harness.operations import night

    catalog = night.catalog(catalog_folder)
    workload = night.workload_of(catalog, "demo")
    outcome = night.spend(
        night.Night(
            "demo",
            night.portals_of(catalog, (), "demo"),
            workload,
            seed,
            results,
            catalog_folder=catalog_folder,
            criteria="demo",
            back_to_back=True,
        ),
        catalog,
        progress(),
    )
    show_scores(outcome.folder.path, outcome.scores, shortened=workload.shortened)
    if open_report:
        webbrowser.open((outcome.folder.path / "report.html").resolve().as_uri())


@click.command()
@click.argument("portal")
@click.option("--workload", required=True, help="A workload of the catalog.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Generator processes on this machine.")
@SEED
@RESULTS
@CATALOG
@CRITERIA
@AS_JSON
def run(
    portal: str, workload: str, workers: int, seed: int, results: Path, catalog_folder: Path | None, criteria: str, as_json: bool
) -> None:
    """One portal's windows: samples, verdict, scorecard."""
    _spend((portal,), "", portal, workload, workers, seed, results, catalog_folder, criteria, as_json=as_json)


@click.command()
@click.argument("portals", nargs=-1)
@click.option("--set", "set_id", default="", help="A set of portals, for example 2024 or provinces-2025.")
@click.option("--workload", required=True, help="A workload of the catalog.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Generator processes on this machine.")
@click.option("--at-once", type=click.IntRange(1), default=6, show_default=True, help="Portals loaded at the same time.")
@click.option("--dry-run", is_flag=True, help="Print the plan: rounds, arrivals, factors, duration. Nothing is sent.")
@SEED
@RESULTS
@CATALOG
@CRITERIA
@AS_JSON
def sweep(
    portals: tuple[str, ...], set_id: str, workload: str, workers: int, at_once: int, dry_run: bool, seed: int, results: Path,
    catalog_folder: Path | None, criteria: str, as_json: bool,
) -> None:  # fmt: skip
    """One night over many portals, in rounds."""
    label = set_id or "-".join(portals[:2])
    _spend(
        portals,
        set_id,
        label,
        workload,
        workers,
        seed,
        results,
        catalog_folder,
        criteria,
        at_once=at_once,
        dry_run=dry_run,
        as_json=as_json,
    )


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def stop(folder: Path) -> None:
    """End a sweep that is under way: arrivals off, what is under way is awaited, evidence is sealed."""
    from harness.evidence import open_sweep
    from harness.operations import measure

    click.echo(f"asked process {measure.stop(open_sweep(folder))} to end; `harness score {folder}` uses what is sealed")


@click.command()
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Generator processes to calibrate.")
@click.option("--results", type=click.Path(path_type=Path, file_okay=False), default=Path("results/calibration"), show_default=True)
@CATALOG
@AS_JSON
def calibrate(workers: int, results: Path, catalog_folder: Path | None, as_json: bool) -> None:
    """The instrument against known delays: its errors in % and ms, and a certificate for this machine."""
    from harness.operations import night
    from harness.operations.calibration import calibrate as instrument
    from harness.records.files import read_json

    try:
        instrument.calibrate(night.catalog(catalog_folder), results, workers=workers, progress=progress(quiet=as_json))
    finally:
        path = results / "certificate.json"
        if path.is_file():
            certificate = read_json(path)
            click.echo(as_json_text(certificate) if as_json else instrument.printed(certificate))


@click.command()
@click.argument("portals", nargs=-1)
@click.option("--set", "set_id", default="", help="A set of portals.")
@click.option("--port", type=int, default=0, show_default=True, help="Port of the control API; 0: any free one.")
@SEED
@CATALOG
def simulate(portals: tuple[str, ...], set_id: str, port: int, seed: int, catalog_folder: Path | None) -> None:
    """Serve embedded portals by themselves, until Ctrl-C."""
    from harness.operations import night
    from harness.operations.embedded import EmbeddedPortals

    chosen = night.portals_of(night.catalog(catalog_folder), portals, set_id or ("" if portals else "demo"))
    embedded = EmbeddedPortals.start(chosen, seed=seed, ports={"control": port} if port else None)
    try:
        click.echo(as_json_text(embedded.ready))
        embedded.wait()
    except KeyboardInterrupt:
        pass
    finally:
        embedded.stop()


def _spend(
    portals: tuple[str, ...], set_id: str, label: str, workload: str, workers: int, seed: int, results: Path, catalog_folder: Path | None,
    criteria: str, *, at_once: int = 1, dry_run: bool = False, as_json: bool = False,
) -> None:  # fmt: skip
    from harness.operations import night

    catalog = night.catalog(catalog_folder)
    chosen = night.portals_of(catalog, portals, set_id)
    load = night.workload_of(catalog, workload)
    what = night.Night(label, chosen, load, seed, results, workers, at_once, catalog_folder, criteria or night.CRITERIA)
    if dry_run:
        _show_plan(what, catalog, as_json=as_json)
        return
    outcome = night.spend(what, catalog, progress(quiet=as_json))
    show_scores(outcome.folder.path, outcome.scores, shortened=load.shortened, as_json=as_json)


def _show_plan(what: Any, catalog: Any, *, as_json: bool) -> None:
    from harness.operations import night, planning, reaching

    reached = reaching.planned_only(what.portals, catalog, datetime.now(UTC))
    plan = night.plan_night(what, reached)
    reaching.check_permitted(plan, catalog, datetime.now(UTC))
    seconds = planning.at_most_s(plan)
    summary = {
        "sweep": plan.sweep, "portals": len(plan.targets), "authorised": sorted(t.portal for t in plan.targets if t.authorisation), "rounds": len({r.round for r in plan.rounds}), "parts": len(plan.rounds),
        "at_most_s": round(seconds), "factors": planning.factors(what.workload),
    }  # fmt: skip
    if as_json:
        click.echo(as_json_text(summary))
        return
    click.echo(
        f"{summary['sweep']}: {summary['portals']} portals, {summary['rounds']} rounds in {summary['parts']} parts, at most {seconds / 60:.0f} min"
    )
    for journey, rate in planning.factors(what.workload).items():
        factor = "no usage figure" if rate["factor"] is None else f"{rate['factor']:.1f} × usage"
        click.echo(f"  {journey}: {rate['planned_per_s']:.3f} visits/s a portal ({factor})")
