"""Who gets the blame, as whole nights: what goes wrong on our side costs a portal nothing, and what it does itself is scored.

Each line of the tables is a portal of its own in a sweep of six windows. The lines that end with points, or with a refusal,
are measured in one sweep, those that are not loaded in another.

What an operator announced, and what persons settle afterwards, is told to a copy of the scored night.

Not here: an authorisation that is too small. A shared login that is down is in `test_shared_login.py`.
"""

from __future__ import annotations

import gzip
import html
import itertools
import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness.errors import CatalogError, NoPointsError
from tests.e2e.commands import Finished, harness, invoke
from tests.e2e.evidence import load, only_folder
from tests.e2e.portal_sites import (
    OWN_PAGES,
    PER_WINDOW,
    POINTS,
    SLOWLY,
    WINDOWS,
    Asked,
    Behaviour,
    PortalSite,
    answer,
    profile,
    sites,
    write_site_catalog,
)
from tests.publish.pages import page_of

WHOLE = float(sum(POINTS.values()))
BOTH = tuple(PER_WINDOW)
"""The journeys."""

TRIES = 3  # lone walks of each journey

BROKEN = answer("500 Internal Server Error")
EMPTY_403 = answer("403 Forbidden", Server="Tengine")
TOO_MANY = answer("429 Too Many Requests")
REDESIGNED = answer("200 OK", "<title>Trang mới</title><h1>Giao diện mới</h1><div id='app'>Tìm kiếm</div>")
MAINTENANCE = answer("200 OK", "<title>Bảo trì hệ thống</title><h1>Hệ thống đang bảo trì</h1><p>Xin quay lại sau.</p>")
CHALLENGE = answer("200 OK", "<title>Đang kiểm tra trình duyệt…</title><script>document.cookie='cl=1';location.reload()</script>")
GARBAGE = b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n"
LOOP = answer("302 Found", Location="/vong")
_BOMB = gzip.compress(bytes(50_000_000))
BOMB = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(_BOMB), _BOMB)
HOSTILE = (GARBAGE, LOOP, BOMB, answer("200 OK", "<div>" * 5_000))


def well(_: Asked) -> None:
    """The site's own pages."""


def always(given: bytes, *paths: str) -> Behaviour:
    """The same answer to everybody, at these paths or at all."""
    return lambda asked: given if asked.path in paths or not paths else None


def in_windows(given: bytes, first: int, last: int = 99) -> Behaviour:
    """One answer to everybody during these windows."""
    return lambda asked: given if first <= asked.window <= last else None


def limit_of_address(first: int = 0) -> Behaviour:
    """At most four requests of one address within RECENT_S, from a window on: a lone citizen gets through."""
    return lambda asked: TOO_MANY if asked.window >= first and asked.recent >= 4 else None


def slowly(asked: Asked) -> bytes | None:
    """The first page takes long."""
    return SLOWLY + answer("200 OK", OWN_PAGES["/tim"]) if asked.path == "/tim" else None


def needs_the_name_in_the_pool(asked: Asked) -> bytes | None:
    """A form without the name that stands in our pool is refused."""
    return answer("400 Bad Request") if asked.path == "/gui" and asked.body != b"ten=a1" else None


def hostile() -> Behaviour:
    """On a tenth of the answers under load garbage, bombs, loops and depth: every sixth first page, and two of the forms sent."""
    pages, forms = itertools.cycle(HOSTILE), itertools.count(1)

    def behaves(asked: Asked) -> bytes | None:
        if asked.path == "/vong":
            return LOOP
        if asked.path == "/tim" and asked.window and asked.opened % 6 == 0:
            return next(pages)
        return GARBAGE if asked.path == "/gui" and next(forms) in {4, 8} else None

    return behaves


LOSES_A_VISIT = '''"""A fault of ours that nobody foresaw: one visit of window 3 ends without a row."""

from harness.profiles import function


class Lost(BaseException):
    """Nothing in the harness expects it."""


@function
def lost(visit: int) -> str:
    """Lose one visit."""
    if int(visit) == 3_000_002:
        raise Lost
    return ""
'''


