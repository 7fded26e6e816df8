"""XML, XHTML, and partial responses of Jakarta Faces, which change the page that is shown."""

from __future__ import annotations

import gc

import pytest

from harness.pages import Page
from harness.pages.controls import controls_of
from tests.pages.pages import page

SHOWN = """<!DOCTYPE html><html><head><title>Đăng ký</title></head><body><h1>Đăng ký</h1><p id="msg">cũ</p>
<form id="frm" method="post" action="/dk.xhtml"><input type="hidden" name="frm" value="frm">
<select name="frm:xa" id="frm:xa"><option value="">–</option></select>
<input type="hidden" name="javax.faces.ViewState" id="j_id1:javax.faces.ViewState:0" value="-11:22"></form></body></html>"""
UPDATE = """<update id="frm:xa"><![CDATA[<select name="frm:xa" id="frm:xa"><option value="">–</option>
<option value="0101" selected>Xã Thử &amp; <b>Nghiệm</b>&nbsp;1</option></select>]]></update>"""
STATE = '<update id="j_id1:javax.faces.ViewState:0"><![CDATA[-33:44]]></update>'


def partial(changes: str, kind: str = "text/xml;charset=UTF-8") -> Page:
    source = f'<?xml version="1.0" encoding="UTF-8"?><partial-response id="j_id1"><changes>{changes}</changes></partial-response>'
    return page(source, kind=kind)


def sent(shown: Page) -> dict[str, tuple[str, ...]]:
    form = shown.first("form")
    assert form is not None
    return {control.name: tuple(control.sent) for control in controls_of(shown, form)}


def test_selectors_find_what_stands_in_cdata() -> None:
    found = partial(UPDATE + STATE)
    assert (found.is_partial, found.is_document) == (True, False)
    assert [node.attributes.get("value") for node in found.nodes("option")] == ["", "0101"]
    assert found.first("update[id*=ViewState]").text() == "-33:44"
    assert found.holds("Xã Thử & Nghiệm 1")
    assert not found.holds("-33:44")


def test_a_partial_response_changes_the_page_that_is_shown() -> None:
    shown = page(SHOWN)
    after = shown.changed_by(partial(UPDATE + STATE))
    gc.collect()
    assert sent(after) == {"frm": ("frm",), "frm:xa": ("0101",), "javax.faces.ViewState": ("-33:44",)}
    assert (after.url, after.title, after.holds("Xã Thử & Nghiệm 1")) == (shown.url, "Đăng ký", True)
    assert sent(shown)["javax.faces.ViewState"] == ("-11:22",)  # a page that was kept stays as it was
    twice = after.changed_by(partial(STATE.replace("-33:44", "-55:66")))
    assert sent(twice) == {"frm": ("frm",), "frm:xa": ("0101",), "javax.faces.ViewState": ("-55:66",)}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ('<insert><before id="msg"><![CDATA[<p>một</p>hai]]></before></insert>', "Đăng ký một hai cũ –"),
        ('<insert><after id="msg"><![CDATA[<p>một</p><p>hai</p>]]></after></insert>', "Đăng ký cũ một hai –"),
        ('<delete id="msg"/>', "Đăng ký –"),
        ('<attributes id="msg"><attribute name="hidden" value="hidden"/></attributes>', "Đăng ký –"),
        ('<update id="msg"><![CDATA[mới <b>hơn</b>]]></update>', "Đăng ký mới hơn –"),
        ('<update id="gone"><![CDATA[<p>mới</p>]]></update><delete id="gone"/>', "Đăng ký cũ –"),
        ('<update id="javax.faces.ViewRoot"><![CDATA[<html><body><h2>Hết phiên</h2></body></html>]]></update>', "Hết phiên"),
        ('<update id="p:jakarta.faces.ViewBody"><![CDATA[<body><h2>Mới</h2></body>]]></update>', "Mới"),
        ('<eval><![CDATA[alert("x")]]></eval><extension ln="primefaces">{"a":1}</extension>', "Đăng ký cũ –"),
    ],
)
def test_every_kind_of_change(changes: str, text: str) -> None:
    after = page(SHOWN.replace("<title>Đăng ký</title>", "")).changed_by(partial(changes))
    assert " ".join(after.readable.split()) == text


def test_the_message_of_an_error_can_be_read() -> None:
    error = (
        "<partial-response><error><error-name>x</error-name><error-message><![CDATA[Hết phiên]]></error-message></error></partial-response>"
    )
    assert page(error, kind="text/xml").holds("Hết phiên")


def test_xml_that_is_not_well_formed_changes_nothing() -> None:
    cut = page("<partial-response><changes>" + UPDATE, kind="text/xml")
    assert not cut.is_partial
    assert not page("\n<?xml version='1.0'?><partial-response/>", kind="text/xml").is_partial
    assert page("<a><b>x</b>", kind="text/xml").first("b").text() == "x"  # a browser shows what came before the fault


def test_xml_knows_no_rules_of_html() -> None:
    found = page(
        '<rss><item maSo="7"><title>Một</title><link>http://x/1</link><p><p>trong</p></p><tr>hàng</tr><MaHoSo/></item></rss>',
        kind="text/xml",
    )
    assert found.first("link").text() == "http://x/1"
    assert found.first("item > title").text() == "Một"
    assert found.first("p > p").text() == "trong"
    assert found.first("item > tr").text() == "hàng"
    assert found.first("MaHoSo") is not None
    assert found.first("[maSo]").attributes["maso"] == "7"


def test_xhtml_is_a_page() -> None:
    found = page(
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x.dtd">'
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>T</title><script src="a.js"/></head>'
        '<body><form id="f" action="/x"><textarea name="a"/><input name="b" value="&ecirc;&amp;"/></form><p>K&ecirc;t&nbsp;qu</p>'
        "<script>//<![CDATA[\nif (a < b) {}\n//]]></script></body></html>",
        kind="application/xhtml+xml",
    )
    assert found.is_document
    assert sent(found) == {"a": ("",), "b": ("ê&",)}
    assert found.holds("Kêt qu")
    assert not found.holds("if (a")


def test_entities_cannot_grow_without_bound() -> None:
    levels = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 10))
    bomb = page(f'<!DOCTYPE a [<!ENTITY e0 "x">{levels}]><a>&e9;</a>', kind="text/xml")
    assert len(bomb.readable) < 10_000_000
