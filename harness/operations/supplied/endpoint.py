"""Fetches one text from an operator's address: only from permitted hosts, within limits of time and size."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx

from harness.catalog import Catalog
from harness.catalog.gate import require_permitted
from harness.errors import AuthorisationError, EvidenceError, Problem, UsageError
from harness.origins import is_loopback, origin_of

LONGEST_S: Final = 10.0
"""For one text, from the first packet to its last byte (assumed: Prometheus' own scrapes have 10 s by default)."""
MOST_BYTES: Final = 8_000_000
"""Of one text (assumed: an exporter with thousands of series stays below 1 MB)."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A text, its Content-Type, and when its last byte arrived (UTC)."""

    text: str
    content_type: str
    at: datetime


def endpoint(url: str, catalog: Catalog, moment: datetime, *, option: str, portal: str = "") -> httpx.URL:
    """The address, if its host is permitted at ``moment``: loopback, or a host of an authorisation (for ``portal``, if given).

    ``option`` is the one of the command line that gave it. Nothing is sent and no name resolved. Raises UsageError for what is no address, AuthorisationError for any other host.
    """
    try:
        target = httpx.URL(url)
        if target.userinfo:
            remedy = "Let the operator open the address to this machine, or supply a file."
            raise UsageError(Problem("command line", option, "an address with a password in it", "an address without one", remedy))
        origin = origin_of(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise UsageError(Problem("command line", option, repr(url), f"an http or https address ({error})", "Mend the address.")) from error
    if not is_loopback(origin):
        _require_named(origin, catalog, moment, option, portal)
    return target


def _require_named(origin: str, catalog: Catalog, moment: datetime, option: str, portal: str) -> None:
    """Raise AuthorisationError where no authorisation for the portal names the host, or the last of those that do does not permit requests now."""
    naming = [
        item
        for item in catalog.authorisations.values()
        if portal in ("", item.portal) and origin in {host.origin for host in item.hosts} and item.holds_at(moment)
    ]
    if not naming:
        whose = f" for {portal}" if portal else ""
        expected = f"loopback, or a host of an authorisation{whose} that covers {moment:%Y-%m-%d %H:%M %z}"
        remedy = "Nothing was sent. Add the host to `hosts` of the owner's written permission, or supply a file."
        raise AuthorisationError(Problem("authorisations/", option, origin, expected, remedy))
    require_permitted(max(naming, key=lambda item: item.valid_from), moment)


def fetch(target: httpx.URL, *, longest_s: float = LONGEST_S, most_bytes: int = MOST_BYTES, what: str = "Prometheus text") -> Fetched:
    """The text at an address that ``endpoint`` has permitted; redirects are not followed, proxies not used.

    Raises EvidenceError where nothing whole comes in time, or anything but 200 with UTF-8 text of at most ``most_bytes``.
    """
    shown = shown_as(target)
    try:
        body, content_type = asyncio.run(asyncio.wait_for(_body(target, longest_s, most_bytes), longest_s))
    except TimeoutError as error:
        raise _refused(
            shown, "time", "no whole answer", f"one within {longest_s:g} s", "Ask for fewer series, or repeat it later."
        ) from error
    except httpx.HTTPError as error:
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        raise _refused(shown, "answer", said, what, "Check that the endpoint is up and the address is right.") from error
    try:
        return Fetched(body.decode("utf-8"), content_type, datetime.now(UTC))
    except UnicodeDecodeError as error:
        raise _refused(shown, "answer", f"not UTF-8 ({error})", what, "Check the address.") from error


def shown_as(target: httpx.URL) -> str:
    """An address as errors and records show it: without its query, which may hold a secret."""
    return str(target.copy_with(query=None, fragment=None))


async def _body(target: httpx.URL, longest_s: float, most_bytes: int) -> tuple[bytes, str]:
    headers = {
        "Accept": "text/plain; version=0.0.4, application/openmetrics-text; version=1.0.0;q=0.5, */*;q=0.1",
        "Accept-Encoding": "identity",
    }
    body, shown = bytearray(), shown_as(target)
    async with (
        httpx.AsyncClient(timeout=longest_s, trust_env=False, follow_redirects=False) as client,
        client.stream("GET", target, headers=headers) as response,
    ):
        if response.status_code != httpx.codes.OK:
            remedy = "Redirects are not followed: name the address that answers." if response.is_redirect else "Ask the operator."
            raise _refused(shown, "answer", f"HTTP {response.status_code}", "HTTP 200", remedy)
        if (encoding := response.headers.get("Content-Encoding", "identity")) != "identity":
            raise _refused(shown, "Content-Encoding", repr(encoding), "identity, as was asked for", "Ask the operator to switch it off.")
        async for chunk in response.aiter_raw(65_536):
            body += chunk
            if len(body) > most_bytes:
                found, remedy = f"more than {most_bytes} bytes", "Ask for fewer series, for example …/federate?match[]=NAME."
                raise _refused(shown, "size", found, f"at most {most_bytes} bytes", remedy)
    return bytes(body), response.headers.get("Content-Type", "")


def _refused(shown: str, key: str, value: str, expected: str, remedy: str) -> EvidenceError:
    return EvidenceError(Problem(shown, key, value, expected, remedy))
