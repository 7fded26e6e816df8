"""A withdrawal of a draft whose login comes after the filing: a clerk withdraws what a citizen without an account has filed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from harness.operations.authoring.draft import draft_with_remarks
from tests.operations.made_capture import DONE, FORM, SENT, drafted, entry, form

LINK = '<a href="/login?next=/">Log in</a>'
LOGIN = '<h1>Log in</h1><form method="post" action="/login"><input name="user_name"><input name="password" type="password"></form>'
OFFICE = '<h1>Office</h1><form id="find" action="/find"><input name="ma"></form>'
FOUND = '<h2>H08.12-261125-0042</h2><a class="remove" href="/ho-so/7/delete">Delete</a>'
ASKED = '<h2>H08.12-261125-0042</h2><form id="sure" method="post" action="/ho-so/7/delete"><input type="hidden" name="next" value="home"></form>'
FILED = (entry("GET", "/don", FORM), entry("POST", "/nop", f"{DONE}{LINK}", posted=form(SENT), at=1))
LOOKED_UP = entry("GET", "/tra-cuu?ma=H08.12-261125-0042", f"{DONE}{LINK}", at=2)
LOGS_IN = (
    entry("GET", "/login?next=/", LOGIN, at=3),
    entry("POST", "/login", OFFICE, posted=form("user_name=clerk&password=Thu-4477"), at=4),
)
FINDS = (entry("GET", "/find?ma=H08.12-261125-0042", FOUND, at=6), entry("GET", "/ho-so/7/delete", ASKED, at=7))
DELETES = entry("POST", "/ho-so/7/delete", "<h1>Deleted</h1>", posted=form("next=home"), at=8)


def steps_of(profile: Any, goal: str) -> list[str]:
    return [step["step"] for step in profile["goals"][goal]["steps"]]


def test_a_clerk_who_logs_in_after_the_look_up_withdraws(tmp_path: Path) -> None:
    listed = entry("GET", "/api/list?draw=1", {"rows": []}, kind="xhr", at=5)
    left, profile = drafted(tmp_path, *FILED, LOOKED_UP, *LOGS_IN, listed, *FINDS, DELETES)
    assert (steps_of(profile, "track"), steps_of(profile, "withdraw")) == (["track"], ["log_in", "track", "withdraw"])
    log_in, _, delete = profile["goals"]["withdraw"]["steps"]
    assert log_in["once"] is True
    asked, sent = log_in["requests"]
    assert asked["get"] == "{{ origin.portal }}/login?next=/"  # not by the link: a withdrawal after a sweep has seen no page
    assert sent["form"]["set"]["password"] == "{{ secret('withdrawal_password') }}"
    assert "/api/list" not in str(profile)
    assert "entry 6 GET https://dvc.example.invalid/api/list?draw=…: a script asked for it before the withdrawal" in "\n".join(
        map(str, left.left_out)
    )
    assert "draw = 1" not in "\n".join(map(str, left.constants))
    assert delete["requests"][0]["post"] == "{{ form.action }}"
    assert "confirms" not in str(profile["goals"]["withdraw"])


def test_a_change_that_redirects_to_no_address_is_drafted_without_that_rule(tmp_path: Path) -> None:
    filed = [json.loads(json.dumps(each)) for each in FILED]
    for each in filed:
        if each["request"]["method"] == "POST":
            each["response"] |= {"status": 302, "redirectURL": "http://["}
    _, profile = drafted(tmp_path, *filed)
    assert "redirect_to" not in str(profile["goals"])


def test_the_account_that_withdraws_is_no_account_of_citizens(tmp_path: Path) -> None:
    drafted(tmp_path, *FILED, LOOKED_UP, *LOGS_IN, *FINDS, DELETES)
    profile = yaml.safe_load(draft_with_remarks(tmp_path / "capture.har", for_catalog=True).text)
    sent = profile["goals"]["withdraw"]["steps"][0]["requests"][1]["form"]["set"]
    assert sent == {"user_name": "{{ secret('withdrawal_user_name') }}", "password": "{{ secret('withdrawal_password') }}"}


def test_a_login_before_the_look_up_belongs_to_it(tmp_path: Path) -> None:
    looks_up = entry("GET", "/tra-cuu?ma=H08.12-261125-0042", DONE, at=5)
    _, profile = drafted(tmp_path, *FILED, *LOGS_IN, looks_up)
    assert (steps_of(profile, "file"), steps_of(profile, "track")) == (["submit"], ["log_in", "track"])
    assert "{{ person.password }}" in str(profile["goals"]["track"])


def test_whoever_may_search_only_with_an_account_searches_before_filing_and_withdraws_by_a_script_s_token(tmp_path: Path) -> None:
    token = '<input type="hidden" name="csrf" value="tk-{}-aa">'
    mark = {"kind": "xhr", "headers": {"X-Requested-With": "XMLHttpRequest"}}
    _, profile = drafted(
        tmp_path,
        entry("GET", "/", f"<h1>Forum</h1>{LINK}"),
        *LOGS_IN,
        entry("GET", "/find?q=fence", '<div id="found"><a class="good" href="/topic/1">Fence</a></div>', at=5),
        entry("GET", "/topic/1", f"<h2>Fence</h2>{token.format(5511)}<a class=new href=/new>New</a>", at=6),
        entry("POST", "/seen", {"ok": True}, posted=form("csrf=tk-5511-aa&comment_number=1"), at=7, **mark),
        entry("GET", "/new", FORM, at=8),
        entry("POST", "/nop", f"{DONE}{token.format(6622)}", posted=form(SENT), at=9),
        entry("POST", "/seen", {"ok": True}, posted=form("csrf=tk-6622-aa&comment_number=1"), at=10, **mark),
        entry("GET", "/tra-cuu?ma=H08.12-261125-0042", f"{DONE}{token.format(7733)}", at=11),
        entry("POST", "/delete/H08.12-261125-0042", "<h1>Deleted</h1>", posted=form("csrf=tk-7733-aa"), at=12),
    )
    assert steps_of(profile, "find") == ["search", "log_in", "search", "open_procedure"]
    for_catalog = draft_with_remarks(tmp_path / "capture.har", for_catalog=True).text
    assert for_catalog.count("comment_number: '1'") == 2  # a number is no note
    assert (steps_of(profile, "track"), steps_of(profile, "withdraw")) == (["track"], ["log_in", "track", "withdraw"])
    log_in, opened, deleted = profile["goals"]["withdraw"]["steps"]
    assert log_in["requests"][0]["get"] == "{{ origin.portal }}/login?next=/"
    (name,) = opened["requests"][0]["extract"]
    assert [request["fields"] for request in deleted["requests"]] == [{"csrf": "{{ " + name + " }}"}]


def test_what_the_filing_gave_and_only_the_withdrawal_needs_is_kept_with_the_receipt(tmp_path: Path) -> None:
    done = f'{DONE}<a class="rut" href="/rut-ho-so/kx-5512-ab">Rút hồ sơ</a>'
    _, profile = drafted(
        tmp_path,
        FILED[0],
        entry("POST", "/nop", done, posted=form(SENT), at=1),
        entry("GET", "/rut-ho-so/kx-5512-ab", "<h1>Đã rút</h1>", at=2),
    )
    assert steps_of(profile, "withdraw") == ["withdraw"]
    (asked,) = profile["goals"]["withdraw"]["steps"][0]["requests"]
    assert asked["get"] == "{{ link }}"
    assert profile["goals"]["file"]["steps"][-1]["requests"][-1]["receipt"] == {"code": "{{ receipt }}", "keep": ["link"]}


def test_a_script_s_preview_before_the_withdrawal_leaves_it_the_form_s_page(tmp_path: Path) -> None:
    page = f'{DONE}<form id="edit" method="post" action="/ho-so/7"><input name="comment"></form>'
    _, profile = drafted(
        tmp_path,
        *FILED,
        entry("GET", "/ho-so/H08.12-261125-0042", page, at=2),
        entry("POST", "/ho-so/7", "<h2>Xem trước</h2>", kind="xhr", posted=form("comment=Xong&preview=1"), at=3),
        entry("POST", "/ho-so/7", "<h1>Đã rút</h1>", posted=form("comment=Xong"), at=4),
    )
    opened, sent = (step["requests"][0] for step in profile["goals"]["withdraw"]["steps"])
    assert sent["form"]["page"] == opened["keep_page"]


def test_a_script_s_preview_looks_nothing_up(tmp_path: Path) -> None:
    """A clerk's preview shows the dossier's code again; the request that stores the change comes after it."""
    page = f'{DONE}<form id="edit" method="post" action="/ho-so/7"><input name="comment"></form>'
    _, profile = drafted(
        tmp_path,
        *FILED,
        LOOKED_UP,
        entry("GET", "/ho-so/H08.12-261125-0042", page, at=3),
        entry("POST", "/ho-so/7", f"<h2>Xem trước</h2>{DONE}", kind="xhr", posted=form("comment=Xong&preview=1"), at=4),
        entry("POST", "/ho-so/7", "<h1>Đã rút</h1>", posted=form("comment=Xong"), at=5),
    )
    looked_up = [request for step in profile["goals"]["track"]["steps"] for request in step["requests"]]
    assert [("get" in request, "confirms" in request) for request in looked_up] == [(True, True), (True, True), (False, False)]
