from __future__ import annotations

from decimal import Decimal

import pytest

from harness.statistics.objective import ObjectiveSyntaxError, parse_objective


def test_limits_with_units_steps_and_visits() -> None:
    found = parse_objective("p95 <= 900 ms and error_rate of visits <= 3 % and apdex(2.5 s)>=0.9 at submit")
    assert [(str(each.metric), each.at_most, each.bound, each.step) for each in found.limits] == [
        ("p95", True, Decimal("0.9"), ""),
        ("error_rate of visits", True, Decimal(3), ""),
        ("apdex(2.5 s)", False, Decimal("0.9"), "submit"),
    ]
    assert str(found) == "p95 <= 0.9 s and error_rate of visits <= 3 % and apdex(2.5 s) >= 0.9 at submit"
    assert parse_objective(str(found)) == found


@pytest.mark.parametrize(
    ("text", "least"), [("p95 <= 1 s", 93), ("error_rate <= 3 %", 1), ("p99 <= 1 s and p90 <= 1 s", 473), ("slowest(500) <= 9 s", 500)]
)
def test_the_least_values_are_those_of_the_most_demanding_limit(text: str, least: int) -> None:
    assert parse_objective(text).least_values == least


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("p95 < 3 s", "'p95 < 3 s' is no limit; expected a metric, <= or >=, a number and its unit"),
        ("eror_rate <= 3 %", "Did you mean `error_rate`"),
        ("p95 <= 3", "no unit where s or ms should stand after 3"),
        ("p95 <= 3 %", "% where s or ms should stand"),
        ("error_rate <= 3", "no unit where % should stand"),
        ("apdex(2 s) >= 0.9 s", "s where no unit should stand"),
        ("ok_rate <= 97 %", "would pass what is worse; turn the sign round"),
        ("availability(95 %) >= 99 %", "has no value at one load level; expected one of p95"),
        ("p95 <= 3 s and", "'' is no limit"),
        ("", "'' is no limit"),
        ("p95 <= 3 s of search", "is no limit"),
    ],
)
def test_errors_say_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(ObjectiveSyntaxError) as error:
        parse_objective(text)
    assert said in str(error.value)


def test_a_value_that_is_not_known_meets_nothing() -> None:
    at_most, at_least = parse_objective("p95 <= 1 s and ok_rate >= 97 %").limits
    assert at_most.is_met_by(1.0)
    assert not at_most.is_met_by(1.0001)
    assert not at_most.is_met_by(float("inf"))
    assert not at_most.is_met_by(None)
    assert at_least.is_met_by(97.0)
    assert not at_least.is_met_by(96.9)
