"""docs/metrics.md names every metric with type, labels and meaning, and deploy/prometheus asks for metrics that exist."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from harness.catalog import load_catalog
from harness.operations.shipped import scenarios_folder
from harness.publish.metrics_page import METRICS, SWEEP_STATES
from harness.records.live_steps import BOUNDS_S
from harness.scoring.curves import full_point, zero_point

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
CONFIGURATION = ROOT / "deploy" / "prometheus"
NAMES = {
    described.name + end for described in METRICS for end in (("_bucket", "_sum", "_count") if described.kind == "histogram" else ("",))
}


def test_every_metric_has_its_line_and_every_line_a_metric() -> None:
    lines = re.findall(r"^\| `(harness_\w+)` \| (\w+) \| (.+?) \| (.+) \|$", PAGE, re.MULTILINE)
    written = [(each.name, each.kind, ", ".join(f"`{label}`" for label in each.labels) or "none", each.meaning) for each in METRICS]
    assert lines == written


def test_every_label_has_its_line() -> None:
    table = PAGE.partition("| label | values |")[2].partition("\n\n")[0]
    described = {name for line in table.splitlines() for name in re.findall(r"`(\w+)`", line.split("|")[1] if "|" in line else "")}
    assert described == {label for each in METRICS for label in each.labels}
    assert all(f"`{state}`" in table for state in SWEEP_STATES)


def test_queries_and_alerts_ask_for_metrics_that_exist() -> None:
    rules = yaml.safe_load((CONFIGURATION / "alerts.yml").read_text(encoding="utf-8"))
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    queries = "".join(re.findall(r"```promql\n(.*?)```", PAGE, re.DOTALL))
    asked = set(re.findall(r"harness_\w+", " ".join([queries, *expressions])))
    assert len(expressions) == 2
    assert asked <= NAMES, asked - NAMES


def test_the_names_follow_the_conventions_of_prometheus() -> None:
    assert all(re.fullmatch(r"harness(_[a-z]+)+", each.name) for each in METRICS)
    assert all(each.name.endswith("_total") == (each.kind == "counter") for each in METRICS)
    assert not [each.name for each in METRICS if re.search(r"_(ms|us|percent|minutes)(_|$)", each.name)]


def test_the_buckets_are_as_described_and_have_every_threshold_of_a_time() -> None:
    assert ", ".join(f"{bound:g}" for bound in BOUNDS_S[:-1]) + f" and {BOUNDS_S[-1]:g} s" in PAGE
    thresholds = {
        point
        for criteria in load_catalog(scenarios_folder()).criteria.values()
        for criterion in criteria.criteria
        if criterion.parsed.unit == "s"
        for point in (full_point(criterion.curve), zero_point(criterion.curve))
    }
    assert thresholds
    assert thresholds <= set(BOUNDS_S)
