from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html import unescape

import pytest

from harness.catalog.authorisation import NamedPermission
from harness.errors import visible
from harness.evidence.facts import Reason, Verdict
from harness.evidence.publication import FIRST_DRAFT, PortalPublication, ReopeningCause
from harness.evidence.reasons import Language
from harness.publish.import_file import card_digest
from harness.publish.letter import letter_page
from harness.publish.reason_words import reason_text
from tests.publish import simulated_night as night
from tests.publish.hostile_night import PAYLOADS, Says, extras_of, harmless, hostile, scores_of
from tests.publish.letters import AGENCY, FAULTS, NIGHT, SENT, facts, fullest, windows_alone
from tests.publish.test_hostile_texts import Structure
from tests.publish.vietnamese import english_in

UNPROVEN, GOOD, VOID, INSUFFICIENT, UNREACHABLE, BLOCKED = NIGHT.scorecards


def read(page: str) -> str:
    """The text of a page as a reader meets it."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page.partition("<body>")[2])).split())


def test_a_letter_tells_points_values_thresholds_and_when_they_were_measured():
    said = read(letter_page(facts(GOOD), "vi"))
    assert "Kính gửi: Đơn vị quản lý, vận hành hệ thống Bộ Nội vụ" in said
    assert "V/v thông báo kết quả đo hiệu năng" in said
    assert "Hà Nội, ngày 26 tháng 11 năm 2026" in said
    assert "Đo từ 21/11/2026 22:00 đến 22:26, giờ Việt Nam (UTC+7); 6 trên 6 khung thời gian đo hợp lệ." in said
    assert "14,7 điểm trên 17 điểm của các tiêu chí được đánh giá (toàn nhóm 20 điểm); khoảng tin cậy từ" in said
    assert "Tỷ lệ thanh toán được xác nhận 100 % đủ điểm khi ≥ 100 %; 0 điểm khi ≤ 50 % 3,00 / 3" in said
    assert "CPU máy chủ ứng dụng và cơ sở dữ liệu không đánh giá: đơn vị vận hành chưa cung cấp số liệu máy chủ – / 3" in said
    assert (
        "nộp): 4 trên 60 lần; từ 21/11/2026 22:05 đến 22/11/2026 00:10; trang đã lưu: pages/binh-dinh/submit-wrong_content-1.html" in said
    )
    assert "chậm nhất ngày 07/12/2026" in said
    assert "Lê Thị Ví Dụ, chuyên viên, danhgia@example.invalid, 024 0000 0000" in said
    assert f"Lần chấm 2 · Bộ tiêu chí 473-QD-BTTTT-2024 2 (rút ngắn: khung thời gian đo từ 5,5 s, từ 2 khung thời gian đo, mỗi khung thời gian đo từ 1 bước) · mã băm SHA-256 của scores.json : {'0123456789abcdef' * 4} · của riêng phiếu điểm này: {card_digest(GOOD)}" in said  # fmt: skip


def test_a_number_stays_on_one_line_with_its_unit():
    page = letter_page(facts(GOOD), "vi")
    assert "đủ điểm khi ≤\u00a02,5\u00a0s; 0\u00a0điểm khi ≥\u00a010\u00a0s" in page
    assert "024\u00a00000\u00a00000" in page


def test_load_stands_beside_the_usage_that_it_was_planned_from():
    said = read(letter_page(facts(GOOD), "vi"))
    assert "so với giờ cao điểm theo số liệu sử dụng của chính hệ thống: Tra cứu 2,00 lượt/giây, bằng 5,00 lần." in said
    assert "so với giờ cao điểm giả định, vì chưa có số liệu sử dụng của hệ thống: Nộp hồ sơ 0,500 lượt/giây, bằng 2,00 lần." in said


def test_a_portal_that_nobody_loaded_is_told_so():
    found = facts(BLOCKED)
    said = read(letter_page(replace(found, windows=windows_alone(found)), "vi"))
    assert "Chỉ kiểm tra với một người dùng duy nhất, từ 21/11/2026 22:00" in said
    assert "Tải cao nhất" not in said
    assert "Không có khung thời gian đo nào." in read(letter_page(replace(found, windows=()), "vi"))


@pytest.mark.parametrize(
    ("card", "why", "asked"),
    [
        (
            BLOCKED,
            "Không có điểm: bị từ chối. Hệ thống từ chối truy cập ngay cả khi chỉ có một người dùng",
            "cho phép địa chỉ của bộ đo truy cập",
        ),
        (UNREACHABLE, "Không có điểm: không kết nối được. Không thiết lập được kết nối", "kiểm tra hệ thống và đường truyền"),
        (VOID, "Không có điểm: phép đo hỏng. Lỗi thuộc về bộ đo", "Quý đơn vị không phải khắc phục nội dung nào"),
        (INSUFFICIENT, "Không có điểm: chưa đủ số liệu.", "cho biết thời gian bảo trì"),
        (UNPROVEN, "1 tiêu chí (4 điểm) chưa xác nhận được", "mở trang đã lưu"),
    ],
)
def test_a_portal_that_lacks_points_is_told_why_and_what_is_asked_of_it(card, why, asked):
    said = read(letter_page(facts(card), "vi"))
    assert why in said
    assert asked in said
    if card.points is None:
        assert "TẠM THỜI" not in said


def test_the_unproven_journey_is_told_with_its_saved_page():
    said = read(letter_page(facts(UNPROVEN), "vi"))
    assert "Nộp hồ sơ dừng ở bước đăng nhập: nội dung sai; 3 lượt; trang đã lưu: pages/binh-dinh/submit-1.html" in said


def test_what_was_wrong_with_our_own_machines_is_no_matter_of_the_operator():
    said: dict[Language, str] = {language: read(letter_page(facts(VOID), language)) for language in ("vi", "en")}
    assert "tiến trình sinh tải" not in said["vi"]
    assert not [(each, language) for each in VOID.reasons for language in said if reason_text(each, language) in said[language]]


def test_what_the_verdict_means_is_not_told_again_as_a_reason():
    for card in (UNPROVEN, INSUFFICIENT, UNREACHABLE, BLOCKED):
        said = read(letter_page(facts(card), "vi"))
        assert card.reasons
        assert not [each for each in card.reasons if reason_text(Reason(each.code, ""), "vi") in said]
        assert "Phiếu điểm nêu thêm" not in said


def test_reasons_that_are_not_listed_are_counted_without_what_one_person_proposed():
    ours = (Reason("worker_lost", "1 of 2"), Reason("cpu_stolen", "12.5 > 5%"), Reason("cpu_stolen", "30.0 > 5%"))
    said = read(letter_page(facts(replace(VOID, reasons=(*ours, Reason("settlement_proposed", "submit: portal, An")))), "vi"))
    assert "Phiếu điểm nêu thêm 2 lý do." in said


def test_a_reason_of_several_windows_is_said_once_and_no_proposal_of_one_person():
    limits = [Reason("address_limit", f"round {number}, window {number}: 3 of 5 visits") for number in (1, 2)]
    said = read(letter_page(facts(replace(GOOD, reasons=(*limits, Reason("settlement_proposed", "submit: portal, Nguyễn Thử")))), "en"))
    assert said.count("perhaps a limit on the address") == 1
    assert "round 1, window 1: 3 of 5 visits; round 2, window 2: 3 of 5 visits" in said
    assert "Nguyễn Thử" not in said


@pytest.mark.parametrize(
    ("publication", "agency", "is_draft"),
    [(FIRST_DRAFT, AGENCY, True), (SENT, None, True), (SENT, AGENCY, False), (PortalPublication("final", "2026-12-08T02:00:00+00:00"), AGENCY, False)],
)  # fmt: skip
def test_what_was_not_sent_is_a_draft_and_says_so(publication, agency, is_draft):
    page = letter_page(facts(GOOD, publication=publication, agency=agency), "vi")
    assert ("DỰ THẢO" in page) is is_draft
    assert ("ngày …… tháng …… năm" in page) is (publication == FIRST_DRAFT)


def test_a_result_that_is_not_the_one_that_was_sent_is_a_draft_too():
    said = read(letter_page(facts(GOOD, as_sent=False), "vi"))
    assert "DỰ THẢO kết quả đã thay đổi sau khi gửi" in said


def test_a_day_that_nobody_has_fixed_is_left_open():
    said = read(letter_page(facts(GOOD, publication=FIRST_DRAFT, agency=None, answer_by=None), "vi"))
    assert "chậm nhất ngày …… / …… / ………" in said
    assert "(Tên cơ quan ban hành)" in said


def test_the_month_of_a_letter_is_written_as_official_letters_write_it():
    sent = PortalPublication("sent", "2026-02-03T02:00:00+00:00")
    assert "ngày 03 tháng 02 năm 2026" in letter_page(facts(GOOD, publication=sent), "vi")
    assert "Hà Nội, 3 February 2026" in letter_page(facts(GOOD, publication=sent), "en")


def test_an_answer_and_the_end_are_told_in_place_of_a_request():
    answered = read(letter_page(facts(GOOD, publication=replace(SENT, state="answered")), "vi"))
    silent = read(letter_page(facts(GOOD, publication=replace(SENT, state="answered"), no_answer=True), "vi"))
    final = read(letter_page(facts(GOOD, publication=replace(SENT, state="final")), "vi"))
    assert "Ý kiến của Quý đơn vị được ghi nhận ngày 26/11/2026." in answered
    assert "Đến ngày 26/11/2026, cơ quan đánh giá chưa nhận được ý kiến của Quý đơn vị." in silent
    assert "Kết quả là kết quả cuối cùng kể từ ngày 26/11/2026" in final
    assert "thông báo kết quả chính thức" in final
    assert "Đề nghị Quý đơn vị trả lời" not in answered + silent + final


def test_a_result_that_was_opened_again_names_the_cause():
    said = read(letter_page(facts(GOOD, publication=replace(SENT, causes=(ReopeningCause(2, "bảo trì đã báo trước"),))), "vi"))
    assert "Kết quả này thay cho kết quả của lần chấm 2, lý do: bảo trì đã báo trước." in said


@pytest.mark.parametrize(
    ("dossiers", "codes", "expected"),
    [
        (0, (), "Đợt đo không nộp hồ sơ nào."),
        (12, (), "Toàn bộ 12 hồ sơ đã được rút"),
        (12, ("H1", "H2"), "2 trên 12 hồ sơ chưa rút được, còn trên hệ thống: H1 , H2 ; danh sách trong gói số liệu: not-withdrawn.csv"),
        (
            12,
            tuple(f"H{n}" for n in range(9)),
            "H0 , H1 , H2 , H3 , H4 ; và 4 hồ sơ khác; danh sách trong gói số liệu: not-withdrawn.csv",
        ),
    ],
)
def test_dossiers_that_still_stand_are_counted_and_named(dossiers, codes, expected):
    assert expected in read(letter_page(facts(GOOD, dossiers=dossiers, standing=codes), "vi"))


def test_the_permission_and_the_catalog_that_an_operator_needs_are_named():
    said = read(letter_page(facts(GOOD, permission=NamedPermission("cv-7", "12/CV ngày 01/11/2026", "Sở Thông tin (mẫu)")), "vi"))
    assert "Văn bản cho phép: 12/CV ngày 01/11/2026, Sở Thông tin (mẫu)." in said
    assert "harness explain 2026-11-21T22-00Z-demo bo-noi-vu --catalog DANH-MỤC" in said
    assert "--catalog" not in letter_page(facts(GOOD), "vi")


def test_lists_are_bounded_and_say_how_much_more_there_is():
    found = fullest()
    page = letter_page(found, "vi")
    said = read(page)
    assert (len(found.card.criteria), len(found.faults)) == (48, 54)
    assert page.count('<th scope="row">') == 24
    assert "và 24 tiêu chí khác" in said
    assert "và 50 loại lỗi khác" in said
    assert len(said) < 13_000


def test_the_lines_of_the_table_add_up_also_where_some_are_taken_together():
    page = letter_page(fullest(), "vi")
    shown = [float(points.replace(",", ".")) for points in re.findall(r'<td class="n">([\d,]+) / ', page)]
    assert sum(shown) == pytest.approx(sum(each.points or 0 for each in fullest().card.criteria), abs=0.005 * len(shown))


def test_no_fault_is_told_as_such():
    assert "Không ghi nhận lỗi nào." in read(letter_page(facts(GOOD, faults=()), "vi"))
    assert "và 2 loại lỗi khác, 17 lần, xem trong gói số liệu: faults.json" in read(letter_page(facts(GOOD, faults=FAULTS), "vi"))


@pytest.mark.parametrize("card", NIGHT.scorecards, ids=lambda card: card.verdict.value)
def test_the_vietnamese_letter_holds_no_english(card):
    found = facts(card, standing=("H08.12.03-261121-0042",), faults=FAULTS, permission=NamedPermission("cv-7", "12/CV", "Sở (mẫu)"))
    assert english_in(letter_page(found, "vi"), frozenset({"example", "danhgia", "https"})) == []


def test_the_english_letter_stands_by_itself():
    said = read(letter_page(facts(GOOD), "en"))
    assert "To: the operator of Ministry of Home Affairs" in said
    assert "Please answer in writing by 7 December 2026" in said
    assert "Translation; the Vietnamese letter is the one that counts." in said
    assert "Evaluating agency (sample)" in said


def test_the_page_runs_and_loads_nothing():
    page = letter_page(facts(GOOD), "vi")
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!data:,")', page) == []
    assert "url(" not in page


def letter_of(say: Says) -> str:
    """A letter whose every text of others is such a text."""
    card = scores_of(night.with_unproven(night.sweep_scores()), say).scorecards[0]
    criteria = tuple(
        replace(each, name_vi=say(n), name_en=say(n + 1), unit=say(n + 2), curve=say(n + 3)) for n, each in enumerate(card.criteria)
    )
    unproven = (replace(card.unproven[0], step=say(3), outcome=say(4), page=say(5)),)
    found = extras_of(say).faults[0].faults[0]
    person = AGENCY.people[1].model_copy(update={"name": say(6), "title_vi": say(7), "email": say(8)})
    agency = AGENCY.model_copy(update={"name_vi": say(9), "place_vi": say(10), "people": (person,)})
    return letter_page(
        facts(
            replace(card, criteria=criteria, unproven=unproven), replace(NIGHT, sweep=say(11)), publication=replace(SENT, causes=(ReopeningCause(1, say(12)),)),
            agency=agency, address=say(13), vantage_point=say(0), permission=NamedPermission(say(1), say(2), say(3)), standing=tuple(map(say, range(5))),
            faults=(replace(found, pages=(say(4),)),),
        ),
        "vi",
    )  # fmt: skip


def test_texts_of_others_stay_texts():
    page = letter_of(hostile)
    assert Structure(page).elements == Structure(letter_of(harmless)).elements
    text = unescape(re.sub(r"<[^>]*>", "", page))
    assert visible(text, keep="\n") == text
    for payload in PAYLOADS[:10]:
        assert visible(payload.strip())[:40] in text


def test_a_void_portal_is_asked_for_nothing_else():
    assert letter_page(facts(VOID), "vi").count('class="asked"') == 1
    assert VOID.verdict is Verdict.VOID


def test_what_is_said_of_answers_is_a_date():
    assert facts(GOOD).step_taken_on == date(2026, 11, 26)
    assert facts(GOOD, publication=PortalPublication("sent", "2026-11-26T18:00:00+00:00")).step_taken_on == date(2026, 11, 27)
