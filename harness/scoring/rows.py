"""The columns of the rows that scoring reads, as integer arrays that do not depend on how the rows were stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.errors import EvidenceError, Problem
from harness.records import PORTAL, Outcome

Integers = npt.NDArray[Any]
"""Whole numbers of any width."""

Flags = npt.NDArray[np.bool_]

NEEDED_COLUMNS = (
    "window", "journey", "visit", "goal", "step", "request", "attempt", "host_owner", "intended_us", "end_us", "polling_wait_us", "hop",
    "outcome",
)  # fmt: skip
"""The columns that scoring reads; a reader may skip the others."""

_NAMED = ("journey", "goal", "step", "host_owner", "outcome")


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of names as numbers; ``names`` is in alphabetical order, independent of the file's dictionary."""

    codes: Integers
    names: tuple[str, ...]

    def code(self, name: str) -> int:
        """The number of a name, -1 where it does not occur."""
        return self.names.index(name) if name in self.names else -1

    def __getitem__(self, chosen: Flags) -> Coded:
        return Coded(self.codes[chosen], self.names)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one portal's run, without those that the generator dropped."""

    window: Integers
    journey: Coded
    visit: Integers
    goal: Coded
    step: Coded
    request: Integers
    attempt: Integers
    intended_us: Integers
    end_us: Integers
    polling_wait_us: Integers
    hop: Integers
    outcome: Coded
    foreign: Flags  # at a host that is not charged to the portal
    ok: Flags
    skipped: Flags

    def __getitem__(self, chosen: Flags) -> Rows:
        return Rows(*(getattr(self, name)[chosen] for name in self.__slots__))


def read_rows(rows: Any, shared_owners: Collection[str] | None = None) -> Rows:
    """The rows of a pyarrow Table, or of a pandas DataFrame, as arrays.

    ``shared_owners`` are those whose hosts are not charged to the portal; None: all but the portal itself. Names may be
    dictionary-encoded, categorical or plain text; chunks and dictionaries have no effect. Raises EvidenceError where a column
    is missing.
    """
    table = rows if isinstance(rows, pa.Table) else _from_pandas(rows)
    missing = [name for name in NEEDED_COLUMNS if name not in table.column_names]
    if missing:
        problem = Problem(
            "rows",
            "columns",
            f"without {', '.join(missing)}",
            "the columns of harness.records.COLUMNS",
            "Score evidence that this harness wrote.",
        )
        raise EvidenceError(problem)
    named = {name: coded(table.column(name)) for name in _NAMED}
    # Numbers keep their stored width: narrow columns are faster to reorder.
    columns: dict[str, Any] = {name: named.get(name) or table.column(name).to_numpy() for name in NEEDED_COLUMNS}
    outcome, owner = named["outcome"], named["host_owner"]
    foreign = [name for name in owner.names if (name not in {PORTAL, ""} if shared_owners is None else name in shared_owners)]
    result = Rows(
        **{name: columns[name] for name in Rows.__slots__ if name in columns},
        foreign=np.isin(owner.codes, [owner.code(name) for name in foreign]),
        ok=outcome.codes == outcome.code(Outcome.OK),
        skipped=outcome.codes == outcome.code(Outcome.SKIPPED),
    )
    dropped = outcome.code(Outcome.DROPPED)
    return result if dropped < 0 else result[outcome.codes != dropped]


def _from_pandas(frame: Any) -> Any:
    present = [name for name in NEEDED_COLUMNS if name in frame.columns]
    return pa.Table.from_pandas(frame[present], preserve_index=False)


def coded(column: Any) -> Coded:
    """A column of names, dictionary-encoded or plain, as numbers."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    array = column.unify_dictionaries().combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # no chunk at all
        return Coded(np.zeros(0, dtype=np.int32), ())
    written: Sequence[str | None] = array.dictionary.to_pylist()
    names = tuple(sorted({name or "" for name in written} | ({""} if array.indices.null_count else set())))
    numbers = {name: number for number, name in enumerate(names)}
    lookup = np.array([numbers[name or ""] for name in written] or [0], dtype=np.int32)
    indices = array.indices.fill_null(-1).to_numpy(zero_copy_only=False) if array.indices.null_count else array.indices.to_numpy()
    codes = lookup[indices]
    if array.indices.null_count:
        codes[indices == -1] = numbers[""]
    return Coded(codes, names)