class Line(NamedTuple):
    """What a portal does, and what is to come of it."""

    behaves: Behaviour
    verdict: str
    points: float | None
    reasons: tuple[str, ...] = ()  # codes
    unproven: tuple[str, ...] = ()  # journeys
    page: str = ""  # step and outcome of the saved pages; empty: there is none
    profile: str = "as-it-is"


BLOCKED = ("lone_citizen_refused",)
FORM_FAILS = float(POINTS["time"] + POINTS["search"])
HALF = (POINTS["search"] + POINTS["submit"]) / 2  # three of six windows fail, and the median time is that of a failure
ONE_WINDOW = POINTS["time"] + (POINTS["search"] + POINTS["submit"]) * 5 / 6

SCORED = {
    "well": Line(well, "valid", WHOLE),
    "typing-error": Line(well, "valid", FORM_FAILS, ("journey_unproven",), ("submit",), "start_dossier-wrong_content", "typing-error"),
    "form-answers-500": Line(always(BROKEN, "/nop"), "valid", FORM_FAILS),
    "pool-with-semicolons": Line(needs_the_name_in_the_pool, "valid", WHOLE, profile="pool-with-semicolons"),
    "empty-403": Line(always(EMPTY_403), "blocked", None, BLOCKED),
    "empty-500": Line(always(BROKEN), "valid", 0.0, ("safety_stop",) * 3),
    "challenge-200": Line(always(CHALLENGE), "blocked", None, BLOCKED, page="search-blocked"),
    "slow-200": Line(slowly, "valid", WHOLE - POINTS["time"] / 2),
    "maintenance-always": Line(always(MAINTENANCE), "blocked", None, BLOCKED, page="search-blocked"),
    "maintenance-midway": Line(in_windows(MAINTENANCE, 4), "valid", HALF, ("refused_under_load",) * 3, page="search-blocked"),
    "maintenance-late": Line(in_windows(MAINTENANCE, 4), "valid", HALF, ("refused_under_load",) * 3, page="search-blocked"),
    "maintenance-silent": Line(in_windows(MAINTENANCE, 4), "valid", HALF, ("refused_under_load",) * 3, page="search-blocked"),
    "broken-midway": Line(in_windows(BROKEN, 4), "valid", HALF),
    "redesigned-midway": Line(in_windows(REDESIGNED, 4), "valid", HALF, page="search-wrong_content"),
    "limit-midway": Line(limit_of_address(4), "valid", WHOLE, ("address_limit",) * 3),
    "429-midway": Line(in_windows(TOO_MANY, 4), "valid", HALF, ("refused_under_load",) * 3),
    "one-outage": Line(in_windows(BROKEN, 4, 4), "valid", ONE_WINDOW),
    "one-void": Line(always(BROKEN, "/nop"), "valid", FORM_FAILS, profile="loses-a-visit"),
}
"""Where our side is at fault, or the portal refuses, and beside it the portal that fails by itself."""

NEIGHBOUR = {"hostile": Line(hostile(), "valid", 16.0)}
"""Measured beside all of them: what it answers changes nothing for the others."""

NOT_LOADED = {
    "typing-error-first": Line(well, "insufficient", None, ("journey_unproven",) * 2, BOTH, "search-wrong_content", "typing-error-first"),
    "redesigned": Line(always(REDESIGNED), "insufficient", None, ("journey_unproven",) * 2, BOTH, "search-wrong_content"),
}

LIMITED = {"limit-always": Line(limit_of_address(), "insufficient", None, ("address_limit",) * WINDOWS)}

LINES = SCORED | NOT_LOADED
CONTROLS = {
    "typing-error": "form-answers-500",
    "typing-error-first": "empty-500",
    "empty-403": "empty-500",
    "challenge-200": "slow-200",
    "redesigned": "redesigned-midway",
    "maintenance-always": "maintenance-midway",
    "limit-midway": "429-midway",
}
"""Beside each line the one in which the portal itself is slow or fails: it is scored, and loses points. The pool's is a test of its own."""

TOLERANCE = {"slow-200": 0.5}
"""Points. A time is measured there, all others come from counts."""


