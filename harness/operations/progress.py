"""What a Locust process says while it measures: JSON lines in a pipe to the `harness` that started it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress

PROGRESS_FD = "HARNESS_PROGRESS_FD"
"""The environment variable with the descriptor of the pipe's end to write to."""

MOST_BYTES = 4096
"""The most bytes of one line. Linux writes so many to a pipe at once or, if the pipe is full, none of them."""
_MOST_CHARACTERS = (MOST_BYTES - 100) // 12
"""To these a longer text is cut. JSON takes at most 12 bytes for a character, as a pair of \\uXXXX; 100 bytes are left for all else of the line."""


class ProgressPipe(logging.Handler):
    """Writes each record as one JSON line. A full or closed pipe never blocks Locust: the line is dropped, the log has it."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(logging.INFO)
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, shortened where it is too long."""
        with suppress(OSError):  # full, or closed by a reader that has ended
            os.write(self._descriptor, _line(record.levelname, record.getMessage()))


def _line(level: str, text: str) -> bytes:
    line = json.dumps({"level": level, "text": text}).encode() + b"\n"
    return line if len(line) <= MOST_BYTES else _line(level, text[:_MOST_CHARACTERS] + "…")


def show_progress(descriptor: int, show: Callable[[str], None]) -> None:
    """Show every line of the pipe until all who write to it have ended."""
    with os.fdopen(descriptor, encoding="utf-8") as lines:
        for line in lines:
            show(json.loads(line)["text"])
