"""Where a test is skipped: for programs and files that `make` gets where it may, and for what no `make` gives a machine."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def require_programs(*names: str, packages: str) -> tuple[str, ...]:
    """The paths of programs; where one is missing, ``lack`` says so."""
    found = tuple(path for path in map(shutil.which, names) if path is not None)
    if len(found) < len(names):
        lack(f"needs Debian's {packages}")
    return found


def lack(missing: str) -> NoReturn:
    """Skip the test; in continuous integration let it fail, because `make` gets everything there."""
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def machine_lacks(missing: str) -> NoReturn:
    """Skip the test, in continuous integration too: `make` installs nothing that changes it. docs/dependencies.md lists these."""
    pytest.skip(missing)
