"""A sweep's folder as an outsider reads it: plain JSON, and Parquet through pandas."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

STEP = ["journey", "visit", "goal", "step", "attempt"]


def load(path: Path) -> Any:
    """A JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def only_folder(results: Path) -> Path:
    """The one sweep in a results folder."""
    (folder,) = [path for path in results.iterdir() if path.is_dir()]
    return folder


def rows(folder: Path, portal: str) -> pd.DataFrame:
    """The request rows of one portal."""
    parts = sorted((folder / "samples" / f"portal={portal}").glob("run=*/part-*.parquet"))
    frame = pd.concat([pd.read_parquet(part, partitioning=None) for part in parts], ignore_index=True)
    frame = frame.astype(dict.fromkeys(frame.select_dtypes("category").columns, str))
    return frame[frame["request"] >= 0]


def steps(folder: Path, portal: str, step: str) -> pd.DataFrame:
    """One line for each time a visit began ``step``: whether all of it is ``ok``, how it ended, and whether its first request was ``answered``.

    For ``submit`` and ``confirm_payment`` the first request is the one after which the portal stores.
    """
    found = rows(folder, portal)
    found = found[(found["step"] == step) & (found["outcome"] != "skipped")].sort_values([*STEP, "request", "hop"])
    found = found[found.groupby(STEP)["start_us"].transform("max") > 0]  # a request that patience left no time for was not sent
    grouped = found.groupby(STEP)
    table = pd.DataFrame(
        {
            "ok": grouped["outcome"].agg(lambda outcomes: bool((outcomes == "ok").all())),
            "answered": grouped["outcome"].first() == "ok",
            "outcome": grouped["outcome"].agg(lambda outcomes: next((o for o in outcomes if o != "ok"), "ok")),
        }
    )
    return table.astype({"ok": bool, "answered": bool}).reset_index()  # also where nobody came so far


def ledger(folder: Path, portal: str) -> Counter[str]:
    """How many of each kind the portal acknowledged."""
    path = folder / "ledger.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return Counter(entry["kind"] for entry in map(json.loads, lines) if entry["portal"] == portal)


def unfinished(folder: Path) -> list[str]:
    """Files that were begun and not brought to their end."""
    left = [path for path in folder.rglob("*") if path.name.startswith(".") or path.suffix in (".tmp", ".part", ".msgpack", ".pid")]
    return sorted(path.relative_to(folder).as_posix() for path in [*left, *folder.glob("rounds/*.planned.json")])


def assert_sealed(folder: Path, portals: set[str]) -> None:
    """Plan, sealed rounds, rows, health and the portals' own count are there; nothing is half-written."""
    assert unfinished(folder) == []
    assert load(folder / "plan.json")["rounds"] is not None
    sealed = [load(path) for path in sorted(folder.glob("rounds/round-*.json"))]
    assert sealed
    assert all(outcome["complete"] for round_ in sealed for outcome in round_["outcome"])
    assert {path.name.removeprefix("portal=") for path in folder.glob("samples/portal=*")} == portals
    assert len(list(folder.glob("health/round-*.jsonl"))) == len(sealed)
    recorded = Counter()
    for round_ in sealed:
        for slot in round_["slots"]:
            recorded[slot["portal"]] += sum(
                count for window in slot["windows"] for name, count in window["counts"].items() if name.startswith("requests_")
            )
    assert recorded == {portal: len(rows(folder, portal)) for portal in portals}
    assert set(load(folder / "counted.json")) >= portals
