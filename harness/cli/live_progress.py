"""Progress of a measurement on stderr: a line for each event, and a status line that is renewed."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, Lock
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import click

from harness.errors import EvidenceError, visible

if TYPE_CHECKING:
    from harness.evidence import SweepFolder
    from harness.evidence.reasons import Language

TERMINAL_EVERY_S: Final = 1.0
PIPE_EVERY_S: Final = 5.0


class LiveProgress:
    """Prints a line for each event, and between them a status line of the sweep.

    A terminal has one status line, which is rewritten. A pipe gets a new one each time. ``quiet``: nothing is printed.
    Use it as a context manager: its end clears the status line.
    """

    def __init__(self, language: Language, *, quiet: bool = False) -> None:
        self._language, self._quiet = language, quiet
        self._rewrites = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._ended, self._printing = Event(), Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._print("")

    def __call__(self, line: str) -> None:
        """Print what has happened."""
        self._print(f"· {visible(line)}\n")

    def follow(self, folder: SweepFolder, _process: int) -> None:
        """Print the status of a sweep until the context ends; runs in a thread. A state that an earlier attempt left is not printed."""
        from harness.publish.live_words import live_line
        from harness.records.live_state import read_live

        begun, every_s = datetime.now(UTC), TERMINAL_EVERY_S if self._rewrites else PIPE_EVERY_S
        while not self._quiet and not self._ended.wait(every_s):
            with suppress(EvidenceError):  # the news cannot be read; the sweep goes on
                state = read_live(folder.path)
                if state is not None and not state.has_ended() and datetime.fromisoformat(state.at_utc) >= begun:
                    width = shutil.get_terminal_size().columns - 3 if self._rewrites else 1000
                    self._print(f"· {live_line(state, self._language, width=width)}"[: width + 2] + ("" if self._rewrites else "\n"))

    def _print(self, text: str) -> None:
        """Print a text in place of the status line. The sweep goes on if the terminal or the reader has gone."""
        if not self._quiet:
            with self._printing, suppress(OSError):
                click.echo(f"\r\x1b[K{text}" if self._rewrites else text, nl=False, err=True)
