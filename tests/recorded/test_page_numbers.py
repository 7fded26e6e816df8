"""Every number in a table of the pages is in scores.json, or this test computes it from the rows. None is left over.

Gains are those of ``harness.scoring.gains``; tests/scoring/test_gains.py compares these with changed rows, scored again. ``ELSEWHERE`` lists
the numbers that other tests check, each with its test. test_page_heads.py checks the sentences above the tables.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.scoring import Gain, gains, score_portal
from tests.e2e.conftest import Sweep
from tests.e2e.evidence import load
from tests.recorded.conftest import RECORDED
from tests.recorded.page_tables import PageTable, numbers, strange, tables, title, unclaimed
from tests.recorded.portal_evidence import Portal, nearest_rank, of_name, rank_of, read_portals
from tests.scoring.recorded_night import DEMO, recorded_run

ELSEWHERE = {
    ("Rank", "Points at zero round trip"): "tests/publish/test_round_trip.py",
}
"""By a table's first column and the column: which test recomputes its numbers."""


def words(name: str) -> str:
    """A step's id as the English page writes it."""
    return name.replace("_", " ")


def of_criteria(portal: Portal, cells: Sequence[str]) -> Iterator[str]:
    """Criterion, value, thresholds, points."""
    score = of_criterion(portal, cells[0])
    curve = [float(each) for each in re.findall(r"[\d.]+", score["curve"].partition(" ")[2])]
    value = [score.get("value_measured"), score["value"], *(score["value_interval"] or ()), score.get("value_of_successes")]
    beside = [score.get("failures"), score.get("failures_of"), score.get("zero_point_s")]
    yield from strange(cells[0], [float(each) for each in re.findall(r"[\d.]+", score["metric"])])
    yield from strange(cells[1], [*value, *beside])
    yield from strange(cells[2], curve)
    if score["state"] == "assessed":
        yield from unclaimed(cells[3], [score["points"], score["points_max"], *(score["interval"] or ())])
    else:
        yield from strange(cells[3], [score["points_max"]])


def of_criterion(portal: Portal, cell: str) -> Mapping[str, Any]:
    """The entry of the criterion that a cell names."""
    name = max((each for each in portal.criteria if cell.startswith(each)), key=len)
    found: Mapping[str, Any] = portal.criteria[name]
    return found


def of_curves(portal: Portal, cells: Sequence[str]) -> Iterator[str]:
    """Criterion, metric and curve, windows, basis."""
    score = of_criterion(portal, cells[0])
    yield from strange(cells[1], [float(each) for each in re.findall(r"[\d.]+", score["metric"] + " " + score["curve"].partition(" ")[2])])
    yield from unclaimed(cells[2], [score["windows"], score["n"]] if score["state"] == "assessed" else [None] * len(numbers(cells[2])))
    yield from strange(cells[3], [])


def of_steps(portal: Portal, cells: Sequence[str], journey: str) -> Iterator[str]:
    """Step, n, failed (%), skipped, p50, p90, p95, p99, slowest, p95 with failures. A percentile of too few values may be a dash."""
    mine = portal.steps[(portal.steps["journey"].astype(str) == journey) & (portal.steps["step"].astype(str).map(words) == cells[0])]
    begun = mine[mine["outcome"] != "skipped"]
    good = [float(each) for each in begun[begun["outcome"] == "ok"]["seconds"]]
    failed = len(begun) - len(good)
    yield from unclaimed(cells[1], [len(begun)])
    yield from unclaimed(cells[2], [100 * failed / max(len(begun), 1)])
    yield from unclaimed(cells[3], [len(mine) - len(begun)])
    for cell, percent in zip(cells[4:8], (50, 90, 95, 99), strict=True):
        yield from strange(cell, [nearest_rank(good, percent)] if good else [])
    yield from strange(cells[8], [max(good)] if good else [])
    yield from strange(cells[9], [nearest_rank([*good, *[math.inf] * failed], 95)] if good else [])


