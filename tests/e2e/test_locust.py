"""Plain Locust on the scenarios: nothing else started, nothing reachable from outside, nothing lost however it ends."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import httpx
import pytest

from harness.errors import UsageError
from harness.operations.shipped import scenarios_folder
from harness.records.live_state import read_live
from tests.e2e.commands import LOCUST, free_port, invoke, run, spooled, started
from tests.e2e.evidence import assert_sealed, ledger, load, only_folder, rows, steps
from tests.e2e.small_catalog import workload, write_files

JOURNEYS = {"Search", "Submit", "Pay"}
ENOUGH_BYTES = 30_000
ENOUGH_VISITS = 12  # of four users of two workers: each worker has begun some


def test_three_journeys_are_listed(tmp_path: Path) -> None:
    finished = run([*LOCUST, "--list"], tmp_path)
    assert finished.code == 0, finished.said
    _, _, listed = finished.out.partition("Available Users:")
    assert set(listed.split()) == JOURNEYS
    assert list(tmp_path.iterdir()) == []


def test_twenty_users_cover_all_journeys_without_a_failure(tmp_path: Path) -> None:
    finished = run([*LOCUST, "--headless", "--only-summary", "-u", "20", "-r", "10", "-t", "12s"], tmp_path)
    assert finished.code == 0, finished.said
    spawned = re.search(r'"Pay": (\d+), "Search": (\d+), "Submit": (\d+)\}', finished.err)
    assert spawned, finished.said
    assert all(int(users) > 0 for users in spawned.groups())
    assert re.search(r"Aggregated +\d+ +0\(0\.00%\)", finished.out + finished.err), finished.said
    folder = only_folder(tmp_path / "results")
    assert_sealed(folder, {"ordinary"})
    found = rows(folder, "ordinary")
    sent = found[found["start_us"] > 0].groupby("journey").size().to_dict()
    assert set(sent) == {name.lower() for name in JOURNEYS}
    assert set(found["outcome"]) <= {"ok", "skipped", "aborted"}
    assert load(folder / "manifests" / "ordinary.json")["reasons"][0]["code"] == "closed_workload"
    place, requests = f"results/{folder.name}", int((found["start_us"] > 0).sum())
    assert finished.err.splitlines()[-1].endswith(
        f"kept in {place}: {requests} requests of {found['visit'].nunique()} visits at ordinary. A closed run gets no points:"
        f" name a workload (--workload) for those. Its report: harness report {place}"
    )


LOADED_ALONE = (LOCUST[0], "-f", str(scenarios_folder() / "search.py"))
NOBODY = "workload tiny: journeys is pay, submit, which nobody walks; expected journeys that a loaded class walks: search."
NO_TAG = "command line: tags is -T a-tag; expected tags that leave a journey; there are file, find, pay, search, submit, track."


@pytest.mark.parametrize(("command", "told"), [(LOADED_ALONE, NOBODY), ((*LOCUST, "-T", "a-tag"), NO_TAG)])
def test_an_open_workload_names_the_journeys_that_nobody_walks(tmp_path: Path, catalog: Path, command: tuple[str, ...], told: str) -> None:
    """Before: KeyError, or 476,198 tracebacks in 85 s. Journeys that whoever starts Locust has left out are another matter."""
    finished = run([*command, "--headless", "--portal", "swift", "--workload", "tiny", "--catalog", str(catalog)], tmp_path)
    assert finished.code == UsageError.exit_code, finished.said
    assert told in finished.err
    assert "Traceback" not in finished.out + finished.err
    assert not (tmp_path / "results").exists(), "nothing was measured"


@pytest.mark.parametrize(
    "where", ["-H", pytest.param("--workload smoke -H", marks=pytest.mark.slow), pytest.param("locust.conf", marks=pytest.mark.slow)]
)
def test_a_host_that_is_not_loaded_is_refused(tmp_path: Path, where: str) -> None:
    options = [] if where == "locust.conf" else [*where.split(), "http://127.0.0.1:9"]
    if not options:
        (tmp_path / "locust.conf").write_text("host = http://127.0.0.1:9\n", encoding="utf-8")
    done = run([*LOCUST, "--headless", "-u", "1", "-t", "3s", *options], tmp_path)
    assert done.code == 2, done.said
    assert (
        "host is http://127.0.0.1:9; expected no host: what is loaded is ordinary (embedded, on a free port of this machine)."
        " Leave the host out. --portal (Portal in the form) chooses what is loaded"
    ) in done.said
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    "options", [["Search"], *(pytest.param(each, marks=pytest.mark.slow) for each in (["-T", "search"], ["-E", "file"]))]
)
def test_a_class_or_a_tag_leaves_journeys_out_and_the_files_of_locust_have_steps(tmp_path: Path, options: list[str]) -> None:
    write_files(tmp_path / "catalog", {"workloads/both.yaml": workload("both", 2, {"search": 6, "submit": 2})})
    files = ["--csv", "out/both", "--html", "out/both.html", "--json"]
    finished = run([*LOCUST, *options, *files, "--headless", "--portal", "fast", "--workload", "both", "--catalog", "catalog"], tmp_path)
    assert finished.code == 0, finished.said
    assert "you left out submit: their citizens do not arrive, and workload both is not loaded whole" in finished.err
    assert "-r is ignored" not in finished.err, "nobody has given it"
    found = rows(only_folder(tmp_path / "results"), "fast")
    assert set(found["journey"]) == {"search"}
    assert set(found["outcome"]) == {"ok"}
    walked = {
        f"search: {goal}/{step}": count
        for (goal, step), count in found[found["step"] != ""].groupby(["goal", "step"])["visit"].nunique().items()
    }
    assert min(walked.values()) == 7, "six visits, and a lone citizen before them"
    with (tmp_path / "out" / "both_stats.csv").open(encoding="utf-8") as table:
        in_csv = {(row["Type"], row["Name"]): int(row["Request Count"]) for row in csv.DictReader(table)}
    assert in_csv == {**{("step", name): count for name, count in walked.items()}, ("", "Aggregated"): sum(walked.values())}
    assert {(each["method"], each["name"]): each["num_requests"] for each in json.loads(finished.out)} == {
        ("step", name): count for name, count in walked.items()
    }
    folder = only_folder(tmp_path / "results")
    kept = f"kept in results/{folder.name}: {len(found)} requests of 7 visits at fast."
    score = ["score", f"results/{folder.name}", "--catalog", "catalog"]
    assert finished.err.splitlines()[-1].endswith(f"{kept} Score it: harness {' '.join(score)}")
    scores = invoke(tmp_path, *score, "--json").out
    assert "average-search" in scores
    assert "journey_not_chosen: nobody was sent on submit" in scores, "no criterion is scored without a journey that it needs"
    report = (tmp_path / "out" / "both.html").read_text(encoding="utf-8")
    assert all(name in report for name in walked)


@pytest.mark.slow
def test_the_class_picker_chooses_journeys_open_and_closed(tmp_path: Path, catalog: Path) -> None:
    """By the requests of the page's form, with two workers. Before: the picker took the arrivals away from an open workload."""
    port, web = free_port(), free_port()
    command = [
        *LOCUST, "--class-picker", "--processes", "2", "--master-bind-port", port, "--master-port", port, "--web-port", web,
        "--catalog", str(catalog), "--portal", "swift",
    ]  # fmt: skip
    results, page = tmp_path / "results", f"http://127.0.0.1:{web}"

    def begun(folder: Path) -> int:
        state = read_live(folder)
        return 0 if state is None else state.arrivals_begun

    def form(workload: str, *classes: str) -> dict[str, object]:
        return {"user_count": "4", "spawn_rate": "4", "portal": "swift", "workload": workload, "seed": "1", "user_classes": [*classes]}

    with started(command, tmp_path) as locust:
        locust.until(lambda: "2 workers connected" in locust.said, "two workers")
        for workload, classes in (("steady", ["Submit", "Pay"]), ("", ["Search"])):
            assert httpx.post(f"{page}/swarm", data=form(workload, *classes), timeout=60).json()["success"]
            pattern = f"*-swift-{workload or 'closed'}-1"
            locust.until(lambda pattern=pattern: any(results.glob(pattern)), "a folder")
            (folder,) = results.glob(pattern)
            locust.until(lambda folder=folder: begun(folder) >= ENOUGH_VISITS, "visits of both workers")
            assert httpx.post(f"{page}/swarm", data=form(workload, *classes), timeout=60).json()["success"], (
                "the form's Edit, while it runs"
            )
            httpx.post(f"{page}/stop", timeout=120)
            locust.until(lambda folder=folder: f"kept in results/{folder.name}: " in locust.said, "the line on what was kept")
            found = rows(folder, "swift")
            assert set(found["journey"]) == {each.lower() for each in classes}
            assert found["worker"].nunique() == 2
        locust.interrupt()
        assert locust.ended() == 0, locust.said
    assert "you left out search: their citizens do not arrive, and workload steady is not loaded whole" in locust.said
    assert locust.errors == []


def test_two_processes_on_loopback_alone_ended_by_ctrl_c(tmp_path: Path, catalog: Path) -> None:
    port = free_port()
    command = [
        *LOCUST, "--headless", "--only-summary", "--processes", "2", "--master-bind-port", port, "--master-port", port,
        "--catalog", str(catalog), "--portal", "swift", "--workload", "steady", "-u", "30",
    ]  # fmt: skip
    with started(command, tmp_path) as locust:
        locust.until(lambda: spooled(tmp_path / "results", ENOUGH_BYTES), "rows")
        listening = locust.listening()
        locust.interrupt()
        assert locust.ended() == 0, locust.said
    assert {address for address, _ in listening} == {"127.0.0.1"}
    assert int(port) in {number for _, number in listening}
    folder = only_folder(tmp_path / "results")
    assert_sealed(folder, {"swift"})
    assert rows(folder, "swift")["worker"].nunique() == 2
    counted = load(folder / "counted.json")["swift"]
    assert counted["dossiers"] == int(steps(folder, "swift", "submit")["ok"].sum()) == ledger(folder, "swift")["dossier"]
    assert locust.errors == []
