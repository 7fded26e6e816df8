"""Whether the evidence in a sweep's folder is what was sealed: digests, files that belong there, counts, and the form of the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.catalog import Catalog
from harness.errors import EvidenceError, Problem, visible
from harness.evidence import SweepFolder
from harness.evidence.batches import LONGEST_TEXT
from harness.evidence.chain import chain_problems
from harness.evidence.parquet import SAMPLES, SERVER_TIMINGS, PartForm
from harness.operations.locust_run import require_not_measured
from harness.operations.manifest import seal_manifests
from harness.operations.register import enter_end
from harness.operations.retention import removal_problem
from harness.records import VISIT_ROW, RoundRecord
from harness.records.files import digest, read_json
from harness.records.server_timing import METRIC_NAME, MOST_METRICS
from harness.scoring import NEEDED_COLUMNS

LARGEST_PART_BYTES = 4 << 30
"""Of one portal's rows in one round, unpacked: 20 million rows, a hundred times the largest round that a shipped workload can make."""
MOST_ROWS = 20_000_000
"""Of such a file, where its workers did not tell how many rows they sent."""
BYTES_PER_ROW = 1_000
"""Unpacked, at most (assumed: a row has some 150, its texts stand in dictionaries)."""

_ARCHIVE = "Restore the file from the archive; changed evidence is not scored."
_LISTED = ("samples", "server_timing", "rounds", "health", "pages", "lone")
_MAY_BE_EMPTY = ("server_timing", "pages", "lone")
"""Folders that must be empty if no manifest lists a file in them."""


def check_evidence(folder: SweepFolder, catalog: Catalog, portal: str = "") -> None:
    """Raise EvidenceError, with every problem, where a sweep's evidence is not what was sealed.

    Where a night was cut off before its manifests were written, they are made from the sealed rounds first. ``portal``: only the
    files of this portal are there, as in a pack.
    """
    if (removed := removal_problem(folder)) is not None:
        raise EvidenceError(removed)
    if not folder.manifests():
        _make_manifests(folder, catalog)
    if problems := evidence_problems(folder, portal):
        raise EvidenceError(*problems)


def evidence_problems(folder: SweepFolder, portal: str = "") -> list[Problem]:
    """What is not as the manifests, the chain and the sealed counts say; ``portal``: the files of other portals are not there.

    Rows are looked at only where no file has changed.
    """
    if problems := changed_files(folder, portal):
        return problems
    rounds = folder.rounds()
    portals = [_manifest(path)["portal"] for path in folder.manifests()]
    return [problem for each in portals for problem in (*_odd_rows(folder, each, rounds), *_odd_timings(folder, each, rounds))]


def changed_files(folder: SweepFolder, portal: str = "") -> list[Problem]:
    """What of ``evidence_problems`` digests tell, without a look at the rows."""
    manifests = [_manifest(path) for path in folder.manifests()]
    return [*dict.fromkeys([*_changed(folder, manifests), *_unlisted(folder, manifests), *chain_problems(folder, portal)])]


def _manifest(path: Path) -> Mapping[str, Any]:
    """A manifest of the evidence. EvidenceError where it names no portal, or does not list files with their digests."""
    listed = read_json(path)
    try:
        if isinstance(listed["portal"], str) and all(isinstance(item[key], str) for item in _items(listed) for key in ("file", "sha256")):
            return dict(listed)
    except (KeyError, TypeError):
        pass
    expected = "a portal, and its files with their SHA-256"
    raise EvidenceError(Problem(str(path), "content", "no manifest", expected, "Restore it from the archive."))


def _make_manifests(folder: SweepFolder, catalog: Catalog) -> None:
    require_not_measured(folder)
    if not folder.sealed_rounds():
        raise EvidenceError.missing(
            folder.path / "manifests", "a manifest for every run", "Measure again; no round of this sweep was sealed."
        )
    seal_manifests(folder, catalog)
    enter_end(folder, "aborted")


