from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from importlib import resources
from pathlib import Path

import openpyxl
import pytest

from harness import publish
from harness.errors import EnvironmentFault, EvidenceError
from harness.evidence.facts import Verdict
from harness.publish.criterion_words import name_text
from harness.publish.import_file import check_bytes
from harness.publish.reason_words import reason_text
from harness.publish.scoreboard import rank_text, standings
from harness.publish.wording import phrase
from tests.publish.simulated_night import with_unproven

REPOSITORY = Path(__file__).parents[2]
FORMULA = "=cmd|'/c calc'!A1"


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def with_first_card(scores, **changes):
    return replace(scores, scorecards=(replace(scores.scorecards[0], **changes), *scores.scorecards[1:]))


def test_what_is_exported_is_what_is_read_back(scores, tmp_path):
    path = publish.export(scores, tmp_path)
    assert publish.read_scores(path) == scores


def test_an_unproven_journey_and_a_mean_of_windows_are_read_back_and_stand_in_every_file(scores, tmp_path):
    changed = with_unproven(scores)
    path = publish.export(changed, tmp_path)
    assert publish.read_scores(path) == changed
    by_id = {row["criterion"]: row for row in rows_of(tmp_path / "scores.csv") if row["portal"] == changed.scorecards[0].portal}
    assert (by_id["average-submit"]["state"], by_id["average-submit"]["points"]) == ("unproven", "")
    assert (by_id["payments"]["over"], by_id["slowest-submit"]["over"]) == ("mean_of_windows", "median_window")
    assert "bản mô tả hệ thống của bộ đo đã lạc hậu" in by_id[""]["reasons_vi"]
    sheet = openpyxl.load_workbook(tmp_path / "scores.xlsx")["criteria"]
    header, *rows = sheet.iter_rows(values_only=True)
    assert {row[header.index("state")] for row in rows} == {"assessed", "not_assessed", "unproven"}
    assert {row[header.index("over")] for row in rows} == {None, "median_window", "mean_of_windows"}


def test_the_measured_value_stands_beside_the_scored_one_in_every_file(scores, tmp_path):
    document = json.loads(publish.export(scores, tmp_path).read_text(encoding="utf-8"))
    header, *lines = openpyxl.load_workbook(tmp_path / "scores.xlsx")["criteria"].iter_rows(values_only=True)
    sheet = {(line[0], line[header.index("criterion")]): dict(zip(header, line, strict=True)) for line in lines}
    table = {(row["portal"], row["criterion"]): row for row in rows_of(tmp_path / "scores.csv")}
    for card in document["scores"]:
        for criterion in card["criteria"]:
            for key in ("value", "value_measured", "zero_point_s", "failures", "failures_of"):
                at = card["portal"], criterion["id"]
                value = criterion.get(key)
                assert sheet[at][key] == (value if value is None else pytest.approx(value))
                assert table[at][key] == ("" if value is None else repr(value))


def test_unproven_with_points_is_refused(scores, tmp_path):
    path = publish.export(with_unproven(scores), tmp_path)
    document = json.loads(path.read_text(encoding="utf-8"))
    unproven = next(c for c in document["scores"][0]["criteria"] if c["state"] == "unproven")
    unproven["points"] = 1.0
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(EvidenceError, match="null, because it was not scored"):
        publish.read_scores(path)


def test_the_same_scores_give_the_same_bytes(scores, tmp_path):
    publish.export(scores, tmp_path / "a")
    publish.export(publish.read_scores(tmp_path / "a" / "scores.json"), tmp_path / "b")
    for name in ("scores.json", "scores.csv", "scores.xlsx"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_stable_core_is_there_under_its_names(scores, tmp_path):
    document = json.loads(publish.export(scores, tmp_path).read_text(encoding="utf-8"))
    assert document["schema"] == "performance-scores/1"
    assert {"sweep", "revision", "supersedes", "nights", "criteria_set", "group", "scores"} <= document.keys()
    assert {"id", "version", "provisional"} <= document["criteria_set"].keys()
    assert {"id", "points_max"} <= document["group"].keys()
    for card in document["scores"]:
        assert {"portal", "verdict", "reasons", "points", "interval", "points_assessed_max", "criteria", "evidence"} <= card.keys()
        assert (card["points"] is None) == (card["verdict"] != "valid")
        for criterion in card["criteria"]:
            core = {"id", "state", "points", "points_max", "interval", "metric", "value", "unit", "windows", "n", "basis"}
            assert core <= criterion.keys()


def test_the_published_schema_is_the_packages_own():
    source = resources.files("harness.publish").joinpath("schemas/performance-scores-1.json").read_bytes()
    assert (REPOSITORY / "results" / "schemas" / "performance-scores-1.json").read_bytes() == source


def test_the_stable_core_alone_is_enough_to_be_read(scores, tmp_path):
    document = json.loads(publish.export(scores, tmp_path).read_text(encoding="utf-8"))
    core = {"id", "state", "points", "points_max", "interval", "metric", "value", "unit", "windows", "n", "basis"}
    for card in document["scores"]:
        card["criteria"] = [{key: criterion[key] for key in core} for criterion in card["criteria"]]
        for added in ("name_vi", "name_en", "level", "points_max", "nights"):
            del card[added]
    path = tmp_path / "core.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert [card.points for card in publish.read_scores(path).scorecards] == [card.points for card in scores.scorecards]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_part_of_a_file_is_refused(scores, tmp_path, share):
    path = publish.export(scores, tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int((len(data) - 1) * share)])
    with pytest.raises(EvidenceError, match=r"scores\.json.*expected a whole JSON document"):
        publish.read_scores(path)


