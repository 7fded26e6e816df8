from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness.publish.threshold_track import Thresholds, points_track, thresholds, value_track


@pytest.mark.parametrize(
    ("curve", "ends"),
    [
        ("linear/1 full 0.25 none 1", Thresholds(1.0, 0.25, "track.zero", "track.full")),
        ("linear/1 full 2.5 s none 10 s", Thresholds(10.0, 2.5, "track.zero", "track.full")),
        ("linear/1 full 99 none 90", Thresholds(90.0, 99.0, "track.zero", "track.full")),
        ("log_normal/1 p10 1.2 median 3", Thresholds(3.0, 1.2, "track.half", "track.most")),
        ("bands/1 1 → 1, 2 → 0.5, 5 → 0.25", Thresholds(5.0, 1.0, "track.last_band", "track.first_band")),
        ("bands/1 1 → 1", None),
        ("a curve of tomorrow", None),
    ],
)
def test_the_ends_of_a_curve(curve, ends):
    assert thresholds(curve) == ends


@pytest.mark.parametrize(
    ("value", "mark"),
    [(2.5, 224.0), (10.0, 26.0), (6.25, 125.0), (0.0, "beyond"), (40.0, "beyond"), (None, "cross")],
)
def test_a_value_stands_between_its_thresholds_the_better_the_further_right(scores, value, mark):
    card = scores.scorecards[0]
    criterion = replace(card.criteria[0], curve="linear/1 full 2.5 s none 10 s", unit="s", value=value, value_measured=None)
    svg = value_track(criterion, ("vi",))
    dots = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', svg)]
    if isinstance(mark, float):
        assert dots == [mark]
    elif value == 0.0:
        assert dots == []
        assert "M245 11L235" in svg, "a triangle at the right end: better than drawn"
    else:
        assert dots == []
        assert ("M5 11L15" in svg) is (mark == "beyond")


def test_a_capped_mean_shows_the_scored_value_and_the_measured_one(scores):
    """Scored at the zero point, measured beyond it: a dot at the mark, and a hollow triangle left of it."""
    criterion = replace(scores.scorecards[0].criteria[0], curve="linear/1 full 2.5 none 10", unit="s", value=10.0, value_measured=17.0)
    svg = value_track(criterion, ("vi",))
    assert re.findall(r'<circle cx="([\d.]+)"', svg) == ["26"]
    assert re.search(r'd="M5 11L15[^"]*z" fill="#fff"', svg)


def test_a_criterion_without_points_or_thresholds_has_no_track(scores):
    criterion = scores.scorecards[0].criteria[0]
    assert value_track(replace(criterion, points=None), ("vi",)) == ""
    assert value_track(replace(criterion, curve="a curve of tomorrow"), ("vi",)) == ""
    assert points_track(replace(scores.scorecards[0], points=None), ("vi",)) == ""
