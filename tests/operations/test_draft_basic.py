"""A login by HTTP Basic in a capture: one request with two secrets, however the tool has recorded it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.operations.authoring.new_catalog import add_draft, portal_files
from harness.operations.authoring.own_portal import OwnPortal
from tests.operations.made_capture import DONE, FORM, SENT, SITE, Entry, drafted, entry, form, remarks_on, requests_of

LOGIN = {"Authorization": "Basic dGh1OlRodUA0NDc3"}  # thu:Thu@4477
WRITTEN = "Basic {{ base64(join(':', secret('user'), secret('password'))) }}"
ASKS = {"WWW-Authenticate": 'Basic realm="Office"'}
FILED = (entry("GET", "/office/don", FORM, at=3, headers=LOGIN), entry("POST", "/nop", DONE, posted=form(SENT), at=4))
NO = "<h1>401</h1>"


def asked(path: str = "/office/", **other: Any) -> Entry:
    return entry("GET", path, NO, status=401, answered=ASKS, **other)


def test_a_question_for_a_login_is_no_poll(tmp_path: Path) -> None:
    draft, profile = drafted(tmp_path, asked(), entry("GET", "/office/", "<h1>Office</h1>", headers=LOGIN, at=1), *FILED)
    first, opened, filed = requests_of(profile)
    assert (first["headers"], opened["headers"], "headers" in filed) == ({"Authorization": WRITTEN}, {"Authorization": WRITTEN}, False)
    assert "poll" not in str(profile)
    assert "401" not in str(profile)  # a wrong password is a failure
    assert "answered 401, and sent again with a login as entry 2" in remarks_on(draft, 1)
    assert "dGh1" not in draft.text
    assert "Thu@4477" not in draft.text


def test_a_login_that_the_tool_has_taken_out_is_told_and_sent(tmp_path: Path) -> None:
    """As browsers export a HAR without sensitive data: the header is sent with all below the folder that asked for it."""
    bare = entry("GET", "/office/don", FORM, at=3)
    draft, profile = drafted(tmp_path, asked(), entry("GET", "/office/", "<h1>Office</h1>", at=1), bare, FILED[1])
    first, opened, filed = requests_of(profile)
    assert (first["headers"], opened["headers"], "headers" in filed) == ({"Authorization": WRITTEN}, {"Authorization": WRITTEN}, False)
    (told,) = [remark for remark in draft.constants if "the recording hides the login" in remark.said]
    assert (told.entry, told.matter) == (2, "look")
    assert f"all below {SITE}/office/." in told.said


def test_a_user_and_a_password_in_an_address_are_sent_as_a_browser_does(tmp_path: Path) -> None:
    address = SITE.replace("://", "://thu:Thu%404477@") + "/office/"
    draft, profile = drafted(tmp_path, entry("GET", address, "<h1>Office</h1>"), entry("GET", "/office/don", FORM, at=1), FILED[1])
    assert [request.get("headers") for request in requests_of(profile)] == [{"Authorization": WRITTEN}, {"Authorization": WRITTEN}, None]
    assert "4477@" not in draft.text
    assert "written as secret('user') and secret('password')" in remarks_on(draft, 1)


def test_a_login_of_a_script_is_sent_with_its_own_request_alone(tmp_path: Path) -> None:
    token = entry("POST", "/office/token", {"token": "tk-5512-aabb"}, kind="fetch", posted=form("grant=client"), headers=LOGIN)
    _, profile = drafted(tmp_path, token, entry("GET", "/office/don", FORM, at=3), FILED[1])
    assert [request.get("headers") for request in requests_of(profile)] == [{"Authorization": WRITTEN}, None, None]


def test_an_answer_that_was_never_let_in_stays_what_it_was(tmp_path: Path) -> None:
    draft, profile = drafted(tmp_path, asked(), entry("GET", "/office/don", FORM, at=3), FILED[1])
    assert requests_of(profile)[0]["expect"]["status"] == 401
    assert "hides the login" not in draft.text


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (LOGIN, "`SHOP_PASSWORD` (as it is typed into the browser's own login, HTTP Basic), `SHOP_USER` (as it is"),
        ({"Authorization": "Token ab12-cd34-ef56"}, "`SHOP_AUTHORIZATION` (what follows the word Token)."),
        ({"X-Api-Key": "ab12-cd34-ef56-7712"}, "`SHOP_X_API_KEY`."),
    ],
)
def test_it_is_said_what_the_variable_of_a_secret_holds(tmp_path: Path, header: dict[str, str], told: str) -> None:
    draft, _ = drafted(tmp_path, entry("GET", "/don", FORM, headers=header), FILED[1], entry("GET", "https://[::1/x", at=5))
    portal = OwnPortal("shop", "Shop", "Shop", "sample", "shop-pages", "x", (), 1, 1)
    made = portal_files(portal, {})
    add_draft(made, draft, portal)
    said = "\n".join(made.left)
    assert told in said
    assert "Left out. These requests of your visit are not in the profile:\n   - entry 3 GET" in said


def test_a_script_that_asks_whether_somebody_is_logged_in_is_answered_401(tmp_path: Path) -> None:
    """Some servers name HTTP Basic to scripts, although people log in by a form."""
    me = entry("GET", "/api/me", {"error": "unauthorised"}, kind="xhr", status=401, answered=ASKS)
    login = entry("POST", "/api/login", {"token": "tk-5512-aabb"}, kind="xhr", posted=form("user_name=thu&password=Thu-4477"), at=1)
    for header in (None, {"Authorization": "Bearer tk-5512-aabb"}):
        again = entry("GET", "/api/me", {"name": "x"}, kind="xhr", headers=header, at=2)
        draft, profile = drafted(tmp_path, me, login, again, entry("GET", "/don", FORM, at=3), FILED[1])
        assert requests_of(profile)[0]["expect"]["status"] == 401
        assert "hides the login" not in draft.text
