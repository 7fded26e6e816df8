"""One portal's evidence as tests of the pages read it: with pyarrow and pandas, by none of the code that made the pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from tests.e2e.evidence import load


class Portal:
    """The evidence of one portal, read with pyarrow and pandas."""

    def __init__(self, folder: Path, entry: Mapping[str, Any]) -> None:
        self.folder, self.entry, self.name = folder, entry, str(entry["portal"])
        self.sweep = str(load(folder / "plan.json")["sweep"])
        self.criteria = {each["name_en"]: each for each in entry["criteria"]}
        parts = sorted((folder / "samples" / f"portal={self.name}").rglob("*.parquet"))
        self.rows = pd.concat([pq.ParquetFile(path).read().to_pandas() for path in parts], ignore_index=True)
        self.measured = self.rows[self.rows["stage"].astype(str).isin(("typical", "peak", "ramp", "soak"))]
        self.visits = self.measured[self.measured["request"] == -1]
        self.requests = self.measured[self.measured["request"] != -1]
        self.steps = self._steps(self.requests)

    def _steps(self, requests: pd.DataFrame) -> pd.DataFrame:
        """One row an attempt at a step: how it ended, and its seconds."""
        keys = ["window", "journey", "visit", "goal", "step", "attempt"]
        ordered = requests.sort_values(["request", "hop"], kind="stable").astype({"outcome": str})
        bad = ordered["outcome"].where(ordered["outcome"] != "ok")
        found = (
            ordered.assign(bad=bad)
            .groupby(keys, observed=True)
            .agg(begin=("intended_us", "min"), end=("end_us", "max"), bad=("bad", "first"))
        )
        return found.assign(outcome=found["bad"].fillna("ok"), seconds=(found["end"] - found["begin"]) / 1e6).reset_index()


def of_name(portals: Mapping[str, Portal], cell: str) -> Portal:
    """The portal that a cell names: its English name, then perhaps its id."""
    return max((each for each in portals.values() if cell.startswith(each.entry["name_en"])), key=lambda each: len(each.entry["name_en"]))


def nearest_rank(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least so many per cent are not above."""
    return sorted(values)[math.ceil(percent / 100 * len(values)) - 1]


def read_portals(folder: Path) -> dict[str, Portal]:
    """Every portal of a sweep."""
    return {entry["portal"]: Portal(folder, entry) for entry in load(folder / "scores.json")["scores"]}


def rank_of(portal: Portal, portals: Mapping[str, Portal]) -> list[int]:
    """The ranks that the intervals leave open, from the best to the last; one number where they are the same."""
    others = [each.entry["interval"] for each in portals.values() if each.entry["points"] is not None and each is not portal]
    low, high = portal.entry["interval"]
    best, last = 1 + sum(other[0] > high for other in others), 1 + len(others) - sum(other[1] < low for other in others)
    return [best, last] if best < last else [best]
