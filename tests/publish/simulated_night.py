"""A night of six portals, built row by row through the real dataclasses from a seeded generator."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from random import Random

import pandas as pd

from harness.evidence.facts import Reason, RunFacts, UnprovenJourney, Verdict, WindowFacts
from harness.evidence.publication import PortalPublication, ReopeningCause
from harness.publish import HealthReading, Provenance
from harness.records import COLUMNS, VISIT_ROW, RoundRecord, Sample, SlotRecord, WindowKey, WindowRecord
from harness.records.round import RoundMember
from harness.scoring.scorecard import (
    LATER_FIELDS,
    AppliedCriteria,
    CriterionScore,
    CriterionState,
    DayAndNight,
    Evidence,
    PointsWithoutMakeUp,
    Scorecard,
    ScoredGroup,
    SweepScores,
    WindowScore,
)
from harness.statistics.keyed import keyed_random

SWEEP = "2026-11-21T22-00Z-demo"
NIGHT = "2026-11-21"
WINDOWS = 6
WINDOW_S = 60.0
TIMEOUT_S = 30.0
SECOND_US = 1_000_000

JOURNEYS = {
    "search": [("find", "search"), ("find", "open_procedure")],
    "submit": [("find", "search"), ("find", "open_procedure"), ("file", "log_in"), ("file", "fill_in"), ("file", "attach"),
               ("file", "submit"), ("track", "track")],
    "pay": [("file", "log_in"), ("pay", "quote_fee"), ("pay", "pay"), ("pay", "confirm_payment")],
}  # fmt: skip
OWNERS = {"log_in": "identity", "pay": "payment"}
WEIGHTS = {"search": 0.6, "submit": 0.25, "pay": 0.15}


@dataclass(frozen=True)
class Personality:
    """How one portal of the fixture behaves."""

    portal: str
    name_vi: str
    name_en: str
    median_s: float
    spread: float = 0.5
    payment_failures: float = 0.0
    collapses: bool = False
    refuses: bool = False
    level: str = "province"


PORTALS = (
    Personality("binh-dinh", "Bình Định", "Binh Dinh", 0.28),
    Personality("bo-noi-vu", "Bộ Nội vụ", "Ministry of Home Affairs", 0.8, level="ministry"),
    Personality("dien-bien", "Điện Biên", "Dien Bien", 2.6, spread=0.7),
    Personality("lam-dong", "Lâm Đồng", "Lam Dong", 0.6, collapses=True),
    Personality("quang-ngai", "Quảng Ngãi", "Quang Ngai", 0.9, payment_failures=0.35),
    Personality("thua-thien-hue", "Thừa Thiên Huế", "Thua Thien Hue", 0.7, refuses=True),
)


def frame(person: Personality, rate_per_s: float = 4.0, windows: int = WINDOWS, window_s: float = WINDOW_S) -> pd.DataFrame:
    """All rows of one portal, with the columns and types of the evidence."""
    rows = [(*key, *sample) for window in range(windows) for key, sample in _window(person, window, rate_per_s, window_s)]
    table = pd.DataFrame.from_records(rows, columns=[column.name for column in COLUMNS])
    return table.astype({column.name: column.kind for column in COLUMNS})


def _window(person: Personality, window: int, rate_per_s: float, window_s: float):
    random = keyed_random(7, person.portal, window, "rows")
    origin_us = (1_000 + window * 300) * SECOND_US
    at_s, visit = 0.0, window * 10_000
    while (at_s := at_s + random.expovariate(rate_per_s)) < window_s:
        worker = f"w{visit % 2}"
        key = WindowKey(SWEEP, window, f"{SWEEP}.{person.portal}", window, person.portal, "typical", worker)
        for sample in _visit(person, random, visit, origin_us + int(at_s * SECOND_US), at_s):
            yield key, sample
        visit += 1
        if person.refuses and visit % 10_000 > 3:
            return


def _visit(person: Personality, random: Random, visit: int, arrival_us: int, at_s: float):
    journey = random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    now_us, failure = arrival_us, ""
    for goal, step in JOURNEYS[journey]:
        if failure:
            yield _sample(journey, visit, goal, step, "portal", now_us, 0, "skipped", 0)
            continue
        outcome, status = _outcome(person, random, step, at_s)
        median_s = person.median_s * (4.0 if step in ("submit", "attach") else 1.0)
        if person.collapses and at_s > 15:
            median_s *= 1 + (at_s - 15) / 2
        took_us = min(int(random.lognormvariate(0, person.spread) * median_s * SECOND_US), int(TIMEOUT_S * SECOND_US))
        if took_us == int(TIMEOUT_S * SECOND_US):
            outcome, status = "timeout", 0
        if outcome == "not_served":
            took_us = 20_000
        yield _sample(journey, visit, goal, step, OWNERS.get(step, "portal"), now_us, took_us, outcome, status)
        now_us += took_us
        failure = outcome if outcome != "ok" else ""
        now_us += int(random.uniform(0.5, 2.0) * SECOND_US)
    yield Sample(
        journey, visit, "", "", VISIT_ROW, 0, 1, "", "", "", arrival_us, arrival_us, 0, now_us, 0, 0, 0, False, 0, 0, 0, failure or "ok"
    )


def _outcome(person: Personality, random: Random, step: str, at_s: float) -> tuple[str, int]:
    if person.refuses:
        return "blocked", 403
    if step == "confirm_payment" and random.random() < person.payment_failures:
        return "wrong_content", 200
    if person.collapses and at_s > 25 and random.random() < 0.4:
        return "not_served", 503
    return ("http_error", 500) if random.random() < 0.004 else ("ok", 200)


def _sample(journey, visit, goal, step, *timing) -> Sample:
    owner, start_us, took_us, outcome, status = timing
    host = {"portal": "http://127.0.0.1:8001", "identity": "http://127.0.0.1:8002", "payment": "http://127.0.0.1:8003"}[owner]
    return Sample(journey, visit, goal, step, 0, 0, 1, host, owner, "GET", start_us, start_us + 80, start_us + took_us // 2,
                  start_us + took_us, 0, 400, 0, True, 0, 2_300, status, outcome)  # fmt: skip


def run_facts(person: Personality) -> RunFacts:
    run = f"{SWEEP}.{person.portal}"
    verdict = Verdict.BLOCKED if person.refuses else Verdict.VALID
    reasons = (Reason("lone_citizen_refused", "HTTP 403"),) if person.refuses else ()
    windows = tuple(
        WindowFacts(run, i, i, NIGHT, "typical", 4.0, f"2026-11-21T15:{i * 5:02d}:00Z", WINDOW_S, Verdict.VALID) for i in range(WINDOWS)
    )
    return RunFacts(SWEEP, run, person.portal, verdict, reasons, windows, TIMEOUT_S, 400)


def rounds() -> tuple[RoundRecord, ...]:
    """The rounds of the night: each has one window of every portal, on two workers."""
    members = (RoundMember("w0", 0), RoundMember("w1", 1))
    return tuple(
        RoundRecord(
            number, 0, f"{number:03d}-00", (1_000 + number * 300) * SECOND_US, f"2026-11-21T15:{number * 5:02d}:00+00:00", False, members,
            tuple(
                SlotRecord(person.portal, f"{SWEEP}.{person.portal}", 400, (WindowRecord(number, "typical", 4.0, 0.0, WINDOW_S, {}, {}, (), number, None),))
                for person in PORTALS
            ),
        )
        for number in range(WINDOWS)
    )  # fmt: skip


# id, Vietnamese, English, heading, points, unit, basis
CRITERIA = (
    (
        "average-submit",
        "Thời gian trung bình của bước nộp hồ sơ",
        "Average time of the submit step",
        "average_response",
        4.0,
        "s",
        "assumed",
    ),
    (
        "average-search",
        "Thời gian trung bình của bước tìm kiếm",
        "Average time of the search step",
        "average_response",
        3.0,
        "s",
        "assumed",
    ),
    ("slowest-submit", "Bước nộp hồ sơ chậm nhất", "Slowest submit step", "slowest_response", 4.0, "s", "borrowed"),
    (
        "efficiency",
        "CPU máy chủ ứng dụng và cơ sở dữ liệu",
        "CPU of application and database servers",
        "server_efficiency",
        3.0,
        "%",
        "borrowed",
    ),
    ("concurrent", "Số công dân đồng thời chịu được", "Citizens served at once", "concurrent_use", 3.0, "visits/s", "borrowed"),
    ("payments", "Thanh toán được xác nhận", "Payments confirmed", "correctness", 3.0, "%", "assumed"),
)


METRICS = {
    "slowest-submit": "slowest(50)", "efficiency": "server_cpu", "concurrent": "sustained(p95 <= 10 s and error_rate <= 3 %)", "payments": "ok_rate",
}  # fmt: skip
OUR_SPLIT = "the annex is not public; our split of the 20 points over the headings of Circular 22/2019/TT-BTTTT, Art. 7"


SIX_WINDOWS = "six windows are the fewest whose median has a 95 % interval (sign test); the count of steps is ours"


def scorecard(person: Personality) -> Scorecard:
    criteria = tuple(_criterion(person, *row) for row in CRITERIA)
    valid = not person.refuses
    points = sum(c.points or 0.0 for c in criteria)
    return Scorecard(
        portal=person.portal, name_vi=person.name_vi, name_en=person.name_en, level=person.level,
        verdict=run_facts(person).verdict, reasons=run_facts(person).reasons,
        points=points if valid else None, interval=(points - 0.4, points) if valid else None,
        points_max=20.0, points_assessed_max=17.0 if valid else 0.0, criteria=criteria, nights=(NIGHT,),
        evidence=(Evidence(f"portal={person.portal}/run={SWEEP}/part-0.parquet", hashlib.sha256(person.portal.encode()).hexdigest()),),
        interval_kind="sign test over sums of the same windows" if valid else "",
    )  # fmt: skip


def _criterion(person: Personality, name: str, *rest) -> CriterionScore:
    vi, en, heading, most, unit, basis = rest
    assessed = name != "efficiency" and not person.refuses
    random = keyed_random(7, person.portal, name)
    base = {
        "s": person.median_s * (8 if name == "slowest-submit" else 2),
        "visits/s": 60 / person.median_s,
        "%": 100 - 100 * person.payment_failures,
    }[unit]
    if person.collapses and unit == "s":
        base *= 9
    values = sorted(
        (min(100.0, base * random.uniform(0.98, 1.02)) if unit == "%" else base * random.uniform(0.9, 1.1)) for _ in range(WINDOWS)
    )
    censored = assessed and unit == "s" and values[3] > TIMEOUT_S
    share = 1 / (1 + (base / 9) ** 2) if unit == "s" else min(1.0, base / 100)
    shuffled = random.sample(values, WINDOWS)
    return CriterionScore(
        id=name, name_vi=vi, name_en=en, heading=heading,
        state=CriterionState.ASSESSED if assessed else CriterionState.NOT_ASSESSED,
        reason="" if assessed else ("no_operator_figures" if name == "efficiency" else "verdict: blocked"),
        points=(0.0 if censored else round(share * most, 3)) if assessed else None, points_max=most,
        interval=(max(0.0, round(share * most, 3) - 0.2), round(share * most, 3)) if assessed and not censored else None,
        interval_kind="sign test over windows" if assessed else "",
        metric=METRICS.get(name, "mean"), value=values[3] if assessed and not censored else None,
        value_interval=(values[0], values[-1]) if assessed and not censored else None, censored=censored, unit=unit,
        windows=WINDOWS if assessed else 0, n=2310 if assessed else 0,
        curve="linear/1 full 2.5 none 10" if unit == "s" else "linear/1 full 100 none 50", basis=basis,
        source=f"points: assumed, {OUR_SPLIT}; curve: {basis}, full at 99 % and none at 90 % are ours; quota: assumed, {SIX_WINDOWS}",
        selection="journey submit: submit; stage typical; the portal's own time",
        per_window=tuple(WindowScore(i, None if value > TIMEOUT_S and unit == "s" else value, 385) for i, value in enumerate(shuffled)) if assessed else (),
        interval_level=0.96875 if assessed else None, value_of_successes=values[3] * 0.98 if assessed else None,
        not_charged_s=0.0125 if assessed else None,
        points_per_window=tuple((NIGHT, i, 0, round(share * most, 3)) for i in range(WINDOWS)) if assessed else (),
        value_measured=values[3] * 1.02 if assessed and unit == "s" else None, zero_point_s=10.0 if assessed and unit == "s" else None,
        failures=7 if assessed else None, failures_of=385 if assessed else None,
    )  # fmt: skip


def sweep_scores() -> SweepScores:
    return SweepScores(
        sweep=SWEEP, revision=1, supersedes=None, nights=(NIGHT,),
        criteria_set=AppliedCriteria("473-QD-BTTTT-2024", "0.1", provisional=True, sha256=hashlib.sha256(b"set").hexdigest()),
        group=ScoredGroup("performance", "Hiệu năng", "Performance", 20.0), scorecards=tuple(scorecard(person) for person in PORTALS),
    )  # fmt: skip


UNPROVEN = UnprovenJourney("submit", "file", "log_in", "wrong_content", "forbid_text <b>Hết phiên</b>", "pages/binh-dinh/submit-1.html", 3)


def many_scores(portals: int = 84) -> SweepScores:
    """A night of many portals under all criteria of a shipped set: most have points, every fourteenth refuses us."""
    cards = tuple(
        scorecard(
            replace(
                PORTALS[number % 5], portal=f"portal-{number:02d}", name_vi=f"Bộ Lao động – Thương binh và Xã hội {number:02d}",
                name_en=f"Ministry of Labour, War Invalids and Social Affairs {number:02d}", median_s=0.2 + 0.05 * number, refuses=number % 14 == 13,
            )
        )
        for number in range(portals)
    )  # fmt: skip
    return replace(sweep_scores(), scorecards=tuple(map(_with_more_criteria, cards)))


def _with_more_criteria(card: Scorecard) -> Scorecard:
    """The card with each of its criteria twice, half of the points each: as many as a shipped set has."""
    halves = [
        replace(
            each, id=f"{each.id}{half}", name_vi=f"{each.name_vi}{half}", name_en=f"{each.name_en}{half}", points_max=each.points_max / 2,
            points=None if each.points is None else each.points / 2, interval=None if each.interval is None else (each.interval[0] / 2, each.interval[1] / 2),
        )
        for each in card.criteria
        for half in ("", " 2")
    ]  # fmt: skip
    return replace(card, criteria=tuple(halves))


def with_unproven(scores: SweepScores) -> SweepScores:
    """The first portal with one journey unproven, and with a share of which the points are the mean of the windows'."""
    card = scores.scorecards[0]
    changed = {
        "average-submit": {
            "state": CriterionState.UNPROVEN, "reason": "unproven: submit stopped at log_in", "points": None, "interval": None, "value": None,
            "value_interval": None, "windows": 0, "n": 0, "per_window": (), "points_per_window": (), **dict.fromkeys(LATER_FIELDS),
        },
        "payments": {"over": "mean_of_windows"},
    }  # fmt: skip
    criteria = tuple(replace(criterion, **changed.get(criterion.id, {})) for criterion in card.criteria)
    first = replace(
        card, criteria=criteria, unproven=(UNPROVEN,), points=sum(c.points or 0.0 for c in criteria), interval=None,
        points_assessed_max=card.points_assessed_max - card.criteria[0].points_max,
        reasons=(Reason("journey_unproven", "submit/file/log_in, wrong_content, × 3"),),
    )  # fmt: skip
    return replace(scores, scorecards=(first, *scores.scorecards[1:]))


