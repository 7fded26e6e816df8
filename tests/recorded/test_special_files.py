"""A FIFO, a socket, a device or a folder where a file is expected: one clear error, at once."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from harness.errors import CatalogError, EnvironmentFault, EvidenceError, HarnessError, UsageError
from harness.load.member_keys import read_keys
from harness.operations import signing
from harness.operations.journeys import journeys_of_folder, scenario_source
from harness.records.files import digest, open_regular, read_at_most
from tests.e2e.commands import invoke
from tests.e2e.test_bad_input import assert_refused
from tests.recorded.conftest import RECORDED

SCORES = str(RECORDED / "scores.json")
SPAN = ("2026-11-22T01:00:00+07:00", "2026-11-22T02:00:00+07:00", "--announced-at", "2026-11-01T00:00:00+07:00", "--document", "1/TB")
COMMANDS = {
    "draft": ("draft", "odd"),
    "workload": ("workload", "odd"),
    "total --scores": ("total", "--scores", "odd", "--groups", "odd"),
    "total --groups": ("total", "--scores", SCORES, "--groups", "odd"),
    "push --scores": ("push", "http://127.0.0.1:9/", "--scores", "odd"),
    "push --token": ("push", "http://127.0.0.1:9/", "--scores", SCORES, "--drafts", "--token", "file:odd"),
    "compare": ("compare", "odd", SCORES),
    "supply --from": ("supply", "demo", "slow", "--from", "./odd"),
    "supply --attach": ("supply", "demo", "slow", "--maintenance", *SPAN, "--attach", "odd"),
    "reconcile --truth": ("reconcile", "demo", "--truth", "./odd"),
    "score FOLDER": ("score", "odd"),
    "score --criteria": ("score", "demo", "--criteria", "./odd"),
    "seal --key": ("seal", "demo", "--key", "file:odd"),
    "run --signing-key": ("run", "fast", "--workload", "demo", "--signing-key", "file:odd"),
    "verify --key": ("verify", "demo", "--key", "odd"),
}


def _socket(path: Path) -> None:
    with chdir(path.parent), socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)


MAKE: dict[str, Callable[[Path], object]] = {
    "a FIFO": os.mkfifo, "a socket": _socket, "a device": lambda path: path.symlink_to("/dev/zero"), "Is a directory": Path.mkdir,
}  # fmt: skip


@pytest.fixture(scope="module")
def above(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("special")
    shutil.copytree(RECORDED, folder / "demo")
    return folder


@pytest.fixture(params=["a FIFO", "a device"])
def odd(above: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    path = above / "odd"
    MAKE[request.param](path)
    yield path
    path.unlink()


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_refuses_what_is_no_file(odd: Path, command: tuple[str, ...]) -> None:
    done = invoke(odd.parent, *command)
    assert_refused(done, done.code, "odd")
    assert done.code in {UsageError.exit_code, EvidenceError.exit_code, EnvironmentFault.exit_code}


@pytest.mark.parametrize("kind", MAKE)
def test_only_regular_files_are_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd.py"
    MAKE[kind](path)
    for read in (open_regular, lambda path: read_at_most(path, 9)):
        with pytest.raises(OSError, match=kind):
            read(path)
    for refuse in (digest, read_keys, signing.read_public_key, lambda path: signing.signing_key(f"file:{path}")):
        with pytest.raises(HarnessError, match=kind):
            refuse(path)
    for scenarios in (journeys_of_folder, lambda folder: scenario_source(folder / "odd.py")):
        with pytest.raises(UsageError, match=kind):
            scenarios(tmp_path)


def test_each_catalog_file_that_is_none_is_one_problem(tmp_path: Path) -> None:
    rooms = dict(zip(("portals", "platforms", "workloads", "authorisations", "criteria", "walls"), itertools.cycle(MAKE), strict=False))
    for room, kind in rooms.items():
        (tmp_path / "own" / room).mkdir(parents=True)
        MAKE[kind](tmp_path / "own" / room / "odd.yaml")
    done = invoke(tmp_path, "validate", "--catalog", "own")
    lines = [line for line in done.err.splitlines() if "odd.yaml" in line]
    assert done.code == CatalogError.exit_code, done.said
    assert len(lines) == len(rooms)
    for room, kind in rooms.items():
        assert any(f"own/{room}/odd.yaml: file is unreadable" in line and kind in line for line in lines), room
