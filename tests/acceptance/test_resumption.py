"""Ten times killed at random moments, ten times resumed: nothing that was sealed changes, nothing is measured twice, nothing is forgotten."""

from __future__ import annotations

import csv
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pandas as pd
import psutil
import pytest

from harness.evidence import SweepFolder, Verdict
from harness.evidence.verdict import judge_run
from harness.operations.kept_process import running_process
from harness.operations.locust_run import PID
from harness.operations.signing import make_key
from harness.records import LONE, RoundRecord, WindowRecord, read_plan
from harness.records.sweep_journal import read_journal
from tests.e2e.commands import HARNESS, harness
from tests.e2e.evidence import load, only_folder, unfinished
from tests.e2e.small_catalog import OURS, PAIR, WIDE_HEALTH, criteria, portal, write_files

KILLS = 10
LONGEST_S = 14.0
"""The latest kill after an attempt has begun: a start takes about half of it, a round about as long."""
VICTIMS = (("master",), ("worker",), ("master", "worker"), ("harness",), ("harness", "master"), ("harness", "master", "worker"))
UNEVEN = {"distribution": "lognormal", "sigma": 0.8}
"""Answer times that differ more than a machine does that is busy with other things."""
KEY = ["journey", "visit", "goal", "step", "attempt", "request", "hop"]


def write_catalog(folder: Path) -> None:
    """Two portals with four windows, a distinct pool among their data, and a round that takes few seconds."""
    workload = {
        "id": "night", "name_vi": "Kịch bản thử", "name_en": "Test workload", "shortened": True, "usage": {"per_day": {"search": 0.0}, **OURS},
        "quota_per_window": {"search": 12, "submit": 12, "pay": 4}, "stages": [{"stage": "typical", "windows": 6, "window_s": 3}],
        "in_flight_ceiling": 500, "timeout_s": 10, "patience_s": 20, "drain_s": 36, "health": WIDE_HEALTH,
        "think": {"default": {"median_s": 0.05, "max_s": 0.2}},
    }  # fmt: skip
    files = {
        "portals/pair.yaml": {"portals": [portal("swift", 60, **UNEVEN), portal("sluggish", 240, **UNEVEN)], "sets": {"pair": PAIR}},
        "workloads/night.yaml": workload,
        "criteria/speed-only.yaml": criteria(),
    }
    write_files(folder, files)


def sealed(folder: SweepFolder) -> dict[Path, str]:
    """The digest of every file of the sealed rounds."""
    names = folder.sealed_rounds()
    paths = [*map(folder.round, names), *map(folder.link, names), *map(folder.health, names)]
    paths += [part for name in names for part in folder.samples.rglob(f"part-{name}.parquet")]
    paths += [folder.plan, folder.rules]
    return {path: sha256(path.read_bytes()).hexdigest() for path in paths}


def kill(attempt: subprocess.Popen[bytes], folder: SweepFolder, whom: tuple[str, ...]) -> bool:
    """Kill some processes of an attempt, as soon as they are all there; False where the attempt has ended before."""
    while attempt.poll() is None:
        master = running_process(folder.path / PID)
        with suppress(psutil.NoSuchProcess):
            of_locust = [] if master is None else [master, *master.children(recursive=True)]
            found = {"harness": [psutil.Process(attempt.pid)], "master": of_locust[:1], "worker": of_locust[1:]}
            if all(found[name] for name in whom):
                for process in (process for name in whom for process in found[name]):
                    with suppress(psutil.NoSuchProcess):
                        process.send_signal(signal.SIGKILL)
                return True
        time.sleep(0.1)
    return False


