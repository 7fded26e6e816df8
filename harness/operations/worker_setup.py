"""What the processes of a fleet are compared by: versions, code, scenarios, and what the catalog says about walks.

Portals' names, workloads and criteria are left out: the plan brings what a worker needs of them. Values of secrets and tables of test
identities stay on their machine; nothing is derived from them.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from importlib import metadata
from pathlib import Path

from harness.catalog import Catalog
from harness.catalog.gate import refusal
from harness.errors import HarnessError, Problem
from harness.load.clock_offset import machine_boot
from harness.operations.portal_hosts import target_of_planned
from harness.operations.provisions import missing_values
from harness.profiles import CompiledPlatform
from harness.records import PlannedTarget
from harness.records.files import digest
from harness.records.fleet_messages import WorkerSetup
from harness.version import __version__

LOCAL = {"secrets", "test_identities"}
"""Keys of an authorisation that point to what a machine keeps for itself. Of the secrets their names are compared."""


def worker_setup(catalog: Catalog, scenarios: Iterable[str]) -> WorkerSetup:
    """The setup of this process; ``scenarios`` are the files that Locust loaded."""
    return WorkerSetup(
        __version__,
        metadata.version("locust"),
        ".".join(platform.python_version_tuple()[:2]),
        {"code of harness": _code(), **dict(_scenarios(scenarios)), **dict(_of_catalog(catalog))},
        f"{machine_boot()} {Path('/proc/self/ns/net').readlink()}",
    )


def lacking(
    catalog: Catalog, platforms: Mapping[str, CompiledPlatform], targets: Sequence[PlannedTarget], moment: datetime | None = None
) -> tuple[str, ...]:
    """What this machine lacks for some portals, in words: values of secrets, addresses that requests may come from.

    An authorisation whose days or hours do not include ``moment`` (aware; None: now) is not looked at: its hours may begin later this night.
    """
    problems: list[Problem | str] = []
    for planned in targets:
        permission = catalog.authorisations.get(planned.authorisation)
        if permission is None or refusal(permission, moment or datetime.now(UTC)) is not None:
            continue
        try:
            problems += missing_values(platforms[planned.platform], target_of_planned(catalog, planned))
        except HarnessError as error:
            problems += error.problems
    return tuple(dict.fromkeys(map(str, problems)))


def _code() -> str:
    """SHA-256 over all modules but the simulator's: two checkouts of one version may differ."""
    folder, found = Path(__file__).parents[1], sha256()
    for path in sorted(folder.rglob("*.py")):
        if (name := path.relative_to(folder)).parts[0] not in ("simulator", "_shipped"):
            found.update(f"{name.as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def _scenarios(files: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Digests by name, also of modules beside the files, which begin with an underscore and which scenarios may import."""
    paths = [Path(file) for file in files]
    beside = {other for folder in {path.parent for path in paths} for other in folder.glob("_*.py")}
    for path in {*paths, *beside}:
        if path.is_file():
            yield f"scenario {path.name}", digest(path)


def _of_catalog(catalog: Catalog) -> Iterator[tuple[str, str]]:
    for name, profile in catalog.platforms.items():
        yield f"platform {name}", _sha256(profile.model_dump())
    for name, permission in catalog.authorisations.items():
        yield f"authorisation {name}", _sha256([permission.model_dump(exclude=LOCAL), sorted(permission.secrets)])
    yield "portals", _sha256([(each.id, each.platform, each.embedded_platform) for each in catalog.portals.values()])
    for number, folder in enumerate(catalog.folders):
        where = "" if number == 0 else " of --catalog"
        walls = [path for path in catalog.files if path.parent == folder / "walls"]
        beside = [path for path in (folder / "platforms").rglob("*") if path.is_file() and path not in catalog.files]
        for path in (*walls, *(path for path in beside if "__pycache__" not in path.parts)):  # functions, pools, attachments
            yield f"{path.relative_to(folder).as_posix()}{where}", digest(path)


def _sha256(facts: object) -> str:
    return sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False, default=_plain).encode()).hexdigest()


def _plain(value: object) -> object:
    """A value as text; a set is sorted, because its order differs in each process."""
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)
