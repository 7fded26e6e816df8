"""Hours of the day in Viet Nam: also over midnight, and one after the other."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from harness.records.permitted_hours import VIETNAM, in_vietnam, next_opening_s, parse_hours, permitted_until_s


def at(clock: str, *, day: int = 21) -> float:
    """Seconds since 1970 of a time of day in Viet Nam."""
    hour, minute = clock.split(":")
    return datetime(2026, 11, day, int(hour), int(minute), tzinfo=VIETNAM).timestamp()


@pytest.mark.parametrize(
    ("hours", "moment", "until"),
    [
        (["22:00-05:00"], at("22:00"), at("05:00", day=22)),
        (["22:00-05:00"], at("04:59", day=22), at("05:00", day=22)),
        (["22:00-05:00"], at("05:00", day=22), None),
        (["22:00-05:00"], at("21:59"), None),
        (["12:00-13:30"], at("12:10"), at("13:30")),
        (["20:00-24:00"], at("23:59"), at("00:00", day=22)),
        (["20:00-24:00"], at("00:00"), None),
        (["22:00-24:00", "00:00-05:00"], at("23:00"), at("05:00", day=22)),
        (["00:00-05:00", "04:00-06:00", "22:00-00:00"], at("23:00"), at("06:00", day=22)),
        (["12:00-13:00", "22:00-05:00"], at("12:30"), at("13:00")),
        (["00:00-24:00"], at("12:30"), math.inf),
        (["06:00-18:00", "18:00-06:00"], at("12:30"), math.inf),
        ([], at("12:30"), math.inf),
    ],
)
def test_when_the_permitted_time_ends(hours: list[str], moment: float, until: float | None) -> None:
    assert permitted_until_s(hours, moment) == until


def test_the_clock_is_that_of_vietnam_wherever_this_machine_stands() -> None:
    midnight_in_hanoi = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
    assert permitted_until_s(["00:00-05:00"], midnight_in_hanoi.timestamp()) == (midnight_in_hanoi + timedelta(hours=5)).timestamp()
    assert permitted_until_s(["00:00-05:00"], midnight_in_hanoi.timestamp() - 1) is None
    assert in_vietnam(midnight_in_hanoi.timestamp()) == "2026-11-22 00:00 +0700"


def test_the_next_opening() -> None:
    assert next_opening_s(["22:00-05:00", "12:00-13:00"], at("13:00")) == at("22:00")
    assert next_opening_s(["22:00-05:00", "12:00-13:00"], at("22:01")) == at("12:00", day=22)
    assert next_opening_s(["22:00-05:00"], at("22:00")) == at("22:00")


@pytest.mark.parametrize(
    "text", ["22-5", "22:00", "22:00 - 05:00", "25:00-05:00", "22:60-05:00", "22:00-24:30", "22:00-22:00", "2:00-5:00", ""]
)
def test_anything_else_is_no_hours(text: str) -> None:
    with pytest.raises(ValueError, match="HH:MM-HH:MM"):
        parse_hours(text)
