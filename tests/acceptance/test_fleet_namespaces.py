"""A sweep whose workers are on other machines: each in a network namespace of its own, behind proxies that delay.

The portal's server is in a namespace of its own too. One worker is cut off in the middle of a window; strangers knock at the
master's port all the time.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.evidence import SweepFolder, Verdict, read_runs
from harness.load.member_keys import make_keys, write_keys
from harness.operations.score_folder import score_folder
from harness.operations.selection import select_criteria
from harness.operations.shipped import shipped_catalog
from harness.records import LONE, RoundRecord
from tests.acceptance.namespaces import DELAY_PROXY, NETWORK, Machine, machines, require_namespaces
from tests.e2e.commands import HARNESS, LOCUST, Running
from tests.e2e.evidence import load, only_folder, rows
from tests.e2e.small_catalog import permission, workload, write_catalog, write_files

DELAY_S = 0.02
PORT = 5557
WINDOWS, WINDOW_S, VISITS = 7, 6, 36
AWAY_S = 22.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TRUTH = """
import json, sys, httpx
httpx.get(f"{sys.argv[1]}/flush", timeout=30).raise_for_status()
lines = httpx.get(f"{sys.argv[1]}/truth", params={"portal": "swift"}, timeout=30).text.splitlines()
print(json.dumps([request["arrival_us"] for request in map(json.loads, lines) if request["client_port"]]))
"""
STRANGER = """
import os, socket, sys, time, msgpack, zmq
host, port, master_public = sys.argv[1], int(sys.argv[2]), sys.argv[3]
public, secret = zmq.curve_keypair()
dealer = zmq.Context().socket(zmq.DEALER)
dealer.setsockopt(zmq.IDENTITY, b"stranger")
dealer.curve_secretkey, dealer.curve_publickey, dealer.curve_serverkey = secret, public, master_public.encode()
dealer.connect(f"tcp://{host}:{port}")
while True:
    for kind in ("client_ready", "harness-present", "quit"):
        dealer.send(msgpack.packb((kind, -1, "stranger")))
    for garbage in (os.urandom(3000), b"GET / HTTP/1.1\\r\\n\\r\\n", bytes(64), b"\\xff" + bytes(8) + b"\\x7f" + os.urandom(60)):
        try:
            with socket.create_connection((host, port), timeout=2) as raw:
                raw.sendall(garbage)
        except OSError:
            pass
    time.sleep(0.5)
