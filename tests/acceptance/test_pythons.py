"""Every Python that pyproject.toml declares: the rooms that start nothing pass, and the wheel carries the demo out."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.commands import run
from tests.e2e.evidence import assert_sealed, load, only_folder
from tests.programs import machine_lacks
from tests.recorded.conftest import PORTALS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSIONS = [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", name)]


def interpreters(version: str) -> Iterator[str]:
    """Where a Python of this version may be: on the PATH, or one of pyenv's."""
    if found := shutil.which(f"python{version}"):
        yield found
    yield from map(str, sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python")))


def is_python(command: str, version: str) -> bool:
    """Whether it starts, which one of pyenv's shims may not, and is of this version."""
    said = subprocess.run([command, "--version"], capture_output=True, text=True, check=False).stdout
    return said.startswith(f"Python {version}.")


@pytest.fixture(scope="module", params=VERSIONS)
def scripts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment of that Python with the locked packages and this checkout's wheel."""
    found = next((each for each in interpreters(request.param) if is_python(each, request.param)), None)
    if found is None:  # Debian has one Python
        machine_lacks(f"this machine has no Python {request.param}")
    folder = tmp_path_factory.mktemp(f"python{request.param}")
    subprocess.run([found, "-m", "venv", str(folder / "env")], check=True)
    scripts = folder / "env" / "bin"
    pip = [str(scripts / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements" / "dev.lock")], check=True, timeout=900)
    subprocess.run(
        [str(scripts / "hatchling"), "build", "-t", "wheel", "-d", str(folder / "dist")], cwd=ROOT, check=True, capture_output=True
    )
    subprocess.run([*pip, "--no-deps", *map(str, (folder / "dist").glob("*.whl"))], check=True)
    return scripts


def test_the_declared_pythons_begin_with_the_oldest_that_is_required() -> None:
    assert PROJECT["requires-python"] == f">={VERSIONS[0]}"


def test_the_rooms_that_start_nothing_pass(scripts: Path) -> None:
    done = run(["make", "--no-print-directory", "pure", f"PY={scripts / 'python'}"], ROOT)
    assert done.code == 0, done.said


def test_the_demo_completes(scripts: Path, tmp_path: Path) -> None:
    done = run([str(scripts / "harness"), "demo", "--seed", "7"], tmp_path)
    assert done.code == 0, done.said
    folder = only_folder(tmp_path / "results")
    assert_sealed(folder, PORTALS)
    scores = {entry["portal"]: entry for entry in load(folder / "scores.json")["scores"]}
    assert max((entry["points"], portal) for portal, entry in scores.items() if entry["points"] is not None)[1] == "fast"