def test_another_schema_is_named(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text('{"schema": "performance-scores/2"}', encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"schema is 'performance-scores/2'; expected 'performance-scores/1'"):
        publish.read_scores(path)


def test_a_missing_file_says_what_would_write_it(tmp_path):
    with pytest.raises(EvidenceError, match=r"not there.*harness score"):
        publish.read_scores(tmp_path / "scores.json")


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda d: d["scores"][0].pop("verdict"), "scores.0 is incomplete"),
        (lambda d: d["scores"][0].update(points=None), "scores.0.points"),
        (lambda d: d["scores"][5].update(points=0.0), "scores.5.points"),
        (lambda d: d["scores"][0].update(points=d["scores"][0]["points"] + 1), r"\(binh-dinh\); expected the sum of its criteria"),
        (lambda d: d["scores"].append(d["scores"][0]), "each portal once"),
        (lambda d: d["scores"][0]["criteria"][0].update(basis="guessed"), "basis is 'guessed'"),
        (lambda d: d["scores"][0]["evidence"][0].update(sha256="00"), "sha256"),
        (lambda d: d.update(revision=2, supersedes=2), "an earlier revision"),
        (lambda d: d.update(nights=["2026-02-30"]), "days of the calendar"),
        (lambda d: d["scores"][0]["criteria"][0].update(interval=[3.0, 1.0]), "the lower end first"),
    ],
)
def test_a_file_that_breaks_the_contract_is_refused_with_the_key(scores, tmp_path, damage, named):
    path = publish.export(scores, tmp_path)
    document = json.loads(path.read_text(encoding="utf-8"))
    damage(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(EvidenceError, match=named):
        publish.read_scores(path)


def test_all_problems_are_told_at_once(scores, tmp_path):
    document = json.loads(publish.export(scores, tmp_path).read_text(encoding="utf-8"))
    document["scores"][0]["criteria"][0]["windows"] = "six"
    document["nights"] = ["21 November"]
    with pytest.raises(EvidenceError) as caught:
        check_bytes(json.dumps(document).encode(), "x.json")
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "text", [b'{"schema": NaN}', b'{"schema": 1e999}', b'{"schema": "a", "schema": "b"}', b"\xff\xfe", b"[]", b'"performance-scores/1"']
)
def test_what_is_not_strict_json_is_refused(text):
    with pytest.raises(EvidenceError):
        check_bytes(text, "x.json")