"""


@dataclass
class Measured:
    """What was left of the sweep, and what each process said."""

    folder: SweepFolder
    catalog: Path
    arrivals_us: list[int]  # of every request at the portal's server, by the machine's monotonic clock
    back_us: int  # when the worker's network was there again
    said: dict[str, str]
    code: int
    refused: tuple[int, str]  # exit code and words of a worker with another catalog

    @property
    def loaded(self) -> list[RoundRecord]:
        return [each for each in self.folder.rounds() if each.slots[0].windows[0].stage != LONE]


def _permission(portal: str, identity: str, citizens: int) -> dict[str, Any]:
    return permission(
        "letter-9", "swift", {"portal": portal, "identity": identity}, platform="liferay", citizens_in_flight_max=citizens,
        address_ranges=[f"{NETWORK}.0/24"], vantage_point="network namespaces of a test",
    )  # fmt: skip


def _write_catalog(folder: Path, hosts: list[str], *, citizens: int = 60, windows: int = WINDOWS) -> Path:
    write_catalog(folder)
    night = workload("night", WINDOW_S, {"search": VISITS})
    night["stages"][0]["windows"] = windows
    return write_files(
        folder, {"workloads/night.yaml": {**night, "spare_windows": 2}, "authorisations/swift.yaml": _permission(*hosts, citizens)}
    )


@dataclass
class Place:
    """Five machines: the master's, two workers', the portal's with the proxies, and a stranger's."""

    tmp: Path
    stack: ExitStack
    office: Machine
    north: Machine
    south: Machine
    portal: Machine
    stranger: Machine

    def up(self) -> None:
        """Start what is there before the sweep: the portal, the proxies, and keys."""
        write_catalog(self.tmp / "catalog")
        played = self.enter(self.portal, "portal", HARNESS, "simulate", "swift", "--catalog", str(self.tmp / "catalog"))
        played.until(lambda: "}" in played.said.rstrip()[-2:], "the portal")
        ready = json.loads(played.said)
        self.control = ready["control"]
        here, ports = self.portal.address, [origin.rpartition(":")[2] for origin in (ready["portals"]["swift"], ready["identity"])]
        self.hosts = [f"http://{here}:{port}" for port in ports]
        ways = [(here, port, "127.0.0.1", port) for port in ports] + [(here, str(PORT), self.office.address, str(PORT))]
        for number, way in enumerate(ways):
            proxy = self.enter(self.portal, f"proxy{number}", sys.executable, "-c", DELAY_PROXY, *way, str(DELAY_S))
            proxy.until(lambda proxy=proxy: "ready" in proxy.said, "the proxy")  # type: ignore[misc]
        self.keys = make_keys()
        (self.tmp / "keys").mkdir()
        write_keys(self.tmp / "keys" / "master.json", self.keys.for_master())
        write_keys(self.tmp / "keys" / "worker.json", self.keys.for_worker())

    def sweep(self, catalog: Path, workers: int) -> Running:
        return self.enter(
            self.office, "office", HARNESS, "sweep", "swift", "--workload", "night", "--criteria", "speed-only", "--catalog", str(catalog),
            "--listen", f"{self.office.address}:{PORT}", "--expect-workers", str(workers),
            "--channel-keys", str(self.tmp / "keys" / "master.json"),
        )  # fmt: skip

    def worker(self, machine: Machine, folder: str, catalog: Path, *, through: Machine) -> Running:
        """A plain Locust that reaches the master directly or through the portal's proxy."""
        command = (*LOCUST, "--worker", "--master-host", through.address, "--master-port", str(PORT), "--catalog", str(catalog))
        return self.enter(machine, folder, *command, "--channel-keys", str(self.tmp / "keys" / "worker.json"))

    def enter(self, machine: Machine, folder: str, *command: str) -> Running:
        return self.stack.enter_context(machine.running(self.tmp / folder, *command))

    @property
    def folder(self) -> SweepFolder:
        return SweepFolder(only_folder(self.tmp / "office" / "results"))


@contextmanager
def _place(tmp: Path) -> Iterator[Place]:
    require_namespaces()
    with machines(5) as made, ExitStack() as stack:
        place = Place(tmp, stack, *made)
        place.up()
        yield place


def _cut(worker: Machine, sweep: Running, windows: int, away_s: float) -> int:
    """Cut a worker off in the middle of the second window. Answers when it was put back, by the machine's monotonic clock."""
    sweep.until(lambda: f"round 2 of {windows}" in sweep.said, "the second window", 240)
    time.sleep(WINDOW_S / 2)
    worker.cut_off()
    time.sleep(away_s)
    worker.put_back()
    return time.monotonic_ns() // 1000


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    tmp = tmp_path_factory.mktemp("fleet")
    with _place(tmp) as place:
        catalog, other = _write_catalog(tmp / "catalog", place.hosts), _write_catalog(tmp / "other", place.hosts, citizens=61)
        sweep = place.sweep(catalog, 2)
        knocking = (sys.executable, "-c", STRANGER, place.office.address, str(PORT), place.keys.master_public)
        place.enter(place.stranger, "stranger", *knocking)
        differs = place.worker(place.south, "differs", other, through=place.office)
        north = place.worker(place.north, "north", catalog, through=place.office)
        south = place.worker(place.south, "south", catalog, through=place.portal)
        back_us = _cut(place.south, sweep, WINDOWS, AWAY_S)
        code = sweep.ended()
        for worker in (north, south, differs):
            worker.ended()
        said = {"office": sweep.said, "north": north.said, "south": south.said}
        arrivals_us = place.portal.asked(TRUTH, place.control)
        yield Measured(place.folder, catalog, arrivals_us, back_us, said, code, (differs.ended(), differs.said))


