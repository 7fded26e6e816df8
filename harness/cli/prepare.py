"""Commands that prepare a measurement: doctor, validate, walk, workload, draft, keys, simulate."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.next_steps import say_next
from harness.cli.options import (
    AS_JSON,
    AT_ONCE,
    CATALOG,
    CATALOG_FOLDER,
    CRITERIA,
    LANG,
    RESULTS,
    SEED,
    WORKERS,
    as_json_text,
    languages,
    say,
    say_differences,
    say_text,
)  # fmt: skip
from harness.cli.outputs import OUTPUT_FILE, OUTPUT_FOLDER
from harness.errors import CatalogError, MeasurementError, Problem, UsageError
from harness.operations.number_options import PORT, Number

if TYPE_CHECKING:
    from harness.catalog import Catalog


@click.command()
@CATALOG_FOLDER
@AS_JSON
def validate(catalog_folder: Path | None, as_json: bool) -> None:
    """Check the whole catalog: every problem of every file at once."""
    from harness.operations.authoring.validation import validate_catalog
    from harness.operations.bundle.differing_runs import catalog_differences
    from harness.operations.plan_summary import terms_in_words
    from harness.operations.portal_hosts import terms_of
    from harness.operations.shipped import scenarios_folder

    catalog, problems = validate_catalog(scenarios_folder(), catalog_folder)
    if problems:
        raise CatalogError(*problems)
    counts = {
        "portals": len(catalog.portals), "sets": len(catalog.sets), "platforms": len(catalog.platforms), "workloads": len(catalog.workloads),
        "criteria": len({criteria.named for criteria in catalog.criteria.values()}), "authorisations": len(catalog.authorisations),
    }  # fmt: skip
    differences = catalog_differences(catalog)
    terms = {each.id: words for each in catalog.authorisations.values() if (words := terms_in_words(terms_of(each)))}
    if as_json:
        named = {"differences": [asdict(each) for each in differences]} if differences else {}
        say_text(as_json_text({**counts, **({"terms": terms} if terms else {}), **named}))
        return
    say("the catalog is sound: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    for name, words in terms.items():
        say(f"  authorisation {name}: {words}")
    say_differences(differences)
    say_next("walk", "walk", "PORTAL")


@click.command()
@click.argument("portals", nargs=-1)
@click.option("--set", "set_id", default="", help="A set of portals.")
@click.option("--workload", default="", help="The workload of the night; without it, what a night needs is not known.")
@WORKERS
@AT_ONCE
@click.option(
    "--watch",
    "watch_s",
    type=Number(0.1, 3_600),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to watch the processors.",
)
@RESULTS
@CATALOG
@CRITERIA
@AS_JSON
@LANG
def doctor(
    portals: tuple[str, ...],
    set_id: str,
    workload: str,
    workers: int,
    at_once: int,
    watch_s: float,
    results: Path,
    catalog: Catalog,
    criteria: str,
    as_json: bool,
) -> None:
    """Look at this machine before a night: is it fit, and what is to be done. Nothing is sent.

    With a workload and portals the machine is compared with the plan of that night. Ends with 6 where the machine is unfit.
    """
    from harness.errors import EnvironmentFault
    from harness.operations.machine_check import Fitness, check_machine
    from harness.operations.machine_facts import read_machine
    from harness.operations.machine_needs import MachineNeeds, needs_of_sweep, needs_of_workload
    from harness.operations.selection import select_portals, select_workload
    from harness.operations.shipped import DEFAULT_CRITERIA
    from harness.operations.sweep import SweepSpec
    from harness.publish.wording import phrase
    from harness.records.plain import to_plain

    if (portals or set_id) and not workload:
        raise UsageError(
            Problem("command line", "--workload", "none given", "the workload of the night", "Name it, or leave the portals out.")
        )
    if portals or set_id:
        chosen = select_portals(catalog, portals, set_id)
        spec = SweepSpec(
            set_id or "-".join(portals[:2]),
            chosen,
            select_workload(catalog, workload),
            1,
            results,
            workers,
            at_once,
            criteria or DEFAULT_CRITERIA,
        )
        needs = needs_of_sweep(spec, catalog)
    elif workload:
        needs = needs_of_workload(select_workload(catalog, workload), workers=workers, at_once=at_once)
    else:
        needs = MachineNeeds(workers=workers)
    facts = read_machine(results, watch_s=watch_s)
    findings = check_machine(facts, needs)
    counts = {fitness: sum(each.fitness is fitness for each in findings) for fitness in Fitness}
    if as_json:
        say_text(as_json_text({"findings": [each.facts() for each in findings], "machine": to_plain(facts), "needs": to_plain(needs)}))
    else:
        for language in languages():
            for each in findings:
                say_text(each.line(language))
            say(phrase("doctor.result").into(language).format(*counts.values()))
    if counts[Fitness.UNFIT]:
        unfit = ", ".join(each.check for each in findings if each.fitness is Fitness.UNFIT)
        raise EnvironmentFault(
            Problem("this machine", "doctor", f"unfit ({unfit})", "a machine that is fit", "Do what stands in the lines with ✗.")
        )
    if facts.calibration != "valid" and not as_json:
        say_next("calibrate", "calibrate")


@click.command()
@click.argument("usage", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--id", "name", default="", help="The workload's id; by default from the file's name.")
@click.option("--day", is_flag=True, help="One stage over the office hours of a working day, instead of typical and peak windows.")
@click.option("--out", type=OUTPUT_FILE, help="Write here, for example CATALOG/workloads/NAME.yaml.")
@AS_JSON
def workload(usage: Path, name: str, day: bool, out: Path | None, as_json: bool) -> None:
    """Make a portal's own workload from its usage by the hour: columns hour, visits, dossiers, payments."""
    from harness.operations.authoring import usage as figures
    from harness.records.files import write_output

    made, assumptions = figures.workload_from_usage(usage, name=name, whole_day=day)
    if out is not None:
        write_output(out, figures.as_yaml(made, assumptions))
        for line in assumptions:
            say(line, err=as_json)
    if as_json:
        say_text(as_json_text({"workload": made.model_dump(mode="json"), "assumptions": assumptions, "file": str(out) if out else None}))
    else:
        say_text(f"written to {out}" if out else figures.as_yaml(made, assumptions), nl=out is not None)
        if out is not None:
            say_next("dry_run", "sweep", "PORTAL", "--workload", made.id, "--dry-run", "--catalog", out.parent.parent)


