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


def test_the_last_bounds_that_say_something() -> None:
    found = parse_objective("ok_rate >= 100 % and error_rate <= 0 % and apdex(2.5 s) >= 1 and p95 <= 0.001 ms")
    assert [each.bound for each in found.limits] == [100, 0, 1, Decimal("0.000001")]


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
        ("ok_rate >= 0 %", "can never be missed; expected more than 0 and at most 100 %"),
        ("ok_rate of visits >= 100.1 %", "can never be met"),
        ("error_rate <= 100 %", "can never be missed; expected less than 100 %"),
        ("error_rate <= 101 %", "can never be missed"),
        ("p95 <= 0 s", "can never be met; expected from 1 µs"),
        ("slowest(50) <= 0.0001 ms", "can never be met"),
        (f"p95 <= {'9' * 400} s", "can never be missed by an answer"),
        ("apdex(2.5 s) >= 2", "can never be met; expected more than 0 and at most 1"),
        ("apdex(2.5 s) >= 0", "can never be missed"),
        ("p99.99999999 <= 3 s", "at most at p99.99"),
        (f"slowest({'9' * 30}) <= 3 s", "a whole number of steps up to 1,000,000"),
        ("mean of visits <= 3 s at submit", "a whole visit has no step; leave out `of visits` or `at submit`"),
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
