"""The whole catalog: every file is read and checked, and then the references between files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Generic, TypeVar

from pydantic import BaseModel

from harness.catalog.authorisation import Authorisation
from harness.catalog.criteria_set import CriteriaSet
from harness.catalog.least_drain import least_drain
from harness.catalog.platform import Platform, WallFile
from harness.catalog.portal import Portal, PortalFile, PortalSet
from harness.catalog.reading import LARGEST_BYTES, Document, Key, check, read_document
from harness.catalog.workload import Workload
from harness.errors import CatalogError, Problem, did_you_mean
from harness.records.files import read_at_most

Item = TypeVar("Item", bound=BaseModel)
_READ = (".yaml", ".yml")
_LIKE_YAML = re.compile(r"\.ya?ml(\.txt)?$", re.IGNORECASE)  # Windows hides the .txt of an editor
KINDS = ("portals", "platforms", "walls", "workloads", "criteria", "authorisations")


@dataclass(frozen=True, slots=True)
class Catalog:
    """Portals, sets, platforms, workloads, criteria sets and authorisations, by id; checked against each other."""

    portals: Mapping[str, Portal]
    sets: Mapping[str, tuple[str, ...]]  # a set's portals, in order
    platforms: Mapping[str, Platform]
    workloads: Mapping[str, Workload]
    criteria: Mapping[str, CriteriaSet]  # each version as ID@VERSION, and the newest one as ID
    authorisations: Mapping[str, Authorisation]
    folders: tuple[Path, ...]  # all folders read, the shipped one first
    files: tuple[Path, ...]  # all files read, in order; the catalog's digest covers them

    @property
    def extra_folder(self) -> Path | None:
        """The user's own folder, if one was read beside the shipped one."""
        return self.folders[1] if len(self.folders) > 1 else None

    @property
    def authorised_portals(self) -> frozenset[str]:
        """Portals that an authorisation names, valid now or not; the simulator never plays them."""
        return frozenset(item.portal for item in self.authorisations.values())


@dataclass
class _Found(Generic[Item]):
    """Items of one kind, and the document and key each came from."""

    items: dict[str, Item] = field(default_factory=dict)
    places: dict[str, tuple[Document, Key]] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()  # ids in files that have problems of their own

    def knows(self, name: str) -> bool:
        """Whether an item has this id, or would have it once its file is mended: one mistake gives one problem."""
        return name in self.items or name in self.unread

    def by_id(self) -> Mapping[str, Item]:
        return MappingProxyType(dict(sorted(self.items.items())))


def load_catalog(folder: Path, extra: Path | None = None) -> Catalog:
    """The catalog of ``folder``, with that of ``extra`` added; an id of ``extra`` replaces the same id of ``folder``.

    Raises CatalogError with every problem of every file.
    """
    catalog, problems = read_catalog(folder, extra)
    if problems:
        raise CatalogError(*problems)
    return catalog


def read_catalog(folder: Path, extra: Path | None = None) -> tuple[Catalog, list[Problem]]:
    """The readable part of a catalog, and every problem of every file."""
    problems: list[Problem] = []
    folders = (folder,) if extra is None else (folder, extra)
    for each in folders:
        if not each.is_dir():
            problems.append(Problem(str(each), "folder", "not there", "a catalog folder", "Check the path given with --catalog."))
        elif not any((each / kind).is_dir() for kind in KINDS):
            expected = "a folder with " + ", ".join(f"{kind}/" for kind in KINDS)
            problems.append(Problem(str(each), "folder", "none of them", expected, "Point --catalog at the folder above them."))
    problems.extend(problem for each in folders if each.is_dir() for problem in _overlooked(each))
    reader = _Reader(folders, problems)
    portals, sets = reader.portals()
    platforms = reader.each("platforms", Platform)
    workloads = reader.each("workloads", Workload)
    criteria = reader.each("criteria", CriteriaSet)
    authorisations = reader.each("authorisations", Authorisation)
    walls = [wall for file in reader.each("walls", WallFile).by_id().values() for wall in file.walls]
    for name, item in platforms.items.items():
        item.came_from(platforms.places[name][0], walls)
    _check_references(portals, sets, platforms, authorisations, problems)
    _check_drains(workloads, platforms.items.values(), problems)
    catalog = Catalog(
        _with_membership(portals.by_id(), sets.by_id()),
        MappingProxyType({name: item.portals for name, item in sets.by_id().items()}),
        platforms.by_id(),
        workloads.by_id(),
        _with_newest(criteria, folders),
        authorisations.by_id(),
        folders,
        tuple(reader.files),
    )
    return catalog, problems


