"""What browsers and proxies write into a HAR, each its own way: what a draft keeps, traces, refuses, and lists as left out.

The sources of each tool's format stand beside its tests. Every capture here is made up.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml
from click.testing import CliRunner

from harness.catalog.platform import Platform
from harness.cli import main
from harness.errors import CatalogError, UsageError
from harness.operations.authoring.draft import DraftedProfile, draft_with_remarks
from harness.profiles import compile_platform
from harness.profiles.functions import FUNCTIONS

SITE, SSO = "https://dvc.example.invalid", "https://sso.example.invalid"
FORM = (
    '<title>Đơn</title><h1>Đơn</h1><form id="don" method="post" action="/nop"><input type="hidden" name="don:token" value="tk-4477-aa">'
    '<input name="don:hoTen"><input name="don:email"></form>'
)
DONE = '<h1>Đã nhận</h1><p id="ma">H08.12-261125-0042</p>'
URLENCODED = "application/x-www-form-urlencoded"
Entry = dict[str, Any]


def entry(
    method: str,
    path: str,
    answer: Any = "",
    *,
    kind: str = "document",
    status: int | None = 200,
    posted: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    answered: Mapping[str, str] | None = None,
    mime: str = "",
    at: int = 0,
) -> Entry:
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    request: Entry = {
        "method": method,
        "url": path if path.startswith(("http", "ws", "data", "blob")) else SITE + path,
        "headers": [{"name": name, "value": value} for name, value in (headers or {}).items()],
    }
    if posted is not None:
        request["postData"] = posted
    response: Entry = {
        "status": status,
        "headers": [{"name": name, "value": value} for name, value in (answered or {}).items()],
        "redirectURL": next((value for name, value in (answered or {}).items() if name.lower() == "location"), ""),
        "content": {"mimeType": mime or ("text/html" if isinstance(answer, str) else "application/json"), "text": text},
    }
    made: Entry = {"startedDateTime": f"2026-11-25T02:{at // 60:02}:{at % 60:02}.000Z", "request": request, "response": response}
    return {**made, "_resourceType": kind} if kind else made


def form(text: str) -> Entry:
    return {"mimeType": URLENCODED, "text": text}


def body(data: Any) -> Entry:
    return {"mimeType": "application/json", "text": json.dumps(data)}


def drafted(folder: Path, *entries: Entry, creator: str = "test") -> tuple[DraftedProfile, Any]:
    """The draft of a capture, and its profile, which compiles. Where no dossier code was seen, that is the one mistake, and told."""
    path = folder / "capture.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "creator": {"name": creator}, "entries": entries}}), encoding="utf-8")
    draft = draft_with_remarks(path, profile="probe")
    profile = yaml.safe_load(draft.text)
    platform = Platform.model_validate(profile)
    if any("no dossier code was recognised up to here" in remark.said for remark in draft.constants):
        with pytest.raises(CatalogError, match=r"\Aplatforms/probe\.yaml: goals\.file .*expected a `receipt`[^\n]*\Z"):
            compile_platform(platform, FUNCTIONS)
    else:
        compile_platform(platform, FUNCTIONS)
    return draft, profile


def requests_of(profile: Any) -> list[Any]:
    return [request for goal in profile["goals"].values() for step in goal["steps"] for request in step["requests"]]


def remarks_on(draft: DraftedProfile, number: int) -> str:
    return "\n".join(str(remark) for remark in (*draft.left_out, *draft.constants) if remark.entry == number)


# Chrome: github.com/ChromeDevTools/devtools-frontend, front_end/models/har/Log.ts; seen in github.com/grafana/har-to-k6/issues/69.
# Firefox: github.com/mozilla/gecko-dev, devtools/client/netmonitor/src/har/har-builder.js and client/shared/curl.js (the upload's head).
# Safari: github.com/WebKit/WebKit, Source/WebInspectorUI/UserInterface/Controllers/HARBuilder.js.
# mitmproxy: github.com/mitmproxy/mitmproxy, mitmproxy/addons/savehar.py. Base64: github.com/ahmadnassri/har-spec, versions/1.3.md.
SENT = "don%3Atoken=tk-4477-aa&don%3AhoTen=Nguy%E1%BB%85n+Th%E1%BB%AD&don%3Aemail=a%40example.invalid"
PLAIN = [("don:token", "tk-4477-aa"), ("don:hoTen", "Nguyễn Thử"), ("don:email", "a@example.invalid")]
WIRE = [tuple(part.split("=")) for part in SENT.split("&")]
PARTS = "".join(f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in PLAIN) + "--x--\r\n"


def params(pairs: Any) -> list[Entry]:
    return [{"name": name, "value": value} for name, value in pairs]


@pytest.mark.parametrize(
    "posted",
    [
        {"mimeType": URLENCODED, "text": SENT, "params": params(WIRE)},  # Chrome
        {"mimeType": URLENCODED, "text": SENT, "params": params(PLAIN)},  # Playwright, mitmproxy, Safari
        {"mimeType": URLENCODED, "text": f"Content-Type: {URLENCODED}\r\nContent-Length: 99\r\n\r\n{SENT}", "params": []},  # Firefox
        {"mimeType": URLENCODED, "params": params(PLAIN)},  # by HAR 1.2, params stand instead of text
        {"mimeType": URLENCODED, "params": params(WIRE)},
        {"mimeType": f"{URLENCODED}; charset=UTF-8", "text": base64.b64encode(SENT.encode()).decode(), "encoding": "base64"},
        {"mimeType": "multipart/form-data; boundary=x", "text": PARTS},
        {"mimeType": "multipart/form-data; boundary=x", "text": PARTS.encode().decode("latin-1")},  # mitmproxy
    ],
)
def test_fields_of_a_form_in_every_spelling(tmp_path: Path, posted: Entry) -> None:
    _, profile = drafted(tmp_path, entry("GET", "/don", FORM), entry("POST", "/nop", DONE, posted=posted))
    sent = requests_of(profile)[1]
    assert sent["form"] == {"from_page": "form#don", "set": {"don:hoTen": "Nguyễn Thử", "don:email": "a@example.invalid"}}


def test_params_that_had_to_be_decoded_are_told(tmp_path: Path) -> None:
    posted = {"mimeType": URLENCODED, "params": params(WIRE)}
    draft, _ = drafted(tmp_path, entry("GET", "/don", FORM), entry("POST", "/nop", DONE, posted=posted))
    assert "entry 2 POST https://dvc.example.invalid/nop: its fields stood percent-encoded in the capture, and were decoded" in draft.text


# Bodies beside the file: github.com/microsoft/playwright, packages/playwright-core/src/server/har/harTracer.ts (`attach`), and traces.
@pytest.mark.parametrize(("key", "place"), [("_file", ""), ("_sha1", "resources")])
def test_bodies_in_files_beside_the_capture(tmp_path: Path, key: str, place: str) -> None:
    page, sent = entry("GET", "/don"), entry("POST", "/nop", DONE, posted={"mimeType": URLENCODED, "text": "", "params": [], key: "b1.dat"})
    page["response"]["content"] = {"mimeType": "text/html; charset=utf-8", key: "a1.html"}
    (tmp_path / place).mkdir(exist_ok=True)
    (tmp_path / place / "a1.html").write_text(FORM, encoding="utf-8")
    (tmp_path / place / "b1.dat").write_text(SENT, encoding="utf-8")
    draft, profile = drafted(tmp_path, page, sent)
    assert requests_of(profile)[1]["form"]["set"]["don:hoTen"] == "Nguyễn Thử"
    assert not draft.left_out
    (tmp_path / place / "a1.html").unlink()
    draft, _ = drafted(tmp_path, page, sent)
    assert "a1.html, which is not beside the capture" in remarks_on(draft, 1)


def test_no_file_outside_the_folder_of_the_capture_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.html").write_text("<h1>Bí mật</h1>", encoding="utf-8")
    page = entry("GET", "/don")
    page["response"]["content"] = {"mimeType": "text/html", "_file": "../secret.html"}
    (tmp_path / "inner").mkdir()
    draft, _ = drafted(tmp_path / "inner", page)
    assert "which is not beside the capture" in remarks_on(draft, 1)


# Aborted: status 0 (github.com/sitespeedio/chrome-har/issues/60), null, missing (github.com/mrichman/hargo/issues/31), -1 in Playwright.
@pytest.mark.parametrize(
    "response", [{"status": 0, "_error": "net::ERR_ABORTED"}, {"status": None}, {"status": -1, "_failureText": "x"}, None, {}]
)
def test_an_entry_without_an_answer_is_passed_over_with_a_word(tmp_path: Path, response: Entry | None) -> None:
    aborted = entry("GET", "/api/bo-do", kind="xhr")
    aborted["response"] = response
    if response is None:
        del aborted["response"]
    draft, profile = drafted(tmp_path, entry("GET", "/don", FORM), aborted, entry("POST", "/nop", DONE, posted=form(SENT)))
    assert len(requests_of(profile)) == 2
    (remark,) = draft.left_out
    assert str(remark).startswith("entry 2 GET https://dvc.example.invalid/api/bo-do: no answer (status ")
    assert f"#   {remark}\n" in draft.text


def test_a_malformed_entry_is_named(tmp_path: Path) -> None:
    broken = entry("GET", "/don", FORM)
    broken["response"]["content"]["encoding"] = "base64"
    with pytest.raises(UsageError, match=r"log\.entries\[1\] is .*expected an entry of HAR 1\.2"):
        drafted(tmp_path, entry("GET", "/", "<h1>x</h1>"), broken)


# A POST is never an asset: github.com/grafana/k6/issues/984 and 1227. Nor is what a script asked for, whatever its type.
def test_what_scripts_send_is_never_an_asset(tmp_path: Path) -> None:
    draft, profile = drafted(
        tmp_path,
        entry("GET", "/don", FORM),
        entry(
            "POST",
            "/api/tep?ten=cccd-mat-truoc.jpg",
            {"id": "tep-55012"},
            kind="xhr",
            posted={"mimeType": "application/octet-stream", "text": ""},
        ),
        entry(
            "POST",
            "/dwr/call/HoSo.luu.dwr",
            "dwr.ok();",
            kind="",
            mime="text/javascript",
            posted={"mimeType": "text/plain", "text": "a=tep-55012"},
        ),
        entry("GET", "/api/jsonws/thu-tuc?id=9", '{"khoa": "kk-9931-zz"}', kind="xhr", mime="text/javascript"),
        entry(
            "PUT",
            "/anh/chan-dung.png",
            {"ok": True},
            kind="",
            posted={"mimeType": "image/png", "text": ""},
            headers={"content-length": "4096"},
        ),
        entry("GET", "/anh.png", "", kind="", mime="image/png"),
        entry("POST", "/nop", DONE, posted=form("don%3Atoken=tk-4477-aa&don%3AhoTen=A&don%3Aemail=kk-9931-zz")),
    )
    page, upload, dwr, key, picture, filed = requests_of(profile)
    assert upload["upload"] == {"type": "jpg", "size_bytes": 20_000}
    assert upload["content_type"] == "application/octet-stream"
    assert "a jpg of 20000 bytes is sent in its place" in remarks_on(draft, 2)
    assert dwr["body"] == "a={{ id }}"
    assert key["extract"] == {"khoa": {"json": "khoa"}}
    assert picture["put"] == "{{ origin.portal }}/anh/chan-dung.png"
    assert picture["upload"] == {"type": "png", "size_bytes": 4096}
    assert filed["form"]["set"]["don:email"] == "{{ khoa }}"
    assert "entry 6 GET https://dvc.example.invalid/anh.png: an asset of a page" in draft.text
    assert page["get"] == "{{ origin.portal }}/don"


def test_what_is_no_request_of_a_profile_is_listed(tmp_path: Path) -> None:
    socket = entry("GET", "wss://dvc.example.invalid/ws", status=101, kind="websocket")
    draft, profile = drafted(
        tmp_path,
        entry("CONNECT", "http://dvc.example.invalid:443", status=200, kind=""),  # Fiddler, mitmproxy
        entry("GET", "/don", FORM),
        socket,
        entry("GET", "data:image/png;base64,AAAA", kind="image"),
        entry("OPTIONS", "/api", kind="preflight"),
        entry("POST", "/log", kind="ping", posted={"mimeType": "text/plain", "text": "x"}),
        entry("PROPFIND", "/dav", kind="xhr"),
        entry("POST", "/nop", DONE, posted=form(SENT)),
    )
    assert len(requests_of(profile)) == 2
    assert [remark.entry for remark in draft.left_out] == [1, 3, 4, 5, 6, 7]
    said = [remark.said for remark in draft.left_out]
    for word, text in zip(("tunnel", "web socket", "not an address", "own question", "beacon", "PROPFIND"), said, strict=True):
        assert word in text


# Caches: `_fromCache` in Chrome, `_fetchType` in Safari, 304 everywhere; service workers: `_fetchedViaServiceWorker`, `_fetchType`.
def test_answers_of_caches_and_service_workers(tmp_path: Path) -> None:
    cached = entry("GET", "/don", FORM, status=304)
    by_worker, own = entry("GET", "/api/ds", {"a": 1}, kind="fetch"), entry("GET", "/api/ds", {"a": 1}, kind="other")
    by_worker["_fetchType"] = "Service Worker"
    draft, profile = drafted(tmp_path, cached, by_worker, own, entry("POST", "/nop", DONE, posted=form(SENT)))
    first, asked, _ = requests_of(profile)
    assert "status" not in first["expect"]
    assert asked["get"] == "{{ origin.portal }}/api/ds"
    assert "the browser's cache" in remarks_on(draft, 1)
    assert "whose own request is in the draft" in remarks_on(draft, 2)


def test_entries_are_taken_in_the_order_of_their_beginning(tmp_path: Path) -> None:
    """HAR 1.2, `entries`: a reader must sort them itself (http://www.softwareishard.com/blog/har-12-spec/)."""
    draft, profile = drafted(tmp_path, entry("POST", "/nop", DONE, posted=form(SENT), at=90), entry("GET", "/don", FORM, at=10))
    assert [next(iter(request)) for request in requests_of(profile)] == ["get", "post"]
    assert remarks_on(draft, 1).startswith("entry 1 POST")


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
    assert unknown["headers"] == {"Authorization": "Basic {{ secret('authorization') }}", "x-api-key": "{{ secret('x_api_key') }}"}
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


# A lost body: browsers leave files out (github.com/microsoft/playwright, crNetworkManager.ts; Firefox: "Request body is not included").
@pytest.mark.parametrize(
    ("posted", "headers"),
    [
        (None, {"Content-Type": "multipart/form-data; boundary=x"}),
        ({"mimeType": "multipart/form-data; boundary=x", "text": ""}, {}),
        (None, {"Content-Type": "application/json", "Content-Length": "70321"}),
        ({"mimeType": "application/json", "text": "{", "comment": "Request body is not included."}, {}),
    ],
)
def test_an_upload_that_became_an_empty_post_is_an_error(tmp_path: Path, posted: Entry | None, headers: Mapping[str, str]) -> None:
    sent = entry("POST", "/api/tep", {"id": "tep-1"}, kind="xhr", posted=posted, headers=headers)
    with pytest.raises(
        UsageError, match=r"log\.entries\[1\] is POST https://dvc\.example\.invalid/api/tep without its body .*expected the fields"
    ):
        drafted(tmp_path, entry("GET", "/don", "<h1>Đơn</h1>"), sent)


def test_a_form_with_files_is_drafted_from_its_page_and_its_gaps_are_listed(tmp_path: Path) -> None:
    page = '<h1>Nộp</h1><form id="nop" method="post" action="/nop" enctype="multipart/form-data"><input name="ten"><input type="file" name="tep"><select name="xa"><option value="">-<option value="1">A</select></form>'
    sent = entry("POST", "/nop", DONE, headers={"Content-Type": "multipart/form-data; boundary=x"})
    draft, profile = drafted(tmp_path, entry("GET", "/don", page), sent)
    assert requests_of(profile)[1]["files"] == [{"name": "tep", "type": "pdf", "size_bytes": 20_000}]
    assert "ten: the capture does not hold what was typed here" in remarks_on(draft, 2)
    assert "xa: the capture does not hold" in remarks_on(draft, 2)
    assert "a pdf of 20000 bytes each" in remarks_on(draft, 2)


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
    assert request["poll"] == {"until": {"status": 200, "require_selector": "h1"}, "every_s": 2.0}
    assert request["receipt"] == {"code": "{{ receipt }}"}


def test_the_same_form_sent_twice_is_no_poll(tmp_path: Path) -> None:
    sent = [entry("POST", "/api/tt", {"tt": state}, kind="xhr", posted=form("a=1")) for state in ("cho", "xong")]
    _, profile = drafted(tmp_path, entry("GET", "/", "<h1>Cổng</h1>"), *sent)
    assert len(requests_of(profile)) == 3


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


def test_the_command_prints_what_is_left_out(tmp_path: Path) -> None:
    drafted(tmp_path, entry("GET", "/don", FORM), entry("GET", "/a.css", kind="stylesheet"), entry("POST", "/nop", DONE, posted=form(SENT)))
    result = CliRunner().invoke(main, ["draft", str(tmp_path / "capture.har"), "--out", str(tmp_path / "probe.yaml")])
    assert result.exit_code == 0, result.output
    assert "  entry 2 GET https://dvc.example.invalid/a.css: an asset of a page" in result.output
    assert "  entry 3 POST https://dvc.example.invalid/nop: don:hoTen = Nguyễn Thử" in result.output


# A type or its boundary left out: github.com/postmanlabs/postman-app-support/issues/191, github.com/forwardemail/superagent/issues/746.
@pytest.mark.parametrize(
    ("posted", "told"),
    [
        ({"mimeType": "multipart/form-data", "text": PARTS}, False),
        ({"mimeType": "Multipart/Form-Data", "text": PARTS}, False),
        ({"mimeType": URLENCODED.upper(), "text": SENT}, False),
        ({"mimeType": None, "text": SENT, "params": None}, True),
        ({"text": SENT}, True),
        ({"text": PARTS}, True),
    ],
)
def test_a_form_whose_type_is_cut_keeps_its_fields(tmp_path: Path, posted: Entry, told: bool) -> None:
    draft, profile = drafted(tmp_path, entry("GET", "/don", FORM), entry("POST", "/nop", DONE, posted=posted))
    assert requests_of(profile)[1]["form"]["set"] == {"don:hoTen": "Nguyễn Thử", "don:email": "a@example.invalid"}
    assert ("the capture names no type of its body" in remarks_on(draft, 2)) == told


@pytest.mark.parametrize("text", ["hello", '{"a":1,"a":2}', "<x a='1'/>"])
def test_a_body_that_is_no_form_is_sent_as_it_stands(tmp_path: Path, text: str) -> None:
    _, profile = drafted(tmp_path, entry("GET", "/don", FORM), entry("POST", "/nop", DONE, posted={"text": text}))
    assert (requests_of(profile)[1]["body"], "form" in requests_of(profile)[1]) == (text, False)


def test_fields_that_are_not_utf_8_are_told(tmp_path: Path) -> None:
    draft, _ = drafted(tmp_path, entry("GET", "/don", FORM), entry("POST", "/nop", DONE, posted=form("don%3AhoTen=Nguy%EAn")))
    assert "its body is not UTF-8" in remarks_on(draft, 2)


def test_cookies_that_stand_in_their_list_alone_are_traced(tmp_path: Path) -> None:
    page = entry("GET", "/don", FORM)
    page["response"]["cookies"] = [{"name": "XSRF-TOKEN", "value": "xs-99-ffa-44e"}]
    sent = entry("POST", "/api/nop", {"ma": "H08.12-261125-0042"}, kind="xhr", posted=body({}), headers={"X-XSRF-TOKEN": "xs-99-ffa-44e"})
    _, profile = drafted(tmp_path, page, sent)
    assert requests_of(profile)[1]["headers"] == {"X-XSRF-TOKEN": "{{ cookie('XSRF-TOKEN') }}"}


@pytest.mark.parametrize("cut", [None, -9])
def test_an_answer_that_is_still_compressed(tmp_path: Path, cut: int | None) -> None:
    page = entry("GET", "/don")
    packed = gzip.compress(FORM.encode())[:cut]
    page["response"]["content"] = {"mimeType": "text/html", "encoding": "base64", "text": base64.b64encode(packed).decode()}
    draft, profile = drafted(tmp_path, page, entry("POST", "/nop", DONE, posted=form(SENT)))
    assert ("form" in requests_of(profile)[1]) == (cut is None)
    assert ("compressed, and cut" in remarks_on(draft, 1)) == (cut is not None)


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


@pytest.mark.parametrize("address", ["https://[::1/x", f"{SITE}:99999/x", "https://u:MatKhau1@dvc.example.invalid/x"])
def test_an_address_that_cannot_be_asked_is_passed_over_with_a_word(tmp_path: Path, address: str) -> None:
    draft, profile = drafted(tmp_path, entry("GET", "/don", FORM), entry("GET", address), entry("POST", "/nop", DONE, posted=form(SENT)))
    assert len(requests_of(profile)) == 2
    assert "an address that no request can be sent to" in remarks_on(draft, 2)
    assert "MatKhau1" not in draft.text


def test_a_capture_in_an_archive_is_named(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "capture.har", "w") as archive:
        archive.writestr("har.har", "{}")
    with pytest.raises(UsageError, match=r"is a workbook or a ZIP file; expected a HAR file in UTF-8. Unpack it"):
        draft_with_remarks(tmp_path / "capture.har")
