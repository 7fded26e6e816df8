"""(sweep, revision) names a document: the same contents keep their number, other contents never take one that was given out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.evidence import SweepFolder
from harness.operations.revisions import with_revision, write_revisions
from harness.publish import export
from harness.scoring import Evidence, PortalIdentity, RunEvidence, SweepScores, score_sweep
from tests.scoring.evening import PORTAL, Evening, facts
from tests.scoring.sets import criteria_set, criterion


def _scores(seconds: float, *evidence: Evidence) -> SweepScores:
    evening = Evening()
    for number in range(6):
        evening.visit(number, "search", [("find", "search", seconds, "ok")])
    portal = PortalIdentity(PORTAL.id, PORTAL.name_vi, PORTAL.name_en, PORTAL.level)
    return score_sweep("a-sweep", [RunEvidence(portal, facts(), evening.frame(), evidence)], criteria_set(criterion("mean")))


def _give_out(folder: SweepFolder, scores: SweepScores) -> tuple[int, int | None, bytes]:
    new, record = with_revision(folder, scores)
    path = export(new, folder.path)
    write_revisions(folder, record)
    return new.revision, new.supersedes, path.read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    return SweepFolder(tmp_path)


def test_scoring_again_is_the_same_revision_to_the_byte_also_without_the_file(folder: SweepFolder) -> None:
    first = _give_out(folder, _scores(1.0))
    assert _give_out(folder, _scores(1.0)) == first
    second = _give_out(folder, _scores(4.0))
    assert second[:2] == (2, 1)
    (folder.path / "scores.json").unlink()
    assert _give_out(folder, _scores(4.0)) == second


def test_what_comes_later_to_the_evidence_is_a_new_revision(folder: SweepFolder) -> None:
    _give_out(folder, _scores(1.0))
    supplied = _scores(1.0, Evidence("supplied/tinh-mau.servers.csv", "0" * 64))
    assert _give_out(folder, supplied)[:2] == (2, 1)


def test_a_number_is_never_used_twice(folder: SweepFolder) -> None:
    _give_out(folder, _scores(1.0))
    _give_out(folder, _scores(4.0))
    (folder.path / "scores.json").unlink()
    assert _give_out(folder, _scores(1.0))[:2] == (3, 2)


def test_a_folder_without_a_record_goes_on_from_its_scores(folder: SweepFolder) -> None:
    export(replace(_scores(1.0), revision=4, supersedes=3), folder.path)
    assert _give_out(folder, _scores(1.0))[:2] == (4, 3)
    assert _give_out(folder, _scores(4.0))[:2] == (5, 4)
