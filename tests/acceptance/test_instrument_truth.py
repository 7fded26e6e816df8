"""The instrument against the truth: freezes, accuracy, blame, loss of workers, memory (issue: the instrument). Takes minutes.

Timings are this test's subject, so it wants the machine to itself: ``make acceptance``, not ``make test``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from harness.catalog import Portal
from harness.catalog.workload import HealthLimits
from harness.evidence import SweepFolder, Verdict
from harness.operations.calibration.instrument import judge, negative_controls
from harness.operations.calibration.known_delays import Case, CaseResult, measure_case, measure_undisturbed
from harness.operations.embedded import EmbeddedPortals, separate_processors
from harness.operations.shipped import shipped_catalog
from harness.records.files import read_json
from harness.scoring import PortalIdentity
from harness.statistics.percentile import percentile
from tests.scoring.evening import score_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

FREEZES = {"first_at_s": 10, "every_s": 10, "duration_s": 2}
FROZEN = {"distribution": "constant", "median_ms": 5, "sigma": 0, "servers": 0, "freezes": FREEZES}


@pytest.fixture(scope="module")
def portal() -> Portal:
    return shipped_catalog(None).portals["calibration"]


def measured_us(observation: CaseResult) -> np.ndarray:
    """From the intended arrival to the last byte."""
    return (observation.pairs["end_us"] - observation.pairs["intended_us"]).to_numpy()


def served_in_us(observation: CaseResult) -> np.ndarray:
    """From the request's arrival at the server to its last byte handed over."""
    return (observation.pairs["served_us"] - observation.pairs["arrival_us"]).to_numpy()


def exact_ms(values_us: np.ndarray, percent: float) -> float:
    found = percentile(values_us.astype(float), percent, floor=False)
    assert found is not None
    return found / 1000


def test_a_freeze_is_seen_whole_and_plain_locust_does_not_see_it(tmp_path: Path, portal: Portal) -> None:
    """5 ms of service, a 2 s freeze every 10 s, 100 arrivals/s for 40 s: p95 and p99 within 1 % of the schedule's truth."""
    observation = measure_undisturbed(Case("freeze", FROZEN, 100, 40, "constant"), portal, tmp_path)
    intended = observation.pairs["planned_us"].to_numpy()
    since = (intended - observation.freezes_from_us) / 1e6
    served_at = since + 0.005
    for begin in np.arange(FREEZES["first_at_s"], served_at.max() + 10, FREEZES["every_s"]):
        end = begin + FREEZES["duration_s"]
        arrived_in = (since >= begin) & (since < end)
        ends_in = (since < begin) & (served_at > begin)
        served_at = np.where(arrived_in, end + 0.005, np.where(ends_in, end, served_at))
    true_us = (served_at - since) * 1e6
    for percent in (95, 99):
        measured, true = exact_ms(measured_us(observation), percent), exact_ms(true_us, percent)
        print(f"freeze p{percent}: measured {measured:.1f} ms, true {true:.1f} ms, error {100 * (measured / true - 1):+.2f} %")
        assert measured == pytest.approx(true, rel=0.01)
    plain = {users: plain_locust_p95_ms(tmp_path, portal, users) for users in (10, 300)}
    print(f"plain Locust, constant_throughput, p95: 10 users {plain[10]:.0f} ms, 300 users {plain[300]:.0f} ms")
    assert plain[10] < 100  # ten users wait out the freeze: almost nobody reports it


