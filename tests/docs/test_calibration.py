"""docs/calibration.md names the cases, limits, controls and certificate fields that the program has."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from harness.load.reference_server import DELAYS_MS
from harness.operations.calibration.instrument import CASES, PERCENTILES, CalibrationLimits

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "calibration.md").read_text(encoding="utf-8")


def test_every_case_is_described() -> None:
    described = set(re.findall(r"`([a-z]+-\d+)`", PAGE.split("## What is compared", 1)[1].split("## What each", 1)[0]))
    assert described == {case.name for case in CASES}
    assert all(case.duration_s == 20 for case in CASES)
    assert len(CASES) == 6


def test_limits_are_those_of_the_program() -> None:
    limits = CalibrationLimits()
    assert len(fields(CalibrationLimits)) == 6  # a new limit has to be described
    assert f"| p50, p95, p99 | {limits.percentile_share:.0%} or {limits.percentile_ms:g} ms".replace("1%", "1 %") in PAGE
    assert f"| maximum | {limits.maximum_share:.0%} or {limits.maximum_ms:g} ms".replace("2%", "2 %") in PAGE
    assert f"| lateness, median | {limits.lateness_median_ms:g} ms" in PAGE
    assert "| arrival rate | 1 % |" in PAGE
    assert limits.rate_share == 0.01
    assert PERCENTILES == (50, 95, 99)


def test_the_reference_is_as_described() -> None:
    assert f"{DELAYS_MS[0]}, {DELAYS_MS[1]} and {DELAYS_MS[2]} ms" in PAGE
