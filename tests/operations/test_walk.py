"""`harness walk`: every request on a line, one line a portal for a set, and what is there where it fails."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from harness.catalog import load_catalog

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def walk(*arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.cli", "walk", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)


def test_each_request_is_a_line_and_dossiers_are_withdrawn(tmp_path: Path) -> None:
    done = walk("fast", "--save-pages", str(tmp_path / "pages"))
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "fast  Cổng mẫu – nhanh  (liferay, on the simulator)"
    journeys = [line.split(":")[0].strip() for line in lines if re.fullmatch(r"  \w+: .*", line)]
    assert journeys == ["search", "pay", "submit"]
    requests = [line for line in lines if re.search(r"(GET|POST) +http://127\.0\.0\.1:\d+/", line)]
    assert len(requests) > 40
    assert all(re.search(r"\d{3}  \d+ ms  hop \d", line) for line in requests)
    assert any("receipt = H" in line for line in lines)
    assert any("holds: status 2xx" in line for line in lines)
    receipt = next(line.partition(" = ")[2] for line in lines if "receipt = H" in line)
    assert any("holds: " in line and f"text '{{{{ receipt }}}}': '{receipt}'" in line for line in lines)
    assert sum("withdrawn = Đã rút hồ sơ" in line for line in lines) == 2
    assert len(list((tmp_path / "pages").iterdir())) == len(requests)
    assert lines[-1] == "1 of 1 portals walked"


def test_a_failure_stops_and_says_what_is_there(tmp_path: Path) -> None:
    profile = yaml.safe_load((SCENARIOS / "platforms" / "liferay.yaml").read_text(encoding="utf-8"))
    profile["goals"]["file"]["steps"][2]["requests"][0]["form"]["from_page"] = "form#aplicant"
    (tmp_path / "platforms").mkdir()
    (tmp_path / "platforms" / "liferay.yaml").write_text(yaml.safe_dump(profile, allow_unicode=True), encoding="utf-8")
    done = walk("fast", "--journey", "submit", "--catalog", str(tmp_path))
    assert done.returncode == 7
    assert "FAILED  file/fill_in: extraction: the page has no form form#aplicant" in done.stdout
    there = done.stdout.partition("there is:")[2].splitlines()
    forms = [line.strip() for line in there if line.strip().startswith("form")]
    assert forms[0].startswith("form#applicant POST /web/dich-vu-cong/nop-ho-so/nguoi-nop")
    assert "_hoso_WAR_dvcportlet_hoTen=" in forms[0]
    assert "file/attach" not in done.stdout


def test_a_dossier_that_cannot_be_withdrawn_fails_the_walk(tmp_path: Path) -> None:
    profile = yaml.safe_load((SCENARIOS / "platforms" / "liferay.yaml").read_text(encoding="utf-8"))
    profile["goals"]["withdraw"]["steps"][-1]["requests"][-1]["form"]["from_page"] = "form#withdrawal"
    (tmp_path / "platforms").mkdir()
    (tmp_path / "platforms" / "liferay.yaml").write_text(yaml.safe_dump(profile, allow_unicode=True), encoding="utf-8")
    done = walk("fast", "--catalog", str(tmp_path))
    assert done.returncode == 7, done.stdout + done.stderr
    assert "could not be withdrawn" in done.stdout
    assert "0 of 1 portals walked" in done.stdout
    assert "  submit: " not in done.stdout  # the walk stops before it files another one


def test_a_portal_that_refuses_is_named_as_such() -> None:
    done = walk("refusing", "--journey", "search")
    assert done.returncode == 7
    assert "FAILED  find/search: blocked: firewall" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("2024", 84), ("provinces-2025", 34)])
def test_every_portal_of_a_set_walks_all_journeys(name: str, count: int) -> None:
    done = walk("--set", name, timeout_s=180)  # the limit is part of what is promised: under three minutes
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    portals = load_catalog(SCENARIOS).portals
    lines = done.stdout.splitlines()
    assert len(lines) == count + 1
    seen = {line.split()[0]: line.split()[1] for line in lines[:-1]}
    assert all(portals[portal].embedded_platform == family for portal, family in seen.items())
    assert len(set(seen.values())) == 6
    assert all(line.endswith("search ok  pay ok  submit ok") for line in lines[:-1])
