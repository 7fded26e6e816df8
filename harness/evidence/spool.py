"""Batches as they come, and a round's sealing: from then on its rows are Parquet and nothing is added."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgpack

from harness.evidence.failures import Failures
from harness.evidence.folder import SweepFolder
from harness.evidence.generator import summarise
from harness.evidence.parquet import FILE_COLUMNS, PartWriter
from harness.records import LONE, VISIT_ROW, Outcome, Sample, WindowKey
from harness.records.files import write_json, write_whole

_KEY = {name: index for index, name in enumerate(WindowKey._fields)}
_ROW = {name: index for index, name in enumerate(Sample._fields)}
_ORDER = tuple(
    (True, _KEY[column.name]) if column.name in _KEY else (False, _ROW[column.name] + 1)  # 0 is the row's key
    for column in FILE_COLUMNS
)
_NO_WAY_IN = frozenset({Outcome.CONNECT, Outcome.DNS, Outcome.TLS, Outcome.TIMEOUT, Outcome.RESET})


class Spool:
    """The evidence of one sweep while it is being made (the conductor's sink)."""

    def __init__(self, folder: SweepFolder) -> None:
        self._folder = folder
        self._open: dict[str, tuple[str, io.BufferedWriter]] = {}
        self._sealed: dict[str, str] = {}
        self._late: Counter[str] = Counter()
        self._refusals: dict[str, dict[str, str]] = {}
        self._doubtful: dict[str, frozenset[str]] = {}

    def open_round(self, token: str, record: Mapping[str, Any]) -> None:
        """Keep what is planned; a spool that an interrupted attempt left behind is begun anew."""
        name = str(record["name"])
        write_json(self._folder.planned(name), record)
        path = self._folder.spool(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open[token] = (name, path.open("wb"))

    def append(self, token: str, worker: str, sequence: int, blob: bytes, ledger: list[Mapping[str, Any]]) -> bool:
        """Keep a batch; False where its round is sealed: it is counted and refused."""
        if ledger:
            self._write_ledger(token, worker, ledger)
        if token not in self._open:
            self._late[token] += 1
            if token in self._sealed:
                write_json(self._folder.late(self._sealed[token]), {"batches_after_sealing": self._late[token]})
            return False
        _, file = self._open[token]
        file.write(msgpack.packb({"worker": worker, "seq": sequence, "blob": blob}))
        file.flush()
        return True

    def seal_round(self, token: str, record: Mapping[str, Any]) -> None:
        """Turn the spool into Parquet and write the round's final facts."""
        name, file = self._open.pop(token)
        file.close()
        path = self._folder.spool(name)
        rounds = _Sealing(self._folder, name, record)
        rounds.take(read_spool(path))
        facts = rounds.close()
        self._refusals[token] = rounds.refusals()
        self._doubtful[token] = rounds.doubtful()
        write_json(self._folder.round(name), {**facts, "refusals": self._refusals[token]})
        self._folder.planned(name).unlink(missing_ok=True)
        path.unlink()
        self._sealed[token] = name

    def refusals(self, token: str) -> Mapping[str, str]:
        """Portals that refused a lone citizen in a sealed round."""
        return self._refusals.get(token, {})

    def doubtful(self, token: str) -> frozenset[str]:
        """Portals at which more than half of a sealed round's visits were blocked."""
        return self._doubtful.get(token, frozenset())

    def _write_ledger(self, token: str, worker: str, ledger: list[Mapping[str, Any]]) -> None:
        self._folder.path.mkdir(parents=True, exist_ok=True)
        with self._folder.ledger.open("a", encoding="utf-8") as file:
            for entry in ledger:
                file.write(json.dumps({"round": token, "worker": worker, **entry}, ensure_ascii=False, sort_keys=True) + "\n")


def read_spool(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(worker, batch) of a spool in the order they came; a record cut off by a crash at the end is left out."""
    with path.open("rb") as file:
        unpacker = msgpack.Unpacker(file, strict_map_key=False, max_buffer_size=1 << 30)
        try:
            for record in unpacker:
                yield record["worker"], msgpack.unpackb(record["blob"], strict_map_key=False)
        except (msgpack.UnpackException, ValueError):
            return


class _Sealing:
    """One round's rows on their way into Parquet, counted as they pass."""

    def __init__(self, folder: SweepFolder, name: str, record: Mapping[str, Any]) -> None:
        self._folder, self._name, self._record = folder, name, record
        self._writers: dict[tuple[str, str], PartWriter] = {}
        self._counts: dict[tuple[str, int], Counter[str]] = {}
        self._health: list[dict[str, Any]] = []
        self._lone: dict[str, list[tuple[int, str]]] = {}
        self._failures = Failures()

    def take(self, batches: Iterator[tuple[str, dict[str, Any]]]) -> None:
        for worker, batch in batches:
            self._health += [{"worker": worker, **record} for record in batch["health"]]
            self._failures.take(batch)
            writers = {index: self._writer(key) for index, key in batch["keys"].items()}
            for row in batch["rows"]:
                key = batch["keys"][row[0]]
                writers[row[0]].add([key[index] if of_key else row[index] for of_key, index in _ORDER])
                self._count(key, row)

    def close(self) -> dict[str, Any]:
        for writer in self._writers.values():
            writer.close()
        write_whole(self._folder.health(self._name), "".join(json.dumps(record, sort_keys=True) + "\n" for record in self._health))
        self._failures.write_pages(self._folder, self._name)
        slots = []
        for slot in self._record["slots"]:
            windows = [
                {
                    **window,
                    "counts": dict(sorted(self._counts.get((slot["portal"], window["window"]), Counter()).items())),
                    "failures": self._failures.of_window(slot["portal"], window["window"]),
                    "health": summarise(self._health, self._record, window),
                }
                for window in slot["windows"]
            ]
            slots.append({**slot, "windows": windows})
        return {**self._record, "slots": slots}

    def refusals(self) -> dict[str, str]:
        """blocked: some answer refused a lone citizen; unreachable: no visit got past its first request.

        Unreachable is said only before the load: what does not answer after it may have broken down under it.
        """
        found = {}
        for portal, rows in self._lone.items():
            outcomes = [outcome for request, outcome in rows if request != VISIT_ROW]
            if Outcome.BLOCKED in outcomes:
                found[portal] = "blocked"
            elif (
                self._record["round"] == 0 and outcomes and all(outcome in _NO_WAY_IN for outcome in outcomes if outcome != Outcome.SKIPPED)
            ):
                found[portal] = "unreachable"
        return found

    def doubtful(self) -> frozenset[str]:
        """Portals that may refuse us now, whatever the load: a lone citizen has to find out."""
        refused: Counter[str] = Counter()
        ended: Counter[str] = Counter()
        for (portal, _window), counts in self._counts.items():
            refused[portal] += counts[f"visits_{Outcome.BLOCKED}"]
            ended[portal] += sum(count for name, count in counts.items() if name.startswith("visits_"))
        return frozenset(portal for portal in ended if portal not in self._lone and refused[portal] > ended[portal] / 2)

    def _writer(self, key: list[Any]) -> PartWriter:
        portal, run = key[_KEY["portal"]], key[_KEY["run"]]
        writer = self._writers.get((portal, run))
        if writer is None:
            writer = self._writers[portal, run] = PartWriter(self._folder.part(portal, run, self._name))
        return writer

    def _count(self, key: list[Any], row: list[Any]) -> None:
        portal, outcome, request = key[_KEY["portal"]], row[_ROW["outcome"] + 1], row[_ROW["request"] + 1]
        counts = self._counts.setdefault((portal, key[_KEY["window"]]), Counter())
        counts[f"visits_{outcome}" if request == VISIT_ROW else f"requests_{outcome}"] += 1
        if key[_KEY["stage"]] == LONE:
            self._lone.setdefault(portal, []).append((request, outcome))