def of_funnel(portal: Portal, cells: Sequence[str], journey: str) -> Iterator[str]:
    """What, how many began it, how many ended it well and how many did not; a step that was tried twice in a visit counts once."""
    visits = portal.visits[portal.visits["journey"].astype(str) == journey]
    steps = portal.steps[(portal.steps["journey"].astype(str) == journey) & (portal.steps["step"].astype(str).map(words) == cells[0])]
    if cells[0] == "visits planned":
        expected = [len(visits)]
    elif cells[0] == "visits begun":
        expected = [int((visits["start_us"] > 0).sum())]
    elif cells[0] == "visits ended well":
        expected = [int((visits["outcome"].astype(str) == "ok").sum())]
    else:
        begun, good = steps[steps["outcome"] != "skipped"], steps[steps["outcome"] == "ok"]
        expected = [len({*zip(each["window"], each["visit"], strict=True)}) for each in (begun, good)]
    lost = expected[0] - expected[1] if len(expected) > 1 else 0
    yield from unclaimed(cells[1], expected[:1])
    yield from unclaimed(cells[2], [*expected[1:], *([lost] if lost else [])])
    for cell in cells[3:]:
        yield from strange(cell, [100 * expected[0] / max(len(visits), 1)])


def of_hosts(portal: Portal, cells: Sequence[str]) -> Iterator[str]:
    """Host, requests, failed, p50, p95, share of the waiting time (in two columns)."""
    sent = portal.requests[(portal.requests["outcome"].astype(str) != "skipped") & (portal.requests["end_us"] > 0)]
    seconds = (sent["end_us"] - sent["start_us"]) / 1e6
    address = re.search(r"https?://\S+", cells[0])
    at = (sent["host"].astype(str) == address.group()) if address else (sent["host_owner"].astype(str) == "portal")
    mine, values = sent[at], [float(each) for each in seconds[at]]
    failed = 100 * float((mine["outcome"].astype(str) != "ok").mean())
    share = 100 * sum(values) / float(seconds.sum())
    expected = [len(mine), failed, nearest_rank(values, 50), nearest_rank(values, 95), share, share]
    for cell, value in zip(cells[1:], expected, strict=True):
        yield from strange(cell, [value])


def of_faults(portal: Portal, cells: Sequence[str]) -> Iterator[str]:
    """What went wrong, step, recorded as, count, share, when, page: faults.json has the counts; what was not served is in the rows too."""
    faults = next(each["faults"] for each in load(portal.folder / "faults.json")["portals"] if each["portal"] == portal.name)
    fault = next((each for each in faults if numbers(cells[3]) == [str(each["count"]), str(each["of"])]), None)
    if fault is None:
        yield f"{cells[3]}: in no entry of faults.json"
        return
    ends = portal.rows[portal.rows["request"] == -1]["outcome"].astype(str)
    if fault["fault"] == "not_served":
        yield from unclaimed(cells[3], [int((ends == "not_served").sum()), len(ends)])
    yield from strange(cells[4], [100 * fault["count"] / fault["of"]])
    yield from strange(cells[5], [each for name in ("first_utc", "last_utc") if fault[name] for each in parts_of(fault[name])])
    codes = " ".join([fault["rule"], *fault["codes"]])
    yield from (token for cell in cells[:3] for token in numbers(cell) if token not in codes)
    yield from strange(cells[6], [len(fault["pages"]) - 1])


def of_slow_visits(portal: Portal, cells: Sequence[str]) -> Iterator[str]:
    """Journey, waiting, at the portal, window, how it ended, mark: the visit that the mark names, without its think times."""
    number = int(cells[5].split()[0].rpartition("/")[2])
    steps = portal.steps[portal.steps["visit"] == number]
    requests = portal.requests[(portal.requests["visit"] == number) & (portal.requests["host_owner"].astype(str) != "portal")]
    waiting, elsewhere = float(steps["seconds"].sum()), float((requests["end_us"] - requests["intended_us"]).sum()) / 1e6
    yield from unclaimed(cells[1], [waiting])
    yield from unclaimed(cells[2], [waiting - elsewhere])
    yield from unclaimed(cells[3], [int(steps["window"].iloc[0])])
    yield from strange(cells[4], [])
    if not cells[5].startswith(f"{portal.sweep}/{portal.name}/{number}"):
        yield cells[5]


def of_gains(portal: Portal, cells: Sequence[str]) -> Iterator[str]:
    """Change, from and to and points of each criterion, points in all."""
    found = gains_by_change(portal.name)[cells[0]]
    if found[0].change == "faster":
        yield from unclaimed(cells[1], [value for gain in found for value in _before_and_after(gain)])
    else:
        yield from unclaimed(cells[1], [found[0].value_from, found[0].value_to])
    yield from unclaimed(cells[2], [found[0].points_total])


def _before_and_after(gain: Gain) -> list[float | None]:
    """What a line of a faster step prints: numbers in the metric's name, both values (a censored one has no number), and points."""
    of_metric = [float(each) for each in re.findall(r"[\d.]+", gain.metric)]
    return [*of_metric, *([] if gain.value_from is None else [gain.value_from]), gain.value_to, gain.points]


