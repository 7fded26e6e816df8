from __future__ import annotations

import re
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import get_args

import pytest

from harness.catalog.criteria import Heading, Over
from harness.catalog.platform import StepName
from harness.diagnosis import FindingCode, Phase, Remedy, Sureness
from harness.evidence.facts import Reason, Verdict
from harness.evidence.guards import GUARDS
from harness.evidence.reasons import CODES
from harness.publish.reason_words import because, interval_text, reason_text
from harness.publish.value_text import value_text
from harness.publish.wording import PHRASES, Phrase, decimal, phrase
from harness.records import FAILURES_OF_THE_GENERATOR, Outcome
from harness.scoring.scorecard import LATER_FIELDS, CriterionState
from tests.publish.simulated_night import sweep_scores

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("verdict", list(Verdict)),
        ("outcome", list(Outcome)),
        ("state", list(CriterionState)),
        ("heading", get_args(Heading)),
        ("step", get_args(StepName)),
        ("over", get_args(Over)),
        ("basis", ["official", "borrowed", "assumed"]),
        ("level", ["ministry", "province", "sample"]),
        ("journey", ["search", "submit", "pay"]),
        ("owner", ["portal", "identity", "payment", "assets"]),
        ("finding", get_args(FindingCode)),
        ("remedy", [name for name in get_args(Remedy) if name]),
        ("sureness", get_args(Sureness)),
        ("phase", get_args(Phase)),
    ],
)
def test_every_name_that_can_occur_has_words_in_both_languages(group, names):
    assert [name for name in names if f"{group}.{name}" not in PHRASES] == []


def test_every_fault_that_a_shipped_profile_names_has_words_in_both_languages():
    """The names stand in the profiles; a new one needs words here."""
    source = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "scenarios" / "platforms").glob("*.yaml"))
    named = set(re.findall(r"\bmeans: (\w+)", source)) | set(re.findall(r"- \{name: (\w+), (?:status|selector|text|url)", source))
    assert {"callback_lost", "submission_rejected", "firewall", "captcha", "maintenance"} < named
    seen = named | (set(Outcome) - FAILURES_OF_THE_GENERATOR - {Outcome.OK, Outcome.SKIPPED, Outcome.ABORTED})
    assert {name for name in seen if f"fault.{name}" not in PHRASES} == set()


def test_every_key_that_a_template_or_a_chart_asks_for_is_there():
    room = resources.files("harness.publish")
    sources = [
        path.read_text(encoding="utf-8")
        for path in (*room.joinpath("templates").iterdir(), *(p for p in room.iterdir() if p.name.endswith(".py")))
    ]
    asked = {key for text in sources for key in re.findall(r"""\b(?:t|label|first|phrase|_both)\("([a-z_]+(?:\.[a-z_0-9]+)+)"\)""", text)}
    assert len(asked) > 50
    assert asked <= set(PHRASES)


def test_no_phrase_is_empty_or_left_in_one_language():
    same = {key for key, words in PHRASES.items() if words.vi == words.en}
    assert all(words.vi.strip() and words.en.strip() for words in PHRASES.values())
    assert same == {"health.cpu_percent"}


def test_no_key_of_the_phrases_is_given_twice():
    """YAML would keep the last one silently."""
    source = resources.files("harness.publish").joinpath("phrases.yaml").read_text(encoding="utf-8")
    keys = re.findall(r"""^"?([a-z][^:"]*)"?:""", source, flags=re.MULTILINE)
    assert keys == list(PHRASES)


def test_the_reasons_of_scoring_are_worded():
    for reason in ("no_windows_of_stage", "not_measured", "too_few_windows: 4 of 6, 2 with fewer than 50 steps", "too_few_nights: 1 of 5",
                   "no_operator_figures", "verdict: blocked", "unproven: submit stopped at submit"):  # fmt: skip
        words = because(reason)
        assert words.vi != words.en
        assert "_" not in words.vi + words.en
    assert because("too_few_windows: 4 of 6, 2 with fewer than 50 steps").vi.endswith("(4/6, 2 khung thời gian đo có ít hơn 50 bước)")
    assert because("something of tomorrow") == ("something of tomorrow", "something of tomorrow")


