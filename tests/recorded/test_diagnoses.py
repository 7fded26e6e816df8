"""The recorded portals are explained as what they were built to be (scenarios/portals/demo.yaml)."""

from __future__ import annotations

import json

import pytest

from tests.e2e.commands import invoke
from tests.e2e.conftest import Sweep
from tests.e2e.evidence import load

BUILT_TO_BE = {
    "fast": ("nothing_stands_out", "Nothing stands out", "Không có nguyên nhân nào nổi bật"),
    "ordinary": ("slow_server", "98 % of the waiting time is the server's own", "98 % thời gian chờ là thời gian xử lý của máy chủ"),
    "slow": ("slow_server", "so load is not the cause; make application and database faster", "nên nguyên nhân không phải là tải; cần"),
    "collapsing": (
        "capacity_reached",
        "70 % of the visits were not served in time, because the portal works like one server",
        "hệ thống hoạt động như chỉ có một máy chủ",
    ),
    "failing-payments": ("payment_refused", "44 % of the payments failed", "44 % số lần thanh toán không thành công"),
    "refusing": ("refused_alone", "The portal refuses even a lone citizen", "Hệ thống từ chối truy cập ngay cả khi chỉ có một người dùng"),
}


def test_each_portal_is_explained_as_what_it_was_built_to_be(scored: Sweep) -> None:
    document = load(scored.folder / "findings.json")
    assert document["schema"] == "portal-findings/1"
    found = {each["portal"]: each for each in document["portals"]}
    assert found.keys() == BUILT_TO_BE.keys()
    for portal, (code, english, vietnamese) in BUILT_TO_BE.items():
        assert found[portal]["findings"][0]["code"] == code
        assert english in found[portal]["conclusion"]["en"]
        assert vietnamese in found[portal]["conclusion"]["vi"]


def test_figures_of_the_collapsing_portal_are_those_of_its_rows(scored: Sweep) -> None:
    """One server, by what it answered and what a lone citizen waited; 132 visits of 188 were turned away."""
    found = next(each for each in load(scored.folder / "findings.json")["portals"] if each["portal"] == "collapsing")["findings"][0]
    figures = {each["name"]: each["value"] for each in found["figures"]}
    assert (figures["visits"], figures["not_served"], figures["timed_out"]) == (188, 132, 0)
    assert 0.6 < figures["requests_at_once"] < 1.5
    assert found["share"] == pytest.approx(132 / 188)


def test_explain_begins_with_the_conclusion(scored: Sweep) -> None:
    for each in load(scored.folder / "findings.json")["portals"]:
        lines = invoke(scored.folder.parent, "explain", "demo", each["portal"], "--lang", "both").out.splitlines()
        assert lines[0] == each["conclusion"]["vi"]
        assert each["conclusion"]["en"] in lines[: lines.index("")]


def test_explain_as_json_has_the_findings_and_the_card(scored: Sweep) -> None:
    told = json.loads(invoke(scored.folder.parent, "explain", "demo", "slow", "--json").out)
    found = next(each for each in load(scored.folder / "findings.json")["portals"] if each["portal"] == "slow")
    card = next(each for each in load(scored.folder / "scores.json")["scores"] if each["portal"] == "slow")
    gains = told.pop("gains")
    assert told == {**found, "scorecard": card}
    assert [gain["points_total"] for gain in gains] == sorted((gain["points_total"] for gain in gains), reverse=True)
    assert gains[0]["part"] == ["search", "find", "search"]
    lines = invoke(scored.folder.parent, "explain", "demo", "slow").out.splitlines()
    assert lines[0] == told["conclusion"]["en"]
    shown = [line for line in lines[lines.index("What would gain most:") + 1 :] if line.startswith("  +")]
    assert shown[0] == f"  +{gains[0]['points_total']:.1f}: Search: search: mean time of a step from 0.817 s to 0.250 s"
    assert len({line.partition(": ")[2] for line in shown}) == 5  # each change once
    assert [float(line.partition(":")[0]) for line in shown] == sorted((float(line.partition(":")[0]) for line in shown), reverse=True)
