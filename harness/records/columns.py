"""The columns of the evidence, in order, with types and units. Columns may be added, none renamed."""

from __future__ import annotations

from typing import Literal, NamedTuple

from harness.records.sample import Sample, WindowKey

Kind = Literal["category", "int64", "int32", "int16", "bool"]


class Column(NamedTuple):
    """One column of the evidence."""

    name: str
    kind: Kind
    unit: str


_KINDS: dict[str, tuple[Kind, str]] = {
    "sweep": ("category", ""),
    "round": ("int32", ""),
    "run": ("category", ""),
    "window": ("int32", ""),
    "portal": ("category", ""),
    "stage": ("category", ""),
    "worker": ("category", ""),
    "journey": ("category", ""),
    "visit": ("int64", ""),
    "goal": ("category", ""),
    "step": ("category", ""),
    "request": ("int16", ""),
    "hop": ("int16", ""),
    "attempt": ("int16", ""),
    "host": ("category", ""),
    "host_owner": ("category", ""),
    "method": ("category", ""),
    "intended_us": ("int64", "µs"),
    "start_us": ("int64", "µs"),
    "first_byte_us": ("int64", "µs"),
    "end_us": ("int64", "µs"),
    "dns_us": ("int64", "µs"),
    "connect_us": ("int64", "µs"),
    "tls_us": ("int64", "µs"),
    "reused": ("bool", ""),
    "polling_wait_us": ("int64", "µs"),
    "bytes": ("int64", "B"),
    "status": ("int16", ""),
    "outcome": ("category", ""),
    "read_again": ("bool", ""),
    "path_template": ("category", ""),
}

COLUMNS = tuple(Column(name, *_KINDS[name]) for name in (*WindowKey._fields, *Sample._fields))
