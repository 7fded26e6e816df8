"""`harness supply`: figures of an operator become evidence once, and are scored from there. Maintenance: ``test_maintenance``."""

from __future__ import annotations

import dataclasses
import json
import socket
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.catalog import Catalog
from harness.catalog.authorisation import Authorisation
from harness.cli import main
from harness.errors import AuthorisationError, EvidenceError, UsageError
from harness.evidence import SweepFolder
from harness.operations.shipped import shipped_catalog
from harness.operations.supplied import operator_files as supplied
from harness.operations.supplied.endpoint import endpoint as checked
from harness.operations.supplied.endpoint import fetch
from harness.operations.supplied.intake import FigureSource, supply
from harness.records.files import write_whole
from harness.records.round import RoundRecord, write_sealed
from harness.scoring import read_csv
from tests.load.fleet import plan_of
from tests.operations.endpoint import IN_SECONDS, METRIC, OPENMETRICS_TEXT, Answer, Endpoint, endpoint
from tests.scoring.evening import PORTAL, facts, score_run
from tests.scoring.test_run_criteria import EFFICIENT, _operator, _searches

TEXT = """\
# HELP cpu_busy_percent busy share of all cores
# TYPE cpu_busy_percent gauge
cpu_busy_percent{server="app-1",role="application"} 41.5
cpu_busy_percent{instance="db-1:9100",role="database",rack="}"} 62
go_goroutines 12
"""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return shipped_catalog(None)


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    write_whole(SweepFolder(tmp_path).plan, plan_of(portals=("slow", "fast")).to_json())
    return SweepFolder(tmp_path)


def _permitted(catalog: Catalog, origin: str, until: timedelta) -> Catalog:
    now = datetime.now(UTC)
    permission = Authorisation.model_validate(
        {
            "id": "made-up", "portal": "slow", "reference": "made up for a test", "granted_by": "a test", "citizens_in_flight_max": 1,
            "requests_per_s_max": 1, "valid_from": now - timedelta(days=2), "valid_to": now + until,
            "hosts": [{"origin": "https://portal.invalid"}, {"origin": origin, "role": "monitoring"}],
        }
    )  # fmt: skip
    return dataclasses.replace(catalog, authorisations={permission.id: permission})


def _source(at: Endpoint, **more: str) -> FigureSource:
    return FigureSource(at.url, METRIC, **more)


def test_figures_fetched_in_each_window_score_like_the_operators_csv(folder: SweepFolder, catalog: Catalog) -> None:
    by_hand = _operator(80)
    moments = sorted({figure.time_utc for figure in by_hand})
    answers = []
    for moment in moments:
        lines = [
            f'cpu_busy_percent{{server="{each.server}",role="{each.role}"}} {each.cpu_percent} {round(moment.timestamp() * 1000)}'
            for each in by_hand
            if each.time_utc == moment
        ]
        answers.append(Answer("\n".join(lines)))
    with endpoint(*answers) as operator:
        fetches = [supply(folder, "slow", _source(operator), catalog) for _ in moments]
    assert fetches[-1].figures == by_hand
    fetched = supplied.server_figures(folder, "slow")
    cards = [score_run(_searches(), facts(), EFFICIENT, PORTAL, efficiency=figures) for figures in (by_hand, fetched)]
    assert cards[0] == cards[1]
    assert cards[1].criteria[1].points is not None


def test_what_was_fetched_is_evidence_with_its_digest_and_where_it_came_from(folder: SweepFolder, catalog: Catalog) -> None:
    before = datetime.now(UTC)
    with endpoint(Answer(TEXT)) as operator:
        found = supply(folder, "slow", FigureSource(operator.url + "?token=secret", METRIC), catalog)
    path = folder.path / "supplied" / "slow.servers.csv"
    figures = read_csv(path.read_text(encoding="utf-8"), str(path))
    assert {(each.server, each.role, each.cpu_percent) for each in figures} == {
        ("app-1", "application", 41.5), ("db-1:9100", "database", 62.0),
    }  # fmt: skip
    assert all(before <= each.time_utc <= datetime.now(UTC) for each in figures)
    (evidence,) = supplied.supplied_evidence(folder, "slow")
    assert evidence.sha256 == found.sha256 == sha256(path.read_bytes()).hexdigest()
    note = path.with_suffix(".json").read_text(encoding="utf-8")
    assert (json.loads(note)["sources"][0]["from"], "secret" in note) == (operator.url, False)
    assert sorted(each.name for each in path.parent.iterdir()) == ["slow.servers.csv", "slow.servers.json"]


