"""The grammar of the metrics in a criteria set.

    metric    ::= figure [ "of" subject ] | sustained | available | "server_cpu"
    figure    ::= "mean" | "p" number | "slowest" "(" integer ")" | "apdex" "(" duration ")" | "ok_rate" | "error_rate"
    subject   ::= "steps" | "visits"
    sustained ::= "sustained" "(" condition { "and" condition } ")"
    condition ::= figure ( "<=" | ">=" ) limit
    limit     ::= duration | percent | number
    available ::= "availability" "(" percent ")"
    duration  ::= number ( "ms" | "s" )
    percent   ::= number "%"
    number    ::= digits [ "." digits ]

Blanks may stand between any two signs. ``mean`` cannot be a condition of ``sustained``: a failure counts in it by the zero
point of a curve. Units of the values: seconds for mean, percentiles and slowest; 0 to 1 for apdex; per cent for
the rates, availability and server_cpu; visits per second for sustained.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Literal

FigureName = Literal["mean", "percentile", "slowest", "apdex", "ok_rate", "error_rate", "sustained", "availability", "server_cpu"]
Subject = Literal["steps", "visits"]

_PLAIN: tuple[FigureName, ...] = ("mean", "slowest", "apdex", "ok_rate", "error_rate")
_UNITS: dict[FigureName, str] = {
    "mean": "s", "percentile": "s", "slowest": "s", "apdex": "", "ok_rate": "%", "error_rate": "%",
    "sustained": "visits/s", "availability": "%", "server_cpu": "%",
}  # fmt: skip
_HIGHER_IS_BETTER: frozenset[FigureName] = frozenset({"apdex", "ok_rate", "sustained", "availability"})
_SHORTEST_S = Decimal("0.000001")
"""Times are whole microseconds."""
_MOST = 1_000_000
"""Of seconds, and of steps (assumed: far above every window)."""
_HIGHEST_PERCENT = Decimal("99.99")
"""Assumed: a higher percentile would need more than 47,000 steps in each window."""
_TOKEN = re.compile(r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<word>[a-z_]+)|(?P<sign><=|>=|[()%]))")


class MetricSyntaxError(ValueError):
    """A text that is not a metric; the message says what was expected and where."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that a load level must meet: a figure and its limit, in the figure's unit."""

    figure: Metric
    at_most: bool
    limit: Decimal

    def __str__(self) -> str:
        return f"{self.figure} {'<=' if self.at_most else '>='} {_plain(self.limit)}{_suffix(self.figure)}"


@dataclass(frozen=True, slots=True)
class Metric:
    """A parsed metric; ``argument`` is the percent, count, seconds or share that its figure takes."""

    figure: FigureName
    argument: Decimal | None = None
    subject: Subject = "steps"
    conditions: tuple[Condition, ...] = ()

    @property
    def unit(self) -> str:
        """The unit of its values: s, %, visits/s, or nothing."""
        return _UNITS[self.figure]

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value gets more points."""
        return self.figure in _HIGHER_IS_BETTER

    @property
    def of_windows(self) -> bool:
        """Whether the value is computed per window, from the window's rows."""
        return self.figure not in {"sustained", "availability", "server_cpu"}

    def __str__(self) -> str:
        of = " of visits" if self.subject == "visits" else ""
        match self.figure:
            case "percentile":
                return f"p{_plain(self.argument)}{of}"
            case "slowest":
                return f"slowest({_plain(self.argument)}){of}"
            case "apdex":
                return f"apdex({_plain(self.argument)} s){of}"
            case "availability":
                return f"availability({_plain(self.argument)} %)"
            case "sustained":
                return f"sustained({' and '.join(map(str, self.conditions))})"
            case _:
                return f"{self.figure}{of}"


@lru_cache(maxsize=256)
def parse_metric(text: str) -> Metric:
    """The metric that ``text`` names. Raises MetricSyntaxError."""
    return _Parser(text).metric()


