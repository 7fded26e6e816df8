"""One name, one thing: no two public classes share a name, and no two modules differ only by an ending."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from pathlib import Path

import pytest

HARNESS = Path(__file__).resolve().parents[1] / "harness"
SAME_MODULE_NAME_ALLOWED: dict[str, str] = {}  # module name -> why two rooms may use it
CAMEL_CASE = re.compile(r"[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*")
ENDINGS = ("ation", "ator", "ment", "ate", "ing", "ion", "al", "ed", "er", "or", "e", "y", "i")  # the first that fits is cut off


def class_clashes(package: Path) -> list[str]:
    """Each name of a public class or type alias that is defined twice, with its places."""
    return clashes((name, f"{path.relative_to(package)}:{line}") for path in sorted(package.rglob("*.py")) for name, line in defined(path))


def module_clashes(package: Path) -> list[str]:
    """Each group of modules whose names are equal but for their endings; the simulator is compared only with itself."""
    paths = [path.relative_to(package) for path in sorted(package.rglob("*.py")) if not path.stem.startswith("__")]
    return clashes(
        ((path.parts[0] == "simulator", *map(stem, path.stem.split("_"))), str(path))
        for path in paths
        if path.stem not in SAME_MODULE_NAME_ALLOWED
    )


def clashes(places: Iterable[tuple[Hashable, str]]) -> list[str]:
    found: dict[Hashable, list[str]] = defaultdict(list)
    for key, place in places:
        found[key].append(place)
    return [f"{key if isinstance(key, str) else 'names too close'}: {', '.join(at)}" for key, at in found.items() if len(at) > 1]


def defined(path: Path) -> Iterator[tuple[str, int]]:
    """Name and line of the public classes and type aliases at the top level of a module."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign) and not is_type_variable(node.value):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        else:
            names = []
        yield from ((name, node.lineno) for name in names if CAMEL_CASE.fullmatch(name))


def is_type_variable(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ("TypeVar", "ParamSpec")


def stem(word: str) -> str:
    """A word without its inflection; at least three letters are left."""
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]
    if word.endswith("wn"):  # drawn, withdrawn
        word = word[:-1]
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            break
    if word[-1] in "ei" and len(word) > 3:  # measure-ment, suppli-ed
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word  # plann-ing


def test_public_classes_have_a_name_each() -> None:
    assert not class_clashes(HARNESS)


def test_modules_differ_by_more_than_an_ending() -> None:
    assert not module_clashes(HARNESS)


@pytest.mark.parametrize("second", ["class Turn: ...", "Turn = tuple[int, str]", "Turn: TypeAlias = int"])
def test_a_second_class_of_one_name_is_found(tmp_path: Path, second: str) -> None:
    plant(tmp_path, {"load/clock.py": "class Turn: ...\nclass _Own: ...\n", "simulator/families/clock.py": f"class _Own: ...\n{second}\n"})
    assert class_clashes(tmp_path) == ["Turn: load/clock.py:1, simulator/families/clock.py:2"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("arrival", "arrivals"),
        ("page", "pages"),
        ("walk", "walking"),
        ("withdrawal", "withdrawn"),
        ("supply", "supplied"),
        ("reconciling", "reconciliation"),
        ("compiled", "compiling"),
        ("calibrate", "calibration"),
        ("plan", "planning"),
        ("measure", "measurement"),
        ("export", "exporter"),
        ("fault_phrase", "fault_phrases"),
        ("clock", "clock"),
    ],
)
def test_a_module_that_differs_by_an_ending_is_found(tmp_path: Path, first: str, second: str) -> None:
    plant(tmp_path, {f"load/{first}.py": "", f"publish/pages_of/{second}.py": ""})
    assert module_clashes(tmp_path) == [f"names too close: load/{first}.py, publish/pages_of/{second}.py"]


def test_the_simulator_is_compared_only_with_itself(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {"load/clock.py": "", "simulator/clock.py": "", "load/__init__.py": "", "client/__init__.py": "", "load/clock_reader.py": ""},
    )
    assert module_clashes(tmp_path) == []
    plant(tmp_path, {"simulator/families/clocks.py": ""})
    assert module_clashes(tmp_path) == ["names too close: simulator/clock.py, simulator/families/clocks.py"]


def plant(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
