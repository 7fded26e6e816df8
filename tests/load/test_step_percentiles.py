"""Exact percentiles of steps for Locust's page, and courses over time that keep every peak."""

from __future__ import annotations

import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.load.ended_steps import EndedStep
from harness.load.outbox import Outbox
from harness.load.peak_history import PeakHistory
from harness.load.step_percentiles import PERCENTS, StepPercentiles
from harness.records import Outcome, WindowKey
from harness.records.fleet_messages import FAILED_STEP, Batch
from harness.statistics.percentile import percentile
from tests.load.fleet import FakeClock

STAGES = ("lone", "warm-up", "typical")
KEYS = tuple(WindowKey("s", 0, "r", number, "p", stage, "w") for number, stage in enumerate(STAGES))
TIMES = st.lists(st.one_of(st.none(), st.integers(0, 60_000_000)), max_size=700)


def sent(box: Outbox, batches: list[Batch]) -> StepPercentiles:
    """What the master makes of it."""
    box.flush()
    found = StepPercentiles()
    for batch in batches:
        found.add(batch.steps)
    return found


def outbox() -> tuple[Outbox, list[Batch]]:
    batches: list[Batch] = []
    return Outbox(batches.append, FakeClock(), "t", KEYS), batches


@given(TIMES, st.integers(0, 40))
def test_percentiles_are_the_nearest_ranks_of_every_step(took_us: list[int | None], turned_away: int) -> None:
    """Milliseconds are rounded after the rank as before it: none is lost but to the eye."""
    box, batches = outbox()
    for each in took_us:
        outcome = Outcome.OK if each is not None else Outcome.WRONG_CONTENT
        box.add_step(2, EndedStep("submit", "file", "submit", each or 0, 0, outcome, 200))
    for _ in range(turned_away):
        box.add_step(2, EndedStep("submit", "", "", 0, 0, Outcome.NOT_SERVED, 0))
    figures = {each.name: each for each in sent(box, batches).figures()}
    if not took_us:
        assert figures == {}
        return
    values = np.array([math.inf if each is None else each for each in took_us] + [math.inf] * turned_away)
    exact = [percentile(values, percent) for percent in PERCENTS]
    assert figures.keys() == {"submit: file/submit"}
    assert figures["submit: file/submit"].percentiles_ms == tuple(
        None if value is None else FAILED_STEP if math.isinf(value) else round(value / 1000) for value in exact
    )
    assert figures["submit: file/submit"].n == len(values)
    assert figures["submit: file/submit"].failed == int(np.isinf(values).sum())


def test_only_stages_that_are_scored_count_and_nothing_of_what_is_ours() -> None:
    box, batches = outbox()
    for number in range(len(STAGES)):
        box.add_step(number, EndedStep("search", "find", "search", 5_000, 0, Outcome.OK, 200))
    for outcome in (Outcome.SKIPPED, Outcome.ABORTED, Outcome.DROPPED):
        box.add_step(2, EndedStep("search", "find", "search", 5_000, 0, outcome, 0))
    (figures,) = sent(box, batches).figures()
    assert (figures.portal, figures.n, figures.failed) == ("p", 2, 1), "a step that was not reached is a failure of the portal"


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99)), min_size=1, max_size=400))
def test_a_history_is_bounded_and_loses_no_peak_and_no_sum(steps: list[tuple[int, int]]) -> None:
    history = PeakHistory(most=20)
    arrived, sums = 0, {}
    for second, (more, in_flight) in enumerate(steps):
        arrived += more
        sums[second] = arrived
        history.add(second, in_flight, arrived)
    points = history.points
    assert len(points) <= 21
    assert max(point[1] for point in points) == max(in_flight for _, in_flight in steps)
    assert [point[2] for point in points] == [sums[int(point[0])] for point in points]
    assert points[-1][0] == len(steps) - 1
    gaps = {after[0] - before[0] for before, after in itertools.pairwise(points)}
    assert len(gaps) <= 2, "all points but the last are as far apart"