def test_the_sweep_ends_well(measured: Measured) -> None:
    assert measured.code == 0, measured.said["office"][-4000:]
    assert "waiting for 2 workers" in measured.said["office"]
    assert "the fleet is complete: 2 here" in measured.said["office"]
    assert load(measured.folder.scores)["scores"][0]["verdict"] == "valid"


def test_the_windows_of_a_worker_that_is_cut_off_are_void_and_it_is_back_later(measured: Measured) -> None:
    (run,) = read_runs(measured.folder)
    verdicts = {window.round: window.verdict for window in run.windows if window.stage != LONE and not window.make_up}
    assert verdicts == {number: Verdict.VOID if number == 2 else Verdict.VALID for number in range(1, WINDOWS + 1)}
    members = {each.round: len(each.members) for each in measured.loaded}
    assert (members[1], members[2], members[WINDOWS]) == (2, 2, 2)
    made_up = [window for window in run.windows if window.make_up]
    assert [window.verdict for window in made_up] == [Verdict.VALID]
    assert "this worker announces itself again" in measured.said["south"]
    assert "announces itself" not in measured.said["north"]
    assert len({each.worker for record in measured.loaded for each in record.members}) == 2, "the same process came back"


def test_rows_are_what_the_server_saw(measured: Measured) -> None:
    found = rows(measured.folder.path, "swift").sort_values("end_us")
    assert set(found["outcome"]) == {"ok"}
    assert (found["first_byte_us"] - found["start_us"]).min() > 2 * DELAY_S * 1e6, "the way to the portal is a long one"
    left = sorted(measured.arrivals_us)
    for start_us, end_us in zip(found["start_us"], found["end_us"], strict=True):
        seen = next(moment for moment in left if start_us <= moment)
        assert seen < end_us, "each row is a request that came while it was under way"
        left.remove(seen)
    cut = next(each for each in measured.loaded if each.round == 2)
    lost = [moment for moment in left if cut.start_us <= moment < measured.back_us]
    on_the_wire = [moment for moment in left if measured.back_us <= moment]
    assert len(lost) + len(on_the_wire) == len(left), "requests without a row came from the worker that was cut off"
    assert len(lost) < VISITS
    assert len(on_the_wire) <= 3, "the wire held them while it was cut"


def test_strangers_change_nothing(measured: Measured) -> None:
    log = measured.folder.log.read_text(encoding="utf-8")
    assert "the master refused a connection of a stranger" in log
    assert "vm_stranger" not in log
    assert "stranger (index" not in log
    assert "Traceback" not in log


def test_a_worker_with_another_catalog_is_refused_at_both_ends(measured: Measured) -> None:
    code, said = measured.refused
    assert code == 6
    assert "the master refuses this worker: it has another authorisation letter-9" in said
    assert "is refused: it has another authorisation letter-9" in measured.said["office"]


def test_the_scores_can_be_made_again(measured: Measured) -> None:
    catalog = shipped_catalog(measured.catalog)
    before = measured.folder.scores.read_bytes()
    score_folder(measured.folder, catalog, select_criteria(catalog, "speed-only"), check=True)
    assert measured.folder.scores.read_bytes() == before


def test_a_sweep_outlasts_the_absence_of_its_only_worker(tmp_path: Path) -> None:
    """The absence is so long that Locust's master and TCP have both given the worker up."""
    with _place(tmp_path) as place:
        catalog = _write_catalog(tmp_path / "catalog", place.hosts, windows=3)
        sweep = place.sweep(catalog, 1)
        south = place.worker(place.south, "south", catalog, through=place.portal)
        _cut(place.south, sweep, 3, 100.0)
        assert sweep.ended() == 0, sweep.said[-4000:]
        assert south.ended() == 0
        (run,) = read_runs(place.folder)
        verdicts = [(window.round, window.verdict) for window in run.windows if window.stage != LONE]
        assert verdicts == [(1, Verdict.VALID), (2, Verdict.VOID), (3, Verdict.VALID), (4, Verdict.VALID)]
        assert south.said.count("announces itself again") > 10
