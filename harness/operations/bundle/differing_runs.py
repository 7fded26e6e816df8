"""Compares a catalog that came from a bundle, and a run by it, with the evaluator's run. Every difference is named; none is an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from harness.catalog import Catalog
from harness.errors import CatalogError, Problem
from harness.evidence import SweepFolder
from harness.operations.bundle.contents import BUNDLE, LARGEST_FILE, Bundle, sha256_of
from harness.operations.manifest import host_facts
from harness.operations.rules import SweepRules
from harness.records.differing import Differing
from harness.records.files import read_at_most, read_json
from harness.records.plain import read_record
from harness.version import __version__


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """What of a run is compared; None for what is not decided yet."""

    harness: str = __version__
    seed: int | None = None
    workload: str | None = None
    criteria: str | None = None  # ID@VERSION
    origins: Mapping[str, str] = field(default_factory=dict)  # by role
    platform: str | None = None
    machine: Mapping[str, str | int] = field(default_factory=dict)


def bundle_of(catalog: Catalog) -> Bundle | None:
    """The bundle that the caller's own catalog came from; None where it did not. Raises CatalogError where its record is changed."""
    path = catalog.extra_folder / BUNDLE if catalog.extra_folder is not None else None
    if path is None or not path.is_file():
        return None
    try:
        return Bundle.model_validate_json(read_at_most(path, LARGEST_FILE))
    except (OSError, ValidationError) as error:
        said = error.errors(include_url=False)[0]["msg"] if isinstance(error, ValidationError) else str(error.strerror)
        remedy = "Restore it from the bundle, or remove it: then nothing is compared with the evaluator's run."
        raise CatalogError(Problem(str(path), "content", said, "the file as it was in the bundle", remedy)) from error


def catalog_differences(catalog: Catalog) -> tuple[Differing, ...]:
    """What differs before anything is measured: version, files, hosts, machine. Nothing where the catalog came from no bundle."""
    says = bundle_of(catalog)
    if says is None:
        return ()
    portal = catalog.portals.get(_portal_of(says, catalog))
    permission = next((item for item in catalog.authorisations.values() if portal is not None and item.portal == portal.id), None)
    origins = {host.role: host.origin for host in permission.hosts} if permission is not None else {}
    platform = (permission.platform if permission is not None else "") or (portal.platform if portal is not None else "")
    run = ComparedRun(origins=origins, platform=platform, machine=host_facts())
    return tuple(_differences(says, catalog.folders[-1], run, {}))


def run_differences(sweep: SweepFolder, catalog: Catalog) -> tuple[Differing, ...]:
    """What differs of a sweep from the evaluator's run of the bundle's portal; nothing where the catalog came from no bundle.

    The files are those that the sweep's rules name, not those that the folder has by now.
    """
    says = bundle_of(catalog)
    path = sweep.manifest(_portal_of(says, catalog)) if says is not None else None
    if says is None or path is None or not path.is_file():
        return ()
    said = read_json(path)
    criteria = f"{said['criteria']}@{said['criteria_version']}" if said.get("criteria_version") else None
    run = ComparedRun(said["harness"], said["seed"], said["workload"], criteria, said["origins"], said["platform"], said["host"])
    fixed: dict[str, set[str]] = {}
    for each in read_record(SweepRules, sweep.rules).catalog if sweep.rules.is_file() else ():
        fixed.setdefault(each.file, set()).add(each.sha256)
    return tuple(_differences(says, catalog.folders[-1], run, fixed))


def _portal_of(says: Bundle, catalog: Catalog) -> str:
    """The portal of one's own that the bundle is about: by its id, or the one that the catalog has a permission for."""
    known = catalog.authorised_portals
    return says.portal.id if says.portal.id in known or not known else min(known)


def _differences(says: Bundle, folder: Path, run: ComparedRun, fixed: Mapping[str, set[str]]) -> Iterator[Differing]:
    yield from _of_run(says, run)
    yield from _of_files(says, folder, fixed)
    yield from _of_hosts(says, run)
    yield from _of_machine(says, run)


def _of_run(says: Bundle, run: ComparedRun) -> Iterator[Differing]:
    pairs = (
        ("harness", says.harness, run.harness), ("platform", says.portal.platform, run.platform), ("workload", says.workload, run.workload),
        ("criteria", says.criteria, run.criteria), ("seed", says.seed, run.seed),
    )  # fmt: skip
    for kind, evaluators, yours in pairs:
        if yours not in (None, evaluators):
            yield Differing(kind, "", str(evaluators), str(yours))  # type: ignore[arg-type]


def _of_files(says: Bundle, folder: Path, fixed: Mapping[str, set[str]]) -> Iterator[Differing]:
    """Files that are not as the bundle has them. ``fixed``: the digests of a sweep's rules, by name; a name that is missing there is read."""
    listed = {each.file: each.sha256 for each in says.files}
    for name, digest in listed.items():
        held = fixed.get(name) or {sha256_of((folder / name).read_bytes()) if (folder / name).is_file() else "none"}
        if digest not in held:
            yield Differing("file", name, digest, ", ".join(sorted(held)))
    for path in sorted((folder / "walls").glob("*.y*ml")):
        if (name := f"walls/{path.name}") not in listed:
            yield Differing("file", name, "none", sha256_of(path.read_bytes()))
    if (code := folder / "platforms" / "_functions.py").is_file():
        yield Differing("functions", "platforms/_functions.py", "none", sha256_of(code.read_bytes()))


def _of_hosts(says: Bundle, run: ComparedRun) -> Iterator[Differing]:
    for role in dict.fromkeys([*says.portal.origins, *run.origins]):
        evaluators, yours = says.portal.origins.get(role, "none"), run.origins.get(role, "none")
        if evaluators != yours and run.origins:
            yield Differing("address", role, evaluators, yours)


def _of_machine(says: Bundle, run: ComparedRun) -> Iterator[Differing]:
    for name, evaluators in says.machine.items():
        if name in run.machine and run.machine[name] != evaluators:
            yield Differing("machine", name, str(evaluators), str(run.machine[name]))