def test_a_changed_byte_of_supplied_figures_is_refused_by_name(folder: SweepFolder, catalog: Catalog) -> None:
    with endpoint(Answer(TEXT)) as operator:
        supply(folder, "slow", _source(operator), catalog)
    path = folder.path / "supplied" / "slow.servers.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("62.0", "12.0"), encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"slow\.servers\.csv: SHA-256 is"):
        supplied.server_figures(folder, "slow")
    path.unlink()
    with pytest.raises(EvidenceError, match="no file"):
        supplied.server_figures(folder, "slow")


def test_two_endpoints_give_one_role_each(folder: SweepFolder, catalog: Catalog) -> None:
    unlabelled = "cpu_busy_percent 50\n"
    with endpoint(Answer(unlabelled)) as application, endpoint(Answer(unlabelled)) as database:
        assert supply(folder, "slow", _source(application, role="application"), catalog).lacking == ("database",)
        found = supply(folder, "slow", _source(database, role="database"), catalog)
    assert found.lacking == ()
    assert {(each.server, each.role) for each in found.figures} == {
        (f"127.0.0.1:{application.port}", "application"), (f"127.0.0.1:{database.port}", "database"),
    }  # fmt: skip


def test_a_fetch_that_fails_in_the_night_is_counted_and_the_next_one_counts_again(folder: SweepFolder, catalog: Catalog) -> None:
    said: list[str] = []
    with endpoint(Answer(TEXT), Answer("busy", status=503), Answer(TEXT)) as operator:
        found = supply(folder, "slow", _source(operator), catalog, every_s=1.0, during_s=2.5, progress=said.append)
    assert (found.fetches, len(found.figures)) == (2, 4)
    assert [("HTTP 503" in line) for line in found.missed] == [True]
    assert "missed" in said[0]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer("<html><body>Grafana</body></html>"), r"metrics:1: line is '<html>.*expected a comment, or name\{labels\} value\. Give"),
        (Answer("go_goroutines 12\n"), "cpu_busy_percent is not there; expected samples of cpu_busy_percent with labels server and role"),
        (Answer("", status=500), "answer is HTTP 500; expected HTTP 200"),
        (Answer("", status=302, headers={"Location": "http://127.0.0.1:1/"}), "answer is HTTP 302; .*Redirects are not followed"),
        (Answer(b"\xff\xfe"), "not UTF-8"),
        (Answer(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), "Content-Encoding is 'gzip'"),
        (Answer("# TYPE cpu_busy_percent counter\ncpu_busy_percent 5\n"), r"metrics:1: cpu_busy_percent is a counter; expected a gauge"),
        (Answer('cpu_busy_percent{server="a",role="cache"} 5\n'), "metrics:1: role is 'cache'; expected application or database"),
        (Answer('cpu_busy_percent{server="a",role="database"} 140\n'), "cpu_percent is '140'; expected a number from 0 to 100"),
        (Answer('cpu_busy_percent{server="a",role="database"} NaN\n'), "cpu_percent is 'NaN'"),
        (
            Answer('cpu_busy_percent{server="a",role="database",cpu="0"} 5\ncpu_busy_percent{server="a",role="database",cpu="1"} 6\n'),
            "expected one sample a server",
        ),
    ],
)  # fmt: skip
def test_a_bad_answer_is_named_and_leaves_nothing(folder: SweepFolder, catalog: Catalog, answer: Answer, words: str) -> None:
    with endpoint(answer) as operator, pytest.raises(EvidenceError, match=words) as caught:
        supply(folder, "slow", _source(operator), catalog)
    assert str(caught.value).startswith(operator.url)
    assert not (folder.path / "supplied").exists()


def test_an_endless_or_slow_answer_is_cut_off() -> None:
    with endpoint(Answer("x" * 4000)) as operator, pytest.raises(EvidenceError, match="size is more than 1000 bytes"):
        fetch(checked(operator.url, shipped_catalog(None), datetime.now(UTC), option="--from", portal="slow"), most_bytes=1000)
    with endpoint(Answer(TEXT, drip_s=0.05)) as operator, pytest.raises(EvidenceError, match=r"expected one within 0\.3 s"):
        fetch(checked(operator.url, shipped_catalog(None), datetime.now(UTC), option="--from", portal="slow"), longest_s=0.3)


