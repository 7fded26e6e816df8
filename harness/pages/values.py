"""Values that are taken from pages and written into requests, and the error for a missing one."""

from __future__ import annotations

from typing import Any


class MissingValueError(Exception):
    """A value that a request needs is not on the page or was never learned; ends the step with outcome ``extraction``."""


def as_text(value: Any) -> str:
    """A value as it is written into a URL, a header or a field."""
    if type(value) is str:
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise MissingValueError(f"{value!r} is not a text or a number")
