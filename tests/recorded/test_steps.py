"""``steps.parquet`` holds the steps that are scored: what it gives is what the scores say, to the last digit."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from harness.evidence import read_runs, sweep_at
from harness.operations.score_folder import _portal_steps, evidence_of
from harness.operations.shipped import shipped_catalog
from harness.publish.step_table import step_table
from tests.e2e.conftest import Sweep
from tests.e2e.evidence import load
from tests.recorded.conftest import announce_maintenance

ZERO_POINT_US = 1_000_000  # of the curve of `average-search` in the set of the demo
VALID = ["collapsing", "failing-payments", "fast", "ordinary", "slow"]


@pytest.fixture(scope="module")
def steps(scored: Sweep) -> pd.DataFrame:
    return pd.read_parquet(scored.folder / "steps.parquet")


def of_windows(scored: Sweep, portal: str, criterion: str) -> dict[int, float]:
    card = next(card for card in load(scored.folder / "scores.json")["scores"] if card["portal"] == portal)
    found = next(each for each in card["criteria"] if each["id"] == criterion)
    return {window["window"]: window["value"] for window in found["per_window"]}


@pytest.mark.parametrize("portal", VALID)
def test_the_share_of_confirmed_payments_is_that_of_the_scores(scored: Sweep, steps: pd.DataFrame, portal: str) -> None:
    mine = steps[(steps["portal"] == portal) & (steps["stage"] == "typical") & (steps["step"] == "confirm_payment")]
    shares = 100 * mine.groupby("window")["ok"].mean()
    expected = of_windows(scored, portal, "payments-confirmed")
    assert len(expected) == 6
    assert shares.round(6).to_dict() == expected


@pytest.mark.parametrize("portal", VALID)
def test_the_mean_time_of_a_search_is_that_of_the_scores(scored: Sweep, steps: pd.DataFrame, portal: str) -> None:
    mine = steps[(steps["portal"] == portal) & (steps["stage"] == "typical") & (steps["journey"] == "search")]
    counted_us = mine["charged_us"].clip(upper=ZERO_POINT_US).where(mine["ok"], ZERO_POINT_US)
    means = (counted_us.groupby(mine["window"]).mean() / 1e6).round(6).to_dict()
    assert means == of_windows(scored, portal, "average-search")


def test_each_step_has_its_wall_clock_within_its_round(scored: Sweep, steps: pd.DataFrame) -> None:
    records = map(load, sorted((scored.folder / "rounds").glob("round-*.json")))
    round_of = {(slot["portal"], window["window"]): record for record in records for slot in record["slots"] for window in slot["windows"]}
    begun = steps[steps["begin_us"].notna()]
    assert begun["begin_utc"].notna().all()
    for (portal, window), mine in begun.groupby(["portal", "window"], observed=True):
        record = round_of[portal, window]
        since_s = (mine["begin_utc"] - pd.Timestamp(datetime.fromisoformat(record["began_utc"]))).dt.total_seconds()
        by_worker_s = (mine["begin_us"] - record["members"][0]["offset_us"] - record["start_us"]) / 1e6
        assert ((since_s - by_worker_s).abs() < 1e-6).all()


def test_a_window_in_announced_maintenance_is_not_valid(folder: Path) -> None:
    announce_maintenance(folder, "slow", "2026-11-25T23:31:16+00:00", "2026-11-25T23:31:17+00:00")
    sweep, catalog = sweep_at(folder), shipped_catalog()
    runs = [run for run in read_runs(sweep) if run.portal == "slow"]
    (part,) = _portal_steps(sweep, evidence_of(sweep, runs, (), catalog), catalog.criteria["demo@2"])
    table = step_table(part, sweep.rounds()).to_pandas()
    assert set(table["window"][table["verdict"] == "valid"]) == {0, 1, 2, 4, 5, 6, 7}
    assert set(table["verdict"][table["window"] == 3]) == {"blocked"}
