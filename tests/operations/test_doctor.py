"""Whether a machine is fit for a night: each finding from made facts, the real machine as a smoke test, and nothing is sent."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.catalog import load_catalog
from harness.cli import main
from harness.errors import EnvironmentFault, UsageError
from harness.operations import machine_facts
from harness.operations.disk_room import RESERVE_BYTES
from harness.operations.machine_check import Fitness, MachineFinding, check_machine
from harness.operations.machine_facts import BusyProcess, MachineFacts, read_machine
from harness.operations.machine_needs import MachineNeeds, needs_of_sweep, needs_of_workload
from harness.operations.selection import select_portals, select_workload
from harness.operations.shipped import scenarios_folder
from harness.operations.sweep import SweepSpec
from harness.publish.wording import LANGUAGES, PHRASES
from tests.publish.vietnamese import english_in

GOOD = MachineFacts(
    processors=4, usable=4, quota=None, free=3.9, stolen_percent=0.1, over_s=2.0, busiest=(), governors=frozenset({"performance"}),
    clock_error_s=0.004, clock_source="tsc", open_files=10_000, ports=28_232, ports_waiting=40, memory_bytes=6_000_000_000,
    disk=Path("/srv/results"), disk_bytes=90_000_000_000, disk_writable=True, proxies=(), name_servers=("192.0.2.53",), browser="",
    calibration="valid",
)  # fmt: skip
NIGHT = MachineNeeds(workers=2, citizens=3000, arrivals_per_s=50.0, disk_bytes=7_000_000_000, names=True)
FIT, DOUBTFUL, UNFIT = Fitness.FIT, Fitness.DOUBTFUL, Fitness.UNFIT
HEAVY = (BusyProcess(7, "backup\x1b[2J", 0.9), BusyProcess(8, "idle", 0.01))


def found(check: str, needs: MachineNeeds = NIGHT, **changes: Any) -> MachineFinding:
    (finding,) = [each for each in check_machine(replace(GOOD, **changes), needs) if each.check == check]
    return finding


def test_a_good_machine_is_fit_in_every_line() -> None:
    findings = check_machine(GOOD, NIGHT)
    assert {each.fitness for each in findings} == {FIT}
    assert all(each.remedy is None for each in findings)
    assert len({each.check for each in findings}) == len(findings) == 14


@pytest.mark.parametrize(
    ("check", "fitness", "changes", "says"),
    [
        ("processors", DOUBTFUL, {"usable": 2}, "4 in all, 2 for this program"),
        ("processors", UNFIT, {"usable": 1}, "3: one for each worker (2)"),
        ("processors", UNFIT, {"quota": 1.5}, "its control group may use 1.5"),
        ("idle", DOUBTFUL, {"free": 2.2, "busiest": HEAVY}, "2.2 of 4, watched for 2 s; others are busy: backup\x1b[2J (7) 90 %"),
        ("idle", UNFIT, {"free": 0.4}, "0.4 of 4"),
        ("steal", DOUBTFUL, {"stolen_percent": 3.0}, "3.0 %"),
        ("steal", UNFIT, {"stolen_percent": 9.0}, "at most 5 %"),
        ("governor", DOUBTFUL, {"governors": frozenset({"powersave", "performance"})}, "performance, powersave"),
        ("governor", FIT, {"governors": frozenset()}, "not readable here"),
        ("clock", DOUBTFUL, {"clock_error_s": None}, "cannot tell"),
        ("clock", UNFIT, {"clock_error_s": 2.5}, "at most 2,500 ms wrong; needed: at most 2 s wrong"),
        ("clock_source", DOUBTFUL, {"clock_source": "hpet"}, "hpet"),
        ("clock_source", FIT, {"clock_source": ""}, "not readable here"),
        ("files", UNFIT, {"open_files": 1024}, "1,024 allowed; needed: 4,700, for at most 3,000 citizens at once"),
        ("ports", DOUBTFUL, {"ports_waiting": 24_000}, "28,232, of which 24,000 wait"),
        ("ports", UNFIT, {"ports": 4000}, "needed: 6,000 to one address"),
        ("memory", DOUBTFUL, {"memory_bytes": 1_500_000_000}, "1.5 GB free; needed: 1.6 GB"),
        ("memory", UNFIT, {"memory_bytes": 500_000_000}, "0.5 GB free"),
        ("disk", DOUBTFUL, {"disk_bytes": 9_000_000_000}, "9.0 GB free at `/srv/results`; needed: at most 7.0 GB"),
        ("disk", UNFIT, {"disk_bytes": 6_000_000_000}, "6.0 GB free"),
        ("disk", UNFIT, {"disk_bytes": 0}, "0 MB free"),
        ("disk", UNFIT, {"disk_writable": False}, "not writable"),
        ("proxies", DOUBTFUL, {"proxies": ("https_proxy",)}, "https_proxy"),
        ("resolver", DOUBTFUL, {"name_servers": ()}, "none in `/etc/resolv.conf`"),
        ("browser", FIT, {"browser": "/usr/bin/firefox"}, "/usr/bin/firefox"),
        ("calibration", DOUBTFUL, {"calibration": "none"}, "none of this machine"),
        ("calibration", UNFIT, {"calibration": "failed"}, "failed"),
    ],
)  # fmt: skip
def test_each_finding_says_what_was_found_what_is_needed_and_what_to_do(
    check: str, fitness: Fitness, changes: dict[str, Any], says: str
) -> None:
    finding = found(check, **changes)
    assert finding.fitness is fitness
    line = finding.line("en")
    assert line.startswith(f"{fitness.sign} ")
    assert says in line
    assert ("→" in line) == (fitness is not FIT)
    assert english_in(f"<p>{finding.line('vi')}</p>", frozenset({"idle", "backup", "performance", "powersave"})) == []


def test_what_nobody_asked_for_is_shown_and_not_judged() -> None:
    nothing = MachineNeeds()
    assert found("files", nothing, open_files=256).fitness is FIT
    assert found("ports", nothing, ports=256).fitness is FIT
    assert found("disk", nothing, disk_bytes=RESERVE_BYTES).fitness is FIT
    assert found("resolver", nothing, name_servers=()).fitness is FIT


def test_a_disk_without_room_for_any_plan_is_unfit_also_where_nobody_asked() -> None:
    full = found("disk", MachineNeeds(), disk_bytes=RESERVE_BYTES - 1)
    assert full.fitness is UNFIT
    assert full.line("en").startswith("✗ Disk for results: 16 MB free at `/srv/results`; needed: at least 16 MB for any plan")


@pytest.mark.parametrize("place", ["/proc/x", "/sys", "/sys/x/y", "file", "file/below", "dangling", "dangling/below"])
def test_a_place_where_no_folder_can_be_made_is_unfit(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    facts = read_machine(tmp_path / place, watch_s=0.01)
    (finding,) = [each for each in check_machine(facts, MachineNeeds()) if each.check == "disk"]
    assert finding.fitness is UNFIT
    assert "not writable" in finding.line("en")
    assert {each.name for each in tmp_path.iterdir()} == {"file", "dangling"}


def test_more_workers_share_the_open_files_and_need_more_processors() -> None:
    more = replace(NIGHT, workers=6)
    assert found("files", more, open_files=2000).fitness is FIT
    assert found("processors", more).fitness is UNFIT


def test_every_text_is_there_in_both_languages() -> None:
    checks = [each.check for each in check_machine(GOOD, NIGHT)]
    assert all(f"doctor.{check}" in PHRASES for check in checks)
    assert [check for check in checks if f"doctor.{check}.remedy" not in PHRASES] == ["browser"]  # no finding of it asks for anything
    bad = [found(check, **changes) for check, changes in {"disk": {"disk_writable": False}, "clock": {"clock_error_s": None}}.items()]
    assert all(each.line(language).count("doctor.") == 0 for each in bad for language in LANGUAGES)


def test_the_needs_of_a_sweep_are_those_of_its_plan(tmp_path: Path) -> None:
    catalog = load_catalog(scenarios_folder())
    workload = select_workload(catalog, "nightly")
    spec = SweepSpec("two", select_portals(catalog, (), "demo"), workload, 1, tmp_path / "results", workers=2, at_once=3)
    needs = needs_of_sweep(spec, catalog)
    assert (needs.workers, needs.citizens, needs.embedded, needs.names) == (2, 3 * workload.in_flight_ceiling, True, False)
    assert needs.steal_percent == workload.health.steal_percent
    assert needs.disk_bytes is not None
    assert needs.disk_bytes > needs_of_sweep(replace(spec, portals=spec.portals[:3]), catalog).disk_bytes  # type: ignore[operator]
    of_workload = needs_of_workload(workload, workers=2, at_once=3)
    assert of_workload.citizens == needs.citizens
    assert of_workload.arrivals_per_s == pytest.approx(needs.arrivals_per_s, rel=0.01), "planned visits are whole"
    assert not (tmp_path / "results").exists()


def test_this_machine_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy.example.invalid:3128")
    facts = read_machine(tmp_path / "not" / "there", watch_s=0.1)
    assert 1 <= facts.usable <= facts.processors
    assert 0 <= facts.free <= facts.usable
    assert 0 <= facts.stolen_percent <= 100
    assert facts.open_files >= 64
    assert facts.ports > 1000
    assert facts.memory_bytes > 0
    assert (facts.disk, facts.disk_writable, facts.calibration) == (tmp_path, True, "none")
    assert [*tmp_path.iterdir()] == []  # what was tried is removed
    assert "https_proxy" in facts.proxies
    assert "secret" not in repr(facts)


@pytest.mark.parametrize(
    ("files", "quota", "left"),
    [
        ({"group": "0::/a/b\n", "a/cpu.max": "150000 100000", "a/b/cpu.max": "max 100000", "a/b/memory.max": "1000", "a/b/memory.current": "400"}, 1.5, [600]),
        (
            {"group": "4:cpu,cpuacct:/\n3:memory:/m\n0::/\n", "cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000",
             "memory/m/memory.limit_in_bytes": "900", "memory/m/memory.usage_in_bytes": "100", "memory/memory.limit_in_bytes": str(1 << 62), "memory/memory.usage_in_bytes": "100"},
            0.5, [800],
        ),
        ({"group": "0::/\n"}, None, []),
    ],
)  # fmt: skip
def test_limits_of_control_groups_are_read_up_to_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], quota: float | None, left: list[int]
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="ascii")
    monkeypatch.setattr(machine_facts, "_CGROUPS", tmp_path)
    monkeypatch.setattr(machine_facts, "_OWN_GROUPS", tmp_path / "group")
    assert machine_facts._processor_quota() == quota
    assert [*machine_facts._memory_left()] == left


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["--lang", "en", "doctor", "--watch", "0.1", *arguments])


def test_the_command_sends_nothing_and_ends_with_6_where_the_machine_is_unfit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something would have been sent")

    for name in ("connect", "connect_ex", "send", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    done = invoke("--set", "demo", "--workload", "demo", "--workers", "4000", "--results", str(tmp_path))
    assert done.exit_code == EnvironmentFault.exit_code, done.output
    assert "✗ Processors: " in done.output
    assert "error: this machine: doctor is unfit (" in done.output
    assert [*tmp_path.iterdir()] == []


def test_as_json_it_gives_findings_facts_and_needs(tmp_path: Path) -> None:
    done = invoke("--workload", "smoke", "--results", str(tmp_path), "--json")
    assert done.exit_code in (0, EnvironmentFault.exit_code), done.output
    document, _ = json.JSONDecoder().raw_decode(done.output)
    assert [each["check"] for each in document["findings"]] == [each.check for each in check_machine(GOOD, NIGHT)]
    assert {each["fitness"] for each in document["findings"]} <= {*Fitness}
    assert document["machine"]["processors"] >= 1
    assert document["needs"]["citizens"] == 6 * 50


def test_portals_without_a_workload_are_refused() -> None:
    done = invoke("fast")
    assert done.exit_code == UsageError.exit_code
    assert "--workload is none given" in done.output
