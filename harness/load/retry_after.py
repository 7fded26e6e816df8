"""How long a portal asks to be left alone: the field ``Retry-After`` of an answer 429 or 503."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

HEEDED_S = 60.0
"""The longest wait before a portal is loaded again. A portal that asks for more is loaded then: its refusals are its failures,
and no answer of one portal may cost the others their night."""


def asked_to_wait_s(field: str, utc_s: float) -> float:
    """Seconds, from ``Retry-After`` as seconds or as a date (RFC 9110, 10.2.3); 0 where it is neither, HEEDED_S at most."""
    field = field.strip()
    if field.isascii() and field.isdigit():
        return min(float(field[:9]), HEEDED_S)
    try:
        at = parsedate_to_datetime(field)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max(at.timestamp() - utc_s, 0.0), HEEDED_S)
