from __future__ import annotations

import csv
import io
import json
import shutil
import socket
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from harness import publish
from harness.cli import main
from harness.errors import EnvironmentFault, EvidenceError
from harness.evidence.facts import Verdict
from harness.publish import site
from harness.publish.history import find_sweeps, history, over_nights
from harness.publish.import_file import to_bytes
from tests.publish.served import served

FORMULA = "=cmd|'/c calc'!A1"


def night_of(scores, name, date, **changes):
    return replace(scores, sweep=name, nights=(date,), **changes)


@pytest.fixture(scope="session")
def nights(scores, tmp_path_factory):
    """Three nights: the second under another set, the third with one portal void and one new."""
    folder = tmp_path_factory.mktemp("nights")
    void = replace(scores.scorecards[0], verdict=Verdict.VOID, points=None, interval=None)
    new = replace(scores.scorecards[1], portal=FORMULA, name_vi=FORMULA, name_en=FORMULA)
    publish.export(night_of(scores, "a-first", "2026-11-19"), folder / "a-first")
    publish.export(night_of(scores, "b-other", "2026-11-20", criteria_set=replace(scores.criteria_set, version="0.2")), folder / "b-other")
    third = night_of(scores, "c-third", "2026-11-21", scorecards=(void, new, *scores.scorecards[1:]))
    publish.export(third, folder / "c-third")
    publish.report(replace(third, scorecards=(void,)), [], {}, folder / "c-third")
    (folder / "schemas").mkdir()
    (folder / "README.md").write_text("no sweep", encoding="utf-8")
    return folder


@pytest.fixture
def results(nights, tmp_path):
    return Path(shutil.copytree(nights, tmp_path / "results"))


@pytest.fixture
def address(results):
    with served(results) as url:
        yield url


def test_sweeps_are_found_newest_first_and_nothing_else_is_one(results):
    sweeps = find_sweeps(results)
    assert [sweep.name for sweep in sweeps] == ["c-third", "b-other", "a-first"]
    assert sweeps[0].files == ("report.html", "scores.json", "scores.csv", "scores.xlsx")


def test_a_sweep_whose_scores_are_cut_short_is_listed_with_its_trouble(results):
    path = results / "a-first" / "scores.json"
    path.write_bytes(path.read_bytes()[:100])
    broken = find_sweeps(results)[-1]
    assert broken.scores is None
    assert "whole JSON document" in broken.trouble


def test_nights_under_different_sets_stand_apart(results):
    tables = over_nights(find_sweeps(results))
    assert [(table.criteria_set.version, [scores.sweep for scores in table.sweeps]) for table in tables] == [
        ("0.1", ["a-first", "c-third"]),
        ("0.2", ["b-other"]),
    ]
    portals = {portal.portal: portal for portal in tables[0].portals}
    assert [card.verdict for card in portals["binh-dinh"].cards] == [Verdict.VALID, Verdict.VOID]
    assert portals[FORMULA].cards[0] is None
    assert tables[0].portals[-1].cards[-1].points is None


def test_a_version_with_two_contents_is_told(results):
    for name, content in (("a-first", "a"), ("c-third", "c")):
        scores = publish.read_scores(results / name / "scores.json")
        publish.export(replace(scores, criteria_set=replace(scores.criteria_set, sha256=64 * content)), results / name)
    said = CliRunner().invoke(main, ["nights", str(results)]).stdout
    assert "473-QD-BTTTT-2024@0.1: one version with different contents." in said
    with served(results) as url:
        page = httpx.get(url + "nights").text
    assert "one version with different contents" in page
    assert "SHA-256 aaaaaaaaaaaa…" in page


def test_the_latest_nights_are_kept(results):
    assert [scores.sweep for scores in over_nights(find_sweeps(results), most=1)[0].sweeps] == ["c-third"]


def test_each_portal_and_night_is_a_row_with_points_interval_verdict_and_windows(scores, results):
    table, troubles = history(find_sweeps(results), ["binh-dinh"])
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [(row["sweep"], row["night"], row["verdict"], row["criteria_set_version"]) for row in rows] == [
        ("a-first", "2026-11-21", "valid", "0.1"), ("b-other", "2026-11-21", "valid", "0.2"), ("c-third", "2026-11-21", "void", "0.1"),
    ]  # fmt: skip
    card = scores.scorecards[0]
    assert (rows[0]["points"], rows[0]["points_low"], rows[0]["points_high"]) == (card.points, *card.interval)
    assert rows[0]["windows"] == 6
    assert (rows[2]["points"], rows[2]["points_low"], troubles) == (None, None, ())


def test_the_table_is_the_same_on_the_page_and_from_the_command_and_text_stays_text(results, address, tmp_path):
    answer = httpx.get(address + "nights.csv")
    written = tmp_path / "nights.csv"
    shown = CliRunner().invoke(main, ["nights", str(results), "--out", str(written)])
    assert shown.exit_code == 0, shown.output
    assert written.read_bytes() == answer.content
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert "These rows were scored by different rules." in shown.stdout
    assert len(lines) == len(shown.stdout.splitlines()) - 3 == sum(len(sweep.scores.scorecards) for sweep in find_sweeps(results))
    assert [line["portal"] for line in lines if FORMULA in line["portal"]] == ["'" + FORMULA]
    assert "6 windows" in httpx.get(address + "nights").text


