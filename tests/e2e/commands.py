"""The console scripts as a user starts them: in a folder of their own, ended by signals, watched from outside."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from click.testing import CliRunner

from harness.cli import main
from harness.operations.shipped import scenarios_folder
from harness.records import LONE

BESIDE_PYTHON = Path(sys.executable).parent
HARNESS = str(BESIDE_PYTHON / "harness")
LOCUST = (str(BESIDE_PYTHON / "locust"), "-f", str(scenarios_folder()))  # in a folder without locust.conf: what is safe must not hang on it
LONGEST_S = 240.0  # a hang is a failure; nothing is judged by its duration


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both streams, for a failure's message."""
        return f"exit code {self.code}\n{self.out[-4000:]}\n{self.err[-4000:]}"


@dataclass
class Running:
    """A command in a process group of its own, its words in a file."""

    process: subprocess.Popen[bytes]
    log: Path
    _seen: set[int] = field(default_factory=set)

    @property
    def said(self) -> str:
        """Everything so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def errors(self) -> list[str]:
        """The last lines of the tracebacks that it printed, without Ctrl-C's own: gevent prints one where that meets the event loop at work."""
        ends = re.findall(r"^Traceback \(most recent call last\):\n(?:[ \t].*\n)*(.+)$", self.said, re.MULTILINE)
        assert len(ends) == self.said.count("Traceback")
        return [end for end in ends if end != "KeyboardInterrupt"]

    def interrupt(self) -> None:
        """Ctrl-C at a terminal: SIGINT to the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def ended(self) -> int:
        """The exit code, once it has ended."""
        return self.process.wait(timeout=LONGEST_S)

    def until(self, condition: Callable[[], object], what: str, at_most_s: float = 90.0) -> None:
        """Wait until something holds; fails where the process ends before or the time is up."""
        end_s = time.monotonic() + at_most_s
        while not condition():
            assert self.process.poll() is None, f"it ended while waiting for {what}:\n{self.said[-4000:]}"
            assert time.monotonic() < end_s, f"{what} did not come within {at_most_s:g} s:\n{self.said[-4000:]}"
            time.sleep(0.1)

    def listening(self) -> set[tuple[str, int]]:
        """(address, port) of every TCP socket that this process and its descendants listen on now."""
        found: set[tuple[str, int]] = set()
        family = [psutil.Process(self.process.pid)]
        with suppress(psutil.NoSuchProcess):
            family += family[0].children(recursive=True)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                for connection in process.net_connections(kind="tcp"):
                    if connection.status == psutil.CONN_LISTEN:
                        found.add((connection.laddr.ip, connection.laddr.port))
        return found


def run(command: Sequence[str], folder: Path, **environment: str) -> Finished:
    """Carry a command out in ``folder`` to its end."""
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=LONGEST_S, check=False, stdin=subprocess.DEVNULL, env={**os.environ, **environment}
    )  # fmt: skip
    return Finished(result.returncode, result.stdout, result.stderr)


def harness(folder: Path, *arguments: str) -> Finished:
    """``harness …`` in ``folder``, as a process."""
    return run([HARNESS, *arguments], folder)


def invoke(folder: Path, *arguments: str) -> Finished:
    """``harness …`` in ``folder``, within this process: for commands that start no other. An exception that it lets out is ours, too."""
    with chdir(folder):
        result = CliRunner().invoke(main, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Finished(result.exit_code, result.stdout, result.stderr)


@contextmanager
def started(command: Sequence[str], folder: Path) -> Iterator[Running]:
    """A command under way; whatever is left of its process group is ended afterwards."""
    log = folder / "said.log"
    with log.open("wb") as words:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=words, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield Running(process, log)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)


def tidy(text: str) -> str:
    """Without the colours of a terminal and with its line breaks folded: for looking up phrases."""
    return re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m", "", text))


def free_port() -> str:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def spooled(results: Path, bytes_: int) -> bool:
    """Whether a loaded round under way has so many bytes of rows: then it is in full swing. Walks of lone citizens are kept whole, and large."""
    sizes = []
    for path in results.glob("*/spool/*.msgpack"):
        with suppress(FileNotFoundError):
            planned = (path.parents[1] / "rounds" / f"{path.stem}.planned.json").read_text(encoding="utf-8")
            if f'"stage": "{LONE}"' not in planned:
                sizes.append(path.stat().st_size)
    return max(sizes, default=0) > bytes_