def test_infinity_never_reaches_the_file(scores, tmp_path):
    broken = with_first_card(scores, points_assessed_max=float("inf"))
    with pytest.raises(EvidenceError, match=r"scores\.binh-dinh\.points_assessed_max is inf"):
        publish.export(broken, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_scores_that_break_the_contract_leave_no_file(scores, tmp_path):
    with pytest.raises(EvidenceError):
        publish.export(with_first_card(scores, verdict=Verdict.VOID), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_all_three_or_none(scores, tmp_path):
    publish.export(scores, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "scores.json").unlink()
    (tmp_path / "scores.json").mkdir()  # the last rename fails
    with pytest.raises(EnvironmentFault, match=r"scores\.json"):
        publish.export(replace(scores, revision=2, supersedes=1), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(before)
    for name in ("scores.csv", "scores.xlsx"):
        assert (tmp_path / name).read_bytes() == before[name]


def test_csv_has_a_row_a_criterion_and_a_total_a_portal(scores, tmp_path):
    publish.export(scores, tmp_path)
    assert (tmp_path / "scores.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    rows = rows_of(tmp_path / "scores.csv")
    for card in scores.scorecards:
        mine = [row for row in rows if row["portal"] == card.portal]
        assert [row["criterion"] for row in mine] == [*(criterion.id for criterion in card.criteria), ""]
        total = mine[-1]
        assert total["row"] == "total"
        assert total["points"] == ("" if card.points is None else repr(card.points))
        assert sum(float(row["points"] or 0) for row in mine[:-1]) == pytest.approx(float(total["points"] or 0))


@pytest.mark.parametrize("text", [FORMULA, "+1", "-1+2", "@SUM(1)", "\t=1", "\r=1", " =1", "＝1"])
def test_text_that_looks_like_a_formula_stays_text_everywhere(scores, tmp_path, text):
    path = publish.export(with_first_card(scores, portal=text, name_vi=text, name_en=text), tmp_path)
    assert publish.read_scores(path).scorecards[0].portal == text
    row = rows_of(tmp_path / "scores.csv")[0]
    assert row["portal"] == row["name_vi"] == row["name_en"] == f"'{text}"
    book = openpyxl.load_workbook(tmp_path / "scores.xlsx")
    cells = [cell for sheet in book for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert [cell.value for cell in cells].count(text) >= 3 or "\r" in text


def _sheet_lines(path):
    """The sheet for people: its texts above the table, its header, and its lines with portals, as they stand in it."""
    sheet = openpyxl.load_workbook(path)["Bảng điểm"]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    head = next(number for number, row in enumerate(rows) if row[:2] == ["Hạng", "Hệ thống"])
    lines = [row for row in rows[head + 1 :] if isinstance(row[1], str)]
    return sheet, [row[0] for row in rows[:head] if row[0]], rows[head], lines


def test_the_first_sheet_is_the_scoreboard_as_an_official_reads_it(scores, tmp_path):
    publish.export(with_unproven(scores), tmp_path)
    sheet, above, header, lines = _sheet_lines(tmp_path / "scores.xlsx")
    board = standings(with_unproven(scores))
    names = [name_text(criterion.name_vi, criterion.name_en).vi for criterion in scores.scorecards[0].criteria]
    assert header[:6] == ["Hạng", "Hệ thống", "Điểm", "Từ", "Đến", "Trên tối đa đã đánh giá"]
    assert [head.partition(" (/")[0] for head in header[6:-2]] == names
    assert header[-2:] == ["Kết luận về lần đo", "Lý do"]
    assert above[0] == "Bảng điểm nhóm hiệu năng"
    assert above[2].startswith("TẠM THỜI")
    assert [line[1] for line in lines] == [standing.card.name_vi for standing in board]
    for line, standing in zip(lines, board, strict=True):
        card = standing.card
        low, high = card.interval or (None, None)
        assert line[0] == rank_text(standing)
        assert line[2:6] == ["–" if value is None else pytest.approx(value) for value in (card.points, low, high, card.points_assessed_max)]
        signs = ["?" if criterion.state == "unproven" else "–" for criterion in card.criteria]
        assert line[6:-2] == [sign if c.points is None else pytest.approx(c.points) for sign, c in zip(signs, card.criteria, strict=True)]
        assert line[-2] == phrase(f"verdict.{card.verdict.value}").vi
        assert (line[-1] or "") == "; ".join(reason_text(reason, "vi") for reason in card.reasons)
    assert "?" in {cell for line in lines for cell in line}
    setup = sheet.page_setup
    assert (setup.paperSize, setup.orientation, setup.fitToHeight) == (9, "landscape", 0)  # 9 is A4; as many pages as it takes, 1 wide
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert setup.fitToWidth in (None, 1)  # 1 is what is meant where it is left out
    head = next(row[0].row for row in sheet.iter_rows() if row[0].value == "Hạng")
    assert sheet.freeze_panes == f"C{head + 1}"
    assert sheet.print_title_rows == f"${head}:${head}"


def test_the_first_sheet_has_no_ranks_where_each_portal_had_a_load_of_its_own(scores, tmp_path):
    publish.export(replace(scores, criteria_set=replace(scores.criteria_set, provisional=False)), tmp_path, ranks={})
    _, above, _, lines = _sheet_lines(tmp_path / "scores.xlsx")
    assert {line[0] for line in lines} == {"–"}
    assert not [text for text in above if text.startswith("TẠM THỜI")]


def test_a_shortened_set_says_so_on_the_first_sheet(scores, tmp_path):
    publish.export(replace(scores, criteria_set=replace(scores.criteria_set, version="2+shortened (windows from 5.5 s)")), tmp_path)
    _, above, _, _ = _sheet_lines(tmp_path / "scores.xlsx")
    assert above[3].startswith("RÚT NGẮN")
    assert "khung thời gian đo từ 5,5 s" in above[1]


def test_the_workbook_holds_numbers_as_numbers(scores, tmp_path):
    publish.export(scores, tmp_path)
    book = openpyxl.load_workbook(tmp_path / "scores.xlsx")
    assert book.sheetnames == ["Bảng điểm", "criteria", "evidence", "scores"]
    sheet = book["scores"]
    columns = [cell.value for cell in sheet[1]]
    points = [row[columns.index("points")] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert points[:-1] == pytest.approx([card.points for card in scores.scorecards[:-1]], rel=1e-15)
    assert points[-1] is None
    assert book["criteria"].max_row == 1 + sum(len(card.criteria) for card in scores.scorecards)
    assert book["evidence"].max_row == 1 + sum(len(card.evidence) for card in scores.scorecards)
