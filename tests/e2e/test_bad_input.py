"""Bad input: one clear line that names what, where, what was expected and what to do; a documented exit code; nothing half-written."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.errors import CatalogError, EnvironmentFault, EvidenceError, UsageError
from tests.e2e.commands import LOCUST, Finished, harness, invoke, run
from tests.recorded.conftest import RECORDED


def assert_refused(finished: Finished, code: int, *named: str) -> str:
    """One line that starts with ``error:`` and names each of ``named``; no traceback."""
    assert finished.code == code, finished.said
    (line,) = [line for line in finished.err.splitlines() if "error: " in line]
    for words in (*named, "expected "):
        assert words in line
    _, _, remedy = line.partition("expected ")
    assert ". " in remedy  # what to do stands in a sentence of its own
    assert "Traceback" not in finished.err + finished.out
    return line


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield str(holder.getsockname()[1])


@pytest.fixture
def broken_catalog(tmp_path: Path) -> Path:
    folder = tmp_path / "broken"
    (folder / "workloads").mkdir(parents=True)
    (folder / "workloads" / "tomorrow.yaml").write_text("id: tomorrow\n  name_vi: [ngày mai\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("command", [harness, invoke])
def test_an_unknown_portal(tmp_path: Path, catalog: Path, command: Callable[..., Finished]) -> None:
    """The one refusal that is asked of a process, too: `main` is what the console script calls."""
    finished = command(tmp_path, "run", "swiftt", "--workload", "tiny", "--catalog", str(catalog))
    assert_refused(finished, UsageError.exit_code, "PORTAL", "swiftt", "Did you mean `swift`?")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value"), [("--workload", "tinny"), ("--criteria", "speed"), ("--criteria", "not-there.yaml"), ("--set", "pear")]
)
def test_an_unknown_name_costs_no_night(tmp_path: Path, catalog: Path, option: str, value: str) -> None:
    given = {"--set": "pair", "--workload": "tiny", "--criteria": "speed-only", "--catalog": str(catalog), option: value}
    finished = invoke(tmp_path, "sweep", *(word for pair in given.items() for word in pair))
    assert_refused(finished, UsageError.exit_code, option, value)
    assert list(tmp_path.iterdir()) == []


def test_malformed_yaml(tmp_path: Path, broken_catalog: Path) -> None:
    finished = invoke(tmp_path, "demo", "--catalog", str(broken_catalog))
    assert_refused(finished, CatalogError.exit_code, f"{broken_catalog}/workloads/tomorrow.yaml:2", "not YAML")
    assert list(tmp_path.iterdir()) == [broken_catalog]


def test_malformed_yaml_for_locust(tmp_path: Path, broken_catalog: Path) -> None:
    finished = run([*LOCUST, "--headless", "-t", "1s", "--catalog", str(broken_catalog)], tmp_path)
    assert_refused(finished, CatalogError.exit_code, f"{broken_catalog}/workloads/tomorrow.yaml:2", "not YAML")
    assert list(tmp_path.iterdir()) == [broken_catalog]


def test_a_missing_results_folder(tmp_path: Path) -> None:
    finished = invoke(tmp_path, "score", "results/yesterday")
    assert_refused(finished, EvidenceError.exit_code, "results/yesterday", "not there", "plan.json")
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use(tmp_path: Path, catalog: Path, taken_port: str) -> None:
    finished = invoke(tmp_path, "simulate", "swift", "--catalog", str(catalog), "--port", taken_port)
    line = assert_refused(finished, EnvironmentFault.exit_code, "control", taken_port, "free on 127.0.0.1", "Address already in use")
    assert "/tmp/" not in line  # the user has never heard of our temporary files
    assert list(tmp_path.iterdir()) == []


def test_a_plan_that_is_cut_off(tmp_path: Path) -> None:
    whole = (RECORDED / "plan.json").read_bytes()
    (tmp_path / "plan.json").write_bytes(whole[: len(whole) // 2])
    finished = run([*LOCUST, "--headless", "--only-summary", "--plan", "plan.json"], tmp_path)
    assert finished.code == EvidenceError.exit_code, finished.said
    (line,) = [line for line in finished.err.splitlines() if "/ERROR/" in line]
    assert "plan.json: plan is unreadable" in line
    assert "expected a plan that `harness` wrote. Start the sweep anew" in line
    assert "Traceback" not in finished.err
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]
