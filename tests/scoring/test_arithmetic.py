"""With the printed lines and a pocket calculator: this reads nothing else, and uses nothing of the harness to compute."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

import pytest

from harness.scoring import RunEvidence, explain, read_csv, score_portal
from tests.scoring.evening import PORTAL, Evening, facts, good_evening, window
from tests.scoring.sets import SHARES, SOURCED, criteria_set, criterion, the_2024_set
from tests.scoring.test_run_criteria import SUSTAINED, _ramp

NUMBER = r"\d+(?:\.\d+)?"
CENSORED = math.inf
PRINTED_DIGITS = 2e-4
"""Points have four decimals; the numbers that they are computed from have six."""


def calculated(text: str) -> float:
    """A sum, product or quotient of printed numbers."""
    assert re.fullmatch(r"[\d.+×/() −]+", text), text
    return float(eval(text.replace("×", "*").replace("−", "-")))


def value_of(text: str) -> float:
    found = re.match(rf"censored|{NUMBER}", text)
    assert found, text
    return CENSORED if found[0] == "censored" else float(found[0])


def of_a_step(figure: str, told: str) -> float:
    """The figure of one step from its counts and sums."""
    n, failed, how = re.match(r"n (\d+), (\d+) failed: (.*)", told).groups()  # type: ignore[union-attr]
    if rank := re.match(rf"rank ⌈({NUMBER}) × {n} / 100⌉ = (\d+) → (.*)", how):
        assert int(rank[2]) == math.ceil(float(rank[1]) * int(n) / 100)
        assert (value_of(rank[3]) == CENSORED) == (int(rank[2]) > int(n) - int(failed))
        return value_of(rank[3])
    if largest := re.match(r"the largest of (\d+) → (.*)", how):
        assert int(largest[1]) <= int(n)
        return value_of(largest[2])
    formula, result = re.match(rf"(.*?) = ({NUMBER})", how).groups()  # type: ignore[union-attr]
    assert formula.endswith(f"/ {n}"), formula
    if figure in {"ok_rate", "error_rate"}:
        counted = int(n) - int(failed) if figure == "ok_rate" else int(failed)
        assert formula == f"100 × {counted} / {n}"
    assert calculated(formula) == pytest.approx(float(result), abs=1e-6)
    return calculated(formula)


def points_on(curve: str, most: float, value: float) -> float:
    """The points of a value, by the printed curve."""
    kind, _, rest = curve.partition("/1 ")
    higher = False
    if kind == "linear":
        full, none = map(float, re.match(rf"full ({NUMBER}) none ({NUMBER})", rest).groups())  # type: ignore[union-attr]
        higher = full > none
        share = 0.0 if value == CENSORED else (none - value) / (none - full)
    elif kind == "bands":
        bands = [tuple(map(float, pair)) for pair in re.findall(rf"({NUMBER}) → ({NUMBER})", rest)]
        share = next((share for limit, share in bands if value <= limit), 0.0)
    else:
        p10, median = map(float, re.match(rf"p10 ({NUMBER}) median ({NUMBER})", rest).groups())  # type: ignore[union-attr]
        share = 0.0 if value == CENSORED else 0.5 * math.erfc(math.log(value / median) * 0.9061938024368232 / -math.log(p10 / median))
    assert not (higher and value == CENSORED)
    return min(1.0, max(0.0, share)) * most


def blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in (*lines, ""):
        if line:
            block.append(line)
        elif block:
            yield block
            block = []


def windows_of(block: list[str], figure: str) -> list[tuple[str, float]]:
    """The windows whose steps are printed, each with its value."""
    found: list[tuple[str, float]] = []
    for position, line in enumerate(block):
        head = re.match(r"  (?:median )?window (\d+) \(.*\), combined by (mean|worst):", line)
        if head:
            steps = []
            for told in block[position + 1 :]:
                if (step := re.match(r"    [\w/]+: (n \d+, .*)", told)) is None:
                    break
                steps.append(of_a_step(figure, step[1]))
            best_is_least = figure not in {"ok_rate", "apdex"}
            worst = max(steps) if best_is_least else min(steps)
            found.append((head[1], sum(steps) / len(steps) if head[2] == "mean" else worst))
    return found


def points_from(block: list[str]) -> float:
    """A criterion's points, from the operands of its steps."""
    text = "\n".join(block)
    figure = re.match(r"  (\w+?)(?:[\d(. ]|$)", block[1])[1]  # type: ignore[index]
    curve, most = re.search(rf"^  curve (.*?): .* of ({NUMBER}) points", text, re.MULTILINE).groups()  # type: ignore[union-attr]
    windows = windows_of(block, figure)
    if "over mean_of_windows" in text:
        values = [value for _, value in windows]
        if not windows:  # the operator's figures: the windows' values are printed in one line
            values = [float(value) for value in re.findall(rf"\d+: ({NUMBER}) %", re.search(r"  windows: .*", text)[0])]  # type: ignore[index]
        return sum(points_on(curve, float(most), value) for value in values) / len(values)
    if "over median_window" in text:
        place, count, listed = re.search(r"number (\d+) of (\d+) from the best: (.*)", text).groups()  # type: ignore[union-attr]
        ordered = [each.split(": ") for each in listed.split(", ")]
        assert len(ordered) == int(count)
        assert int(place) == int(count) // 2 + 1
        _, value = ordered[int(place) - 1]
        ((_, computed),) = windows
        assert computed == pytest.approx(value_of(value), abs=1e-6)
        return points_on(curve, float(most), computed)
    if figure == "availability":
        up, all_ = re.search(r"all nights: 100 × (\d+) / (\d+)", text).groups()  # type: ignore[union-attr]
        return points_on(curve, float(most), 100 * int(up) / int(all_))
    passed = [float(level) for level in re.findall(rf"level ({NUMBER}) visits/s: .* passes", text)]
    return points_on(curve, float(most), max(passed))


