"""A real simulator, and citizens who walk it over the real client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.catalog import Portal, Target, embedded_target, load_catalog, origin_of
from harness.client import LeanSession, Resolver, loopback_only
from harness.operations.embedded import EmbeddedPortals
from harness.profiles import CompiledPlatform, compile_platform
from harness.records import VISIT_ROW, Sample
from harness.visits import Seen, StepFailed, Visit
from tests.html_site import in_a_thread

from .sloppy_site import Site

SCENARIOS = Path(__file__).parents[2] / "scenarios"
CATALOG = load_catalog(SCENARIOS)
QUICK = {"distribution": "constant", "median_ms": 0, "servers": 0, "page_bytes": 8_000}
FILING = ("find", "file", "pay", "track")


@dataclass
class Walked:
    """What one visit left behind."""

    visit: Visit
    rows: list[Sample] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)
    failure: StepFailed | None = None

    @property
    def requests(self) -> list[Sample]:
        return [row for row in self.rows if row.request != VISIT_ROW]

    def step(self, name: str) -> list[Sample]:
        return [row for row in self.requests if row.step == name]


class Walker:
    """Walks goals at a target, one visit after another."""

    def __init__(self) -> None:
        self.number = -1
        self.resolver = Resolver()

    def visit(self, compiled: CompiledPlatform, target: Target, goals: tuple[str, ...], walked: list[Walked], **more: Any) -> Visit:
        self.number += 1
        result = Walked.__new__(Walked)
        rows: list[Sample] = []
        seen: list[Seen] = []

        class Onlooker:
            def seen(self, request: Seen) -> None:
                seen.append(request)

        defaults: dict[str, Any] = {
            "journey": "test", "goals": goals, "visit": self.number, "seed": 7, "run": "r1",
            "session_factory": lambda: LeanSession(loopback_only, self.resolver), "record": rows.append, "intended_us": 1,
            "think": lambda _name: 0.0, "sleep": time.sleep, "observer": Onlooker(),
        }  # fmt: skip
        visit = Visit(compiled, target, **(defaults | more))
        result.__init__(visit, rows, seen)  # type: ignore[misc]
        walked.append(result)
        return visit

    def walk(
        self, compiled: CompiledPlatform, target: Target, goals: tuple[str, ...] = FILING, keyword: str = "khai sinh", **more: Any
    ) -> Walked:
        """One visit that pursues ``goals`` in order, each with what was given before."""
        walked: list[Walked] = []
        visit = self.visit(compiled, target, goals, walked, **more)
        given: dict[str, Any] = {"keyword": keyword, "dossier": visit.state.person.dossier_for(None)}
        try:
            for goal in goals:
                given.update(visit.perform(goal, **given))
        except StepFailed as failure:
            walked[0].failure = failure
        visit.finish()
        walked[0].given = given
        return walked[0]


@dataclass
class Simulated:
    """Embedded portals under test."""

    embedded: EmbeddedPortals
    portals: dict[str, Portal]

    def target(self, portal: str) -> Target:
        return embedded_target(self.portals[portal], self.embedded.origins(portal))

    def tell(self, path: str, **asked: Any) -> None:
        httpx.post(f"{self.embedded.control}{path}", json=asked).raise_for_status()

    def dossiers(self, portal: str) -> list[dict[str, Any]]:
        return httpx.get(f"{self.embedded.control}/dossiers", params={"portal": portal}).json()


@pytest.fixture(scope="session")
def simulate() -> Iterator[Callable[..., Simulated]]:
    """Starts a simulator with portals of the given families, each named after its family unless named otherwise."""
    running: list[EmbeddedPortals] = []

    def start(*families: str, **personality: Any) -> Simulated:
        portals = {
            family: Portal(
                id=family,
                name_vi="Tỉnh Thử Nghiệm",
                name_en="Test",
                level="sample",
                embedded_platform=family,
                personality=QUICK | personality,
            )
            for family in families
        }
        still = {"distribution": "constant", "median_ms": 0, "servers": 0}
        embedded = EmbeddedPortals.start(portals.values(), seed=7, identity=still, payment=still)
        running.append(embedded)
        return Simulated(embedded, portals)

    yield start
    for embedded in running:
        embedded.stop()


def walk(site: Site, walker: Walker, compiled: CompiledPlatform, **more: Any) -> Walked:
    """One visit of a citizen who searches at the sloppy site."""
    target = more.pop("target", None) or Target("site", "site", {"portal": site.origin}, {origin_of(site.origin): "portal"})
    return walker.walk(compiled, target, ("find",), "từ khóa", **more)


@pytest.fixture
def site() -> Iterator[Site]:
    with in_a_thread(Site()) as server:
        yield server


@pytest.fixture
def walker() -> Walker:
    return Walker()


def compiled(platform: str) -> CompiledPlatform:
    return compile_platform(CATALOG.platforms[platform])
