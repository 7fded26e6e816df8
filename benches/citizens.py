"""The citizens that are compared, as Locust Users doing the same work: ``python -m benches.citizens KIND MODE URL COUNT CA``.

Kinds: ``lean`` (this harness: checks, sample row, Locust's request event), ``fast`` (FastHttpUser as it comes), ``shared``
(FastHttpUser with one verified TLS context and one pool of connections for all), ``http`` (HttpUser). Modes: ``keep-alive`` (one connection each, as
fast as it goes), ``visits`` (a new connection for every 8 requests), ``wait`` (do nothing), ``connected`` (one request, then
nothing, the connection open). Runs until it is terminated; prints ``ready`` once all citizens wait.
"""

from __future__ import annotations

import ssl
import sys
from typing import Any
from urllib.parse import urlsplit

import gevent
import msgpack
from geventhttpclient.client import HTTPClientPool
from locust import FastHttpUser, HttpUser, User, task
from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment

from harness.client import Exchange, LeanSession, Resolver, loopback_only
from harness.records import Outcome, Sample

KIND, MODE, URL, COUNT, AUTHORITY = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]
PATH = urlsplit(URL).path
REQUESTS_PER_VISIT = 8
ROWS_PER_BATCH = 2000
REQUIRED_TEXT = b'"items"'
CONTEXT = ssl.create_default_context(cafile=AUTHORITY)
RESOLVER = Resolver()


class Lean(User):
    """The client of this harness, with all that a measured request costs."""

    rows: list[Sample] = []  # noqa: RUF012  (one batch for the process, as a worker has)
    batches: list[bytes] = []  # noqa: RUF012

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.session = self.new_session()
        self.fire: Any = environment.events.request.fire

    def new_session(self) -> LeanSession:
        """A fresh browser."""
        return LeanSession(loopback_only, RESOLVER, tls=CONTEXT)

    def ask(self, number: int) -> None:
        """One request, judged, kept and told to Locust."""
        exchange = self.session.request("GET", URL)
        ok = exchange.outcome is Outcome.OK and exchange.status == 200 and REQUIRED_TEXT in exchange.body
        self.keep_row(exchange, number, exchange.outcome if ok else Outcome.WRONG_CONTENT)
        self.fire(
            request_type="GET", name="list", response_time=(exchange.end_us - exchange.start_us) / 1000,
            response_length=len(exchange.body), exception=None if ok else ValueError(exchange.error), context={},
        )  # fmt: skip

    def keep_row(self, exchange: Exchange, number: int, outcome: Outcome) -> None:
        """The request as a row of the evidence, packed for the master with the others of its batch."""
        rows = self.rows
        rows.append(
            Sample(
                "search", number, "find", "search", 0, 0, 1, exchange.host, "portal", exchange.method, exchange.start_us, exchange.start_us,
                exchange.first_byte_us, exchange.end_us, exchange.dns_us, exchange.connect_us, exchange.tls_us, exchange.reused, 0,
                exchange.wire_bytes, exchange.status, outcome,
            )
        )  # fmt: skip
        if len(rows) >= ROWS_PER_BATCH:
            self.batches[:] = [msgpack.packb(rows)]
            rows.clear()

    def visit(self) -> None:
        """Several requests on a connection of their own."""
        self.session.close()
        self.session = self.new_session()
        for number in range(REQUESTS_PER_VISIT):
            self.ask(number)


class Fast(FastHttpUser):
    """Locust's fast client as it comes: no certificate checked, a TLS context for each connection."""

    host = URL.removesuffix(PATH)

    def ask(self, number: int) -> None:
        """One request."""
        self.client.get(PATH)

    def visit(self) -> None:
        """Several requests on a connection of their own, by a session of their own."""
        self.client = FastHttpSession(base_url=self.host, request_event=self.environment.events.request, user=self)
        for number in range(REQUESTS_PER_VISIT):
            self.ask(number)
        self.client.client.close()


class Shared(Fast):
    """The same with certificates checked and one context for everybody: one pool of connections, made once."""

    insecure = False
    client_pool = HTTPClientPool(concurrency=max(COUNT, 1), insecure=False, ssl_context_factory=lambda: CONTEXT)

    def visit(self) -> None:
        """Several requests, after which a connection is closed: a new one for as many requests, on average."""
        for number in range(REQUESTS_PER_VISIT):
            self.client.get(PATH, headers={"Connection": "close"} if number == REQUESTS_PER_VISIT - 1 else None)


class Http(HttpUser):
    """Locust's client on requests."""

    host = URL.removesuffix(PATH)

    def ask(self, number: int) -> None:
        """One request."""
        self.client.get(PATH, verify=AUTHORITY)


waiting = 0


@task
def keep_alive(user: Lean) -> None:
    """Ask again and again on one connection."""
    user.ask(0)


@task
def visits(user: Lean) -> None:
    """Visit again and again."""
    user.visit()


@task
def wait(user: Lean) -> None:
    """Wait, after a request or without."""
    global waiting  # noqa: PLW0603  (how many citizens have come this far)
    if MODE == "connected":
        user.ask(0)
    waiting += 1
    gevent.sleep(3600)


def main() -> None:
    """Start the citizens and run until terminated."""
    kind = {"lean": Lean, "fast": Fast, "shared": Shared, "http": Http}[KIND]
    kind.tasks = [{"keep-alive": keep_alive, "visits": visits}.get(MODE, wait)]
    environment = Environment(user_classes=[kind])
    runner = environment.create_local_runner()
    if COUNT:
        runner.start(COUNT, spawn_rate=1000)
    while MODE in {"wait", "connected"} and waiting < COUNT:
        gevent.sleep(0.1)
    print("ready", flush=True)
    gevent.sleep(3600)


if __name__ == "__main__":
    main()
