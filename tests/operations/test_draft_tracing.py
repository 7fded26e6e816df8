"""A draft traces what an answer gave into whatever a later request carries; secrets are written nowhere."""

from __future__ import annotations

from pathlib import Path

from tests.operations.made_capture import DONE, FORM, SITE, SSO, body, drafted, entry, form, remarks_on, requests_of


# Headers of scripts: github.com/php-vcr/php-vcr/issues/140 and 308 (SOAPAction).
def test_headers_that_scripts_set_are_kept_and_traced(tmp_path: Path) -> None:
    token = '<h1>Đơn</h1><input type="hidden" name="__RequestVerificationToken" value="CfDJ8-77aa-token-11">'
    own = {
        ":authority": "x",
        "user-agent": "x",
        "sec-ch-ua": "x",
        "Accept-Language": "vi",
        "Cookie": "la=1",
        "content-type": "application/json",
    }
    set_by_script = {
        "RequestVerificationToken": "CfDJ8-77aa-token-11",
        "accept": "application/vnd.dvc.v2+json",
        "X-Requested-With": "XMLHttpRequest",
    }
    draft, profile = drafted(
        tmp_path,
        entry("GET", "/don", token, answered={"X-CSRF": "cs-4411-zz", "Set-Cookie": "XSRF-TOKEN=xs%2F9911%3D; Path=/"}),
        entry("POST", "/api/luu", {"id": "hs-8812"}, kind="fetch", posted=body({"ten": "A"}), headers=own | set_by_script),
        entry("POST", "/ws", "<a/>", kind="xhr", posted={"mimeType": "text/xml", "text": "<b/>"}, headers={"SOAPAction": '"urn:dvc#nop"'}),
        entry("GET", "/api/x", {"a": 1}, kind="xhr", headers={"csrf-token": "hs-8812", "X-CSRF": "cs-4411-zz", "X-XSRF-TOKEN": "xs/9911="}),
        entry("GET", "/api/y", {"a": 1}, kind="xhr", headers={"Authorization": "Basic dGh1OlRodTE=", "x-api-key": "kh0a-88aa-7712"}),
        entry("POST", "/api/nop", {"ma": "H08.12-261125-0042"}, kind="fetch", posted=body({})),
    )
    _, saved, soap, traced, unknown, _ = requests_of(profile)
    assert saved["headers"] == {
        "RequestVerificationToken": "{{ requestverificationtoken }}",
        "accept": "application/vnd.dvc.v2+json",
        "X-Requested-With": "XMLHttpRequest",
    }
    assert soap["headers"] == {"SOAPAction": '"urn:dvc#nop"'}
    assert soap["content_type"] == "text/xml"
    assert traced["headers"] == {
        "csrf-token": "{{ id }}",
        "X-CSRF": "{{ x_csrf }}",
        "X-XSRF-TOKEN": "{{ urldecode(cookie('XSRF-TOKEN')) }}",
    }
    basic = "Basic {{ base64(join(':', secret('user'), secret('password'))) }}"
    assert unknown["headers"] == {"Authorization": basic, "x-api-key": "{{ secret('x_api_key') }}"}
    for secret in ("dGh1OlRodTE=", "kh0a-88aa-7712"):
        assert secret not in draft.text
    assert "cookie la, which no answer of the capture set" in remarks_on(draft, 2)


