"""What an answer is: its kind and its encoding, by what servers send. The right values are those of the standards."""

from __future__ import annotations

import codecs
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.catalog.profile import Form
from harness.client import Exchange, Headers
from harness.pages import Page
from harness.pages.encodings import _CODECS, decoded_text, encoded_text, encoding_of_label
from harness.pages.media import MediaType, media_type, parsed_media_type
from harness.pages.values import MissingValueError
from harness.profiles.bodies import PageForm
from harness.profiles.functions import FUNCTIONS
from harness.profiles.template import compile_value
from tests.pages.pages import page

HTML = "<!DOCTYPE html><html><head><title>T</title></head><body><form id=f><input name=a></form></body></html>"
XHTML = (
    '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><script src="a.js"/></head><body><form id="f"/></body></html>'
)
VI = "Phường Trần Phú"
VI_1258 = b"Ph\xfd\xf5\xccng Tr\xe2\xccn Ph\xfa"


def answer(body: str | bytes, *types: str, **fields: str) -> Page:
    raw = body.encode() if isinstance(body, str) else body
    items = [*(("Content-Type", each) for each in types), *((name.replace("_", "-"), value) for name, value in fields.items())]
    return Page(Exchange("GET", "http://127.0.0.1:1/", "http://127.0.0.1:1", status=200, headers=Headers(items), body=raw))


@pytest.mark.parametrize(
    ("value", "parsed"),
    [
        ("Text/HTML; Charset=UTF-8", MediaType("text/html", "UTF-8")),
        ("text/html;charset=utf-8", MediaType("text/html", "utf-8")),
        (' text/html ;charset="utf-8" ', MediaType("text/html", "utf-8")),
        ('text/html; x="a;charset=b"; charset=utf-8', MediaType("text/html", "utf-8")),
        ('text/html; charset="ut\\f-8"', MediaType("text/html", "utf-8")),
        ("text/html; charset='utf-8'", MediaType("text/html", "'utf-8'")),
        ("text/html; charset=windows-1258; charset=utf-8", MediaType("text/html", "windows-1258")),
        ("text/html; boundary; charset =x; charset=utf-8", MediaType("text/html", "utf-8")),
        ("text/html;", MediaType("text/html", "")),
        ("application/soap+xml;action=a", MediaType("application/soap+xml", "")),
        ("text", None),
        ("", None),
        ("text/", None),
        ("text/html charset=utf-8", None),
        ("charset=utf-8", None),
    ],
)
def test_media_types(value: str, parsed: MediaType | None) -> None:
    assert parsed_media_type(value) == parsed


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        (b"Content-Type: text/html; charset=utf-8", ("text/html", "utf-8")),
        (b"content-type: text/html;charset=UTF-8", ("text/html", "UTF-8")),
        (b"Content-Type: text/html", ("text/html", "")),
        (b"Server: x", ("", "")),
        (b"Accept-Patch: text/plain; charset=utf-8\r\nContent-Type: text/html; charset=windows-1258", ("text/html", "windows-1258")),
        (b"content-type: text/html; charset=windows-1258\r\nContent-Type: text/html; charset=utf-8", ("text/html", "utf-8")),
        (b"Content-Type: text/html; charset=windows-1258; charset=utf-8", ("text/html", "windows-1258")),
        (b"X-Content-Type: text/plain; charset=utf-8\r\nContent-Type: text/html; charset=utf-16", ("text/html", "utf-16")),
        # Fetch, 2.2.2, its examples
        (b"Content-Type: text/plain;charset=gbk, text/html", ("text/html", "")),
        (b"Content-Type: text/html;charset=gbk;a=b, text/html;x=y", ("text/html", "gbk")),
        (b"Content-Type: text/html;charset=gbk;a=b\r\nContent-Type: text/html;x=y", ("text/html", "gbk")),
        (b"Content-Type: text/html;charset=gbk\r\nContent-Type: x/x\r\nContent-Type: text/html;x=y", ("text/html", "")),
        (b"Content-Type: text/html\r\nContent-Type: cannot-parse", ("text/html", "")),
        (b"Content-Type: text/html\r\nContent-Type: */*", ("text/html", "")),
        (b"Content-Type: text/html\r\nContent-Type:", ("text/html", "")),
        (b'Content-Type: text/html;x=" text/plain, a"', ("text/html", "")),
    ],
)
def test_the_media_type_of_several_fields(fields: bytes, found: tuple[str, str]) -> None:
    assert tuple(media_type(Headers(wire=b"HTTP/1.1 200 OK\r\n" + fields + b"\r\nDate: now\r\n\r\n"))) == found