class Night(NamedTuple):
    """A command that has ended, the folder that it left behind, and what the sites were asked for."""

    finished: Finished
    folder: Path
    asked: dict[str, list[str]]

    def card(self, portal: str) -> Any:
        """The portal's entry of scores.json."""
        (card,) = [card for card in load(self.folder / "scores.json")["scores"] if card["portal"] == portal]
        return card

    def windows(self, portal: str) -> list[Any]:
        """The loaded windows of its manifest."""
        return [window for window in load(self.folder / "manifests" / f"{portal}.json")["windows"] if window["stage"] == "typical"]


def catalog_of(folder: Path, lines: Mapping[str, Line], found: Mapping[str, PortalSite], columns: str = "ten;mat_khau") -> Path:
    """A catalog for these sites, in which the pool is as a spreadsheet with Vietnamese settings saves it."""
    pooled = profile("pool-with-semicolons", pool="accounts.csv")
    losing = profile("loses-a-visit")
    losing["goals"]["find"]["steps"][0]["requests"][0]["let"] = {"mat": "{{ lost(visit) }}"}
    wrong = [profile("typing-error", filed_by="form#n0p"), profile("typing-error-first", found_by="form#t1m")]
    catalog = write_site_catalog(
        folder, {name: (line.profile, found[name].origin) for name, line in lines.items()}, [profile("as-it-is"), pooled, losing, *wrong]
    )
    (catalog / "platforms" / "_functions.py").write_text(LOSES_A_VISIT, encoding="utf-8")
    (catalog / "platforms" / "accounts.csv").write_text(f"{columns}\na1;m1\n", encoding="utf-8")
    return catalog


