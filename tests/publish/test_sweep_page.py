"""The page of a sweep: verdict of the night, matrix, ranks, states, grades, permissions."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from harness.catalog.authorisation import NamedPermission
from harness.errors import EvidenceError
from harness.publish import GivenPermissions, ReportExtras
from harness.publish.exports import read_grades
from harness.publish.night_verdict import night_verdict
from harness.publish.rank_chart import ROWS, rank_charts
from harness.publish.report_data import Grades, PortalGrade
from harness.publish.score_matrix import score_matrix, shade
from harness.publish.scoreboard import rank_text, standings
from harness.publish.sweep_page import grade_text, sweep_page
from harness.publish.wording import decimal
from harness.records.differing import Differing
from harness.scoring.scorecard import CriterionState
from tests.publish import simulated_night as night


@pytest.fixture(scope="module")
def many():
    return night.many_scores()


def page_of_sweep(scores, about=None, languages=("vi", "en"), runs=()):
    about = about or ReportExtras()
    return sweep_page(scores, standings(scores, about.ranks), runs, about=about, languages=languages)


def sentence(scores, about=None, *, shortened=False):
    return night_verdict(scores, score_matrix(standings(scores, (about or ReportExtras()).ranks)), shortened=shortened)


def texts_of(page):
    return " ".join(
        unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>|<script>.*?</script>", "", page, flags=re.DOTALL))).split()
    )


def test_the_night_is_told_in_one_sentence(scores):
    found = sentence(scores)
    assert found.vi == (
        "Kết quả tạm thời, do bộ tiêu chí chưa phải là bản chính thức: 6 hệ thống được đo, 5 hệ thống có điểm; "
        "điểm từ 8,9 đến 16,7 trên tối đa 17 điểm được đánh giá; dẫn đầu là Bình Định (16,7 điểm); "
        "tiêu chí có tỷ lệ mất điểm cao nhất là “Bước nộp hồ sơ chậm nhất” (bình quân mất 53 % số điểm); không có điểm: 1 hệ thống bị từ chối."
    )
    assert found.en.startswith(
        "Provisional, because the criteria set is not the official one: portals measured: 6, with points: 5; points from 8.9 to 16.7"
    )
    assert "Binh Dinh (16.7 points) leads" in found.en
    assert found.en.endswith("without points: 1 blocked.")
    final = replace(scores, criteria_set=replace(scores.criteria_set, provisional=False))
    assert sentence(final).vi.startswith("Kết quả: 6 hệ thống")
    assert sentence(final, shortened=True).vi.startswith("Kết quả trình diễn với khung thời gian đo rút ngắn, không dùng để chấm điểm: ")


def test_leaders_that_cannot_be_told_apart_are_all_named_or_counted(scores, many):
    wide = tuple(card if card.points is None else replace(card, interval=(0.0, 17.0)) for card in scores.scorecards)
    assert "nhóm dẫn đầu chưa phân định được hơn kém gồm Bình Định (16,7 điểm)" in sentence(replace(scores, scorecards=wide)).vi
    assert " và 2 hệ thống khác" in sentence(replace(scores, scorecards=wide)).vi
    assert "không được xếp hạng" in sentence(scores, ReportExtras(ranks={})).vi


def test_a_night_without_any_points_says_so(scores):
    refused = replace(scores, scorecards=scores.scorecards[-1:])
    assert sentence(refused).vi.endswith("1 hệ thống được đo, 0 hệ thống có điểm; không có điểm: 1 hệ thống bị từ chối.")
    assert page_of_sweep(refused)


def test_every_cell_of_84_portals_holds_the_points_of_its_scorecard(many):
    page = page_of_sweep(many, languages=("vi",))
    assert len(page_of_sweep(many).encode()) < 3_000_000
    matrix = page.split('<table class="matrix sortable">')[1].split("</table>")[0]
    rows = {row[0]: row[1] for row in re.findall(r'<tr id="p(\d+)">(.*?)</tr>', matrix, flags=re.DOTALL)}
    assert len(rows) == 84
    for place, standing in enumerate(standings(many), start=1):
        card = standing.card
        cells = re.findall(r'<td class="cell(?: s(\d))?" data-v="([^"]*)">([^<]*)</td>', rows[str(place)])
        assert f'href="report/p{place}.html"' in rows[str(place)]
        if card.points is None:
            assert not cells
            assert "không có điểm" in rows[str(place)]
            continue
        shown = [each for each in card.criteria if not each.id.startswith("efficiency")]  # assessed nowhere
        assert [each[2] for each in cells] == [decimal(criterion.points, 2, "vi") for criterion in shown]
        assert [float(each[1]) for each in cells] == [criterion.points for criterion in shown]
        assert [int(each[0]) for each in cells] == [min(4, int(4 * criterion.points / criterion.points_max + 1e-9)) for criterion in shown]
        assert f'data-v="{card.points}">{decimal(card.points, 1, "vi")}</td>' in rows[str(place)]


def test_shades_darken_as_points_are_lost_without_colour_and_can_be_read():
    style = page_of_sweep(night.sweep_scores())
    colours = [re.search(rf"\.s{number} \{{ background: (#\w+);(?: color: (#\w+);)? \}}", style).groups() for number in range(5)]
    brightness = [luminance(background) for background, _ in colours]
    assert all(darker < lighter - 0.05 for darker, lighter in pairwise(brightness))
    for background, text in colours:
        light, dark = sorted((luminance(background), luminance(text or "#1f2933")), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour):
    """Relative luminance of sRGB, WCAG 2.2."""
    digits = colour.lstrip("#") if len(colour) == 7 else "".join(digit * 2 for digit in colour.lstrip("#"))
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_criterion_that_is_unproven_or_not_assessed_is_neither_zero_nor_shaded(scores):
    changed = night.with_unproven(scores)
    matrix = score_matrix(standings(changed))
    row = next(row for row in matrix.rows if row.standing.card.portal == "binh-dinh")
    states = {cell.id: cell.state for cell in row.cells}
    assert states["average-submit"] is CriterionState.UNPROVEN
    assert [criterion.id for criterion in matrix.assessed_nowhere] == ["efficiency"]
    page = page_of_sweep(changed, languages=("en",))
    assert '<td class="cell" data-v="">?</td>' in page
    assert (
        "Criteria that were assessed on no portal: CPU of application and database servers (the operator supplied no server figures)."
        in texts_of(page)
    )
    assert shade(replace(row.cells[1], points=0.0)) == 0


def test_ranks_are_drawn_as_ranges_and_half_of_84_portals_at_a_time(many, scores):
    scored = [standing for standing in standings(many) if standing.card.points is not None]
    charts = rank_charts(scored, many.group.points_max, ("vi",))
    names = [sum(element.text.startswith("Bộ Lao động") for element in words(svg)) for svg in charts]
    assert names == [ROWS, len(scored) - ROWS]
    said = [element.text for svg in charts for element in words(svg)]
    assert {rank_text(standing) for standing in scored} <= set(said)
    assert not any("Labour" in text or "Rank" in text for text in said)
    tied = rank_charts(standings(scores, {"binh-dinh": (1, 2), "bo-noi-vu": (1, 2)})[:2], 20.0, ("en",))
    assert [element.text for element in words(tied[0])].count("1–2") == 2


def words(svg):
    """The texts of a picture, which is well-formed XML."""
    return list(ET.fromstring(svg).iter("text"))


def test_states_stand_apart_with_their_reasons(scores):
    page = page_of_sweep(scores, languages=("vi",))
    states = texts_of(page.split('<section id="states">')[1].split("</section>")[0])
    assert "Thừa Thiên Huế" in states
    assert "từ chối truy cập ngay cả khi chỉ có một người dùng" in states
    assert "không có điểm không phải là điểm 0" in states
    assert "Bình Định" not in states
    assert 'id="states"' not in page_of_sweep(replace(scores, scorecards=scores.scorecards[:3]))


def test_grades_of_these_scores_are_shown_and_those_of_another_revision_are_not(scores, tmp_path):
    by_portal = {"binh-dinh": PortalGrade(88.4, "B", ("C", "B")), "bo-noi-vu": PortalGrade(61.0, "D", ("D", "D"))}
    grades = Grades(scores.sweep, 1, "a total below the printed limit of a grade has not reached it: 89.5 counts as below 90", by_portal)
    page = texts_of(page_of_sweep(scores, ReportExtras(grades=grades), languages=("vi",)))
    assert "88,4 B (C–B)" in page
    assert "61,0 D" in page
    assert "A từ 90 điểm, B từ 80, C từ 65, D từ 50, E dưới 50" in page
    assert "89,5 điểm xếp loại B" in page
    stale = texts_of(page_of_sweep(replace(scores, revision=2, supersedes=1), ReportExtras(grades=grades), languages=("vi",)))
    assert "B (C–B)" not in stale
    assert "lần chấm 1, không phải lần chấm 2 này" in stale
    assert grade_text(None) == "–"


def test_totals_are_read_from_the_file_beside_the_scores(scores, tmp_path):
    assert read_grades(tmp_path) is None
    (tmp_path / "totals.json").write_text('{"systems": [{"portal": "x"}]}', encoding="utf-8")
    with pytest.raises(EvidenceError, match="evaluation-totals/1"):
        read_grades(tmp_path)


def test_the_permissions_and_the_contact_are_named(scores):
    letter = NamedPermission("letter-7", "12/CV-STTTT, 01/11/2026", "Sở Thông tin và Truyền thông (mẫu)")
    given = GivenPermissions({"binh-dinh": letter}, ("do-kiem@example.invalid",), "2026-11-21T14:30:00+00:00", rules_signed=True)
    about = ReportExtras(permissions=given, provenance=night.PROVENANCE)
    page = texts_of(page_of_sweep(scores, about, languages=("vi",), runs=[night.run_facts(person) for person in night.PORTALS]))
    for said in (
        "12/CV-STTTT, 01/11/2026 (letter-7)", "Sở Thông tin và Truyền thông (mẫu)", "do-kiem@example.invalid", "không cần văn bản cho phép: 5 / 6",
        "21/11/2026 21:30 · có chữ ký số", "Mọi giờ trên trang này là giờ Việt Nam (UTC+7)", "21/11/2026 22:00 – 21/11/2026 22:25",
        "chưa hiệu chuẩn trên máy này",
    ):  # fmt: skip
        assert said in page
    for command in ("explain", "pack", "verify", "supply", "settle"):
        assert f"harness {command}" in page


def test_differences_from_the_evaluators_run_are_a_table_in_both_languages(scores):
    hostile = Differing("file", "platforms/<b>x</b>.yaml", "a" * 64, "none")
    about = ReportExtras(differences=(hostile, Differing("machine", "processors", "8", "2"), Differing("seed", "", "7", "8")))
    page = page_of_sweep(scores, about)
    assert "<b>x</b>" not in page
    shown = texts_of(page)
    for text in (
        "Khác biệt so với lần đo của đơn vị đánh giá",
        "Differences from the evaluator's run",
        "Số bộ xử lý",
        "không có",
        "Random seed",
    ):
        assert text in shown
    assert "difference" not in page_of_sweep(scores).lower()


def test_the_commands_of_a_dispute_name_the_folder_and_a_catalog_of_ones_own(scores):
    def commands(about):
        page = page_of_sweep(scores, about, ("en",))
        return [unescape(each) for each in re.findall("<code>(harness .*?)</code>", page[page.index('id="dispute"') :])]

    plain = commands(ReportExtras())
    assert plain[0] == f"harness explain RESULTS/{scores.sweep} PORTAL"
    own = commands(ReportExtras(permissions=GivenPermissions({"binh-dinh": NamedPermission("cho-phep", "", "")})))
    assert [each for each in own if each.endswith(" --catalog CATALOG")] == [f"{plain[each]} --catalog CATALOG" for each in (0, 2, 4)]
