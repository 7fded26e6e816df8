"""Server figures from Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.errors import EvidenceError, Problem
from harness.scoring.efficiency import ServerFigure, figure_of, ordered

# Possessive throughout: a hostile text costs no more than its length.
_NAME, _QUOTED = r"[a-zA-Z_]\w*+", r'(?:[^"\\\n]|\\.)*+'
_SAMPLE = re.compile(
    rf'(?P<name>[a-zA-Z_:][\w:]*+)\s*+(?:\{{(?P<labels>(?:\s*+{_NAME}\s*+=\s*+"{_QUOTED}"\s*+,?)*+)\s*+\}})?+'
    r"\s*+(?P<value>[+-]?(?:[\d.][\d.eE+-]*+|[iI]nf|[nN]a[nN]))(?:\s++(?P<time_ms>-?\d{1,15}))?\s*+"
)
_LABEL = re.compile(rf'({_NAME})\s*+=\s*+"({_QUOTED})"')
_ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
_MOST_NAMED = 3  # lines that are no samples: the first ones say enough


@dataclass(frozen=True, slots=True)
class _Sample:
    line: int
    labels: dict[str, str]
    value: str
    time_ms: str | None


def read_prometheus(
    text: str, file: str, *, metric: str, fetched_at: datetime | None, server: str = "", role: str = ""
) -> tuple[ServerFigure, ...]:
    """Figures from samples of ``metric``: a gauge, in per cent of all cores, one sample a server.

    The labels ``server`` (or ``instance``) and ``role`` say whose it is; where there is none, ``server`` and ``role`` of the
    call do. A sample without a time of its own stands for ``fetched_at``. Raises EvidenceError with every line that is no
    Prometheus text and every sample that cannot be used.
    """
    problems: list[Problem] = []
    figures = [
        figure
        for sample in _samples(text, file, metric, problems)
        if (figure := _figure(sample, file, fetched_at, server, role, problems)) is not None
    ]
    problems += _twice(figures, file, metric)
    if not figures and not problems:
        expected = f"samples of {metric} with labels server and role"
        problems.append(Problem(file, metric, "not there", expected, "Check the metric's name and the address."))
    if problems:
        raise EvidenceError(*problems)
    return ordered(figures)


def _samples(text: str, file: str, metric: str, problems: list[Problem]) -> Iterator[_Sample]:
    strange = 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.split() == ["#", "TYPE", metric, "counter"]:
            remedy = "Name a gauge; a recording rule makes one of a counter: docs/scoring.md, server efficiency."
            problems.append(Problem(file, metric, "a counter", "a gauge in per cent", remedy, number))
        if not line.strip() or line.startswith("#"):
            continue
        found = _SAMPLE.fullmatch(line)
        if found is None:
            strange += 1
            if strange <= _MOST_NAMED:
                remedy = "Give the address of Prometheus' text format, such as …/metrics or …/federate?match[]=…"
                problems.append(Problem(file, "line", repr(line[:80]), "a comment, or name{labels} value", remedy, number))
        elif found["name"] == metric:
            yield _Sample(number, _labels(found["labels"] or ""), found["value"], found["time_ms"])


def _labels(text: str) -> dict[str, str]:
    return {name: re.sub(r"\\[\\\"n]", lambda each: _ESCAPED[each[0]], value) for name, value in _LABEL.findall(text)}


def _figure(
    sample: _Sample, file: str, fetched_at: datetime | None, server: str, role: str, problems: list[Problem]
) -> ServerFigure | None:
    time = fetched_at if sample.time_ms is None else _moment(int(sample.time_ms))
    if time is None:
        expected, remedy = "a time in ms (since 1970) after the value", "Fetch it by its URL, or supply CSV."
        problems.append(Problem(file, "time", sample.time_ms or "none", expected, remedy, sample.line))
        return None
    labels = sample.labels
    row = {
        "server": labels.get("server") or labels.get("instance") or server,
        "role": labels.get("role") or role,
        "cpu_percent": sample.value,
    }
    return figure_of(file, sample.line, time.isoformat(), row, problems)


def _moment(time_ms: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _twice(figures: list[ServerFigure], file: str, metric: str) -> Iterator[Problem]:
    """A server that has several samples at one moment: of its cores, or modes, which no mean of ours may mix."""
    seen: set[tuple[datetime, str, str]] = set()
    for figure in figures:
        key = (figure.time_utc, figure.server, figure.role)
        if key in seen:
            value = f"given several times for {figure.server} ({figure.role})"
            yield Problem(file, metric, value, "one sample a server", "Sum it up over cores and modes, for example in a recording rule.")
            return
        seen.add(key)
