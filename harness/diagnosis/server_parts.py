"""What the server spends its time on, by its own account: the answers' Server-Timing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from harness.diagnosis.finding import Finding, FindingFigure, FindingSubject, Variant
from harness.diagnosis.limits import LEAST_REQUESTS
from harness.diagnosis.portal_rows import counted_windows
from harness.evidence.facts import RunFacts
from harness.records import PORTAL, Outcome

_TOLERANCE = 1.05
"""A part that takes longer than the answer did is false; clocks and rounding may differ by this much (assumed)."""
_WHOLE = frozenset({"total", "all", "request", "edge"})
"""Names that stand for the whole answer (assumed, by the standard's examples and usual servers)."""
_UNKNOWN = Finding(code="server_parts_unknown", sureness="cannot_tell", remedy="send_server_timing")


def server_parts(timings: Any | None, facts: RunFacts, slow: Finding | None) -> Iterator[Finding]:
    """The part that takes most of the server's time, of all steps or of the slow one; or that the evidence cannot tell.

    ``timings``: a pyarrow Table of metrics with the columns of their rows, or None. A part whose times exceed the answers' is left out.
    """
    if timings is None:
        yield _UNKNOWN
        return
    counted = {window.window for window in counted_windows(facts)}
    step = slow.subject.step if slow is not None else ""
    wanted = ("window", "visit", "attempt", "goal", "step", "request", "hop", "host_owner", "outcome", "name", "duration_us", "start_us", "first_byte_us",
              "dns_us", "connect_us", "tls_us")  # fmt: skip
    server_us: dict[tuple[object, ...], int] = {}
    spent_us: dict[str, int] = defaultdict(int)
    false = set[str]()
    for row in timings.select(list(wanted)).to_pylist():
        at_fault = row["host_owner"] != PORTAL or row["outcome"] != Outcome.OK or row["window"] not in counted
        if at_fault or row["name"].lower() in _WHOLE or (step and row["step"] != step):
            continue
        answer_us = row["first_byte_us"] - row["start_us"] - row["dns_us"] - row["connect_us"] - row["tls_us"]
        server_us[tuple(row[name] for name in wanted[:7])] = answer_us
        spent_us[row["name"]] += row["duration_us"]
        if row["duration_us"] > _TOLERANCE * answer_us + 5_000:
            false.add(row["name"])
    believed = {name: spent for name, spent in spent_us.items() if name not in false}
    if not believed or len(server_us) < (LEAST_REQUESTS // 10 if step else LEAST_REQUESTS):
        yield _UNKNOWN
        return
    part, most_us = max(believed.items(), key=lambda item: (item[1], item[0]))
    share = min(most_us / max(sum(server_us.values()), 1), 1.0)
    variant: Variant = "step" if step else ""
    figures = (FindingFigure("each", most_us / len(server_us) / 1e6, "s"), FindingFigure("answers", len(server_us)))
    subject = FindingSubject(part=part) if slow is None or not step else replace(slow.subject, part=part)
    yield Finding(
        code="server_part", sureness="measured", variant=variant, subject=subject, figures=figures, share=share, share_of="server",
        remedy="speed_up_part",
    )  # fmt: skip