def _overlooked(folder: Path) -> Iterator[Problem]:
    """Files that look like parts of a catalog and would not be read: by their place, or by the end of their names."""
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        meant = get_close_matches(inner.name.lower(), KINDS, n=1, cutoff=0.85)
        if inner.name not in KINDS and meant and _yaml_below(inner):
            yield Problem(str(inner), "folder", "a name that no kind has", f"{meant[0]}/", "Rename the folder.")
    for kind in KINDS:
        for path in sorted((folder / kind).iterdir()) if (folder / kind).is_dir() else ():
            if path.is_dir() and path.suffix not in _READ and path.name[0] not in "._" and _yaml_below(path):
                expected = f"all files in {kind}/ itself"
                yield Problem(str(path), "folder", "a folder with YAML files", expected, "Move them up, or out of the catalog.")
            elif path.is_file() and path.suffix not in _READ and _LIKE_YAML.search(path.name):
                yield Problem(
                    str(path), "file", f"named {path.name}", "a name that ends in .yaml or .yml", "Rename the file, or remove it."
                )


def _yaml_below(folder: Path) -> bool:
    return any(path.suffix.lower() in _READ for path in folder.rglob("*"))


class _Reader:
    """Reads the files of each kind from all folders; adds to ``problems``."""

    def __init__(self, folders: Sequence[Path], problems: list[Problem]) -> None:
        self.folders = folders
        self.problems = problems
        self.files: list[Path] = []
        self.unread: set[str] = set()

    def each(self, kind: str, model: type[Item]) -> _Found[Item]:
        """One item a file, by its id; a criteria set by ID@VERSION."""
        found = _Found[Item]()
        for folder, document in self._documents(kind):
            item = check(document, document.data, (), model, self.problems)
            if item is None:
                self._unread(Path(document.file))
            else:
                name = item.named if isinstance(item, CriteriaSet) else str(item.id)  # type: ignore[attr-defined]
                self._add(found, name, item, folder, (document, ("id",)))
        found.unread = frozenset(self.unread)
        return found

    def portals(self) -> tuple[_Found[Portal], _Found[PortalSet]]:
        """Portals and sets: many of both in a file."""
        portals, sets = _Found[Portal](), _Found[PortalSet]()
        for folder, document in self._documents("portals"):
            item = check(document, document.data, (), PortalFile, self.problems)
            if item is None:
                self._unread(Path(document.file))
                continue
            for index, portal in enumerate(item.portals):
                self._add(portals, portal.id, portal, folder, (document, ("portals", index, "id")))
            for name, members in item.sets.items():
                self._add(sets, name, members, folder, (document, ("sets", name)))
        portals.unread = frozenset(self.unread)
        return portals, sets

    def _unread(self, path: Path) -> None:
        """Remember the ids that stand in a file with problems, as far as they can be told."""
        with suppress(OSError):
            text = read_at_most(path, LARGEST_BYTES).decode("utf-8", "replace")
            self.unread.update(re.findall(r"^[ -]*id: *[\"']?([^\s\"']+)", text, re.MULTILINE))

    def _documents(self, kind: str) -> Iterator[tuple[Path, Document]]:
        for folder in self.folders:
            for path in sorted([*(folder / kind).glob("*.yaml"), *(folder / kind).glob("*.yml")]):
                self.files.append(path)
                document = read_document(path, self.problems)
                if document is None:
                    self._unread(path)
                else:
                    yield folder, document

    def _add(self, found: _Found[Item], name: str, item: Item, folder: Path, place: tuple[Document, Key]) -> None:
        document, key = place
        if name in found.items and found.folders[name] == folder:
            other, where = found.places[name]
            remedy = f"It is taken at {other.file}:{other.line(where)}; rename one of the two."
            self.problems.append(document.problem(key, repr(name), "an id that nothing else has", remedy))
            return
        found.items[name], found.places[name], found.folders[name] = item, place, folder


