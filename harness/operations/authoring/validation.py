"""Finds all problems of a catalog at once, including the templates of its profiles."""

from __future__ import annotations

from pathlib import Path

from harness.catalog import Catalog, read_catalog
from harness.errors import CatalogError, Problem
from harness.profiles import compile_platform, load_functions
from harness.profiles.template import Function


def validate_catalog(folder: Path, extra: Path | None = None) -> tuple[Catalog, list[Problem]]:
    """The readable part of the catalog, and its problems in order of files and lines; no problems: it is valid."""
    catalog, problems = read_catalog(folder, extra)
    functions: dict[str, Function] | None = None
    try:
        functions = load_functions(*catalog.folders)
    except CatalogError as error:
        problems.extend(_as_problems(error))
    for platform in catalog.platforms.values():
        try:
            compile_platform(platform, functions)
        except CatalogError as error:
            problems.extend(_as_problems(error))
    unique = dict.fromkeys(problems)
    return catalog, sorted(unique, key=lambda problem: (problem.file, problem.line, problem.key))


def _as_problems(error: CatalogError) -> list[Problem]:
    return [
        item if isinstance(item, Problem) else Problem("catalog", "file", item, "a sound catalog", "Mend it.") for item in error.problems
    ]