@cache
def gains_by_change(portal: str) -> Mapping[str, Sequence[Gain]]:
    """The gains of a portal of the recorded sweep by the words of their change, best first."""
    run = recorded_run(portal)
    changes: dict[str, list[Gain]] = {}
    for gain in gains(score_portal([run], DEMO), [run], DEMO):
        step, change = words(gain.part[2]), "faster" if gain.change == "faster" else "without failures"
        of_what = f"{step} {change}" if step else "every visit served"
        changes.setdefault(f"{gain.part[0].capitalize()} : {of_what}", []).append(gain)
    return changes


def parts_of(utc: str) -> list[float]:
    """Day, year, hour and minute of a moment in Viet Nam."""
    moment = datetime.fromisoformat(utc) + timedelta(hours=7)
    return [moment.day, moment.year, moment.hour, moment.minute]


def test_points_follow_from_the_values_and_values_from_the_windows() -> None:
    """scores.json itself: the sum of points, the curve, the median window, its interval, and the visits that ended well."""
    compared = 0
    for portal in read_portals(RECORDED).values():
        assessed = [each for each in portal.entry["criteria"] if each["state"] == "assessed"]
        if portal.entry["points"] is not None:
            assert portal.entry["points"] == pytest.approx(sum(each["points"] for each in assessed), abs=1e-6)
        for score in assessed:
            full, none = (float(each) for each in re.findall(r"(?:full|none) ([\d.]+)", score["curve"]))
            if score["value"] is not None:
                share = min(1.0, max(0.0, (none - score["value"]) / (none - full)))
                assert score["points"] == pytest.approx(score["points_max"] * share, abs=2e-3), (portal.name, score["id"])
            values = [each["value"] for each in score["per_window"]]
            if len(values) == 6 and None not in values:
                assert score["value_interval"] == pytest.approx([min(values), max(values)], abs=1e-6), (portal.name, score["id"])
                assert sorted(values)[2] - 1e-6 <= score["value"] <= sorted(values)[3] + 1e-6
            if score["metric"] == "ok_rate of visits":
                journey = score["selection"].split(":")[0].removeprefix("journey ")
                mine = portal.visits[portal.visits["journey"].astype(str) == journey]
                shares = (mine["outcome"].astype(str) == "ok").groupby(mine["window"]).mean() * 100
                assert [each["value"] for each in score["per_window"]] == pytest.approx([float(share) for share in shares], abs=1e-3)
                assert score["n"] == len(mine)
                compared += 1
    assert compared >= 10


def test_every_number_of_the_pages_is_claimed(scored: Sweep) -> None:
    portals = read_portals(scored.folder)
    wrong, claimed = _of_portal_pages(portals, scored.folder)
    of_sweep, more = _of_sweep_page(portals, scored.folder)
    assert [*wrong, *of_sweep] == []
    assert claimed > 1000
    assert more > 150


def _of_portal_pages(portals: Mapping[str, Portal], folder: Path) -> tuple[list[str], int]:
    """What is wrong, and how many numbers were looked at."""
    wrong, claimed = [], 0
    for path in sorted((folder / "report").glob("p*.html")):
        portal = portals[title(path).split(" · ")[0]]
        funnels = iter(journey for journey in ("search", "submit", "pay") if (portal.visits["journey"].astype(str) == journey).any())
        for table in tables(path):
            journey = next(funnels) if table.columns[:2] == ("Step", "Began it") else ""
            for cells in table.rows:
                if len(cells) == 1 or not any(cells[1:]):
                    journey = cells[0].lower()
                    wrong += strange(cells[0], [])
                    continue
                found = [*_portal_row(portal, table, cells, journey)]
                claimed += sum(len(numbers(cell)) for cell in cells)
                wrong += [f"{path.name} {table.columns[0]}: {cells}: {each}" for each in found]
    return wrong, claimed


def _portal_row(portal: Portal, table: PageTable, cells: Sequence[str], journey: str) -> Iterator[str]:
    match table.columns[:2]:
        case ("Criterion", "Value"):
            yield from of_criteria(portal, cells)
        case ("Criterion", "Metric and curve"):
            yield from of_curves(portal, cells)
        case ("Step", "Began it"):
            yield from of_funnel(portal, cells, journey)
        case ("Step", "n"):
            yield from of_steps(portal, cells, journey)
        case ("Host", _):
            yield from of_hosts(portal, cells)
        case ("Fault", _):
            yield from of_faults(portal, cells)
        case ("Journey", "Waiting (s)"):
            yield from of_slow_visits(portal, cells)
        case ("Change", _):
            yield from of_gains(portal, cells)
        case _:
            yield from _elsewhere(table, cells)


