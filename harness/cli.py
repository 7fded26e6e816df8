"""The command line: each command reads its options, calls one operation, prints what came of it.

Exit codes: 0 done; 1 to 9 as `harness.errors` lists them; 130 stopped by Ctrl-C after draining.
"""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

import harness
from harness.errors import HarnessError

_CATALOG = click.option(
    "--catalog", "catalog_folder", type=click.Path(path_type=Path, file_okay=False), help="A folder with portals, workloads … of your own."
)
_RESULTS = click.option(
    "--results", type=click.Path(path_type=Path, file_okay=False), default=Path("results"), show_default=True, help="Where sweeps go."
)
_SEED = click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same schedule, citizens and forms.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
_CRITERIA = click.option("--criteria", default="", metavar="ID|FILE", help="A criteria set of the catalog, or a YAML file.")


class _Commands(click.Group):
    """Turns every HarnessError into its lines on stderr and its exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HarnessError as error:
            for problem in error.problems:
                click.echo(f"error: {problem}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(harness.__version__, prog_name="harness")
def main() -> None:
    """Measure public-service portals: citizens walk, samples become a score, the score can be imported."""


@main.command()
@_SEED
@_RESULTS
@_CATALOG
@click.option("--open", "open_report", is_flag=True, help="Open the report in a browser when it is there.")
def demo(seed: int, results: Path, catalog_folder: Path | None, open_report: bool) -> None:
    """A short sweep over six embedded portals: scoreboard, report, scores."""
    from harness.operations import night  # noqa: PLC0415  (heavy imports only in the commands that need them)

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
        _progress(),
    )
    _show(outcome.folder.path, outcome.scores, shortened=workload.shortened)
    if open_report:
        webbrowser.open((outcome.folder.path / "report.html").resolve().as_uri())


@main.command()
@click.argument("portal")
@click.option("--workload", required=True, help="A workload of the catalog.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Generator processes on this machine.")
@_SEED
@_RESULTS
@_CATALOG
@_CRITERIA
@_JSON
def run(
    portal: str, workload: str, workers: int, seed: int, results: Path, catalog_folder: Path | None, criteria: str, as_json: bool
) -> None:
    """One portal's windows: samples, verdict, scorecard."""
    _spend((portal,), "", portal, workload, workers, seed, results, catalog_folder, criteria, as_json=as_json)


@main.command()
@click.argument("portals", nargs=-1)
@click.option("--set", "set_id", default="", help="A set of portals, for example 2024 or provinces-2025.")
@click.option("--workload", required=True, help="A workload of the catalog.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Generator processes on this machine.")
@click.option("--at-once", type=click.IntRange(1), default=6, show_default=True, help="Portals loaded at the same time.")
@click.option("--dry-run", is_flag=True, help="Print the plan: rounds, arrivals, factors, duration. Nothing is sent.")
@_SEED
@_RESULTS
@_CATALOG
@_CRITERIA
@_JSON
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


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@_CATALOG
@_CRITERIA
@_JSON
def score(folder: Path, catalog_folder: Path | None, criteria: str, as_json: bool) -> None:
    """Score a sweep's evidence again; a changed evidence file is refused."""
    from harness.evidence import open_sweep  # noqa: PLC0415
    from harness.operations import assess, night  # noqa: PLC0415

    catalog = night.catalog(catalog_folder)
    scores = assess.assess(open_sweep(folder), catalog, assess.criteria_of(catalog, criteria or night.CRITERIA), check=True)
    _show(folder, scores, shortened=False, as_json=as_json)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def stop(folder: Path) -> None:
    """End a sweep that is under way: arrivals off, what is under way is awaited, evidence is sealed."""
    from harness.evidence import open_sweep  # noqa: PLC0415
    from harness.operations import measure  # noqa: PLC0415

    click.echo(f"asked process {measure.stop(open_sweep(folder))} to end; `harness score {folder}` uses what is sealed")


