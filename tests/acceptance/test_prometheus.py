"""A real Prometheus scrapes `harness serve` while a sweep is measured: values grow, and agree with the sealed rounds at the end."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from harness.evidence import SweepFolder
from harness.publish.import_file import read_scores
from harness.publish.metrics_page import METRICS
from tests.docs.snippets import snippets
from tests.e2e.commands import HARNESS, Running, free_port, started
from tests.e2e.evidence import only_folder, rows
from tests.e2e.small_catalog import PAIR, WIDE_HEALTH, criteria, portal, workload, write_files
from tests.programs import require_programs

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "prometheus"
PORTALS = {"swift", "sluggish"}
LONGEST_S = 240.0


class Scraper:
    """A Prometheus, asked over HTTP."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, trust_env=False, timeout=10)

    def answer(self, path: str, **asked: str) -> Any:
        """The data of one answer; None while it does not listen yet."""
        try:
            answer = self._client.get(f"/api/v1/{path}", params=asked)
        except httpx.TransportError:
            return None
        return answer.json()["data"] if answer.is_success else None

    def value(self, query: str) -> dict[tuple[str, ...], float]:
        """The newest value of each series of a query, by the values of its labels in their order."""
        found = self.answer("query", query=query) or {"result": []}
        return {
            tuple(value for name, value in sorted(each["metric"].items()) if not name.startswith("__")): float(each["value"][1])
            for each in found["result"]
        }

    def close(self) -> None:
        self._client.close()


def write_configuration(folder: Path, port: str) -> Path:
    """The configuration of the documentation, which asks every second at this port; the alerts are its own."""
    configuration = yaml.safe_load((CONFIGURATION / "prometheus.yml").read_text(encoding="utf-8"))
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    (folder / "alerts.yml").write_text((CONFIGURATION / "alerts.yml").read_text(encoding="utf-8"), encoding="utf-8")
    return path


def until(condition: Any, what: str, prometheus: Running) -> None:
    prometheus.until(condition, what, at_most_s=LONGEST_S)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_prometheus_scrapes_a_sweep_under_way_and_what_it_led_to(tmp_path: Path) -> None:
    (program,) = require_programs("prometheus", packages="prometheus")
    results = tmp_path / "results"
    results.mkdir()
    files = {
        "portals/pair.yaml": {"portals": [portal("swift", 8), portal("sluggish", 120)], "sets": {"pair": PAIR}},
        "workloads/short.yaml": {
            **workload("short", 10, {"search": 60, "submit": 20, "pay": 10}),
            "stages": [{"stage": "typical", "windows": 2, "window_s": 10}], "health": WIDE_HEALTH,
        },
        "criteria/speed-only.yaml": criteria(),
    }  # fmt: skip
    write_files(tmp_path / "catalog", files)
    folders = {name: tmp_path / name for name in ("serve", "prometheus", "sweep")}
    for folder in folders.values():
        folder.mkdir()
    port, own_port = free_port(), free_port()
    scraping = [
        program, f"--config.file={write_configuration(folders['prometheus'], port)}", f"--storage.tsdb.path={folders['prometheus'] / 'data'}",
        f"--web.listen-address=127.0.0.1:{own_port}",
    ]  # fmt: skip
    measuring = [
        HARNESS, "sweep", "--set", "pair", "--workload", "short", "--criteria", "speed-only", "--catalog", "../catalog", "--seed", "5",
        "--results", "../results",
    ]  # fmt: skip
    with (
        started([HARNESS, "serve", str(results), "--port", port], folders["serve"]),
        started(scraping, folders["prometheus"]) as prometheus,
        started(measuring, folders["sweep"]) as sweep,
    ):
        asked = Scraper(f"http://127.0.0.1:{own_port}")
        until(lambda: asked.value("up") and set(asked.value("up").values()) == {1.0}, "the first scrape", prometheus)
        assert asked.answer("targets")["activeTargets"][0]["lastError"] == ""

        grown: list[float] = []

        def grows() -> bool:
            steps = sum(asked.value('sum(harness_steps_total{outcome="ok"})').values())
            if not grown or steps > grown[-1]:
                grown.append(steps)
            return len(grown) >= 3 and grown[-1] > 0

        until(grows, "steps that grow", prometheus)
        assert sweep.process.poll() is None, "it was scraped while it ran"
        assert asked.value('harness_sweep_state{state="measuring"} == 1')
        assert asked.value("harness_portal_points") == {}, "nobody steers by points"
        until(lambda: asked.value("max_over_time(harness_citizens_in_flight[5m]) > 0"), "citizens in flight", prometheus)
        until(lambda: asked.value("max_over_time(harness_generator_cpu_ratio[5m]) > 0"), "generator health", prometheus)
        assert asked.value("harness_criterion_no_points_at")
        assert sweep.ended() == 0, sweep.said

        folder = SweepFolder(only_folder(results))
        until(lambda: len(asked.value("harness_portal_points")) == len(PORTALS), "points", prometheus)
        check_counts(asked, folder)
        check_points(asked, folder)
        rates = asked.value("max_over_time(sum(rate(harness_steps_total[10s]))[5m:1s])")
        assert rates
        assert max(rates.values()) > 1, "the rate of steps is known afterwards"
        for query in snippets(CONFIGURATION.parents[1] / "docs" / "metrics.md", "promql")[0].text.split("\n\n"):
            assert asked.answer("query", query=query) is not None, query
        for counter in (each.name for each in METRICS if each.kind == "counter"):
            assert set(asked.value(f"sum(resets({counter}[10m]))").values()) == {0.0}, f"{counter} never falls"
        assert {rule["health"] for group in asked.answer("rules")["groups"] for rule in group["rules"]} == {"ok"}
        assert asked.value('ALERTS{alertname="SweepFellSilent"}') == {}
        prometheus.process.send_signal(signal.SIGTERM)
        assert prometheus.ended() == 0
        asked.close()


