"""What browsers and proxies write into a HAR, each its own way: what a draft keeps, refuses, and lists as left out.

The sources of each tool's format stand beside its tests.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.errors import UsageError
from harness.operations.authoring.draft import draft_with_remarks
from harness.operations.authoring.har import read_har
from tests.operations.made_capture import DONE, FORM, SENT, SITE, URLENCODED, Entry, drafted, entry, form, remarks_on, requests_of

# Chrome: github.com/ChromeDevTools/devtools-frontend, front_end/models/har/Log.ts; seen in github.com/grafana/har-to-k6/issues/69.
# Firefox: github.com/mozilla/gecko-dev, devtools/client/netmonitor/src/har/har-builder.js and client/shared/curl.js (the upload's head).
# Safari: github.com/WebKit/WebKit, Source/WebInspectorUI/UserInterface/Controllers/HARBuilder.js.
# mitmproxy: github.com/mitmproxy/mitmproxy, mitmproxy/addons/savehar.py. Base64: github.com/ahmadnassri/har-spec, versions/1.3.md.
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
    with pytest.raises(UsageError, match=r"entry 2, log\.entries\[1\]\.response\.content\.text is no base64; expected base64, as"):
        drafted(tmp_path, entry("GET", "/", "<h1>x</h1>"), broken)


def test_each_key_of_another_kind_is_named_with_its_entry(tmp_path: Path) -> None:
    """Each value of an entry in turn is each kind of JSON: the capture is read, or one error says where and what was expected."""
    path = tmp_path / "x.har"
    sent = form(SENT) | {"params": [{"name": "a", "value": "b"}], "encoding": ""}
    first = entry("POST", "/nop", DONE, posted=sent)
    first["response"]["cookies"] = [{"name": "a", "value": "b"}]
    first["request"]["headers"] = [{"name": "accept", "value": "*/*"}]
    refused: list[str] = []
    for place in _places(first):
        for value in (None, 1, 10**400, 1e999, True, "", "x", "http://[", "\ud800", [], [None], [[]], {}, {"a": 1}):
            entries = [entry("GET", "/don", FORM), json.loads(json.dumps(first))]
            *above, last = ("entries", 1, *place)
            holder: Any = {"entries": entries}
            for key in above:
                holder = holder[key]
            holder[last] = value
            path.write_text(json.dumps({"log": {"entries": entries}}).replace("Infinity", "1e999"), encoding="utf-8")
            try:
                read_har(path)
            except UsageError as error:
                refused.append(str(error))
    assert len(refused) > 100
    assert not [
        said for said in refused if not re.search(r": entry 2, log\.entries\[1\][\w.\[\]]* is [^;]*; expected [^;]*\. Export", said)
    ]


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(inner, (*place, key))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "log is missing or null; expected an object, as a HAR file has it"),
        ("[1,2]", "file is a list; expected an object"),
        ("null", "file is missing or null; expected an object"),
        ('{"log":[]}', "log is a list; expected an object"),
        ('{"log":{"entries":null}}', "log.entries is missing or null; expected a list"),
        ('{"log":{"entries":{}}}', "log.entries is an object; expected a list"),
        ('{"log":{"entries":[null]}}', "entry 1, log.entries[0] is missing or null; expected an object"),
        ('{"log":{"entries":[{}]}}', "log.entries is no page or API call"),
    ],
)
def test_json_that_is_no_har_is_told_what_was_expected(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.har").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(f"x.har: {said}")):
        read_har(tmp_path / "x.har")


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
    assert "entry 6 GET https://dvc.example.invalid/anh.png: an asset of a page" in remarks_on(draft, 6)
    assert "#   assets of pages (images, scripts, style sheets): 1;" in draft.text
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


@pytest.mark.parametrize("cut", [None, -9])
def test_an_answer_that_is_still_compressed(tmp_path: Path, cut: int | None) -> None:
    page = entry("GET", "/don")
    packed = gzip.compress(FORM.encode())[:cut]
    page["response"]["content"] = {"mimeType": "text/html", "encoding": "base64", "text": base64.b64encode(packed).decode()}
    draft, profile = drafted(tmp_path, page, entry("POST", "/nop", DONE, posted=form(SENT)))
    assert ("form" in requests_of(profile)[1]) == (cut is None)
    assert ("compressed, and cut" in remarks_on(draft, 1)) == (cut is not None)


@pytest.mark.parametrize("address", ["https://[::1/x", f"{SITE}:99999/x"])
def test_an_address_that_cannot_be_asked_is_passed_over_with_a_word(tmp_path: Path, address: str) -> None:
    draft, profile = drafted(tmp_path, entry("GET", "/don", FORM), entry("GET", address), entry("POST", "/nop", DONE, posted=form(SENT)))
    assert len(requests_of(profile)) == 2
    assert "an address that no request can be sent to" in remarks_on(draft, 2)


def test_a_capture_in_an_archive_is_named(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "capture.har", "w") as archive:
        archive.writestr("har.har", "{}")
    with pytest.raises(UsageError, match=r"is a workbook or a ZIP file; expected a HAR file in UTF-8. Unpack it"):
        draft_with_remarks(tmp_path / "capture.har")
