"""The numbers in the sentences that pages begin with: in scores.json, or counted from the rows by this test alone; in both languages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.e2e.conftest import Sweep
from tests.e2e.evidence import load
from tests.recorded.page_tables import numbers, strange, texts, title, unclaimed
from tests.recorded.portal_evidence import Portal, rank_of, read_portals


def server_s(requests: pd.DataFrame) -> pd.Series[float]:
    """From each request sent to the first byte of its answer; to the end where none came."""
    answered = requests["first_byte_us"].where(requests["first_byte_us"] > 0, requests["end_us"])
    return (answered - requests["start_us"] - requests["dns_us"] - requests["connect_us"] - requests["tls_us"]) / 1e6


def sent(requests: pd.DataFrame) -> pd.DataFrame:
    """The requests that were sent at all."""
    return requests[(requests["request"] != -1) & (requests["start_us"] > 0)]


def own(requests: pd.DataFrame) -> pd.DataFrame:
    """Those to the portal's own hosts."""
    return requests[requests["host_owner"].astype(str) == "portal"]


def figures(portal: Portal, code: str) -> list[float]:
    """The figures of a finding's sentence, in the order in which it says them. Every window of the recorded sweep is valid."""
    visits, requests = portal.visits["outcome"].astype(str), sent(portal.requests)
    lone = own(sent(portal.rows[portal.rows["stage"].astype(str) == "lone"]))
    alone = lone[lone["outcome"].astype(str) == "ok"]
    seconds = sum(each["duration_s"] for each in load(portal.folder / "manifests" / f"{portal.name}.json")["windows"] if each["stage"] == "typical")  # fmt: skip
    match code:
        case "capacity_reached":
            return [100 * (visits == "not_served").mean(), (visits == "ok").sum() / seconds, len(visits) / seconds]
        case "payment_refused":
            confirmed = portal.steps[portal.steps["step"].astype(str) == "confirm_payment"]
            begun = confirmed[confirmed["outcome"] != "skipped"]
            return [100 * (begun["outcome"] != "ok").mean()]
        case "slow_server":
            waited = (requests["end_us"] - requests["start_us"]).sum() / 1e6
            return [100 * server_s(own(requests)).sum() / waited, server_s(own(requests)).median(), server_s(alone).median()]
        case "nothing_stands_out":
            return [server_s(own(requests)).median(), (visits != "ok").sum(), len(visits)]
        case "refused_alone":
            return []
    raise AssertionError(code)


def days(nights: Sequence[str]) -> list[float]:
    """Day and year of each night, as the English page writes them."""
    return [number for night in nights for number in (date.fromisoformat(night).day, date.fromisoformat(night).year)]


def of_scoring(scores: Mapping[str, Any]) -> list[float | None]:
    """Nights, version of the criteria set, revisions."""
    version = [float(each) for each in re.findall(r"[\d.]+", scores["criteria_set"]["version"])]
    superseded = [scores["supersedes"]] if scores["supersedes"] else []
    return [*days(scores["nights"]), *version, scores["revision"], *superseded]


def pages(folder: Path, portals: Mapping[str, Portal]) -> Mapping[str, Path]:
    """Each portal's page."""
    found = {title(path).split(" · ")[0]: path for path in sorted((folder / "report").glob("p*.html"))}
    assert found.keys() == portals.keys()
    return found


def test_a_portals_conclusion_says_what_the_rows_say(scored: Sweep) -> None:
    portals = read_portals(scored.folder)
    findings = {each["portal"]: each for each in load(scored.folder / "findings.json")["portals"]}
    for name, path in pages(scored.folder, portals).items():
        (said,) = texts(path, ".conclusion")
        assert said == findings[name]["conclusion"]["en"]
        assert unclaimed(said, figures(portals[name], findings[name]["findings"][0]["code"])) == [], said