def _elsewhere(table: PageTable, cells: Sequence[str]) -> Iterator[str]:
    for column, cell in zip(table.columns, cells, strict=True):
        if (table.columns[0], column) not in ELSEWHERE:
            yield from strange(cell, [])


def _of_sweep_page(portals: Mapping[str, Portal], folder: Path) -> tuple[list[str], int]:
    findings = {each["portal"]: each for each in load(folder / "findings.json")["portals"]}
    wrong, claimed = [], 0
    for table in tables(folder / "report.html"):
        for cells in table.rows:
            found = [*_sweep_row(portals, findings, table, cells)]
            claimed += sum(len(numbers(cell)) for cell in cells)
            wrong += [f"{table.columns[0]}: {cells}: {each}" for each in found]
    return wrong, claimed


def _sweep_row(portals: Mapping[str, Portal], findings: Mapping[str, Any], table: PageTable, cells: Sequence[str]) -> Iterator[str]:
    match table.columns[:2]:
        case ("Rank", "Portal"):
            yield from _matrix_row(portals, table, cells)
        case ("Portal", "State"):
            portal = of_name(portals, cells[0])
            yield from (token for token in numbers(cells[2]) if token not in json.dumps(portal.entry["reasons"]))
        case ("Portal", "Points"):
            portal = of_name(portals, cells[0])
            worst = max(
                (each["points_max"] - each["points"] for each in portal.entry["criteria"] if each["state"] == "assessed"), default=0.0
            )
            yield from strange(cells[1], [portal.entry["points"]])
            yield from strange(cells[2], [worst])
            said = findings[portal.name]["conclusion"]["en"]
            yield from (token for token in numbers(cells[3]) if token not in numbers(said))
            best, found = next(iter(gains_by_change(portal.name).items()), ("–", ()))
            yield from unclaimed(cells[4], [gain.points_total for gain in found[:1]])
            if not cells[4].startswith(best):
                yield f"{cells[4]}, expected {best}"
        case ("Portal", "Dossiers filed"):
            yield from _claims_row(of_name(portals, cells[0]), cells)
        case ("Criterion", "Points"):
            score = of_criterion(next(iter(portals.values())), cells[0])
            yield from unclaimed(cells[1], [score["points_max"]])
            known = json.dumps(score, ensure_ascii=False)
            yield from (token for cell in cells[2:] for token in numbers(cell) if token not in known)
        case _:
            yield from _elsewhere(table, cells)


def _matrix_row(portals: Mapping[str, Portal], table: PageTable, cells: Sequence[str]) -> Iterator[str]:
    portal = of_name(portals, cells[1])
    entry, row = portal.entry, dict(zip(table.columns, cells, strict=False))
    if entry["points"] is None:
        yield from (token for cell in cells for token in numbers(cell))
        return
    yield from unclaimed(row["Interval"], entry["interval"])
    yield from unclaimed(row["Rank"], rank_of(portal, portals))
    for column, cell in row.items():
        name, _, most = column.rpartition(" / ")
        if name == "Points":
            yield from unclaimed(cell, [entry["points"]])
            yield from unclaimed(most, [entry["points_assessed_max"]])
        elif name:
            yield from unclaimed(cell, [portal.criteria[name]["points"]])
            yield from unclaimed(most, [portal.criteria[name]["points_max"]])


def _claims_row(portal: Portal, cells: Sequence[str]) -> Iterator[str]:
    counted = load(portal.folder / "counted.json").get(portal.name, {})
    ended = {
        step: int((portal.rows[portal.rows["step"].astype(str) == step].groupby(["window", "visit", "attempt"], observed=True)["outcome"]
                   .agg(lambda found: set(map(str, found)) == {"ok"})).sum())
        for step in ("submit", "confirm_payment")
    }  # fmt: skip
    lines = [json.loads(line) for line in (portal.folder / "ledger.jsonl").read_text(encoding="utf-8").splitlines()]
    codes = [line["code"] for line in lines if line["portal"] == portal.name and line["kind"] == "dossier"]
    twice = len(codes) - len({*codes})
    for cell, value in zip(
        cells[1:], [ended["submit"], counted["dossiers"], ended["confirm_payment"], counted["payments"]["paid"], twice, 0], strict=True
    ):
        yield from unclaimed(cell, [value])
