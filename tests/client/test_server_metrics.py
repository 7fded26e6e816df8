"""Server-Timing is read by its grammar, bounded, and never decides how an answer is judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.client.server_metrics import read_server_timing
from harness.records import Outcome
from harness.records.server_timing import LONGEST_NAME, LONGEST_US, METRIC_NAME, MOST_METRICS, MOST_NAMES, ServerMetric, ServerTiming

from .raw_server import RawServer, answering

MANY = ", ".join(f"m{number};dur=1" for number in range(MOST_METRICS + 3))


def kept(*metrics: tuple[str, int], left_out: int = 0) -> ServerTiming:
    return ServerTiming(tuple(ServerMetric(*metric) for metric in metrics), left_out)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["db;dur=53.2"], kept(("db", 53_200))),
        (["miss, db;dur=53, app;dur=47.2", 'cache;desc="Cache Read";dur=23.2'], kept(("db", 53_000), ("app", 47_200), ("cache", 23_200))),
        (['app;desc="a, b; dur=9";dur=4'], kept(("app", 4_000))),
        (['app;desc="a \\" , x;dur=9";dur=4'], kept(("app", 4_000))),
        (['app ; dur = "4.5" , \tdb\t;\tDUR\t=\t.5'], kept(("app", 4_500), ("db", 500))),
        (["db;dur=1, db;dur=2"], kept(("db", 1_000), ("db", 2_000))),  # both are metrics, by the standard
        (["db;dur=1;dur=2"], kept(("db", 1_000))),  # the first one counts
        (["db;dur=;dur=2"], kept(left_out=1)),  # even if it is invalid
        (["db;future=x;dur=1e3"], kept(("db", 1_000_000))),
        (["db;dur=0"], kept(("db", 0))),
        (["db;dur=0.0004"], kept(("db", 0))),
        (["cache;desc=hit", "miss"], None),  # no duration, nothing that is left out
        (["", " ,, ;;, = ,"], None),
        (["db;dur=-1"], kept(left_out=1)),
        (["db;dur=NaN, db;dur=inf, db;dur=1e309, db;dur=1e-999, db;dur=1e99999"], kept(("db", 0), left_out=4)),
        (["db;dur=5s, db;dur=1_0, db;dur=0x10, db;dur=１"], kept(left_out=4)),
        ([f"db;dur={LONGEST_US // 1000 + 1}"], kept(left_out=1)),
        (["9" * 400 + ";dur=1", "db;dur=" + "9" * 400], kept(left_out=2)),
        (["dữ-liệu;dur=1", "<script>;dur=1", "+cmd|;dur=1", "=1;dur=1", "a b;dur=1", ";dur=1"], kept(left_out=6)),
        ([f"{'n' * LONGEST_NAME};dur=1, {'n' * (LONGEST_NAME + 1)};dur=1"], kept(("n" * LONGEST_NAME, 1_000), left_out=1)),
        ([MANY], kept(*((f"m{number}", 1_000) for number in range(MOST_METRICS)), left_out=3)),
        (["n" * 10_000_000 + ";dur=1", "db;dur=2"], kept(("db", 2_000), left_out=1)),
        ([""] * 2_000 + ["db;dur=1"], kept(left_out=1)),
        (["db;dur=1"] * 2_000, kept(*[("db", 1_000)] * MOST_METRICS, left_out=MOST_METRICS + 1)),
        (['db;desc="never ends, app;dur=1'], None),
        (['db;dur=3;desc="never ends\\'], kept(("db", 3_000))),
    ],
)  # fmt: skip
def test_the_fields_are_read_as_the_standard_says(values: list[str], expected: ServerTiming | None) -> None:
    assert read_server_timing(values) == expected


def test_names_that_change_with_every_answer_are_not_kept() -> None:
    names: set[str] = set()
    found = [kept(("db", 1), (f"n{number}", 2)).within(names) for number in range(MOST_NAMES + 5)]
    assert found[0] == kept(("db", 1), ("n0", 2))
    assert found[-1] == kept(("db", 1), left_out=1)
    assert sum(each.left_out for each in found) == 6
    assert len(names) == MOST_NAMES


TOKEN = st.from_regex(METRIC_NAME, fullmatch=True)
METRIC = st.tuples(TOKEN, st.integers(0, LONGEST_US), st.none() | st.text(max_size=20))


@given(st.lists(st.lists(METRIC, min_size=1, max_size=4), min_size=1, max_size=4))
def test_what_is_written_by_the_grammar_is_read_back(fields: list[list[tuple[str, int, str | None]]]) -> None:
    def written(name: str, duration_us: int, description: str | None) -> str:
        quoted = "" if description is None else ';desc="' + description.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{name}{quoted};dur={duration_us / 1000}"

    found = read_server_timing([", ".join(written(*metric) for metric in field) for field in fields])
    assert found == kept(*((name, duration_us) for field in fields for name, duration_us, _ in field))


@given(st.lists(st.text(alphabet='ab;,="\\ dur1.-e\té', max_size=80)))
def test_whatever_comes_is_within_the_bounds(values: list[str]) -> None:
    found = read_server_timing(values)
    if found is not None:
        assert len(found.metrics) <= MOST_METRICS
        assert all(METRIC_NAME.fullmatch(name) and 0 <= duration_us <= LONGEST_US for name, duration_us in found.metrics)
        assert found.metrics or found.left_out


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nServer-Timing: db;dur=53\r\nContent-Length: 2\r\nserver-timing:app;dur=4\r\n",
        b"HTTP/1.1 200 OK\nSERVER-TIMING : db;dur=53,\n app;dur=4\nContent-Length: 2\n",  # bare line feeds, a folded field
        b"HTTP/1.1 200 OK\r\nServer-Timing: db;dur=53, app;dur=4\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 2\r\n",  # read by h11
    ],
)
def test_an_exchange_has_the_metrics_of_its_answer(citizen, head: bytes) -> None:
    with RawServer([answering(head + (b"\n" if b"\r\n" not in head else b"\r\n") + b"ok")]) as server:
        exchange = citizen.request("GET", f"{server.url}/")
    assert (exchange.outcome, exchange.body) == (Outcome.OK, b"ok")
    assert exchange.server_timing == kept(("db", 53_000), ("app", 4_000))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\xff\xfe;dur=\x00", kept(("db", 1_000), left_out=1)),
        (b'"' * 60_000, kept(("db", 1_000), left_out=1)),
        (b"a;dur=1," * 20_000, kept(("db", 1_000), left_out=1)),
        (b"=cmd|' /C calc'!A0;dur=1", kept(("db", 1_000), left_out=1)),
        (b"", kept(("db", 1_000))),
        (b"\r\nServer-Timing:" * 10_000, kept(left_out=1)),  # the last one is not reached
    ],
)
def test_hostile_fields_change_nothing_of_an_answer(citizen, value: bytes, expected: ServerTiming) -> None:
    answer = b"HTTP/1.1 200 OK\r\nServer-Timing: %b\r\nServer-Timing: db;dur=1\r\nContent-Length: 2\r\n\r\nok" % value
    with RawServer([answering(answer)]) as server:
        exchange = citizen.request("GET", f"{server.url}/")
    assert (exchange.outcome, exchange.error, exchange.status, exchange.body) == (Outcome.OK, "", 200, b"ok")
    assert exchange.server_timing == expected


def test_without_the_field_there_is_nothing(citizen) -> None:
    with RawServer([answering(b"HTTP/1.1 200 OK\r\nServer: x\r\nX-Server-Timing: db;dur=1\r\nContent-Length: 2\r\n\r\nok")]) as server:
        assert citizen.request("GET", f"{server.url}/").server_timing is None
