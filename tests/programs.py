"""Programs of Debian packages that `make` installs for a test, where it may."""

from __future__ import annotations

import os
import shutil

import pytest


def require_programs(*names: str, packages: str) -> tuple[str, ...]:
    """The paths of programs. Where one is missing the test is skipped; in continuous integration it fails, because `make` installs it there."""
    found = tuple(path for path in map(shutil.which, names) if path is not None)
    if len(found) < len(names):
        missing = f"needs Debian's {packages}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found