KINDS = [
    # body, types, kind, has elements, replaces the page before
    (HTML, ["text/html; charset=utf-8"], "html", True, True),
    (HTML, ["Text/HTML"], "html", True, True),
    (HTML, ["text/plain", "text/html"], "html", True, True),
    ("\ufeff" + HTML, ["text/html; charset=utf-8"], "html", True, True),
    ("\r\n" * 400 + HTML, ["text/html"], "html", True, True),
    ("Warning: mysql_connect() in /var/www on line 3\n" + HTML, ["text/html"], "html", True, True),
    (HTML.encode("utf-16"), ["text/html"], "html", True, True),
    (HTML, ["text/plain; charset=utf-8"], "text", False, False),
    (HTML, ["application/octet-stream"], "other", False, False),
    (HTML, ["application/json"], "json", False, False),
    (HTML, [], "html", True, True),
    (HTML, ["html"], "html", True, True),
    (HTML, ["*/*"], "html", True, True),
    ("  \n<!-- a --><form id=f>", [], "html", True, True),
    ("<form id=f>", [], "text", False, False),  # not in the standard's table
    ("<?xml version='1.0'?><a/>", [], "xml", True, False),
    ("\ufeff" + HTML, [], "text", False, False),
    ("%PDF-1.4", [], "other", False, False),
    (b"\x00\x01", [], "other", False, False),
    ("Xong", [], "text", False, False),
    ("OK", ["text/html"], "html", False, False),
    ("", ["text/html"], "html", False, False),
    ("<option value=1>Một", ["text/html"], "html", True, True),
    (XHTML, ["application/xhtml+xml"], "xhtml", True, True),
    (XHTML, ["application/xml"], "xhtml", True, True),
    (XHTML, ["text/xml; charset=utf-8"], "xhtml", True, True),
    ("<a><b/></a>", ["text/xml"], "xml", True, False),
    ("<a><b/></a>", ["application/soap+xml"], "xml", True, False),
    ("<svg/>", ["image/svg+xml"], "xml", True, False),
    ('{"a": 1}', ["application/json"], "json", False, False),
    ('{"a": 1}', ["application/problem+json; charset=utf-8"], "json", False, False),
    ('{"a": "<b>"}', ["text/html"], "json", False, False),
    ('{"a": 1}', ["text/plain"], "json", False, False),
    ('{"a": 1}', ["text/javascript"], "json", False, False),
    ('{"a": 1}', [], "json", False, False),
    ('\ufeff [{"a": 1}]', ["text/html"], "json", False, False),
    ("{ hỏng <b>x</b>", ["text/html"], "html", True, True),
    ("var a = {};", ["application/javascript"], "text", False, False),
    ("a,b", ["text/csv"], "text", False, False),
    (b"\x89PNG", ["image/png"], "other", False, False),
]


@pytest.mark.parametrize(("body", "types", "kind", "has_elements", "replaces"), KINDS)
def test_kinds(body: str | bytes, types: list[str], kind: str, has_elements: bool, replaces: bool) -> None:
    found = answer(body, *types)
    assert (found.kind.value, found.is_markup, found.is_document) == (kind, has_elements, replaces)


def test_nosniff_leaves_an_answer_without_a_type_a_text() -> None:
    assert answer(HTML, X_Content_Type_Options="NoSniff").kind == "text"
    assert answer(HTML, "text/html", X_Content_Type_Options="nosniff").kind == "html"


def meta(head: str, text: bytes = VI_1258) -> bytes:
    return b"<html><head>" + head.encode() + b"</head><body><p id=a>" + text + b"</p></body></html>"


