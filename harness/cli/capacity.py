"""The command that searches for the highest rate at which a portal meets an objective."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from harness.cli.next_steps import say_next
from harness.cli.options import (
    AS_JSON,
    CATALOG,
    LANG,
    RESULTS,
    SEED,
    SIGNING_KEY,
    VANTAGE_POINT,
    WORKERS,
    as_json_text,
    languages,
    progress,
    say,
    say_text,
)
from harness.operations.number_options import RATE, Duration, Number, WholeNumber

if TYPE_CHECKING:
    from harness.catalog import Catalog


@click.command()
@click.argument("portal")
@click.option(
    "--objective", required=True, metavar="TEXT",
    help='What each level has to meet, for example "p95 <= 10 s and error_rate <= 3 %" or "p95 <= 2 s at search".',
)  # fmt: skip
@click.option(
    "--workload", default="capacity", show_default=True, help="Journeys, their mix, thinks, and the shortest time that a level is held."
)
@click.option(
    "--start",
    type=RATE,
    default=0.5,
    show_default=True,
    metavar="RATE",
    help="Visits a second of the first level.",
)
@click.option(
    "--max-rate",
    type=RATE,
    default=200.0,
    show_default=True,
    metavar="RATE",
    help="No level has more visits a second.",
)
@click.option("--resolution", type=Number(2, 50), default=15.0, show_default=True, metavar="PERCENT", help="How wide the interval may be.")
@click.option("--most-levels", type=WholeNumber(1, 1_000), default=40, show_default=True, help="No more levels are measured.")
@click.option(
    "--longest-level", type=Duration(1), default=900.0, help="How long one level may be held at most, for example 15m.  [default: 15m]"
)
@WORKERS
@VANTAGE_POINT
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print the levels that may be measured, the latest end, and the most visits and dossiers. Nothing is sent.",
)
@SIGNING_KEY
@SEED
@RESULTS
@CATALOG
@AS_JSON
@LANG
def capacity(
    portal: str, objective: str, workload: str, start: float, max_rate: float, resolution: float, most_levels: int, longest_level: float,
    workers: int, vantage_point: str, dry_run: bool, seed: int, results: Path, catalog: Catalog, as_json: bool,
) -> None:  # fmt: skip
    """Search for the highest rate of visits at which a portal meets an objective: an interval, and what limits it.

    The rate is doubled until a level misses the objective, and the gap is halved. Both ends of the interval are measured twice, and a level of
    the beginning once more at the end. Ends with 10 where there is no interval: the portal became worse, a safety stop ended the search, or
    nothing could be decided.
    """
    from harness.errors import NoPointsError, Problem, UsageError
    from harness.evidence.folder import CAPACITY_JSON
    from harness.operations.capacity.forecast import forecast
    from harness.operations.capacity.search import CapacitySpec, run_capacity
    from harness.operations.selection import select_portals, select_workload
    from harness.publish.capacity_page import CAPACITY_HTML, print_capacity
    from harness.statistics.objective import ObjectiveSyntaxError, parse_objective

    try:
        asked = parse_objective(objective)
    except ObjectiveSyntaxError as error:
        raise UsageError(
            Problem("command line", "--objective", str(error), "an objective", "See docs/capacity.md for its grammar.")
        ) from error
    spec = CapacitySpec(
        select_portals(catalog, (portal,))[0], select_workload(catalog, workload), asked, seed, results, start, resolution / 100, most_levels,
        longest_level, max_rate, workers, vantage_point,
    )  # fmt: skip
    planned = forecast(spec, catalog)  # what cannot be judged, or may not be sent at all, is refused before anything is
    if dry_run:
        if as_json:
            say_text(as_json_text(planned.facts()))
            return
        for line in (line for language in languages() for line in planned.lines(language)):
            say(line)
        say_next("without_dry_run")
        return
    folder, report = run_capacity(spec, catalog, progress())
    if as_json:
        say_text((folder / CAPACITY_JSON).read_text(encoding="utf-8"), nl=False)
    else:
        print_capacity(report, Console(), languages())
        for name in (CAPACITY_HTML, CAPACITY_JSON):
            say(f"  {folder / name}")
        say_next("score", "score", folder / report.levels[-1].folder)
    assert report.answer is not None
    if report.answer.state in ("drifting", "stopped", "undecided"):
        expected, remedy = "an interval", "The levels and their evidence are kept; measure again once the cause is gone."
        raise NoPointsError(Problem(str(folder / CAPACITY_JSON), "answer", report.answer.state, expected, remedy))
