"""Files that appear together or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from harness.errors import EnvironmentFault, Problem


def write_together(folder: Path, contents: Mapping[str, bytes]) -> None:
    """All files of ``contents`` (name → bytes) in ``folder``, or, after an error, the folder as it was.

    Each is written to a temporary name beside its own, forced to disk, and renamed once all are there; the last of the
    mapping is renamed last, so a reader who waits for that one sees the others too. Raises EnvironmentFault.
    """
    token = secrets.token_hex(4)
    waiting = {folder / name: folder / f".{name}.{token}.new" for name in contents}
    kept = {target: folder / f".{target.name}.{token}.old" for target in waiting}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in contents.items():
            _write(waiting[folder / name], data)
        _replace_all(waiting, kept)
    except OSError as error:
        path = str(error.filename or folder)
        remedy = "Make room or mend the permissions, then repeat the command; nothing was changed."
        raise EnvironmentFault(Problem(path, "file", f"not writable ({error.strerror})", "a folder that can be written", remedy)) from error
    finally:
        for leftover in (*waiting.values(), *kept.values()):
            leftover.unlink(missing_ok=True)


def write_file(path: Path, data: bytes) -> None:
    """One file, under a temporary name first; raises EnvironmentFault."""
    write_together(path.parent, {path.name: data})


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _replace_all(waiting: Mapping[Path, Path], kept: Mapping[Path, Path]) -> None:
    """Renames every file into place; where one cannot be, those already renamed go back to what they were."""
    done: list[Path] = []
    try:
        for target, new in waiting.items():
            if target.is_file():
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
