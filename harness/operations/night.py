"""A sweep from beginning to end: embedded portals up, plan, measurement, verdict, scores, report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from harness.catalog import Catalog, Portal, load_catalog
from harness.catalog.workload import Workload
from harness.errors import MeasurementError, Problem, UsageError
from harness.evidence import SweepFolder, read_runs
from harness.operations.calibration.certificate import current
from harness.operations.embedded import processors_apart
from harness.operations.manifest import write_manifests
from harness.operations.measure import measure
from harness.operations.planning import factors, make_plan, sweep_id
from harness.operations.reaching import Reached, check_permitted, reach
from harness.operations.shipped import scenarios_folder
from harness.records import Plan
from harness.records.files import write_json
from harness.scoring.scorecard import SweepScores

CRITERIA = "473-QD-BTTTT-2024"
PORTALS_AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class Night:
    """What one sweep is to do."""

    label: str
    portals: tuple[Portal, ...]
    workload: Workload
    seed: int
    results: Path
    workers: int = 1
    at_once: int = PORTALS_AT_ONCE
    catalog_folder: Path | None = None
    criteria: str = CRITERIA
    back_to_back: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What it led to."""

    folder: SweepFolder
    scores: SweepScores
    counted: dict[str, Any]  # by the portals themselves, where they can be asked


def catalog(extra: Path | None) -> Catalog:
    """The shipped catalog, with the user's own added."""
    return load_catalog(scenarios_folder(), extra)


def portals_of(catalog: Catalog, ids: Sequence[str], set_id: str = "") -> tuple[Portal, ...]:
    """Portals by id, or a set's; UsageError names what is known."""
    if set_id and set_id not in catalog.sets:
        raise UsageError(
            Problem("command line", "--set", set_id, f"one of {', '.join(sorted(catalog.sets))}", "Name a set of the catalog.")
        )
    wanted = [*ids, *(catalog.sets[set_id] if set_id else ())]
    unknown = [name for name in wanted if name not in catalog.portals]
    if unknown:
        raise UsageError(
            *(
                Problem("command line", "PORTAL", name, "the id of a portal in the catalog", f"Nearest known: {_nearest(name, catalog)}.")
                for name in unknown
            )
        )
    if not wanted:
        raise UsageError(Problem("command line", "PORTAL", "none given", "portal ids, or --set", "Name a portal or a set."))
    return tuple(catalog.portals[name] for name in wanted)


def workload_of(catalog: Catalog, name: str) -> Workload:
    """A workload by id; UsageError names what is known."""
    if name not in catalog.workloads:
        known = ", ".join(sorted(catalog.workloads))
        raise UsageError(Problem("command line", "--workload", name, f"one of {known}", "Name a workload of the catalog."))
    return catalog.workloads[name]


def plan_night(night: Night, portals: Reached) -> Plan:
    """The plan of a sweep over portals and the hosts they were found on."""
    sweep = sweep_id(night.label, night.seed)
    number = 2
    while (night.results / sweep).exists():
        sweep, number = f"{sweep_id(night.label, night.seed)}.{number}", number + 1
    return make_plan(
        sweep, portals.measured, night.workload, seed=night.seed, results=night.results / sweep, night=evening(), at_once=night.at_once,
        control=portals.control, back_to_back=night.back_to_back,
        calibration=current(night.results),
    )  # fmt: skip


def spend(night: Night, catalog: Catalog, progress: Callable[[str], None]) -> Outcome:
    """Carry a sweep out, on authorised hosts and the embedded portals, and score it; raises MeasurementError where it did not come to its end.

    What was sealed until then has its manifests and the portals' own counts all the same.
    """
    from harness.operations.assess import assess, criteria_of  # noqa: PLC0415  (pandas and matplotlib: seconds that a refusal need not wait for)

    criteria = criteria_of(catalog, night.criteria)  # first: a wrong name must not cost a night
    generator_cpu, portals_cpu = processors_apart()
    moment = datetime.now(UTC)
    portals = reach(night.portals, catalog, moment, seed=night.seed, cpu=portals_cpu)
    try:
        plan = plan_night(night, portals)
        check_permitted(plan, catalog, moment)
        for note in portals.notes:
            progress(note)
        played = sum(not one.authorisation for one in portals.measured)
        progress(f"{played} embedded portals are up; evidence goes to {plan.results}")
        progress(_announced(night.workload))
        folder = SweepFolder(Path(plan.results))
        try:
            measure(
                plan,
                workers=night.workers,
                processor=generator_cpu if night.workers == 1 else None,
                catalog=night.catalog_folder,
                progress=progress,
            )
        except (MeasurementError, KeyboardInterrupt):
            _close(folder, portals, catalog, night, progress)
            raise
        counted = _close(folder, portals, catalog, night, progress)
    finally:
        portals.stop()
    progress("scoring")
    return Outcome(folder, assess(folder, catalog, criteria), counted)


def _announced(workload: Workload) -> str:
    """The load on each portal, and how many times real usage it is."""
    rates = factors(workload).items()
    raised = {name: "no usage figure" if rate["factor"] is None else f"{rate['factor']:.1f} × usage" for name, rate in rates}
    return "visits a portal: " + ", ".join(f"{name} {rate['planned_per_s']:.2f}/s ({raised[name]})" for name, rate in rates)


def _close(folder: SweepFolder, portals: Reached, catalog: Catalog, night: Night, progress: Callable[[str], None]) -> dict[str, Any]:
    """Ask the portals what they hold, write the manifests of what is sealed, and withdraw what was filed."""
    from harness.operations.dossiers.withdrawal import withdraw  # noqa: PLC0415

    try:
        counted = portals.counts()
        write_json(folder.counted, counted)
        if folder.sealed_rounds():
            write_manifests(folder, read_runs(folder), catalog, {"factors": factors(night.workload), "criteria": night.criteria})
    finally:
        withdraw(folder, catalog, progress)
    return counted


def evening() -> str:
    """The date on which the night began: until noon, yesterday's."""
    return f"{datetime.now() - timedelta(hours=12):%Y-%m-%d}"  # noqa: DTZ005  (the evening where this machine stands)


def _nearest(name: str, catalog: Catalog) -> str:
    return ", ".join(get_close_matches(name, sorted(catalog.portals), n=3, cutoff=0.4)) or "none; `harness validate` lists the catalog"