def await_beginning(attempt: subprocess.Popen[bytes], results: Path, attempts: int) -> SweepFolder:
    """Wait until the journal has one more attempt."""
    while attempt.poll() is None:
        for journal in results.glob("*/journal.jsonl"):
            if sum(line.event == "begun" for line in read_journal(journal)) > attempts:
                return SweepFolder(journal.parent)
        time.sleep(0.1)
    return SweepFolder(only_folder(results))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_a_sweep_survives_ten_kills(tmp_path: Path, seed: int) -> None:
    write_catalog(tmp_path / "catalog")
    options = ["--set", "pair", "--workload", "night", "--criteria", "speed-only", "--catalog", "catalog", "--seed", "5"]
    undisturbed = harness(tmp_path, "sweep", *options, "--results", "undisturbed")
    assert undisturbed.code == 0, undisturbed.said
    draws = random.Random(seed)
    command, kept, killed, said = ["sweep", *options, "--results", "results"], {}, [], tmp_path / "said.log"
    while True:
        with said.open("ab") as words:
            attempt = subprocess.Popen([HARNESS, *command], cwd=tmp_path, stdout=words, stderr=subprocess.STDOUT)
        before = len(killed)
        try:
            folder = await_beginning(attempt, tmp_path / "results", len(killed))
            if len(killed) < KILLS:
                time.sleep(draws.uniform(0, LONGEST_S))
                whom = draws.choice(VICTIMS)
                if kill(attempt, folder, whom):
                    killed.append(whom)
            code = attempt.wait(600)
        finally:
            attempt.kill()
            attempt.wait()
        now = sealed(folder)
        assert {path: now.get(path) for path in kept} == kept, killed
        kept = now
        if code == 0:
            break
        assert len(killed) > before, said.read_text(encoding="utf-8")[-6000:]
        command = ["resume", str(folder.path)]
    text = said.read_text(encoding="utf-8")
    assert "Traceback" not in text, text[-6000:]
    assert len(killed) >= KILLS - 2, "it was over before it could be killed"
    assert_measured_once(folder)
    assert_no_row_twice(folder)
    assert_every_dossier_is_known(folder)
    assert_same_scores(folder.scores, only_folder(tmp_path / "undisturbed") / "scores.json")
    assert unfinished(folder.path) == []
    assert not folder.portals.exists()
    public = make_key(tmp_path / "key")
    done = harness(tmp_path, "seal", str(folder.path), "--key", f"file:{tmp_path / 'key'}", "--catalog", "catalog")
    assert done.code == 0, done.said
    verified = harness(tmp_path, "verify", str(folder.path), "--key", str(public), "--catalog", "catalog")
    assert verified.code == 0, verified.said
    again = harness(tmp_path, "resume", str(folder.path))
    assert again.code == 0, again.said
    assert "the sweep is complete: nothing is measured" in again.err


def assert_measured_once(folder: SweepFolder) -> None:
    """Each window of the plan once to its end, and once for each time that it was cut off."""
    plan, rounds = read_plan(folder.plan), folder.rounds()
    planned = Counter((slot.portal, window.window) for each in plan.rounds for slot in each.slots for window in slot.windows)
    whole: Counter[tuple[str, int]] = Counter()
    for round_, portal_, window in every_window(rounds):
        if not round_.is_half_done(window):
            original = window.window if window.make_up_of is None else window.make_up_of
            whole[portal_, 0 if window.stage == LONE else original] += 1
    assert whole == planned
    half = {(portal_, window.window) for round_, portal_, window in every_window(rounds) if round_.is_half_done(window)}
    for portal_ in ("swift", "sluggish"):
        judged = [(window, (portal_, window.window) in half) for window in judge_run(plan, rounds, portal_).windows]
        assert {window.verdict for window, is_half in judged if not is_half and window.stage != LONE} == {Verdict.VALID}
        assert {window.verdict for window, is_half in judged if is_half} <= {Verdict.VOID}


def every_window(rounds: Sequence[RoundRecord]) -> Iterator[tuple[RoundRecord, str, WindowRecord]]:
    for round_ in rounds:
        for slot in round_.slots:
            yield from ((round_, slot.portal, window) for window in slot.windows)


def assert_no_row_twice(folder: SweepFolder) -> None:
    for portal_ in ("swift", "sluggish"):
        rows = pd.concat([pd.read_parquet(part, partitioning=None) for part in folder.parts(portal_)], ignore_index=True)
        assert not rows.duplicated(KEY).any()


def assert_every_dossier_is_known(folder: SweepFolder) -> None:
    """What the portals have stored is withdrawn, or stands in the list for their operators."""
    listed = folder.path / "not-withdrawn.csv"
    rows = list(csv.DictReader(listed.read_text(encoding="utf-8-sig").splitlines())) if listed.is_file() else []
    facts, counted = load(folder.path / "withdrawals.json"), load(folder.counted)
    for portal_ in ("swift", "sluggish"):
        of_list = {row["code"] for row in rows if row["portal"] == portal_}
        withdrawn = {item["code"] for item in facts["outcomes"] if item["portal"] == portal_ and item["withdrawn"]}
        assert not of_list & withdrawn
        assert len(of_list | withdrawn) == counted[portal_]["dossiers"] > 0


def assert_same_scores(one: Path, other: Path) -> None:
    """The points of both lie within each other's intervals."""
    scores: list[Mapping[str, dict[str, object]]] = [{each["portal"]: each for each in load(path)["scores"]} for path in (one, other)]
    for name in ("swift", "sluggish"):
        (low, high), (other_low, other_high) = (of[name]["interval"] for of in scores)  # type: ignore[misc]
        assert {of[name]["verdict"] for of in scores} == {"valid"}
        assert low <= other_high
        assert other_low <= high
