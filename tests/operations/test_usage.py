"""A portal's own workload from its usage by the hour."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.catalog import load_catalog
from harness.cli import main
from harness.errors import UsageError
from harness.operations.authoring.usage import as_yaml, workload_from_usage
from harness.operations.shipped import scenarios_folder

MONDAY = datetime(2026, 3, 2)  # noqa: DTZ001  (an export has the hours of where the portal stands)
BY_HOUR = {8: 600, 9: 1200, 10: 900, 11: 600, 14: 900, 15: 600}


def export(
    path: Path, *, days: int = 7, separator: str = ",", bom: bool = False, payments: int = 10, without: tuple[int, ...] = ()
) -> Path:
    lines = [separator.join(("hour", "visits", "dossiers", "payments", "server"))]
    for number in range(24 * days):
        moment = MONDAY + timedelta(hours=number)
        if moment.hour in without:
            continue
        visits = BY_HOUR.get(moment.hour, 0) if moment.weekday() < 5 else 0
        lines.append(separator.join((moment.isoformat(), str(visits), str(visits // 100), str(payments if visits else 0), "a")))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig" if bom else "utf-8")
    return path


def test_counts_factor_and_levels_are_what_a_hand_calculation_says(tmp_path: Path) -> None:
    workload, said = workload_from_usage(export(tmp_path / "emc.csv"))
    a_day = 5 * 4800 / 7  # five working days of 4,800 visits, over seven days
    assert workload.usage.per_day == {
        "search": pytest.approx(a_day, abs=0.01), "submit": pytest.approx(5 * 48 / 7, abs=0.01), "pay": pytest.approx(5 * 60 / 7, abs=0.01)
    }  # fmt: skip
    assert workload.usage.busy_hour_factor == pytest.approx(1200 / (a_day / 24), abs=1e-4)
    assert (workload.usage.basis, workload.usage.busy_hour_basis) == ("calculated", "calculated")
    # office hours 08 to 16: eight hours with 4,800 visits; level 1 is the busiest hour
    typical, peak = workload.stages[1:]
    assert typical.level == pytest.approx(600 / 1200)
    assert workload.usage.rate_per_s("search") * peak.level * 3600 == pytest.approx(1200, rel=1e-4)
    assert any("office hours are 08:00 to 16:00" in line for line in said)


def test_a_quota_makes_rare_journeys_come_often_enough(tmp_path: Path) -> None:
    workload, said = workload_from_usage(export(tmp_path / "emc.csv"))
    typical = workload.stages[1]
    assert set(workload.quota_per_window) == {"search", "submit", "pay"}
    for journey, quota in workload.quota_per_window.items():
        assert round(typical.level * quota) >= 50
        assert any(f"{quota} {journey} visits a window besides" in line for line in said)
    busy = tmp_path / "busy.csv"
    busy.write_text(export(tmp_path / "emc.csv").read_text().replace(",1200,", ",120000,"), encoding="utf-8")
    assert "search" not in workload_from_usage(busy)[0].quota_per_window


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("bom", [True, False])
def test_what_spreadsheets_export_is_read(tmp_path: Path, separator: str, bom: bool) -> None:
    found, _ = workload_from_usage(export(tmp_path / "a.csv", separator=separator, bom=bom))
    assert found == workload_from_usage(export(tmp_path / "a.csv"))[0]


def test_a_whole_day_follows_its_own_curve(tmp_path: Path) -> None:
    workload, _ = workload_from_usage(export(tmp_path / "emc.csv"), whole_day=True, name="office-day")
    soak = workload.stages[-1]
    assert (workload.id, soak.stage, soak.windows * soak.window_s) == ("office-day", "soak", 8 * 3600)
    points = [(point.at, point.factor) for point in soak.curve]
    assert sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(points)) == pytest.approx(1, abs=1e-3)
    assert max(points, key=lambda point: point[1])[0] == pytest.approx(1.5 / 8)  # the middle of 09:00 to 10:00
    # what comes in those hours is what came in them on a mean working day
    assert workload.rate_per_s("search", soak, 0) * 8 * 3600 == pytest.approx(4800, rel=1e-3)
    assert not workload.quota_per_window


@pytest.mark.parametrize("whole_day", [True, False])
def test_the_file_is_a_workload_of_a_catalog(tmp_path: Path, whole_day: bool) -> None:
    workload, said = workload_from_usage(export(tmp_path / "Cổng A (2026).csv"), whole_day=whole_day)
    folder = tmp_path / "mine" / "workloads"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text(as_yaml(workload, said), encoding="utf-8")
    assert load_catalog(scenarios_folder(), tmp_path / "mine").workloads[workload.id] == workload
    assert all(f"# {line}" in (folder / "own.yaml").read_text(encoding="utf-8") for line in said)


def test_what_is_not_in_the_export_is_said(tmp_path: Path) -> None:
    workload, said = workload_from_usage(export(tmp_path / "a.csv", days=2, payments=0, without=(0, 1)))
    text = "\n".join(said)
    assert "pay" not in workload.journeys
    assert "left out, since the export has none: pay" in text
    assert "2 days stand for all days of a week" in text
    assert "4 hours of those days that are not in the export had nobody" in text


def problems_of(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        workload_from_usage(path)
    return [str(problem) for problem in raised.value.problems]


def test_every_mistake_is_named_with_line_column_and_value(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path / "u.csv",
        "hour,visits,dossiers,payments\n2026-03-02T08:30,1,1,1\nmorning,1,1,1\n2026-03-02T10:00,-5,1.5,\n2026-03-02T11:00,1\n"
        "2026-03-02T12:00,1,1,1\n2026-03-02T12:00,2,2,2\n",
    )
    starts = [
        "u.csv:2: hour is '2026-03-02T08:30'", "u.csv:3: hour is 'morning'", "u.csv:4: visits is '-5'", "u.csv:4: dossiers is '1.5'",
        "u.csv:4: payments is ''", "u.csv:5: table is 2 cells, separated by comma; expected 4 cells, one for each of hour, visits, dossiers, payments", "u.csv:7: hour is '2026-03-02T12:00'",
    ]  # fmt: skip
    assert len(found) == len(starts)
    for problem, start in zip(found, starts, strict=True):
        assert start in problem


@pytest.mark.parametrize(
    ("row", "start"),
    [
        ("2026-03-02T08:00,1,200,35,20", "u.csv:3: table is 5 cells, separated by comma; expected 4 cells"),
        ('2026-03-02T08:00,"1,200",35,20', "u.csv:3: visits is '1,200'; expected a whole number from 0, without separators. Write 1200"),
        ("2026-03-02T08:00,1.200,35,20", "u.csv:3: visits is '1.200'; expected a whole number"),
        ("2026-03-02T08:00,1 200,35,20", "u.csv:3: visits is '1 200'; expected a whole number"),
        ("1764031500000,12,35,20", "u.csv:3: hour is '1764031500000'; expected a time of this century"),
        ("2026-03-02T08:00,12,35,٢٠", "u.csv:3: payments is '٢٠'; expected a whole number"),
    ],
)
def test_separators_of_thousands_are_refused(tmp_path: Path, row: str, start: str) -> None:
    found = problems_of(tmp_path / "u.csv", f"hour,visits,dossiers,payments\n2026-03-02T07:00,1,1,1\n{row}\n")
    assert len(found) == 1
    assert start in found[0]


def test_an_export_is_read_as_spreadsheets_save_it(tmp_path: Path) -> None:
    table = export(tmp_path / "a.csv").read_text(encoding="utf-8")
    tabs = tmp_path / "tabs.csv"
    tabs.write_bytes(table.replace(",", "\t").replace("\n", "\r\n").encode("utf-16"))
    assert workload_from_usage(tabs, name="a")[0].usage.per_day == workload_from_usage(tmp_path / "a.csv")[0].usage.per_day
    (tmp_path / "old.csv").write_bytes(table.replace("server", "máy chủ").encode("cp1252", errors="replace").replace(b"?", b"\xfd"))
    with pytest.raises(UsageError, match=r"old\.csv:1: file is unreadable \(not UTF-8: byte 0xE1 .* windows-1258"):
        workload_from_usage(tmp_path / "old.csv")
    doubled = "hour,visits,Visits,dossiers,payments\n"
    assert "visits twice" in problems_of(tmp_path / "u.csv", doubled + "2026-03-02T08:00,1,1,1,1\n")[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "hour, visits, dossiers, payments missing"),
        ("hour,visits\n", "dossiers, payments missing"),
        ("hour,visits,dossiers,payments\n", "hours is none"),
        ("hour,visits,dossiers,payments\n2026-03-02T08:00,1,1,1\n", "1 from first to last"),
        ("hour,visits,dossiers,payments\n2026-03-02T08:00,0,0,0\n2026-03-04T08:00,0,0,0\n", "visits is 0 in all hours"),
        ("hour,visits,dossiers,payments\n2026-03-02T08:00,1,0,0\n2026-03-04T08:00+07:00,1,0,0\n", "with and without a time zone"),
    ],
)
def test_an_export_that_says_too_little_is_refused(tmp_path: Path, text: str, words: str) -> None:
    assert any(words in problem for problem in problems_of(tmp_path / "u.csv", text))


def test_the_command_prints_or_writes_and_says_what_it_assumed(tmp_path: Path) -> None:
    usage, out = export(tmp_path / "emc.csv"), tmp_path / "catalog" / "workloads" / "own.yaml"
    printed = CliRunner().invoke(main, ["workload", str(usage), "--id", "own"])
    written = CliRunner().invoke(main, ["workload", str(usage), "--id", "own", "--out", str(out)])
    assert (printed.exit_code, written.exit_code) == (0, 0)
    assert printed.output == out.read_text(encoding="utf-8")
    assert "assumed: " in written.output
    as_json = json.loads(CliRunner().invoke(main, ["workload", str(usage), "--id", "own", "--json"]).stdout)
    assert as_json["workload"]["id"] == "own"
    assert as_json["assumptions"]


def test_a_name_that_no_catalog_takes_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["workload", str(export(tmp_path / "emc.csv")), "--id", "Của tôi"])
    assert result.exit_code == UsageError.exit_code
    assert "--id is 'Của tôi'" in result.output
