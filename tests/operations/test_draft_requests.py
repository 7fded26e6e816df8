"""Which requests and steps of a profile the entries of a capture become: polls, forms, the order across goals, hosts and redirects."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.operations.made_capture import DONE, FORM, SENT, drafted, entry, form, remarks_on, requests_of


@pytest.mark.parametrize(
    ("address", "role"),
    [
        ("https://id.example.invalid/oauth2/authorize", "identity"),
        ("https://id.example.invalid/connect/authorize", "identity"),
        ("https://x.example.invalid/cas/login", "identity"),
        ("https://x.example.invalid/realms/a/protocol/openid-connect/auth", "identity"),
        ("https://x.example.invalid/auth/saml2/sso", "identity"),
        ("https://cong.example.invalid/thanh-toan/1", "payment"),
        ("https://khac.example.invalid/api", "host_1"),
    ],
)
def test_hosts_have_the_role_that_their_paths_say(tmp_path: Path, address: str, role: str) -> None:
    _, profile = drafted(tmp_path, entry("GET", "/", "<h1>Cổng</h1>"), entry("GET", address, "<h1>Trang</h1>"))
    assert profile["origins"] == ["portal", role]


@pytest.mark.parametrize(
    ("button", "sent", "press"),
    [
        (
            '<input type="submit" name="nut" value="Tiếp"><input type="submit" name="nut" value="Lui">',
            "nut=Lui",
            'input[name="nut"][value="Lui"]',
        ),
        ('<button name="nut" value="2">Tiếp</button>', "nut=2", 'button[name="nut"][value="2"]'),
        ('<input type="image" name="nut" src="a.png">', "nut.x=3&nut.y=4", 'input[name="nut"]'),
    ],
)
def test_the_button_that_was_pressed(tmp_path: Path, button: str, sent: str, press: str) -> None:
    page = f'<h1>Đơn</h1><form id="f" method="post" action="/nop"><input name="ten">{button}</form>'
    _, profile = drafted(tmp_path, entry("GET", "/don", page), entry("POST", "/nop", DONE, posted=form(f"ten=A&{sent}")))
    assert requests_of(profile)[1]["form"] == {"from_page": "form#f", "press": press, "set": {"ten": "A"}}


def test_a_request_repeated_until_its_answer_changes_is_a_poll(tmp_path: Path) -> None:
    asked = [
        entry("GET", f"/api/tt?_=17955720{at:05}", {"tt": state, "n": 1}, kind="xhr", at=at)
        for at, state in ((0, "cho"), (3, "cho"), (6, "xong"))
    ]
    draft, profile = drafted(tmp_path, entry("GET", "/", "<h1>Cổng</h1>"), *asked, entry("GET", "/het", "<h1>Hết</h1>", at=9))
    poll = requests_of(profile)[1]["poll"]
    assert poll == {"until": {"json": {"path": "tt", "equals": "xong"}}, "every_s": 3.0}
    assert len(requests_of(profile)) == 3
    assert "an earlier answer to the poll of entry 4" in remarks_on(draft, 2)
    assert "the same request as entries 2, 3" in remarks_on(draft, 4)


def test_what_only_the_last_answer_of_a_poll_holds_is_not_expected_of_all(tmp_path: Path) -> None:
    asked = [
        entry("GET", "/cho", answer, status=status, kind="fetch", at=at) for at, status, answer in ((0, 404, "<p>Chờ</p>"), (2, 200, DONE))
    ]
    _, profile = drafted(tmp_path, entry("GET", "/", "<h1>Cổng</h1>"), *asked)
    request = requests_of(profile)[1]
    assert request["expect"] == {"status": [200, 404]}
    assert request["poll"] == {"until": {"status": 200, "require_selector": "p#ma"}, "every_s": 2.0}
    assert request["receipt"] == {"code": "{{ receipt }}"}


def test_the_same_form_sent_twice_is_no_poll(tmp_path: Path) -> None:
    sent = [entry("POST", "/api/tt", {"tt": state}, kind="xhr", posted=form("a=1")) for state in ("cho", "xong")]
    _, profile = drafted(tmp_path, entry("GET", "/", "<h1>Cổng</h1>"), *sent)
    assert len(requests_of(profile)) == 3


def test_the_same_answer_twice_is_no_poll(tmp_path: Path) -> None:
    asked = [entry("GET", "/api/tt", {"tt": "cho"}, kind="xhr", at=at) for at in (0, 3)]
    _, profile = drafted(tmp_path, entry("GET", "/", "<h1>Cổng</h1>"), *asked)
    assert [request["get"] for request in requests_of(profile)][1:] == ["{{ origin.portal }}/api/tt"] * 2


def test_the_order_of_the_capture_is_kept_across_goals(tmp_path: Path) -> None:
    login = '<h1>Đăng nhập</h1><form id="dn" method="post" action="/dang-nhap"><input name="u"><input type="password" name="p"></form>'
    _, profile = drafted(
        tmp_path,
        entry("GET", "/dang-nhap", login),
        entry("POST", "/dang-nhap", "<h1>Chào</h1>", posted=form("u=thu&p=Thu-1234")),
        entry("GET", "/tim?tu_khoa=khai", "<h1>Kết quả</h1>"),
        entry("GET", "/thu-tuc/1", "<h1>Thủ tục</h1>"),
        entry("GET", "/nop-ho-so/1", FORM),
        entry("POST", "/le-phi/tinh", {"phi": 5}, kind="xhr", posted=form("a=1")),
        entry("GET", "/tim?tu_khoa=xa", {"ds": []}, kind="xhr"),
        entry("POST", "/nop", DONE, posted=form(SENT)),
        entry("GET", "/tra-cuu?ma=H08.12-261125-0042", DONE),
    )
    order = [next(value for key, value in request.items() if key in ("get", "post")) for request in requests_of(profile)]
    paths = ["/dang-nhap", "form.action", "/tim", "/thu-tuc/1", "/nop-ho-so/1", "/le-phi/tinh", "/tim", "form.action", "/tra-cuu"]
    assert [path in found for path, found in zip(paths, order, strict=True)] == [True] * 9
    assert [step["step"] for step in profile["goals"]["find"]["steps"]][:2] == ["log_in", "search"]
    assert profile["goals"]["track"]["steps"][0]["requests"][0]["confirms"] == {"code": "{{ receipt }}"}


def test_the_page_stays_when_a_script_is_answered_with_markup(tmp_path: Path) -> None:
    _, profile = drafted(
        tmp_path,
        entry("GET", "/don", FORM),
        entry("GET", "/manh", "<div>Mảnh</div>", kind="xhr"),
        entry("POST", "/nop", DONE, posted=form(SENT)),
    )
    page, _, sent = requests_of(profile)
    assert page["keep_page"] == sent["form"]["page"]


@pytest.mark.parametrize("location", ["app://xong?code=co-7788", "http://["])
def test_a_redirect_whose_end_is_not_in_the_capture(tmp_path: Path, location: str) -> None:
    draft, profile = drafted(tmp_path, entry("GET", "/", "<h1>Cổng</h1>"), entry("GET", "/ra", status=302, answered={"Location": location}))
    request = requests_of(profile)[1]
    assert request["follow"] == []
    assert request["expect"] == {"status": 302}
    assert "where it led is not in the capture" in remarks_on(draft, 2)


def test_the_page_with_the_form_begins_the_filing_where_a_result_was_opened_before(tmp_path: Path) -> None:
    menu = '<nav><a class="new" href="/don">Nộp đơn</a></nav>'
    found = entry("GET", "/?q=khai+sinh", f'{menu}<h1>Kết quả</h1><a class="kq" href="/thu-tuc/khai-sinh">Khai sinh</a>')
    opened = entry("GET", "/thu-tuc/khai-sinh", f"{menu}<h1 class=tt>Khai sinh</h1>", at=1)
    listed = entry("GET", "/api/xa", {"xa": 1}, kind="xhr", at=3)
    form_page, filed = entry("GET", "/don", FORM, at=2), entry("POST", "/nop", DONE, posted=form(SENT), at=4)
    for entries, steps in (
        ((found, opened, form_page, listed, filed), {"find": ["search", "open_procedure"], "file": ["start_dossier", "submit"]}),
        ((found, form_page, filed), {"find": ["search", "open_procedure"], "file": ["submit"]}),  # the form is what was found
    ):
        _, profile = drafted(tmp_path, *entries)
        assert {name: [step["step"] for step in profile["goals"][name]["steps"]] for name in steps} == steps
