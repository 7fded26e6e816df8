"""Rows of a portal that a test makes up: every visit takes the same steps, and ``change`` makes requests slow, large or failing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pyarrow as pa

from harness.diagnosis import Diagnosis, EvidenceBeside, diagnose
from harness.evidence.facts import Reason, RunFacts, UnprovenJourney, Verdict, WindowFacts
from harness.records import COLUMNS, VISIT_ROW, Outcome
from harness.scoring import CriterionScore, CriterionState, Scorecard

PORTAL_HOST, LOGIN_HOST, PAYMENT_HOST = "http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"
STEPS = (
    ("find", "search", PORTAL_HOST, "portal"), ("find", "open_procedure", PORTAL_HOST, "portal"), ("file", "log_in", LOGIN_HOST, "identity"),
    ("file", "fill_in", PORTAL_HOST, "portal"), ("file", "attach", PORTAL_HOST, "portal"), ("file", "submit", PORTAL_HOST, "portal"),
    ("pay", "pay", PAYMENT_HOST, "payment"), ("pay", "confirm_payment", PORTAL_HOST, "portal"), ("track", "track", PORTAL_HOST, "portal"),
)  # fmt: skip
"""Goal, step, host and owner of each request of a visit."""
NIGHT = "2026-11-21"
THINK_S = 0.5


@dataclass
class Made:
    """One request before it becomes a row; seconds."""

    window: int
    level: float  # 0 for a lone citizen
    worker: str
    visit: int
    goal: str
    step: str
    host: str
    owner: str
    into_window: float  # from the window's begin to the arrival
    age: float  # since the visit began
    server: float
    idle: float = THINK_S  # think time before it
    connect: float = 0.0
    tls: float = 0.0
    dns: float = 0.0
    wait: float = 0.0
    transfer: float = 0.001
    bytes: int = 8_000
    status: int = 200
    outcome: str = Outcome.OK


Change = Callable[[Made], None]


@dataclass
class Portal:
    """A portal whose visits are made up, and what its diagnosis says."""

    change: Change = lambda made: None
    levels: Sequence[float] = (2.0,)  # one window each; repeated levels are windows of one stage
    visits: int = 40  # of each window
    window_s: float = 20.0
    alone: int = 3
    workers: int = 1
    turned_away: Callable[[float], float] = lambda level: 0.0  # share of the visits, by level
    base_s: float = 0.03
    lost_points: bool = False
    verdict: Verdict = Verdict.VALID
    beside: EvidenceBeside | None = None
    unproven: tuple[UnprovenJourney, ...] = ()
    reasons: tuple[Reason, ...] = ()
    seed: int = 1
    _rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rows(self) -> pa.Table:
        """The rows as evidence has them."""
        random, visit = Random(self.seed), 0
        self._rows.clear()
        for number, level in enumerate((0.0, *self.levels)):
            for _ in range(self.visits if number else self.alone):
                self._walk(random, number, level, visit)
                visit += 1
        arrays = {column.name: [row[column.name] for row in self._rows] for column in COLUMNS}
        kinds = {"category": pa.string(), "bool": pa.bool_(), "int64": pa.int64(), "int32": pa.int32(), "int16": pa.int16()}
        return pa.table({column.name: pa.array(arrays[column.name], kinds[column.kind]) for column in COLUMNS})

    def _walk(self, random: Random, number: int, level: float, visit: int) -> None:
        begin_s = 1000.0 + 100.0 * number
        into_s = random.uniform(0, self.window_s)
        key = {
            "sweep": "s", "round": min(number, 1), "run": "r", "window": number, "portal": "p", "stage": "typical" if number else "lone",
            "worker": f"w{visit % self.workers}", "journey": "pay", "visit": visit,
        }  # fmt: skip
        due_s, outcome = begin_s + into_s, "ok"
        at_s, started = due_s, True
        if number and random.random() < self.turned_away(level):
            started, outcome = False, Outcome.NOT_SERVED
        for goal, step, host, owner in STEPS if started else ():
            usual_s = self.base_s * (0.3 if owner != "portal" else 1.0) * random.lognormvariate(0, 0.3)
            made = Made(number, level, key["worker"], visit, goal, step, host, owner, into_s, at_s - due_s, usual_s, idle=random.uniform(0, 2 * THINK_S))  # fmt: skip
            self.change(made)
            intended_s = at_s + (made.idle if step != "search" else 0.0)
            at_s = self._add(key, made, intended_s)
            if made.outcome != Outcome.OK:
                outcome = made.outcome
                break
        us = {"intended_us": round(due_s * 1e6), "start_us": round(due_s * 1e6) if started else 0, "end_us": round(at_s * 1e6)}
        self._rows.append(_EMPTY | key | us | {"request": VISIT_ROW, "host_owner": "portal", "host": PORTAL_HOST, "outcome": outcome})

    def _add(self, key: dict[str, Any], made: Made, intended_s: float) -> float:
        start_s = intended_s + made.wait
        first_s = start_s + made.dns + made.connect + made.tls + made.server
        answered = made.status != 0
        end_s = first_s + (made.transfer if answered else 0.0)
        at = {"intended_us": intended_s, "start_us": start_s, "first_byte_us": first_s if answered else 0.0, "end_us": end_s}
        parts = {"dns_us": made.dns, "connect_us": made.connect, "tls_us": made.tls}
        self._rows.append(
            _EMPTY | key | {name: round(1e6 * seconds) for name, seconds in (at | parts).items()}
            | {"goal": made.goal, "step": made.step, "host": made.host, "host_owner": made.owner, "bytes": made.bytes, "status": made.status,
               "outcome": made.outcome, "method": "GET", "path_template": f"/{made.step}"}
        )  # fmt: skip
        return end_s

    @property
    def facts(self) -> RunFacts:
        """The run as it was judged."""
        windows = [WindowFacts("r", 0, 0, NIGHT, "lone", 0.0, f"{NIGHT}T13:00:00+00:00", 1.0, Verdict.VALID)] + [
            WindowFacts("r", number, 1, NIGHT, "typical", level, f"{NIGHT}T14:00:00+00:00", self.window_s, Verdict.VALID)
            for number, level in enumerate(self.levels, 1)
        ]
        return RunFacts("s", "r", "p", self.verdict, self.reasons, tuple(windows), 20.0, unproven=self.unproven)

    @property
    def card(self) -> Scorecard:
        """A card with one time, whole or without half of its points."""
        score = CriterionScore(
            id="average", name_vi="Trung bình", name_en="Average", state=CriterionState.ASSESSED, points=1.0 if self.lost_points else 2.0,
            points_max=2.0, interval=None, metric="mean", value=0.5, unit="s", windows=1, n=40, basis="assumed",
        )  # fmt: skip
        return Scorecard(
            portal="p", name_vi="Cổng", name_en="Portal", verdict=self.verdict, reasons=(), points=None, interval=None, points_max=2.0,
            points_assessed_max=2.0, nights=(NIGHT,), criteria=(score,), evidence=(),
        )  # fmt: skip

    def diagnosed(self) -> Diagnosis:
        """What the diagnosis says of it."""
        return diagnose(self.rows, self.facts, self.card, self.beside)

    @property
    def codes(self) -> list[str]:
        """The codes of the findings, without what the evidence cannot tell."""
        return [each.code for each in self.diagnosed().findings if each.sureness != "cannot_tell"]


_EMPTY: dict[str, Any] = {
    column.name: "" if column.kind == "category" else False if column.kind == "bool" else 0 for column in COLUMNS
} | {"attempt": 1}  # fmt: skip
