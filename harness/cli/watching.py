"""Commands that watch: a sweep under way by status and stop, and portals day and night by probe."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.next_steps import say_next, typed
from harness.cli.options import (
    AS_JSON,
    CATALOG,
    CRITERIA,
    LANG,
    RESULTS,
    SEED,
    SWEEP_FOLDER,
    as_json_text,
    languages,
    progress,
    say,
    say_text,
)
from harness.operations.number_options import Duration

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.records.probe_history import ProbeLine

FOLLOWED_EVERY_S = 2.0
"""How often `harness status --follow` looks (assumed: a person does not see it later than this)."""


@click.command()
@SWEEP_FOLDER
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
@SWEEP_FOLDER
def stop(folder: Path) -> None:
    """End a running sweep: arrivals stop, visits in progress end, evidence is sealed."""
    from harness.evidence import sweep_at
    from harness.operations import locust_run

    say(f"process {locust_run.stop(sweep_at(folder))} has ended; `{typed('score', folder)}` uses what is sealed")


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