def plain_locust_p95_ms(tmp_path: Path, portal: Portal, users: int) -> float:
    """What `locust` alone reports for the same portal at 100 requests/s: FastHttpUser with constant_throughput."""
    frozen = portal.model_copy(update={"personality": FROZEN})
    embedded = EmbeddedPortals.start([frozen], seed=1, cpu=separate_processors()[1])
    try:
        locustfile = tmp_path / "plain.py"
        locustfile.write_text(
            textwrap.dedent(f"""
                from locust import FastHttpUser, constant_throughput, task
                class Plain(FastHttpUser):
                    host = "{embedded.origins(portal.id)["portal"]}"
                    wait_time = constant_throughput({100 / users})
                    @task
                    def ask(self):
                        self.client.get("/truth/plain-1", name="ask")
            """),
            encoding="utf-8",
        )
        command = [
            sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", "-u", str(users), "-r", str(users), "-t", "40s", "--only-summary",
            "--stop-timeout", "5", "--json",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120)
        times: dict[str, int] = json.loads(done.stdout)[0]["response_times"]
    finally:
        embedded.stop()
    ordered = np.repeat([float(ms) for ms in times], list(times.values()))
    return exact_ms(np.sort(ordered) * 1000, 95)


def test_percentiles_and_single_requests_are_right(tmp_path: Path, portal: Portal) -> None:
    """100 arrivals/s, log-normal, median 100 ms: within 1 %, request by request, and one row for every line of the server's log."""
    case = Case("accuracy", {"distribution": "lognormal", "median_ms": 100, "sigma": 0.5, "servers": 0}, 100, 60)
    observation = measure_undisturbed(case, portal, tmp_path)
    assert len(observation.rows) == len(observation.truth) == len(observation.pairs) == observation.planned
    for percent in (50, 95, 99):
        measured, true = exact_ms(measured_us(observation), percent), exact_ms(served_in_us(observation), percent)
        print(f"accuracy p{percent}: measured {measured:.2f} ms, true {true:.2f} ms, error {100 * (measured / true - 1):+.2f} %")
        assert measured == pytest.approx(true, rel=0.01)
    health = observation.round_.slots[0].windows[0].health
    errors_us = np.abs(measured_us(observation) - served_in_us(observation))
    allowed_us = max(health.late_max_us, health.lag_max_us) + 1000
    print(f"largest error of a request {errors_us.max() / 1000:.2f} ms; the window's lateness and lag allow {allowed_us / 1000:.2f} ms")
    assert errors_us.max() <= allowed_us


def test_calibration_fails_when_it_should(tmp_path: Path, portal: Portal) -> None:
    case = Case("controls", {"distribution": "lognormal", "median_ms": 100, "sigma": 0.5, "servers": 0}, 100, 20)
    observation = measure_undisturbed(case, portal, tmp_path)
    assert [f.figure for f in judge(observation) if not f.within] == []
    for name, spoilt in negative_controls(observation).items():
        beyond = [finding.figure for finding in judge(spoilt) if not finding.within]
        print(f"{name}: {', '.join(beyond)}")
        assert beyond, name


def workers_of(locust: int) -> list[psutil.Process]:
    """The generator processes below a Locust master."""
    return sorted((p for p in psutil.Process(locust).children() if "locust" in " ".join(p.cmdline())), key=lambda p: p.pid)


def wait_for_spool(folder: SweepFolder, name: str) -> None:
    end_s = time.monotonic() + 90
    while time.monotonic() < end_s:
        path = folder.spool(name)
        if path.exists() and path.stat().st_size > 3_000:
            return
        time.sleep(0.05)
    raise AssertionError(f"round {name} never came")


RESTLESS = HealthLimits(steal_percent=60.0)  # who is to blame is the subject below, and a stolen processor voids too
STEADY = {"distribution": "constant", "median_ms": 50, "sigma": 0, "servers": 0}


def test_a_killed_worker_voids_its_window_and_no_other(tmp_path: Path, portal: Portal) -> None:
    def kill(folder: SweepFolder, locust: int) -> None:
        wait_for_spool(folder, "001-00")
        workers_of(locust)[0].send_signal(signal.SIGKILL)

    case = Case("killed", STEADY, 40, 6, rounds=3, drain_s=5, timeout_s=5)
    observation = measure_case(case, portal, tmp_path, workers=2, during=kill, health=RESTLESS)
    verdicts = {w.round: (w.verdict, [r.code for r in w.reasons]) for w in observation.facts.windows}
    print(verdicts)
    assert verdicts[0][0] is Verdict.VALID
    assert verdicts[1][0] is Verdict.VOID
    assert "worker_lost" in verdicts[1][1]
    assert verdicts[2][0] is Verdict.VALID
    assert observation.rows.groupby("window", observed=True).size().get(2, 0) > 0  # what the other worker measured is there


