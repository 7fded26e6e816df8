"""An operator's figures in Prometheus text and OpenMetrics: what is read, and which line is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import EvidenceError
from harness.operations.supplied.prometheus import read_prometheus
from tests.operations.endpoint import IN_SECONDS, METRIC, OPENMETRICS_TEXT


def _read(text: str, metric: str = METRIC, **more: str) -> set[tuple[str, float, str]]:
    figures = read_prometheus(text, "operator.prom", metric=metric, fetched_at=None, **more)
    return {(each.server, each.cpu_percent, each.time_utc.isoformat()) for each in figures}


def test_openmetrics_is_known_by_its_last_line_and_counts_time_in_seconds() -> None:
    assert _read(OPENMETRICS_TEXT) == IN_SECONDS
    assert _read(OPENMETRICS_TEXT.replace("\n", "\r\n")) == IN_SECONDS


OTHERS = """\
cpu_busy_percent_total{server="x" 5
go_info{text="cpu_busy_percent 5",a="b} 1
http_requests_bucket{le="0.5"} 17 # {trace_id="cpu_busy_percent"} 0.31
{"cpu.busy_percent",about="cpu_busy_percent"} 3 nonsense
# HELP cpu_busy_percent of "all
"""


@pytest.mark.parametrize("metric", [METRIC, "cpu.busy", "tải CPU"])
@pytest.mark.parametrize("openmetrics", [True, False])
def test_lines_of_other_metrics_never_stop_a_text(metric: str, openmetrics: bool) -> None:
    time = "1795273210" if openmetrics else "1795273210000"
    samples = [f'{{"{metric}",server="app-1",role="application"}} 41.5 {time}']
    samples += [f'{metric}{{server="db-1",role="database"}} 62 {time}'] if metric == METRIC else []
    found = _read("\n".join([OTHERS, *samples, OTHERS]) + ("# EOF\n" if openmetrics else ""), metric)
    wanted = [("app-1", 41.5, "2026-11-21T15:00:10+00:00"), ("db-1", 62.0, "2026-11-21T15:00:10+00:00")]
    assert found == set(wanted[: len(samples)])


@pytest.mark.parametrize(
    ("text", "content_type", "words"),
    [
        (OPENMETRICS_TEXT, "text/plain; version=0.0.4", r"operator\.prom:6: time is 1795273\.210 s after 1970 began; expected a time in ms since 1970"),
        (OPENMETRICS_TEXT.replace("210\n", "210000\n"), "", r"operator\.prom:6: time is 1795273210000\.000 s .*in seconds in OpenMetrics"),
        ("# TYPE cpu_busy_percent counter\ncpu_busy_percent_total 5 1795273210\n# EOF\n", "", r"operator\.prom:1: cpu_busy_percent is a counter"),
        ('cpu_busy_percent{server="a",role="database" 5\n', "", r"operator\.prom:1: line is 'cpu_busy_percent\{server=\"a\""),
        ("cpu_busy_percent 5\x00\n", "", r"operator\.prom:1: line is 'cpu_busy_percent 5\\x00'"),
        (f"cpu_busy_percent{{{'a=chr(34),' * 2000}}} 5\n", "", r"operator\.prom:1: line is"),
        ("nothing here\n" * 9, "", r"(?s)^operator\.prom:1: line is.*\noperator\.prom:3: line is 'nothing here'[^\n]*$"),
    ],
)  # fmt: skip
def test_a_text_that_cannot_be_used_is_refused_by_its_line(text: str, content_type: str, words: str) -> None:
    with pytest.raises(EvidenceError, match=words):
        _read(text, content_type=content_type)


@settings(max_examples=300, deadline=None)
@given(
    pieces=st.lists(
        st.sampled_from([METRIC, "{", "}", "server=", '"a"', ",", "role=", '"database"', " ", "5", "NaN", "1795273210000", "\n", "# TYPE ", "gauge", "\\", '"', "# EOF\n", "{}"]),
        max_size=14,
    )
)  # fmt: skip
def test_no_text_is_too_odd_for_an_error(pieces: list[str]) -> None:
    try:
        found = _read("".join(pieces))
    except EvidenceError as error:
        assert error.problems  # noqa: PT017
    else:
        assert {(server, value) for server, value, _ in found} == {("a", 5.0)}
