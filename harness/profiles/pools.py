"""Pools: tables beside a profile whose rows go to visits, and whether they have the columns that the profile uses."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.catalog.csv_file import check_edges, read_csv_file
from harness.errors import Problem, did_you_mean
from harness.profiles.our_fault import GivenValues

if TYPE_CHECKING:
    from harness.catalog.platform import Pool


class CompiledPool(NamedTuple):
    """The rows of a table, and whether each goes to one visit of a run only. Rows of a distinct pool differ from each other."""

    rows: Sequence[Mapping[str, str]]
    distinct: bool
    file: str = ""


def compile_pool(pool: Pool, place: tuple[str, int], key: str, columns: Collection[str], problems: list[Problem]) -> CompiledPool:
    """The pool whose file stands beside the profile at ``place`` (file and line); ``columns`` are those that the profile uses."""
    profile, line = place
    path = Path(profile).parent / pool.file
    try:
        table = read_csv_file(path, problems)
    except (OSError, UnicodeDecodeError) as error:
        problems.append(
            Problem(profile, key, repr(pool.file), "a readable UTF-8 CSV file", f"Put the file beside the profile ({error}).", line)
        )
        return CompiledPool((), pool.distinct, str(path))
    if table is None:
        return CompiledPool((), pool.distinct, str(path))
    check_edges(table, str(path), problems)
    missing = sorted(set(columns) - set(table.columns))
    if missing:
        found = f"columns {', '.join(table.columns)} (separated by {table.separator})"
        likely = "".join(did_you_mean(name, missing) for name in table.columns if name not in columns)
        remedy = f"{likely}Name the columns in the first line of {path}, or mend the names in {profile}."
        problems.append(Problem(str(path), key, found, f"columns {', '.join(sorted(columns))}; {', '.join(missing)} is missing", remedy, 1))
    rows = {tuple(row.items()): row for row in table.rows}.values() if pool.distinct else table.rows
    return CompiledPool(tuple(GivenValues(row, f"{path}: {key}") for row in rows), pool.distinct, str(path))