def test_a_silent_worker_voids_its_window_and_the_next_is_whole(tmp_path: Path, portal: Portal) -> None:
    def suspend(folder: SweepFolder, locust: int) -> None:
        wait_for_spool(folder, "000-00")
        worker = workers_of(locust)[0]
        worker.send_signal(signal.SIGSTOP)
        time.sleep(6)  # the silence that is tested
        worker.send_signal(signal.SIGCONT)

    case = Case("silent", STEADY, 40, 12, rounds=2, drain_s=5, timeout_s=5)
    observation = measure_case(case, portal, tmp_path, workers=2, during=suspend, health=RESTLESS)
    verdicts = {w.round: (w.verdict, [r.code for r in w.reasons]) for w in observation.facts.windows}
    print(verdicts)
    assert verdicts[0][0] is Verdict.VOID
    assert "worker_silent" in verdicts[0][1]
    assert verdicts[1][0] is Verdict.VALID
    second = observation.visits[observation.visits["round"] == 1]
    assert len(second) == sum(w["planned"] for w in read_json(observation.folder.round("001-00"))["slots"][0]["windows"])


def test_a_saturated_generator_is_void_and_not_a_slow_portal(tmp_path: Path, portal: Portal) -> None:
    case = Case("saturated", {**STEADY, "median_ms": 1}, 6_000, 6, drain_s=20, timeout_s=20)
    observation = measure_case(case, portal, tmp_path)
    (window,) = observation.facts.windows
    print([f"{r.code}: {r.detail}" for r in window.reasons])
    assert window.verdict is Verdict.VOID
    assert "generator_saturated" in [reason.code for reason in window.reasons]


def test_a_freezing_portal_is_scored_low_and_not_excused(tmp_path: Path, portal: Portal) -> None:
    freezing = {**STEADY, "freezes": {"first_at_s": 0, "every_s": 0, "duration_s": 100}}
    shown = {}
    for name, personality in (("steady", STEADY), ("freezing", freezing)):
        observation = measure_case(Case(name, personality, 50, 60, drain_s=70, timeout_s=60), portal, tmp_path, health=RESTLESS)
        criteria = shipped_catalog(None).criteria["473-QD-BTTTT-2024"].shortened(min_windows=1, min_n=1)
        card = score_run(
            pd.concat([observation.rows, observation.visits], ignore_index=True),
            observation.facts,
            criteria,
            PortalIdentity(portal.id, "", "", "sample"),
        )
        shown[name] = (card.verdict, {c.id: c.points for c in card.criteria if c.points is not None})
    print(shown)
    assert shown["freezing"][0] is Verdict.VALID
    assert shown["steady"][1]["average-search"] == 2
    assert shown["freezing"][1]["average-search"] == 0


def test_memory_does_not_grow_with_the_run(tmp_path: Path, portal: Portal) -> None:
    """10 minutes at 200 requests a second: master and worker grow by less than 50 MB after the first minute."""
    sizes: dict[int, list[int]] = {}

    def watch(folder: SweepFolder, locust: int) -> None:
        wait_for_spool(folder, "000-00")
        began_s = time.monotonic()
        while time.monotonic() - began_s < 595:
            for process in (psutil.Process(locust), *workers_of(locust)):
                sizes.setdefault(process.pid, []).append(process.memory_info().rss)
            time.sleep(5)

    observation = measure_case(Case("memory", STEADY, 200, 600), portal, tmp_path, during=watch)
    assert len(observation.rows) == len(observation.truth)
    for process, seen in sizes.items():
        growth = max(seen[12:]) - seen[11]
        print(f"process {process}: {seen[11] / 1e6:.1f} MB after a minute, at most {growth / 1e6:+.1f} MB later")
        assert growth < 50e6
    assert len(sizes) == 2
    assert os.getpid() not in sizes