def test_reasons_scoring_gives_are_all_known():
    """The codes stand in the source of scoring; a new one needs words here."""
    source = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "harness" / "scoring").glob("*.py"))
    given = set(re.findall(r'reason = f?"([a-z_]+)', source)) | set(re.findall(r'not_assessed\(criterion, "([a-z_]+)"', source))
    assert len(given) >= 4
    assert {code for code in given if f"because.{code}" not in PHRASES} == set()


@pytest.mark.parametrize("kind", ["minimum to maximum of 4 windows", "sign test over windows", "block, one window",
                                  "share of windows, clustered by night; 2 in planned maintenance left out"])  # fmt: skip
def test_kinds_of_intervals_are_worded(kind):
    assert interval_text(kind).en == kind or f"interval.{kind}" in PHRASES
    assert interval_text(kind).vi != kind


def test_reasons_of_verdicts_have_texts_and_unknown_ones_stand_for_themselves():
    for code in CODES:
        assert reason_text(Reason(code, "7"), "vi") != reason_text(Reason(code, "7"), "en")
    assert reason_text(Reason("of_tomorrow", "x"), "vi") == "of_tomorrow (x)"


@pytest.mark.parametrize(
    ("code", "detail", "vietnamese"),
    [
        ("path_doubt", "round 3, window 4: 5 of 6 portals slower, at the median 2.1 times and 300 ms; 1 of 6 portals out of reach",
         "vòng 3, khung thời gian đo 4: 5/6 hệ thống chậm hơn, trung vị gấp 2,1 lần và thêm 300 ms; 1/6 hệ thống không kết nối được"),
        ("slow_by_day", "1.100 s by day, 0.500 s at night, 2.2 times", "ban ngày 1,100 s, ban đêm 0,500 s, gấp 2,2 lần"),
        ("address_limit", "round 2, window 2: 40 of 100 visits", "vòng 2, khung thời gian đo 2: 40/100 lượt"),
        ("shared_failure", "round 1, window 1: submit: 3 of 60 visits at identity, https://id.example:443",
         "vòng 1, khung thời gian đo 1: Nộp hồ sơ: 3/60 lượt tại định danh (VNeID), https://id.example:443"),
        ("shared_failure", "submit: file/log_in, timeout; 3 lone walks; identity, https://id.example:443",
         "hành trình Nộp hồ sơ dừng ở bước đăng nhập: quá thời hạn; 3 lượt đơn lẻ; định danh (VNeID), https://id.example:443"),
        ("journey_unproven", "submit: file/log_in, wrong_content, text 'windows of 3 lone walks'; 3 lone walks",
         "hành trình Nộp hồ sơ dừng ở bước đăng nhập: nội dung sai, text 'windows of 3 lone walks'; 3 lượt đơn lẻ"),
        ("journey_unproven", "submit/file/log_in, wrong_content, forbid_text 'Hết phiên', pages/x/submit-1.html, × 3",
         "hành trình Nộp hồ sơ dừng ở bước đăng nhập: nội dung sai, forbid_text 'Hết phiên', pages/x/submit-1.html; 3 lượt đơn lẻ"),
        ("announced_maintenance", "2026-11-21T22:00+07:00 – 2026-11-21T23:00+07:00, announced at 2026-11-20T00:00+07:00, 46.0 h before; notice is 24 h; 12/TB windows; windows 1, 2",
         "từ 21/11/2026 22:00 đến 21/11/2026 23:00, thông báo lúc 20/11/2026 00:00, trước 46,0 giờ; thời hạn quy định là 24 giờ; 12/TB windows; khung thời gian đo 1, 2"),
        ("safety_stop", "round 2: 50 failures in a row ≥ 50", "vòng 2: 50 lỗi liên tiếp, giới hạn 50"),
        ("safety_stop", "round 2: errors 12/50 > 20%", "vòng 2: 12/50 yêu cầu lỗi, vượt 20 %"),
        ("safety_stop", "round 2: slower than 3000 ms 40/100 > 5%", "vòng 2: 40/100 yêu cầu chậm hơn 3.000 ms, vượt 5 %"),
        ("safety_stop", "round 2: 429/503 3/10 > 20%", "vòng 2: 3/10 yêu cầu bị trả mã 429 hoặc 503, vượt 20 %"),
        ("safety_stop", "round 2: redirects: 12.0 > 9 requests/s, 3 of 12 by redirects",
         "vòng 2: chuyển hướng: 12,0 yêu cầu/giây, vượt 9 yêu cầu/giây; 3/12 do chuyển hướng"),
        ("beyond_authorisation", "authorised rate: 12.0 > 9 requests/s", "12,0 yêu cầu/giây, vượt mức được phép 9 yêu cầu/giây"),
        ("beyond_authorisation", "the permitted hours have ended", "đã hết khung giờ được phép"),
        ("outside_hours", "round 3: 402 s, the drain included, do not fit into the permitted hours",
         "vòng 3: cần 402 s kể cả lúc chờ kết thúc, vượt khung giờ được phép"),
        ("left_out", "attempt 2: letter-7 ends at 2026-11-22 05:00 +0700; the sweep may last until 2026-11-22 06:10 +0000",
         "lần chạy 2: letter-7 hết hiệu lực lúc 22/11/2026 05:00; đợt đo có thể kéo dài đến 22/11/2026 13:10"),
        ("not_permitted", "submit needs captcha_exemption or payment_sandbox",
         "hành trình Nộp hồ sơ: cần văn bản miễn captcha hoặc môi trường thanh toán thử nghiệm"),
        ("not_permitted", "pay needs to stand in journeys", "hành trình Thanh toán: cần được ghi trong các hành trình được phép"),
        ("not_permitted", "typical needs requests_per_s_max 12.5 instead of 9", "tải thông thường: cần số yêu cầu mỗi giây tối đa là 12,5 thay vì 9"),
        ("journey_not_chosen", "pay", "hành trình Thanh toán"),
        ("settlement_proposed", "submit: portal, An", "hành trình Nộp hồ sơ: lỗi của hệ thống; người đề nghị: An"),
        ("settled_as_portal", "submit: An & Bình", "hành trình Nộp hồ sơ: An & Bình"),
        ("rows_lost", "1 of 2 workers; 3 batches of w0 refused (outcome good)", "1/2 tiến trình; loại 3 lô dữ liệu của w0 (outcome good)"),
        ("rows_lost", "1 of 2 workers; 1 batches of nobody refused (no batch)", "1/2 tiến trình; loại 1 lô dữ liệu không rõ nguồn (no batch)"),
        ("worker_lost", "1 of 2", "1/2 tiến trình"),
        ("late_arrivals", "900.0 > 25 ms at p99", "phân vị 99 là 900,0 ms, vượt giới hạn 25 ms"),
        ("generator_saturated", "99.1 > 80%", "99,1 %, vượt giới hạn 80 %"),
        ("worker_silent", "12.5 s > 10 s", "12,5 s, vượt giới hạn 10 s"),
        ("calibration_failed", "2026-11-21T10:00:00+00:00, largest error 12.5 %", "21/11/2026 17:00, sai số lớn nhất 12,5 %"),
        ("not_enough_windows", "availability: too_few_windows: 5 of 6, 1 with fewer than 50 steps",
         "availability: số khung thời gian đo ít hơn yêu cầu của bộ tiêu chí (5/6, 1 khung thời gian đo có ít hơn 50 bước)"),
        ("our_own_files", "submit: log_in, pool people has 3 of 5 windows", "hành trình Nộp hồ sơ, bước đăng nhập: pool people has 3 of 5 windows"),
    ],
)  # fmt: skip
def test_details_of_reasons_are_worded_in_vietnamese_and_what_others_wrote_stays(code, detail, vietnamese):
    assert reason_text(Reason(code, detail), "vi").endswith(f" ({vietnamese})")
    english = because(detail.partition(": ")[2]).en if code == "not_enough_windows" else detail
    assert reason_text(Reason(code, detail), "en").endswith(f"{english})")