def with_make_up(scores: SweepScores, points: float | None = 11.25) -> SweepScores:
    """The first portal with one make-up window, and ``points`` without it."""
    interval = None if points is None else (points - 0.25, points + 0.25)
    without = PointsWithoutMakeUp(1, points, interval, 0.0 if points is None else 15.0)
    return replace(scores, scorecards=(replace(scores.scorecards[0], without_make_up=without), *scores.scorecards[1:]))


def with_day_and_night(scores: SweepScores) -> SweepScores:
    """The first portal twice as slow by day as at night."""
    found = DayAndNight(day_s=1.25, night_s=0.5, ratio=2.5, limit=2.0, is_finding=True, days=5, nights=5, probes=900)
    return replace(scores, scorecards=(replace(scores.scorecards[0], day_and_night=found), *scores.scorecards[1:]))


def reopened(scores: SweepScores) -> SweepScores:
    """The first portal sent again, after it had been sent and opened again."""
    cause = ReopeningCause(2, "The operator showed a log of that night")
    found = PortalPublication("sent", "2026-11-24T02:00:00+00:00", "2026-12-04", (cause,))
    return replace(scores, scorecards=(replace(scores.scorecards[0], publication=found), *scores.scorecards[1:]))


def made_final(scores: SweepScores) -> SweepScores:
    """All portals final, as the file alone says it."""
    found = PortalPublication("final", "2026-12-08T02:00:00+00:00", "2026-12-04")
    return replace(scores, scorecards=tuple(replace(card, publication=found) for card in scores.scorecards))