def test_nobody_listening_is_named(folder: SweepFolder, catalog: Catalog) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(EvidenceError, match=rf"127\.0\.0\.1:{port}/metrics: answer is ConnectError"):
        supply(folder, "slow", FigureSource(f"http://127.0.0.1:{port}/metrics", METRIC), catalog)


def test_a_host_without_a_permission_that_holds_now_is_refused_before_anything_is_sent(folder: SweepFolder, catalog: Catalog) -> None:
    source = FigureSource("https://monitoring.invalid:9090/federate", METRIC)
    allowed = _permitted(catalog, "https://monitoring.invalid:9090", timedelta(days=1))
    expired = _permitted(catalog, "https://monitoring.invalid:9090", timedelta(days=-1))
    for each, portal in ((catalog, "slow"), (expired, "slow"), (allowed, "fast")):
        with pytest.raises(AuthorisationError, match=r"--from is https://monitoring\.invalid:9090; expected loopback, or"):
            supply(folder, portal, source, each)
    now = datetime.now(UTC)
    assert checked(source.where, allowed, now, option="--from", portal="slow").host == "monitoring.invalid"
    with pytest.raises(AuthorisationError):  # another port is another origin
        checked("https://monitoring.invalid/federate", allowed, now, option="--from", portal="slow")
    with pytest.raises(UsageError, match="password"):
        checked("http://user:word@127.0.0.1/", catalog, now, option="--from", portal="slow")


def test_files_of_csv_and_of_prometheus_text_are_taken_too(folder: SweepFolder, catalog: Catalog, tmp_path: Path) -> None:
    table, text = tmp_path / "operator.csv", tmp_path / "operator.prom"
    table.write_text("time_utc,server,role,cpu_percent\n2026-11-21T15:00:10Z,app-1,application,40\n", encoding="utf-8")
    text.write_text('cpu_busy_percent{server="db-1",role="database"} 62 1795273210000\n', encoding="utf-8")
    supply(folder, "slow", FigureSource(str(table)), catalog)
    assert len(supply(folder, "slow", FigureSource(str(text), METRIC), catalog).figures) == 2
    text.write_text(TEXT, encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"operator\.prom:3: time is none; expected a time in ms"):
        supply(folder, "slow", FigureSource(str(text), METRIC), catalog)
    with pytest.raises(UsageError, match="name the metric"):
        supply(folder, "slow", FigureSource(str(text)), catalog)
    table.write_text("time_utc,server,role,cpu_percent\n2026-11-21T15:00:10Z,app-1,application,41\n", encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"41 for app-1 at .*; expected 40, as supplied before"):
        supply(folder, "slow", FigureSource(str(table)), catalog)


OPENMETRICS = {"Content-Type": "application/openmetrics-text; version=1.0.0; charset=utf-8"}


def test_openmetrics_that_is_fetched_counts_time_in_seconds(folder: SweepFolder, catalog: Catalog) -> None:
    with endpoint(Answer(OPENMETRICS_TEXT, headers=OPENMETRICS)) as operator:
        found = supply(folder, "slow", _source(operator), catalog)
    assert {(each.server, each.cpu_percent, each.time_utc.isoformat()) for each in found.figures} == IN_SECONDS


