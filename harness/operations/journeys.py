"""Whether the journeys of a workload or a plan have classes that walk them, asked before anything is sent."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from harness.catalog.text_file import required_text
from harness.errors import Problem, UsageError
from harness.records import Plan

_BASE = "Citizen"


def journeys_of_folder(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """The journeys that the scenario files of a folder walk, each with its goals.

    The files are read without importing them: an import would start Locust's machinery.
    """
    bases: dict[str, tuple[str, ...]] = {}
    goals: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.py")):
        for node in ast.parse(scenario_source(path), str(path)).body:
            if isinstance(node, ast.ClassDef):
                bases[node.name] = tuple(_names(node.bases))
                goals[node.name] = next((found for each in node.body if (found := _goals(each)) is not None), ())
    citizens = [name for name in bases if _is_citizen(name, bases)]
    return {name.lower(): goals[name] or next((goals[base] for base in bases[name] if base in goals), ()) for name in citizens}


def scenario_source(path: Path) -> str:
    """The text of a scenario file; UsageError where it cannot be read."""
    return required_text(path, "a scenario in Python")


def _goals(statement: ast.stmt) -> tuple[str, ...] | None:
    """The value of ``goals = (…)`` in a class."""
    if isinstance(statement, ast.Assign) and [ast.unparse(target) for target in statement.targets] == ["goals"]:
        return tuple(ast.literal_eval(statement.value))
    return None


def journeys_of_plan(plan: Plan) -> frozenset[str]:
    """The journeys that a plan lets citizens walk."""
    return frozenset(journey for round_ in plan.rounds for slot in round_.slots for window in slot.windows for journey in window.journeys)


def require_walked(wanted: Iterable[str], walked: Collection[str], *, workload: str, remedy: str) -> None:
    """Raise UsageError with every journey that nobody walks."""
    lacking = sorted(set(wanted) - set(walked))
    if lacking:
        expected = f"journeys that a loaded class walks: {', '.join(sorted(walked)) or 'there is none'}"
        raise UsageError(Problem(f"workload {workload}", "journeys", f"{', '.join(lacking)}, which nobody walks", expected, remedy))


def _names(bases: Iterable[ast.expr]) -> Iterator[str]:
    for base in bases:
        if isinstance(base, ast.Name | ast.Attribute):
            yield base.id if isinstance(base, ast.Name) else base.attr


def _is_citizen(name: str, bases: dict[str, tuple[str, ...]]) -> bool:
    return any(base == _BASE or (base != name and _is_citizen(base, bases)) for base in bases.get(name, ()))
