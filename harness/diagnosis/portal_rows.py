"""The rows of one portal as arrays: requests with the parts of their time, attempts at steps, and visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.diagnosis.finding import FindingSubject, Phase
from harness.evidence.facts import RunFacts, Verdict, WindowFacts
from harness.records import LONE, PORTAL, SCORED_STAGES, VISIT_ROW, Outcome
from harness.scoring.rows import Coded, Flags, Integers, coded

Seconds = npt.NDArray[np.float64]

PHASES: tuple[Phase, ...] = ("connection_wait", "dns", "connect", "tls", "server", "transfer")
"""The columns of ``Requests.phases``."""
NAMES = ("worker", "goal", "step", "host", "host_owner", "outcome", "journey", "stage")
NUMBERS = (
    "window", "visit", "request", "hop", "attempt", "intended_us", "start_us", "first_byte_us", "end_us", "dns_us", "connect_us", "tls_us",
    "polling_wait_us", "bytes", "status",
)  # fmt: skip
DIAGNOSED_COLUMNS = (*NAMES, *NUMBERS)
"""The columns that a diagnosis reads; ``path_template`` is read where it is there."""
TEXT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Place:
    """One request of a step at one host; findings call it a page."""

    goal: str
    step: str
    request: int
    hop: int
    host: str
    owner: str
    path_template: str

    @property
    def subject(self) -> FindingSubject:
        """The place as a finding names it."""
        host, path = self.host[:TEXT_LENGTH], self.path_template[:TEXT_LENGTH]
        return FindingSubject(goal=self.goal, step=self.step[:TEXT_LENGTH], path_template=path, host=host, host_owner=self.owner)


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests that began. Seconds are of the worker's clock; ``place`` is a number in ``DiagnosedRows.places``."""

    place: Integers
    window: Integers
    worker: Integers
    visit: Integers
    attempt: Integers  # at a step: the same number for all of its requests
    begin: Seconds
    end: Seconds
    phases: Seconds  # (n, 6), in the order of PHASES
    bytes: Integers
    status: Integers
    outcome: Integers  # a number in ``DiagnosedRows.outcomes``
    ok: Flags
    away: Flags  # a failure that the generator caused, or nobody: dropped, aborted, skipped
    unserved: Flags  # turned down: 429 or 503 under load
    own: Flags  # at a host of the portal

    def __getitem__(self, chosen: Flags | Integers) -> Requests:
        return Requests(*(getattr(self, name)[chosen] for name in self.__slots__))

    def __len__(self) -> int:
        return len(self.place)

    @property
    def server(self) -> Seconds:
        """From the request sent to the first byte of its answer."""
        return self.phases[:, PHASES.index("server")]

    @property
    def total(self) -> Seconds:
        """From sending a request to its last byte. The wait before is not the portal's: see ``connection_wait`` in ``Phase``."""
        return np.asarray(self.phases[:, 1:].sum(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class EndedVisits:
    """How visits ended: one entry a visit; ``outcome`` and ``journey`` are names as numbers."""

    window: Integers
    worker: Integers
    visit: Integers
    due: Seconds
    begun: Flags  # not turned away
    outcome: Coded
    journey: Coded

    def __getitem__(self, chosen: Flags) -> EndedVisits:
        return EndedVisits(*(getattr(self, name)[chosen] for name in self.__slots__))

    def __len__(self) -> int:
        return len(self.visit)

    def ended(self, *outcomes: Outcome) -> Flags:
        """Which of them ended so."""
        return np.isin(self.outcome.codes, [self.outcome.code(each) for each in outcomes])


@dataclass(frozen=True, slots=True)
class DiagnosedRows:
    """What the rules look at. ``loaded``: valid windows of the scored stages; ``alone``: lone walks; ``under_way``: all loaded rows."""

    facts: RunFacts
    places: tuple[Place, ...]
    workers: tuple[str, ...]
    outcomes: tuple[str, ...]
    loaded: Requests
    alone: Requests
    under_way: Requests
    visits: EndedVisits  # of ``loaded``

    @property
    def windows(self) -> Mapping[int, WindowFacts]:
        """The windows of ``loaded``, by number."""
        return {each.window: each for each in counted_windows(self.facts)}

    @property
    def waiting_s(self) -> float:
        """The time that visits waited for answers of all hosts; never 0, so that shares of it can be taken."""
        return max(float(self.loaded.total.sum()), 1e-6)


def counted_windows(facts: RunFacts) -> tuple[WindowFacts, ...]:
    """The valid windows of the scored stages."""
    return tuple(each for each in facts.windows if each.verdict is Verdict.VALID and each.stage in SCORED_STAGES and each.duration_s > 0)


def observe(rows: Any, facts: RunFacts) -> DiagnosedRows:
    """The rows of one portal's run (a pyarrow Table with DIAGNOSED_COLUMNS) as arrays."""
    names = {name: coded(rows.column(name)) for name in NAMES}
    numbers = {name: rows.column(name).to_numpy() for name in NUMBERS}
    lone = names["stage"].codes == names["stage"].code(LONE)
    counts = np.isin(numbers["window"], [each.window for each in counted_windows(facts)]) & ~lone
    places, place = _places(rows, names, numbers)
    is_visit = numbers["request"] == VISIT_ROW
    begun = ~is_visit & (numbers["start_us"] > 0)
    requests = _requests(names, numbers, place)
    ended = is_visit & counts
    visits = EndedVisits(
        numbers["window"],
        names["worker"].codes,
        numbers["visit"],
        numbers["intended_us"] / 1e6,
        numbers["start_us"] > 0,
        names["outcome"],
        names["journey"],
    )
    return DiagnosedRows(
        facts, places, names["worker"].names, names["outcome"].names,
        requests[begun & counts], requests[begun & lone], requests[begun & ~lone], visits[ended],
    )  # fmt: skip


def _requests(names: Mapping[str, Coded], numbers: Mapping[str, Integers], place: Integers) -> Requests:
    start, first, end = (numbers[name] for name in ("start_us", "first_byte_us", "end_us"))
    opening = [numbers[name] for name in ("dns_us", "connect_us", "tls_us")]
    answered = np.where(first > 0, first, end)
    server = answered - start - sum(opening)
    wait = start - numbers["intended_us"] - numbers["polling_wait_us"]
    phases = np.stack([wait, *opening, server, end - answered], axis=1).clip(min=0) / 1e6
    outcome, owner = names["outcome"], names["host_owner"]
    away = [outcome.code(each) for each in (Outcome.DROPPED, Outcome.ABORTED, Outcome.SKIPPED)]
    return Requests(
        place, numbers["window"], names["worker"].codes, numbers["visit"], _attempts(names, numbers), start / 1e6, end / 1e6, phases,
        numbers["bytes"], numbers["status"], outcome.codes, outcome.codes == outcome.code(Outcome.OK), np.isin(outcome.codes, away),
        outcome.codes == outcome.code(Outcome.NOT_SERVED),
        owner.codes == owner.code(PORTAL),
    )  # fmt: skip


def _attempts(names: Mapping[str, Coded], numbers: Mapping[str, Integers]) -> Integers:
    return numbered([names["journey"].codes, numbers["visit"], names["goal"].codes, names["step"].codes, numbers["attempt"]])[1]


def _places(rows: Any, names: Mapping[str, Coded], numbers: Mapping[str, Integers]) -> tuple[tuple[Place, ...], Integers]:
    keys = [names["goal"].codes, names["step"].codes, numbers["request"], numbers["hop"], names["host"].codes]
    first, place = numbered(keys)
    paths = rows.column("path_template").take(first).to_pylist() if "path_template" in rows.column_names else [""] * len(first)

    def name(column: str, row: int) -> str:
        return str(names[column].names[names[column].codes[row]])

    places = tuple(
        Place(
            name("goal", row), name("step", row), int(numbers["request"][row]), int(numbers["hop"][row]), name("host", row),
            name("host_owner", row), path or "",
        )
        for row, path in zip(first.tolist(), paths, strict=True)
    )  # fmt: skip
    return places, place


def numbered(keys: Sequence[Integers]) -> tuple[Integers, Integers]:
    """Rows that agree in all keys get one number. Returns the first row of each number, and the number of each row."""
    combined = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        _, dense = np.unique(key, return_inverse=True)
        _, combined = np.unique(combined * (int(dense.max(initial=0)) + 1) + dense, return_inverse=True)
    _, first, number = np.unique(combined, return_index=True, return_inverse=True)
    return first, number


@dataclass(frozen=True, slots=True)
class Typical:
    """By place: the median time at the server in seconds (NaN where a place has fewer than ``least`` requests), and their number."""

    median: Seconds
    count: Integers

    def __and__(self, other: Typical) -> Flags:
        """The places that both know."""
        return ~np.isnan(self.median) & ~np.isnan(other.median)


def typical(requests: Requests, places: int, least: int = 1) -> Typical:
    """The median time at the server of each place, over the answers that were accepted."""
    answered = requests[requests.ok]
    return Typical(medians(answered.place, answered.server, places, least), np.bincount(answered.place, minlength=places))


def medians(group: Integers, values: Seconds, groups: int, least: int = 1) -> Seconds:
    """The median of each group, NaN where it has fewer than ``least`` values."""
    found = np.full(groups, np.nan)
    order = np.lexsort((values, group))
    ordered, inside = values[order], group[order]
    begin = np.searchsorted(inside, np.arange(groups), side="left")
    end = np.searchsorted(inside, np.arange(groups), side="right")
    there = end - begin >= max(least, 1)
    low, high = (begin + end - 1)[there] // 2, (begin + end)[there] // 2
    found[there] = (ordered[low] + ordered[high]) / 2
    return found


def at_own_hosts(observed: DiagnosedRows) -> Flags:
    """By place: whether its host is the portal's own."""
    return np.array([each.owner == PORTAL for each in observed.places], dtype=np.bool_)
