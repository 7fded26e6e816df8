"""Commands about what portals' operators are asked for and told: supply, withdraw, reconcile, letter."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.next_steps import say_next, typed
from harness.cli.options import AS_JSON, CATALOG, SIGNING_KEY, SWEEP_FOLDER, as_json_text, progress, say, say_text
from harness.errors import MeasurementError, Problem
from harness.operations.number_options import WAIT_S, Number

if TYPE_CHECKING:
    from harness.catalog import Catalog


@click.command()
@SWEEP_FOLDER
@click.argument("portal", default="")
@click.option(
    "--from", "where", default="", metavar="URL|FILE", help="Prometheus text or OpenMetrics by http(s) or as a file, or a CSV file."
)
@click.option("--metric", default="", help="In Prometheus text and OpenMetrics: the gauge that holds busy CPU in per cent.")
@click.option("--role", type=click.Choice(["application", "database"]), help="The servers' role if samples have no label `role`.")
@click.option("--every", type=WAIT_S, default=None, metavar="SECONDS", help="Fetch at this interval; by default once.")
@click.option("--during", type=Number(1, 31 * 86_400), default=None, metavar="SECONDS", help="How long to fetch; by default until Ctrl-C.")
@click.option(
    "--maintenance", "maintenance", nargs=2, default=None, metavar="BEGIN END", help="Maintenance: two ISO 8601 times with time zone."
)
@click.option("--announced-at", default="", metavar="TIME", help="Of maintenance: when it was announced.")
@click.option("--document", default="", metavar="TEXT", help="Of maintenance: number and date of the announcement.")
@click.option(
    "--attach", type=click.Path(path_type=Path, dir_okay=False), help="Of maintenance: the announcement; copied, with its SHA-256."
)
@click.option(
    "--probes",
    type=click.Path(path_type=Path, file_okay=False),
    help="A results folder: the availability histories in it, of PORTAL or all.",
)
@click.option("--since", default="", metavar="TIME", help="Of probes: only from this time on, ISO 8601 with time zone.")
@click.option("--until", default="", metavar="TIME", help="Of probes: only before this time.")
@SIGNING_KEY
@CATALOG
@AS_JSON
def supply(
    folder: Path, portal: str, where: str, metric: str, role: str | None, every: float | None, during: float | None,
    maintenance: tuple[str, str] | None, announced_at: str, document: str, attach: Path | None, probes: Path | None, since: str, until: str,
    catalog: Catalog, as_json: bool,
) -> None:  # fmt: skip
    """Store what an operator supplies in a sweep's evidence; scoring reads it there.

    Either figures of servers (--from), maintenance with its announcement (--maintenance), or what `harness probe` saw (--probes).
    """
    from harness.errors import UsageError
    from harness.evidence import sweep_at
    from harness.operations.supplied import intake

    if sum((bool(where), maintenance is not None, probes is not None)) != 1:
        remedy = "Give --from for server figures, --maintenance, or --probes."
        raise UsageError(Problem("command line", "--from, --maintenance, --probes", "several or none", "one of them", remedy))
    of_figures, of_maintenance, of_probes = (metric, role, every, during), (announced_at, document, attach), (since, until)
    given = where or None, maintenance, probes
    if any(any(options) for options, one in zip((of_figures, of_maintenance, of_probes), given, strict=True) if one is None):
        remedy = (
            "Give --metric, --role, --every and --during with --from; --announced-at, --document and --attach with --maintenance;"
            " --since and --until with --probes."
        )
        raise UsageError(Problem("command line", "options", "of several kinds of input", "those of one of them", remedy))
    if probes is not None:
        _supply_probes(folder, portal, probes, since, until, as_json=as_json)
        return
    if not portal:
        raise UsageError(Problem("command line", "PORTAL", "none given", "a portal of the sweep", "Name the portal."))
    if maintenance is not None:
        added = intake.supply_maintenance(
            sweep_at(folder), portal, *maintenance, announced_at=announced_at, document=document, attached=attach
        )
        shown = f"{portal}: maintenance {added.begin_utc} – {added.end_utc}, announced at {added.announced_at or 'no known time'}"
        say_text(
            as_json_text({"portal": portal, **asdict(added)}) if as_json else f"{shown}; `{typed('score', folder)}` takes it into account"
        )
        return
    source = intake.FigureSource(where, metric, role or "")
    found = intake.supply(
        sweep_at(folder), portal, source, catalog, every_s=every or 0.0,
        during_s=float("inf") if during is None else during, progress=progress(quiet=as_json),
    )  # fmt: skip
    servers = sorted({(figure.role, figure.server) for figure in found.figures})
    if as_json:
        summary = {
            "file": found.file, "sha256": found.sha256, "figures": len(found.figures), "fetches": found.fetches, "missed": found.missed,
            "servers": [{"role": role_, "server": server} for role_, server in servers], "lacking": found.lacking,
        }  # fmt: skip
        say_text(as_json_text(summary))
        return
    named = ", ".join(f"{server} ({role_})" for role_, server in servers)
    say(f"{folder / found.file}: {len(found.figures)} figures of {named}; SHA-256 {found.sha256}")
    for each in found.lacking:
        say(f"no figure of the role {each} yet; server efficiency needs both roles")


def _supply_probes(folder: Path, portal: str, source: Path, since: str, until: str, *, as_json: bool) -> None:
    from harness.evidence import sweep_at
    from harness.operations.supplied.probe_copies import supply_probes

    copied = supply_probes(sweep_at(folder), source, portal, since=since, until=until)
    if as_json:
        say_text(as_json_text({"copied": [asdict(each) for each in copied]}))
        return
    for each in copied:
        say(f"{folder / each.file}: {each.probes} probes from {each.first_utc} to {each.last_utc}; SHA-256 {each.sha256}")
    say(f"`{typed('score', folder)}` takes them into account")


@click.command()
@SWEEP_FOLDER
@SIGNING_KEY
@CATALOG
@AS_JSON
def withdraw(folder: Path, catalog: Catalog, as_json: bool) -> None:
    """Withdraw the dossiers of a sweep that are still at their portals; list those that cannot be withdrawn."""
    from harness.evidence import sweep_at
    from harness.operations.dossiers.withdraw import withdraw as withdraw_filed

    dossiers = withdraw_filed(sweep_at(folder), catalog, progress(quiet=as_json))
    left = dossiers.not_withdrawn()
    if as_json:
        found = [{**filed.key._asdict(), "reason": dossiers.became.get(filed.key, "")} for filed in left]
        say_text(as_json_text({"dossiers": len(dossiers.filed), "withdrawn": len(dossiers.filed) - len(left), "not_withdrawn": found}))
    else:
        say(f"{len(dossiers.filed) - len(left)} of {len(dossiers.filed)} dossiers of the ledger are withdrawn")
        if not left:
            say_next("reconcile", "reconcile", folder, "--truth", "FILE")
    if left:
        remedy = f"Hand {dossiers.operators_list} to the operators, or call this again when the portals can be reached."
        raise MeasurementError(Problem(str(folder), "dossiers", f"{len(left)} not withdrawn", "none", remedy))


@click.command()
@SWEEP_FOLDER
@click.option(
    "--truth", required=True, metavar="FILE|URL", help="The outside count: CSV or JSON, with codes or with totals for each portal."
)
@CATALOG
@AS_JSON
def reconcile(folder: Path, truth: str, catalog: Catalog, as_json: bool) -> None:
    """Compare the dossiers and payments that citizens hold receipts for with an outside count."""
    from harness.evidence import sweep_at
    from harness.operations.dossiers.reconcile import reconcile as compare_counts
    from harness.operations.dossiers.reconcile import require_agreement

    sweep_folder = sweep_at(folder)
    found = compare_counts(sweep_folder, truth, catalog)
    if as_json:
        say_text(as_json_text(found.to_dict()))
    else:
        for each in found.differences:
            for line in each.lines():
                say(line)
        for portal in found.not_counted:
            say(f"{portal}: the outside count does not name it")
        if found.not_ours:
            say(f"not of this sweep, and left alone: {', '.join(found.not_ours)}")
    require_agreement(found, sweep_folder)
    if not as_json:
        say_next("score", "score", folder)


@click.command()
@SWEEP_FOLDER
@click.option("--portal", "portals", multiple=True, help="Only this portal; may be given several times.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Another folder, without letters; by default letters/ in the sweep's."
)
@click.option("--english", is_flag=True, help="Also a page in English beside each.")
@click.option(
    "--agency", "agency_file", type=click.Path(path_type=Path, dir_okay=False), help="The agency's names; by default agency.yaml in the results folder."
)  # fmt: skip
def letter(folder: Path, portals: tuple[str, ...], out: Path | None, english: bool, agency_file: Path | None) -> None:
    """Write a letter to each operator: one A4 page in Vietnamese, as HTML and PDF.

    It tells points, measured values and thresholds, when and how it was measured, what failed, which dossiers still stand, and how and until when to answer. A letter is a draft until the portal's scores are sent. A PDF needs Chromium on this machine.
    """
    from harness.catalog.agency import AGENCY_FILE, agency_of, read_agency
    from harness.evidence import sweep_at
    from harness.evidence.folder import results_around
    from harness.operations.addenda import SEAL
    from harness.operations.operator_letters import letter_facts, write_letters

    sweep = sweep_at(folder)
    results = results_around(sweep.path.parent)
    agency = read_agency(agency_file) if agency_file else agency_of(results)
    if agency is None:
        say(f"{results / AGENCY_FILE}: not there, so the letters are drafts without the agency's name and contact", err=True)
    letters = [*letter_facts(sweep, agency, portals)]
    for written in write_letters(sweep, letters, out, languages=("vi", "en") if english else ("vi",)):
        state = (
            "draft, because the scores have changed since they were sent"
            if written.is_changed
            else "draft"
            if written.is_draft
            else "letter"
        )
        replaced = ", in place of an earlier one" if written.replaced else ""
        without = f"; no PDF: {written.why_no_pdf}" if written.why_no_pdf else ""
        say(f"{written.portal}: {state}{replaced}{without}")
        for path in written.paths:
            say(f"  {path}")
    if (folder / SEAL).is_file():
        say_next("pack", "pack", folder, "--portal", letters[0].card.portal, "--out", f"{letters[0].card.portal}.zip")
    else:
        say_next("seal", "seal", folder)  # only what is sealed is packed
