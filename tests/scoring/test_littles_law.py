"""Citizens in flight by both sides of Little's law."""

from __future__ import annotations

import numpy as np
import pytest

from harness.scoring.littles_law import Stays, in_flight
from tests.scoring.evening import SECOND


def flow(rate: float, stay_s: float, *, counted_of: float = 1.0) -> tuple[Stays, Stays]:
    """Two workers with half of the arrivals each; the workers count a share of the citizens that are there."""
    workers = []
    for worker, offset_us in enumerate((0, 7_000_000)):
        rng = np.random.default_rng(worker)
        begin = offset_us + np.sort(rng.random(round(rate * 40)) * 80 * SECOND).astype(np.int64)
        end = begin + (rng.exponential(stay_s, len(begin)) * SECOND).astype(np.int64)
        moments = offset_us + np.arange(80) * SECOND
        counts = {int(moment): round(counted_of * int(((begin <= moment) & (moment < end)).sum())) for moment in moments}
        workers.append(Stays(begin, end, (offset_us + 20 * SECOND, offset_us + 80 * SECOND), counts))
    return workers[0], workers[1]


def test_citizens_in_flight_are_arrivals_times_their_stay() -> None:
    found = in_flight(flow(20.0, 3.0))
    assert found.agrees
    assert found.stay_s == pytest.approx(3.0, rel=0.1)
    assert found.arrivals == pytest.approx(20 * 60, rel=0.1)
    assert found.counted == pytest.approx(20 * 3.0, rel=0.15)
    assert found.computed == pytest.approx(20 * 3.0, rel=0.15)


@pytest.mark.parametrize("share", [0.5, 1.5])
def test_citizens_that_are_lost_or_counted_twice_do_not_agree(share: float) -> None:
    assert not in_flight(flow(20.0, 3.0, counted_of=share)).agrees


def test_chance_is_allowed_for_where_few_are_in_flight() -> None:
    assert in_flight(flow(5.0, 0.1)).agrees
    unseen = [Stays(each.begin_us, each.end_us, each.hold_us, dict.fromkeys(each.counts, 0)) for each in flow(2.0, 0.02)]
    assert in_flight(unseen).agrees  # 0.04 citizens at once: sixty counts each need not meet one