def measure(folder: Path, lines: Mapping[str, Line], command: str, *options: str, workload: str = "blame") -> Night:
    """`harness run` or `harness sweep` over these portals, as a process."""
    with sites({name: line.behaves for name, line in lines.items()}) as found:
        catalog_of(folder / "catalog", lines, found)
        given = ("--workload", workload, "--criteria", "blame", "--catalog", "catalog", *options)
        finished = harness(folder, command, *lines, *given)
    assert (folder / "results").is_dir(), finished.said
    return Night(finished, only_folder(folder / "results"), {name: site.asked for name, site in found.items()})


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Night]:
    """Two sweeps and two runs, at most two at a time."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("scored", "not-loaded", "blocked", "void")}

    def short() -> dict[str, Night]:
        return {
            "not-loaded": measure(folders["not-loaded"], NOT_LOADED, "sweep"),
            "blocked": measure(folders["blocked"], {"empty-403": SCORED["empty-403"]}, "run", "--json"),
            "void": measure(folders["void"], {"well": SCORED["well"]}, "run", "--json", workload="blame-void"),
        }

    with ThreadPoolExecutor() as both:
        long = both.submit(measure, folders["scored"], SCORED | NEIGHBOUR, "sweep", "--at-once", str(len(SCORED) + 1))
        return {**both.submit(short).result(), "scored": long.result()}


def night_of(nights: Mapping[str, Night], name: str) -> Night:
    """The sweep of a line."""
    return nights["scored" if name in SCORED else "not-loaded"]


@pytest.mark.parametrize("name", LINES)
def test_a_portal_gets_the_blame_for_what_it_does_itself(nights: dict[str, Night], name: str) -> None:
    assert_as_said(night_of(nights, name), name, LINES[name])


def assert_as_said(night: Night, name: str, line: Line) -> None:
    """Verdict, points, reasons, unproven journeys and saved pages are those of the table."""
    card = night.card(name)
    assert card["verdict"] == line.verdict, night.finished.said
    assert card["points"] == (None if line.points is None else pytest.approx(line.points, abs=TOLERANCE.get(name, 0.001)))
    assert [reason["code"] for reason in card["reasons"]] == list(line.reasons)
    assert tuple(each["journey"] for each in card.get("unproven") or ()) == line.unproven
    not_proven = {each["id"] for each in card["criteria"] if each["state"] == "unproven"}
    assert not_proven == {*line.unproven, *(["time"] if "search" in line.unproven else [])}
    kept = {path.name for path in (night.folder / "pages" / name).glob("*.html")}
    assert bool(kept) is bool(line.page)
    assert {page.rpartition("-")[0] for page in kept} <= {line.page}


@pytest.mark.parametrize(("name", "control"), CONTROLS.items())
def test_a_portal_that_fails_by_itself_is_scored(nights: dict[str, Night], name: str, control: str) -> None:
    card = nights["scored"].card(control)
    assert (card["verdict"], card["points_assessed_max"]) == ("valid", WHOLE), name
    assert card["points"] < WHOLE


@pytest.mark.parametrize("name", [name for name, line in LINES.items() if line.unproven])
def test_an_unproven_journey_says_where_it_stopped_and_shows_the_page(nights: dict[str, Night], name: str) -> None:
    night = night_of(nights, name)
    for journey in night.card(name)["unproven"]:
        step, _, outcome = LINES[name].page.partition("-")
        assert (journey["step"], journey["outcome"], journey["tries"]) == (step, outcome, TRIES)
        assert journey["rule"].startswith("selector form#")
        page = (night.folder / journey["page"]).read_text(encoding="utf-8")
        assert html.escape("<h1>Giao diện mới</h1>" if name == "redesigned" else "<form id=") in page
        assert f'{journey["page"]}">' in page_of(night.folder, name)


@pytest.mark.parametrize("name", [name for name, line in LINES.items() if line.verdict == "blocked" or "search" in line.unproven])
def test_a_portal_that_no_lone_citizen_gets_through_is_not_loaded(nights: dict[str, Night], name: str) -> None:
    assert night_of(nights, name).asked[name] == ["/tim"] * TRIES * len(BOTH)


def test_a_journey_that_no_lone_citizen_gets_through_is_not_loaded(nights: dict[str, Night]) -> None:
    asked = nights["scored"].asked["typing-error"]
    assert (asked.count("/tim"), asked.count("/nop")) == (1 + TRIES + WINDOWS * PER_WINDOW["search"], TRIES)
    card = nights["scored"].card("typing-error")
    assert card["points_assessed_max"] == FORM_FAILS  # all of its points on the rest


def test_no_way_out_is_cheaper_than_a_bad_score(nights: dict[str, Night]) -> None:
    """From the fourth window on all visits fail; what the portal answers them makes no difference."""
    cards = [nights["scored"].card(name) for name in ("broken-midway", "maintenance-midway", "redesigned-midway", "429-midway")]
    found = [[(each["id"], each["points"], each["windows"]) for each in card["criteria"]] for card in cards]
    assert found == [[("time", 0, WINDOWS), ("search", POINTS["search"] / 2, WINDOWS), ("submit", POINTS["submit"] / 2, WINDOWS)]] * 4


def test_an_address_limit_is_left_to_a_person_and_the_rest_is_scored(nights: dict[str, Night]) -> None:
    windows = nights["scored"].windows("limit-midway")
    assert [window["verdict"] for window in windows] == ["valid"] * 3 + ["blocked"] * 3
    assert [reason["code"] for window in windows for reason in window["reasons"]] == ["address_limit"] * 3
    refused = nights["scored"].windows("429-midway")
    assert [(window["verdict"], window["reasons"]) for window in refused] == [("valid", [])] * WINDOWS


def test_an_outage_of_one_window_costs_a_sixth_of_the_rates(nights: dict[str, Night]) -> None:
    points = {each["id"]: each["points"] for each in nights["scored"].card("one-outage")["criteria"]}
    assert points == {"time": POINTS["time"], "search": pytest.approx(50 / 6, abs=0.001), "submit": pytest.approx(5, abs=0.001)}


class Announcement(NamedTuple):
    """What is said of maintenance in the last three windows, and what comes of it."""

    hours_ahead: float | None  # None: nothing says when it was announced
    points: float
    windows: int
    code: str


MAINTAINED = {
    "maintenance-midway": Announcement(24.0, WHOLE, 3, "announced_maintenance"),
    "maintenance-late": Announcement(23.9, HALF, WINDOWS, "maintenance_announced_late"),
    "maintenance-silent": Announcement(None, HALF, WINDOWS, "maintenance_not_announced"),
}


def maintenance_of(night: Night, portal: str) -> tuple[datetime, datetime]:
    """From the beginning of the fourth window to the end of the sixth."""
    began = [datetime.fromisoformat(window["began_utc"]) for window in night.windows(portal)]
    return began[3], began[5] + timedelta(seconds=2)


@pytest.fixture(scope="module")
def told(nights: dict[str, Night], tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A copy of the scored night. Its operators announced maintenance, and two persons settled the refusals of `limit-midway`."""
    folder, night = tmp_path_factory.mktemp("told"), nights["scored"]
    shutil.copytree(night.folder.parents[1] / "catalog", folder / "catalog")
    (folder / "12.txt").write_text("Thông báo bảo trì hệ thống", encoding="utf-8")
    copied = night._replace(folder=shutil.copytree(night.folder, folder / "night"))

    def tell(command: str, portal: str, *options: str) -> None:
        done = invoke(folder, command, "night", portal, *options, "--catalog", "catalog")
        assert done.code == 0, done.said

    for portal, announcement in MAINTAINED.items():
        begin, end = maintenance_of(night, portal)
        said: tuple[str, ...] = ()
        if announcement.hours_ahead is not None:
            at = (begin - timedelta(hours=announcement.hours_ahead)).isoformat()
            said = ("--announced-at", at, "--document", "12/TB-THU", "--attach", "12.txt")
        tell("supply", portal, "--maintenance", begin.isoformat(), end.isoformat(), *said)
    tell("settle", "limit-midway", "address_limit", "--as", "portal", "--by", "An", "--reason", "đã hỏi đơn vị vận hành")
    tell("settle", "limit-midway", "address_limit", "--confirm", "--by", "Bình")
    return copied


