"""How a request, a step or a visit ended."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How a row ended; anything but ``ok`` is somebody's failure."""

    OK = "ok"
    HTTP_ERROR = "http_error"  # a status that the step does not accept
    WRONG_CONTENT = "wrong_content"  # an accepted status whose content says no
    EXTRACTION = "extraction"  # a value that the next request needs is not in the answer
    TIMEOUT = "timeout"
    CONNECT = "connect"
    DNS = "dns"
    TLS = "tls"
    RESET = "reset"  # the connection ended before the answer did
    PROTOCOL = "protocol"  # neither our parser nor a second one could read the answer
    LEFT_ALLOWED_HOSTS = "left_allowed_hosts"
    BLOCKED = "blocked"  # refused by a firewall, a captcha or a maintenance page
    NOT_SERVED = "not_served"  # turned away at the ceiling of citizens in flight, or answered 429 or 503 under load
    DROPPED = "dropped"  # the generator could not send it
    SKIPPED = "skipped"  # not begun, because an earlier step of the visit failed
    ABORTED = "aborted"  # cut off by us before it could end


OVERLOAD_STATUSES = frozenset({429, 503})
"""Answers by which a portal says that it has too much to do."""

FAILURES_OF_THE_GENERATOR = frozenset({Outcome.DROPPED})
"""Outcomes that void a window instead of blaming the portal."""
