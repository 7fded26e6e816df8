"""Progress from a Locust process: shown line by line, dropped rather than waited for."""

from __future__ import annotations

import json
import logging
import os

import pytest

from harness.operations.progress import MOST_BYTES, ProgressPipe, show_progress


@pytest.fixture
def pipe():
    """A logger that writes to a pipe, and the pipe's two ends; each test closes what it leaves open."""
    readable, writable = os.pipe()
    logger = logging.getLogger("tests.progress")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    handler = ProgressPipe(writable)
    logger.addHandler(handler)
    yield logger, readable, writable
    logger.removeHandler(handler)


def shown(readable: int, writable: int) -> list[str]:
    os.close(writable)
    lines: list[str] = []
    show_progress(readable, lines.append)
    return lines


def test_lines_are_shown_in_order_without_debug(pipe) -> None:
    logger, readable, writable = pipe
    logger.info("round %s of %s", 1, 2)
    logger.debug("not for people")
    logger.error("vòng 2\nfailed")
    assert shown(readable, writable) == ["round 1 of 2", "vòng 2\nfailed"]


def test_a_full_pipe_drops_whole_lines_and_never_blocks(pipe) -> None:
    logger, readable, writable = pipe
    for number in range(10_000):  # far more than a pipe holds: a write that waited would never return
        logger.info("line %s of many", number)
    lines = shown(readable, writable)
    assert 100 < len(lines) < 10_000
    assert lines == [f"line {number} of many" for number in range(len(lines))]


@pytest.mark.parametrize("character", ["x", "ạ", "😀", '"'])
def test_a_long_line_is_shortened(pipe, character: str) -> None:
    logger, readable, writable = pipe
    logger.info(character * 100_000)
    (line,) = shown(readable, writable)
    assert line.strip(character) == "…"
    assert 300 < len(json.dumps(line)) < MOST_BYTES


def test_a_reader_that_has_gone_is_no_error(pipe) -> None:
    logger, readable, writable = pipe
    os.close(readable)
    logger.info("nobody reads this")
    os.close(writable)
