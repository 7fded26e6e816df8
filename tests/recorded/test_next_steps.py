"""What a command says may come next: a whole command with the names at hand, on stderr, and never beside JSON."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.cli.next_steps import _PURPOSES
from harness.operations.attempts import command_about
from harness.records.sweep_journal import JournalLine, append_to_journal
from tests.e2e.commands import Finished, invoke
from tests.e2e.conftest import Sweep
from tests.recorded.conftest import RECORDED


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    return shutil.copytree(RECORDED, tmp_path / "a demo")


def next_of(done: Finished) -> list[list[str]]:
    """The commands that a command named, as a shell would read them."""
    assert done.code == 0, done.said
    assert "→ harness" not in done.out
    lines = [line.removeprefix("→ ") for line in done.err.splitlines() if line.startswith("→ ")]
    return [shlex.split(line, comments=True) for line in lines]


def test_the_next_command_has_the_real_names_and_can_be_typed(newest: Sweep, sweep: Path, tmp_path: Path) -> None:
    (program, *command), review = next_of(newest.finished)
    assert (program, command) == ("harness", ["explain", "demo", "collapsing"])  # the portal with the fewest points
    assert review == ["harness", "review", "demo"]
    assert next_of(invoke(newest.folder.parent, *command)) == [["harness", "compare", "EARLIER", "demo"]]
    assert next_of(invoke(tmp_path, "nights", str(sweep.parent))) == [["harness", "explain", str(sweep), "slow"]]
    assert next_of(invoke(tmp_path, "export", str(sweep))) == [["harness", "push", "URL", "--scores", str(sweep / "scores.json")]]
    assert next_of(invoke(tmp_path, "status", str(sweep))) == [["harness", "score", str(sweep)]]


def test_it_names_the_catalog_that_this_command_or_the_sweep_had(sweep: Path, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "my catalog", tmp_path / "theirs"
    (ours / "portals").mkdir(parents=True)
    append_to_journal(sweep / "journal.jsonl", JournalLine(1, "begun", "2026-11-26T15:00:00+00:00", catalog=str(theirs)))
    assert next_of(invoke(tmp_path, "status", str(sweep))) == [["harness", "resume", str(sweep)]]  # what is not there helps nobody
    theirs.mkdir()
    assert next_of(invoke(tmp_path, "status", str(sweep))) == [["harness", "resume", str(sweep), "--catalog", str(theirs)]]
    explained = invoke(tmp_path, "explain", str(sweep), "slow", "--catalog", ours.name)
    assert next_of(explained) == [["harness", "compare", "EARLIER", str(sweep), "--catalog", ours.name]]
    when = ("2026-11-25T23:30+00:00", "2026-11-25T23:31+00:00")
    supplied = invoke(tmp_path, "supply", str(sweep), "slow", "--maintenance", *when, "--catalog", ours.name)
    assert f"{shlex.join(['harness', 'score', str(sweep), '--catalog', ours.name])}` takes it" in supplied.out
    assert shlex.split(command_about(sweep, "explain", sweep, "slow")) == [
        "harness",
        "explain",
        str(sweep),
        "slow",
        "--catalog",
        str(theirs),
    ]


def test_with_json_nothing_comes_beside_it(scored: Sweep, sweep: Path, tmp_path: Path) -> None:
    for done in (
        scored.finished,
        invoke(tmp_path, "nights", str(sweep.parent), "--json"),
        invoke(tmp_path, "status", str(sweep), "--json"),
    ):
        assert next_of(done) == []


def test_it_is_said_in_the_language_asked_for(sweep: Path) -> None:
    for language in ("vi", "en"):
        done = CliRunner().invoke(main, ["nights", str(sweep.parent), "--lang", language])
        assert done.stderr.endswith(f"  # {_PURPOSES['explain'][language]}\n")
        compared = CliRunner().invoke(main, ["compare", str(sweep), str(sweep), "--lang", language])
        assert ("thay đổi" in compared.stdout, "changes are named" in compared.stdout) == (language == "vi", language == "en")
    assert all(set(words) == {"vi", "en"} for words in _PURPOSES.values())
