"""A gain is what the same change of the rows gives: here rows are changed one by one, and scored as any others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median_low
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.catalog.criteria import Linear
from harness.catalog.criteria_set import read_criteria
from harness.evidence import open_sweep, read_runs
from harness.records import VISIT_ROW
from harness.scoring import NEEDED_COLUMNS, Gain, PortalIdentity, RunEvidence, Scorecard, gains, score_portal
from tests.recorded.conftest import RECORDED
from tests.scoring.sets import SHIPPED

DEMO = read_criteria(SHIPPED / "demo.yaml").shortened(window_s=5.5, min_n=1)

Row = dict[str, Any]
Key = tuple[str, str, str]


def _evidence(portal: str) -> RunEvidence:
    folder = open_sweep(RECORDED)
    run = next(run for run in read_runs(folder) if run.portal == portal)
    rows = pa.concat_tables([pq.read_table(part, columns=list(NEEDED_COLUMNS), partitioning=None) for part in folder.parts(portal)])
    return RunEvidence(PortalIdentity(portal, "", "", ""), run, rows)


class _Rows:
    """The rows of the windows of stage typical, as steps; all other rows stay as they are."""

    def __init__(self, run: RunEvidence) -> None:
        self.stage = {window.window for window in run.facts.windows if window.stage == "typical"}
        self.rows: list[Row] = run.rows.to_pylist()
        self.steps: dict[tuple[int, Key], list[Row]] = {}
        self.closing: dict[int, Row] = {}
        for row in self.rows:
            if row["window"] not in self.stage:
                continue
            if row["request"] == VISIT_ROW:
                self.closing[row["visit"]] = row
            else:
                self.steps.setdefault((row["visit"], _key(row)), []).append(row)

    def successes(self, key: Key, window: int | None = None) -> list[list[Row]]:
        found = [rows for (_, of), rows in self.steps.items() if of == key and all(row["outcome"] == "ok" for row in rows)]
        return [rows for rows in found if window in (None, rows[0]["window"])]

    def stopped_by(self, key: Key) -> Iterator[int]:
        """The visits whose first failed step this is; without goal and step, those that failed without one."""
        for visit, closing in self.closing.items():
            if closing["outcome"] == "ok" or closing["journey"] != key[0]:
                continue
            failed = [rows for (of, _), rows in self.steps.items() if of == visit and {r["outcome"] for r in rows} - {"ok", "skipped"}]
            first = min(failed, key=lambda rows: min(row["intended_us"] for row in rows), default=None)
            if key == ((key[0], "", "") if first is None else _key(first[0])):
                yield visit

    def mend(self, key: Key) -> None:
        """Let the visits that a step stopped end well."""
        usual = {each: {w: self._usual(each, w) for w in self.stage} for each in {of for _, of in self.steps} if each[0] == key[0]}
        for visit in list(self.stopped_by(key)):
            closing = self.closing[visit]
            closing["outcome"] = "ok"
            for each, by_window in usual.items():
                if not any(of == visit for of, _ in self.steps):  # turned away: a row for each step of its journey
                    self.rows.append(
                        closing | {"goal": each[1], "step": each[2], "request": 0, "hop": 0, "attempt": 1, "host_owner": "portal"}
                    )
                    _lay([self.rows[-1]], by_window[closing["window"]])
                    continue
                rows = self.steps.get((visit, each), [])
                if any(row["outcome"] != "ok" for row in rows):
                    for row in rows:
                        row["outcome"] = "ok"
                    _lay(rows, by_window[closing["window"]])

    def _usual(self, key: Key, window: int) -> int:
        return median_low(map(_charged_us, self.successes(key, window) or self.successes(key)))

    def table(self) -> pa.Table:
        return pa.Table.from_pylist(self.rows)


def _key(row: Row) -> Key:
    return row["journey"], row["goal"], row["step"]


def _charged_us(rows: Sequence[Row]) -> int:
    """Requests of the recorded sweep follow one another, and none polls."""
    return sum(row["end_us"] - row["intended_us"] for row in rows if row["host_owner"] == "portal")


def _lay(rows: Sequence[Row], charged_us: int) -> None:
    """The first row of the portal takes all of its time, its others none; those of other hosts follow and keep theirs."""
    clock = max(1, min(row["intended_us"] for row in rows))
    for row in sorted(rows, key=lambda row: row["host_owner"] != "portal"):
        took = charged_us if row["host_owner"] == "portal" else row["end_us"] - row["intended_us"]
        row["intended_us"], row["end_us"] = clock, clock + took
        clock, charged_us = clock + took, 0


def _changed(run: RunEvidence, gain: Gain) -> RunEvidence:
    found = _Rows(run)
    if gain.change == "fewer_failures":
        found.mend(gain.part)
    else:
        curve = next(each for each in DEMO.criteria if each.id == gain.criterion).curve
        assert isinstance(curve, Linear)
        most_us = int(curve.full * 1_000_000)
        for window in found.stage:
            steps = found.successes(gain.part, window)
            times = [_charged_us(rows) for rows in steps]
            share = min(1.0, most_us * len(times) / max(1, sum(times))) if gain.metric == "mean" else 1.0
            for rows, time_us in zip(steps, times, strict=True):
                _lay(rows, round(time_us * share) if gain.metric == "mean" else min(time_us, most_us))
    return RunEvidence(run.portal, run.facts, found.table())


def _points(card: Scorecard, criterion_id: str) -> float:
    return next(score.points for score in card.criteria if score.id == criterion_id) or 0.0


@pytest.mark.parametrize("portal", ["slow", "collapsing", "failing-payments"])
def test_a_gain_is_what_changed_rows_give(portal: str) -> None:
    run = _evidence(portal)
    card = score_portal([run], DEMO)
    found = gains(card, [run], DEMO)
    assert found
    for change in {(gain.change, gain.part, gain.metric) for gain in found}:
        of_change = [gain for gain in found if (gain.change, gain.part, gain.metric) == change]
        after = score_portal([_changed(run, of_change[0])], DEMO)
        for gain in of_change:
            assert _points(after, gain.criterion) - _points(card, gain.criterion) == pytest.approx(gain.points, abs=2e-4), gain
            assert (after.points or 0.0) - (card.points or 0.0) == pytest.approx(gain.points_total, abs=5e-4), gain
