from __future__ import annotations

import pytest

from harness.catalog import load_catalog
from harness.operations.shipped import scenarios_folder
from harness.publish.criterion_words import curve_text, metric_text, name_text, selection_text, source_text, unit_text, version_text
from harness.publish.wording import day_text, moment_text, written_number


@pytest.fixture(scope="module")
def criteria():
    """Every criterion of every shipped set."""
    return [criterion for each in load_catalog(scenarios_folder()).criteria.values() for criterion in each.criteria]


def test_every_shipped_criterion_is_worded_in_vietnamese_without_a_code(criteria):
    assert len(criteria) > 100
    for criterion in criteria:
        for words in (
            metric_text(criterion.metric), curve_text(str(criterion.curve), criterion.parsed.unit), selection_text(str(criterion.select)),
            source_text(criterion.source),
        ):  # fmt: skip
            assert words.vi != words.en, words
            assert not any(code in words.vi for code in ("_", "linear", "stage", "journey", "assumed", "borrowed", "quota", "ours"))


@pytest.mark.parametrize(
    ("curve", "unit", "vi", "en"),
    [
        ("linear/1 full 0.25 none 1", "s", "đủ điểm khi ≤ 0,25 s; 0 điểm khi ≥ 1 s", "full points at ≤ 0.25 s; no points at ≥ 1 s"),
        ("linear/1 full 2.5 s none 10 s", "s", "đủ điểm khi ≤ 2,5 s; 0 điểm khi ≥ 10 s", "full points at ≤ 2.5 s; no points at ≥ 10 s"),
        ("linear/1 full 99 none 90", "%", "đủ điểm khi ≥ 99 %; 0 điểm khi ≤ 90 %", "full points at ≥ 99 %; no points at ≤ 90 %"),
        ("linear/1 full 0.95 none 0.5", "", "đủ điểm khi ≥ 0,95; 0 điểm khi ≤ 0,5", "full points at ≥ 0.95; no points at ≤ 0.5"),
        ("bands/1 0.5 → 1, 1 → 0.5", "s", "≤ 0,5 s: 100 % số điểm; ≤ 1 s: 50 % số điểm; ngoài các mức này: 0 điểm",
         "≤ 0.5 s: 100 % of the points; ≤ 1 s: 50 % of the points; beyond these: no points"),
        ("bands/1 99 → 1, 90 → 0.25", "%", "≥ 99 %: 100 % số điểm; ≥ 90 %: 25 % số điểm; ngoài các mức này: 0 điểm",
         "≥ 99 %: 100 % of the points; ≥ 90 %: 25 % of the points; beyond these: no points"),
        ("log_normal/1 p10 1.2 median 4", "s", "90 % số điểm ở 1,2 s, 50 % ở 4 s (đường cong loga chuẩn)",
         "90 % of the points at 1.2 s, 50 % at 4 s (log-normal curve)"),
        ("of tomorrow/2", "s", "of tomorrow/2", "of tomorrow/2"),
    ],
)  # fmt: skip
def test_a_curve_says_where_full_points_end_and_where_none_begin(curve, unit, vi, en):
    assert curve_text(curve, unit) == (vi, en)


@pytest.mark.parametrize(
    ("metric", "vi", "en"),
    [
        ("mean", "thời gian trung bình của một bước", "mean time of a step"),
        ("p99.5 of visits", "phân vị 99,5 của thời gian một lượt", "percentile 99.5 of the time of a visit"),
        ("slowest(50)", "thời gian chậm nhất trong 50 bước", "slowest time of 50 steps"),
        ("ok_rate of visits", "tỷ lệ lượt thành công", "share of visits that succeed"),
        ("sustained(p95 <= 10 s and apdex(2.5 s) >= 0.9)",
         "số lượt mỗi giây cao nhất mà hệ thống đáp ứng được với phân vị 95 của thời gian một bước ≤ 10 s; chỉ số Apdex với ngưỡng hài lòng 2,5 s ≥ 0,9",
         "highest number of visits per second that it serves with percentile 95 of the time of a step at ≤ 10 s; Apdex, satisfied up to 2.5 s at ≥ 0.9"),
        ("something(else)", "something(else)", "something(else)"),
    ],
)  # fmt: skip
def test_a_metric_says_what_is_measured(metric, vi, en):
    assert metric_text(metric) == (vi, en)


def test_a_shortened_version_says_what_was_shortened():
    words = version_text("1+shortened (windows from 5.5 s, from 2 windows, from 1 steps a window)")
    assert words.vi == "1 (rút ngắn: khung thời gian đo từ 5,5 s, từ 2 khung thời gian đo, mỗi khung thời gian đo từ 1 bước)"
    assert words.en == "1 (shortened: windows from 5.5 s, from 2 windows, steps a window from 1)"
    assert version_text("2.1") == ("2.1", "2.1")


def test_sources_and_names_of_ones_own_set_stay_as_they_are_written():
    own = "points: official, phụ lục 3; mục 2; curve: assumed, curve: our own; quota: assumed, mười ngày"
    assert (
        source_text(own).vi
        == "điểm (chính thức): phụ lục 3; mục 2; ngưỡng (giả định): curve: our own; số liệu tối thiểu (giả định): mười ngày"
    )
    assert source_text("of no form") == ("of no form", "of no form")
    assert name_text("Tiêu chí riêng", "Our own") == ("Tiêu chí riêng", "Our own")


def test_numbers_units_days_and_moments_are_written_as_their_reader_writes_them():
    assert (written_number("0.250"), written_number("12000")) == (("0,250", "0.250"), ("12.000", "12,000"))
    assert unit_text("visits/s") == ("lượt/giây", "visits/s")
    assert day_text("2026-11-05") == ("05/11/2026", "5 November 2026")
    assert moment_text("2026-11-25T17:30:00.250+00:00") == ("26/11/2026 00:30", "26 November 2026 00:30")