def test_the_head_of_a_portals_page_has_the_numbers_of_its_score(scored: Sweep) -> None:
    portals, scores = read_portals(scored.folder), load(scored.folder / "scores.json")
    for name, path in pages(scored.folder, portals).items():
        entry = portals[name].entry
        (points,), (verdict,), (facts,) = (texts(path, f"header {each}") for each in (".big", ".verdict", ".facts"))
        if entry["points"] is None:
            assert numbers(points) == numbers(verdict) == []
        else:
            assert unclaimed(points, [entry["points"], entry["points_assessed_max"]]) == [], points
            assert unclaimed(texts(path, "header .result > .small")[0], entry["interval"]) == []
            assert unclaimed(verdict, rank_of(portals[name], portals)) == [], verdict
        assert unclaimed(facts.replace(scores["sweep"], ""), of_scoring(scores)) == [], facts
        for line in texts(path, "main li"):
            if line.startswith("the "):  # why a criterion was not assessed, and the points that it would have given
                assert strange(line, [each["points_max"] for each in entry["criteria"]]) == [], line


def test_the_sentence_about_the_night_has_the_numbers_of_the_scores(scored: Sweep) -> None:
    portals, scores = read_portals(scored.folder), load(scored.folder / "scores.json")
    with_points = sorted((each for each in portals.values() if each.entry["points"] is not None), key=lambda each: -each.entry["points"])
    leaders = [each for each in with_points if rank_of(each, portals)[0] == 1]
    lost, most_of = Counter[str](), dict[str, float]()
    for portal in with_points:
        for criterion in portal.entry["criteria"]:
            if criterion["state"] == "assessed":
                lost[criterion["name_en"]] += 100 * (1 - criterion["points"] / criterion["points_max"]) / len(with_points)
                most_of[criterion["name_en"]] = criterion["points_max"]
    worst = max((name for name, share in lost.items() if share == pytest.approx(max(lost.values()))), key=lambda name: most_of[name])
    states = Counter(each.entry["verdict"] for each in portals.values() if each.entry["points"] is None)
    points = [each.entry["points"] for each in with_points]
    (most,) = {each.entry["points_assessed_max"] for each in with_points}

    (said,) = texts(scored.folder / "report.html", "header .verdict")
    expected = [len(portals), len(with_points), min(points), max(points), most, *(each.entry["points"] for each in leaders)]
    assert unclaimed(said, [*expected, max(lost.values()), *states.values()]) == [], said
    assert f"“{worst}”" in said
    assert all(each.entry["name_en"] in said for each in leaders)
    (facts,) = texts(scored.folder / "report.html", "header .facts")
    assert unclaimed(facts.replace(scores["sweep"], ""), of_scoring(scores)) == [], facts


_SAID_OTHERWISE = re.compile(r"(?<![\d,])0 điểm|(?:bằng|điểm) 0\b|12 giờ trưa|[Pp]hân vị \d+|percentile \d+|\b13\.1\b|\d+(?:\.\d+){2,}")
"""In Vietnamese "no points", "zero", "noon" and the names of percentiles have numbers; clause 13.1 and versions are cited as they are."""
_DATE = re.compile(r"\b(\d\d?)/\d\d?/(\d{4})\b")
_EVERYWHERE = "th, td, dt, dd, p, li, caption, figcaption"


def test_both_languages_say_the_same_numbers(scored: Sweep) -> None:
    wrong, compared = [], 0
    for path in (scored.folder / "report.html", *(scored.folder / "report").glob("p*.html")):
        vietnamese, english = (texts(path, _EVERYWHERE, without) for without in ("en", "vi"))
        for vi, en in zip(vietnamese, english, strict=True):
            swapped = _DATE.sub(r"\1 \2", _SAID_OTHERWISE.sub(" ", vi)).translate(str.maketrans(",.", ".,"))
            said = sorted(numbers(_SAID_OTHERWISE.sub(" ", en)))
            compared += len(said)
            if sorted(numbers(swapped)) != said:
                wrong.append((path.name, vi, en))
    assert wrong == []
    assert compared > 2000
