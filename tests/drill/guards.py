"""Switches a guard off in processes that a test starts, for which the product has no option; and measures one kind of harm."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

SEAM = """
import importlib.abc, importlib.util, sys

class Off(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != {module!r}:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module
        def exec_module(module):
            load(module)
            exec({change!r}, vars(module))
        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Off())
"""


def at_start(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str) -> None:
    """Have every Python that is started from now on carry out ``code`` first."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "sitecustomize.py").open("a", encoding="utf-8") as start:
        start.write(code)
    before = os.environ.get("PYTHONPATH", "")
    if str(folder) not in before.split(os.pathsep):
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), before]).rstrip(os.pathsep))


def guard_off(monkeypatch: pytest.MonkeyPatch, folder: Path, module: str, change: str) -> None:
    """Have every Python that is started from now on carry out ``change`` within ``module`` once that is loaded."""
    at_start(monkeypatch, folder, SEAM.format(module=module, change=change))


def most_bytes(work: Callable[[], object]) -> int:
    """The most memory that Python's objects took during some work."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
