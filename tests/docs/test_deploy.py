"""The files of ``deploy/`` name commands and options that exist, and systemd reads the units."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from harness.cli import main
from tests.programs import machine_lacks

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted(path.name for path in DEPLOY.glob("harness-*.*"))
SERVICES = [name for name in UNITS if name.endswith(".service")]


def options_of(words: list[str]) -> None:
    """Fail for a subcommand or an option that `harness` does not have."""
    assert isinstance(main, click.Group)
    command = main.commands[words[0]]
    known = {name for parameter in command.params for name in parameter.opts}
    used = {word.partition("=")[0] for word in words[1:] if word.startswith("--")}
    assert used
    assert used <= known, used - known


def test_the_master_of_the_fleet_is_started_by_options_that_exist() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    program, *words = services["master"]["command"]
    assert program == "harness"
    options_of(words)
    assert services["worker"]["command"][:2] == ["locust", "--worker"]


def test_only_declared_files_are_copied_into_the_image() -> None:
    ignored = (DEPLOY.parent / ".containerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    assert all((DEPLOY.parent / name).exists() for name in allowed)
    copied = re.findall(r"^COPY (\S+) ", (DEPLOY / "Containerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(copied) - {".", "--from=build"} <= allowed


@pytest.mark.parametrize("service", SERVICES)
def test_a_unit_starts_a_command_that_exists(service: str) -> None:
    (start,) = re.findall(r"^ExecStart=/opt/harness/bin/harness (.*)$", (DEPLOY / service).read_text(encoding="utf-8"), re.MULTILINE)
    options_of(shlex.split(start))


def test_systemd_reads_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        machine_lacks("this machine has no systemd, as most containers; no other program reads units as systemd does")
    for name in UNITS:
        unit = (DEPLOY / name).read_text(encoding="utf-8").replace("/opt/harness/bin/harness", sys.executable)
        (tmp_path / name).write_text(unit, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / name) for name in UNITS)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
