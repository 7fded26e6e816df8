"""Numbers of command lines: each is finite and within a range, on every command."""

from __future__ import annotations

import argparse
from typing import Any

import click
import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.operations.number_options import PORT, RATE, SEED_NUMBER, WAIT_S, Duration, Number, Seed, WholeNumber, of_argument

STRANGE = ("nan", "NaN", "-nan", "inf", "-inf", "Infinity", "1e400", "9" * 400, "9" * 400 + "d", "9" * 30, "9" * 30 + "h", "")


def numbers() -> list[Any]:
    """Options and arguments that take a number, of every command."""
    return [
        pytest.param(each, id=f"{name}-{each.name}")
        for name, command in main.commands.items()
        for each in command.params
        if isinstance(each.type, click.types.IntParamType | click.types.FloatParamType | Duration)
    ]


def test_the_commands_have_numbers() -> None:
    assert len(numbers()) > 30


@pytest.mark.parametrize("option", numbers())
def test_every_number_is_finite_and_in_a_range(option: click.Parameter) -> None:
    assert isinstance(option.type, Number | WholeNumber | Seed | Duration)
    assert isinstance(option.type, Seed | Duration) or None not in (option.type.min, option.type.max)
    for text in STRANGE:
        with pytest.raises(click.BadParameter):
            option.type.convert(text, option, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("capacity", "ordinary", "--objective", "p95 <= 3 s", "--max-rate", "nan"),
            "Invalid value for '--max-rate': nan is not a number.",
        ),
        (("capacity", "ordinary", "--objective", "p95 <= 3 s", "--start", "nan"), "'--start'"),
        (("capacity", "ordinary", "--objective", "p95 <= 3 s", "--resolution", "nan", "--dry-run"), "'--resolution'"),
        (("capacity", "ordinary", "--objective", "p95 <= 3 s", "--most-levels", "9" * 12, "--dry-run"), "1<=x<=1000"),
        (("doctor", "--watch", "nan"), "'--watch'"),
        (("init", "new", "--platform", "liferay", "--requests-per-s", "nan"), "'--requests-per-s'"),
        (("gc", ".", "--keep-days", "inf"), "'--keep-days'"),
        (("probe", "fast", "--every", "9" * 400 + "s"), "at most 366d"),
        (("run", "fast", "--workload", "smoke", "--seed", "9" * 30), "'--seed'"),
        (("serve", "--port", "70000"), "0<=x<=65535"),
    ],
)
def test_a_wrong_number_ends_with_2_and_names_the_option(arguments: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2, result.output
    assert said in result.output.splitlines()[-1]


def test_the_same_types_serve_the_options_of_locust() -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--seed", type=of_argument(SEED_NUMBER))
    parser.add_argument("--within", type=of_argument(WAIT_S))
    assert vars(parser.parse_args(["--seed", "-7", "--within", "1.5"])) == {"seed": -7, "within": 1.5}
    with pytest.raises(argparse.ArgumentError, match="nan is not a number"):
        parser.parse_args(["--within", "nan"])
    with pytest.raises(argparse.ArgumentError, match="not in the range"):
        parser.parse_args(["--seed", str(2**53)])


def test_numbers_that_are_meant_pass() -> None:
    assert (RATE.convert("0.5", None, None), PORT.convert("0", None, None), SEED_NUMBER.convert(str(2**53 - 1), None, None)) == (
        0.5,
        0,
        2**53 - 1,
    )
    assert [Duration().convert(text, None, None) for text in ("30s", "1.5h", "7d")] == [30.0, 5400.0, 604800.0]
