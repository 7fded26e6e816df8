"""Finds all problems of a catalog at once, including the templates of its profiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.catalog import Catalog, read_catalog
from harness.errors import CatalogError, HarnessError, Problem, UsageError
from harness.operations.journeys import journeys_of_folder, require_walked
from harness.profiles import CompiledPlatform, compile_platform, load_functions
from harness.profiles.template import Function
from harness.visits import synthetic_person


def validate_catalog(folder: Path, extra: Path | None = None) -> tuple[Catalog, list[Problem]]:
    """The readable part of the catalog, and its problems in order of files and lines; no problems: it is valid."""
    catalog, problems = read_catalog(folder, extra)
    functions: dict[str, Function] | None = None
    try:
        functions = load_functions(*catalog.folders)
    except CatalogError as error:
        problems.extend(_as_problems(error))
    compiled: dict[str, CompiledPlatform] = {}
    for name, platform in catalog.platforms.items():
        try:
            compiled[name] = compile_platform(platform, functions)
        except CatalogError as error:
            problems.extend(_as_problems(error))
    problems.extend(_undeclared_secrets(catalog, compiled))
    problems.extend(_unknown_values(catalog, compiled))
    walked = journeys_of_folder(folder)
    for workload in catalog.workloads.values():
        try:
            require_walked(
                workload.journeys, walked, workload=workload.id, remedy=f"Mend the name, or write its class into a file of {folder}."
            )
        except UsageError as error:
            problems.extend(_as_problems(error))
    unique = dict.fromkeys(problems)
    return catalog, sorted(unique, key=lambda problem: (problem.file, problem.line, problem.key))


def _undeclared_secrets(catalog: Catalog, compiled: Mapping[str, CompiledPlatform]) -> Iterator[Problem]:
    """A secret that a profile uses must be declared by each authorisation for it; whether it can be read is asked before a run."""
    for item in catalog.authorisations.values():
        portal = catalog.portals.get(item.portal)
        platform = compiled.get(item.platform or (portal.platform if portal is not None else ""))
        if platform is None:
            continue
        for name in sorted(platform.needs.secrets - item.secrets.keys()):
            expected = f"`env:NAME` or `file:PATH`, since platform {platform.id} uses secret('{name}')"
            yield Problem(
                f"authorisations/ ({item.id})", f"secrets.{name}", "missing", expected, "Add it to `secrets` of the authorisation."
            )


def _unknown_values(catalog: Catalog, compiled: Mapping[str, CompiledPlatform]) -> Iterator[Problem]:
    """A value of a person that is neither synthetic nor may be a column of somebody's test identities."""
    known = synthetic_person(1, "", 0).values.keys()
    people = any(item.test_identities is not None for item in catalog.authorisations.values())
    for name, platform in compiled.items():
        for key in sorted(platform.needs.of_person - known) if not people else ():
            remedy = "Mend the name, or add test identities with this column to the authorisation."
            yield Problem(
                catalog.platforms[name].place(())[0], f"person.{key}", "a name that nothing gives", f"one of {', '.join(known)}", remedy
            )


def _as_problems(error: HarnessError) -> list[Problem]:
    return [
        item if isinstance(item, Problem) else Problem("catalog", "file", item, "a sound catalog", "Mend it.") for item in error.problems
    ]