# OpenID Connect in a fragment: github.com/manfredsteyer/angular-oauth2-oidc/issues/833; OAuth 2.0 Multiple Response Types, section 5.
def test_a_code_behind_the_hash_is_extracted(tmp_path: Path) -> None:
    login = f'<h1>Đăng nhập</h1><form id="kc" method="post" action="{SSO}/realms/dvc/login-actions/authenticate?execution=ex-33bb">'
    asked = "client_id=spa&redirect_uri=https%3A%2F%2Fdvc.example.invalid%2Fapp%2F&state=st-99-aa-17&response_mode=fragment&nonce=no-21&code_challenge=ch-55"
    back = f"{SITE}/app/#state=st-99-aa-17&session_state=ss-1&code=co-7788-9900-aabb"
    draft, profile = drafted(
        tmp_path,
        entry("GET", "/app/", "<h1>Cổng</h1>"),
        entry(
            "GET",
            f"{SSO}/realms/dvc/protocol/openid-connect/auth?{asked}",
            login + '<input name="username"><input name="password" type="password"></form>',
        ),
        entry(
            "POST",
            f"{SSO}/realms/dvc/login-actions/authenticate?execution=ex-33bb",
            status=302,
            posted=form("username=000123&password=Thu1"),
            answered={"Location": back},
        ),
        entry("GET", "/app/", "<h1>Cổng</h1>"),
        entry(
            "POST",
            f"{SSO}/realms/dvc/protocol/openid-connect/token",
            {"access_token": "at-1234-zzzz"},
            kind="xhr",
            posted=form("code=co-7788-9900-aabb&redirect_uri=https%3A%2F%2Fdvc.example.invalid%2Fapp%2F&code_verifier=ve-44-99-cc"),
        ),
        entry(
            "POST", "/api/nop", {"ma": "H08.12-261125-0042"}, kind="xhr", posted=body({}), headers={"authorization": "Bearer at-1234-zzzz"}
        ),
    )
    assert profile["origins"] == ["portal", "identity"]
    _, auth, logged_in, followed, token, filed = requests_of(profile)
    assert auth["let"] == {"state": "{{ random_hex(32) }}", "nonce": "{{ random_hex(32) }}"}
    assert (auth["query"]["state"], auth["query"]["nonce"]) == ("{{ state }}", "{{ nonce }}")
    assert auth["query"]["redirect_uri"] == "{{ origin.portal }}/app/"
    assert logged_in["follow"] == []
    assert logged_in["expect"] == {"status": 302}
    assert logged_in["extract"] == {"location": {"header": "Location"}, "code": {"header": "Location", "match": "[?&#;]code=([^&#;?]+)"}}
    assert logged_in["form"]["set"]["password"] == "{{ person.password }}"
    assert followed["get"] == "{{ location }}"
    assert token["fields"]["code"] == "{{ code }}"
    assert filed["headers"] == {"authorization": "Bearer {{ access_token }}"}
    assert "code_verifier: made by a script of the page (PKCE)" in remarks_on(draft, 5)
    assert "state: made by a script of the page" in remarks_on(draft, 2)
    assert "Thu1" not in draft.text


# One-time values in whatever carries them.
def test_values_are_traced_into_every_kind_of_body(tmp_path: Path) -> None:
    multipart = '--b\r\nContent-Disposition: form-data; name="ma"\r\n\r\nhs-8812\r\n--b\r\nContent-Disposition: form-data; name="tep"; filename="giấy.pdf"\r\n\r\n%PDF\r\n--b--\r\n'
    draft, profile = drafted(
        tmp_path,
        entry("GET", "/bat-dau", {"ma": "hs-8812", "so": 771234, "noi": f"{SITE}/tai-len/ab12-99", "sau": "/buoc/zz81-22"}, kind="fetch"),
        entry("POST", "/a", {}, kind="fetch", posted={"mimeType": "text/xml", "text": "<y><ma>hs-8812</ma><k>{{x}}</k></y>"}),
        entry("POST", "/b", {}, kind="fetch", posted={"mimeType": "multipart/form-data; boundary=b", "text": multipart}),
        entry(
            "POST",
            "/c",
            {},
            kind="fetch",
            posted={"mimeType": "application/graphql+json", "text": '{"q": "ho(ma: \\"hs-8812\\")", "so": 771234, "chu": "771234"}'},
        ),
        entry("PUT", "/tai-len/ab12-99", {}, kind="fetch", posted={"mimeType": "application/pdf", "text": ""}),
        entry("GET", "/ho-so/hs-8812;v=hs-8812/xem?tiep=%2Fho-so%2Fhs-8812", {"x": 1}, kind="fetch"),
        entry("GET", "/buoc/zz81-22", {"x": 1}, kind="fetch"),
        entry("DELETE", "/nhap/aa11bb22cc33dd44ee55ff66", {}, kind="fetch"),
    )
    _, xml, parts, graph, upload, seen, step, gone = requests_of(profile)
    assert xml["body"] == "<y><ma>{{ ma }}</ma><k>{{ '{{' }}x}}</k></y>"
    assert parts["fields"] == {"ma": "{{ ma }}"}
    assert parts["files"] == [{"name": "tep", "type": "pdf", "size_bytes": 20_000, "filename": "giấy.pdf"}]
    assert graph["json"] == {"q": 'ho(ma: "{{ ma }}")', "so": "{{ so }}", "chu": "{{ text(so) }}"}
    assert graph["content_type"] == "application/graphql+json"
    assert upload["put"] == "{{ noi }}"
    assert seen["get"] == "{{ origin.portal }}/ho-so/{{ ma }};v={{ ma }}/xem"
    assert seen["query"] == {"tiep": "/ho-so/{{ ma }}"}
    assert step["get"] == "{{ sau }}"
    assert gone["delete"] == "{{ origin.portal }}/nhap/{{ secret('path') }}"
    assert "aa11bb22cc33dd44ee55ff66" not in draft.text
    assert "no answer of the capture gave this secret" in remarks_on(draft, 8)