def _changed(folder: SweepFolder, manifests: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for item in (item for listed in manifests for item in _items(listed)):
        path = folder.path / item["file"]
        found = digest(path) if path.is_file() else "no file"
        if found != item["sha256"]:
            yield Problem(str(path), "SHA-256", found, item["sha256"], _ARCHIVE)


def _items(listed: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """The files of a manifest."""
    return [*listed["evidence"], *listed.get("pages", ()), *listed.get("lone", ()), *listed.get("server_timing", ())]


def _unlisted(folder: SweepFolder, manifests: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """Files of the evidence that no manifest has. Manifests of earlier versions list no health."""
    listed = {item["file"] for manifest in manifests for item in _items(manifest)}
    listed_folders = {name.split("/", 1)[0] for name in listed}
    for room in (name for name in _LISTED if name in listed_folders or name in _MAY_BE_EMPTY):
        for path in sorted((folder.path / room).rglob("*")):
            name = folder.relative(path)
            made_along = room == "rounds" and path.name.endswith((".late.json", ".planned.json"))
            if (path.is_file() or path.is_symlink()) and not made_along and name not in listed:
                remedy = "Move it out of the folder; what was not there when the sweep was sealed is not scored."
                yield Problem(str(path), "file", "in no manifest", "only files that were sealed", remedy)


def _odd_rows(folder: SweepFolder, portal: str, rounds: Sequence[RoundRecord]) -> Iterator[Problem]:
    """Rows that are no rows, too many, or other than the sealed rounds count."""
    for path in folder.parts(portal):
        try:
            table = _visits(path, _most_rows(rounds, path))
        except (pa.ArrowException, OSError, ValueError) as error:
            yield _no_part(path, error)
            continue
        name = path.stem.removeprefix("part-")
        sealed = {
            (window.window, key.removeprefix("visits_")): count
            for round_ in rounds
            for slot in round_.slots
            if round_.name == name and slot.portal == portal
            for window in slot.windows
            for key, count in window.counts.items()
            if key.startswith("visits_")
        }
        found = {(row["window"], row["outcome"]): row["outcome_count"] for row in table.to_pylist()}
        for window, outcome in sorted({*sealed, *found}):
            there, counted = found.get((window, outcome), 0), sealed.get((window, outcome), 0)
            if there != counted:
                expected = f"{counted}, as {folder.round(name).name} counts"
                yield Problem(str(path), f"visits of window {window} that ended {outcome}", str(there), expected, _ARCHIVE)
                break  # one is enough to refuse the file


def _odd_timings(folder: SweepFolder, portal: str, rounds: Sequence[RoundRecord]) -> Iterator[Problem]:
    """Files beside the rows that are not what servers say of their own time."""
    for path in folder.timing_parts(portal):
        try:
            _check_names(_read_part(path, SERVER_TIMINGS, MOST_METRICS * _most_rows(rounds, path), SERVER_TIMINGS.schema.names))
        except (pa.ArrowException, OSError, ValueError) as error:
            yield _no_part(path, error)


def _check_names(timings: pa.Table) -> None:
    names = (name or "" for chunk in timings["name"].chunks for name in chunk.dictionary.to_pylist())
    odd = next((name for name in names if METRIC_NAME.fullmatch(name) is None), None)
    if odd is not None:
        raise ValueError(f"a metric with the name {visible(odd)[:80]}")


def _no_part(path: Path, error: Exception) -> Problem:
    return Problem(str(path), "content", str(error).splitlines()[0][:200], "rows as they were written", _ARCHIVE)


def _most_rows(rounds: Sequence[RoundRecord], path: Path) -> int:
    """How many rows a file can have: those that the workers of its round sent for all portals."""
    told = [each.rows for round_ in rounds if f"part-{round_.name}" == path.stem for each in round_.outcome]
    return sum(rows or 0 for rows in told) if told and None not in told else MOST_ROWS


def _visits(path: Path, most_rows: int) -> pa.Table:
    """How many visits ended how, by window. ValueError for a file that is no part of evidence, before its rows are read."""
    table = _read_part(path, SAMPLES, most_rows, NEEDED_COLUMNS).select(["window", "request", "outcome"])
    table = table.set_column(2, "outcome", pc.cast(table["outcome"], pa.string()))
    return table.filter(pc.equal(table["request"], VISIT_ROW)).group_by(["window", "outcome"]).aggregate([("outcome", "count")])


def _read_part(path: Path, form: PartForm, most_rows: int, needed: Collection[str]) -> pa.Table:
    """Texts, windows and requests of a part file. ValueError for a file of another form or size, before its rows are read."""
    named = [column.name for column in form.columns if column.kind == "category"]
    schema = pq.read_schema(path)  # as it is stored
    file = pq.ParquetFile(path, read_dictionary=[name for name in named if name in schema.names])  # no text is repeated in memory
    if file.metadata.num_rows > most_rows:
        raise ValueError(f"{file.metadata.num_rows} rows, at most {most_rows} were sent")
    bytes_ = sum(file.metadata.row_group(index).total_byte_size for index in range(file.metadata.num_row_groups))
    most_bytes = min(LARGEST_PART_BYTES, (1 << 20) + BYTES_PER_ROW * most_rows)
    if bytes_ > most_bytes:
        raise ValueError(f"{bytes_} bytes unpacked, at most {most_bytes} are read")
    lacking = set(needed) - set(schema.names) - {"portal", "run"}
    if lacking:
        raise ValueError(f"no column {', '.join(sorted(lacking))}")
    for column in form.columns:
        if column.name in schema.names and not _fits(column.kind, schema.field(column.name).type):
            raise ValueError(f"column {column.name} of {schema.field(column.name).type}")
    table = file.read(columns=["window", "request", *(name for name in named if name in schema.names)])
    for name in (each for each in named if each in schema.names):
        lengths = [pc.max(pc.utf8_length(chunk.dictionary)).as_py() or 0 for chunk in table[name].chunks]
        if max(lengths, default=0) > LONGEST_TEXT:
            raise ValueError(f"column {name} has a text of {max(lengths)} characters, at most {LONGEST_TEXT} are read")
    return table


def _fits(kind: str, found: pa.DataType) -> bool:
    """Whether a column is of its kind; its width may differ."""
    if kind == "category":
        return bool(pa.types.is_dictionary(found) and pa.types.is_string(found.value_type))
    return bool(pa.types.is_boolean(found) if kind == "bool" else pa.types.is_integer(found))
