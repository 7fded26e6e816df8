"""A login that two portals share is down during one window of three: it costs neither of them points. A portal's own login does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import harness
from tests.e2e.evidence import load, only_folder
from tests.e2e.portal_sites import POINTS, Asked, PortalSite, answer, profile, sites, three_criteria, workload, write_site_catalog
from tests.e2e.small_catalog import OURS

DOWN = answer("503 Service Unavailable")
WINDOWS, OUTAGE = 3, 2
SHARING, OWN = ("first", "second"), "own"
WHOLE = float(sum(POINTS.values()))


def down_in_window(now: Callable[[], int]) -> Callable[[Asked], bytes | None]:
    """The login answers 503 while this window is under way."""
    return lambda asked: DOWN if now() == OUTAGE else None


def window_of(*portals: PortalSite) -> int:
    """The latest window that has begun at one of these portals."""
    return max(Asked("", b"", site.asked.count("/tim"), 0).window for site in portals)


def add(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep over two portals with one login, and a portal whose operator calls its own login `identity`."""
    folder = tmp_path_factory.mktemp("shared-login")
    found: dict[str, PortalSite] = {}
    behaves = {name: lambda _: None for name in (*SHARING, OWN)}
    logins = {
        "login": down_in_window(lambda: window_of(*(found[name] for name in SHARING))),
        "own-login": down_in_window(lambda: window_of(found[OWN])),
    }
    with sites({**behaves, **logins}) as running:
        found.update(running)
        portals = {name: ("sharing" if name in SHARING else "own", found[name].origin) for name in (*SHARING, OWN)}
        catalog = write_site_catalog(folder / "catalog", portals, [profile("sharing", login="identity"), profile("own", login="sso")])
        for name in (*SHARING, OWN):
            login, role = ("login", "identity") if name in SHARING else ("own-login", "sso")
            host = {"origin": found[login].origin, "role": role, "owner": "identity"}
            add(catalog / "authorisations" / f"{name}.yaml", lambda content, host=host: content["hosts"].append(host))
        shared = {"roles": {"identity": {**OURS}}, "lost_max": {"value": 0.05, **OURS}}
        (catalog / "criteria" / "blame.yaml").write_text(json.dumps({**three_criteria(), "shared": shared}), encoding="utf-8")
        stages = [{"stage": "typical", "windows": WINDOWS, "window_s": 2}]
        (catalog / "workloads" / "blame.yaml").write_text(json.dumps(workload("blame", stages=stages)), encoding="utf-8")
        finished = harness(folder, "sweep", *portals, "--workload", "blame", "--criteria", "blame", "--catalog", "catalog")
    assert finished.code == 0, finished.said
    assert (
        f"{OWN}: {found['own-login'].origin} has the role sso and the owner identity, and blame@1 does not list it as shared"
        in finished.err
    )
    return only_folder(folder / "results")


def card_of(night: Path, portal: str) -> Any:
    (card,) = [card for card in load(night / "scores.json")["scores"] if card["portal"] == portal]
    return card


@pytest.mark.parametrize("portal", SHARING)
def test_an_outage_of_a_shared_login_costs_no_points_and_its_window_is_made_up_for(night: Path, portal: str) -> None:
    card = card_of(night, portal)
    assert (card["verdict"], card["points"]) == ("valid", WHOLE)
    assert [reason["code"] for reason in card["reasons"]] == ["shared_failure"]
    assert {each["id"]: each["windows"] for each in card["criteria"]} == dict.fromkeys(POINTS, WINDOWS)
    windows = [window for window in load(night / "manifests" / f"{portal}.json")["windows"] if window["stage"] == "typical"]
    assert [(window["verdict"], window.get("make_up_of")) for window in windows] == [
        ("valid", None),
        ("insufficient", None),
        ("valid", None),
        ("valid", windows[1]["window"]),
    ]


def test_a_login_of_the_portals_own_is_charged_whatever_it_is_called(night: Path) -> None:
    card = card_of(night, OWN)
    assert (card["verdict"], card["reasons"]) == ("valid", [])
    points = {each["id"]: each["points"] for each in card["criteria"]}
    assert points == {
        "time": POINTS["time"], "search": POINTS["search"], "submit": pytest.approx(POINTS["submit"] * (WINDOWS - 1) / WINDOWS, abs=0.001),
    }  # fmt: skip


def test_all_portals_touched_are_listed_in_scores_and_on_the_page(night: Path) -> None:
    (outage,) = load(night / "scores.json")["shared_failures"]
    assert (outage["owner"], outage["visits"], outage["portals"]) == ("identity", 4, [*SHARING])
    page = (night / "report.html").read_text(encoding="utf-8")
    assert "Failures of shared hosts" in page
    assert f">{', '.join(SHARING)}</span>" in page
    faults = {each["portal"]: each["faults"] for each in load(night / "faults.json")["portals"]}
    assert [len(faults[name]) for name in (*SHARING, OWN)] == [0, 0, 1]  # what the shared login did is no fault of the portals
