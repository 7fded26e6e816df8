"""Server figures from Prometheus text or OpenMetrics; ``prometheus_client``, Prometheus' own library, reads the lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text
from prometheus_client.samples import Sample

from harness.errors import EvidenceError, Problem
from harness.scoring.efficiency import ServerFigure, TimeSpan, figure_of, ordered

OPENMETRICS = "application/openmetrics-text"
"""The Content-Type of OpenMetrics, whose times are seconds. Anything else is Prometheus text, whose times are milliseconds."""

LONGEST_LINE = 10_000  # characters; the library's work grows with the square of a line's length
_NAME = re.compile(r"""[ \t]*(?:\#[ \t]*TYPE[ \t]+)?(?:(?P<plain>[^\s{}"#]+)|\{?[ \t]*"(?P<quoted>(?:[^"\\]|\\.)*)"[ \t]*(?:[,}]|[ \t]))""")
_ESCAPED = re.compile(r'\\(["\\])')
_MOST_NAMED = 3  # lines that are not samples: the first few say enough


def read_prometheus(
    text: str, file: str, *, metric: str, fetched_at: datetime | None, content_type: str = "", server: str = "", role: str = "",
    within: TimeSpan | None = None,
) -> tuple[ServerFigure, ...]:  # fmt: skip
    """Figures from samples of ``metric``: a gauge, in per cent of all cores, one sample a server.

    The labels ``server`` (or ``instance``) and ``role`` say whose a sample is; the arguments ``server`` and ``role`` where it
    has no such label. A sample without a time is of ``fetched_at``. A text without a Content-Type is OpenMetrics if it ends
    with ``# EOF``. Lines of other metrics are left alone, whatever they hold. ``within``: when the figures may be of. Raises
    EvidenceError with every line that cannot be used.
    """
    openmetrics = content_type.lower().startswith(OPENMETRICS) if content_type else text.rstrip().endswith("\n# EOF")
    problems: list[Problem] = []
    figures = [
        figure
        for line, sample in _samples(text, file, metric, problems, openmetrics=openmetrics)
        if (figure := _figure(sample, (file, line), fetched_at, server, role, within, problems)) is not None
    ]
    problems += _repeated(figures, file, metric)
    if not figures and not problems:
        problems += _not_there(text, file, metric, openmetrics=openmetrics)
    if problems:
        raise EvidenceError(*problems)
    return ordered(figures)


def _samples(text: str, file: str, metric: str, problems: list[Problem], *, openmetrics: bool) -> Iterator[tuple[int, Sample]]:
    """The metric's samples, each with its line number."""
    for number, line in enumerate(text.split("\n"), 1):
        if _name_of(line) not in (metric, metric.removesuffix("_total")):
            continue
        families = _parse(line, openmetrics=openmetrics)
        if families is None:
            problems.append(_not_a_sample(file, number, line))
        for family in families or ():
            if family.type == "counter" and family.name in (metric, metric.removesuffix("_total")):
                remedy = "Name a gauge; a recording rule makes one of a counter: docs/scoring.md, server efficiency."
                problems.append(Problem(file, metric, "a counter", "a gauge in per cent", remedy, number))
            yield from ((number, sample) for sample in family.samples if sample.name == metric)


def _name_of(line: str) -> str:
    """The metric that a sample or a ``# TYPE`` is about; empty where there is none."""
    found = _NAME.match(line)
    return (found["plain"] or _ESCAPED.sub(r"\1", found["quoted"] or "").replace("\\n", "\n")) if found else ""


def _parse(line: str, *, openmetrics: bool) -> list[Metric] | None:
    """What one line says; None where it is not of the format."""
    if len(line) > LONGEST_LINE:
        return None
    try:
        if not openmetrics:
            return list(read_text(line))
        declared = _NAME.match(line) if line.lstrip().startswith("{") else None  # the library needs quoted names declared
        kind = f'# TYPE "{declared["quoted"]}" unknown\n' if declared else ""
        return list(read_openmetrics(kind + line.strip(" \r") + "\n# EOF\n"))
    except Exception:  # the library raises whatever a strange text leads it to
        return None


def _not_there(text: str, file: str, metric: str, *, openmetrics: bool) -> list[Problem]:
    """Why no sample was found: the first lines that are not of the format, or just that the metric is missing."""
    strange = (
        _not_a_sample(file, number, line)
        for number, line in enumerate(text.split("\n"), 1)
        if line.strip() and not line.startswith("#") and _parse(line, openmetrics=openmetrics) is None
    )
    found = [problem for problem, _ in zip(strange, range(_MOST_NAMED), strict=False)]
    expected = f"samples of {metric} with labels server and role"
    return found or [Problem(file, metric, "not there", expected, "Check the metric's name and the address.")]


def _not_a_sample(file: str, number: int, line: str) -> Problem:
    remedy = "Give the address of Prometheus' text format, such as …/metrics or …/federate?match[]=…"
    return Problem(file, "line", repr(line[:80]), "a comment, or name{labels} value", remedy, number)


def _figure(
    sample: Sample, at: tuple[str, int], fetched_at: datetime | None, server: str, role: str, within: TimeSpan | None,
    problems: list[Problem],
) -> ServerFigure | None:  # fmt: skip
    time = fetched_at if sample.timestamp is None else _moment(float(sample.timestamp))
    if time is None:
        expected = "a time in ms since 1970 after the value (in seconds in OpenMetrics)"
        value = "none" if sample.timestamp is None else f"{float(sample.timestamp):.3f} s after 1970 began"
        problems.append(Problem(at[0], "time", value, expected, "Fetch it by its URL, or supply CSV.", at[1]))
        return None
    labels = sample.labels
    row = {
        "server": labels.get("server") or labels.get("instance") or server,
        "role": labels.get("role") or role,
        "cpu_percent": str(sample.value).replace("nan", "NaN"),
    }
    return figure_of(*at, time.isoformat(), row, problems, within=within)


def _moment(seconds: float) -> datetime | None:
    """A time of this century; None for another, which was written in the other format's unit."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return moment if 2000 <= moment.year < 2100 else None


def _repeated(figures: list[ServerFigure], file: str, metric: str) -> Iterator[Problem]:
    """A server with several samples at one moment: of its cores or modes, whose mean would be wrong."""
    seen: set[tuple[datetime, str, str]] = set()
    for figure in figures:
        key = (figure.time_utc, figure.server, figure.role)
        if key in seen:
            value = f"given several times for {figure.server} ({figure.role})"
            yield Problem(file, metric, value, "one sample a server", "Sum it up over cores and modes, for example in a recording rule.")
            return
        seen.add(key)
