"""What a visit knows: who walks where, what the caller gave it, and what has happened so far. The other files act on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from harness.catalog import Target
from harness.client import LeanSession
from harness.pages.page import Page
from harness.profiles.executable import CompiledPlatform
from harness.profiles.functions import VisitContext
from harness.profiles.template import Scope
from harness.records import Outcome, Sample
from harness.records.server_timing import ServerTiming
from harness.visits.actor import Actor
from harness.visits.observer import Observer
from harness.visits.outgoing import OutgoingRequest
from harness.visits.patience import Patience
from harness.visits.person import Person
from harness.visits.receipts import Receipt


class StepFailed(Exception):  # noqa: N818  (a result of the visit, not an error of the program)
    """A step failed, and the visit ends there.

    ``rule`` is the rule that did not hold, worded alike for every answer; it is empty where there was no answer to judge.
    ``means`` is the profile's name for the failure (for example ``session_expired``), or empty.
    """

    def __init__(
        self, outcome: Outcome, goal: str, step: str, detail: str, *, page: Page | None = None, means: str = "", rule: str = ""
    ) -> None:
        super().__init__(f"{goal}/{step}: {outcome}: {detail}")
        self.outcome = outcome
        self.goal = goal
        self.step = step
        self.detail = detail
        self.page = page
        self.means = means
        self.rule = rule


@dataclass(slots=True)
class RequestPlace:
    """Which request of the visit is sent: its place in the rows."""

    goal: str
    step: str
    attempt: int  # number of the attempt at this step, from 1
    request: int = 0  # within the attempt
    hop: int = 0  # of its redirects
    intended_us: int = 0
    wait_us: int = 0  # deliberate wait before it, between polls
    path_template: str = ""  # of the request that is sent

    def next_request(self, wait_us: int = 0) -> None:
        """Move to the next request of the step."""
        self.request += 1
        self.hop = 0
        self.intended_us = 0
        self.wait_us = wait_us
        self.path_template = ""


class InFlight(NamedTuple):
    """A request whose answer has not come."""

    place: RequestPlace
    request: OutgoingRequest
    start_us: int


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What the caller does for a visit."""

    new_session: Callable[[], LeanSession]
    record: Callable[[Sample], None]
    think_s: Callable[[str], float]  # draws a think time by its name
    sleep: Callable[[float], None]
    on_time: Callable[[int], None] | None  # holds the first request back until the intended arrival
    observer: Observer | None
    acknowledge: Callable[[Receipt], None] | None
    stop_if_cut: Callable[[], None] | None = None  # raises once the run ends: no further request begins
    may_follow: Callable[[], bool] | None = None  # whether the authorised rate has room for a redirect
    server_timing: Callable[[ServerTiming], None] | None = None  # keeps what a server says of its own time, for the next row


@dataclass(slots=True)
class VisitState:
    """The state of one visit. Times are microseconds of the worker's monotonic clock."""

    platform: CompiledPlatform
    target: Target
    journey: str
    goals: tuple[str, ...]
    visit: int  # its number
    person: Person
    context: VisitContext
    scope: Scope  # the values that templates see
    callbacks: Callbacks
    with_assets: bool
    alone: bool  # no other citizen is at the portal
    actors: dict[str, Actor]  # by name; the last one acted last
    # times
    intended_us: int
    began_us: int
    last_end_us: int = 0  # of the last answer
    pending_think_us: int = 0  # think time since then
    parsing_ns: int = 0  # spent on making requests and judging answers
    # requests
    headers: dict[str, str] = field(default_factory=dict)  # of every request; filled at the first one
    in_flight: InFlight | None = None
    sweep: str = ""  # named in a header of every request; empty: it is not
    traceparent: str = ""  # in a header of every request to the portal's own hosts; empty: there is none
    patience: Patience | None = None  # without it, each request has its own time limits only
    kept_pages: dict[str, Page] = field(default_factory=dict)  # by the profile's name for them
    tokens_learned_us: dict[str, int] = field(default_factory=dict)  # by bearer
    # steps and goals
    place: RequestPlace | None = None  # of the step that is being taken; None between steps
    attempts: dict[tuple[str, str], int] = field(default_factory=dict)  # by goal and step
    passed_over: set[tuple[str, str]] = field(default_factory=set)  # steps whose condition did not hold
    reached: set[str] = field(default_factory=set)  # goals
    given_inside: dict[str, dict[str, Any]] = field(default_factory=dict)  # results of goals reached inside another goal
    failure: StepFailed | None = None
    # what the portal said
    receipts: list[Receipt] = field(default_factory=list)  # acknowledged
    tracked: list[Receipt] = field(default_factory=list)  # looked up afterwards: found or missing
