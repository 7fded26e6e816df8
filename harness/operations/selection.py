"""Portals, workloads and criteria sets by the names that a command was given; UsageError says which names are known."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from harness.catalog import Catalog, Portal
from harness.catalog.criteria_set import CriteriaSet, read_criteria
from harness.catalog.workload import Workload
from harness.errors import Problem, UsageError, did_you_mean

Item = TypeVar("Item")


def select_portals(catalog: Catalog, ids: Sequence[str], set_id: str = "") -> tuple[Portal, ...]:
    """Portals by id, then those of a set."""
    wanted = [*ids, *(_select(catalog.sets, set_id, "--set", "a set") if set_id else ())]
    unknown = [name for name in wanted if name not in catalog.portals]
    if unknown:
        raise UsageError(
            *(
                Problem(
                    "command line",
                    "PORTAL",
                    name,
                    "the id of a portal in the catalog",
                    f"{did_you_mean(name, catalog.portals)}`harness validate` checks the catalog.",
                )
                for name in unknown
            )
        )
    if not wanted:
        raise UsageError(Problem("command line", "PORTAL", "none given", "portal ids, or --set", "Name a portal or a set."))
    return tuple(catalog.portals[name] for name in wanted)


def require_portals_of_sweep(portals: Sequence[str], known: Collection[str]) -> None:
    """Raise UsageError for each portal, named by ``--portal``, that is not among the ``known`` ones of a sweep."""
    unknown = [portal for portal in portals if portal not in known]
    if unknown:
        expected, remedy = f"one of {', '.join(known)}", "Name a portal of this sweep."
        raise UsageError(*(Problem("command line", "--portal", each, expected, f"{did_you_mean(each, known)}{remedy}") for each in unknown))


def select_workload(catalog: Catalog, name: str) -> Workload:
    """A workload by id, with windows as long as they are sent."""
    return _select(catalog.workloads, name, "--workload", "a workload").spread_out()


def select_criteria(catalog: Catalog, name: str) -> CriteriaSet:
    """A criteria set by id (its newest version), by ID@VERSION, or from a file."""
    if name not in catalog.criteria and Path(name).is_file():
        return read_criteria(Path(name))
    return _select(catalog.criteria, name, "--criteria", "a set", or_else=", or a YAML file", remedy="Name a set of the catalog or a file.")


def _select(items: Mapping[str, Item], name: str, option: str, what: str, *, or_else: str = "", remedy: str = "") -> Item:
    if name not in items:
        expected = f"one of {', '.join(sorted(items))}{or_else}"
        raise UsageError(
            Problem("command line", option, name, expected, did_you_mean(name, items) + (remedy or f"Name {what} of the catalog."))
        )
    return items[name]
