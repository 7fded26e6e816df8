"""A reader who follows a page: its commands in order, in one folder, with what they print compared with what the page shows."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from tests.docs.shell_blocks import SHELLS, ShellCommand, shell_commands
from tests.docs.snippets import snippets
from tests.e2e.commands import BESIDE_PYTHON, Finished, invoke

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "tests" / "recorded" / "demo"
RECORDED_NAME = "2026-11-25T23-30Z-demo-7"
BEGINS_RECORDED = "<!-- begins with a recorded sweep -->"
QUICK = ("docs/authorisation.md",)
"""Pages whose commands take less than a second: ``make test`` follows them, ``make acceptance`` all others."""
ELSEWHERE = {
    ("profiles.md", "yaml"): ("tests/profiles/test_documentation.py",),
    ("profiles.md", "python"): ("tests/profiles/test_documentation.py",),
    ("start.md", "sh"): ("tests/operations/test_init.py", "tests/operations/test_bundle.py", "tests/operations/test_stand_ins.py"),
}
"""Pages of which other tests have all blocks of a language."""
LONGEST_S = 900  # a hang is a failure; nothing is judged by its duration
_STARTS_OTHERS = {"demo", "run", "sweep", "walk", "probe", "calibrate", "resume", "capacity", "doctor"}
"""Commands of ``harness`` that start processes; others run within this one, which spares a second each."""
_NAMES_A_SWEEP = "<sweep>"


def follow(page: Path, folder: Path) -> int:
    """Write the files of a page and carry out every command that nothing else runs; how many there were. An AssertionError names page and line."""
    prepare(page, folder)
    done = 0
    for block in snippets(page):
        if block.note.startswith("file: "):
            path = folder / block.note.removeprefix("file: ")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language in SHELLS and not block.note:
            for command in shell_commands(block):
                carry_out(command, folder)
                done += 1
    return done


def prepare(page: Path, folder: Path) -> None:
    """The folder as the page finds it: a clone with its environment, and where the page says so a recorded sweep that is scored."""
    for name in ("scenarios", "locust.conf", "Makefile", "requirements", "deploy", "docs", "tests"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(BESIDE_PYTHON)
    (folder / "results").mkdir()
    if BEGINS_RECORDED in page.read_text(encoding="utf-8"):
        shutil.copytree(RECORDED, folder / "results" / RECORDED_NAME)


def carry_out(command: ShellCommand, folder: Path) -> None:
    """One command, and what it prints beside what the page shows."""
    sweep = newest(folder) if _NAMES_A_SWEEP in command.text else ""
    text = command.text.replace(_NAMES_A_SWEEP, sweep)
    done = finished(text, folder)
    assert done.code in command.exit_codes, f"{command.place}: {text}\n{done.said}"
    lacking = in_order([line.replace(_NAMES_A_SWEEP, sweep) for line in command.shown], [*done.out.splitlines(), *done.err.splitlines()])
    assert lacking is None, f"{command.place}: not printed: {lacking}\n{done.said}"


def newest(folder: Path) -> str:
    """The name of the sweep that was measured last."""
    return max(
        (path for path in (folder / "results").iterdir() if (path / "plan.json").exists()), key=lambda path: path.stat().st_mtime
    ).name


def finished(text: str, folder: Path) -> Finished:
    """A command to its end: simple ones of ``harness`` within this process, others by bash."""
    text = re.sub(r"^make demo$", "harness demo", text)  # the target's recipe; the environment is there
    words = shlex.split(text, comments=True)
    if words[0].rpartition("/")[2] == "harness" and words[1] not in _STARTS_OTHERS and not set(text) & set(";&|<>$"):
        return invoke(folder, *words[1:])
    environment = {**os.environ, "PATH": f"{BESIDE_PYTHON}:{os.environ['PATH']}"}
    result = subprocess.run(
        ["bash", "-c", text], cwd=folder, capture_output=True, text=True, timeout=LONGEST_S, check=False, stdin=subprocess.DEVNULL, env=environment
    )  # fmt: skip
    return Finished(result.returncode, result.stdout, result.stderr)


def in_order(shown: list[str], printed: list[str]) -> str | None:
    """The first shown line that is not printed after the one before, None if all are; ``…`` stands for anything, alone for any lines."""
    at = 0
    for line in shown:
        if line.strip() == "…":
            continue
        pattern = re.compile(".*".join(map(re.escape, line.rstrip().split("…"))))
        at = next((n + 1 for n, each in enumerate(printed[at:], at) if pattern.fullmatch(each.rstrip())), -1)
        if at < 0:
            return line
    return None
