"""A whole journey with its pages parsed: the harness beside FastHttpUser by hand, on the simulator: ``python -m benches.journey``.

Find, file and track on the Liferay family, 24 kB pages, a new connection for each visit. By hand means the requests,
extractions (selectolax) and checks of ``benches.engine.ByHand``, on Locust's fast client with its statistics, and on the lean
client. What is compared is this process's CPU time a request; the server is a process of its own.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any, cast

from locust import FastHttpUser
from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment

from benches.engine import ByHand
from harness.catalog import Portal, embedded_target, load_catalog
from harness.client import Exchange, LeanSession, Resolver, loopback_only
from harness.operations.embedded import EmbeddedPortals
from harness.operations.shipped import scenarios_folder
from harness.profiles import compile_platform, load_functions
from harness.records import Sample
from harness.visits import Visit

ROUNDS, VISITS = 7, 10
AGENT = {"User-Agent": "by-hand", "Accept": "text/html", "Accept-Language": "vi"}


class Citizen(FastHttpUser):
    """Needed because Locust's sessions report to a user."""

    host = "http://127.0.0.1"


class ByHandOnFastHttp(ByHand):
    """The same visit on FastHttpUser's session, with Locust's own statistics."""

    def __init__(self, origins: dict[str, str], resolver: Resolver, number: int, user: Citizen) -> None:
        super().__init__(origins, resolver, number)
        self.user = user
        self.requests = 0
        self.fast = self.new_session()

    def new_session(self) -> FastHttpSession:
        """A fresh browser."""
        return FastHttpSession(base_url=None, request_event=self.user.environment.events.request, user=self.user)

    def send(self, goal: str, step: str, index: int, method: str, url: str, body: bytes = b"", kind: str = "") -> Exchange:
        """A request with its redirects."""
        if goal == "track":  # a fresh citizen asks
            self.fast.client.close()
            self.fast = self.new_session()
        headers = AGENT | ({"Referer": self.referer} if self.referer else {}) | ({"Content-Type": kind} if kind else {})
        while True:  # by hand, because FastHttpUser's response does not hold the redirects
            answer: Any = self.fast.request(
                method, url, name=step, headers=headers, data=cast("str | None", body or None), allow_redirects=False
            )
            self.requests += 1
            if answer.status_code not in {301, 302, 303}:
                break
            location: str = answer.headers["location"]
            url = location if location.startswith("http") else url[: url.index("/", 8)] + location
            method, body = "GET", b""
        content: bytes = answer.content
        assert answer.status_code == 200, answer.error
        assert "Hết phiên làm việc".encode() not in content
        assert "Yêu cầu không hợp lệ: mã p_auth".encode() not in content
        self.referer = url
        return Exchange(method, url, "", status=answer.status_code, body=content)

    def walk(self) -> int:
        """The whole visit; answers its requests."""
        super().walk()
        self.fast.client.close()
        return self.requests


def main() -> None:
    """Interleaved rounds of the three; medians, ranges and ratios."""
    catalog = load_catalog(scenarios_folder())
    compiled = compile_platform(catalog.platforms["liferay"], load_functions(*catalog.folders))
    still = {"distribution": "constant", "median_ms": 0, "servers": 0}
    portal = Portal(
        id="bench",
        name_vi="Cổng đo",
        name_en="Bench",
        level="sample",
        embedded_platform="liferay",
        personality=still | {"page_bytes": 24_000},
    )
    embedded = EmbeddedPortals.start([portal], seed=1, identity=still, payment=still)
    try:
        origins, resolver = embedded.origins("bench"), Resolver()
        target = embedded_target(portal, origins)
        environment = Environment(user_classes=[Citizen])
        environment.create_local_runner()
        user = Citizen(environment)

        def harness(number: int) -> int:
            rows: list[Sample] = []
            visit = Visit(
                compiled, target, journey="submit", goals=("find", "file", "track"), visit=number, seed=1, run="journey",
                session_factory=lambda: LeanSession(loopback_only, resolver), record=rows.append, intended_us=time.monotonic_ns() // 1000,
                think=lambda _name: 0.0, sleep=lambda _seconds: None,
            )  # fmt: skip
            found = visit.perform("find", keyword="khai sinh")
            filed = visit.perform("file", procedure=found, dossier=visit.state.person.dossier_for(found))
            visit.perform("track", **filed)
            visit.finish()
            return len(rows) - 1

        subjects: dict[str, Callable[[int], int]] = {
            "FastHttpUser by hand": lambda number: ByHandOnFastHttp(origins, resolver, number, user).walk(),
            "lean client by hand": lambda number: ByHand(origins, resolver, number).walk(),
            "harness, from the profile": harness,
        }
        print(report(subjects))
    finally:
        embedded.stop()


def report(subjects: dict[str, Callable[[int], int]]) -> str:
    """What each costs a request, as a table."""
    costs: dict[str, list[float]] = {name: [] for name in subjects}
    for walk in subjects.values():
        walk(1)
    for each in range(ROUNDS):
        for name, walk in subjects.items():
            gc.collect()
            began_s, requests = time.process_time(), 0
            for number in range(VISITS):
                requests += walk(1000 * (each + 1) + number)
            costs[name].append((time.process_time() - began_s) / requests * 1e6)
    base = costs["FastHttpUser by hand"]
    lines = [
        f"\njourney: {ROUNDS} rounds of {VISITS} visits, median (range)\n",
        "| subject | CPU µs a request | share of the first |",
        "|---|---|---|",
    ]
    for name, values in costs.items():
        shares = [value / by_hand for value, by_hand in zip(values, base, strict=True)]
        lines.append(
            f"| {name} | {statistics.median(values):.0f} ({min(values):.0f}–{max(values):.0f}) "
            f"| {statistics.median(shares):.2f} ({min(shares):.2f}–{max(shares):.2f}) |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