def test_the_command_says_how_many_nights_are_missing_until_a_state_is_final(scores, tmp_path):
    blocked = replace(scores.scorecards[0], portal="refusing", verdict=Verdict.BLOCKED, points=None, interval=None)
    names_states = replace(scores.criteria_set, version="2")
    for night in ("2026-11-21", "2026-11-22"):
        found = replace(blocked, nights=(night,))
        one = replace(scores, sweep=f"{night}-x", criteria_set=names_states, scorecards=(found,))
        (tmp_path / one.sweep).mkdir()
        (tmp_path / one.sweep / "scores.json").write_bytes(to_bytes(one))
    shown = CliRunner().invoke(main, ["nights", str(tmp_path)])
    (said,) = shown.stdout.splitlines()[3:]
    assert said.startswith("refusing: blocked, nights in a row: 2, up to 22 November 2026; nights until it is final: 1; then ")
    first, second = json.loads(CliRunner().invoke(main, ["nights", str(tmp_path), "--json"]).stdout)
    assert first["states"] == []
    assert second["states"] == [
        {
            "state": "blocked", "nights": ["2026-11-21", "2026-11-22"], "missing": 1, "final_after": 3, "consequence": "no_points",
            "basis": "assumed",
        }
    ]  # fmt: skip
    other = CliRunner().invoke(main, ["nights", str(tmp_path), "--portal", "another"])
    assert (other.exit_code, other.stdout) == (2, "")


def test_a_sweep_that_cannot_be_read_is_left_out_by_name(results):
    path = results / "a-first" / "scores.json"
    path.write_bytes(path.read_bytes()[:100])
    found = CliRunner().invoke(main, ["nights", str(results), "--portal", "binh-dinh", "--json"])
    assert [row["sweep"] for row in json.loads(found.stdout)] == ["b-other", "c-third"]
    assert "left out: a-first" in found.stderr


def test_pages_and_published_files_are_given_out(results, address):
    index = httpx.get(address)
    assert index.status_code == 200
    assert 'href="sweeps/c-third/report.html"' in index.text
    nights = httpx.get(address + "nights")
    assert "=cmd|&#39;/c calc&#39;!A1" in nights.text
    for name in ("report.html", "scores.json", "scores.csv", "scores.xlsx"):
        answer = httpx.get(f"{address}sweeps/c-third/{name}")
        assert answer.content == (results / "c-third" / name).read_bytes()
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["sweeps/c-third/manifest.json", "sweeps/nowhere/scores.json", "sweeps/../README.md", "sweeps/%2e%2e/README.md",
             "sweeps/c-third/..%2f..%2fREADME.md", "README.md", "sweeps/c-third/", "sweeps/linked/scores.json"]
)  # fmt: skip
def test_nothing_else_is(results, address, path):
    (results / "c-third" / "manifest.json").write_text("{}", encoding="utf-8")
    (results / "linked").symlink_to(results / "c-third")
    assert httpx.get(address + path).status_code == 404


def test_it_answers_to_this_machines_names_only(address):
    assert httpx.get(address, headers={"Host": "portal.example"}).status_code == 400
    assert address.startswith("http://127.0.0.1:")


def test_an_empty_folder_says_so(tmp_path):
    with served(tmp_path) as url:
        assert "No sweep has been published here yet" in httpx.get(url).text
        assert httpx.get(url + "nights").status_code == 200


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(EvidenceError, match="not there"):
        publish.serve(tmp_path / "nowhere")


def test_a_port_in_use_is_an_error_that_names_it(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentFault, match=rf"port is {port} .*free port"):
            publish.serve(tmp_path, port)


def test_it_announces_the_address_once_it_answers(tmp_path):
    with served(tmp_path) as url:
        port = int(url.rstrip("/").rpartition(":")[2])
    answered = threading.Event()

    def announce(address: str) -> None:
        assert address == f"http://127.0.0.1:{port}/"
        answered.set()
        raise SystemExit  # ends the server from within, as an interrupt would

    with pytest.raises(SystemExit):
        publish.serve(tmp_path, port, announce=announce)
    assert answered.is_set()


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost: 127", b"", b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000])
def test_a_request_that_does_not_come_whole_is_given_up(results, monkeypatch, sent):
    monkeypatch.setattr(site, "HEAD_WITHIN_S", 0.3)
    with served(results) as address, socket.create_connection(("127.0.0.1", httpx.URL(address).port), timeout=60) as asking:
        asking.sendall(sent)
        answer = b"".join(iter(lambda: asking.recv(65_536), b""))
        assert httpx.get(address).status_code == 200
    assert answer.startswith(b"HTTP/1.1 400") if len(sent) > 1_000 else answer == b""


def test_connections_are_bounded(results, monkeypatch):
    monkeypatch.setattr(site, "MOST_CONNECTIONS", 3)
    with served(results) as address, ExitStack() as open_:
        assert httpx.get(address).status_code == 200
        for _ in range(3):
            open_.enter_context(socket.create_connection(("127.0.0.1", httpx.URL(address).port)))
        assert httpx.get(address).status_code == 503
