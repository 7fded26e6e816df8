"""The keys of the channel between Locust's master and its workers (CURVE keys of ZeroMQ): made, kept in files, handed over."""

from __future__ import annotations

import json
import os
import stat
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import psutil
import zmq

from harness.catalog.secret_reference import LARGEST_BYTES
from harness.errors import EnvironmentFault, Problem, UsageError
from harness.origins import is_loopback_host
from harness.records.files import read_at_most, write_whole

KEY_LENGTH = 40
"""Characters of a key: 32 bytes in Z85 (ZeroMQ RFC 32)."""
WAIT_FOR_MASTER_S = 300.0
"""How long a worker waits for its master: for its keys on one machine, and for its word after a cut. Locust's worker tries to connect for as long."""

WORKERS_FILE = "worker.json"
"""What `harness keys` calls the file for all workers, beside the master's."""

_KEYS = "the keys that `harness keys` made for this fleet"


@dataclass(frozen=True, slots=True)
class MemberKeys:
    """The keys of one end. The master's end knows the workers' public key, and admits nobody else; a worker knows the master's.

    All workers of a fleet share one key pair. A secret that an end does not need is empty.
    """

    master_public: str
    worker_public: str
    master_secret: str = ""
    worker_secret: str = ""

    def for_worker(self) -> MemberKeys:
        """What a worker needs: everything but the master's secret."""
        return MemberKeys(self.master_public, self.worker_public, worker_secret=self.worker_secret)

    def for_master(self) -> MemberKeys:
        """What the master needs: everything but the workers' secret."""
        return MemberKeys(self.master_public, self.worker_public, master_secret=self.master_secret)


def make_keys() -> MemberKeys:
    """New keys of a fleet, for both ends."""
    (master_public, master_secret), (worker_public, worker_secret) = (map(bytes.decode, zmq.curve_keypair()) for _ in range(2))
    return MemberKeys(master_public, worker_public, master_secret, worker_secret)


def write_keys(path: Path, keys: MemberKeys) -> None:
    """Keep keys in a file that only its owner may read. Raises EnvironmentFault."""
    before = os.umask(0o077)
    try:
        write_whole(path, json.dumps({name: key for name, key in asdict(keys).items() if key}, indent=1) + "\n")
    finally:
        os.umask(before)


def read_keys(path: Path) -> MemberKeys:
    """Read the keys of one end. Raises UsageError where they are none, and EnvironmentFault where others may read them."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        data = json.loads(read_at_most(path, LARGEST_BYTES))
    except OSError as error:
        raise UsageError(Problem(str(path), "channel keys", str(error.strerror), _KEYS, "Copy the file to this machine.")) from None
    except ValueError:
        raise _no_keys(path, "not JSON") from None
    if mode & 0o077:
        raise EnvironmentFault(Problem(str(path), "mode", f"{mode:03o}", "a file that only its owner may read", f"Run `chmod 600 {path}`."))
    known = {field.name for field in fields(MemberKeys)}
    if not isinstance(data, dict) or not {"master_public", "worker_public"} <= set(data) <= known:
        raise _no_keys(path, "without master_public and worker_public, or with more than keys")
    for name, key in data.items():
        if not isinstance(key, str) or len(key) != KEY_LENGTH:
            raise _no_keys(path, f"{name} that is no key")
    return MemberKeys(**data)


def keys_of_end(path: Path, end: str) -> MemberKeys:
    """The keys of one end, ``master`` or ``worker``; UsageError for those of the other end."""
    keys = read_keys(path)
    if not getattr(keys, f"{end}_secret"):
        raise UsageError(Problem(str(path), "channel keys", "those of the other end", f"those of the {end}", f"Take {end}.json."))
    return keys


def require_keys(option: str, host: str) -> None:
    """Raise UsageError where a channel without keys would leave this machine."""
    if not is_loopback_host(host):
        remedy = "Make keys with `harness keys FOLDER`, and give each machine its file by --channel-keys."
        raise UsageError(
            Problem("command line", option, f"{host} without --channel-keys", "keys where a channel leaves this machine", remedy)
        )


def _no_keys(path: Path, found: str) -> UsageError:
    return UsageError(Problem(str(path), "channel keys", found, _KEYS, "Make them anew, for the master and all workers."))


def hand_over(keys: MemberKeys, port: int) -> Path:
    """Leave a master's keys where workers of the same user on this machine find them. Answers the file, to be removed at the end."""
    path = _place(port)
    process = psutil.Process()
    held = {**asdict(keys.for_worker()), "process": process.pid, "started": process.create_time()}
    write_whole(path, json.dumps(held) + "\n")
    return path


def taken_over(port: int, sleep: Callable[[float], None], at_most_s: float = WAIT_FOR_MASTER_S) -> MemberKeys:
    """The keys of the master that listens on a port of this machine; waits for it to start. Raises EnvironmentFault."""
    path, end = _place(port), time.monotonic() + at_most_s
    while (keys := _left_by_a_running_master(path)) is None:
        if time.monotonic() > end:
            remedy = "Start the master first, as the same user; for a master elsewhere name --channel-keys."
            raise EnvironmentFault(Problem(str(path), "channel keys", "not there", f"a master on port {port} of this machine", remedy))
        sleep(0.2)
    return keys


def _left_by_a_running_master(path: Path) -> MemberKeys | None:
    try:
        held = json.loads(read_at_most(path, LARGEST_BYTES))
        if psutil.Process(held["process"]).create_time() != held["started"]:
            return None  # a master that was killed left it, and its number was given to another process
        return MemberKeys(held["master_public"], held["worker_public"], worker_secret=held["worker_secret"])
    except (OSError, ValueError, KeyError, TypeError, psutil.NoSuchProcess):
        return None


def _place(port: int) -> Path:
    """The file for a port, in a folder that only this user may enter. Raises EnvironmentFault where another owns the folder."""
    user = os.getuid()
    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"harness-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != user or not stat.S_ISDIR(status.st_mode) or stat.S_IMODE(status.st_mode) & 0o077:
        expected = f"a folder of user {user} that nobody else may enter"
        raise EnvironmentFault(
            Problem(str(folder), "owner and mode", "others may enter it", expected, "Remove it, then repeat the command.")
        )
    return folder / f"channel-{port}.json"
