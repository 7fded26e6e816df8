"""What a draft expects of the answer to a request that changes something: a page that refuses must break a rule of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from harness.catalog.platform import Platform
from harness.operations.authoring.outline import commented_yaml, with_comments_as_keys
from harness.profiles import compile_platform
from harness.profiles.functions import FUNCTIONS
from tests.operations.made_capture import DONE, FORM, SENT, SITE, Entry, body, drafted, entry, form

CODE = "H08.12-261125-0042"
FILED = (entry("GET", "/don", FORM), entry("POST", "/nop", DONE, posted=form(SENT), at=1))
TICKET = (
    '<h1>Office</h1><p class="state">{}</p><p>{}</p><form id="edit" method="post" action="/ticket/42"><input name="comment"></form><i id="box">'
    + CODE
    + "</i>"
)
SENDS = form("comment=Xong")


def last_of(profile: Any, goal: str = "withdraw") -> Any:
    return profile["goals"][goal]["steps"][-1]["requests"][-1]


def closed(after: str, *, status: int = 200, preview: str = "") -> tuple[Entry, ...]:
    """A visit that files, opens its ticket and closes it; ``status`` 303 leads back to the ticket."""
    previews = [entry("POST", "/ticket/42", preview, kind="xhr", posted=form("comment=Xong&preview=1"), at=3)] if preview else []
    answered = {"Location": f"{SITE}/ticket/42#comment:1"} if status == 303 else None
    shown = [entry("GET", "/ticket/42", after, at=5)] if status == 303 else []
    sent = entry("POST", "/ticket/42", "" if status == 303 else after, status=status, answered=answered, posted=SENDS, at=4)
    return (*FILED, entry("GET", "/ticket/42", TICKET.format("open", "Nobody closed it, or a closed one"), at=2), *previews, sent, *shown)


def test_a_redirect_and_the_new_state_show_that_it_was_withdrawn(tmp_path: Path) -> None:
    draft, profile = drafted(tmp_path, *closed(TICKET.format("closed", ""), status=303))
    expect = last_of(profile)["expect"]
    assert re.search(expect["redirect_to"], f"{SITE}/ticket/977#comment:1")
    assert not re.search(expect["redirect_to"], f"{SITE}/login?next=/ticket/977")
    assert expect["require_selector"][-1] == {"css": "p.state", "containing": "closed"}  # the page before has the word elsewhere
    assert "Not proven" not in draft.text


def test_what_a_preview_shows_too_is_no_sign_that_it_was_withdrawn(tmp_path: Path) -> None:
    after = TICKET.format("closed", "Reopen")
    draft, profile = drafted(tmp_path, *closed(after, preview='<p class="state">closed</p>'))
    assert last_of(profile)["expect"]["require_text"] == ["{{ receipt }}", "Reopen"]
    assert "Not proven" not in draft.text


def test_a_draft_says_where_nothing_tells_that_it_was_withdrawn(tmp_path: Path) -> None:
    draft, profile = drafted(tmp_path, *closed(TICKET.format("open", "Nobody closed it, or a closed one")))
    said = "its rules hold too if nothing was withdrawn"
    assert said in "\n".join(remark.said for remark in draft.constants if remark.matter == "look")
    at_the_rule = r"\n +# Not proven: these rules hold too if nothing was withdrawn\. .*\n +expect:\n"
    assert len(re.findall(at_the_rule, draft.text)) == 1
    assert (
        re.search(at_the_rule, commented_yaml(yaml.safe_load(with_comments_as_keys(draft.text)))) is not None
    )  # where another goal is taken out
    assert "Not proven" not in str(profile)


def test_a_dossier_that_is_gone_from_its_list_may_not_come_back(tmp_path: Path) -> None:
    listed = f'<h1>Office</h1><a href="/ticket/42">{CODE}</a><form id="del" method="post" action="/gone"><input name="why"></form>'
    left = "<h1>Office</h1><form id=del method=post action=/gone><input name=why></form>"
    back = entry("POST", "/gone", "", status=302, answered={"Location": f"{SITE}/"}, posted=form("why=Thôi"), at=4)
    draft, profile = drafted(tmp_path, *FILED, entry("GET", "/", listed, at=3), back, entry("GET", "/", left, at=5))
    assert last_of(profile)["expect"]["forbid_text"] == "{{ receipt }}"
    assert "Not proven" not in draft.text


def test_json_says_by_a_value_that_it_was_withdrawn(tmp_path: Path) -> None:
    asked = entry("GET", f"/api/ticket/{CODE}", {"code": CODE, "state": "open", "lang": "vi"}, kind="xhr", at=2)
    sent = {"kind": "xhr", "posted": body({"why": "Thôi"}), "at": 3}
    _, profile = drafted(
        tmp_path, *FILED, asked, entry("POST", f"/api/ticket/{CODE}", {"code": CODE, "state": "cancelled", "lang": "vi"}, **sent)
    )
    assert last_of(profile)["expect"]["json"] == {"path": "state", "equals": "cancelled"}
    _, profile = drafted(tmp_path, *FILED, asked, entry("POST", "/api/cancel", {"error": None, "success": True}, **sent))
    assert last_of(profile)["expect"]["json"] == {"path": "success", "equals": True}
    draft, profile = drafted(tmp_path, *FILED, asked, entry("POST", "/api/cancel", {"items": []}, **sent))
    assert "Not proven" in draft.text
    draft, profile = drafted(tmp_path, *FILED, asked, entry("DELETE", f"/api/ticket/{CODE}/cancel", status=204, kind="xhr", at=3))
    assert (last_of(profile)["expect"], "Not proven" in draft.text) == ({"status": 204}, False)


def test_a_form_that_comes_back_is_no_step_forward(tmp_path: Path) -> None:
    """The second page of a filing has the address of the first; only what the first lacked tells them apart."""
    first = '<h1>Đơn</h1><form id="don" method="post" action="/don"><input name="ten"></form>'
    second = '<h1>Đơn</h1><form id="don" method="post" action="/don"><input name="ten"><input id="tep" name="tep"></form>'
    _, profile = drafted(
        tmp_path,
        entry("GET", "/don", first),
        entry("POST", "/don", second, posted=form("ten=An"), at=1),
        entry("POST", "/don", DONE, posted=form("ten=An&tep=x"), at=2),
    )
    requests = [request for step in profile["goals"]["file"]["steps"] for request in step["requests"]]
    assert "input#tep" in str(requests[-2]["expect"]["require_selector"])


def test_a_redirect_that_is_followed_by_hand_stays_where_it_was_seen(tmp_path: Path) -> None:
    """The code in a Location is sent later, so its redirects become requests of their own."""
    moved = entry("POST", "/nop", "", status=302, answered={"Location": "/don/2?phien=zk-4477-bb"}, posted=form(SENT), at=1)
    _, profile = drafted(
        tmp_path,
        entry("GET", "/don", FORM),
        moved,
        entry("GET", "/don/2?phien=zk-4477-bb", "<h1>Tiếp</h1>", at=2),
        entry("POST", "/xong", DONE, posted=form("phien=zk-4477-bb"), at=3),
    )
    compile_platform(Platform.model_validate(profile), FUNCTIONS)
    requests = [request for step in profile["goals"]["file"]["steps"] for request in step["requests"]]
    assert [request["expect"]["redirect_to"] for request in requests if "redirect_to" in request["expect"]] == [
        r"^https?://[^/?#]+/don/[^/?#]+\?(?:[^#]*&)?phien="
    ]
    holder = next(request for request in requests if "redirect_to" in request["expect"])
    assert "post" in holder


def test_a_redirect_back_to_the_form_is_no_redirect_to_the_next_page(tmp_path: Path) -> None:
    def moved(to: str, at: int) -> tuple[Entry, Entry]:
        sent = entry("POST", "/don", "", status=302, answered={"Location": to}, posted=form(SENT), at=at)
        return sent, entry("GET", to, f"{FORM}<p>{at}</p>".replace('action="/nop"', 'action="/don"'), at=at + 1)

    start = entry("GET", "/don?buoc=nguoi-nop", FORM.replace('action="/nop"', 'action="/don"'))
    _, profile = drafted(tmp_path, start, *moved("/don?buoc=giay-to&so=4477", 1), entry("POST", "/don", DONE, posted=form(SENT), at=5))
    requests = [request for step in profile["goals"]["file"]["steps"] for request in step["requests"]]
    wanted = requests[0]["expect"]["redirect_to"]
    assert re.search(wanted, f"{SITE}/don?buoc=giay-to&so=9")
    assert not re.search(wanted, f"{SITE}/don?buoc=nguoi-nop&loi=1")


def test_no_name_of_a_person_stands_in_a_rule(tmp_path: Path) -> None:
    """The account's name is new on the page after the change, and another citizen has another one."""
    after = "<b>Trần Thị Thử</b><i>0000-11</i><em>vừa xong</em><u>Yêu cầu đã rút</u>"
    _, profile = drafted(tmp_path, *closed(TICKET.format("open", "Nobody closed it, or a closed one") + after))
    assert last_of(profile)["expect"]["require_text"] == ["{{ receipt }}", "Yêu cầu đã rút"]
