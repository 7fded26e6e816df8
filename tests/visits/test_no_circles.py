"""No file of pages/, profiles/ or visits/ imports a file that leads back to it, not even for its types."""

from __future__ import annotations

import ast
import shutil
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

HARNESS = Path(__file__).resolve().parents[2] / "harness"
ROOMS = ("pages", "profiles", "visits")


def imports_of(folder: Path, room: str) -> dict[str, set[str]]:
    """Each file of a room, and the files of the room that it imports anywhere, also under TYPE_CHECKING or in a function."""
    modules = {f"harness.{room}.{path.stem}": path for path in (folder / room).glob("*.py") if path.stem != "__init__"}
    return {
        name: {imported for imported in _imported(ast.parse(path.read_text(encoding="utf-8")), f"harness.{room}") if imported in modules}
        for name, path in modules.items()
    }


def _imported(tree: ast.Module, room: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = f"{room}.{node.module or ''}".rstrip(".") if node.level else node.module or ""
            found.update((module, *(f"{module}.{alias.name}" for alias in node.names)))
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_there_is_no_circle_of_files(room: str) -> None:
    imports = imports_of(HARNESS, room)
    assert any(imports.values())
    TopologicalSorter(imports).prepare()


@pytest.mark.parametrize(
    ("room", "file", "line"),
    [
        ("visits", "state.py", "if TYPE_CHECKING:\n    from harness.visits.flow import walk_step\n"),
        ("profiles", "template.py", "def late() -> None:\n    import harness.profiles.compile\n"),
        ("pages", "page.py", "from . import forms\n"),
    ],
)
def test_a_planted_circle_is_found(tmp_path: Path, room: str, file: str, line: str) -> None:
    shutil.copytree(HARNESS / room, tmp_path / room)
    path = tmp_path / room / file
    path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")
    with pytest.raises(CycleError):
        TopologicalSorter(imports_of(tmp_path, room)).prepare()