def checked(lines: list[str], points: dict[str, float]) -> None:
    """The points of each assessed criterion follow from the printed operands, and the total from the points."""
    found = {}
    for block in blocks(lines):
        if any(line.startswith("  curve ") for line in block):
            found[block[0].split(" ")[0]] = points_from(block)
    assert found == pytest.approx(points, abs=PRINTED_DIGITS)
    total = next(line for line in lines if line.startswith("total "))
    terms, result = re.match(rf"total (.*) = ({NUMBER}) of", total).groups()  # type: ignore[union-attr]
    assert calculated(terms) == pytest.approx(float(result), abs=PRINTED_DIGITS)
    assert float(result) == pytest.approx(sum(found.values()), abs=10 * PRINTED_DIGITS)


TIMES = {"kind": "linear", "version": 1, "full": 0.2, "none": 3, **SOURCED}
ERRORS = {"kind": "linear", "version": 1, "full": 1, "none": 50, **SOURCED}
BANDS = {"kind": "bands", "version": 1, "bands": [{"limit": 0.3, "share": 1}, {"limit": 4, "share": 0.4}], **SOURCED}
LOG_NORMAL = {"kind": "log_normal", "version": 1, "p10": 0.5, "median": 1.5, **SOURCED}
MANY = {"windows": 6, "n": 100, **SOURCED}
STEPS = {"journey": ["submit"], "stage": "typical", "goal": ["file"]}
EVERY_FIGURE = criteria_set(
    criterion("p95", "p95", points=2, curve=TIMES, quota=MANY),
    criterion("p50", "p50 of visits", points=2, curve=BANDS, quota=MANY),
    criterion("slowest", "slowest(50)", points=2, curve=TIMES, quota=MANY, select=STEPS, combine="worst"),
    criterion(
        "apdex", "apdex(0.7 s)", points=2, curve={**SHARES, "full": 0.95, "none": 0.1}, quota=MANY, select=STEPS, over="mean_of_windows"
    ),
    criterion("errors", "error_rate", points=2, curve=ERRORS, quota=MANY, select=STEPS, combine="worst"),
    criterion("rate", "ok_rate of visits", points=2, curve=SHARES, quota=MANY, over="mean_of_windows"),
    criterion("mean", "mean", points=2, curve=LOG_NORMAL, quota=MANY, select=STEPS),
    criterion("worst-mean", "mean", points=2, curve=TIMES, quota=MANY, select=STEPS, combine="worst"),
    criterion("visits", "mean of visits", points=2, curve=TIMES, quota=MANY, select={"journey": ["submit"], "stage": "typical"}),
    criterion("up", "availability(50 %)", points=2, curve=SHARES, quota={"windows": 6, "n": 2, "nights": 1}),
)


@pytest.mark.parametrize("slower", [0.5, 1.5, 4.0])
def test_every_figure_of_a_window(slower: float) -> None:
    evening = good_evening(visits=120, slower=slower, failing={"submit": 0.05, "fill_in": 0.1, "search": 0.02})
    runs = [RunEvidence(PORTAL, facts(), evening.frame())]
    card = score_portal(runs, EVERY_FIGURE)
    points = {score.id: score.points for score in card.criteria if score.points is not None}
    assert len(points) == 10
    checked(list(explain(card, runs, EVERY_FIGURE)), points)


def test_the_shipped_set() -> None:
    criteria = the_2024_set()
    runs = [RunEvidence(PORTAL, facts(), good_evening(slower=5, failing={"confirm_payment": 0.05}).frame())]
    card = score_portal(runs, criteria)
    points = {score.id: score.points for score in card.criteria if score.points is not None}
    assert 0 < min(value for name, value in points.items() if name == "average-submit") < 2
    checked(list(explain(card, runs, criteria)), points)


def test_a_level_and_the_operators_figures() -> None:
    runs = [_ramp([0.5, 1.0, 3.0, None])]
    checked(list(explain(score_portal(runs, SUSTAINED), runs, SUSTAINED)), {"sustained": 10.0})
    evening, windows = Evening(), [window(number) for number in range(6)]
    for number in range(6):
        evening.visit(number, "search", [("find", "search", 1.0, "ok")])
    figures = ["time_utc,server,role,cpu_percent"]
    figures += [
        f"2026-11-21T15:{n:02d}:{second}Z,{role},{role},{70 + 5 * n}"
        for n in range(6)
        for second in (10, 40)
        for role in ("application", "database")
    ]
    cpu = criteria_set(
        criterion(
            "cpu",
            "server_cpu",
            curve={"kind": "linear", "version": 1, "full": 75, "none": 100, **SOURCED},
            quota={"windows": 6, "n": 2},
            over="mean_of_windows",
        )
    )
    runs = [RunEvidence(PORTAL, facts(windows), evening.frame(), efficiency=read_csv("\n".join(figures) + "\n", "operator.csv"))]
    card = score_portal(runs, cpu)
    checked(list(explain(card, runs, cpu)), {"cpu": card.criteria[0].points or 0.0})
    assert card.criteria[0].points == pytest.approx(20 * (1 + 1 + 0.8 + 0.6 + 0.4 + 0.2) / 6, abs=1e-3)
