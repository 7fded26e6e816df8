"""What Prometheus is told of a results folder: read by Prometheus' own parsers, current or silent, with points only once they are there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from harness import publish
from harness.publish.metrics_page import METRICS, MOST_SWEEPS, SILENT_FOR_S, metrics_page
from harness.records.live_state import LIVE_JSON, NO_NEWS_AFTER_S, LiveCriterion, LiveState
from harness.records.live_steps import BOUNDS_S, LiveStep, LiveSteps, write_steps
from tests.programs import require_programs
from tests.publish.live import live_state, write_state
from tests.publish.served import served

NOW = datetime.now(UTC)
HOSTILE = 'cổng"\n# HELP x\\{}\u202e'
OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
OUTCOMES = {"visits_ok": 90, "visits_timeout": 3, "requests_ok": 800, "requests_http_error": 4, "visits_made_up": 9}
CRITERIA = (
    LiveCriterion("average-search", "mean", "s", 4.0, 2.5, 10.0),
    LiveCriterion("correct", "ok_rate of visits", "%", 2.0, 99.5, 90.0),
    LiveCriterion("sustained", "sustained(p90 <= 10 s)", "visits/s", 2.0, None, 0.0),
)
STEP = LiveStep("fast", "submit", "file", "submit", {"ok": 5, "timeout": 2, "skipped": 1}, (0, 0, 1, 3, 0, 0, 1, 0, 0, 0, 0, 0), 3.5)
Values = dict[str, dict[tuple[str, ...], float]]


def state(**changes: object) -> LiveState:
    """A sweep of two portals under way, with everything that a state can have."""
    found = live_state([("fast", "Nhanh", "Fast"), ("slow", "Chậm", "Slow")], at=NOW)
    portals = (replace(found.portals[0], outcomes=OUTCOMES), found.portals[1])
    limits = {"cpu_percent": 85, "lag_p99_ms": 25, "silent_s": 3.5}
    return replace(found, portals=portals, health_limits=limits, criteria_set="demo@1", criteria=CRITERIA, **changes)  # type: ignore[arg-type]


def values(results: Path, now: datetime = NOW) -> Values:
    """The value of each sample, by name and by its labels in the documented order."""
    text, _ = metrics_page(results, "", now)
    labels = {
        name: described.labels for described in METRICS for name in (described.name, *(described.name + end for end in ("_count", "_sum")))
    }
    found: Values = {}
    for family in read_text(text.decode()):
        for sample in family.samples:
            order = (
                *labels.get(sample.name, labels.get(sample.name.removesuffix("_bucket"), ())),
                *(("le",) if "le" in sample.labels else ()),
            )
            found.setdefault(sample.name, {})[tuple(sample.labels[label] for label in order)] = sample.value
    return found


@pytest.fixture
def results(tmp_path: Path) -> Path:
    write_state(tmp_path / "a", state())
    write_steps(tmp_path / "a", LiveSteps("a", NOW.isoformat(), (STEP,)))
    return tmp_path


def test_a_sweep_under_way_says_all_that_prometheus_asks_for(results: Path) -> None:
    found = values(results, NOW + timedelta(seconds=2))
    assert found["harness_sweep_state"] == {("a", each): float(each == "measuring") for each in ("measuring", "silent", "ended", "aborted")}
    assert found["harness_sweep_news_age_seconds"]["a",] == pytest.approx(2, abs=0.01)
    assert found["harness_sweep_arrivals_planned_total"]["a",] == 1061
    assert found["harness_arrivals_begun_total"] == {("a", "fast"): 100, ("a", "slow"): 101}
    assert found["harness_citizens_in_flight"] == {("a", "fast"): 0, ("a", "slow"): 1}
    assert (found["harness_windows_done"]["a", "fast"], found["harness_windows_void"]["a", "slow"]) == (3, 1)
    assert found["harness_visits_total"] == {("a", "fast", "ok"): 90, ("a", "fast", "timeout"): 3}, (
        "an outcome that nobody knows is no label"
    )
    assert found["harness_requests_total"] == {("a", "fast", "ok"): 800, ("a", "fast", "http_error"): 4}
    assert found["harness_round_arrivals_due"]["a", "fast", "typical"] == 50
    assert found["harness_generator_cpu_ratio"]["a",] == 0.125
    assert found["harness_generator_arrival_lateness_seconds"]["a",] == 0.0041
    assert found["harness_generator_limit_ratio"] == {("a", "cpu"): 0.85}
    assert found["harness_generator_limit_seconds"] == {("a", "lag_p99"): 0.025, ("a", "silent"): 3.5}
    assert not [name for name in found if "points" in name and not name.endswith(("_max", "_at"))]
    assert "harness_criterion_value" not in found


def test_steps_come_by_outcome_and_in_buckets_that_add_up(results: Path) -> None:
    found, step = values(results), ("a", "fast", "submit", "file", "submit")
    assert found["harness_steps_total"] == {(*step, "ok"): 5, (*step, "timeout"): 2, (*step, "skipped"): 1}
    assert (found["harness_step_duration_seconds_count"][step], found["harness_step_duration_seconds_sum"][step]) == (5, 3.5)
    buckets = found["harness_step_duration_seconds_bucket"]
    assert [buckets[*step, bound] for bound in ("0.05", "0.1", "0.25", "1.0", "2.5", "30.0", "+Inf")] == [0, 1, 4, 4, 5, 5, 5]
    assert len(buckets) == len(BOUNDS_S) + 1


def test_thresholds_stand_beside_the_values_in_base_units(results: Path) -> None:
    found = values(results)
    assert found["harness_criterion_full_points_at"] == {
        ("a", "demo@1", "average-search", "seconds"): 2.5,
        ("a", "demo@1", "correct", "ratio"): 0.995,
    }
    assert found["harness_criterion_no_points_at"] == {
        ("a", "demo@1", "average-search", "seconds"): 10, ("a", "demo@1", "correct", "ratio"): 0.9, ("a", "demo@1", "sustained", "visits_per_second"): 0,
    }  # fmt: skip
    assert found["harness_criterion_points_max"]["a", "demo@1", "correct"] == 2


def test_a_sweep_that_fell_silent_does_not_look_alive(results: Path) -> None:
    found = values(results, NOW + timedelta(seconds=NO_NEWS_AFTER_S + 5))
    assert found["harness_sweep_state"]["a", "silent"] == 1
    assert found["harness_sweep_state"]["a", "measuring"] == 0
    assert found["harness_sweep_news_age_seconds"]["a",] == pytest.approx(15, abs=0.01)
    of_a_moment = (
        "harness_citizens",
        "harness_round",
        "harness_generator_c",
        "harness_generator_w",
        "harness_portal_state",
        "harness_sweep_expected",
    )
    assert not [name for name in found if name.startswith(of_a_moment)]
    assert found["harness_arrivals_begun_total"]["a", "fast"] == 100, "a counter keeps its last value"


def test_points_come_once_the_sweep_has_ended_and_is_scored(scores, results: Path) -> None:  # type: ignore[no-untyped-def]
    folder = results / "a"
    publish.export(scores, folder)
    assert "harness_portal_points" not in values(results), "a sweep that goes on says nothing of earlier scores"
    write_state(folder, state(state="ended", rounds=()))
    found = values(results)
    card, named = scores.scorecards[0], scores.criteria_set.named
    assert found["harness_portal_points"]["a", card.portal, named] == card.points
    assert found["harness_portal_verdict"]["a", card.portal, "valid"] == 1
    assessed = [each for each in card.criteria if each.points is not None]
    assert assessed
    for each in assessed:
        assert found["harness_criterion_points"]["a", named, each.id, card.portal] == each.points
    assert "harness_citizens_in_flight" not in found
    assert not [each for each in scores.scorecards if each.points is None and ("a", each.portal, named) in found["harness_portal_points"]]


def test_all_sweeps_under_way_and_the_last_one_that_ended_are_shown(tmp_path: Path) -> None:
    for number in range(MOST_SWEEPS + 2):
        write_state(tmp_path / f"measuring-{number}", state())
    for name, age_s in {"ended-before": 60, "ended-last": 30, "silent-long-ago": SILENT_FOR_S + 60}.items():
        write_state(tmp_path / name, state(**({} if "silent" in name else {"state": "ended"})))
        os.utime(tmp_path / name / LIVE_JSON, (NOW.timestamp() - age_s,) * 2)
    (tmp_path / "linked").symlink_to(tmp_path / "measuring-0")
    found = values(tmp_path)
    shown = {sweep for sweep, _ in found["harness_sweep_state"]}
    assert len([name for name in shown if name.startswith("measuring-")]) == MOST_SWEEPS
    assert "ended-last" in shown
    assert not shown & {"ended-before", "silent-long-ago", "linked"}
    assert found["harness_sweeps_left_out"] == {(): 2}


def test_what_cannot_be_read_is_told_and_hides_nothing_else(results: Path) -> None:
    write_state(results / "b", state())
    (results / "b" / "live_steps.json").write_text('{"sweep": "b", "since_utc": "", "steps": [{}]}', encoding="utf-8")
    (results / "c").mkdir()
    (results / "c" / LIVE_JSON).write_text("half", encoding="utf-8")
    found = values(results)
    assert found["harness_sweep_unreadable"] == {("b",): 1, ("c",): 1}
    assert found["harness_sweep_state"]["a", "measuring"] == found["harness_sweep_state"]["b", "measuring"] == 1


def test_an_empty_folder_is_no_error(tmp_path: Path) -> None:
    assert values(tmp_path) == {"harness_sweeps_left_out": {(): 0}}


@pytest.mark.parametrize(("accept", "read"), [("", read_text), ("text/html", read_text), (OPENMETRICS, read_openmetrics)])
def test_the_text_is_what_the_request_accepts_and_strange_names_stay_names(tmp_path: Path, accept: str, read: object) -> None:
    odd = live_state([(HOSTILE, "vi", "en"), (HOSTILE, "vi", "en"), ("fast", "vi", "en")], at=NOW)
    folder = os.fsdecode(b'sweep-\xff-\n"')
    write_state(tmp_path / folder, replace(odd, criteria_set=HOSTILE, criteria=(replace(CRITERIA[0], id=HOSTILE),)))
    content, media_type = metrics_page(tmp_path, accept, NOW)
    assert media_type.startswith("application/openmetrics-text" if accept == OPENMETRICS else "text/plain")
    assert content.decode().endswith("# EOF\n") == (accept == OPENMETRICS)
    samples = [sample for family in read(content.decode()) for sample in family.samples]  # type: ignore[operator]
    assert {sample.labels["portal"] for sample in samples if sample.name == "harness_windows_done"} == {HOSTILE, "fast"}
    series = [(sample.name, *sorted(sample.labels.items())) for sample in samples]
    assert len(series) == len(set(series)), "a series that comes twice would cost the whole scrape"


@pytest.mark.slow
def test_promtool_has_nothing_to_say_of_the_text(results: Path) -> None:
    (promtool,) = require_programs("promtool", packages="prometheus")
    said = subprocess.run([promtool, "check", "metrics"], input=metrics_page(results, "", NOW)[0], capture_output=True, check=False)
    assert (said.returncode, said.stdout, said.stderr) == (0, b"", b"")


def test_the_page_is_served_on_loopback_names_only(results: Path) -> None:
    write_state(results / "a", live_state([("fast", "vi", "en")]))
    with served(results) as url, httpx.Client(trust_env=False) as client:
        answer = client.get(f"{url}metrics", headers={"Accept": OPENMETRICS})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        assert names(read_openmetrics(answer.text)) >= {"harness_citizens_in_flight", "harness_arrivals_begun"}
        assert client.get(f"{url}metrics", headers={"Host": "portal.example.invalid"}).status_code == 400


def names(families: Iterable[object]) -> set[str]:
    return {family.name for family in families}  # type: ignore[attr-defined]
