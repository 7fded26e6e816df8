"""The same seed: the same arrivals, citizens and walks, also where the portals are faster or slower; and speeds decide the order.

What was measured is sealed, and verified by others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.evidence import SweepFolder
from harness.evidence.timing_parts import beside_rows, read_server_timings
from harness.origins import origin_of
from harness.records import read_plan
from harness.records.kept_walks import read_walk
from harness.records.server_timing import ROW_KEYS
from harness.statistics.trace_context import traceparent
from tests.e2e.commands import invoke
from tests.e2e.conftest import Sweep
from tests.e2e.evidence import load, rows

PORTALS = ("swift", "sluggish")


@pytest.mark.parametrize("portal", PORTALS)
@pytest.mark.parametrize("digest", ["schedule_sha256", "citizens_sha256"])
def test_digests_come_again(small_sweeps: tuple[Sweep, Sweep], portal: str, digest: str) -> None:
    first, second = (one.manifest(portal)[digest] for one in small_sweeps)
    assert len(first) == 64
    assert first == second


def test_portals_have_citizens_of_their_own(small_sweeps: tuple[Sweep, Sweep]) -> None:
    assert small_sweeps[0].manifest("swift")["citizens_sha256"] != small_sweeps[0].manifest("sluggish")["citizens_sha256"]


@pytest.mark.parametrize("portal", PORTALS)
def test_every_visit_asks_for_the_same_again(small_sweeps: tuple[Sweep, Sweep], portal: str) -> None:
    def asked(one: Sweep) -> pd.DataFrame:
        walked = ["journey", "visit", "stage", "goal", "step", "request", "hop", "method", "host_owner", "outcome"]
        return rows(one.folder, portal)[walked].sort_values(walked).reset_index(drop=True)

    pd.testing.assert_frame_equal(asked(small_sweeps[0]), asked(small_sweeps[1]))


def test_intended_arrivals_come_again(small_sweeps: tuple[Sweep, Sweep]) -> None:
    def arrivals(one: Sweep) -> pd.Series:
        found = rows(one.folder, "swift")
        first = found[(found["stage"] == "typical") & (found["step"] == "search")].groupby(["journey", "visit"])["intended_us"].min()
        return first - first.min()

    assert arrivals(small_sweeps[0]).to_dict() == arrivals(small_sweeps[1]).to_dict()


def test_swapping_two_speeds_swaps_the_order(small_sweeps: tuple[Sweep, Sweep]) -> None:
    before, after = ({portal: one.scores[portal]["points"] for portal in PORTALS} for one in small_sweeps)
    assert before["swift"] > before["sluggish"]
    assert after["swift"] < after["sluggish"]


def test_what_a_portal_says_of_its_time_stands_beside_its_rows(small_sweeps: tuple[Sweep, Sweep]) -> None:
    folder = SweepFolder(small_sweeps[0].folder)
    assert read_server_timings(folder, "swift") is None
    timings = read_server_timings(folder, "sluggish")
    assert timings is not None
    parts = (pq.read_table(part, partitioning=None) for part in folder.parts("sluggish"))
    said = beside_rows(timings, pa.concat_tables(parts, promote_options="default")).to_pandas()
    answers = said.groupby(list(ROW_KEYS))
    assert (answers["name"].agg(list).map(tuple) == ("queue", "app", "db")).all()
    assert (answers["duration_us"].sum() <= answers["first_byte_us"].first() - answers["start_us"].first()).all()
    assert {*said["host_owner"], *said["outcome"]} == {"portal", "ok"}
    found = rows(folder.path, "sluggish")
    assert len(answers) == len(found[found["host_owner"] == "portal"])
    assert {"lone", "typical"} <= {*said["stage"]}


def test_each_visit_names_its_trace_to_the_portal_alone(small_sweeps: tuple[Sweep, Sweep]) -> None:
    folder = SweepFolder(small_sweeps[0].folder)
    plan = read_plan(folder.plan)
    walks = [read_walk(folder.path / walk.file) for round_ in folder.rounds() for walk in round_.lone_walks]
    assert {walk.portal for walk in walks} == {*PORTALS}
    for walk in walks:
        named = {(origin_of(each.url), dict(each.sent.fields).get("traceparent")) for each in walk.exchanges}
        expected = traceparent(plan.seed, plan.sweep, walk.run, walk.visit)
        assert (plan.target(walk.portal).origins["portal"], expected) in named
        assert {trace for origin, trace in named if origin != plan.target(walk.portal).origins["portal"]} <= {None}
    assert len({dict(walk.exchanges[0].sent.fields)["traceparent"] for walk in walks}) == len(walks)


def test_what_was_measured_is_sealed_and_verified_elsewhere(small_sweeps: tuple[Sweep, Sweep], tmp_path: Path) -> None:
    """Rules before the first packet, the chain, the register, guards, and the scores computed again."""
    measured = small_sweeps[0].folder
    results = tmp_path / "results"
    shutil.copytree(measured.parent, results)
    folder = results / measured.name
    catalog = str(measured.parents[1] / "catalog")
    assert load(folder / "chain" / "round-000-00.json")["previous"]["file"] == "rules.json"
    events = [json.loads(line)["event"] for line in (results / "register.jsonl").read_text(encoding="utf-8").splitlines()]
    assert events == ["begun", "ended"]
    said = {
        guard["said"]
        for window in load(folder / "manifests" / "swift.json")["windows"]
        for guard in window["guards"]
        if window["verdict"] == "valid"
    }
    assert said == {"passed"}
    assert invoke(tmp_path, "seal", "--new-key", "key").code == 0
    sealed = invoke(tmp_path, "seal", str(folder), "--key", "file:key", "--catalog", catalog)
    assert sealed.code == 0, sealed.said
    elsewhere = shutil.move(folder, tmp_path / "elsewhere")
    for where, options in ((elsewhere, ()), (_unpacked(tmp_path, elsewhere, "swift"), ("--portal", "swift"))):
        done = invoke(tmp_path, "verify", str(where), "--key", "key.pub", "--catalog", catalog, *options)
        assert done.code == 0, done.said
        assert "the scores are those of the evidence" in done.out


def _unpacked(above: Path, folder: Path, portal: str) -> Path:
    packed = invoke(above, "pack", str(folder), "--portal", portal, "--out", "share.zip")
    assert packed.code == 0, packed.said
    shutil.unpack_archive(above / "share.zip", above / "share")
    (where,) = (above / "share").iterdir()
    return where
