"""A made-up official annex scores an old evening again without a line of code, and the totals are what a hand says."""

from __future__ import annotations

from decimal import Decimal

from harness.catalog.criteria_set import read_criteria
from harness.scoring import RunEvidence, read_groups, score_sweep, total
from tests.scoring.evening import PORTAL, Evening, facts
from tests.scoring.sets import the_2024_set

ANNEX = """\
id: phu-luc-gia-dinh
version: "2.1"
name_vi: Phụ lục giả định
name_en: Made-up annex
provisional: false
points_total: {value: 100, basis: official, source: &act a made-up decision}
groups:
  - {id: everything-else, name_vi: Còn lại, name_en: Everything else, points: {value: 80, basis: official, source: *act}}
  - {id: speed, name_vi: Hiệu năng, name_en: Performance, points: {value: 20, basis: official, source: *act}}
performance_group: speed
grades:
  - {grade: Đạt, lowest: 70, basis: official, source: *act}
  - {grade: Không đạt, lowest: 0, basis: official, source: *act}
between_bands: nearest
criteria:
  - id: p95
    name_vi: Phân vị 95
    name_en: p95
    heading: average_response
    points: {value: 12.5, basis: official, source: *act}
    metric: p95
    select: {journey: [search], step: [search], stage: typical, owner: any}
    curve: {kind: bands, version: 1, bands: [{limit: 0.5, share: 1}, {limit: 2, share: 0.6}, {limit: 5, share: 0.2}], basis: official, source: *act}
    quota: {windows: 3, n: 93, basis: official, source: *act}
    required: always
  - id: errors
    name_vi: Lỗi
    name_en: Errors
    heading: correctness
    points: {value: 7.5, basis: official, source: *act}
    metric: error_rate of visits
    select: {journey: [search], stage: typical}
    curve: {kind: linear, version: 1, full: 0, none: 10, basis: official, source: *act}
    quota: {windows: 3, n: 93, basis: official, source: *act}
    required: always
"""


def _evening():
    """Of 100 searches a window 4 fail and 10 take 1.5 s, the others 0.3 s: p95 is 1.5 s (rank 95 of 100, four at +∞)."""
    evening = Evening()
    for number in range(6):
        for count in range(100):
            seconds, outcome = (0.1, "reset") if count < 4 else (1.5, "ok") if count < 14 else (0.3, "ok")
            evening.visit(number, "search", [("find", "search", seconds, outcome)])
    return evening.frame()


def test_a_made_up_annex_scores_old_evidence_again(tmp_path):
    path = tmp_path / "annex.yaml"
    path.write_text(ANNEX, encoding="utf-8")
    annex = read_criteria(path)
    run = RunEvidence(PORTAL, facts(), _evening())
    before = score_sweep("old", [run], the_2024_set())
    after = score_sweep("old", [run], annex, revision=2, supersedes=1)

    assert (before.criteria_set.id, before.criteria_set.provisional) == ("473-QD-BTTTT-2024", True)
    assert (after.criteria_set.id, after.criteria_set.provisional, after.revision, after.supersedes) == ("phu-luc-gia-dinh", False, 2, 1)
    card = after.scorecards[0]
    # 0.6 · 12.5 = 7.5 and (10 - 4) / 10 · 7.5 = 4.5
    assert [(score.value, score.points, score.basis) for score in card.criteria] == [(1.5, 7.5, "official"), (4.0, 4.5, "official")]
    assert (card.points, card.interval) == (12.0, (12.0, 12.0))

    groups = read_groups("portal,everything-else\ntinh-mau,57.5\n", "groups.csv", annex)
    system = total(after, groups, annex).systems[0]
    assert (system.total, system.grade) == (Decimal("69.5"), "Đạt")  # 69.5 rounds half up to 70
