"""The reading of a second client (httpx) where ours could not read an answer.

An answer that only our client rejects voids the window; an answer that httpx rejects as well is the portal's failure.
Only the first few such requests of a run are sent again (`harness.load.opinions`).
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

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
    if origin is None or not policy.allowed(origin.text):
        raise UsageError(
            Problem("second opinion", "url", url[:120], "an origin that the host policy allows", "Add the origin to the authorisation.")
        )
    limits = timeouts or PhaseTimeouts()
    ours = httpx.Headers({"User-Agent": DEFAULT_USER_AGENT, "Accept": "*/*", "Accept-Encoding": ACCEPTED_ENCODINGS})
    ours.update({**(headers or {}), "Host": origin.authority})
    patience = httpx.Timeout(limits.first_byte_s, connect=limits.connect_s)
    with httpx.Client(verify=tls or verified_context(), trust_env=False, follow_redirects=False, timeout=patience) as client:
        try:
            address = allowed_addresses(origin, policy, resolver, limits.dns_s)[0]  # httpx resolves no name of its own
            there = httpx.URL(url).copy_with(host=address)
            name = {"sni_hostname": origin.name}  # the certificate is checked against it
            response = client.request(method, there, headers=ours, content=body or None, extensions=name)
        except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
            return SecondOpinion(Opinion.REJECTS, error=f"{type(error).__name__}: {error}")
        except (httpx.HTTPError, ExchangeError, OSError) as error:
            return SecondOpinion(Opinion.NO_ANSWER, error=f"{type(error).__name__}: {error}")
    return SecondOpinion(Opinion.ACCEPTS, response.status_code, response.content, tuple(response.headers.multi_items()))