def test_every_constant_has_its_entry(tmp_path: Path) -> None:
    moment = 1_764_036_000_000  # 2025-11-25: not the time of the request
    now = "1795572000123"  # 2026-11-25T02:00:00Z
    draft, profile = drafted(
        tmp_path,
        entry("GET", f"/tim?loai=3&_={now}", "<h1>Tìm</h1>"),
        entry(
            "POST",
            "/api/nop",
            {"ma": "H08.12-261125-0042"},
            kind="fetch",
            posted=body({"luc": moment, "goi": {"so": 12.5}, "ten": "Đặng Thử"}),
        ),
    )
    assert requests_of(profile)[0]["query"] == {"loai": "3", "_": "{{ unix_ms() }}"}
    for number, said in (
        (1, "loai = 3"),
        (1, "_: the time in milliseconds"),
        (2, f"luc = {moment}"),
        (2, "so = 12.5"),
        (2, "ten = Đặng Thử"),
    ):
        assert said in remarks_on(draft, number)


def test_passwords_are_written_nowhere(tmp_path: Path) -> None:
    digest = "0b1c2d3e4f5061728394a5b6c7d8e9f0"
    draft, profile = drafted(
        tmp_path,
        entry("GET", "/", "<h1>Cổng</h1>"),
        entry("POST", "/a", {"ok": 1}, kind="fetch", posted={"mimeType": "text/plain", "text": "mk:Mat-Khau-99; user=1"}),
        entry(
            "POST",
            "/vao",
            {"ok": 1},
            kind="fetch",
            posted=body({"soDinhDanh": "000123456789", "matKhau": "000123456789", "passwordConfirm": "Mat-Khau-99"}),
        ),
        entry("POST", "/vao2", {"ok": 1}, kind="fetch", posted=form(f"pass={digest}&otp=123456&ghi_chu=Mat-Khau-99&passport=B12")),
    )
    _, early, log_in, again = requests_of(profile)
    assert log_in["json"] == {"soDinhDanh": "000123456789", "matKhau": "{{ person.password }}", "passwordConfirm": "{{ person.password }}"}
    assert again["fields"] == {
        "pass": "{{ md5(person.password) }}",
        "otp": "{{ person.otp }}",
        "ghi_chu": "{{ person.password }}",
        "passport": "B12",
    }
    assert early["body"] == "mk:•••; user=1"
    for secret in ("Mat-Khau-99", digest):
        assert secret not in draft.text


def test_a_query_of_graphql_is_no_keyword_and_an_etag_is_traced(tmp_path: Path) -> None:
    _, profile = drafted(
        tmp_path,
        entry("GET", "/", "<h1>Cổng</h1>"),
        entry("POST", "/graphql", {"ok": 1}, kind="fetch", posted=body({"query": "{ tim(ten: 1) { id } }"}), answered={"ETag": '"v-8811"'}),
        entry("PATCH", "/api/hs", {"ok": 1}, kind="fetch", posted=body({"a": None}), headers={"If-Match": '"v-8811"'}),
    )
    _, asked, changed = requests_of(profile)
    assert asked["json"] == {"query": "{ tim(ten: 1) { id } }"}
    assert asked["extract"] == {"etag": {"header": "ETag", "match": '"([^"]+)'}}
    assert changed["headers"] == {"If-Match": '"{{ etag }}"'}


# Delta answers of ASP.NET's UpdatePanel, and partial responses of Jakarta Faces, section "Partial Response".
def test_view_states_of_partial_answers_are_traced(tmp_path: Path) -> None:
    page = (
        '<h1>Đơn</h1><form id="f" method="post" action="/don"><input type="hidden" name="__VIEWSTATE" value="/wEPDwUKMTY3/Aa==">'
        '<input type="hidden" name="javax.faces.ViewState" value="-1122:33"><input name="ten"></form>'
    )
    first = "__VIEWSTATE=%2FwEPDwUKMTY3%2FAa%3D%3D&javax.faces.ViewState=-1122%3A33&ten="
    delta = "1|#||4|20|hiddenField|__VIEWSTATE|/wEPDwUKMTk5/Bb==|0|x|"
    faces = '<?xml version="1.0"?><partial-response><changes><update id="ViewState:0"><![CDATA[-7788:991122]]></update></changes></partial-response>'
    _, profile = drafted(
        tmp_path,
        entry("GET", "/don", page),
        entry("POST", "/don", delta, kind="xhr", mime="text/plain", posted=form(first + "A")),
        entry("POST", "/don", faces, kind="xhr", mime="text/xml", posted=form(first + "B")),
        entry("POST", "/don", DONE, posted=form("__VIEWSTATE=%2FwEPDwUKMTk5%2FBb%3D%3D&javax.faces.ViewState=-7788%3A991122&ten=C")),
    )
    _, by_delta, by_faces, sent = requests_of(profile)
    ((view, rule),) = by_delta["extract"].items()
    assert rule == {"regex": r"__VIEWSTATE\|([^\|]+)"}
    ((faces_view, _),) = by_faces["extract"].items()
    assert sent["form"]["set"] == {"__VIEWSTATE": "{{ " + view + " }}", "javax.faces.ViewState": "{{ " + faces_view + " }}", "ten": "C"}


