"""What a person types as the name of a thing, or searches for by a script, is another text in each visit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from harness.cli import main
from harness.operations.authoring.draft import DraftedProfile, draft_with_remarks
from tests.operations.made_capture import DONE, FORM, SENT, URLENCODED, Entry, entry

NAME, WORD, ID = "spare_desk_lamp", "orchard", "7d0c-4411-aa02"  # typed, searched for, given by the portal
THINGS: list[Mapping[str, str]] = [{"id": "1c11-0001-bb01", "name": "orchard_north"}, {"id": "1c11-0002-bb02", "name": "harbour"}]


def sent(data: Any) -> Mapping[str, str]:
    return {"mimeType": "application/json", "text": json.dumps(data)}


def asked(path: str, data: Any, answer: Any, *, status: int = 200, at: int = 0) -> Entry:
    return entry("POST", path, answer, kind="xhr", posted=sent(data), status=status, at=at)


def drafted(folder: Path, *entries: Entry) -> tuple[DraftedProfile, dict[str, Any]]:
    (folder / "visit.har").write_text(json.dumps({"log": {"entries": entries}}), encoding="utf-8")
    made = draft_with_remarks(folder / "visit.har", for_catalog=True)
    return made, yaml.safe_load(made.text)["goals"]


def requests_of(goal: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [request for step in goal["steps"] for request in step["requests"]]


def test_a_name_that_was_free_when_it_was_recorded_is_chosen_anew(tmp_path: Path) -> None:
    thing = {"id": ID, "name": NAME}
    made, goals = drafted(
        tmp_path,
        asked("/api/things/filter", {"sort": "NAME_ASC"}, THINGS),
        asked("/api/things/filter", {"name": {"like_": WORD}, "sort": "NAME_ASC"}, THINGS[:1], at=1),
        entry("GET", f"/api/things/name/{NAME}", {"detail": "none"}, kind="xhr", status=404, at=2),
        asked("/api/things/", {"name": NAME, "value": 7}, thing, status=201, at=3),
        asked("/api/things/filter", {"name": {"like_": NAME}, "sort": "NAME_ASC"}, [thing], at=4),
        entry("DELETE", f"/api/things/{ID}?name={NAME}", kind="xhr", status=204, at=5),
    )
    assert made.searched == WORD
    assert requests_of(goals["find"])[1]["json"]["name"] == {"like_": "{{ take('words').word }}"}
    tried, filed = requests_of(goals["file"])
    assert tried["let"] == {"name": "kiem_thu_{{ unique_hex(12) }}"}
    assert tried["get"] == "{{ origin.portal }}/api/things/name/{{ name }}"
    assert filed["json"] == {"name": "{{ name }}", "value": 7}
    (found,) = requests_of(goals["track"])
    assert found["json"]["name"] == {"like_": "{{ name }}"}
    assert found["confirms"] == {"code": "{{ receipt }}"}
    (deleted,) = requests_of(goals["withdraw"])
    assert (deleted["delete"], deleted["query"]) == ("{{ origin.portal }}/api/things/{{ receipt }}", {"name": "{{ name }}"})
    assert filed["receipt"] == {"code": "{{ receipt }}", "keep": ["name"]}
    assert NAME not in yaml.safe_dump(goals)


def test_a_page_that_a_visit_writes_is_another_one_each_time(tmp_path: Path) -> None:
    link = '<title>None yet</title><p class="none"><a href="/write?page=DeskLamp88">Write it</a></p>'
    form = '<title>Write</title><form method="post" action="/save/DeskLamp88"><textarea name="text"></textarea></form>'
    _, goals = drafted(
        tmp_path,
        entry("GET", "/", "<title>Home</title><h1>Home</h1>"),
        entry("GET", "/DeskLamp88", link, status=404, at=1),
        entry("GET", "/write?page=DeskLamp88", form, at=2),
        entry("POST", "/save/DeskLamp88", "<h1>Saved</h1><p>A lamp</p>", posted={"mimeType": URLENCODED, "text": "text=A+lamp"}, at=3),
    )
    tried = requests_of(goals["file"])[0]
    assert (tried["get"], tried["let"]) == ("{{ origin.portal }}/{{ name }}", {"name": "KiemThu{{ unique_hex(12) }}"})


def test_an_address_that_is_not_there_and_that_nothing_makes_stays(tmp_path: Path) -> None:
    _, goals = drafted(
        tmp_path,
        entry("GET", "/", FORM),
        entry("GET", "/favicon-of-old", "<h1>No</h1>", status=404, at=1),
        entry("POST", "/nop", DONE, posted={"mimeType": URLENCODED, "text": SENT}, at=2),
    )
    assert "unique_hex" not in yaml.safe_dump(goals)


def test_what_a_search_finds_is_not_looked_for_by_the_words_of_the_capture(tmp_path: Path) -> None:
    home = '<title>Home</title><a href="/help">Help</a><form action="/find"><input name="q"></form>'
    found = '<title>Found</title><a href="/">Home</a><div class="found"><a href="/page/lamps">Lamps and more</a></div>'
    made, goals = drafted(
        tmp_path, entry("GET", "/", home), entry("GET", "/find?q=lamps", found, at=1), entry("GET", "/page/lamps", "<h1>Lamps</h1>", at=2)
    )
    assert made.searched == "lamps"
    assert requests_of(goals["find"])[1]["extract"] == {"link": {"css": "div.found a", "attr": "href"}}


def test_what_is_left_begins_with_typed_texts_that_come_back_and_passes_over_the_rest(tmp_path: Path) -> None:
    headers = {"X-Interface": "true", "Accept": "application/json"}
    thing = {"id": ID, "title": "A blue chair", "room": "Kitchen of Lan"}
    entries = [
        entry("GET", "http://127.0.0.1:9/", "<title>Things</title><h1>Things</h1>"),
        *(entry("GET", f"http://127.0.0.1:9/a{number}.css", mime="text/css", kind="stylesheet") for number in range(3)),
        asked("http://127.0.0.1:9/api/things/filter", {"keyword": WORD}, THINGS[:1], at=1),
        entry("POST", "http://127.0.0.1:9/api/things", thing, kind="xhr", headers=headers,
              posted=sent({"title": "A blue chair", "room": "Kitchen of Lan", "sort": "NAME_ASC"}), status=201, at=2),
        *(entry("GET", f"http://127.0.0.1:9/api/things/{ID}", thing, kind="xhr", headers=headers, at=3 + number) for number in range(3)),
    ]  # fmt: skip
    (tmp_path / "visit.har").write_text(json.dumps({"log": {"entries": entries}}), encoding="utf-8")
    done = CliRunner().invoke(main, ["init", str(tmp_path / "my"), "--har", str(tmp_path / "visit.har"), "--portal", "things", "--sandbox"])
    assert done.exit_code == 0, done.output
    left = (tmp_path / "my" / "left-to-do.md").read_text(encoding="utf-8")
    first = left[left.index("1. ") : left.index("2. ")]
    assert first.startswith("1. Typed texts.")
    assert "room = Kitchen of Lan" in first
    assert "title = " not in first  # it is written anew
    assert left.count("X-Interface") == 1
    assert "NAME_ASC" not in left
    without_search = [each for each in entries if "/filter" not in each["request"]["url"]]
    (tmp_path / "visit.har").write_text(json.dumps({"log": {"entries": without_search}}), encoding="utf-8")
    other = CliRunner().invoke(
        main, ["init", str(tmp_path / "other"), "--har", str(tmp_path / "visit.har"), "--portal", "things", "--sandbox"]
    )
    assert ("Search. Your visit searched for nothing" in other.output, "Your visit searched" in left) == (True, False)
    profile = (tmp_path / "my" / "platforms" / "things-pages.yaml").read_text(encoding="utf-8")
    assert "assets of pages (images, scripts, style sheets): 3;" in profile
    assert ".css" not in profile
    assert profile.count("X-Interface = true") == 1
    assert "X-Interface = true (the same in 3 later requests)" in profile


def test_drafted_rules_can_fail(tmp_path: Path) -> None:
    login = '<title>In</title><form method="post" action="/in"><input name="u"><input name="p" type="password"></form>'
    inside = '<title>In</title><link id="icon" rel="icon"><div id="mine"><a href="/out">Out</a></div><a href="/new">New</a>'
    _, goals = drafted(
        tmp_path,
        entry("GET", "/in", login),
        entry("POST", "/in", inside, posted={"mimeType": URLENCODED, "text": "u=an&p=mot-hai-ba"}, at=1),
        entry("GET", "/new", "<h1 class=page>New</h1>", at=2),
        entry("GET", "/api/lists", THINGS, kind="xhr", at=3),
        entry("GET", "/api/me", {"none": None, "name": "An"}, kind="xhr", at=4),
        entry("GET", "/api/lost", "", kind="xhr", mime="application/json", at=5),
    )
    rules = [request["expect"] for goal in goals.values() for request in requests_of(goal)]
    assert rules[1] == {
        "require_selector": "div#mine",  # not `a`, the link that comes next: any page has one
        "forbid_selector": {"css": "input[type=password]", "means": "login_refused"},
    }
    assert rules[2:] == [
        {"require_selector": "h1.page"}, {"content_type": "application/json"}, {"json": {"path": "name", "present": True}}, {},
    ]  # fmt: skip


def test_a_page_is_told_by_what_no_other_kind_of_page_has(tmp_path: Path) -> None:
    menu = '<div id="menu"><a class="nav" href="/">Home</a><a class="nav" href="/list">All</a><a class="nav" href="/help">Help</a></div><h2>Shop</h2>'
    _, goals = drafted(
        tmp_path,
        entry("GET", "/", f'{menu}<div id="offers">Now</div>'),
        entry("GET", "/list", f'{menu}<div id="note-20261126"></div><div id="flash">Hi</div><table id="goods"></table><a class="nav" href="/good/1">1</a>', at=1),
        entry("GET", "/good/1", f'{menu}<div id="price">5</div>', at=2),
        entry("GET", "/good/2", f'{menu}<div id="price">6</div>', at=3),
        entry("GET", "/help", menu, at=4),
    )  # fmt: skip
    told = [request["expect"]["require_selector"] for request in requests_of(goals["find"])]
    assert told == ["div#offers", "table#goods", "div#price", "div#price", "h2"]  # the last page has nothing of its own


def test_a_page_without_an_element_of_its_own_is_told_by_the_text_of_the_link_to_it(tmp_path: Path) -> None:
    menu = "<div id=menu><a href=/>Home</a></div><h2>Shop</h2>"
    draft, goals = drafted(
        tmp_path,
        entry("GET", "/?q=ghế", f'{menu}<ul id="found"><li><a class="good" href="/good/7">Ghế tre</a></li></ul>'),
        entry("GET", "/good/7", f"{menu}<p>Ghế tre</p>", at=1),
        entry("GET", "/help", menu, at=2),
    )
    searched, opened, _ = requests_of(goals["find"])
    assert searched["extract"] == {
        "link": {"css": "a.good", "attr": "href"},
        "link_text": {"css": "a.good"},
    }
    assert opened["expect"] == {"require_selector": "h2", "require_text": "{{ link_text }}"}
    (told,) = [remark for remark in draft.constants if "all pages of the capture have" in remark.said]
    assert (told.entry, told.matter) == (3, "look")  # nothing tells the last page
