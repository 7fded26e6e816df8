"""What a portal must meet at a load level, as a person writes it: ``p95 <= 10 s and error_rate <= 3 %``.

    objective ::= limit { "and" limit }
    limit     ::= metric ( "<=" | ">=" ) number [ unit ] [ "at" step ]
    unit      ::= "ms" | "s" | "%"
    step      ::= the name of a step, for example submit

A metric is one of a criteria set (``harness.statistics.metric``) that has a value in a window. A limit without a step holds for
every step that at least half of the visits reach.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from harness.errors import did_you_mean
from harness.statistics.metric import Metric, MetricSyntaxError, parse_metric, require_undecided
from harness.statistics.percentile import percentile_floor

_LIMIT = re.compile(r"(?P<metric>.+?)\s*(?P<sign><=|>=)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[^\s\d]+)?(?:\s+at\s+(?P<step>[\w-]+))?")
_METRICS = ("p95", "p90", "p99", "p50", "mean", "slowest(50)", "apdex(2.5 s)", "ok_rate", "error_rate")
_EXPECTED = "a metric, <= or >=, a number and its unit, for example `p95 <= 10 s`, `error_rate <= 3 %` or `p95 <= 20 s at submit`"


class ObjectiveSyntaxError(ValueError):
    """A text that is not an objective; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class ObjectiveLimit:
    """One limit: a metric and its bound in the metric's unit, at one step or at every step."""

    metric: Metric
    at_most: bool
    bound: Decimal
    step: str = ""  # empty: every step

    @property
    def least_values(self) -> int:
        """How many values it needs: the floor of its percentile, the count of ``slowest``, and at least one."""
        argument = self.metric.argument or 0
        match self.metric.figure:
            case "percentile":
                return percentile_floor(argument)
            case "slowest":
                return int(argument)
            case _:
                return 1

    def is_met_by(self, value: float | None) -> bool:
        """Whether a value meets it; a value that could not be computed does not."""
        if value is None:
            return False
        bound = float(self.bound)
        return value <= bound if self.at_most else value >= bound

    def __str__(self) -> str:
        unit = f" {self.metric.unit}" if self.metric.unit else ""
        at = f" at {self.step}" if self.step else ""
        return f"{self.metric} {'<=' if self.at_most else '>='} {self.bound.normalize():f}{unit}{at}"


@dataclass(frozen=True, slots=True)
class Objective:
    """Limits that all have to be met."""

    limits: tuple[ObjectiveLimit, ...]

    @property
    def least_values(self) -> int:
        """How many values of a step one level needs: those of its most demanding limit."""
        return max(limit.least_values for limit in self.limits)

    def __str__(self) -> str:
        return " and ".join(map(str, self.limits))


def parse_objective(text: str) -> Objective:
    """The objective that ``text`` says. Raises ObjectiveSyntaxError."""
    return Objective(tuple(_limit(part.strip()) for part in re.split(r"\band\b", text)))


def _limit(text: str) -> ObjectiveLimit:
    found = _LIMIT.fullmatch(text)
    if found is None:
        raise ObjectiveSyntaxError(f"{text!r} is no limit; expected {_EXPECTED}")
    metric = _metric(found["metric"])
    unit, bound = found["unit"] or "", Decimal(found["number"])
    units = {"s": ("s", "ms"), "%": ("%",), "": ("",)}[metric.unit]
    if unit not in units:
        expected = " or ".join(units) if metric.unit else "no unit"
        raise ObjectiveSyntaxError(f"{text!r}: {unit or 'no unit'} where {expected} should stand after {found['number']}")
    if metric.subject == "visits" and found["step"]:
        raise ObjectiveSyntaxError(f"{text!r}: a whole visit has no step; leave out `of visits` or `at {found['step']}`")
    bound = bound / 1000 if unit == "ms" else bound
    try:
        require_undecided(metric, found["sign"], bound, text)
    except MetricSyntaxError as error:
        raise ObjectiveSyntaxError(str(error)) from error
    return ObjectiveLimit(metric, found["sign"] == "<=", bound, found["step"] or "")


def _metric(text: str) -> Metric:
    try:
        metric = parse_metric(text)
    except MetricSyntaxError as error:
        raise ObjectiveSyntaxError(f"{error}. {did_you_mean(text, _METRICS)}".rstrip()) from error
    if not metric.of_windows:
        raise ObjectiveSyntaxError(f"{metric} has no value at one load level; expected one of {', '.join(_METRICS)}")
    return metric