@pytest.mark.parametrize("name", MAINTAINED)
def test_only_maintenance_announced_in_time_costs_nothing(told: Night, name: str) -> None:
    announcement, card = MAINTAINED[name], told.card(name)
    assert (card["verdict"], card["points"]) == ("valid", pytest.approx(announcement.points, abs=0.001))
    assert {each["windows"] for each in card["criteria"]} == {announcement.windows}
    (said,) = [reason["detail"] for reason in card["reasons"] if reason["code"] == announcement.code]
    assert maintenance_of(told, name)[0].isoformat() in said
    assert ("12/TB-THU" in said) is (announcement.hours_ahead is not None)
    documents = [each["file"] for each in card["evidence"] if each["file"].startswith("supplied/maintenance/")]
    assert all(file in said for file in documents)
    assert len(documents) == (announcement.hours_ahead is not None)
    assert said in html.unescape(page_of(told.folder, name))


def test_maintenance_of_one_portal_excuses_no_other(nights: dict[str, Night], told: Night) -> None:
    for name in SCORED.keys() - MAINTAINED.keys() - {"limit-midway"}:
        assert told.card(name)["criteria"] == nights["scored"].card(name)["criteria"]


def test_two_persons_settle_an_address_limit_as_the_portals_fault(nights: dict[str, Night], told: Night) -> None:
    before, card = nights["scored"].card("limit-midway"), told.card("limit-midway")
    assert [reason["code"] for reason in card["reasons"]] == ["refusals_settled_as_portal"]
    assert [{each["windows"] for each in found["criteria"]} for found in (before, card)] == [{3}, {WINDOWS}]
    assert card["points"] < before["points"] == WHOLE
    assert load(told.folder / "scores.json")["revision"] == 3


def test_a_void_window_is_made_up_for_and_costs_nothing(nights: dict[str, Night]) -> None:
    night = nights["scored"]
    windows = night.windows("one-void")
    void = [window for window in windows if window["verdict"] == "void"]
    assert [[reason["code"] for reason in window["reasons"]] for window in void] == [["visits_unaccounted"]]
    assert [(window["window"], window.get("make_up_of")) for window in windows if "make_up_of" in window] == [
        (WINDOWS + 1, void[0]["window"])
    ]
    found = [
        [(each["id"], each["points"], each["windows"]) for each in night.card(name)["criteria"]]
        for name in ("one-void", "form-answers-500")
    ]
    assert found[0] == found[1]
    assert {windows for _, _, windows in found[0]} == {WINDOWS}


