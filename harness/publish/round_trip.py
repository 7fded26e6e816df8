"""The points that a portal would have if the network took no time. They are shown beside the points and never used as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from harness.catalog.criteria_set import CriteriaSet
from harness.records import STEP_KEYS, VISIT_KEYS, VISIT_ROW
from harness.scoring.card import RunEvidence, score_sweep

_VISIT = ["run", *VISIT_KEYS]
_STEP = ["run", *STEP_KEYS]


def points_at_zero_round_trip(runs: Sequence[RunEvidence], rows: Mapping[str, pd.DataFrame], criteria: CriteriaSet) -> dict[str, float]:
    """Points by portal from rows without their round trips; portals without points are left out.

    ``rows`` holds whole rows by portal; they are read one portal at a time.
    """
    without = [replace(run, rows=lambda portal=run.portal.id: at_zero_round_trip(rows[portal])) for run in runs if run.portal.id in rows]
    return {card.portal: card.points for card in score_sweep("", without, criteria).scorecards if card.points is not None}


def at_zero_round_trip(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with each request shortened by the round trips that it needs at least.

    A host's round trip is the median of its TCP handshakes in the window; a handshake takes one round trip (RFC 9293, 3.5).
    A request takes one for itself, one more on a new connection, and one more for TLS (RFC 8446, 2). TLS 1.2 takes two and
    slow start takes more; both are left out, so the result underestimates the saving. Later requests of a step, and the end
    of its visit, begin earlier by the time saved before them. No duration falls below zero.
    """
    ordered = rows.sort_values([*_STEP, "request", "hop"], kind="stable")
    requests = ordered["request"] != VISIT_ROW
    saved = _saved_us(ordered).where(requests, 0)
    up_to_here = saved.groupby([ordered[name] for name in _STEP], observed=True).cumsum()
    whole_visit = saved.groupby([ordered[name] for name in _VISIT], observed=True).transform("sum")
    earlier = (up_to_here - saved).where(requests, 0)
    moved = {
        "intended_us": ordered["intended_us"] - earlier,
        "start_us": ordered["start_us"] - earlier,
        "end_us": ordered["end_us"] - up_to_here.where(requests, whole_visit),
    }
    changed = {name: column.where(ordered[name] > 0, ordered[name]).astype("int64") for name, column in moved.items()}
    return ordered.assign(**changed).loc[rows.index]


def _saved_us(rows: pd.DataFrame) -> pd.Series:
    """Microseconds of round trips in each request that was sent and has ended."""
    handshakes = rows["connect_us"].where(rows["connect_us"] > 0)
    round_trip = handshakes.groupby([rows["window"], rows["host"]], observed=True).transform("median").fillna(0)
    trips = 1 + (rows["connect_us"] > 0).astype("int64") + (rows["tls_us"] > 0).astype("int64")
    took = (rows["end_us"] - rows["start_us"]).where((rows["start_us"] > 0) & (rows["end_us"] > 0), 0).clip(lower=0)
    return (round_trip * trips).clip(upper=took).astype("int64")