def test_names_that_an_answer_gave_are_templates(tmp_path: Path) -> None:
    draft, profile = drafted(
        tmp_path,
        entry("GET", "/cau-hoi", {"viTri": "88123", "loai": "thu"}, kind="fetch"),
        entry("POST", "/tra-loi", {"ok": 1}, kind="fetch", posted=form("88123-cau_1=A&88123-cau_2=B&77001_x=C")),
        entry("POST", "/luu", {"ok": 1}, kind="fetch", posted=body({"c88123": 1, "88123": {"{{a}}": "x"}})),
    )
    _, answered, saved = requests_of(profile)
    assert answered["fields"] == {"{{ vitri }}-cau_1": "A", "{{ vitri }}-cau_2": "B", "77001_x": "C"}
    assert saved["json"] == {"c88123": 1, "{{ vitri }}": {"{{ '{{' }}a}}": "x"}}
    assert "77001_x: this name may change with each page" in remarks_on(draft, 2)


def test_values_without_digits_and_in_addresses_are_traced_by_their_names(tmp_path: Path) -> None:
    asked = entry("GET", "/lap?callback=jq&x=1", 'jq({"csrfToken": "QwErTyUiOpAs"})', kind="script", mime="text/javascript")
    draft, profile = drafted(
        tmp_path,
        entry("GET", "/ve?code=ab%2Fcd-9911", "<h1>Về</h1>"),
        asked,
        entry(
            "POST",
            "/api/doi",
            {"ok": 1},
            kind="fetch",
            posted=body({"code": "ab/cd-9911", "kieu": "QwErTyUiOpAs"}),
            headers={"X-CSRF-Token": "QwErTyUiOpAs"},
        ),
        entry("POST", "/api/luu", {"ok": 1}, kind="fetch", posted=form("cau_88123=A")),
    )
    back, jsonp, changed, _ = requests_of(profile)
    assert back["extract"] == {"code": {"url": r"[?&#;]code=([^&#;?]+)"}}
    assert changed["json"]["code"] == "{{ urldecode(code) }}"
    assert changed["headers"] == {"X-CSRF-Token": "{{ csrftoken }}"}
    assert jsonp["query"]["callback"] == "jq"
    assert "cau_88123: this name may change with each page" in remarks_on(draft, 4)


def test_cookies_that_stand_in_their_list_alone_are_traced(tmp_path: Path) -> None:
    page = entry("GET", "/don", FORM)
    page["response"]["cookies"] = [{"name": "XSRF-TOKEN", "value": "xs-99-ffa-44e"}]
    sent = entry("POST", "/api/nop", {"ma": "H08.12-261125-0042"}, kind="xhr", posted=body({}), headers={"X-XSRF-TOKEN": "xs-99-ffa-44e"})
    _, profile = drafted(tmp_path, page, sent)
    assert requests_of(profile)[1]["headers"] == {"X-XSRF-TOKEN": "{{ cookie('XSRF-TOKEN') }}"}


# https://learn.microsoft.com/dotnet/api/system.web.configuration.sessionstatesection.cookieless
def test_a_session_in_the_path_is_extracted(tmp_path: Path) -> None:
    place = "/(S(lit3py55t21z5v55vlm25s55))"
    opened = entry("GET", "/", status=302, answered={"Location": f"{place}/don.aspx"})
    draft, profile = drafted(
        tmp_path, opened, entry("GET", f"{place}/don.aspx", "<h1>Đơn</h1>"), entry("POST", f"{place}/nop.aspx", DONE, posted=form("ten=A"))
    )
    assert requests_of(profile)[0]["extract"] == {"session_s": {"url": r"\(S\(([^()]+)\)"}}
    assert requests_of(profile)[1]["post"] == "{{ origin.portal }}/(S({{ session_s }}))/nop.aspx"
    assert "no answer of the capture gave this secret" not in draft.text


def test_a_session_in_the_path_that_no_answer_gave_is_told(tmp_path: Path) -> None:
    draft, profile = drafted(tmp_path, entry("POST", "/(S(lit3py55t21z5v55vlm25s55))/nop.aspx", DONE, posted=form("ten=A")))
    assert requests_of(profile)[0]["post"] == "{{ origin.portal }}/(S({{ secret('path') }}))/nop.aspx"
    assert "no answer of the capture gave this secret" in remarks_on(draft, 1)
