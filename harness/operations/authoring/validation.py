"""Finds all problems of a catalog at once, including the templates of its profiles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from harness.catalog import Catalog, read_catalog
from harness.catalog.authorisation import Authorisation
from harness.catalog.profile import ITEMS
from harness.catalog.reading import read_document
from harness.catalog.target import identities_of
from harness.errors import CatalogError, EnvironmentFault, HarnessError, Problem, UsageError, did_you_mean
from harness.operations.journeys import journeys_of_folder, require_walked
from harness.operations.provisions import unfit_identities
from harness.profiles import CompiledPlatform, compile_platform, load_functions
from harness.profiles.template import Function


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
    problems.extend(_unwalked(catalog, walked))
    unique = dict.fromkeys(problems)
    return catalog, sorted(unique, key=lambda problem: (problem.file, problem.line, problem.key))


def _unwalked(catalog: Catalog, walked: Collection[str]) -> Iterator[Problem]:
    """Journeys that an authorisation names and nobody walks: a misspelt one would be left out."""
    for path in catalog.files:
        document = read_document(path, []) if path.parent.name == "authorisations" else None
        item = (
            catalog.authorisations.get(str(document.data.get("id"))) if document is not None and isinstance(document.data, dict) else None
        )
        if document is not None and item is not None:
            for number, name in enumerate(item.journeys or ()):
                if name not in walked:
                    expected = f"a journey of the scenarios: {', '.join(sorted(walked))}"
                    yield document.problem(
                        ("journeys", number), repr(name), expected, f"{did_you_mean(name, walked)}Mend the name, or write its class."
                    )


def _undeclared_secrets(catalog: Catalog, compiled: Mapping[str, CompiledPlatform]) -> Iterator[Problem]:
    """A secret that a profile uses must be declared by each authorisation for it; whether it can be read is asked before a run."""
    for platform in compiled.values():
        for item in _authorisations_for(catalog, platform.id):
            for name in sorted(platform.needs.secrets - item.secrets.keys()):
                expected = f"`env:NAME` or `file:PATH`, since platform {platform.id} uses secret('{name}')"
                yield Problem(
                    f"authorisations/ ({item.id})", f"secrets.{name}", "missing", expected, "Add it to `secrets` of the authorisation."
                )


def _unknown_values(catalog: Catalog, compiled: Mapping[str, CompiledPlatform]) -> Iterator[Problem]:
    """Values of a person that are neither synthetic nor a column of the test identities, and identities that do not fit.

    Identities that cannot be read here may have any column; they are asked for before a run.
    """
    known = ITEMS["person"]
    for name, platform in compiled.items():
        columns: list[frozenset[str] | None] = []
        for item in _authorisations_for(catalog, name):
            try:
                identities = identities_of(item)
            except EnvironmentFault as fault:
                yield from (problem for problem in fault.problems if isinstance(problem, Problem) and problem.key != "test_identities")
                columns.append(None)
                continue
            columns.append(frozenset(*identities[:1]))
            yield from unfit_identities(platform, identities, item.id)
        for key, (file, line) in platform.needs.of_person.items():
            if key not in known and not any(each is None or key in each for each in columns):
                names = sorted(known.union(*filter(None, columns)))
                remedy = f"{did_you_mean(key, names)}Mend the name, or add test identities with this column to the authorisation."
                expected = f"one of {', '.join(names)}"
                yield Problem(file, f"person.{key}", "a name that nothing gives", expected, remedy, line)


def _authorisations_for(catalog: Catalog, platform: str) -> Iterator[Authorisation]:
    for item in catalog.authorisations.values():
        portal = catalog.portals.get(item.portal)
        if platform == (item.platform or (portal.platform if portal is not None else "")):
            yield item


def _as_problems(error: HarnessError) -> list[Problem]:
    return [
        item if isinstance(item, Problem) else Problem("catalog", "file", item, "a sound catalog", "Mend it.") for item in error.problems
    ]
