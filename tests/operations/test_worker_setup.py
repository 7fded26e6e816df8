"""What two processes of a fleet have to have in common, and what each keeps for itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import load_catalog
from harness.operations.shipped import scenarios_folder
from harness.operations.worker_setup import lacking, worker_setup
from harness.profiles import compile_platform, load_functions
from harness.records import PlannedTarget
from tests.e2e.small_catalog import write_catalog

PERMISSION: dict[str, Any] = {
    "id": "letter", "portal": "swift", "platform": "liferay", "reference": "made up for a test", "granted_by": "this test",
    "valid_from": "2020-01-01T00:00:00+07:00", "valid_to": "2099-01-01T00:00:00+07:00", "citizens_in_flight_max": 9, "requests_per_s_max": 9,
    "hosts": [{"origin": "http://127.0.0.1:1"}, {"origin": "http://127.0.0.1:2", "role": "identity", "owner": "identity"}],
    "secrets": {"token": "env:TOKEN"},
}  # fmt: skip
WITHIN = datetime(2026, 11, 22, tzinfo=UTC)
POOL = "id,code\n1,a\n"


def files_of(folder: Path, scenarios: Path) -> dict[str, str]:
    return dict(worker_setup(load_catalog(folder), map(str, scenarios.glob("[a-z]*.py"))).files)


def written(folder: Path) -> Path:
    write_catalog(folder)
    for name, text in (("authorisations/letter.yaml", json.dumps(PERMISSION)), ("platforms/codes.csv", POOL)):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("platforms/liferay.yaml", "platforms/_functions.py", "walls/known.yaml"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(scenarios_folder() / name, folder / name)
    return folder


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return change


MATTERS = {
    "an authorisation": (edit("authorisations/letter.yaml", ":1", ":3"), {"authorisation letter"}),
    "the name of a secret": (edit("authorisations/letter.yaml", '"token"', '"key"'), {"authorisation letter"}),
    "a pool": (edit("platforms/codes.csv", "a", "b"), {"platforms/codes.csv"}),
    "a function": (edit("platforms/_functions.py", "def ", "def  "), {"platforms/_functions.py"}),
    "a wall": (edit("walls/known.yaml", "title", "title "), {"walls/known.yaml"}),
    "a platform": (edit("platforms/liferay.yaml", "name_en: ", "name_en: X"), {"platform liferay"}),
    "a portal": (edit("portals/pair.yaml", '"sluggish"', '"slow"'), {"portals"}),
    "a scenario": (edit("scenarios/search.py", "find", "track"), {"scenario search.py"}),
    "what scenarios import": (edit("scenarios/_keywords.py", "KEYWORDS", "WORDS"), {"scenario _keywords.py"}),
}
DOES_NOT = {
    "where a secret lies": edit("authorisations/letter.yaml", "env:TOKEN", "file:/run/token"),
    "a portal's name": edit("portals/pair.yaml", "Test portal swift", "Portal"),
    "a workload": edit("workloads/tiny.yaml", "0.05", "0.06"),
    "criteria": edit("criteria/speed-only.yaml", '"full": 0.001', '"full": 0.002'),
    "layout": edit("authorisations/letter.yaml", "{", "{ "),
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = written(tmp_path_factory.mktemp("machine"))
    (folder / "scenarios").mkdir()
    for path in scenarios_folder().glob("*.py"):
        (folder / "scenarios" / path.name).write_bytes(path.read_bytes())
    return folder


def changed(machine: Path, change: Callable[[Path], None]) -> set[str]:
    before = {path: path.read_bytes() for path in machine.rglob("*") if path.is_file()}
    ours = files_of(machine, machine / "scenarios")
    try:
        change(machine)
        theirs = files_of(machine, machine / "scenarios")
    finally:
        for path, content in before.items():
            path.write_bytes(content)
    return {name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)}


@pytest.mark.parametrize(("change", "names"), MATTERS.values(), ids=MATTERS)
def test_what_changes_the_walk_is_compared(machine: Path, change: Callable[[Path], None], names: set[str]) -> None:
    assert changed(machine, change) == names


@pytest.mark.parametrize("change", DOES_NOT.values(), ids=DOES_NOT)
def test_what_a_machine_keeps_for_itself_or_the_plan_brings_is_not(machine: Path, change: Callable[[Path], None]) -> None:
    assert changed(machine, change) == set()


def test_two_processes_say_the_same_of_one_machine(machine: Path) -> None:
    code = (
        "import json, sys; from pathlib import Path; from harness.catalog import load_catalog;"
        " from harness.operations.worker_setup import worker_setup; folder = Path(sys.argv[1]);"
        " print(json.dumps(worker_setup(load_catalog(folder), map(str, (folder / 'scenarios').glob('[a-z]*.py'))).files))"
    )
    elsewhere = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", code, str(machine)], capture_output=True, text=True, check=True, env=elsewhere)
    assert json.loads(done.stdout) == files_of(machine, machine / "scenarios")


def test_a_machine_says_what_it_has_not_for_the_portals_of_a_sweep(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = load_catalog(machine)
    platforms = {"liferay": compile_platform(catalog.platforms["liferay"], load_functions(*catalog.folders))}
    needs = platforms["liferay"].needs._replace(secrets=frozenset({"token"}))
    needy = {"liferay": replace(platforms["liferay"], needs=needs)}
    embedded, authorised = (PlannedTarget("swift", "liferay", {}, authorisation=name) for name in ("", "letter"))
    monkeypatch.delenv("TOKEN", raising=False)
    (said,) = lacking(catalog, needy, [embedded, authorised], WITHIN)
    assert "env:TOKEN" in said
    assert lacking(catalog, needy, [authorised], WITHIN.replace(year=2100)) == (), "another night's permission is no lack of the machine"
    monkeypatch.setenv("TOKEN", "x")
    assert lacking(catalog, needy, [authorised], WITHIN) == ()