def test_a_portal_that_sends_garbage_bombs_and_loops_is_scored(nights: dict[str, Night]) -> None:
    """Low and valid. The table says that the portals beside it have the points that they have without it."""
    night, card = nights["scored"], nights["scored"].card("hostile")
    assert (card["verdict"], card["reasons"], card["points_assessed_max"]) == ("valid", [], WHOLE)
    assert card["points"] == pytest.approx(NEIGHBOUR["hostile"].points, abs=1.5)  # which visits met it depends on who came sixth
    assert [(window["verdict"], window["reasons"]) for window in night.windows("hostile")] == [("valid", [])] * WINDOWS
    (faults,) = [each["faults"] for each in load(night.folder / "faults.json")["portals"] if each["portal"] == "hostile"]
    found = {(fault["step"], fault["outcome"], fault["count"]) for fault in faults}
    assert found == {("search", "protocol", 3), ("search", "http_error", 3), ("search", "wrong_content", 3), ("submit", "protocol", 2)}
    kept = {path.name.rpartition("-")[0] for path in (night.folder / "pages" / "hostile").glob("*.html")}
    assert kept == {"search-protocol", "submit-protocol"}


def test_a_sweep_fails_where_it_could_not_judge_and_not_where_it_was_refused(nights: dict[str, Night]) -> None:
    assert nights["scored"].finished.code == 0, nights["scored"].finished.said
    finished = nights["not-loaded"].finished
    assert finished.code == NoPointsError.exit_code, finished.said
    errors = [line for line in finished.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == len(NOT_LOADED)
    assert all(any(f"{name} is insufficient: " in line for line in errors) for name in NOT_LOADED)


def test_a_run_that_is_refused_ends_without_points(nights: dict[str, Night]) -> None:
    night = nights["blocked"]
    assert night.finished.code == NoPointsError.exit_code, night.finished.said
    assert "empty-403 is blocked: A lone citizen is refused too" in night.finished.err
    assert_as_said(night, "empty-403", SCORED["empty-403"])
    assert night.asked["empty-403"] == ["/tim"] * TRIES * len(BOTH)
    (card,) = json.loads(night.finished.out)["scores"]
    assert card == night.card("empty-403")


def test_a_run_whose_windows_are_all_void_says_why(nights: dict[str, Night]) -> None:
    """Its health limit cannot be met, so that measuring again at the end of the night changes nothing."""
    night = nights["void"]
    assert night.finished.code == NoPointsError.exit_code, night.finished.said
    assert "well is void: " in night.finished.err
    card = night.card("well")
    assert (card["verdict"], card["points"]) == ("void", None)
    assert [(reason["code"], reason["detail"]) for reason in card["reasons"]] == [("all_windows_void", "scheduler_lag")]
    assert [(window["verdict"], window.get("make_up_of")) for window in night.windows("well")] == [
        ("void", None),
        ("void", None),
        ("void", 1),
    ]


def test_a_pool_without_a_column_is_found_before_anything_is_sent(tmp_path: Path) -> None:
    lines = {"pooled": SCORED["pool-with-semicolons"]}
    with sites({"pooled": well}) as found:
        catalog_of(tmp_path / "catalog", lines, found, columns="ho_ten;mat_khau")
        validated = invoke(tmp_path, "validate", "--catalog", "catalog")
        done = invoke(tmp_path, "run", "pooled", "--workload", "blame", "--criteria", "blame", "--catalog", "catalog")
        assert found["pooled"].asked == []
    for finished in (validated, done):
        assert finished.code == CatalogError.exit_code, finished.said
        assert "accounts.csv:1: " in finished.err
        assert "columns ho_ten, mat_khau (separated by semicolon); expected columns ten; ten is missing" in finished.err
    assert not (tmp_path / "results").exists()


@pytest.mark.slow  # six windows, each with a lone citizen after it, for a line that a shorter test has for three of them
def test_a_portal_that_limits_our_address_all_night_has_no_points(tmp_path: Path) -> None:
    night = measure(tmp_path, LIMITED, "run")
    assert night.finished.code == NoPointsError.exit_code, night.finished.said
    assert_as_said(night, "limit-always", LIMITED["limit-always"])