def health_readings() -> list[HealthReading]:
    readings = []
    for person in PORTALS:
        for window in range(WINDOWS):
            random = keyed_random(7, person.portal, window, "health")
            run = f"{SWEEP}.{person.portal}"
            readings += [
                HealthReading(run, window, "cpu_percent", random.uniform(25, 60), 80, "%"),
                HealthReading(run, window, "lag_p99_us", random.uniform(400, 3000), 10_000, "µs"),
                HealthReading(run, window, "late_p99_us", random.uniform(300, 2000), 5_000, "µs"),
                HealthReading(run, window, "reference_error_us", random.uniform(100, 600), 2_000, "µs"),
                HealthReading(run, window, "steal_percent", random.uniform(0, 1), 5, "%"),
            ]
    return readings


PROVENANCE = Provenance(
    harness="0.1.0", versions={"locust": "2.47.0", "python": "3.11.2"}, host={"processors": 2}, vantage_point="this machine, loopback", workload="demo",
    seed=7, shortened=True, factors={"search": {"factor": 1.4617604617604618, "planned_per_s": 2.877840909090909, "usage_per_s": 1.96875}},
    calibration={"state": "none", "why": "`harness calibrate` has not been run here"},
    catalog_sha256="93ab…", plan_sha256="5f1c…",
)  # fmt: skip
