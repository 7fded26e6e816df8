"""Where a sweep's master listens for workers on other machines, and how many it expects; checked before anything is started."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from pathlib import Path

from harness.errors import EnvironmentFault, Problem, UsageError
from harness.load.member_keys import keys_of_end, require_keys
from harness.origins import is_loopback_host

ANY_ADDRESS = ("0.0.0.0", "*")  # noqa: S104  (what a user may write; the channel admits members only)


@dataclass(frozen=True, slots=True)
class Listening:
    """A master's address for workers elsewhere."""

    host: str
    port: int
    expected: int  # workers elsewhere, before the first round
    within_s: float
    keys: Path | None = None  # of the master; None on loopback only

    @property
    def local_host(self) -> str:
        """Where workers on this machine reach the master."""
        return "127.0.0.1" if self.host in ANY_ADDRESS else self.host

    @property
    def on_loopback(self) -> bool:
        """Whether only processes of this machine can connect."""
        return is_loopback_host(self.host)

    def options(self, workers: int) -> list[str]:
        """Locust's options for a master that listens here and has so many workers of its own."""
        own = ["--processes", str(workers)] if workers else ["--master", "--expect-workers", "1"]
        return [
            *own, "--master-bind-host", self.host, "--master-bind-port", str(self.port),
            "--master-host", self.local_host, "--master-port", str(self.port),
            "--fleet", str(self.expected + workers), "--fleet-within", str(self.within_s),
            *(["--channel-keys", str(self.keys)] if self.keys is not None else []),
        ]  # fmt: skip

    def in_words(self) -> str:
        """What to start on the other machines."""
        keys = "" if self.on_loopback and self.keys is None else " --channel-keys worker.json"
        host = "ADDRESS-OF-THIS-MACHINE" if self.host in ANY_ADDRESS else self.host
        return f"locust -f scenarios/ --worker --master-host {host} --master-port {self.port}{keys}"


def fleet_of(address: str, workers: int | None, expected: int | None, within_s: float, keys: Path | None) -> Listening | None:
    """The fleet that the options of `harness sweep` name; None where all workers are on this machine.

    ``workers``: on this machine. Raises UsageError for options that do not fit together, and what ``listen_at`` raises.
    """
    if not address:
        if expected is not None or keys is not None:
            raise UsageError(_unfit("--expect-workers or --channel-keys", "given without --listen", "--listen HOST:PORT with them"))
        if workers == 0:
            raise UsageError(_unfit("--workers", "0", "at least 1 without --listen"))
        return None
    if not (workers or 0) + (1 if expected is None else expected):
        raise UsageError(_unfit("--expect-workers", "0 with --workers 0", "at least one worker, here or elsewhere"))
    return listen_at(address, expected=1 if expected is None else expected, within_s=within_s, keys=keys)


def _unfit(option: str, found: str, expected: str) -> Problem:
    return Problem("command line", option, found, expected, "Read `harness sweep --help`.")


def listen_at(address: str, *, expected: int, within_s: float, keys: Path | None) -> Listening:
    """The place that ``HOST:PORT`` names; port 0 is any free one.

    Raises UsageError for what is no such place, and beyond loopback without keys; EnvironmentFault where this machine cannot listen there.
    """
    host, _, number = address.rpartition(":")
    if not host or not number.isascii() or not number.isdigit() or int(number) > 65_535 or ":" in host:
        remedy = "Name an address of this machine that the other ones reach, for example 10.0.0.5:5557."
        raise UsageError(Problem("command line", "--listen", address, "HOST:PORT, the host an IPv4 address or a name", remedy))
    if keys is None:
        require_keys("--listen", host)
    else:
        keys_of_end(keys, "master")
    return Listening(host, _free(host, int(number)), expected, within_s, keys)


def _free(host: str, port: int) -> int:
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as ZeroMQ does: a master that has just ended is no obstacle
            probe.bind(("" if host in ANY_ADDRESS else host, port))
            return int(probe.getsockname()[1])
    except OSError as error:
        busy = error.errno == errno.EADDRINUSE
        remedy = "End what listens there, or name another port." if busy else "Name an address that `ip address` shows on this machine."
        expected = "a free port" if busy else "an address of this machine"
        raise EnvironmentFault(Problem("command line", "--listen", f"{host}:{port} ({error.strerror})", expected, remedy)) from error
