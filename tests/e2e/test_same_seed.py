"""The same seed: the same arrivals, citizens and walks, also where the portals are faster or slower; and speeds decide the order."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.e2e.conftest import Sweep
from tests.e2e.evidence import rows

PORTALS = ("swift", "sluggish")


@pytest.mark.parametrize("portal", PORTALS)
@pytest.mark.parametrize("digest", ["schedule_sha256", "citizens_sha256"])
def test_digests_come_again(small_sweeps: tuple[Sweep, Sweep], portal: str, digest: str) -> None:
    first, second = (one.manifest(portal)[digest] for one in small_sweeps)
    assert len(first) == 64
    assert first == second


def test_portals_have_citizens_of_their_own(small_sweeps: tuple[Sweep, Sweep]) -> None:
    assert small_sweeps[0].manifest("swift")["citizens_sha256"] != small_sweeps[0].manifest("sluggish")["citizens_sha256"]


@pytest.mark.parametrize("portal", PORTALS)
def test_every_visit_asks_for_the_same_again(small_sweeps: tuple[Sweep, Sweep], portal: str) -> None:
    def asked(one: Sweep) -> pd.DataFrame:
        walked = ["journey", "visit", "stage", "goal", "step", "request", "hop", "method", "host_owner", "outcome"]
        return rows(one.folder, portal)[walked].sort_values(walked).reset_index(drop=True)

    pd.testing.assert_frame_equal(asked(small_sweeps[0]), asked(small_sweeps[1]))


def test_intended_arrivals_come_again(small_sweeps: tuple[Sweep, Sweep]) -> None:
    def arrivals(one: Sweep) -> pd.Series:
        found = rows(one.folder, "swift")
        first = found[(found["stage"] == "typical") & (found["step"] == "search")].groupby(["journey", "visit"])["intended_us"].min()
        return first - first.min()

    assert arrivals(small_sweeps[0]).to_dict() == arrivals(small_sweeps[1]).to_dict()


def test_swapping_two_speeds_swaps_the_order(small_sweeps: tuple[Sweep, Sweep]) -> None:
    before, after = ({portal: one.scores[portal]["points"] for portal in PORTALS} for one in small_sweeps)
    assert before["swift"] > before["sluggish"]
    assert after["swift"] < after["sluggish"]
