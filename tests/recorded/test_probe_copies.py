"""The availability history that a score used is evidence of the sweep: copied, chained to its seal, and never shortened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import EvidenceError, UsageError
from harness.evidence import SweepFolder
from harness.operations.score_folder import recompute
from harness.operations.shipped import shipped_catalog
from harness.operations.supplied.probe_copies import copied_probes, supply_probes
from harness.publish import read_scores
from harness.records.files import digest
from harness.records.probe_history import ProbeBlame, ProbeLine, open_history, read_history
from harness.scoring import Evidence
from harness.scoring.scorecard import without_later_fields
from tests.e2e.commands import invoke
from tests.e2e.test_bad_input import assert_refused

BEGAN = datetime(2026, 11, 15, 17, tzinfo=UTC)  # midnight of a Monday in Viet Nam


def probed(results: Path, portal: str = "fast", *, days: float = 7, authorisation: str = "") -> Path:
    """A history with a probe every half hour, three times as slow in office hours."""
    path = results / "availability" / f"{portal}.jsonl"
    with open_history(path) as history:
        for number in range(int(days * 48)):
            at = BEGAN + timedelta(minutes=30 * number)
            seconds = 0.9 if (at + timedelta(hours=7)).hour in range(8, 17) else 0.3
            history.add(
                ProbeLine(
                    portal, "search", at.isoformat(), BEGAN.isoformat(), 1800.0 * number, 0.0, "ok", ProbeBlame.NOBODY, 1800.0, seconds, 2,
                    authorisation=authorisation,
                )
            )  # fmt: skip
    return path


def test_probes_become_evidence_and_points(folder: Path, tmp_path: Path) -> None:
    path = probed(tmp_path / "results", days=6)
    done = invoke(tmp_path, "supply", "demo", "--probes", "results")
    assert done.code == 0, done.said
    assert "288 probes from 2026-11-15T17:00:00+00:00 to 2026-11-21T16:30:00+00:00" in done.out
    copy = folder / "supplied" / "fast.probes.jsonl"
    assert copy.read_bytes() == path.read_bytes()
    before = read_scores(folder / "scores.json")
    scores = recompute(SweepFolder(folder), shipped_catalog(), before, "473-QD-BTTTT-2024@3", (), "fast")
    (card,) = scores.scorecards
    assert Evidence("supplied/fast.probes.jsonl", digest(copy)) in card.evidence
    (availability,) = [criterion for criterion in card.criteria if criterion.id == "availability"]
    assert (availability.state, availability.value, availability.points) == ("assessed", 100.0, 2.0)
    assert card.day_and_night is not None
    assert (card.day_and_night.ratio, card.day_and_night.is_finding) == (3.0, True)
    assert "slow_by_day" in {reason.code for reason in card.reasons}
    (as_before,) = without_later_fields(recompute(SweepFolder(folder), shipped_catalog(), before, "", (), "fast")).scorecards
    assert as_before.criteria == next(each for each in before.scorecards if each.portal == "fast").criteria  # an older version of the set
    copy.write_bytes(copy.read_bytes().replace(b'"portal": "fast"', b'"portal": "slow"', 1))
    with pytest.raises(EvidenceError, match=r"fast\.probes\.jsonl:2: previous"):
        recompute(SweepFolder(folder), shipped_catalog(), before, "", (), "fast")


def test_a_part_of_the_time_is_copied_without_a_gap_and_only_ever_more(folder: Path, tmp_path: Path) -> None:
    sweep, path = SweepFolder(folder), probed(tmp_path / "results")
    lines = path.read_bytes().splitlines()
    copy = folder / "supplied" / "fast.probes.jsonl"
    (copied,) = supply_probes(sweep, path.parent, "fast", since="2026-11-17T00:00:00+07:00", until="2026-11-18T00:00:00+07:00")
    assert copy.read_bytes().splitlines() == lines[48:96]
    assert (copied.probes, copied.sha256, copied.file) == (48, digest(copy), "supplied/fast.probes.jsonl")
    assert len(read_history(copy)) == 48
    with pytest.raises(EvidenceError, match="without 24 lines"):
        supply_probes(sweep, path.parent, "fast", since="2026-11-17T12:00:00+07:00")
    assert copy.read_bytes().splitlines() == lines[48:96]
    supply_probes(sweep, tmp_path / "results")
    assert copy.read_bytes() == path.read_bytes()


def test_what_cannot_be_copied_is_named(folder: Path, tmp_path: Path) -> None:
    sweep, path = SweepFolder(folder), probed(tmp_path / "results", days=1)
    for portal, source, match in (
        ("nowhere", tmp_path / "results", "PORTAL is nowhere"),
        ("slow", tmp_path / "results", r"slow\.jsonl"),
        ("", tmp_path / "empty", "--probes"),
    ):
        with pytest.raises(UsageError, match=match):
            supply_probes(sweep, source, portal)
    with pytest.raises(UsageError, match="no time zone"):
        supply_probes(sweep, tmp_path / "results", since="2026-11-17T00:00:00")
    path.write_bytes(path.read_bytes().replace(b'"nobody"', b'"portal"', 1))
    with pytest.raises(EvidenceError, match=r"fast\.jsonl:2: previous"):
        supply_probes(sweep, tmp_path / "results")
    assert not (folder / "supplied" / "fast.probes.jsonl").exists()
    assert_refused(invoke(tmp_path, "supply", "demo", "--probes", "results", "--metric", "x"), 2, "--since and --until with --probes")
    assert_refused(invoke(tmp_path, "supply", "demo", "--maintenance", "a", "b"), 2, "PORTAL")


def test_probes_of_the_simulator_are_none_of_a_real_portal_and_the_other_way_round(folder: Path, tmp_path: Path) -> None:
    sweep = SweepFolder(folder)
    probed(tmp_path / "results", days=1)
    probed(tmp_path / "results", days=2, authorisation="of-fast")  # the same history goes on
    supply_probes(sweep, tmp_path / "results")
    assert [len(copied_probes(sweep, "fast", authorised=authorised)) for authorised in (False, True)] == [48, 96]
    foreign = folder / "supplied" / "slow.probes.jsonl"
    foreign.write_bytes((folder / "supplied" / "fast.probes.jsonl").read_bytes())
    with pytest.raises(EvidenceError, match="portal is fast; expected slow"):
        copied_probes(sweep, "slow", authorised=False)
