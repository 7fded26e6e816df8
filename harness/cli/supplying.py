"""The command by which an operator's figures become evidence: supply."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import AS_JSON, CATALOG, as_json_text, progress


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("portal")
@click.option("--from", "where", required=True, metavar="URL|FILE", help="Prometheus text by http(s), or a file of CSV or Prometheus text.")
@click.option("--metric", default="", help="In Prometheus text: the gauge that holds busy CPU in per cent.")
@click.option("--role", type=click.Choice(["application", "database"]), help="What the servers do, where samples have no label `role`.")
@click.option("--every", type=click.FloatRange(min=1), default=None, metavar="SECONDS", help="Fetch again and again; without it, once.")
@click.option("--during", type=click.FloatRange(min=1), default=None, metavar="SECONDS", help="How long; without it, until Ctrl-C.")
@CATALOG
@AS_JSON
def supply(
    folder: Path, portal: str, where: str, metric: str, role: str | None, every: float | None, during: float | None,
    catalog_folder: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Take an operator's server figures into a sweep's evidence; scoring reads them from there."""
    from harness.evidence import open_sweep
    from harness.operations import night
    from harness.operations.supplied import supply as supplying

    source = supplying.Source(where, metric, role or "")
    found = supplying.supply(
        open_sweep(folder), portal, source, night.catalog(catalog_folder), every_s=every or 0.0,
        during_s=float("inf") if during is None else during, progress=progress(quiet=as_json),
    )  # fmt: skip
    servers = sorted({(figure.role, figure.server) for figure in found.figures})
    if as_json:
        summary = {
            "file": found.file, "sha256": found.sha256, "figures": len(found.figures), "fetches": found.fetches, "missed": found.missed,
            "servers": [{"role": role_, "server": server} for role_, server in servers], "lacking": found.lacking,
        }  # fmt: skip
        click.echo(as_json_text(summary))
        return
    named = ", ".join(f"{server} ({role_})" for role_, server in servers)
    click.echo(f"{folder / found.file}: {len(found.figures)} figures of {named}; SHA-256 {found.sha256}")
    for each in found.lacking:
        click.echo(f"no figure of the role {each} yet; server efficiency needs both roles")
