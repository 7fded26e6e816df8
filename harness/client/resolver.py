"""Names to addresses, each name once in a round, without blocking the other citizens."""

from __future__ import annotations

import socket
from typing import Any

import gevent
from gevent.event import AsyncResult

from harness.client.exchange import ExchangeError
from harness.records import Outcome

_FIRST_FAMILIES = (socket.AF_INET, socket.AF_INET6)


class Resolver:
    """Resolves each host name once and remembers its addresses; each portal has a new resolver in each round.

    Citizens who ask for a name while it is being resolved wait for the same answer. A failure is not remembered: the
    next request asks again, and is itself a failure if it gets none.
    """

    def __init__(self) -> None:
        self.addresses: dict[str, tuple[str, ...]] = {}  # by name
        self._asking: dict[str, AsyncResult[tuple[str, ...]]] = {}

    def resolve(self, host: str, timeout_s: float) -> tuple[str, ...]:
        """The addresses of a name, in the system's order of preference; raises ExchangeError (dns or timeout)."""
        found = self.addresses.get(host)
        if found is not None:
            return found
        asking = self._asking.get(host)
        if asking is None:
            asking = self._asking[host] = AsyncResult()
            gevent.spawn(self._ask, host, asking)
        try:
            found = asking.get(timeout=timeout_s)
        except gevent.Timeout:
            raise ExchangeError(Outcome.TIMEOUT, f"name of {host}: no answer within {timeout_s:g} s") from None
        except OSError as error:
            raise ExchangeError(Outcome.DNS, f"name of {host}: {error}") from None
        assert found is not None  # only a tuple or an error is ever set
        return found

    def _ask(self, host: str, answer: AsyncResult[tuple[str, ...]]) -> None:
        try:
            addresses = self.look_up(host)
            self.addresses[host] = addresses
            answer.set(addresses)
        except (OSError, UnicodeError) as error:
            answer.set_exception(error if isinstance(error, OSError) else OSError(str(error)))
        finally:
            self._asking.pop(host, None)

    def look_up(self, host: str) -> tuple[str, ...]:
        """Ask the system, through gevent's resolver, which works in a thread of its own; raises OSError."""
        resolver: Any = gevent.get_hub().resolver
        found = resolver.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        addresses = dict.fromkeys(str(entry[4][0]) for entry in found if entry[0] in _FIRST_FAMILIES)
        if not addresses:
            raise OSError("no address of a family that is known here")
        return tuple(addresses)