@pytest.mark.slow
def test_the_alerts_of_the_documentation_fire_when_they_should(tmp_path: Path) -> None:
    (promtool,) = require_programs("promtool", packages="prometheus")
    busy, limit = 'harness_generator_cpu_ratio{sweep="%s"}', 'harness_generator_limit_ratio{limit="cpu", sweep="%s"}'
    series = {
        'harness_sweep_state{state="silent", sweep="a"}': "1x8", 'harness_sweep_state{state="silent", sweep="b"}': "0x8",
        busy % "a": "0.8x8", limit % "a": "0.85x8", busy % "b": "0.5x8", limit % "b": "0.85x8",
    }  # fmt: skip
    expected = {"SweepFellSilent": "state", "GeneratorNearItsLimit": ""}
    rules = yaml.safe_load((CONFIGURATION / "alerts.yml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["annotations"] = {"summary": "{{ $labels.sweep }}"}
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    fired = [
        {
            "alertname": name, "eval_time": "2m",
            "exp_alerts": [{"exp_labels": {"sweep": "a", **({label: "silent"} if label else {})}, "exp_annotations": {"summary": "a"}}],
        }
        for name, label in expected.items()
    ]  # fmt: skip
    not_yet = [{"alertname": name, "eval_time": "15s", "exp_alerts": []} for name in expected]
    values = [{"series": name, "values": value} for name, value in series.items()]
    case = {
        "rule_files": ["alerts.yml"],
        "evaluation_interval": "15s",
        "tests": [{"interval": "15s", "input_series": values, "alert_rule_test": [*fired, *not_yet]}],
    }
    (tmp_path / "case.yml").write_text(yaml.safe_dump(case), encoding="utf-8")
    said = subprocess.run([promtool, "test", "rules", "case.yml"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def check_counts(asked: Scraper, folder: SweepFolder) -> None:
    """What was scraped last is what the sealed rounds and their rows hold."""
    windows = [(slot.portal, window) for each in folder.rounds() for slot in each.slots for window in slot.windows]
    sealed: Counter[tuple[str, str, str]] = Counter()
    for name, window in windows:
        for key, count in window.counts.items():
            kind, _, outcome = key.partition("_")
            if kind in ("visits", "requests"):
                sealed[kind, outcome, name] += count
    for kind in ("visits", "requests"):
        found = asked.value(f"sum by (outcome, portal) (harness_{kind}_total)")
        assert found == {(outcome, name): count for (each, outcome, name), count in sealed.items() if each == kind}
    begun = Counter(dict.fromkeys(PORTALS, 0))
    for name, window in windows:
        begun[name] += window.begun
    assert asked.value("sum by (portal) (harness_arrivals_begun_total)") == {(name,): count for name, count in begun.items()}

    ok: dict[tuple[str, ...], float] = {}
    for name in PORTALS:
        found = rows(folder.path, name)
        typical = found[found["stage"] == "typical"]
        steps = typical.groupby(["journey", "visit", "goal", "step", "attempt"])["outcome"].agg(
            lambda outcomes: bool((outcomes == "ok").all())
        )
        counted = Counter((goal, journey, name, step) for (journey, _visit, goal, step, _attempt), went_well in steps.items() if went_well)
        ok |= counted
    assert len(ok) > 10
    labels = "goal, journey, portal, step"
    assert asked.value(f'sum by ({labels}) (harness_steps_total{{outcome="ok"}})') == ok
    assert asked.value(f"sum by ({labels}) (harness_step_duration_seconds_count) > 0") == ok


def check_points(asked: Scraper, folder: SweepFolder) -> None:
    """The points are those of scores.json, and stand beside their threshold."""
    scores = read_scores(folder.path / "scores.json")
    points = {(scores.criteria_set.named, "harness", f"{card.portal}"): card.points for card in scores.scorecards}
    found = asked.value("sum by (criteria_set, job, portal) (harness_portal_points)")
    assert found == pytest.approx(points)
    values = {(card.portal,): card.criteria[0].value for card in scores.scorecards}
    assert asked.value("sum by (portal) (harness_criterion_value)") == pytest.approx(values)
    share = "harness_criterion_value / on (sweep, criteria_set, criterion, unit) group_left harness_criterion_no_points_at"
    assert len(asked.value(share)) == len(PORTALS)