TABLE = "time_utc,server,role,cpu_percent\n"
NIGHT = "2026-11-21T15:00:10Z"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (
            TABLE + f"{NIGHT},app-1,application,93,7\n",
            2,
            "table is 5 cells, separated by comma; expected 4 cells, one for each of time_utc",
        ),
        (TABLE + f'{NIGHT},app-1,application,"93,7"\n', 2, "cpu_percent is '93,7'; expected a number from 0 to 100"),
        (TABLE + f"{NIGHT},app-1,application,93.7 %\n", 2, "cpu_percent is '93.7 %'"),
        (TABLE + f"{NIGHT},app-1,application,1_0\n", 2, "cpu_percent is '1_0'"),
        (TABLE + f"{NIGHT},app-1,application,inf\n", 2, "cpu_percent is 'inf'"),
        (TABLE + f"{NIGHT},app-1,application,5\n\n{NIGHT},app-1,application,6\n", 4, "time_utc is app-1 .*; expected one figure for each"),
        (
            TABLE + "1970-01-21T15:00:10Z,app-1,application,5\n",
            2,
            "time_utc is 1970-01-21T15:00:10.*; expected a time near this sweep, from 2026-11-",
        ),
        (TABLE + "2025-11-21T15:00:10Z,app-1,application,5\n", 2, "time_utc is 2025-11-21T15:00:10.*; expected a time near this sweep"),
        (TABLE + "0001-01-01T00:00:00+07:00,app-1,application,5\n", 2, "time_utc is '0001"),
        (TABLE + "15:00:10,app-1,application,5\n", 2, "time_utc is '15:00:10'; expected an ISO 8601 time"),
        (TABLE, 1, "table is no rows"),
        (
            "time_utc;server;role;role;cpu_percent\n",
            1,
            r"table is time_utc, server, role, role, cpu_percent \(semicolon\); expected each column once",
        ),
        ("time_utc;server;cpu_percent\n", 1, r"columns is without role: time_utc, server, cpu_percent \(separated by semicolon\)"),
        (
            'cpu_busy_percent{server="a",role="database"} 5 1763737210000\n',
            1,
            "time_utc is 2025-11-21T15:00:10.*; expected a time near this sweep",
        ),
    ],
)
def test_a_table_that_may_mean_two_things_is_refused(
    folder: SweepFolder, catalog: Catalog, tmp_path: Path, text: str, line: int, words: str
) -> None:
    begun(folder)
    (tmp_path / "o.csv").write_text(text, encoding="utf-8")
    with pytest.raises(EvidenceError, match=rf"o\.csv:{line}: {words}"):
        supply(folder, "slow", FigureSource(str(tmp_path / "o.csv"), METRIC), catalog)
    assert not (folder.path / "supplied").exists()


@pytest.mark.parametrize(
    "table",
    [
        "time_utc;server;role;cpu_percent\r\n2026-11-21T22:00:10+07:00;app-1;application;93,7\r\n;;;\r\n\r\n".encode("utf-8-sig"),
        "role\tcpu_percent\ttime_utc\tserver\tnote\napplication\t93.70\t2026-11-21T15:00:10Z\tapp-1\t”\n".encode("utf-16"),
        b'sep=,\n"time_utc","server","role","cpu_percent"\n"2026-11-21T15:00:10","app-1","application","93.7"\n',
    ],
)
def test_an_operators_table_is_read_as_it_was_saved(folder: SweepFolder, catalog: Catalog, tmp_path: Path, table: bytes) -> None:
    begun(folder)
    (tmp_path / "o.csv").write_bytes(table)
    (figure,) = supply(folder, "slow", FigureSource(str(tmp_path / "o.csv")), catalog).figures
    assert (figure.server, figure.role, figure.cpu_percent, figure.time_utc.isoformat()) == (
        "app-1", "application", 93.7, "2026-11-21T15:00:10+00:00",
    )  # fmt: skip
    assert supplied.server_figures(folder, "slow") == (figure,)


def begun(folder: SweepFolder) -> None:
    """A round of the night has begun."""
    record = RoundRecord(
        round=1, part=0, name="001-00", start_us=0, began_utc="2026-11-21T22:00:00+07:00", closed=False, members=(), slots=()
    )  # fmt: skip
    folder.round("001-00").parent.mkdir(exist_ok=True)
    write_sealed(folder.round("001-00"), record)


def test_the_command_says_what_is_there_and_what_is_lacking(folder: SweepFolder) -> None:
    with endpoint(Answer('cpu_busy_percent{server="app-1",role="application"} 41.5\n')) as operator:
        asked = ["supply", str(folder.path), "slow", "--from", operator.url, "--metric", METRIC]
        result = CliRunner().invoke(main, asked)
        assert result.exit_code == 0, result.output
        assert "1 figures of app-1 (application); SHA-256" in result.output
        assert "no figure of the role database yet" in result.output
        assert json.loads(CliRunner().invoke(main, [*asked, "--json"]).output)["lacking"] == ["database"]
    assert CliRunner().invoke(main, ["supply", str(folder.path), "nobody", "--from", operator.url, "--metric", METRIC]).exit_code == 2
    assert CliRunner().invoke(main, ["supply", str(folder.path), "slow", "--from", "https://portal.invalid/"]).exit_code == 2