def _check_references(
    portals: _Found[Portal],
    sets: _Found[PortalSet],
    platforms: _Found[Platform],
    authorisations: _Found[Authorisation],
    problems: list[Problem],
) -> None:
    known = ", ".join(sorted(platforms.items)) or "none"
    for name, portal in portals.items.items():
        document, key = portals.places[name]
        if not platforms.knows(portal.embedded_platform):
            place, shown = (*key[:-1], "embedded_platform"), repr(portal.embedded_platform)
            remedy = f"{did_you_mean(portal.embedded_platform, platforms.items)}Add the profile or mend the name."
            problems.append(document.problem(place, shown, f"a platform: {known}", remedy, name=f"{name}.embedded_platform"))
    for name, item in sets.items.items():
        for group, members in enumerate(item.members):
            for index, member in enumerate(members.portals):
                if not portals.knows(member):
                    at = ("sets", name, "members", group, "portals", index)
                    remedy = f"{did_you_mean(member, portals.items)}Add the portal or mend the id."
                    problems.append(sets.places[name][0].problem(at, repr(member), "the id of a portal", remedy, name=f"sets.{name}"))
    for name, permission in authorisations.items.items():
        _check_authorisation(permission, authorisations.places[name][0], portals, platforms, problems)


def _check_drains(workloads: _Found[Workload], platforms: Iterable[Platform], problems: list[Problem]) -> None:
    """A drain that is too short cuts off visits whose portal is not to blame."""
    for name, item in workloads.items.items():
        needed_s, words = least_drain(item, platforms)
        if item.drain_s < needed_s:
            document, _ = workloads.places[name]
            expected = f"at least {needed_s:g}: {words}"
            remedy = "Raise drain_s, or lower patience_s, timeout_s or the longest think times."
            problems.append(Problem(document.file, "drain_s", f"{item.drain_s:g}", expected, remedy, document.line(("drain_s",))))


def _check_authorisation(
    item: Authorisation, document: Document, portals: _Found[Portal], platforms: _Found[Platform], problems: list[Problem]
) -> None:
    portal = portals.items.get(item.portal)
    if portal is None:
        if portals.knows(item.portal):
            return
        remedy = f"{did_you_mean(item.portal, portals.items)}Add the portal or mend the id."
        problems.append(document.problem(("portal",), repr(item.portal), "the id of a portal", remedy))
        return
    name = item.platform or portal.platform
    platform = platforms.items.get(name)
    if platform is None:
        if platforms.knows(name):
            return
        expected = f"a platform with a profile: {', '.join(sorted(platforms.items))}"
        remedy = f"{did_you_mean(name, platforms.items)}Name the platform that the portal runs on, or write its profile."
        problems.append(document.problem(("platform",), repr(name), expected, remedy))
        return
    needed = [role for role in platform.origins if role != "payment" or item.payment_sandbox is not None]  # without one nothing is paid
    missing = set(needed) - {host.role for host in item.hosts}
    if missing:
        expected = f"a host for each role of platform {name}: {', '.join(needed)}"
        value = "without " + ", ".join(sorted(missing))
        problems.append(document.problem(("hosts",), value, expected, "Add the host, with the owner's permission."))


def _with_newest(found: _Found[CriteriaSet], folders: Sequence[Path]) -> Mapping[str, CriteriaSet]:
    """Every version as ID@VERSION; as ID the newest one of the last folder that has the set."""
    versions = found.by_id()
    newest: dict[str, str] = {}
    for name in sorted(versions, key=lambda name: (folders.index(found.folders[name]), versions[name].version_numbers)):
        newest[versions[name].id] = name
    return MappingProxyType(dict(versions) | {id_: versions[name] for id_, name in newest.items()})


def _with_membership(portals: Mapping[str, Portal], sets: Mapping[str, PortalSet]) -> Mapping[str, Portal]:
    reasons: dict[str, list[str]] = {}
    for name, item in sets.items():
        for group in item.members:
            for portal in group.portals:
                reasons.setdefault(portal, []).append(f"{name}: {group.basis}")
    return MappingProxyType(
        {name: portal.model_copy(update={"membership_basis": "; ".join(reasons.get(name, ()))}) for name, portal in portals.items()}
    )
