"""The trace of a visit, as W3C Trace Context writes it (https://www.w3.org/TR/trace-context/): derived, so nothing of it is stored.

00-<trace id: 32 hexadecimal digits>-<parent id: 16>-01        version 00; 01: sampled
"""

from __future__ import annotations

from harness.statistics.keyed import keyed_seed


def trace_id(seed: int, sweep: str, run: str, visit: int) -> str:
    """The id under which an operator's tracing finds a visit. The sweep is part of the key: another night may have the same seed."""
    return "".join(_half(seed, sweep, run, visit, part) for part in ("trace 1", "trace 2"))


def traceparent(seed: int, sweep: str, run: str, visit: int) -> str:
    """The value of the header, the same in all requests of a visit."""
    return f"00-{trace_id(seed, sweep, run, visit)}-{_half(seed, sweep, run, visit, 'parent')}-01"


def _half(*key: str | int) -> str:
    """16 hexadecimal digits; zeros alone would be invalid."""
    return f"{keyed_seed(*key) or 1:016x}"