@click.command()
@click.argument("portals", nargs=-1)
@click.option("--set", "set_id", default="", help="A set of portals: one line each.")
@click.option("--journey", "journeys", multiple=True, help="Only this journey; may be given several times.")
@click.option("-v", "--verbose", is_flag=True, help="Show every request: address, status, time, extracted values, rules that held.")
@click.option("--save-pages", type=OUTPUT_FOLDER, help="Keep every page here.")
@SEED
@CATALOG
def walk(
    portals: tuple[str, ...], set_id: str, journeys: tuple[str, ...], verbose: bool, save_pages: Path | None, seed: int, catalog: Catalog
) -> None:  # fmt: skip
    """Walk one citizen and show every step; stop at a portal's first failure and show its requests and what its page holds."""
    from harness.operations.bundle.differing_runs import catalog_differences
    from harness.operations.selection import select_portals
    from harness.operations.shipped import scenarios_folder
    from harness.operations.walk import load_journeys
    from harness.operations.walk import walk as walk_portals

    chosen = select_portals(catalog, portals, set_id)
    found = walk_portals(
        catalog,
        chosen,
        load_journeys(scenarios_folder(), journeys),
        show=say,
        one_line=bool(set_id),
        verbose=verbose,
        save_pages=save_pages,
        seed=seed,
    )
    failed = [result.portal for result in found if not result.ok]
    say(f"{len(found) - len(failed)} of {len(found)} portals walked")
    say_differences(catalog_differences(catalog))
    if failed:
        raise MeasurementError(
            Problem(
                "walk", "portals", ", ".join(failed), "journeys that end well, and what they file withdrawn",
                "Walk one of them alone; -v shows every request.",
            )
        )  # fmt: skip
    say_next("run", "run", chosen[0].id, "--workload", "smoke")


@click.command()
@click.argument("capture", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--id", "profile", default="draft", show_default=True, help="The profile's id.")
@click.option("--out", type=OUTPUT_FILE, help="Write here, for example CATALOG/platforms/NAME.yaml.")
def draft(capture: Path, profile: str, out: Path | None) -> None:
    """Draft a platform profile from a browser's HAR, to be completed by hand."""
    from harness.catalog.ids import check_id
    from harness.operations.authoring.draft import draft_with_remarks
    from harness.records.files import write_output

    check_id(profile, "--id")
    drafted = draft_with_remarks(capture, profile=profile)
    if out is None:
        say_text(drafted.text, nl=False)
        return
    write_output(out, drafted.text)
    say(f"written to {out}")
    for heading, remarks in (
        ("typed, chosen or kept from this session:", drafted.constants),
        ("left out, or not as it was recorded:", drafted.left_out),
    ):
        for line in [heading, *dict.fromkeys(f"  {remark}" for remark in remarks)] if remarks else ():
            say(line)
    say_next("validate", "validate", "--catalog", out.parent.parent)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def keys(folder: Path) -> None:
    """Make the keys of a fleet: FOLDER/master.json for Locust's master, FOLDER/worker.json for each worker."""
    from harness.load.member_keys import WORKERS_FILE, make_keys, write_keys

    made = make_keys()
    for name, end in (("master.json", made.for_master()), (WORKERS_FILE, made.for_worker())):
        path = folder / name
        if path.exists():
            raise UsageError(Problem(str(path), "file", "there already", "a folder without keys", "Remove it first if no fleet uses it."))
        write_keys(path, end)
        say(f"written to {path}")
    say_next("listen", "sweep", "PORTAL", "--workload", "NAME", "--listen", "HOST:PORT", "--channel-keys", folder / "master.json")


@click.command()
@click.argument("portals", nargs=-1)
@click.option("--set", "set_id", default="", help="A set of portals.")
@click.option(
    "--stand-in", default="", metavar="identity,payment", help="Instead of portals: serve these hosts for a staging on this machine."
)
@click.option("--client", default="staging", show_default=True, metavar="ID", help="With --stand-in: the staging's id at these hosts.")
@click.option("--redirect-uri", default="", metavar="URL", help="With --stand-in identity: where the staging takes the login's code.")
@click.option("--callback", default="", metavar="URL", help="With --stand-in payment: where the staging takes the gateway's report.")
@click.option("--identity-port", type=PORT, default=0, show_default=True, help="Port of the identity host; 0: any free one.")
@click.option("--payment-port", type=PORT, default=0, show_default=True, help="Port of the payment host; 0: any free one.")
@click.option("--port", type=PORT, default=0, show_default=True, help="Port of the control API; 0: any free one.")
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
