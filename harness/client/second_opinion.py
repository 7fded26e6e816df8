"""The reading of a second client (httpx) where ours could not read an answer.

An answer that only our client rejects voids the window; an answer that httpx rejects as well is the portal's failure.
Only the first few such requests of a run are sent again (`harness.load.opinions`).
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpcore
import httpx

from harness.client.decoding import ACCEPTED_ENCODINGS
from harness.client.exchange import ExchangeError, HostPolicy, PhaseTimeouts
from harness.client.hosts import allowed_addresses
from harness.client.request import DEFAULT_USER_AGENT, IDEMPOTENT
from harness.client.resolver import Resolver
from harness.client.tls import verified_context
from harness.errors import Problem, UsageError
from harness.origins import locate


class Opinion(StrEnum):
    """What the second client made of the answer."""

    ACCEPTS = "accepts"  # it reads the answer: the fault is our client's
    REJECTS = "rejects"  # it cannot read the answer: the fault is the portal's
    NO_ANSWER = "no_answer"  # no answer this time: nothing is known


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """The result of one request that httpx sent again."""

    opinion: Opinion
    status: int = 0
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    error: str = ""


def ask_httpx(
    method: str,
    url: str,
    *,
    policy: HostPolicy,
    resolver: Resolver,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    tls: ssl.SSLContext | None = None,
    timeouts: PhaseTimeouts | None = None,
) -> SecondOpinion:
    """Send the request again with httpx, to allowed hosts only; redirects are not followed.

    Raises UsageError for a method that is not idempotent and for a URL that may not be reached.
    """
    if method not in IDEMPOTENT:
        raise UsageError(
            Problem("second opinion", "method", method, f"one of {', '.join(sorted(IDEMPOTENT))}", "A request that changes something is not sent twice.")
        )  # fmt: skip
    origin, _ = locate(url)
    if origin is None or not policy(origin.text):
        raise UsageError(
            Problem("second opinion", "url", url[:120], "an origin that the host policy allows", "Add the origin to the authorisation.")
        )
    limits = timeouts or PhaseTimeouts()
    ours = {"User-Agent": DEFAULT_USER_AGENT, "Accept": "*/*", "Accept-Encoding": ACCEPTED_ENCODINGS, **(headers or {})}
    backend = _PolicedBackend(policy, resolver, limits, "https" if origin.tls else "http")
    transport = _Transport(httpcore.ConnectionPool(ssl_context=tls or verified_context(), network_backend=backend))
    patience = httpx.Timeout(limits.first_byte_s, connect=limits.connect_s)
    with httpx.Client(transport=transport, trust_env=False, follow_redirects=False, timeout=patience) as client:
        try:
            response = client.request(method, url, headers=ours, content=body or None)
        except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
            return SecondOpinion(Opinion.REJECTS, error=f"{type(error).__name__}: {error}")
        except (httpx.HTTPError, ExchangeError, OSError) as error:
            return SecondOpinion(Opinion.NO_ANSWER, error=f"{type(error).__name__}: {error}")
    return SecondOpinion(Opinion.ACCEPTS, response.status_code, response.content, tuple(response.headers.multi_items()))


class _PolicedBackend(httpcore.SyncBackend):
    """Connects only to addresses that the host policy allows, with the resolver of the window."""

    def __init__(self, policy: HostPolicy, resolver: Resolver, limits: PhaseTimeouts, scheme: str) -> None:
        self._policy = policy
        self._resolver = resolver
        self._limits = limits
        self._scheme = scheme

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first allowed address; raises ExchangeError where there is none."""
        shown = f"[{host}]" if ":" in host else host
        origin, _ = locate(f"{self._scheme}://{shown}:{port}/")
        assert origin is not None  # httpcore has parsed the address before
        address = allowed_addresses(origin, self._policy, self._resolver, self._limits.dns_s)[0]
        return super().connect_tcp(address, port, timeout, local_address, socket_options)


class _Transport(httpx.BaseTransport):
    """httpx over a connection pool of ours, because only the pool takes a network backend."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path)
        assert isinstance(request.stream, httpx.SyncByteStream)
        with _translated():
            answer = self._pool.handle_request(
                httpcore.Request(request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions)
            )
        assert isinstance(answer.stream, Iterable)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=answer.extensions)

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, parts: Any) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        with _translated():
            yield from self._parts

    def close(self) -> None:
        self._parts.close()


@contextmanager
def _translated() -> Iterator[None]:
    """Turns errors of httpcore into those of httpx."""
    try:
        yield
    except httpcore.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from error
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
        raise httpx.TransportError(str(error)) from error
