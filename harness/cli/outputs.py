"""Options that name what a command writes: evidence, scores and whatever the command reads are not written over."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from harness.errors import Problem, UsageError
from harness.evidence.folder import CAPACITY_JSON, REGISTER, SCORES_JSON

_READ_IN_FOLDERS: Final = (
    SCORES_JSON,
    CAPACITY_JSON,
    REGISTER,
    "agency.yaml",
)  # the last is AGENCY_FILE of harness.catalog.agency, which takes long to import
"""Files that commands read in the folders that they are given, and in the results folder around these."""
_EVIDENCE: Final = ("rounds", "samples", "manifests")
_CATALOG_FILES: Final = (".yaml", ".yml", ".csv")


class OutputPath(click.Path):
    """A file, or a folder, that a command writes. An empty name is refused."""

    def __init__(self, *, folder: bool = False) -> None:
        super().__init__(path_type=Path, file_okay=not folder, dir_okay=folder)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path of a text."""
        if not str(value):
            self.fail(f"'' names nothing; expected a {'file' if self.file_okay else 'folder'} to write", param, ctx)
        return super().convert(value, param, ctx)


OUTPUT_FILE: Final = OutputPath()
OUTPUT_FOLDER: Final = OutputPath(folder=True)


def checked_outputs(callback: Callable[..., Any]) -> Callable[..., Any]:
    """The callback of a command, with a check before it. Raises UsageError if an output would be written over what is kept."""

    @wraps(callback)
    def call(*values: Any, **options: Any) -> Any:
        if problems := [*_spoiling(click.get_current_context())]:
            raise UsageError(*problems)
        return callback(*values, **options)

    return call


def _spoiling(context: click.Context) -> Iterator[Problem]:
    outputs: list[tuple[str, Path, bool]] = []
    inputs: list[Path] = []
    for each in context.command.params:
        value = context.params.get(each.name or "")
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(each.type, OutputPath) and isinstance(item, Path):
                outputs.append((each.opts[0], Path(os.path.realpath(item)), each.type.dir_okay))
            elif isinstance(item, Path) or (isinstance(item, str) and Path(item).suffix):
                inputs.append(Path(os.path.realpath(item)))
    catalog = getattr(context.params.get("catalog"), "extra_folder", None)
    for option, path, is_folder in outputs:
        found = _in_a_sweep(path, inputs) if is_folder else _read_or_in_a_sweep(path, inputs, catalog)
        if found:
            yield Problem("command line", option, str(path), f"a path of its own; {found}", "Name another one; nothing was written.")


def _in_a_sweep(folder: Path, inputs: list[Path]) -> str:
    """Why nothing may be written into a folder; empty if it may. The folder of a sweep that the command reads is allowed: outputs go there by default."""
    around = next((each for each in (folder, *folder.parents) if _is_sweep(each)), None)
    if around is None or (around == folder and any(folder in (each, each.parent) for each in inputs)):
        return ""
    return f"this one lies in the sweep {around}"


def _read_or_in_a_sweep(file: Path, inputs: list[Path], catalog: Path | None) -> str:
    """Why a file may not be written."""
    if around := next((str(each) for each in file.parents if _is_sweep(each)), ""):
        return f"this one lies in the sweep {around}"
    read = {*inputs, *(folder / name for each in inputs for folder in (each, each.parent) for name in _READ_IN_FOLDERS)}
    in_catalog = catalog is not None and file.suffix in _CATALOG_FILES and file.is_relative_to(catalog.resolve()) and file.exists()
    return "the command reads this one" if file in read or in_catalog else ""


def _is_sweep(folder: Path) -> bool:
    """Whether a folder has two or more of what a sweep has: a damaged one is kept, too."""
    try:
        return (folder / "plan.json").is_file() + sum((folder / name).is_dir() for name in _EVIDENCE) >= 2
    except OSError:  # no such name can be; what writes there says so
        return False
