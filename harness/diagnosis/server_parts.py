"""What the server spends its time on, by its own account: the answers' Server-Timing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from harness.diagnosis.finding import Finding, FindingFigure, FindingSubject, Variant
from harness.diagnosis.limits import LEAST_REQUESTS
from harness.diagnosis.portal_rows import counted_windows, numbered
from harness.evidence.facts import RunFacts
from harness.records import PORTAL, Outcome
from harness.scoring.rows import coded

_TOLERANCE = 1.05
"""A part that takes longer than its answer did is false. This factor allows for clocks that differ (assumed: they run within a few per cent)."""
_SLACK_US = 5_000
"""The same as a fixed time, for short answers (assumed: some servers round to milliseconds)."""
_NUMBERS = ("window", "visit", "attempt", "request", "hop", "duration_us", "start_us", "first_byte_us", "dns_us", "connect_us", "tls_us")
_WHOLE = frozenset({"total", "all", "request", "edge"})
"""Names that stand for the whole answer (assumed, by the standard's examples and usual servers)."""
_UNKNOWN = Finding(code="server_parts_unknown", sureness="cannot_tell", remedy="send_server_timing")


def server_parts(timings: Any | None, facts: RunFacts, slow: Finding | None) -> Iterator[Finding]:
    """The part of the server's time (by Server-Timing) that is the largest, of the slow step if there is one, or else of all steps.

    ``timings``: a pyarrow Table of metrics with the columns of their rows, or None. A part that takes longer than its answer is left out.
    Without a part that can be believed, the finding says so.
    """
    if timings is None:
        yield _UNKNOWN
        return
    step = slow.subject.step if slow is not None else ""
    names = {name: coded(timings.column(name)) for name in ("goal", "step", "host_owner", "outcome", "name")}
    numbers = {name: timings.column(name).to_numpy() for name in _NUMBERS}
    chosen = np.isin(numbers["window"], [window.window for window in counted_windows(facts)])
    chosen &= (names["host_owner"].codes == names["host_owner"].code(PORTAL)) & (
        names["outcome"].codes == names["outcome"].code(Outcome.OK)
    )
    chosen &= ~np.isin(names["name"].codes, [number for number, name in enumerate(names["name"].names) if name.lower() in _WHOLE])
    if step:
        chosen &= names["step"].codes == names["step"].code(step)
    keys = [numbers[name][chosen] for name in ("window", "visit", "attempt", "request", "hop")]
    first, _ = numbered([*keys, names["goal"].codes[chosen], names["step"].codes[chosen]])
    answer_us = numbers["first_byte_us"] - numbers["start_us"] - numbers["dns_us"] - numbers["connect_us"] - numbers["tls_us"]
    answer_us, duration_us, part_of = answer_us[chosen], numbers["duration_us"][chosen], names["name"].codes[chosen]
    false = set(part_of[duration_us > _TOLERANCE * answer_us + _SLACK_US].tolist())
    spent_us = np.bincount(part_of, weights=duration_us, minlength=len(names["name"].names))
    believed = {names["name"].names[number]: float(spent_us[number]) for number in set(part_of.tolist()) - false}
    if not believed or len(first) < (LEAST_REQUESTS // 10 if step else LEAST_REQUESTS):
        yield _UNKNOWN
        return
    part, most_us = max(believed.items(), key=lambda item: (item[1], item[0]))
    share = min(most_us / max(float(answer_us[first].sum()), 1.0), 1.0)
    variant: Variant = "step" if step else ""
    figures = (FindingFigure("each", most_us / len(first) / 1e6, "s"), FindingFigure("answers", len(first)))
    subject = FindingSubject(part=part) if slow is None or not step else replace(slow.subject, part=part)
    yield Finding(
        code="server_part", sureness="likely", variant=variant, subject=subject, figures=figures, share=share, share_of="server",
        remedy="speed_up_part",
    )  # fmt: skip
