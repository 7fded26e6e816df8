"""The environment of a machine in an office: proxies, certificates that are gone, a locale without Vietnamese, options of another Locust."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import EnvironmentFault
from harness.evidence import SweepFolder
from harness.operations.portal_hosts import write_counts
from harness.publish import push
from tests.e2e.commands import HARNESS, run
from tests.e2e.evidence import only_folder
from tests.e2e.small_catalog import write_catalog
from tests.recorded.conftest import RECORDED

HARNESS_CODE = Path(__file__).parents[2] / "harness"
CALLS = {f"httpx.{name}" for name in ("get", "post", "put", "delete", "request", "stream", "Client", "AsyncClient")}
OFFICE = {
    "HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "socks5://127.0.0.1:9", "SSL_CERT_FILE": "/khong/co.pem", "SSL_CERT_DIR": "/khong/co", "LC_ALL": "en_US.ISO-8859-1",
    "PYTHONIOENCODING": "latin-1", "TERM": "dumb", "COLUMNS": "1", "LOCUST_TAGS": "other", "LOCUST_RUN_TIME": "1", "HARNESS_WORKLOAD": "none",
    "HARNESS_CHANNEL_KEYS": "/khong/co.json",
}  # fmt: skip
"""Nothing listens at port 9."""


def calls_of_httpx(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in CALLS:
            yield node


def test_no_call_of_httpx_trusts_the_environment_by_default() -> None:
    """Only `harness push` goes through the proxy of the environment, and not where the receiver is this machine."""
    said = {}
    for path in sorted(HARNESS_CODE.rglob("*.py")):
        for call in calls_of_httpx(path):
            (trust,) = [ast.unparse(each.value) for each in call.keywords if each.arg == "trust_env"] or ["left out"]
            said[f"{path.relative_to(HARNESS_CODE).as_posix()}:{call.lineno}"] = trust
    others = {place: trust for place, trust in said.items() if trust != "False"}
    assert len(said) >= 8
    assert [place.partition(":")[0] for place in others] == ["publish/delivery.py"], others
    assert list(others.values()) == ["not _is_local(target)"]


@pytest.mark.slow
def test_a_run_in_an_office_network_is_measured_scored_and_printed(tmp_path: Path) -> None:
    write_catalog(tmp_path / "catalog")
    options = ("--workload", "tiny", "--criteria", "speed-only", "--catalog", "catalog")
    finished = run([HARNESS, "run", "swift", *options], tmp_path, **OFFICE)
    assert finished.code == 0, finished.said
    assert "Traceback" not in finished.err
    folder = only_folder(tmp_path / "results")
    assert (folder / "counted.json").is_file()
    assert "Error" not in (folder / "locust.log").read_text(encoding="utf-8")


def test_vietnamese_is_printed_in_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    finished = run(
        [HARNESS, "explain", str(RECORDED), "fast"], tmp_path, LC_ALL="en_US.ISO-8859-1", PYTHONIOENCODING="ascii", PYTHONUTF8="0"
    )
    assert finished.code == 0, finished.said
    assert "→" in finished.out or "≥" in finished.out


def test_a_sweep_goes_on_where_the_embedded_portals_do_not_say_what_they_hold(tmp_path: Path) -> None:
    said: list[str] = []
    write_counts(SweepFolder(tmp_path), "http://127.0.0.1:9", said.append)
    assert not SweepFolder(tmp_path).counted.exists()
    (line,) = said
    assert line.startswith("WARNING: simulator: counts is ")


def test_scores_are_not_pushed_through_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setenv("SSL_CERT_FILE", "/khong/co.pem")
    with pytest.raises(EnvironmentFault, match="HTTPS_PROXY or ALL_PROXY"):
        push("https://evaluation.invalid/imports", RECORDED / "scores.json", "", allowed_hosts=("evaluation.invalid",), drafts=True)