def test_reasons_that_list_names_say_them_in_both_languages():
    void = Reason("all_windows_void", "gc_pause, worker_lost")
    assert reason_text(void, "vi").endswith("(thu gom bộ nhớ làm gián đoạn, mất tiến trình sinh tải)")
    assert reason_text(void, "en").endswith("(garbage collection interrupted, a worker was lost)")
    assert {code for guard in GUARDS for code in guard.reasons if f"cause.{code}" not in PHRASES} == set()
    assert {guard.name for guard in GUARDS if f"guard.{guard.name}" not in PHRASES} == set()
    assert reason_text(Reason("guard_without_data", "processor, clocks agree"), "vi").endswith("(bộ xử lý, đồng hồ khớp nhau)")


def test_a_criterion_in_a_reason_is_called_by_its_name():
    few = Reason("not_enough_windows", "average-pay: too_few_windows: 5 of 6, 0 with fewer than 50 steps")
    names = {"average-pay": Phrase("Thời gian thanh toán", "Time of paying")}
    assert "(Thời gian thanh toán: số khung thời gian đo ít hơn" in reason_text(few, "vi", names)
    assert "(Time of paying: fewer windows" in reason_text(few, "en", names)


@pytest.mark.parametrize(
    ("value", "digits", "vi", "en"),
    [(13.25, 1, "13,2", "13.2"), (1234.5, 1, "1.234,5", "1,234.5"), (7, 0, "7", "7"), (-0.5, 1, "-0,5", "-0.5")],
)
def test_numbers_follow_the_custom_of_their_language(value, digits, vi, en):
    assert (decimal(value, digits, "vi"), decimal(value, digits, "en")) == (vi, en)


