"""Commands about the dossiers that a sweep filed: withdraw, reconcile."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import AS_JSON, CATALOG, as_json_text, progress
from harness.errors import MeasurementError, Problem


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@CATALOG
@AS_JSON
def withdraw(folder: Path, catalog_folder: Path | None, as_json: bool) -> None:
    """Withdraw the dossiers of a sweep that still stand at their portals, and list those that cannot be."""
    from harness.evidence import open_sweep
    from harness.operations import night
    from harness.operations.dossiers.withdrawal import withdraw as take_back
    from harness.operations.dossiers.withdrawn import list_of

    record = take_back(open_sweep(folder), night.catalog(catalog_folder), progress(quiet=as_json))
    left = record.left()
    if as_json:
        found = [{**filed.key._asdict(), "reason": record.became.get(filed.key, "")} for filed in left]
        click.echo(as_json_text({"dossiers": len(record.filed), "withdrawn": len(record.filed) - len(left), "not_withdrawn": found}))
    else:
        click.echo(f"{len(record.filed) - len(left)} of {len(record.filed)} dossiers of the ledger are withdrawn")
    if left:
        remedy = f"Hand {list_of(record.folder)} to the operators, or call this again when the portals can be reached."
        raise MeasurementError(Problem(str(folder), "dossiers", f"{len(left)} not withdrawn", "none", remedy))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--truth", required=True, metavar="FILE|URL", help="An outside count: CSV or JSON, of codes or of totals a portal.")
@CATALOG
@AS_JSON
def reconcile(folder: Path, truth: str, catalog_folder: Path | None, as_json: bool) -> None:
    """Compare what citizens were told, the ledger, with what somebody else counted at the portals."""
    from harness.evidence import open_sweep
    from harness.operations import night
    from harness.operations.dossiers import reconciling

    sweep_folder = open_sweep(folder)
    found = reconciling.reconcile(sweep_folder, truth, night.catalog(catalog_folder))
    if as_json:
        click.echo(as_json_text(found.to_dict()))
    else:
        for each in found.differences:
            for line in each.lines():
                click.echo(line)
        for portal in found.not_counted:
            click.echo(f"{portal}: the outside count does not name it")
        if found.not_ours:
            click.echo(f"not of this sweep, and left alone: {', '.join(found.not_ours)}")
    reconciling.check(found, sweep_folder)
