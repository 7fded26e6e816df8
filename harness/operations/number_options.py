"""The numbers of command lines, those of ``harness`` and those that it adds to Locust's: finite, and between a least and a most.

The bounds have no source. They are assumed: far above what anybody needs, and below what a clock, a date or this machine can hold.
"""

from __future__ import annotations

import math
import re
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any, ClassVar

import click

_Parameter = click.Parameter | None
_Context = click.Context | None
_DAY_S = 86_400


class Number(click.FloatRange):
    """A number between two that are finite. No comparison refuses nan, so it is asked for by itself."""

    def __init__(self, least: float, most: float, *, above: bool = False) -> None:
        """``above``: the least itself is left out."""
        super().__init__(least, most, min_open=above)

    def convert(self, value: Any, param: _Parameter, ctx: _Context) -> Any:
        """The number of a text."""
        found = super().convert(value, param, ctx)
        if math.isnan(found):
            self.fail(f"{value} is not a number.", param, ctx)
        return found


class WholeNumber(click.IntRange):
    """A whole number between two others."""

    def __init__(self, least: int, most: int) -> None:
        super().__init__(least, most)


class Seed(click.types.IntParamType):
    """A whole number that every reader of JSON keeps exactly."""

    most: ClassVar = 2**53 - 1

    def convert(self, value: Any, param: _Parameter, ctx: _Context) -> Any:
        """The number of a text."""
        found = super().convert(value, param, ctx)
        if abs(found) > self.most:
            self.fail(f"{str(value)[:40]} is not in the range -{self.most} to {self.most}.", param, ctx)
        return found


class Duration(click.ParamType[float]):
    """A number with a unit, s, m, h or d: 30s, 5m, 1.5h. Its value is in seconds."""

    name = "duration"
    _UNITS: ClassVar = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

    def __init__(self, most_days: int = 366) -> None:
        self.most_days = most_days

    def convert(self, value: Any, param: _Parameter, ctx: _Context) -> float:
        """The seconds of a text; a number is taken for seconds already."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd])", value)
        seconds = float(found[1]) * self._UNITS[found[2]] if found else 0.0
        if not 0 < seconds <= self.most_days * _DAY_S:
            expected = f"a number above 0 and a unit, at most {self.most_days}d, for example 30s, 5m or 12h"
            self.fail(f"{value[:40]!r} is no duration; expected {expected}", param, ctx)
        return seconds


SEED_NUMBER = Seed()
PORT = WholeNumber(0, 65_535)
WORKER_COUNT = WholeNumber(1, 100_000)
WORKERS_OR_NONE = WholeNumber(0, 100_000)
CITIZENS = WholeNumber(1, 1_000_000)
CITIZENS_OR_NONE = WholeNumber(0, 1_000_000)
DOSSIERS = WholeNumber(1, 10_000_000)
RATE = Number(0, 100_000, above=True)  # visits or requests a second
RATE_OR_NONE = Number(0, 100_000)
WAIT_S = Number(1, _DAY_S)


def of_argument(kind: click.ParamType[Any]) -> Callable[[str], Any]:
    """A type of click as one of argparse."""

    def parsed(text: str) -> Any:
        try:
            return kind.convert(text, None, None)
        except click.BadParameter as error:
            raise ArgumentTypeError(error.message) from error

    return parsed