LATE = "<script>" + "x" * 1100 + "</script>"
ENCODINGS = [
    # body, type, encoding
    (meta(""), "text/html; charset=windows-1258", "windows-1258"),
    (meta(""), 'text/html; charset="x-cp1258"', "windows-1258"),
    (meta("<meta charset=windows-1258>"), "text/html", "windows-1258"),
    (meta('<meta charset = "CP1258"/>'), "text/html", "windows-1258"),
    (meta("<META HTTP-EQUIV=Content-Type CONTENT='text/html; Charset=windows-1258'>"), "text/html", "windows-1258"),
    (meta('<meta content="text/html;charset=windows-1258" http-equiv="content-type">'), "text/html", "windows-1258"),
    (meta("<meta name=x content='text/html; charset=utf-8'><meta charset=windows-1258>"), "text/html", "windows-1258"),
    (meta("<!-- <meta charset=utf-8> --><meta charset=windows-1258>"), "text/html", "windows-1258"),
    (meta("<!--><meta charset=windows-1258>"), "text/html", "windows-1258"),
    (meta("<meta charset=khong-co><meta charset=windows-1258>"), "text/html", "windows-1258"),
    (meta("<meta charset=tcvn-5712>"), "text/html", "windows-1258"),  # no browser knows it
    (meta("<meta charset=utf-8>"), "text/html; charset=windows-1258", "windows-1258"),
    (meta("<meta charset=windows-1258>"), "text/html; charset=khong-co", "windows-1258"),
    (meta(LATE + "<meta charset=windows-1258>"), "text/html", "windows-1258"),
    (meta(""), "text/html", "windows-1258"),  # nothing names one
    (meta("", VI.encode()), "text/html", "UTF-8"),
    (meta("<meta charset=windows-1258>", VI.encode()), "text/html; charset=utf8", "UTF-8"),
    (meta("<meta charset=utf-16>", VI.encode()), "text/html", "UTF-8"),
    (meta("<meta charset=x-user-defined>"), "text/html", "windows-1252"),
    (meta("<meta charset=iso-8859-1>"), "text/html", "windows-1252"),
    (meta("<meta charset=iso-2022-kr>"), "text/html", "replacement"),
    (meta("<a title='<meta charset=utf-8>'></a><meta charset=windows-1252>"), "text/html", "windows-1252"),
    (b'<?xml version="1.0" encoding="windows-1258"?>' + meta(""), "text/html", "windows-1258"),
    (b"\xef\xbb\xbf" + meta("<meta charset=windows-1258>", VI.encode()), "text/html; charset=windows-1258", "UTF-8"),
    (b"\xff\xfe" + HTML.encode("utf-16-le"), "text/html; charset=utf-8", "UTF-16LE"),
    (b"\xfe\xff" + HTML.encode("utf-16-be"), "text/html; charset=utf-8", "UTF-16BE"),
    (HTML.encode("utf-16-le"), "text/html; charset=utf-16", "UTF-16LE"),
    (VI_1258, "text/plain", "windows-1258"),
    (VI.encode(), "text/plain", "UTF-8"),
    (VI_1258, "text/plain; charset=windows-1258", "windows-1258"),
    (b"{}", "application/json", "UTF-8"),
    (b'{"a": "' + VI_1258 + b'"}', "application/json; charset=windows-1258", "windows-1258"),
    (b'<?xml version="1.0" encoding="windows-1258"?><p>' + VI_1258 + b"</p>", "text/xml", "windows-1258"),
    (b'<?xml version="1.0" encoding="utf-16"?><p/>', "text/xml", "UTF-8"),
    (b"<p/>", "text/xml", "UTF-8"),
    (b'<?xml version="1.0" encoding="utf-8"?><p>' + VI_1258 + b"</p>", "text/xml; charset=windows-1258", "windows-1258"),
]


@pytest.mark.parametrize(("body", "kind", "encoding"), ENCODINGS)
def test_encodings(body: bytes, kind: str, encoding: str) -> None:
    found = page(body, kind=kind)
    assert found.encoding == encoding
    if encoding == "windows-1258" or VI.encode() in body:
        assert found.holds(VI)
    if encoding == "windows-1258" and found.first("#a") is not None:
        value = found.first("#a").text()
        assert encoded_text(value, found.encoding) == VI_1258  # the page's own bytes go back


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('\ufeff{"a": "ế"}'.encode(), "application/json"),
        ('{"a": "ế"}'.encode("utf-16"), "application/json"),
        (b"\xfe\xff" + '{"a": "ế"}'.encode("utf-16-be"), "application/json; charset=utf-8"),
        (')]}\',\n{"a": "ế"}'.encode(), "application/json"),
        (')]}\'\n{"a": "ế"}'.encode(), "application/json"),
        (b'{"a": "\\u1ebf"}', "text/html; charset=iso-8859-1"),
    ],
)
def test_json_however_it_is_sent(body: bytes, kind: str) -> None:
    assert page(body, kind=kind).json == {"a": "ế"}


