"""The rows of a portal as pandas frames: each request with clock times, and the steps as they are scored."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from harness.evidence import RunFacts, SweepFolder, Verdict
from harness.evidence.parquet import read_part
from harness.operations.dossiers.shared_codes import Holders, as_failures
from harness.publish.frame_columns import ROWS, STEPS, framed
from harness.publish.step_table import PortalSteps, step_table, workers_of
from harness.records import COLUMNS, SCORED_STAGES, STEP_KEYS, VISIT_KEYS, VISIT_ROW, Outcome, RoundRecord
from harness.scoring import NEEDED_COLUMNS, Integers
from harness.scoring.rows import coded
from harness.scoring.windows import tabulate_run

_CLOCKS: Final = {f"{name}_utc": f"{name}_us" for name in ("intended", "start", "first_byte", "end")}
_ARROW: Final = {
    "category": pa.dictionary(pa.int32(), pa.string()),
    "bool": pa.bool_(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
}
_TYPES: Final = {each.name: _ARROW[each.kind] for each in COLUMNS} | dict.fromkeys(_CLOCKS, pa.timestamp("us", tz="UTC"))
_LATER: Final[dict[str, str | bool]] = {"read_again": False, "path_template": ""}
"""Columns that evidence of earlier versions does not have."""


def rows_frame(folder: SweepFolder, portals: Sequence[str], columns: Sequence[str], rounds: Mapping[str, RoundRecord]) -> pd.DataFrame:
    """The requests of some portals as they were measured, in the order of portals and rounds; ``rounds``: the sealed ones by name."""
    schema = pa.schema([(name, _TYPES[name]) for name in columns])
    parts = [
        _part(portal, path, schema, rounds[_round(path)]) for portal in portals for path in folder.parts(portal) if _round(path) in rounds
    ]
    frame: pd.DataFrame = pa.concat_tables([schema.empty_table(), *parts]).unify_dictionaries().to_pandas()
    kinds = {each.name: each.dtype for each in ROWS}
    return frame.astype({name: kinds[name] for name in columns})


def _round(part: Path) -> str:
    """The name of the round whose rows a file holds."""
    return part.stem.removeprefix("part-")


def _part(portal: str, path: Path, schema: pa.Schema, record: RoundRecord) -> pa.Table:
    """The columns of one file, those of its path, those that came later, and clock times."""
    clocks = [name for name in schema.names if name in _CLOCKS]
    wanted = {*schema.names, *(_CLOCKS[name] for name in clocks), *(["worker"] if clocks else []), "visit"}
    table = read_part(path, [*wanted])
    given: dict[str, str | bool] = {**_LATER, "portal": portal, "run": path.parent.name.removeprefix("run=")}
    found = {name: table[name] for name in table.column_names}
    found |= {name: _constant(value, table.num_rows) for name, value in given.items() if name not in found}
    if clocks:
        worker = coded(table["worker"])
        zero_us = np.array([record.utc_of_zero_us(name) for name in worker.names], dtype=np.int64)[worker.codes]
        found |= {name: _clock(table[_CLOCKS[name]].to_numpy(), zero_us) for name in clocks}
    return pa.table({name: found[name].cast(_TYPES[name]) for name in schema.names}, schema)


def _clock(moments_us: Integers, zero_us: Integers) -> pa.Array:
    """Moments of a worker's clock as UTC; none where the moment never came."""
    return pa.array(moments_us + zero_us, pa.int64(), mask=moments_us == 0)


def _constant(value: str | bool, count: int) -> pa.Array:
    """A column that says the same in every row."""
    return (
        pa.repeat(value, count)
        if isinstance(value, bool)
        else pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), count), [value])
    )


def steps_frame(
    folder: SweepFolder, facts: RunFacts, rounds: Collection[RoundRecord], held: Holders, shared_owners: Collection[str] | None
) -> pd.DataFrame:
    """The steps of one portal in all of its windows, as they are scored.

    ``held``: the visits whose codes others were given too; ``shared_owners``: as ``tabulate_run`` takes them.
    """
    tables = [read_part(path, [*NEEDED_COLUMNS, "worker"]) for path in folder.parts(facts.portal)]
    if not tables:
        return framed(STEPS, ())
    rows = as_failures(pa.concat_tables(tables, promote_options="default"), held)
    steps = tabulate_run(rows, facts, shared_owners)
    frame: pd.DataFrame = step_table(PortalSteps(facts.portal, steps, workers_of(rows)), rounds).to_pandas()
    scored = frame["stage"].isin(SCORED_STAGES) & (frame["verdict"] == Verdict.VALID) & (facts.verdict is Verdict.VALID)
    took_s = (frame["charged_us"] / 1e6).where(frame["ok"], np.inf)
    return framed(STEPS, frame.assign(scored=scored, took_s=took_s, outcome=_outcomes(frame, rows)))


def _outcomes(steps: pd.DataFrame, rows: pa.Table) -> pd.Series[str]:
    """How each step ended: as the first of its rows that is not ``ok``; of a visit that was turned away, as the visit."""
    names = [*STEP_KEYS, "request", "outcome"]
    found = rows.select(names).to_pandas().astype({"journey": str, "goal": str, "step": str, "outcome": str})
    found = found[~found["outcome"].isin([Outcome.OK, Outcome.DROPPED])]
    of_steps = found[found["request"] != VISIT_ROW].drop_duplicates(list(STEP_KEYS))[[*STEP_KEYS, "outcome"]]
    of_visits = found[found["request"] == VISIT_ROW][[*VISIT_KEYS, "outcome"]]
    keys = steps[list(STEP_KEYS)].astype({"journey": str, "goal": str, "step": str})
    by_step = keys.merge(of_steps, "left", list(STEP_KEYS))["outcome"]
    by_visit = keys.merge(of_visits, "left", list(VISIT_KEYS))["outcome"]
    return by_step.fillna(by_visit).mask(steps["ok"], Outcome.OK.value)
