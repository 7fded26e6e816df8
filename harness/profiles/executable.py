"""A compiled platform. At run time nothing of it is parsed, compiled or looked up in the catalog."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from harness.client import PhaseTimeouts
from harness.errors import Problem
from harness.pages.page import Page
from harness.pages.text import SoughtText
from harness.profiles.bodies import BodyBuilder, PageForm
from harness.profiles.expectation import Expectation
from harness.profiles.extraction import Extractor
from harness.profiles.pools import CompiledPool
from harness.profiles.template import Compiled, Value

BODY_HEADERS = {"content-type": "Content-Type", "origin": "Origin"}
"""Headers that go with a body, by their name in lower case."""


class CompiledRepeat(NamedTuple):
    """A number of times, or once for each item of a list."""

    times: int
    over: Value | None
    item: str


class CompiledPoll(NamedTuple):
    """How often and how long a request is repeated until its answer meets an expectation."""

    until: Expectation
    every_us: int
    limit_us: int


class CompiledReceipt(NamedTuple):
    """The code of what the portal acknowledged, and the values that go to the ledger with it."""

    code: Value
    kind: str
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledRequest:
    """One request."""

    key: str  # its place in the profile; it also keys its random draws
    method: str
    path_template: str  # the address as the profile writes it
    url: Value
    query: Compiled  # a mapping
    headers: Compiled  # a mapping
    bearer: str | None
    form: PageForm | None
    body: BodyBuilder | None
    let: Sequence[tuple[str, Value]]
    only_if: Value | None
    skip_if: Value | None
    follow_http: bool
    follow_page: frozenset[str]  # meta, script
    hops_max: int
    expect: Expectation
    extract: Sequence[Extractor]
    receipt: CompiledReceipt | None
    confirms: Value | None
    poll: CompiledPoll | None
    repeat: CompiledRepeat | None
    keep_page: str | None
    assets: bool
    timeouts: PhaseTimeouts | None


@dataclass(frozen=True, slots=True)
class CompiledStep:
    """One named action: the scored unit."""

    step: str
    goal: str
    actor: str
    think: str | None
    once: bool
    fresh: bool
    only_if: Value | None
    skip_if: Value | None
    repeat: CompiledRepeat | None
    requests: tuple[CompiledRequest, ...]
    planned: bool  # counts as missed when a visit ends before it


@dataclass(frozen=True, slots=True)
class CompiledGoal:
    """A goal's steps in order, what it gives, and which other goals are reached within it, with their outputs."""

    name: str
    steps: tuple[CompiledStep, ...]
    gives: tuple[tuple[str, Value], ...]
    inside: Mapping[str, tuple[str, ...]]


class CompiledBlock(NamedTuple):
    """A rule that recognises a wall; every condition that it has must hold."""

    name: str
    statuses: frozenset[int]
    headers: tuple[tuple[str, re.Pattern[str]], ...]
    empty: bool
    title: re.Pattern[str] | None
    texts: tuple[SoughtText, ...]
    body: re.Pattern[str] | None
    selector: str | None
    without: str | None
    words_max: int | None
    url: re.Pattern[str] | None
    alone: bool

    def matches(self, page: Page, *, alone: bool) -> bool:
        """Whether an answer is this wall. ``alone``: the citizen was alone at the portal."""
        return (
            (alone or not self.alone)
            and (not self.statuses or page.status in self.statuses)
            and (not self.empty or not page.body.strip())
            and all(any(map(pattern.search, page.exchange.headers.get_all(name))) for name, pattern in self.headers)
            and (self.url is None or self.url.search(page.url) is not None)
            and (self.title is None or self.title.search(page.title) is not None)
            and all(map(page.holds, self.texts))
            and (self.body is None or self.body.search(page.text) is not None)
            and (self.selector is None or page.first(self.selector) is not None)
            and (self.without is None or page.first(self.without) is None)
            and (self.words_max is None or page.words <= self.words_max)
        )


@dataclass(frozen=True, slots=True)
class CompiledBearer:
    """A token that goes with requests, and how it is renewed."""

    token: Value
    header: str
    scheme: str
    expires_in_s: Value | None
    margin_us: int
    names: frozenset[str]  # that its template uses: a new value of one is a new token
    refused: frozenset[int]
    renew: tuple[CompiledRequest, ...]


class NeededFromUs(NamedTuple):
    """What the templates of a platform take from the authorisation and the person of a visit."""

    secrets: frozenset[str] = frozenset()
    of_person: Mapping[str, tuple[str, int]] = MappingProxyType({})  # `person.name`: name, and the file and line where it stands first


@dataclass(frozen=True, slots=True)
class CompiledPlatform:
    """A platform's goals, and what their steps share."""

    id: str
    origins: tuple[str, ...]
    goals: Mapping[str, CompiledGoal]
    absent: Mapping[str, str]
    headers: Compiled  # a mapping
    blocked: tuple[CompiledBlock, ...]
    bearers: Mapping[str, CompiledBearer]
    pools: Mapping[str, CompiledPool] = field(default_factory=dict)
    needs: NeededFromUs = field(default_factory=NeededFromUs)

    def lacks(self, goal: str) -> bool:
        """Whether the platform does not have a goal at all."""
        return goal in self.absent

    def blocked_by(self, page: Page, *, alone: bool) -> str | None:
        """The name of the first rule that recognises an answer as a wall, or None."""
        return next((rule.name for rule in self.blocked if rule.matches(page, alone=alone)), None)

    def check_pools(self, visits: int) -> list[Problem]:
        """A problem for each distinct pool that has fewer rows than a run has visits."""
        return [
            Problem(
                pool.file, f"pools.{name} of {self.id}", f"{len(pool.rows)} different rows", f"at least {visits}, one for each visit of the run",
                "Add rows, take a smaller workload, or say `distinct: false` if visits may share a row.",
            )
            for name, pool in self.pools.items()
            if pool.distinct and len(pool.rows) < visits
        ]  # fmt: skip

    def planned(self, goals: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """The (goal, step) pairs that a visit with these goals is expected to take, in order."""
        found: list[tuple[str, str]] = []
        once: set[str] = set()
        for goal in goals:
            compiled = self.goals.get(goal)
            for step in compiled.steps if compiled else ():
                if not step.planned or (step.once and step.step in once):
                    continue
                once.add(step.step)
                found.append((step.goal, step.step))
        return tuple(found)
