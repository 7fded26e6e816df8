"""The command `harness probe` against a site of its own: who is to blame for each failure, and how a signal ends it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.records.probe_history import read_history
from harness.statistics.keyed import keyed_random
from tests.html_site import HtmlHandler, serving

ANSWERS = {
    "ok": (200, "<p>Kết quả</p>"), "broken": (502, "<p>x</p>"), "other": (200, "<p>x</p>"), "many": (429, "<p>x</p>"),
    "maintenance": (503, "<title>Hệ thống bảo trì</title>"),
}  # fmt: skip


class Site(HtmlHandler):
    """Answers as the first part of the address says."""

    def do_GET(self) -> None:
        if self.path.startswith("/hang"):
            threading.Event().wait(60)
        status, body = ANSWERS[self.path.split("/")[1]]
        self.answer(body, status)


def write_catalog(folder: Path, port: int) -> None:
    names = [*ANSWERS, "gone", "hang"]
    portals = ", ".join(
        f"{{id: {name}, name_vi: x, name_en: x, level: sample, platform: {name}, platform_basis: a test, embedded_platform: {name}}}"
        for name in names
    )
    files = {"portals/p.yaml": f"portals: [{portals}]"}
    for name in names:
        files[f"platforms/{name}.yaml"] = f"""{{id: {name}, name_vi: x, name_en: x, known_from: {{source: a test}},
            absent: {{file: a, pay: a, track: a, withdraw: a}}, goals: {{find: {{gives: {{procedure: "1"}}, steps: [{{step: search,
            requests: [{{get: "{{{{ origin.portal }}}}/{name}/", expect: {{require_text: "Kết quả"}}}}]}}]}}}}}}"""
        files[f"authorisations/{name}.yaml"] = f"""{{id: of-{name}, portal: {name}, reference: own machine, granted_by: x,
            valid_from: 2020-01-01T00:00:00+07:00, valid_to: 2100-01-01T00:00:00+07:00, citizens_in_flight_max: 1, requests_per_s_max: 9,
            hosts: [{{origin: "http://127.0.0.1:{1 if name == "gone" else port}"}}]}}"""
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")


@pytest.mark.slow
def test_probes_say_whose_they_are_and_a_signal_ends_them_in_order(tmp_path: Path) -> None:
    with serving(Site) as port:
        write_catalog(tmp_path / "catalog", port)
        seed = next(seed for seed in range(10_000) if keyed_random(seed, "probe", 0, "moment").random() < 0.01)
        command = [
            sys.executable, "-m", "harness.cli", "probe", *ANSWERS, "gone", "--every", "10s", "--seed", str(seed), "--json",
            "--catalog", "catalog",
        ]  # fmt: skip
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as probing:
            assert probing.stdout is not None
            assert probing.stderr is not None
            lines = [json.loads(probing.stdout.readline()) for _ in range(len(ANSWERS) + 1)]
            second = subprocess.run(
                [*command[:3], "probe", "ok", *command[-2:], "--once"], cwd=tmp_path, capture_output=True, text=True, check=False
            )
            probing.send_signal(signal.SIGTERM)
            assert "Traceback" not in probing.stderr.read()
    assert probing.returncode == 0
    assert (second.returncode, second.stderr.count("\n")) == (6, 1)
    assert "in use by another prober" in second.stderr
    found = {line["portal"]: line for line in lines}
    assert {name: (line["blame"], line["status"]) for name, line in found.items()} == {
        "ok": ("nobody", 0), "broken": ("portal", 502), "other": ("unexplained", 200), "many": ("blocked", 429),
        "maintenance": ("maintenance", 503), "gone": ("portal", 0),
    }  # fmt: skip
    well = found["ok"]
    assert (well["outcome"], well["requests"], well["authorisation"], well["addresses"]) == ("ok", 1, "of-ok", ["127.0.0.1"])
    assert 0 < well["duration_s"] < 60
    assert (found["other"]["step"], found["gone"]["outcome"]) == ("search", "connect")
    assert "Kết quả" in found["other"]["rule"]
    for name, line in found.items():
        (kept,) = read_history(tmp_path / "results" / "availability" / f"{name}.jsonl")
        assert kept.line().decode() == json.dumps(line, ensure_ascii=False, sort_keys=True)


@pytest.mark.slow
def test_a_portal_that_hangs_fails_within_its_patience_and_keeps_no_other_waiting(tmp_path: Path) -> None:
    impatient = "from harness.operations import probe; probe.PATIENCE_S = 0.5; from harness.cli import main; main()"
    with serving(Site) as port:
        write_catalog(tmp_path / "catalog", port)
        done = subprocess.run(
            [sys.executable, "-c", impatient, "probe", "hang", "ok", "--once", "--json", "--catalog", "catalog"],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=50,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    hangs, well = map(json.loads, done.stdout.splitlines())
    assert (hangs["outcome"], hangs["blame"], hangs["rule"]) == ("timeout", "portal", "the portal had 0.5 s for the answers of one visit")
    assert (well["outcome"], well["blame"]) == ("ok", "nobody")
