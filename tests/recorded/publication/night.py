"""A night of two portals on its way to published scores, and what a command said about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.errors import Problem
from harness.evidence import SweepFolder, read_runs
from harness.evidence.facts import RunFacts, UnprovenJourney
from harness.evidence.publication import PublicationStepName
from harness.operations import score_folder, settlements, signing
from harness.operations.publication_steps import IntendedStep, take_step
from harness.operations.shipped import shipped_catalog
from harness.records import read_plan
from tests.e2e.commands import Finished, invoke
from tests.e2e.evidence import load
from tests.recorded.conftest import RECORDED

CATALOG = shipped_catalog()
NAME = read_plan(RECORDED / "plan.json").sweep
AN, BINH = "Nguyễn Văn Mẫu", "Trần Thị Thử"
AGENCY = f"""\
name_vi: Cơ quan đánh giá mẫu
people:
  - {{name: {AN}, roles: [evaluator]}}
  - {{name: {BINH}, roles: [confirmer, evaluator]}}
  - {{name: Lê Văn Ví Dụ, roles: [contact]}}
answer_within_days: 10
"""
SUBMIT = UnprovenJourney("submit", "file", "log_in", "extraction", "css #dang-nhap", "", 3)
"""A journey that no lone citizen got through."""


@dataclass(frozen=True)
class Night:
    """A results folder with one scored sweep of two portals, its register, the agency's names file, and a key."""

    results: Path
    key: str

    @property
    def sweep(self) -> SweepFolder:
        return SweepFolder(self.results / NAME)

    def step(self, name: str, *options: str, by: str = AN, confirmed_by: str = BINH, reason: str = "đã rà soát") -> Finished:
        persons = ["--by", by, "--confirmed-by", confirmed_by, "--reason", reason]
        return invoke(self.results, "publication", NAME, name, *persons, *options)

    def later(self, name: PublicationStepName, days: float, **more: Any) -> None:
        """A step that is taken some days from now."""
        intended = IntendedStep(step=name, by=AN, confirmed_by=BINH, reason="đã rà soát", **more)
        take_step(self.sweep, CATALOG, intended, now=datetime.now(UTC) + timedelta(days=days))

    def make_final(self) -> None:
        """All portals, without an answer."""
        self.later("sent", 0)
        self.later("answered", 11, no_answer=True)
        self.later("final", 11)

    def states(self) -> dict[str, str]:
        return {portal: found["state"] for portal, found in self.publication().items()}

    def publication(self) -> dict[str, Any]:
        return {card["portal"]: card["publication"] for card in load(self.sweep.scores)["scores"]}

    def files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in sorted(self.results.rglob("*")) if path.is_file()}

    def change_scores(self, portal: str = "slow") -> None:
        """Another digit in the points of a portal's first criterion, as somebody might write it by hand; the sum agrees."""
        found = load(self.sweep.scores)
        (card,) = [each for each in found["scores"] if each["portal"] == portal]
        scored = next(each for each in card["criteria"] if each["points"])
        scored["points"] -= 0.25
        scored["interval"] = None
        card["points"] -= 0.25
        card["interval"] = None
        self.sweep.scores.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def only_two(patch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Score two portals of the recorded sweep, so that a step costs little; ``changes``: of the facts of `fast`."""

    def runs(folder: SweepFolder) -> tuple[RunFacts, ...]:
        two = (run for run in read_runs(folder) if run.portal in {"fast", "slow"})
        return tuple(replace(run, **changes) if run.portal == "fast" else run for run in two)

    patch.setattr(score_folder, "read_runs", runs)
    patch.setattr(settlements, "read_runs", runs)


def refused(finished: Finished, code: int, *named: str) -> None:
    """One line or more, each an error, which name all of ``named``; no traceback."""
    assert finished.code == code, finished.said
    assert all(line.startswith("error: ") for line in finished.err.splitlines()), finished.said
    assert not [each for each in named if each not in finished.err], finished.said


def done(finished: Finished) -> Finished:
    assert finished.code == 0, finished.said
    return finished


def public_key(night: Night) -> Any:
    return signing.signing_key(night.key).public_key()


def problem_text(problems: Callable[[], Iterator[Problem]]) -> str:
    return "\n".join(map(str, problems()))
