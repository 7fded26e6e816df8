"""Files that appear whole or not at all, and their readers: JSON, and JSON lines whose last line a crash may have cut off."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from harness.errors import EnvironmentFault, EvidenceError, Problem

LARGEST_JSON_BYTES = 500_000_000
"""Of one JSON file of the evidence (assumed: the plan of a long night with many portals stays below a tenth of it)."""


_LONGEST_LINE = 1 << 20
"""Bytes of a line of a file that grows by lines (assumed: the longest ones have some kilobytes)."""


def open_regular(path: Path) -> BinaryIO:
    """A file, open for reading. OSError for anything else: a FIFO would wait for its other end, a device may have no end."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        kind = "a FIFO" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
        raise OSError(errno.EINVAL, f"{kind}, not a regular file", str(path))
    return open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))


def read_at_most(path: Path, most_bytes: int) -> bytes:
    """A regular file's bytes; OSError where it cannot be read, or holds more than ``most_bytes``: no more are read."""
    with open_regular(path) as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise OSError(errno.EFBIG, f"more than {most_bytes} bytes", str(path))
    return data


def write_together(folder: Path, contents: Mapping[str, bytes]) -> None:
    """All files of ``contents`` (name → bytes) in ``folder``, or, after an error, the folder as it was.

    Each is written to a temporary name beside its own, forced to disk, and renamed once all are there; the last of the
    mapping is renamed last, so a reader who waits for that one sees the others too. Raises EnvironmentFault.
    """
    token = secrets.token_hex(4)
    waiting = {folder / name: folder / f".{name}.{token}.new" for name in contents}
    kept = {target: folder / f".{target.name}.{token}.old" for target in [*waiting][:-1]}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in contents.items():
            with waiting[folder / name].open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        _replace_all(waiting, kept)
    except OSError as error:
        raise _not_writable(Path(error.filename or folder), error) from error
    finally:
        for leftover in (*waiting.values(), *kept.values()):
            with suppress(OSError):  # one that cannot be there, too: its folder is a file
                leftover.unlink()


def write_whole(path: Path, content: bytes | str) -> None:
    """One file: a reader sees the old one or the new one. Raises EnvironmentFault."""
    write_together(path.parent, {path.name: content.encode() if isinstance(content, str) else content})


def write_output(path: Path, content: bytes | str) -> None:
    """``write_whole`` for a file that a person named: a link stays, and what it leads to is written; a device or a FIFO is written through.

    Files inside a sweep's folder are not written so: a folder from elsewhere may hold links.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        if is_written_through(path):
            path.write_bytes(data)
            return
        target = path.resolve() if path.is_symlink() else path
    except (OSError, RuntimeError) as error:  # a link that leads to itself
        raise _not_writable(path, error) from error
    write_whole(target, data)


def is_written_through(path: Path) -> bool:
    """Whether a path leads to something else than a regular file or a folder: it holds nothing that could be replaced."""
    try:
        mode = path.stat().st_mode
    except OSError:  # nothing there, or nothing that can be
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def write_json(path: Path, data: Any) -> None:
    """JSON with sorted keys, whole or not at all."""
    write_whole(path, json_bytes(data))


def json_bytes(data: Any) -> bytes:
    """JSON as ``write_json`` writes it."""
    return (json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def read_json(path: Path) -> Any:
    """A JSON file of the evidence; EvidenceError where it is missing or cut off."""
    try:
        return json.loads(read_at_most(path, LARGEST_JSON_BYTES))
    except FileNotFoundError:
        raise EvidenceError.missing(
            path, "a file of the sweep's evidence", "Restore it from the archive; evidence is not made anew."
        ) from None
    except (ValueError, RecursionError, OSError) as error:
        raise EvidenceError(
            Problem(str(path), "content", f"not JSON ({error})", "the file as it was written", "Restore it from the archive.")
        ) from error


@dataclass(frozen=True, slots=True)
class Lines:
    """The JSON values of a file with one on each line."""

    values: tuple[Any, ...] = ()
    left_out: int = 0  # 1 where a crash cut off the last line, else 0


def read_lines(path: Path) -> Lines:
    """A file of JSON lines, empty where there is no such file. A last line that is no JSON was cut off by a crash and is left out.

    Raises EvidenceError for any other line that is no JSON.
    """
    if not path.is_file():
        return Lines()
    lines = path.read_bytes().splitlines()
    values: list[Any] = []
    for number, line in enumerate(lines, 1):
        try:
            values.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            if number == len(lines):
                return Lines(tuple(values), 1)
            expected = "one JSON object a line, as it was written"
            problem = Problem(str(path), "line", f"not JSON ({error})", expected, "Restore it from the archive.", number)
            raise EvidenceError(problem) from error
    return Lines(tuple(values))


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal; FileNotFoundError, or EvidenceError where it is no regular file or cannot be read."""
    found = sha256()
    try:
        with open_regular(path) as file:
            while block := file.read(1 << 20):
                found.update(block)
    except FileNotFoundError:
        raise
    except OSError as error:
        expected, remedy = "a file that can be read", "Move it out of the folder, or restore the file."
        raise EvidenceError(Problem(str(path), "file", f"unreadable ({error.strerror})", expected, remedy)) from error
    return found.hexdigest()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time works in a folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)  # the folder itself: no file is left behind
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def drop_half_line(file: BinaryIO) -> None:
    """Remove half a line, which a crash left at the end of a file that is open for reading and adding: a line added to it could not be read."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _LONGEST_LINE))
    last = file.read()
    if last and not last.endswith(b"\n"):
        file.truncate(end - len(last) + last.rfind(b"\n") + 1)


def _not_writable(path: Path, error: OSError | RuntimeError) -> EnvironmentFault:
    remedy = "Make room or mend the permissions, then repeat the command; nothing was changed."
    why = getattr(error, "strerror", None) or str(error)
    return EnvironmentFault(Problem(str(path), "file", f"not writable ({why})", "a folder that can be written", remedy))


def _replace_all(waiting: Mapping[Path, Path], kept: Mapping[Path, Path]) -> None:
    """Rename every file into place; where one cannot be, those already renamed go back to what they were."""
    done: list[Path] = []
    try:
        for target, new in waiting.items():
            if target in kept and target.is_file():
                shutil.copyfile(target, kept[target])
            new.replace(target)
            done.append(target)
    except OSError:
        for target in reversed(done):
            if kept[target].exists():
                kept[target].replace(target)
            else:
                target.unlink()
        raise
