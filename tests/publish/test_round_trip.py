from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harness.publish.round_trip import at_zero_round_trip
from harness.records import COLUMNS, VISIT_ROW, Sample, WindowKey
from tests.publish import simulated_night as night

MS = 1_000
TRIP = 30 * MS


def request(step: str, index: int, begin_ms: int, took_ms: int, *, fresh: bool = False, tls: bool = False) -> Sample:
    begin = (1_000 + begin_ms) * MS
    return Sample("search", 1, "find", step, index, 0, 1, "http://127.0.0.1:1", "portal", "GET", begin, begin, begin + 1, begin + took_ms * MS,
                  0, TRIP if fresh else 0, TRIP if tls else 0, not fresh, 0, 0, 200, "ok")  # fmt: skip


def rows(*samples: Sample, end_ms: int = 1_000) -> pd.DataFrame:
    key = WindowKey("s", 0, "r", 0, "p", "typical", "w0")
    visit = Sample(
        "search", 1, "", "", VISIT_ROW, 0, 1, "", "", "", 1_000 * MS, 1_000 * MS, 0, (1_000 + end_ms) * MS, 0, 0, 0, False, 0, 0, 0, "ok"
    )
    table = pd.DataFrame.from_records([(*key, *sample) for sample in (*samples, visit)], columns=[column.name for column in COLUMNS])
    return table.astype({column.name: column.kind for column in COLUMNS})


def lasts_ms(table: pd.DataFrame) -> list[float]:
    return ((table["end_us"] - table["intended_us"]) / MS).tolist()


@pytest.mark.parametrize(("kind", "trips"), [({}, 1), ({"fresh": True}, 2), ({"fresh": True, "tls": True}, 3)])
def test_a_request_loses_the_round_trips_that_it_had_to_make(kind, trips):
    table = at_zero_round_trip(rows(request("search", 0, 0, 200, fresh=True), request("open_procedure", 0, 500, 200, **kind)))
    assert lasts_ms(table)[1] == 200 - 30 * trips


def test_later_requests_of_a_step_move_up_and_the_visit_ends_earlier():
    table = at_zero_round_trip(rows(request("search", 0, 0, 200, fresh=True), request("search", 1, 200, 100), end_ms=300))
    first, second, visit = table.itertuples()
    assert first.end_us == second.intended_us == (1_000 + 140) * MS
    assert second.end_us == (1_000 + 140 + 70) * MS
    assert visit.end_us - visit.intended_us == (300 - 90) * MS


def test_nothing_becomes_shorter_than_nothing():
    table = at_zero_round_trip(rows(request("search", 0, 0, 10, fresh=True)))
    assert lasts_ms(table)[0] == 0


def test_without_a_handshake_nothing_is_known_and_nothing_is_saved():
    before = rows(request("search", 0, 0, 200))
    pd.testing.assert_frame_equal(at_zero_round_trip(before), before)


def test_a_night_keeps_its_rows_and_their_order_and_gets_no_slower():
    before = night.frame(night.PORTALS[3], windows=2, window_s=20)
    before["connect_us"] = np.where(before["request"] == 0, 5 * MS, 0)
    after = at_zero_round_trip(before)
    assert (after.index == before.index).all()
    assert after.drop(columns=["intended_us", "start_us", "end_us"]).equals(before.drop(columns=["intended_us", "start_us", "end_us"]))
    assert ((after["end_us"] - after["intended_us"]) <= (before["end_us"] - before["intended_us"])).all()
    sent = before["end_us"] >= before["start_us"]
    assert ((after["end_us"] - after["start_us"])[sent] >= 0).all()
