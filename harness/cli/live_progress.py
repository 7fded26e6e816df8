"""Progress of a measurement on stderr: what happens, line by line, and how the sweep stands, again and again."""

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
    """Prints lines, and between them a line that says how the sweep stands: on a terminal it is rewritten, in a pipe it comes anew.

    A context: at its end the rewritten line is gone. ``quiet``: nothing is printed.
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
        """Print how a sweep stands until this ends; runs in a thread beside it. What an earlier attempt has left is no news."""
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
        """Print a text in the place of the rewritten line. A terminal or a reader that has gone does not end the sweep."""
        if not self._quiet:
            with self._printing, suppress(OSError):
                click.echo(f"\r\x1b[K{text}" if self._rewrites else text, nl=False, err=True)
