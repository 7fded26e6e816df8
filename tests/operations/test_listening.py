"""The options by which a sweep listens for workers on other machines are checked before anything is started."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from harness.errors import EnvironmentFault, UsageError
from harness.load.member_keys import make_keys, write_keys
from harness.operations.listening import Listening, fleet_of
from tests.e2e.commands import invoke


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    made = make_keys()
    write_keys(tmp_path / "master.json", made.for_master())
    write_keys(tmp_path / "worker.json", made.for_worker())
    return tmp_path / "master.json"


def of(address: str, workers: int | None = None, expected: int | None = None, keys: Path | None = None) -> Listening | None:
    return fleet_of(address, workers, expected, 5.0, keys)


@pytest.mark.parametrize(
    "address", ["5557", "127.0.0.1", "127.0.0.1:", ":5557", "127.0.0.1:port", "127.0.0.1:65536", "127.0.0.1:-1", "::1:5557", "127.0.0.1:٥"]
)
def test_what_is_no_place_to_listen_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match=r"--listen is .*expected HOST:PORT"):
        of(address)


@pytest.mark.parametrize("host", ["192.0.2.7", "0.0.0.0", "*", "portal.example"])
def test_beyond_loopback_keys_are_a_must(host: str) -> None:
    with pytest.raises(UsageError, match=r"--listen is .* without --channel-keys"):
        of(f"{host}:5557")


def test_options_that_do_not_fit_together_are_refused(keys: Path) -> None:
    for address, workers, expected, given, what in (
        ("", None, 2, None, "given without --listen"),
        ("", None, None, keys, "given without --listen"),
        ("", 0, None, None, "--workers is 0"),
        ("127.0.0.1:0", 0, 0, None, "at least one worker"),
        ("127.0.0.1:0", None, 0, None, "at least one worker"),
    ):
        with pytest.raises(UsageError, match=what):
            of(address, workers, expected, given)


def test_a_worker_s_keys_are_no_master_s(keys: Path) -> None:
    with pytest.raises(UsageError, match=r"those of the other end.*Take master\.json"):
        of("127.0.0.1:0", keys=keys.with_name("worker.json"))


def test_an_address_of_another_machine_and_a_busy_port_are_told_apart(keys: Path) -> None:
    with pytest.raises(EnvironmentFault, match="expected an address of this machine"):
        of("192.0.2.7:5557", keys=keys)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(EnvironmentFault, match="expected a free port"):
            of(f"127.0.0.1:{other.getsockname()[1]}")


def test_locust_is_told_where_to_listen_and_for_how_many(keys: Path) -> None:
    found = of("0.0.0.0:0", None, 3, keys)
    assert found is not None
    assert found.port > 0
    line = " ".join(found.options(0))
    assert line.startswith(
        f"--master --expect-workers 1 --master-bind-host 0.0.0.0 --master-bind-port {found.port} --master-host 127.0.0.1"
    )
    assert line.endswith(f"--fleet 3 --fleet-within 5.0 --channel-keys {keys}")
    assert found.options(2)[:2] == ["--processes", "2"]
    assert "5" in found.options(2), "workers here and elsewhere"
    assert "--master-host ADDRESS-OF-THIS-MACHINE" in found.in_words()
    assert of("127.0.0.1:0").expected == 1  # type: ignore[union-attr]
    assert of("") is None


def test_the_command_says_it_in_one_line_and_starts_nothing(tmp_path: Path) -> None:
    done = invoke(
        tmp_path, "sweep", "ordinary", "--workload", "smoke", "--listen", "192.0.2.7:5557", "--results", str(tmp_path / "results")
    )
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: command line: --listen is 192.0.2.7 without --channel-keys;")
    assert not (tmp_path / "results").exists()
    done = invoke(
        tmp_path, "sweep", "ordinary", "--workload", "smoke", "--listen", "127.0.0.1:0", "--second-address", "127.0.0.2", "--dry-run"
    )  # fmt: skip
    assert (done.code, done.out) == (2, "")
    assert "--second-address is given with --listen; expected workers on this machine only" in done.err
