"""The answer of a search for capacity in words, as a table and as a page."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from harness.publish.capacity_file import CapacityReport, LevelRecord, read_capacity, write_capacity
from harness.publish.capacity_page import capacity_page, curve, print_capacity
from harness.publish.capacity_text import answer_lines, level_cells, objective_text
from harness.publish.wording import PHRASES
from harness.scoring.capacity_search import CapacityAnswer, RateCeiling, SearchLimit, SearchSettings
from harness.scoring.level_figures import MissedLimit, StepAtLevel
from harness.scoring.littles_law import CitizensInFlight

FLOW = CitizensInFlight(12.0, 11.5, 3.0, 2.4, 300)


def level(number: int, rate: float, p95_s: float | None, **changes: object) -> LevelRecord:
    steps = (StepAtLevel("search", "find", "search", 300, 0 if p95_s else 30, 0.4, p95_s, (0.38, 0.42)),)
    made = LevelRecord(f"level-{number:02d}", rate, "search", 20, 60, 300, "2026-11-26T15:00:00.000+00:00", steps=steps, in_flight=FLOW)
    return replace(made, **changes)  # type: ignore[arg-type]


MISSED = MissedLimit("p95 <= 10 s", "search", "search", 14.2)
LEVELS = (
    level(1, 2.5, 1.2),
    level(2, 5.0, 4.0, purpose="confirm"),
    level(3, 6.0, 14.2, missed=(MISSED,)),
    level(
        4,
        10.0,
        None,
        missed=(MissedLimit("error_rate <= 3 %", "search", "search", 10.0), MissedLimit("p95 <= 10 s", "search", "search", None)),
    ),
    level(5, 6.0, 9.0, void="cpu_stolen: 9.1 > 5%; in_flight_differs: 12 counted", steps=(), in_flight=None),
    level(6, 2.5, 1.2, purpose="drift", stopped="safety_stop: error share"),
)
REPORT = CapacityReport(
    "2026-capacity-mau-1", "mau", "Cổng mẫu", "Sample portal", "p95 <= 10 s and error_rate <= 3 %", "capacity", {"search": 1.0}, False, 1,
    SearchSettings(0.5, 0.1), RateCeiling(200.0, SearchLimit("largest_rate")), LEVELS, CapacityAnswer("found", 5.0, 6.0), "ended",
)  # fmt: skip


def test_the_answer_is_an_interval_with_citizens_and_what_was_missed_first() -> None:
    said = [line.en for line in answer_lines(REPORT)]
    assert said[0] == "The portal meets the objective at 5.00 visits/s and misses it at 6.00 visits/s: its capacity lies between the two."
    assert said[1] == "At 5.00 visits/s about 12.0 citizens are in flight."
    assert said[3].startswith("What was missed first: percentile 95 of the time of a step ≤ 10 s: 14.2 s")
    assert "Void levels: 1." in said
    assert answer_lines(REPORT)[0].vi.startswith("Hệ thống đạt chỉ tiêu ở mức 5,00 lượt/giây")


@pytest.mark.parametrize("state", ["found", "at_least", "below", "drifting", "stopped", "undecided"])
def test_each_state_has_words_in_both_languages(state: str) -> None:
    bounds = {"found": (5.0, 6.0), "at_least": (5.0, None), "below": (None, 6.0), "stopped": (5.0, None)}.get(state, (None, None))
    answer = CapacityAnswer(state, *bounds, SearchLimit("authorisation", "typical needs requests_per_s_max 40 instead of 30"))  # type: ignore[arg-type]
    first, *_, limited = [line for line in answer_lines(replace(REPORT, answer=answer)) if "Void" not in line.en]
    assert "requests_per_s_max" not in limited.vi
    assert "{" not in first.vi + first.en
    assert first.vi != first.en


def test_limits_name_the_instrument_in_both_languages() -> None:
    answer = CapacityAnswer("at_least", 5.0, None, SearchLimit("generator", "cpu_stolen: 9.1 > 5%"))
    said = answer_lines(replace(REPORT, answer=answer))
    assert any("9.1 > 5%" in line.en and line.en.startswith("Limited by the instrument: ") for line in said)
    assert any(line.vi.startswith("Giới hạn bởi bộ đo: ") and "cpu_stolen" not in line.vi for line in said)
    for code in (
        "authorisation",
        "ceiling",
        "largest_rate",
        "smallest_rate",
        "generator",
        "safety_stop",
        "levels",
        "scatter",
        "permission_ended",
    ):
        assert f"capacity.limit.{code}" in PHRASES


def test_rows_of_the_table_say_what_came_of_a_level() -> None:
    outcomes = [level_cells(each)[2].en for each in LEVELS]
    assert outcomes[0] == "met"
    assert outcomes[3].startswith("missed: share of steps that fail ≤ 3 %: 10.0 % (search); ")
    assert "falls on failed steps" in outcomes[3]
    assert outcomes[4].startswith("void, our fault: ")
    assert "do not agree" in outcomes[4]
    assert outcomes[5].startswith("load stopped: Load was stopped for the portal")
    assert [cell.en for cell in level_cells(LEVELS[3])][4] == "∞"


def test_a_percentile_of_too_few_steps_is_not_shown_as_endless() -> None:
    few = level(1, 0.5, None, steps=(StepAtLevel("search", "find", "search", 61, 0, 0.4, None, (0.38, 0.42)),))
    assert [cell.en for cell in level_cells(few)][3:6] == ["0.400 s", "–", "0.0 %"]
    assert [cell.en for cell in level_cells(replace(few, steps=(replace(few.steps[0], n=3, p50_s=None),)))][3:5] == ["–", "–"]
    assert "∞" not in capacity_page(replace(REPORT, levels=(few,)))
    assert curve(replace(REPORT, levels=(few,)), ("en",)) == ""
    assert curve(replace(REPORT, levels=(few, *LEVELS)), ("en",)).count("<circle") == 4


def test_a_level_with_too_few_steps_says_how_long_it_has_to_be_held() -> None:
    few = level(1, 0.5, None, void="too_few_steps: 51 of 93, to be held for 412 s at least (submit)", needed_s=412.0)
    outcome = level_cells(few)[2]
    assert outcome.en == "void, our fault: too few steps to judge by (51 where 93 are needed): it has to be held for at least 412 s"
    assert outcome.vi == "không tính, do bộ đo: quá ít lần thực hiện để kết luận (có 51, cần 93): phải giữ mức tải ít nhất 412 giây"


def test_the_terminal_shows_the_table_and_the_answer() -> None:
    out = io.StringIO()
    print_capacity(REPORT, Console(file=out, width=200), ("en",))
    said = out.getvalue()
    assert "Objective: percentile 95 of the time of a step ≤ 10 s; share of steps that fail ≤ 3 %" in said
    assert "its capacity lies between the two" in said
    assert "void, our fault" in said


def test_the_chart_draws_levels_that_count_the_limit_and_the_interval() -> None:
    drawn = curve(REPORT, ("vi", "en"))
    assert drawn.count("<circle") == 4  # a level whose p95 is on failures is a triangle, and the void one is not drawn
    assert 'stroke-dasharray="5 3"' in drawn
    assert "#E3F0F8" in drawn
    assert curve(replace(REPORT, levels=()), ("en",)) == ""


def test_what_a_stranger_wrote_is_text() -> None:
    hostile = replace(
        REPORT, name_vi="<script>alert(1)</script>", name_en="<script>alert(1)</script>", levels=(level(1, 2.0, 1.0, stopped="<b>x</b>"),)
    )
    page = capacity_page(hostile)
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page


def test_the_file_holds_the_whole_report(tmp_path: Path) -> None:
    write_capacity(tmp_path, REPORT)
    assert read_capacity(tmp_path) == REPORT


def test_an_objective_in_vietnamese_has_no_english() -> None:
    assert objective_text("p95 <= 1.5 s at submit and apdex(2.5 s) >= 0.9").vi == (
        "phân vị 95 của thời gian một bước ≤ 1,5 s, ở bước nộp; chỉ số Apdex với ngưỡng hài lòng 2,5 s ≥ 0,9"
    )
