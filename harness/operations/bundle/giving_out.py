"""Writes a bundle: what an evaluator gives out, so that others can measure a portal by the same profile, workload and criteria."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from harness.catalog import Catalog, Portal
from harness.catalog.workload import Workload
from harness.errors import CatalogError, Problem, UsageError
from harness.evidence import SweepFolder
from harness.operations.bundle.contents import (
    BUNDLE,
    BUNDLE_SIGNATURE,
    LARGEST_FILE,
    Bundle,
    BundledFile,
    BundledPortal,
    may_hold,
    sha256_of,
)
from harness.operations.manifest import host_facts
from harness.operations.rules import SweepRules
from harness.operations.selection import select_criteria
from harness.operations.shipped import scenarios_folder
from harness.operations.signing import public_text, usual_key
from harness.profiles import compile_platform, load_functions
from harness.records import read_plan
from harness.records.files import json_bytes, read_at_most, read_json, write_output
from harness.records.plain import read_record
from harness.version import __version__

_CHANGED = "Give --catalog the folder that the sweep was measured with, as it was then."


def give_out(out: Path, catalog: Catalog, portal: Portal, workload: str, criteria: str, *, seed: int, sweep: SweepFolder | None) -> Bundle:
    """Write a TAR file with the profile, workload and criteria set of a portal. It is signed where the environment names a key.

    ``sweep``: the evaluator's run of it: its seed, workload, criteria set, version and machine count, and its files must be those of
    the catalog. Raises UsageError, also for a profile that needs functions of one's own: code is never given out.
    """
    if out.suffix != ".tar" or out.exists():
        found = f"{out}, there already" if out.exists() else str(out)
        raise UsageError(Problem("command line", "--out", found, "a new file that ends in .tar", "Name such a file."))
    platform = _platform_of(catalog, portal)
    _require_no_code(catalog, platform)
    version, machine, origins = __version__, host_facts(), _origins(catalog, portal)
    if sweep is not None:
        plan, manifest = read_plan(sweep.plan), read_json(sweep.manifest(portal.id))
        workload, criteria, seed = plan.workload, f"{manifest['criteria']}@{manifest['criteria_version']}", plan.seed
        version, machine, origins = manifest["harness"], manifest["host"], manifest["origins"]
    chosen = select_criteria(catalog, criteria)
    paths = {f"{path.parent.name}/{path.name}": path for path in _files(catalog, platform, catalog.workloads[workload], chosen.named)}
    contents = {name: read_at_most(path, LARGEST_FILE) for name, path in sorted(paths.items())}
    if strange := [name for name in contents if not may_hold(name)]:
        expected = "names of letters, digits, hyphens and dots that end in .yaml, .yml or .csv"
        raise UsageError(Problem(str(paths[strange[0]]), "file", strange[0], expected, "Rename the file."))
    if sweep is not None:
        _require_measured(sweep, contents)
    key = usual_key()
    made = Bundle(
        harness=version, workload=workload, criteria=chosen.named, seed=seed, sweep="" if sweep is None else sweep.path.name, machine=machine,
        portal=BundledPortal(id=portal.id, name_vi=portal.name_vi, name_en=portal.name_en, level=portal.level, platform=platform, origins=origins),
        files=tuple(BundledFile(file=name, sha256=sha256_of(content)) for name, content in contents.items()),
        key="" if key is None else public_text(key.public_key()),
    )  # fmt: skip
    described = json_bytes(made.model_dump(mode="json", by_alias=True))
    signature = {BUNDLE_SIGNATURE: key.sign(described)} if key is not None else {}
    write_output(out, _tar({BUNDLE: described, **signature, **contents}))
    return made


def _platform_of(catalog: Catalog, portal: Portal) -> str:
    """The profile by which a portal is walked: its authorisation's, its own, or that of the embedded one."""
    named = [item.platform for item in catalog.authorisations.values() if item.portal == portal.id and item.platform]
    real = portal.platform if portal.id in catalog.authorised_portals else portal.embedded_platform
    return named[0] if named else real


def _origins(catalog: Catalog, portal: Portal) -> dict[str, str]:
    """The hosts that the evaluator's authorisation names, by role; none for an embedded portal."""
    of_portal = (item for item in catalog.authorisations.values() if item.portal == portal.id)
    return {host.role: host.origin for item in of_portal for host in item.hosts}


def _require_no_code(catalog: Catalog, platform: str) -> None:
    own = [folder for folder in catalog.folders[1:] if (folder / "platforms" / "_functions.py").is_file()]
    try:
        compile_platform(catalog.platforms[platform], load_functions(scenarios_folder()))
    except CatalogError as error:
        if not own:
            raise
        path = own[0] / "platforms" / "_functions.py"
        expected = "a profile that needs only the functions of the harness: code is never given out"
        raise UsageError(Problem(str(path), "functions", f"needed by {platform} ({error})", expected, "Write it without them.")) from error


def _files(catalog: Catalog, platform: str, workload: Workload, criteria: str) -> Iterator[Path]:
    """The files of the catalog that decide how the portal is walked, loaded and scored."""
    profile = Path(catalog.platforms[platform].place(())[0])
    yield profile
    yield from (profile.parent / pool.file for pool in catalog.platforms[platform].pools.values())
    wanted = {"workloads": workload.id, "criteria": criteria, "walls": ""}
    for folder in catalog.folders:
        for path in (each for each in catalog.files if each.parent.parent == folder and each.parent.name in wanted):
            data = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
            named = f"{data['id']}@{data['version']}" if path.parent.name == "criteria" else str(data["id"])
            if wanted[path.parent.name] in ("", named):
                yield path


def _require_measured(sweep: SweepFolder, contents: dict[str, bytes]) -> None:
    """Raise UsageError where a file is not as it was in the sweep's rules; tables of a profile stand in no rules."""
    fixed = {each.file: each.sha256 for each in read_record(SweepRules, sweep.rules).catalog}
    changed = [name for name, content in contents.items() if not name.endswith(".csv") and fixed.get(name) != sha256_of(content)]
    if changed:
        raise UsageError(
            *(
                Problem(name, "sha256", sha256_of(contents[name]), fixed.get(name, "no such file in the sweep"), _CHANGED)
                for name in changed
            )
        )


def _tar(contents: dict[str, bytes]) -> bytes:
    """A TAR file that is the same for the same contents."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))
    return target.getvalue()