@main.command()
@_CATALOG
@_JSON
def validate(catalog_folder: Path | None, as_json: bool) -> None:
    """Check the whole catalog: every problem of every file at once."""
    from harness.operations import night  # noqa: PLC0415

    catalog = night.catalog(catalog_folder)
    counts = {
        "portals": len(catalog.portals), "sets": len(catalog.sets), "platforms": len(catalog.platforms), "workloads": len(catalog.workloads),
        "criteria": len(catalog.criteria), "authorisations": len(catalog.authorisations),
    }  # fmt: skip
    if as_json:
        click.echo(_json(counts))
    else:
        click.echo("the catalog is sound: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


@main.command()
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Generator processes to calibrate.")
@click.option("--results", type=click.Path(path_type=Path, file_okay=False), default=Path("results/calibration"), show_default=True)
@_CATALOG
@_JSON
def calibrate(workers: int, results: Path, catalog_folder: Path | None, as_json: bool) -> None:
    """The instrument against known delays: its errors in % and ms, and a certificate for this machine."""
    from harness.evidence import read_json  # noqa: PLC0415
    from harness.operations import calibrate as instrument  # noqa: PLC0415
    from harness.operations import night  # noqa: PLC0415

    try:
        instrument.calibrate(night.catalog(catalog_folder), results, workers=workers, progress=_progress(quiet=as_json))
    finally:
        path = results / "certificate.json"
        if path.is_file():
            certificate = read_json(path)
            click.echo(_json(certificate) if as_json else instrument.printed(certificate))


@main.command()
@click.argument("portals", nargs=-1)
@click.option("--set", "set_id", default="", help="A set of portals.")
@click.option("--port", type=int, default=0, show_default=True, help="Port of the control API; 0: any free one.")
@_SEED
@_CATALOG
def simulate(portals: tuple[str, ...], set_id: str, port: int, seed: int, catalog_folder: Path | None) -> None:
    """Serve embedded portals by themselves, until Ctrl-C."""
    from harness.operations import night  # noqa: PLC0415
    from harness.operations.embedded import EmbeddedPortals  # noqa: PLC0415

    chosen = night.portals_of(night.catalog(catalog_folder), portals, set_id or ("" if portals else "demo"))
    embedded = EmbeddedPortals.start(chosen, seed=seed, ports={"control": port} if port else None)
    try:
        click.echo(_json(embedded.ready))
        embedded.wait()
    except KeyboardInterrupt:
        pass
    finally:
        embedded.stop()


@main.command("workload")
@click.argument("usage", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--id", "name", default="", help="The workload's id; without it, from the file's name.")
@click.option("--day", is_flag=True, help="The office hours of a working day in one stretch, instead of typical and peak windows.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write here, for example CATALOG/workloads/NAME.yaml.")
@_JSON
def workload_of_usage(usage: Path, name: str, day: bool, out: Path | None, as_json: bool) -> None:
    """A portal's own workload from its usage by the hour: columns hour, visits, dossiers, payments."""
    from harness.evidence import write_whole  # noqa: PLC0415
    from harness.operations import usage as figures  # noqa: PLC0415

    made, assumptions = figures.workload_from_usage(usage, name=name, whole_day=day)
    if out is not None:
        write_whole(out, figures.as_yaml(made, assumptions))
        for line in assumptions:
            click.echo(line, err=as_json)
    if as_json:
        click.echo(_json({"workload": made.model_dump(mode="json"), "assumptions": assumptions, "file": str(out) if out else None}))
    else:
        click.echo(f"written to {out}" if out else figures.as_yaml(made, assumptions), nl=out is not None)


def _spend(
    portals: tuple[str, ...], set_id: str, label: str, workload: str, workers: int, seed: int, results: Path, catalog_folder: Path | None,
    criteria: str, *, at_once: int = 1, dry_run: bool = False, as_json: bool = False,
) -> None:  # fmt: skip
    from harness.operations import night  # noqa: PLC0415

    catalog = night.catalog(catalog_folder)
    chosen = night.portals_of(catalog, portals, set_id)
    load = night.workload_of(catalog, workload)
    what = night.Night(label, chosen, load, seed, results, workers, at_once, catalog_folder, criteria or night.CRITERIA)
    if dry_run:
        _show_plan(what, as_json=as_json)
        return
    outcome = night.spend(what, catalog, _progress(quiet=as_json))
    _show(outcome.folder.path, outcome.scores, shortened=load.shortened, as_json=as_json)


def _show_plan(what: Any, *, as_json: bool) -> None:
    from harness.operations import night, planning  # noqa: PLC0415

    plan = night.plan_night(what, None)
    seconds = sum(max(slot.duration_s for slot in round_.slots) + plan.drain_s for round_ in plan.rounds)
    summary = {
        "sweep": plan.sweep, "portals": len(plan.targets), "rounds": len({r.round for r in plan.rounds}), "parts": len(plan.rounds),
        "at_most_s": round(seconds), "factors": planning.factors(what.workload),
    }  # fmt: skip
    if as_json:
        click.echo(_json(summary))
        return
    click.echo(
        f"{summary['sweep']}: {summary['portals']} portals, {summary['rounds']} rounds in {summary['parts']} parts, at most {seconds / 60:.0f} min"
    )
    for journey, rate in planning.factors(what.workload).items():
        factor = "no usage figure" if rate["factor"] is None else f"{rate['factor']:.1f} × usage"
        click.echo(f"  {journey}: {rate['planned_per_s']:.3f} visits/s a portal ({factor})")


def _show(folder: Path, scores: Any, *, shortened: bool, as_json: bool = False) -> None:
    from harness.publish import scoreboard  # noqa: PLC0415

    if as_json:
        click.echo((folder / "scores.json").read_text(encoding="utf-8"), nl=False)
        return
    scoreboard(scores, Console(), shortened=shortened)
    for name in ("report.html", "scores.json", "scores.csv", "scores.xlsx"):
        click.echo(f"  {folder / name}")


def _progress(*, quiet: bool = False) -> Callable[[str], None]:
    return (lambda _line: None) if quiet else (lambda line: click.echo(f"· {line}", err=True))


def _json(data: Any) -> str:
    import json  # noqa: PLC0415

    return json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True, default=dict)


if __name__ == "__main__":
    sys.exit(main())
