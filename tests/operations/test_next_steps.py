"""What a command says may come next: a whole command with the names at hand, on stderr, and never beside JSON."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.cli.next_steps import _PURPOSES
from tests.recorded.conftest import RECORDED


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    return shutil.copytree(RECORDED, tmp_path / "a demo")


def next_of(*arguments: str) -> list[list[str]]:
    """The commands that a command names, as a shell would read them."""
    done = CliRunner().invoke(main, [*arguments])
    assert done.exit_code == 0, done.output
    assert "→ harness" not in done.stdout
    lines = [line.removeprefix("→ ") for line in done.stderr.splitlines() if line.startswith("→ ")]
    return [shlex.split(line, comments=True) for line in lines]


def test_the_next_command_has_the_real_names_and_can_be_typed(sweep: Path) -> None:
    ((program, *command),) = next_of("score", str(sweep), "--criteria", "demo")
    assert (program, command) == ("harness", ["explain", str(sweep), "collapsing"])  # the portal with the fewest points
    assert next_of(*command) == [["harness", "compare", "EARLIER", str(sweep)]]
    assert next_of("nights", str(sweep.parent)) == [["harness", "explain", str(sweep), "slow"]]
    assert next_of("export", str(sweep)) == [["harness", "push", "URL", "--scores", str(sweep / "scores.json")]]
    assert next_of("status", str(sweep)) == [["harness", "score", str(sweep)]]


def test_with_json_nothing_comes_beside_it(sweep: Path) -> None:
    for command in (("nights", str(sweep.parent)), ("status", str(sweep)), ("score", str(sweep), "--criteria", "demo")):
        assert next_of(*command, "--json") == []


def test_it_is_said_in_the_language_asked_for(sweep: Path) -> None:
    for language in ("vi", "en"):
        done = CliRunner().invoke(main, ["nights", str(sweep.parent), "--lang", language])
        assert done.stderr.endswith(f"  # {_PURPOSES['explain'][language]}\n")
        compared = CliRunner().invoke(main, ["compare", str(sweep), str(sweep), "--lang", language])
        assert ("thay đổi" in compared.stdout, "changes are named" in compared.stdout) == (language == "vi", language == "en")
    assert all(set(words) == {"vi", "en"} for words in _PURPOSES.values())
