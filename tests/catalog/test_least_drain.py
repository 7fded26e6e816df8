"""A drain is long enough for every visit whose portal keeps within the workload's patience; less is refused with the number that would do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.catalog import Platform, load_catalog, read_catalog
from harness.catalog.least_drain import least_drain, longest_waits_s
from harness.catalog.workload import Think, Workload
from harness.errors import CatalogError

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
POLLING = """
id: polling
name_vi: x
name_en: x
known_from: {source: a test}
absent: {pay: none here, track: none here}
flows:
  by_phone:
    - {get: "{{ origin.portal }}/code", poll: {until: {require_text: x}, limit_s: 7}, repeat: {times: 2}}
goals:
  find:
    gives: {procedure: "1"}
    steps:
      - {step: search, requests: [{get: "{{ origin.portal }}/"}]}
      - {step: open_procedure, think: read, requests: [{get: "{{ origin.portal }}/"}]}
  file:
    gives: {receipt: "1"}
    steps:
      - {step: log_in, think: unnamed, use: by_phone}
      - step: submit
        repeat: {times: 3}
        requests: [{get: "{{ origin.portal }}/state", poll: {until: {require_text: x}, limit_s: 5}}]
  withdraw:
    gives: {withdrawn: "1"}
    steps:
      - step: withdraw
        think: read
        requests: [{get: "{{ origin.portal }}/state", poll: {until: {require_text: x}, limit_s: 500}}]
"""
THINKS = {"default": Think(median_s=1, max_s=2), "read": Think(median_s=1, max_s=6)}
READ, UNNAMED, BETWEEN_GOALS, POLLS = 6, 2, 3 * 6, 2 * 7 + 3 * 5


def polling() -> Platform:
    return Platform.model_validate(yaml.safe_load(POLLING))


def facts(**changes: Any) -> dict[str, Any]:
    return {
        "id": "w", "name_vi": "w", "name_en": "w", "stages": [{"stage": "typical"}],
        "usage": {"per_day": {"search": 86_400}, "basis": "assumed", "source": "a test"}, **changes,
    }  # fmt: skip


def test_the_longest_waits_are_those_of_a_visit_that_pursues_every_goal() -> None:
    assert longest_waits_s(polling(), THINKS) == READ + UNNAMED + BETWEEN_GOALS + POLLS
    assert longest_waits_s(polling(), {}) == POLLS


def test_the_least_drain_is_waits_patience_and_one_timeout() -> None:
    workload = Workload.model_validate(facts(patience_s=50, timeout_s=10.04, think={"default": {"median_s": 1, "max_s": 2}}))
    waits_s = 2 + 2 + 3 * 2 + POLLS
    assert least_drain(workload, [polling()]) == (
        waits_s + 50 + 10.1,
        "39 s of thinks and polls on platform polling + patience_s 50 + timeout_s 10.04",
    )
    assert least_drain(workload, [])[0] == 60.1


def write(folder: Path, **changes: Any) -> Path:
    (folder / "workloads").mkdir(parents=True)
    text = "\n".join(f"{name}: {json.dumps(value)}" for name, value in facts(**changes).items())  # JSON is YAML
    (folder / "workloads" / "w.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_drain_that_is_too_short_is_refused_with_the_number_that_would_do(tmp_path: Path) -> None:
    """``default``: ten thinks in a visit at most; three seconds of polls."""
    keys = {"timeout_s": 10, "patience_s": 20, "think": {"default": {"median_s": 1, "max_s": 1}}}
    folder = write(tmp_path / "short", **keys, drain_s=44.9)
    _, (problem,) = read_catalog(SCENARIOS, folder)
    assert (problem.file, problem.line) == (str(folder / "workloads" / "w.yaml"), 9)
    assert (problem.key, problem.value) == ("drain_s", "44.9")
    assert problem.expected == "at least 45: 15 s of thinks and polls on platform opencps + patience_s 20 + timeout_s 10"
    with pytest.raises(CatalogError, match=r"drain_s is 44\.9; expected at least 45"):
        load_catalog(SCENARIOS, folder)
    assert read_catalog(SCENARIOS, write(tmp_path / "enough", **keys, drain_s=45))[1] == []


def test_a_platform_with_long_polls_asks_for_more(tmp_path: Path) -> None:
    folder = write(tmp_path, patience_s=20, timeout_s=10, drain_s=40)
    (folder / "platforms").mkdir()
    (folder / "platforms" / "polling.yaml").write_text(POLLING, encoding="utf-8")
    _, problems = read_catalog(SCENARIOS, folder)
    (mine,) = [problem for problem in problems if problem.file.endswith("w.yaml")]
    assert mine.expected.startswith("at least 59: 29 s of thinks and polls on platform polling")


def test_a_drain_that_the_file_leaves_out_is_long_enough_for_the_shipped_platforms(tmp_path: Path) -> None:
    assert read_catalog(SCENARIOS, write(tmp_path))[1] == []
