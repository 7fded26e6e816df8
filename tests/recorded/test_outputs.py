"""Options that name a file or a folder to write: what is kept, and what the command reads, is not written over."""

from __future__ import annotations

import os
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from tests.e2e.commands import invoke
from tests.e2e.small_catalog import write_catalog
from tests.e2e.test_bad_input import assert_refused

SCORE = ("score", "demo", "--junit")
COMPARE = ("compare", "demo", "demo", "--no-steps", "--junit")


def contents(folder: Path) -> dict[str, str]:
    return {str(path): sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "command",
    [
        (*SCORE, "demo/junit.xml"),
        (*SCORE, "demo/samples/any.parquet"),
        (*SCORE, "link.xml"),  # which leads into the sweep
        (*COMPARE, "demo/scores.json"),
        ("compare", "kept/scores.json", "demo", "--no-steps", "--junit", "kept/scores.json"),
        ("compare", "kept", "demo", "--no-steps", "--junit", "kept/scores.json"),
        (*SCORE, "register.jsonl"),
        ("report", "demo", "--picture", "demo/rounds/board.png"),
        ("nights", ".", "--out", "demo/nights.csv"),
        ("export", "kept", "--out", "demo"),
        ("export", "demo", "--out", "demo/samples"),
        ("pack", "demo", "--out", "demo/demo.zip"),
        ("seal", "--new-key", "demo/key"),
        ("workload", "usage.csv", "--out", "usage.csv"),
        ("draft", "usage.csv", "--out", "other/../usage.csv"),
        ("total", "--scores", "kept/scores.json", "--groups", "kept/totals.csv"),
        ("bundle", "fast", "--sweep", "demo", "--out", "demo/fast.tar"),
    ],
    ids=" ".join,
)
def test_an_output_that_would_spoil_what_is_kept_is_refused_before_anything_is_written(folder: Path, command: tuple[str, ...]) -> None:
    above = folder.parent
    (above / "link.xml").symlink_to("demo/plan.json")
    (above / "kept").mkdir()
    (above / "kept" / "scores.json").write_bytes((folder / "scores.json").read_bytes())
    (above / "kept" / "totals.csv").write_text("portal,a\n", encoding="utf-8")
    (above / "usage.csv").write_text("hour,visits,dossiers,payments\n", encoding="utf-8")
    before = contents(above)
    assert_refused(invoke(above, *command), 2, command[-2])
    assert contents(above) == before


@pytest.mark.parametrize("command", [(*SCORE, ""), ("nights", ".", "--out", ""), ("export", "demo", "--out", ""), (*SCORE, "demo")])
def test_an_output_without_a_name_or_on_a_folder_is_a_usage_error(folder: Path, command: tuple[str, ...]) -> None:
    done = invoke(folder.parent, *command)
    assert done.code == 2
    assert command[-2] in done.err


@pytest.mark.parametrize("name", ["a" * 300, "a" * 300 + "/junit.xml", "loop"])
def test_an_output_that_cannot_be_is_one_error(folder: Path, name: str) -> None:
    (folder.parent / "loop").symlink_to("loop")
    assert_refused(invoke(folder.parent, *SCORE, name), 6, "file is not writable")


def test_a_file_of_the_catalog_or_the_criteria_set_that_is_read_is_refused(folder: Path) -> None:
    above = folder.parent
    own = write_catalog(above / "own")
    kept = next(own.rglob("*.yaml"))
    before = kept.read_bytes()
    for catalog in (("--catalog", str(own)), ("--criteria", str(kept))):
        assert_refused(invoke(above, *SCORE, str(kept), *catalog), 2, "--junit", "the command reads this one")
    assert kept.read_bytes() == before


def test_a_folder_of_its_own_and_the_default_one_are_written(folder: Path) -> None:
    for out in ("demo", "other"):
        assert invoke(folder.parent, "export", "demo", "--out", out).code == 0
        assert (folder.parent / out / "scores.csv").is_file()


def test_junit_goes_through_a_fifo_as_one_file(folder: Path) -> None:
    pipe, read = folder.parent / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")), daemon=True)
    reader.start()
    assert invoke(folder.parent, *COMPARE, "pipe").code == 0
    reader.join(10)
    assert pipe.is_fifo()
    assert read[0].count("<?xml") == 1
    assert "average-search" in read[0]
