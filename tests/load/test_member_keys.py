"""Files with the keys of a fleet."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.errors import EnvironmentFault, UsageError
from harness.load.member_keys import make_keys, read_keys, taken_over, write_keys


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / f"harness-{os.getuid()}").mkdir(mode=0o755)
    with pytest.raises(EnvironmentFault, match="nobody else may enter"):
        taken_over(1, time.sleep, 0.1)


def test_the_keys_of_a_fleet_are_made_for_each_end(tmp_path: Path) -> None:
    made = CliRunner().invoke(main, ["keys", str(tmp_path / "k")])
    assert made.exit_code == 0, made.output
    at_master, at_worker = (read_keys(tmp_path / "k" / name) for name in ("master.json", "worker.json"))
    assert [bool(at_master.master_secret), bool(at_master.worker_secret)] == [True, False]
    assert [bool(at_worker.master_secret), bool(at_worker.worker_secret)] == [False, True]
    assert (at_master.master_public, at_master.worker_public) == (at_worker.master_public, at_worker.worker_public)
    assert CliRunner().invoke(main, ["keys", str(tmp_path / "k")]).exit_code == UsageError.exit_code


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "not JSON"),
        ("[]", "without master_public"),
        ('{"master_public": 1, "worker_public": 2}', "master_public that is no key"),
        ('{"master_public": "a", "worker_public": "b", "extra": "c"}', "with more than keys"),
    ],
)
def test_a_file_that_is_no_keys_is_named(tmp_path: Path, content: str, found: str) -> None:
    path = tmp_path / "k.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(UsageError, match=found):
        read_keys(path)


def test_keys_that_others_may_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    write_keys(path, make_keys())
    assert json.loads(path.read_text()).keys() == {"master_public", "worker_public", "master_secret", "worker_secret"}
    path.chmod(0o640)
    with pytest.raises(EnvironmentFault, match="chmod 600"):
        read_keys(path)
