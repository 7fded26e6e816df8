"""One citizen's HTTP session: one request, one exchange; connections kept and reopened; cookies; the host policy."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic_ns

from harness.client.answer import SizeLimits, receive_answer
from harness.client.connection import KEPT_BYTES, Connection
from harness.client.cookies import CookieJar
from harness.client.decoding import decoded
from harness.client.exchange import Exchange, ExchangeError, HostPolicy, Peer, PhaseTimeouts, Witness
from harness.client.head import Head
from harness.client.hosts import allowed_addresses
from harness.client.request import DEFAULT_USER_AGENT, IDEMPOTENT, written
from harness.client.resolver import Resolver
from harness.client.second_reading import SecondHead, read_again
from harness.client.server_metrics import server_timing
from harness.client.tls import verified_context
from harness.origins import Origin, locate
from harness.records import Outcome

RACE_S = 1.0
"""For how long after a request the end of a reused connection counts as a keep-alive race.

The server closes an idle connection while the request is on its way; the client sees it within one round trip. A later end
is outcome ``reset``. Assumed: no round trip to a portal takes longer.
"""

IDLE_MARGIN_US = 1_000_000
"""How long before the server's announced idle limit (``Keep-Alive: timeout=5``) a connection is no longer used.

A POST cannot be sent again after such a race. Assumed, for the same reason as RACE_S.
"""

_SET_COOKIES = 1_000
"""Of one answer, the last ones: a jar keeps 180 cookies, and thousands of fields would hold up the other citizens."""

_DEFAULT_TIMEOUTS = PhaseTimeouts()
_DEFAULT_SIZES = SizeLimits()


class LeanSession:
    """Connections and cookies of one citizen, on gevent. Not shared between citizens.

    Redirects are never followed. One connection to an origin is kept and used again; only requests that one citizen
    sends at the same time (a page's assets) open more. ``tls`` is the shared verified context unless another is given.
    Connections come from ``source_address``, an IP address of this machine, or from the one that the kernel picks.
    ``witness``, where somebody sets one, is told of every request that was sent or could not be.
    Works in processes that Locust has patched and in ones that nobody has.
    """

    __slots__ = ("_budget", "_idle", "_jar", "_policy", "_resolver", "_sizes", "_source", "_tls", "_user_agent", "witness")

    def __init__(
        self,
        policy: HostPolicy,
        resolver: Resolver,
        *,
        timeouts: PhaseTimeouts = _DEFAULT_TIMEOUTS,
        tls: ssl.SSLContext | None = None,
        user_agent: str = DEFAULT_USER_AGENT,
        sizes: SizeLimits = _DEFAULT_SIZES,
        source_address: str = "",
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._budget = _budget(timeouts)
        self._tls = tls
        self._user_agent = user_agent
        self._sizes = sizes
        self._source = source_address
        self._idle: dict[str, Connection] = {}  # by the text of the origin
        self._jar: CookieJar | None = None
        self.witness: Witness | None = None

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeouts: PhaseTimeouts | None = None,
    ) -> Exchange:
        """Send one request and read its answer.

        Raises UsageError for a method or header that cannot be sent; what the network or the server does is an outcome.
        The outcome of a URL that is not plain http or https is left_allowed_hosts, because a page may link to anything.
        """
        origin, path = locate(url)
        if origin is None:
            now_us = monotonic_ns() // 1000
            return Exchange(
                method, url, url[:80], Outcome.LEFT_ALLOWED_HOSTS, "not a plain http or https URL", start_us=now_us, end_us=now_us
            )
        cookie = self._jar.header(origin, path) if self._jar is not None else ""
        request = written(method, origin, path, user_agent=self._user_agent, cookie=cookie, headers=headers, body=body)
        exchange = Exchange(method, url, origin.text)
        encoded = b""
        try:
            head = self._carry(request, origin, exchange, self._budget if timeouts is None else _budget(timeouts))
            if head.sets_cookies:
                self._keep_cookies(exchange, origin, path)
            if head.tells_timing:
                exchange.server_timing = server_timing(exchange.headers)
            if head.encodings:
                encoded, exchange.body = exchange.body, b""
                exchange.body = decoded(encoded, head.encodings, self._sizes.body)
        except ExchangeError as error:
            if error.outcome is Outcome.PROTOCOL and not exchange.received:
                exchange.received = encoded[:KEPT_BYTES]
            exchange.outcome = error.outcome
            exchange.error = error.error
            if not exchange.end_us:
                exchange.end_us = monotonic_ns() // 1000
        if self.witness is not None:
            self.witness(request, exchange)
        return exchange

    def cookies_for(self, url: str) -> dict[str, str]:
        """The cookies that would be sent to ``url``."""
        origin, path = locate(url)
        return self._jar.pairs(origin, path) if origin is not None and self._jar is not None else {}

    def clear_cookies(self) -> None:
        """Forget all cookies, as a fresh browser."""
        self._jar = None

    def close(self) -> None:
        """Close every idle connection; the session can be used again, and then opens new ones."""
        while self._idle:
            connection: Connection | None = self._idle.popitem()[1]
            while connection is not None:
                connection.close()
                connection = connection.below

    def __del__(self) -> None:
        # the event loop refers to open connections, so that a session that is not closed would keep its sockets
        if getattr(self, "_idle", None):
            self.close()

    def _carry(self, request: bytes, origin: Origin, exchange: Exchange, budget: _Budget) -> Head | SecondHead:
        """Send and receive on an idle connection or a new one, and on a second one where the idle one was closed meanwhile."""
        connection = self._take_idle(origin.text, exchange.method) if origin.text in self._idle else None
        exchange.start_us = start_us = monotonic_ns() // 1000
        total_us = start_us + budget.total_us
        if connection is not None:
            exchange.reused = True
            try:
                return self._converse(connection, request, exchange, budget, total_us)
            except ExchangeError as error:
                if not _lost_a_race(error, exchange):
                    raise
                exchange.reused = False
                exchange.reopened = True
        connection = self._open(origin, exchange, budget, total_us)
        return self._converse(connection, request, exchange, budget, total_us)

    def _converse(self, connection: Connection, request: bytes, exchange: Exchange, budget: _Budget, total_us: int) -> Head | SecondHead:
        keep = False
        if self.witness is not None:
            exchange.peer = connection.peer
        try:
            try:
                connection.send(request, total_us)
                whole = True
            except OSError:
                whole = False  # a server may answer and close before it has read a large body; its answer counts
            first_byte_us = monotonic_ns() // 1000 + budget.first_byte_us
            head = self._received(connection, exchange, min(first_byte_us, total_us), total_us)
            keep = whole and head.keep_alive and not connection.ended
            return head
        finally:
            if keep:
                if head.idle_limit_s:
                    limit_us = head.idle_limit_s * 1_000_000
                    connection.good_until_us = connection.moment_us + max(limit_us - IDLE_MARGIN_US, limit_us // 2)
                origin = connection.origin.text
                if origin in self._idle:
                    connection.below = self._idle[origin]
                self._idle[origin] = connection
            else:
                connection.close()

    def _received(self, connection: Connection, exchange: Exchange, first_byte_us: int, total_us: int) -> Head | SecondHead:
        """Read the answer; what our parser cannot read, a second one tries on the same bytes."""
        connection.forget_received()
        try:
            return receive_answer(connection, exchange, first_byte_us, total_us, self._sizes)
        except ExchangeError as error:
            if error.outcome is not Outcome.PROTOCOL:
                raise
            try:
                return read_again(connection, exchange, error, total_us)
            except ExchangeError:
                exchange.received = b"".join(connection.received)
                raise
        finally:
            connection.forget_received()

    def _take_idle(self, origin: str, method: str) -> Connection | None:
        """The idle connection used last, unless the server has closed it by now.

        Before a request that must not be sent twice, the socket itself is asked as well.
        """
        idle = self._idle
        while (connection := idle.get(origin)) is not None:
            if connection.below is None:
                del idle[origin]
            else:
                idle[origin] = connection.below
                connection.below = None
            if connection.closed:
                continue
            if connection.good_until_us < monotonic_ns() // 1000:
                connection.close()
            elif method in IDEMPOTENT or connection.usable():
                return connection
        return None

    def _open(self, origin: Origin, exchange: Exchange, budget: _Budget, total_us: int) -> Connection:
        started_us = monotonic_ns() // 1000
        addresses = allowed_addresses(origin, self._policy, self._resolver, min(budget.dns_us, total_us - started_us) / 1e6)
        resolved_us = monotonic_ns() // 1000
        exchange.dns_us = 0 if origin.address is not None else resolved_us - started_us
        connection = _connected(origin, addresses, min(resolved_us + budget.connect_us, total_us), self._source)
        connected_us = monotonic_ns() // 1000
        exchange.connect_us = connected_us - resolved_us
        try:
            if origin.tls:
                connection.handshake(self._tls or verified_context(), min(connected_us + budget.tls_us, total_us))
                exchange.tls_us = monotonic_ns() // 1000 - connected_us
        finally:
            if self.witness is not None:
                exchange.peer = connection.peer = Peer(connection.address, connection.certificates())
        return connection

    def _keep_cookies(self, exchange: Exchange, origin: Origin, path: str) -> None:
        if self._jar is None:
            self._jar = CookieJar()
        for line in exchange.headers.get_all("set-cookie")[-_SET_COOKIES:]:
            self._jar.store(line, origin, path)


@dataclass(frozen=True, slots=True)
class _Budget:
    """``PhaseTimeouts`` in microseconds."""

    dns_us: int
    connect_us: int
    tls_us: int
    first_byte_us: int
    total_us: int


@lru_cache(maxsize=64)
def _budget(timeouts: PhaseTimeouts) -> _Budget:
    phases = (timeouts.dns_s, timeouts.connect_s, timeouts.tls_s, timeouts.first_byte_s, timeouts.total_s)
    return _Budget(*(int(seconds * 1e6) for seconds in phases))


def _connected(origin: Origin, addresses: list[str], deadline_us: int, source: str) -> Connection:
    """A connection to the first address that accepts one; the remaining addresses share the remaining time."""
    if source:
        addresses = [address for address in addresses if (":" in address) == (":" in source)] or addresses
    for tried, address in enumerate(addresses, 1):
        now_us = monotonic_ns() // 1000
        connection = Connection(origin)
        try:
            connection.connect(address, now_us + (deadline_us - now_us) // (len(addresses) - tried + 1), source)
        except ExchangeError:
            if tried == len(addresses):
                raise
        else:
            return connection
    raise ExchangeError(Outcome.CONNECT, f"{origin.text} has no address")


def _lost_a_race(error: ExchangeError, exchange: Exchange) -> bool:
    """Whether the idle connection was closed under the request, and the request may be sent again.

    A request of which no byte was sent may be repeated. One that was cut off unanswered within a round trip may be
    repeated if it is idempotent by RFC 9110; a POST is never sent twice.
    """
    if error.outcome is not Outcome.RESET:
        return False
    if error.unsent:
        return True
    return error.unanswered and exchange.method in IDEMPOTENT and monotonic_ns() // 1000 - exchange.start_us < RACE_S * 1e6