@pytest.mark.parametrize("body", ["while(1);{}", "{'a': 1}", '{"a": NaN}', "[" * 5000, "", "callback({})", "<p>", '{"a": 1} x'])
def test_what_is_not_json(body: str) -> None:
    found = page(body, kind="application/json")
    with pytest.raises(MissingValueError, match=r"not JSON|too many levels"):
        _ = found.json
    assert not found.holds("không có")


def test_labels() -> None:
    assert [encoding_of_label(label) for label in ("utf8", " UTF-8\n", "Latin1", "x-sjis", "ks_c_5601-1987", "unicode", "viscii", "")] == [
        "UTF-8", "UTF-8", "windows-1252", "Shift_JIS", "EUC-KR", "UTF-16LE", None, None,
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", sorted(_CODECS))
def test_every_encoding_reads_and_writes(encoding: str) -> None:
    assert codecs.lookup(_CODECS[encoding])
    read = decoded_text(bytes(range(0x100)), encoding)
    assert isinstance(read, str)
    if encoding not in {"replacement", "ISO-2022-JP", "UTF-16LE", "UTF-16BE"}:
        assert read.startswith("".join(map(chr, range(0x80))))
    back = encoded_text("Tên: a", encoding)
    assert back in {b"T&#234;n: a", "Tên: a".encode(), "Tên: a".encode("latin-1"), "Tên: a".encode(_CODECS[encoding], "ignore")}


@pytest.mark.parametrize(
    ("text", "encoding", "sent"),
    [
        ("Nguyễn", "windows-1258", b"Nguy&#7877;n"),  # a precomposed letter is not in it; browsers do not take it apart
        ("Nguyê\u0303n", "windows-1258", b"Nguy\xea\xden"),
        ("đ", "windows-1258", b"\xf0"),
        ("Thử 😀", "windows-1252", b"Th&#7917; &#128512;"),
        ("ế", "UTF-16LE", "ế".encode()),
        ("ế", "replacement", "ế".encode()),
        ("\ud83d", "UTF-8", b"\xef\xbf\xbd"),
        ("€", "windows-1252", b"\x80"),
        ("\uf780a", "x-user-defined", b"\x80a"),
    ],
)
def test_what_an_encoding_lacks_is_sent_as_a_number(text: str, encoding: str, sent: bytes) -> None:
    assert encoded_text(text, encoding) == sent


def test_bytes_that_windows_codecs_leave_out_are_controls() -> None:
    assert decoded_text(b"a\x81\xd2", "windows-1258") == "a\x81\u0309"
    assert decoded_text(b"\x8d", "windows-1252") == "\x8d"


@given(
    st.binary(max_size=120),
    st.sampled_from(["text/html", "text/xml", "application/json", "text/plain", "image/png", "", "application/xhtml+xml"]),
)
def test_whatever_comes_is_something(body: bytes, kind: str) -> None:
    found = answer(body, kind)
    assert isinstance(found.readable, str)
    assert found.encoding in _CODECS
    assert found.words >= 0
    assert isinstance(found.nodes("form"), list)


@pytest.mark.parametrize(
    ("wanted", "sent", "holds"),
    [
        ("text/html", "Text/HTML; Charset=UTF-8", True),
        ("Text/Html", "text/html", True),
        ("text/html; charset=utf-8", "text/html;charset=UTF8", True),
        ("text/html; charset=utf-8", "text/html", False),
        ("text/html;charset=utf-8", "text/html; charset=windows-1258", False),
        ("application/", "application/pdf", True),
        ("application/json", "text/html", False),
    ],
)
def test_a_wanted_content_type(wanted: str, sent: str, holds: bool) -> None:
    assert page("", kind=sent).media_type.is_like(wanted) is holds


def test_json_of_a_page_is_read_once_and_kept() -> None:
    found = page(json.dumps({"a": [1]}), kind="text/html")
    assert found.json is found.json


def test_an_option_is_chosen_by_its_label_in_whatever_encoding() -> None:
    source = meta(
        "<meta charset=windows-1258>", b"<form id=f><select name=xa><option value=1>A<option value=2>" + VI_1258 + b"</select></form>"
    )
    form = Form.model_validate({"from_page": "form#f", "choose": {"xa": {"containing": VI}}})
    filled = PageForm(form, lambda data: compile_value(data, FUNCTIONS)).fill(page(source, kind="text/html"), {}, lambda _count: 0)
    assert filled.values == {"xa": "2"}