def require_undecided(figure: Metric, sign: str, bound: Decimal, text: str) -> None:
    """Raise MetricSyntaxError where no load level could miss a bound of a figure, or none could meet it.

    ``bound``: in the figure's unit. ``text``: of the whole, for the message.
    """
    if (sign == "<=") == figure.higher_is_better:
        raise MetricSyntaxError(f"{text!r}: `{figure} {sign}` would pass what is worse; turn the sign round")
    said = f"{text!r}: `{figure} {sign} {_plain(bound)}{_suffix(figure)}` can never be"
    if figure.unit == "s":
        if not _SHORTEST_S <= bound <= _MOST:
            raise MetricSyntaxError(f"{said} {'met' if bound < 1 else 'missed by an answer'}; expected from 1 µs to {_MOST:,} s")
        return
    best = Decimal(1 if figure.figure == "apdex" else 100)
    if figure.higher_is_better and not 0 < bound <= best:
        raise MetricSyntaxError(f"{said} {'met' if bound else 'missed'}; expected more than 0 and at most {best}{_suffix(figure)}")
    if not figure.higher_is_better and bound >= best:
        raise MetricSyntaxError(f"{said} missed; expected less than {best}{_suffix(figure)}")


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._split(text))
        self.at = 0

    def _split(self, text: str) -> list[tuple[str, str, int]]:
        tokens, at = [], 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise MetricSyntaxError(f"{text!r} has a sign that no metric has at position {at + 1}")
            tokens.append((match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup) + 1))
            at = match.end()
        return tokens

    def metric(self) -> Metric:
        word = self._peek()
        if word == "sustained":
            metric = self._sustained()
        elif word == "availability":
            self._take()
            metric = Metric("availability", self._between_brackets("%"))
            require_undecided(Metric("ok_rate"), ">=", metric.argument or Decimal(0), self.text)
        elif word == "server_cpu":
            self._take()
            metric = Metric("server_cpu")
        else:
            metric = self._of(self._figure())
        if self.at < len(self.tokens):
            raise self._expected("the end")
        return metric

    def _of(self, figure: Metric) -> Metric:
        if self._peek() != "of":
            return figure
        self._take()
        return replace(figure, subject="visits") if self._expect("steps", "visits") == "visits" else figure

    def _sustained(self) -> Metric:
        self._take()
        self._expect("(")
        conditions = [self._condition()]
        while self._peek() == "and":
            self._take()
            conditions.append(self._condition())
        self._expect(")")
        return Metric("sustained", conditions=tuple(conditions))

    def _condition(self) -> Condition:
        figure = self._figure()
        if figure.figure == "mean":
            raise MetricSyntaxError(f"{self.text!r}: a mean cannot be a condition; use a percentile, slowest, apdex or a rate")
        sign = self._expect("<=", ">=")
        limit = self._limit(figure.unit)
        require_undecided(figure, sign, limit, self.text)
        return Condition(figure, sign == "<=", limit)

    def _figure(self) -> Metric:
        word = self._take()
        if word == "p" and self._kind() == "number":
            percent = Decimal(self._take())
            if not 0 < percent <= _HIGHEST_PERCENT:
                raise MetricSyntaxError(
                    f"{self.text!r}: a percentile lies between p0 and p100, at most at p{_HIGHEST_PERCENT}, not at p{percent}"
                )
            return Metric("percentile", percent)
        if word == "slowest":
            count = self._between_brackets("")
            if not 1 <= count <= _MOST or count != int(count):
                raise MetricSyntaxError(f"{self.text!r}: slowest takes a whole number of steps up to {_MOST:,}, for example slowest(50)")
            return Metric("slowest", count)
        if word == "apdex":
            seconds = self._between_brackets("s")
            if not _SHORTEST_S <= seconds <= _MOST:
                raise MetricSyntaxError(
                    f"{self.text!r}: apdex takes a duration above 0, from 1 µs to {_MOST:,} s, for example apdex(2.5 s)"
                )
            return Metric("apdex", seconds)
        for figure in _PLAIN:
            if word == figure:
                return Metric(figure)
        self.at -= 1  # it points at the word
        raise self._expected(
            "one of mean, p<number>, slowest(n), apdex(T), ok_rate, error_rate, sustained(…), availability(x %), server_cpu"
        )

    def _between_brackets(self, unit: str) -> Decimal:
        self._expect("(")
        value = self._limit(unit)
        self._expect(")")
        return value

    def _limit(self, unit: str) -> Decimal:
        if self._kind() != "number":
            raise self._expected("a number")
        value = Decimal(self._take())
        if not unit:
            return value
        return value / 1000 if self._expect(*(("s", "ms") if unit == "s" else (unit,))) == "ms" else value

    def _kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _take(self) -> str:
        value = self._peek()
        self.at += 1
        return value

    def _expect(self, *signs: str) -> str:
        """One of these signs, which is taken."""
        if self._peek() not in signs:
            raise self._expected(" or ".join(f"`{sign}`" for sign in signs))
        return self._take()

    def _expected(self, expected: str) -> MetricSyntaxError:
        place = f"`{self._peek()}` at position {self.tokens[self.at][2]}" if self.at < len(self.tokens) else "the end"
        return MetricSyntaxError(f"{self.text!r}: {place} where {expected} should stand")


def _plain(number: Decimal | None) -> str:
    assert number is not None
    return format(number.normalize(), "f")


def _suffix(metric: Metric) -> str:
    return f" {metric.unit}" if metric.unit else ""
