"""The ``Server-Timing`` fields of an answer, read by the grammar of the W3C (https://www.w3.org/TR/server-timing/).

    Server-Timing: db;dur=53.2, app;desc="a, b";dur=47.2        -> db 53.2 ms, app 47.2 ms
    Server-Timing: cache;desc=hit                               -> nothing: it has no duration

Of a parameter that is given twice the first one counts, even if it is invalid. A metric is left out, and counted, if its name or
its duration cannot be kept or it is beyond the bounds. Nothing in these fields changes how an answer is judged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.client.exchange import Headers
from harness.records.server_timing import LONGEST_US, METRIC_NAME, MOST_METRICS, ServerMetric, ServerTiming

_FIELDS = 2 * MOST_METRICS
"""The largest number of fields read from one answer: thousands would delay other citizens (assumed: a server and each proxy before it send one)."""
_READ = 8_192
"""The largest number of characters read from these fields (assumed: MOST_METRICS metrics with long descriptions take a quarter)."""

_QUOTED = r'"(?:[^"\\]++|\\.)*+(?:"|\\?$)'  # a quoted string without an end takes the rest
_METRICS = re.compile(rf'(?:[^,"]++|{_QUOTED})++', re.DOTALL)
_PARAMETERS = re.compile(rf'(?:[^;"]++|{_QUOTED})++', re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,3})?")
_BLANKS = " \t"


def server_timing(headers: Headers) -> ServerTiming | None:
    """The metrics of one answer; None where it has none, kept or left out."""
    return read_server_timing(headers.get_all("server-timing", _FIELDS + 1))


def read_server_timing(values: Sequence[str]) -> ServerTiming | None:
    """The metrics of one answer, from the values of its fields in their order; None where they hold none, kept or left out."""
    metrics: list[ServerMetric] = []
    left_out, room = 0, _READ
    for number, value in enumerate(values[: _FIELDS + 1]):
        if len(value) > room or number == _FIELDS:
            left_out += 1  # at least one: the field is not read
            continue
        room -= len(value)
        for found in _METRICS.finditer(value):
            name, _, parameters = found.group().partition(";")
            if (duration := _duration(parameters)) is None:
                continue
            name, duration_us = name.strip(_BLANKS), _microseconds(duration)
            if duration_us is None or METRIC_NAME.fullmatch(name) is None or len(metrics) == MOST_METRICS:
                left_out += 1
            else:
                metrics.append(ServerMetric(name, duration_us))
    return ServerTiming(tuple(metrics), left_out) if metrics or left_out else None


def _duration(parameters: str) -> str | None:
    """The value of the first ``dur``; None where there is none."""
    for found in _PARAMETERS.finditer(parameters):
        name, _, value = found.group().partition("=")
        if name.strip(_BLANKS).lower() == "dur":
            return value.strip(_BLANKS)
    return None


def _microseconds(milliseconds: str) -> int | None:
    """A duration in milliseconds, plain or as a quoted string; None where it is no number from 0 to an hour."""
    if len(milliseconds) > 1 and milliseconds[0] == milliseconds[-1] == '"':
        milliseconds = milliseconds[1:-1]
    if _NUMBER.fullmatch(milliseconds) is None:
        return None
    duration_us = float(milliseconds) * 1000
    return round(duration_us) if 0 <= duration_us <= LONGEST_US else None
