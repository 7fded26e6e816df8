from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.statistics.metric import MetricSyntaxError, parse_metric

GOOD = {
    "mean": ("mean", "s", False),
    "mean of visits": ("mean of visits", "s", False),
    "p95": ("p95", "s", False),
    "p 99.90 of steps": ("p99.9", "s", False),
    "slowest( 50 )": ("slowest(50)", "s", False),
    "apdex(2500ms)": ("apdex(2.5 s)", "", True),
    "ok_rate of visits": ("ok_rate of visits", "%", True),
    "error_rate": ("error_rate", "%", False),
    "availability(50%)": ("availability(50 %)", "%", True),
    "server_cpu": ("server_cpu", "%", False),
    "sustained(p95<=10s and error_rate<=3%)": ("sustained(p95 <= 10 s and error_rate <= 3 %)", "visits/s", True),
    "sustained(apdex(1 s) >= 0.85)": ("sustained(apdex(1 s) >= 0.85)", "visits/s", True),
}


@pytest.mark.parametrize("text", GOOD)
def test_a_metric_is_read_and_printed_in_one_form(text):
    printed, unit, higher = GOOD[text]
    metric = parse_metric(text)
    assert (str(metric), metric.unit, metric.higher_is_better) == (printed, unit, higher)
    assert parse_metric(printed) == metric


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "one of mean"),
        ("median", "`median` at position 1"),
        ("p", "one of mean"),
        ("p0", "between p0 and p100"),
        ("p100", "between p0 and p100"),
        ("mean of cats", "`cats` at position 9 where `steps` or `visits`"),
        ("mean mean", "where the end should stand"),
        ("slowest", "where `(` should stand"),
        ("slowest(0)", "whole number"),
        ("slowest(2.5)", "whole number"),
        ("apdex(0 s)", "above 0"),
        ("apdex(2)", "`s` or `ms`"),
        ("apdex(2 %)", "`s` or `ms`"),
        ("availability(50)", "where `%` should stand"),
        ("sustained()", "one of mean"),
        ("sustained(mean <= 2 s)", "a mean cannot be a condition"),
        ("sustained(ok_rate <= 3 %)", "turn the sign round"),
        ("sustained(p95 >= 3 s)", "turn the sign round"),
        ("sustained(p95 <= 0 s)", "can never be met; expected from 1 µs"),
        ("sustained(p95 <= 3 s and error_rate <= 100 %)", "can never be missed; expected less than 100 %"),
        ("sustained(ok_rate >= 0 %)", "can never be missed"),
        ("sustained(apdex(2 s) >= 1.1)", "can never be met; expected more than 0 and at most 1"),
        ("availability(0 %)", "can never be missed"),
        ("availability(101 %)", "can never be met"),
        ("p99.999999999999999999", "at most at p99.99"),
        ("sustained(p95 3 s)", "`<=` or `>=`"),
        ("sustained(p95 <= fast)", "a number"),
        ("mean; drop", "a sign that no metric has"),
    ],
)
def test_what_is_no_metric_says_where_and_what_was_expected(text, says):
    with pytest.raises(MetricSyntaxError) as caught:
        parse_metric(text)
    assert says in str(caught.value)


@given(st.text(alphabet="aeinmopdx0123456789.()<=% sv_", max_size=30))
def test_no_text_breaks_the_parser(text):
    try:
        metric = parse_metric(text)
    except MetricSyntaxError:
        return
    assert parse_metric(str(metric)) == metric


def test_milliseconds_become_seconds():
    assert parse_metric("apdex(1500 ms)").argument == Decimal("1.5")
