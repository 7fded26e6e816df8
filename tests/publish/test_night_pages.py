"""Nights side by side: what portals moved in common, whose night stands out, and each window on an axis that portals share."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from harness import publish
from harness.cli import main
from harness.publish.history import PublishedSweep, SweepHistory, find_sweeps, over_nights
from harness.publish.night_board import night_board, nights_in_lines
from harness.publish.night_strips import CriterionOverNights, criterion_over_nights, strip_chart
from harness.scoring import SweepScores
from tests.publish.served import served
from tests.publish.vietnamese import english_in
from tests.scoring.many_nights import night_series, nights_of


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    for scores in night_series():
        publish.export(scores, folder / scores.sweep)
    return folder


@pytest.fixture(scope="module")
def address(results: Path) -> Iterator[str]:
    with served(results) as url:
        yield url


@pytest.fixture(scope="module")
def table(results: Path) -> SweepHistory:
    (only,) = over_nights(find_sweeps(results))
    return only


@pytest.fixture
def board(table: SweepHistory) -> CriterionOverNights:
    found = criterion_over_nights(table, "average")
    assert found is not None
    return found


def test_the_board_tells_each_nights_movement_and_who_stands_out(table: SweepHistory) -> None:
    board = night_board(table)
    assert board.nights == ("2026-03-02", "2026-03-03", "2026-03-04")
    assert [words.en for words in board.rows[0].moved] == ["+1.0 %", "+30 %", "0"]
    (change,) = board.changes
    assert change.en == "p-2: 4 March 2026: average: 100 % slower than in its usual nights; the next night will tell whether it lasts"
    assert board.too_few_nights is None


def test_too_few_nights_to_name_one_portal_are_said() -> None:
    portals = {f"p-{number}": [[1.0, 1.1, 1.2, 1.3, 1.4, 1.5]] * 2 for number in range(30)}
    (table,) = over_nights([publish_of(scores) for scores in nights_of(portals)])
    note = night_board(table).too_few_nights
    assert note is not None
    assert "from night 3 on" in note.en


def publish_of(scores: SweepScores) -> PublishedSweep:
    return PublishedSweep(scores.sweep, (), scores)


def test_all_portals_share_one_axis_and_those_that_stand_out_come_first(board: CriterionOverNights) -> None:
    assert board.strips[0].portal == "p-2"
    charts = [strip_chart(board, strip, ("en",)) for strip in board.strips]
    dashed = {tuple(re.findall(r'<path d="([^"]*)"[^>]*stroke-dasharray', chart)) for chart in charts}
    assert len(dashed) == 1  # the thresholds stand at the same height in every strip
    assert len(next(iter(dashed))) == 2
    dots = [chart.count('r="1.5"') for chart in charts]
    assert dots == [24] * 8 + [23]  # a dot a window; the censored one is a cross
    assert [chart.count("#D55E00") for chart in charts] == [1, *[0] * 8]  # a ring where a night stands out


def test_medians_of_neighbouring_nights_are_connected_and_a_night_not_measured_is_a_gap() -> None:
    whole = {f"p-{number}": [[1.0] * 6] * 4 for number in range(3)}
    whole["p-1"] = [[1.0] * 6, [], [1.0] * 6, [1.0] * 6]
    (table,) = over_nights([publish_of(scores) for scores in nights_of(whole)])
    board = criterion_over_nights(table, "average")
    assert board is not None
    lines = {strip.portal: strip_chart(board, strip, ("en",)).count('stroke="#0072B2"') for strip in board.strips}
    assert lines == {"p-0": 3, "p-1": 1, "p-2": 3}


def test_the_pages_show_it_in_both_languages(address: str) -> None:
    nights, strips = (httpx.get(address + path) for path in ("nights", "nights/average"))
    for page in (nights.text, strips.text):
        assert "+30 %" in page
        assert "chậm hơn 100 % so với các ngày đo thường lệ; ngày đo sau mới cho biết có kéo dài hay không" in page
        assert english_in(page, frozenset({"average", "test", "nights"})) == []
    assert 'href="/nights/average"' in nights.text
    assert strips.text.count("<svg") == 9


def test_a_criterion_that_nobody_has_is_not_found(address: str) -> None:
    assert httpx.get(address + "nights/p95").status_code == 404
    assert httpx.get(address + "nights/..%2Fscores.json").status_code == 404


def test_the_command_prints_movements_and_changes(results: Path, table: SweepHistory) -> None:
    said = CliRunner().invoke(main, ["nights", str(results), "--lang", "en"]).stdout
    assert "3 March 2026: average: the night was 30 % slower for 9 comparable portals; taken out" in said
    assert "p-2: 4 March 2026: average: 100 % slower" in said
    of_another = list(nights_in_lines([table], ["p-3"], "en"))
    assert len(of_another) == 3
    assert not any("p-2" in line for line in of_another)


def test_few_portals_are_said_once() -> None:
    few = [publish_of(replace(scores, scorecards=scores.scorecards[:3])) for scores in night_series()]
    said = list(nights_in_lines(over_nights(few), (), "en"))
    assert sum("fewer than 8 comparable portals" in line for line in said) == 1


def test_the_json_has_them_in_the_rows_of_their_night(results: Path) -> None:
    rows = json.loads(CliRunner().invoke(main, ["nights", str(results), "--json"]).stdout)
    found = {(row["portal"], row["night"]): row for row in rows}
    assert found["p-2", "2026-03-01"]["common_movement"] == found["p-2", "2026-03-01"]["changes"] == []
    (moved,) = found["p-5", "2026-03-03"]["common_movement"]
    assert (moved["criterion"], moved["kind"], moved["portals"], len(moved["by_round"])) == ("average", "multiplied", 9, 6)
    (change,) = found["p-2", "2026-03-04"]["changes"]
    assert (change["persistence"], change["worse"]) == ("open", True)
    assert change["effect"] == pytest.approx(2.0, rel=0.02)