def test_a_phrase_that_is_not_known_stands_for_itself():
    assert phrase("step.of_tomorrow") == ("of_tomorrow", "of_tomorrow")


def test_the_glossary_has_every_verdict_and_outcome_with_the_words_of_reports():
    page = (REPOSITORY / "docs" / "glossary.md").read_text(encoding="utf-8")
    for verdict in Verdict:
        assert re.search(rf"^\| {verdict.value} \|.*\| {phrase(f'verdict.{verdict.value}').vi} \|$", page, flags=re.MULTILINE)
    assert {outcome.value for outcome in Outcome} <= set(re.findall(r"`(\w+)`", page))


AVERAGE = next(score for score in sweep_scores().scorecards[0].criteria if score.unit == "s")


@pytest.mark.parametrize(
    ("changes", "vi", "en"),
    [
        ({"value": 0.5, "value_measured": 0.5}, "0,500 s", "0.500 s"),
        ({"value": 1.0, "value_measured": 2.17}, "2,17 s; tính tối đa 1,00 s", "2.17 s; counted as at most 1.00 s"),
        ({"value": 0.9, "value_measured": 2.17}, "2,17 s; tính điểm theo 0,900 s, mỗi lần tính tối đa 1,00 s",
         "2.17 s; scored as 0.900 s, each counted as at most 1.00 s"),
        ({"value": 0.22, "value_measured": 0.06, "failures": 7, "failures_of": 48},
         "0,060 s; 7/48 bước không thành công; tính điểm theo 0,220 s, mỗi lần không thành công tính ít nhất 1,00 s",
         "0.060 s; 7 of 48 steps failed; scored as 0.220 s, each failure counted as at least 1.00 s"),
        ({"value": 1.0, "value_measured": None, "failures": 8, "failures_of": 8, "metric": "mean of visits"},
         "không lần nào thành công; 8/8 lượt không thành công; tính điểm theo 1,00 s, mỗi lần không thành công tính ít nhất 1,00 s",
         "none succeeded; 8 of 8 visits failed; scored as 1.00 s, each failure counted as at least 1.00 s"),
        ({"value": None, "censored": True, "failures": 33, "failures_of": 49, "zero_point_s": None, "metric": "p95"},
         "vượt thời hạn hoặc thất bại; 33/49 bước không thành công", "timed out or failed; 33 of 49 steps failed"),
        ({"value": 56.25, "unit": "%", "failures": 7, "failures_of": 16, "zero_point_s": None, "metric": "ok_rate"}, "56,2 %", "56.2 %"),
        ({"value": 2.17, **dict.fromkeys(LATER_FIELDS)}, "2,17 s", "2.17 s"),
        ({"value": None}, "–", "–"),
    ],
)  # fmt: skip
def test_a_value_is_what_was_measured_and_then_what_was_scored(changes, vi, en):
    of_a_mean = {"metric": "mean", "zero_point_s": 1.0, "failures": 0, "failures_of": 48, "censored": False}
    score = replace(AVERAGE, **(of_a_mean | changes))
    assert (value_text(score, "vi"), value_text(score, "en")) == (vi, en)
