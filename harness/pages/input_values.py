"""The value of an input after the value sanitization algorithm of its type (HTML Standard, 4.10.5.1)."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

Attributes = Mapping[str, str | None]

_SPACE = " \t\n\f\r"
_FLOAT = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_COLOR = re.compile(r"#[0-9a-f]{6}", re.ASCII | re.IGNORECASE)
_DATE, _MONTH, _WEEK = (re.compile(text, re.ASCII) for text in (r"(\d{4,6})-(\d\d)-(\d\d)", r"(\d{4,6})-(\d\d)", r"(\d{4,6})-W(\d\d)"))
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,3})?)?", re.ASCII)
_LOCAL = re.compile(r"([^T ]+)[T ](.+)")
FORMATS = {
    "number": "a number such as 1.5",
    "date": "YYYY-MM-DD",
    "month": "YYYY-MM",
    "week": "YYYY-Www",
    "time": "hh:mm",
    "datetime-local": "YYYY-MM-DDThh:mm",
}
"""How each type of input that holds nothing else writes its value."""
_AS_WRITTEN = frozenset({"hidden", "checkbox", "radio", "submit", "image", "reset", "button"})


def sanitized(kind: str, attributes: Attributes) -> str:
    """What an input of a type sends for its ``value`` attribute; types that are not known count as text."""
    value = attributes.get("value") or ""
    if kind in _AS_WRITTEN:
        return value
    if kind == "number":
        return value if _FLOAT.fullmatch(value) else ""
    if kind == "range":
        return _in_range(value, attributes)
    if kind == "color":
        return value.lower() if _COLOR.fullmatch(value) else "#000000"
    if kind in ("date", "month", "week", "time"):
        return value if _is_moment(kind, value) else ""
    if kind == "datetime-local":
        return _local(value)
    if kind == "email" and "multiple" in attributes:
        return ",".join(item.strip(_SPACE) for item in value.split(","))
    value = value.replace("\r", "").replace("\n", "")
    return value.strip(_SPACE) if kind in ("url", "email") else value


def _number(text: str | None) -> Decimal | None:
    return Decimal(text) if text and _FLOAT.fullmatch(text) else None


def _in_range(value: str, attributes: Attributes) -> str:
    """The nearest step between ``min`` and ``max``; half way between them where there is no value."""
    low, high = _number(attributes.get("min")), _number(attributes.get("max"))
    least, most = Decimal(0) if low is None else low, Decimal(100) if high is None else high
    most = max(most, least)
    given = _number(value)
    number = min(max(least + (most - least) / 2 if given is None else given, least), most)
    step = _number(attributes.get("step")) or Decimal(1)
    if (attributes.get("step") or "").lower() != "any":
        step = step if step > 0 else Decimal(1)
        base = low if low is not None else given if given is not None else Decimal(0)
        number = base + ((number - base) / step).to_integral_value(ROUND_HALF_UP) * step
        number = number - step if number > most else number + step if number < least else number
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_moment(kind: str, value: str) -> bool:
    if kind == "time":
        return _TIME.fullmatch(value) is not None
    found = {"date": _DATE, "month": _MONTH, "week": _WEEK}[kind].fullmatch(value)
    if found is None or not int(found[1]):
        return False
    year, number = int(found[1]) % 400 + 2000, int(found[2])  # the calendar repeats every 400 years
    if kind == "week":
        return 1 <= number <= date(year, 12, 28).isocalendar().week
    return 1 <= number <= 12 and (kind == "month" or 1 <= int(found[3]) <= monthrange(year, number)[1])


def _local(value: str) -> str:
    """A local date and time in its shortest form; empty where it is none."""
    found = _LOCAL.fullmatch(value)
    if found is None or not _is_moment("date", found[1]) or not _is_moment("time", found[2]):
        return ""
    time = found[2].rstrip("0").rstrip(".") if "." in found[2] else found[2]
    return f"{found[1]}T{time[:5] if time[5:] == ':00' else time}"
