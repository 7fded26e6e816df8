"""The process: how it starts, what it refuses, how it ends, and that every origin is its own."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from harness.client import LeanSession, PhaseTimeouts, Resolver, loopback_only

from .citizen import BASE, text
from .conftest import Running, Start, get, portal, post
from .walks import WALKS


def run_with(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness.simulator", "--config", str(path)], capture_output=True, text=True, timeout=30, check=False
    )


def config(folder: Path, **more: Any) -> Path:
    path = folder / "config.json"
    standard = {"database": str(folder / "db.sqlite"), "truth_log": str(folder / "truth.jsonl"), "portals": [{"id": "p"}]}
    path.write_text(json.dumps(standard | more))
    return path


def test_the_end_of_stdin_ends_it(start: Start) -> None:
    running = start(portal("p"))
    assert running.process.stdin is not None
    running.process.stdin.close()
    running.process.stdin = None
    assert running.process.wait(timeout=10) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_a_complete_log(start: Start, number: signal.Signals) -> None:
    running = start(portal("c", "calibration"))
    for item in range(5):
        get(f"{running.portals['c']}/truth/{item}")
    running.process.send_signal(number)
    assert running.process.wait(timeout=10) == 0
    assert len((running.folder / "truth.jsonl").read_text().splitlines()) == 5


def test_a_port_in_use_is_one_clear_line_and_exit_code_6(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run_with(config(tmp_path, ports={"p": port}))
    assert ended.returncode == 6
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert f"ports.p is {port}" in ended.stderr


def test_a_wrong_configuration_names_every_mistake(tmp_path: Path) -> None:
    wrong = [
        {"id": "p", "family": "lifray", "personality": {"median_ms": -1, "faults": ["no_such"], "colour": 1}},
        {"id": "p"},
        {"id": "control"},
    ]
    ended = run_with(config(tmp_path, portals=wrong, seed="x", database=":memory:", ports={"q": 1}, extra=1))
    assert ended.returncode == 3
    named = ("family", "median_ms", "no_such", "colour", "portals[1].id", "portals[2].id", "seed", "database", "ports.q", "extra")
    assert all(name in ended.stderr for name in named), ended.stderr
    assert len(ended.stderr.splitlines()) == len(named)


def test_a_configuration_that_is_not_there_or_not_json(tmp_path: Path) -> None:
    assert run_with(tmp_path / "none.json").returncode == 3
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    ended = run_with(broken)
    assert ended.returncode == 3
    assert "not JSON" in ended.stderr


def test_a_database_that_is_none_is_the_environments_fault(tmp_path: Path) -> None:
    (tmp_path / "db.sqlite").write_bytes(b"this is no database, but it is long enough to be looked at" * 40)
    ended = run_with(config(tmp_path))
    assert ended.returncode == 6
    assert "db.sqlite" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_every_origin_is_its_own(start: Start) -> None:
    running = start(portal("a"), portal("b", "opencps"), portal("n", "national"))
    assert running.form_hosts.keys() == {"n"}
    urls = [running.control, running.identity, running.payment, *running.portals.values(), *running.form_hosts.values()]
    assert len(set(urls)) == len(urls) == 7
    path = f"{BASE}/thu-tuc"
    assert [get(url + path).status_code for url in urls] == [404, 404, 404, 200, 404, 404, 404]
    assert get(running.portals["b"] + "/o/rest/v2/serviceinfos", headers={"groupId": "35166"}).json()["total"] == 200
    walk = WALKS["liferay"](running, "a")
    walk.file()
    assert running.counts("a")["dossiers"] == 1
    assert running.counts("b")["dossiers"] == 0


def test_somebody_elses_dossier_is_not_shown(six: Running) -> None:
    mine, other = WALKS["liferay"](six, "liferay"), WALKS["liferay"](six, "liferay", number="000999999999")
    code = mine.file()
    other.file()
    page = other.citizen.http.get(f"{BASE}/ho-so-cua-toi", params={"maHoSo": code}).text
    assert "Không tìm thấy hồ sơ" in page


def test_the_days_sequence_goes_on_after_a_restart_and_beyond_four_digits(start: Start) -> None:
    first = start(portal("p"))
    code = WALKS["liferay"](first, "p").file()
    first.process.terminate()
    first.process.wait(timeout=10)
    database = first.folder / "portals.sqlite"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE sequences SET last = 9998")
    connection.close()
    second = start(portal("p"), database=str(database))
    codes = [WALKS["liferay"](second, "p").file() for _ in range(2)]
    assert [item.rsplit("-", 1)[1] for item in (code, *codes)] == ["0001", "9999", "10000"]
    assert second.counts("p")["dossiers"] == 3


def test_bad_control_requests_are_told_what_is_wrong(six: Running) -> None:
    for path, asked in (
        ("/faults", {"portal": "q", "faults": []}),
        ("/faults", {"portal": "eform", "faults": ["x"]}),
        ("/personality", {"portal": "eform", "servers": 1.5}),
        ("/freeze-origin", {"portal": "eform", "at_monotonic_us": "now"}),
    ):
        answer = post(six.control + path, json=asked)
        assert answer.status_code == 422
        assert "expected" in answer.json()["error"]


def test_tls_on_every_origin(start: Start, tmp_path: Path) -> None:
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    leaf.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "leaf.pem"))
    pem = str(tmp_path / "leaf.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    far = portal("far", "calibration", handshake_ms=100, line_kbit_per_s=2400, body_bytes=60_000)
    running = start(portal("c", "calibration"), far, tls={"cert": pem, "key": pem})
    for url in (running.control + "/ready", running.portals["c"] + "/truth/1", running.portals["far"] + "/truth/1"):
        assert url.startswith("https://")
        assert httpx.get(url, verify=context).status_code == 200
    with closing(LeanSession(loopback_only, Resolver(), tls=context, timeouts=PhaseTimeouts(first_byte_s=5, total_s=10))) as citizen:
        answer = citizen.request("GET", running.portals["far"] + "/truth/2")
    assert answer.tls_us >= 100_000  # the handshake waits at the line
    # 60 kB take 200 ms on the line; TLS shows nothing of its first record before it is whole.
    assert answer.end_us - answer.first_byte_us >= 50_000


def test_a_dossier_counts_once_however_often_it_is_confirmed(six: Running) -> None:
    before = six.counts("liferay")["dossiers"]
    walk = WALKS["liferay"](six, "liferay")
    page = walk.citizen.attach(walk.citizen.fill_in(walk.citizen.start()))
    first, second = walk.citizen.confirm(page), walk.citizen.confirm(page)
    assert first.text == second.text
    assert six.counts("liferay")["dossiers"] == before + 1
    newest = six.http.get("/dossiers", params={"portal": "liferay"}).json()[-1]
    assert (newest["code"], newest["status"], newest["paid"]) == (text(first.text, "#ma-ho-so"), "received", False)


def test_bearer_tokens_expire_and_are_renewed(six: Running) -> None:
    six.tell("/personality", portal="igate-formio", token_ttl_s=0.01)
    walk = WALKS["igate-formio"](six, "igate-formio")
    walk.log_in()
    while (answer := walk.api("GET", "/padman/dossier/0")).status_code != 401:
        assert answer.status_code == 404
    assert answer.json()["error"] == "invalid_token"
    six.tell("/personality", portal="igate-formio", token_ttl_s=300)
    renewed = walk.http.post("/api/oidc/token", json={"grant_type": "refresh_token", "refresh_token": walk.refresh}).json()
    walk.bearer = renewed["access_token"]
    assert walk.api("GET", "/padman/dossier/0").status_code == 404
    again = walk.http.post("/api/oidc/token", json={"grant_type": "refresh_token", "refresh_token": walk.refresh})
    assert again.status_code == 401
