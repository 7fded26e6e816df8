"""What a citizen can read of an answer, and texts that are found in it."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.catalog.answer_rules import Expect
from harness.pages.controls import choose_node
from harness.pages.description import describe_page
from harness.pages.text import SoughtText, squeezed
from harness.profiles.expectation import Expectation, rules_of
from harness.profiles.functions import FUNCTIONS
from harness.profiles.template import compile_template
from tests.pages.pages import page

WORDS = st.sampled_from(["hồ", "sơ", "Hết", "phiên", "làm", "việc", "a", "aa", "aaa", "mã", "p_auth", "lệ:", "(", ".*", "é"])
BETWEEN = st.sampled_from([" ", "  ", "\n", "\r\n\t", " \n    ", "", "<br>"])


def standing(words: list[str], text: str) -> bool:
    """What is meant: the words one after the other, with any white space between them."""
    return re.search(r"\s+".join(map(re.escape, words)), text) is not None


@given(words=st.lists(WORDS, min_size=1, max_size=4), pairs=st.lists(st.tuples(WORDS, BETWEEN), max_size=12))
@example(words=["aa", "aa"], pairs=[("aaa", " "), ("aa", "")])
@example(words=["mã", "p_auth"], pairs=[("p_auth", " "), ("mã", "\n  "), ("p_auth", "")])
def test_a_text_is_found_where_a_pattern_would_find_it(words: list[str], pairs: list[tuple[str, str]]) -> None:
    text = "".join(word + gap for word, gap in pairs)
    assert SoughtText(" ".join(words)).is_in(squeezed(text)) is standing(words, text)


READ = [
    ("Kết <b>quả</b>", True),
    ("K<b>ế</b>t <i>qu<u>ả</u></i>", True),
    ("Kết<br>quả", True),
    ("Kết\n\t quả", True),
    ("Kết&nbsp;quả", True),
    ("Kết \u00a0 quả", True),
    ("Kết<td>quả", True),
    ("<p>Kết</p><p>quả</p>", True),
    ("<span>Kết</span> <a href=/x>quả</a>", True),
    ("K&#7871;t qu&#x1EA3;", True),
    (unicodedata.normalize("NFD", "Kết quả"), True),
    ("Kết qu\u00adả", True),
    ("Kết&shy; qu&ZeroWidthSpace;ả", True),
    ("Kết <!-- chưa có --> quả", True),
    ("Kết <!-- > -->quả", True),
    ("Kết <script>var a = '>';</script>quả", True),
    ("Kết <span hidden>chưa có</span>quả", True),
    ("<textarea>Kết quả</textarea>", True),
    ("<select><option>Kết quả</select>", True),
    ("<title>Kết quả</title>", True),
    ("<details><summary>Xem</summary>Kết quả</details>", True),
    ("<div class=hidden>Kết quả</div>", True),  # style sheets are not read
    ("<div style='color: red'>Kết quả</div>", True),
    ("<dialog open>Kết quả</dialog>", True),
    ("<svg><text>Kết quả</text></svg>", True),
    ("Kếtquả", False),
    ("<b>Kết</b><b>quả</b>", False),
    ("<td>Kế<td>t quả", False),
    ("<!-- Kết quả -->", False),
    ("<script>alert('Kết quả')</script>", False),
    ("<script type=text/template><p>Kết quả</p></script>", False),
    ("<style>.a:after {content: 'Kết quả'}</style>", False),
    ("<template><p>Kết quả</p></template>", False),
    ("<noscript>Kết quả</noscript>", False),
    ("<noscript><p>Kết quả</p></noscript>", False),
    ("<iframe>Kết quả</iframe>", False),
    ("<img alt='Kết quả' src=a.png>", False),
    ("<a title='Kết quả'>x</a>", False),
    ("<input value='Kết quả'>", False),
    ("<input type=hidden name=a value='Kết quả'>", False),
    ("<input placeholder='Kết quả'>", False),
    ("<p data-loi='Kết quả'></p>", False),
    ("<meta name=description content='Kết quả'>", False),
    ("<p hidden>Kết quả</p>", False),
    ("<div hidden=until-found><p><b>Kết quả</b></p></div>", False),
    ("<p style='display:none'>Kết quả</p>", False),
    ("<p STYLE='color: red; DISPLAY : NONE !important'>Kết quả</p>", False),
    ("<p style='visibility: hidden'>Kết quả</p>", False),
    ("<dialog>Kết quả</dialog>", False),
    ("<datalist><option>Kết quả</datalist>", False),
]


@pytest.mark.parametrize(("body", "read"), READ)
def test_what_a_citizen_can_read(body: str, read: bool) -> None:
    table = f"<table><tr>{body}</table>" if "<td" in body else body
    answer = page(f"<!DOCTYPE html><div>{table}</div>")
    assert answer.holds(SoughtText("Kết quả")) is read
    assert answer.holds("Kết  quả") is read
    assert answer.holds(unicodedata.normalize("NFD", "Kết quả")) is read


@pytest.mark.parametrize(
    "rule", [{"forbid_text": "Kết quả"}, {"require_text": "Kết quả"}, {"forbid_text": "{{ x }}"}, {"require_text": "{{ x }}"}]
)
@pytest.mark.parametrize(("body", "read"), [("Kết <b>quả</b>", True), ("<script>Kết quả</script>", False)])
def test_every_rule_on_texts_reads_alike(rule: dict[str, str], body: str, read: bool) -> None:
    expect = Expect.model_validate(rule)
    rules = rules_of(expect, lambda source: compile_template(source, FUNCTIONS))
    broken = Expectation(expect.status, rules).broken(page(body), {"x": "Kết quả"}, ())
    assert (broken is None) is (read is ("require_text" in rule))


def test_an_element_is_chosen_by_what_can_be_read_in_it() -> None:
    answer = page("<ul><li id=a>Nộp<!-- hồ sơ --></li><li id=b>Nộp <b>hồ</b>&nbsp;s<i>ơ</i></li></ul>")
    assert choose_node(answer, "li", "Nộp hồ sơ", None).attributes["id"] == "b"


@pytest.mark.parametrize(
    ("body", "kind", "text", "read"),
    [
        ('{"loi": "H\\u1ebft phi\\u00ean"}', "application/json", "Hết phiên", True),
        ('{"loi": "Hết\\nphiên"}', "application/json", "Hết phiên", True),
        ('{"loi": "H&#7871;t phi&ecirc;n"}', "application/json", "Hết phiên", True),
        ('{"loi": "mã \\"a\\" sai"}', "application/json", 'mã "a" sai', True),
        ('{"Hết phiên": 1}', "application/json", "Hết phiên", True),
        ('{"thanh_cong":false}', "application/json", '"thanh_cong":false', True),
        ("Hết\nphiên", "text/plain", "Hết phiên", True),
        ("<!-- Hết phiên -->", "text/plain", "Hết phiên", True),
        ("<a><b>Hết</b><c>phiên</c></a>", "text/xml", "Hết phiên", True),
        ("<a><title>Hết phiên</title></a>", "application/xml", "Hết phiên", True),
        ("<a b='Hết phiên'><!-- Hết phiên --></a>", "text/xml", "Hết phiên", False),
        ("<soap:Envelope xmlns:soap='x'><soap:Body>Hết <![CDATA[phiên]]></soap:Body></soap:Envelope>", "text/xml", "Hết phiên", True),
    ],
)
def test_what_can_be_read_in_other_answers(body: str, kind: str, text: str, read: bool) -> None:
    assert page(body, kind=kind).holds(text) is read


def test_a_page_of_deep_nesting_is_read() -> None:
    assert page("<b>" * 20_000 + "Kết quả").holds("Kết quả")


PIECES = st.sampled_from(
    ["Kết", "quả", "K", "ế", "t", " ", "\n", "&nbsp;", "\u2003", "<b>", "</b>", "<br>", "<p>", "</p>", "<!-- x -->", "<p hidden>", "<script>", "</script>",
     "<template>", "</template>", "&#7871;", "\u0302", "e\u0302\u0301", "\xad", "&shy;", "&amp;", "<td>", "<i title='Kết quả'>", "</i>", "qu<b>ả",
     "&nbsp", "\u212a", "»", "&raquo;", "<table>", "<colgroup>", "<pre>", "u"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14), st.sampled_from(["Kết quả", "quả", "Kết quả Kết", "kết quả", "ế", "quả »"]))
@example(["Kết", "<b>", " ", "quả"], "Kết quả")
@example(["\u212aết", " quả"], "Kết quả")
@example(["Kết&nbsp", "quả"], "Kết quả")
@example(["quả ", "&raquo;"], "quả »")
@example(["Kết qu", "<table>", "<colgroup>", " ", "ả"], "Kết quả")
def test_what_is_found_quickly_is_what_can_be_read(pieces: list[str], wanted: str) -> None:
    answer = page("<div>" + "".join(pieces))
    sought = SoughtText(wanted)
    assert answer.holds(sought) is answer.holds(wanted) is sought.is_in(answer.readable)


@pytest.mark.parametrize("text", ["hệ thống từ chối", "Kết quả hồ sơ", "Hết phiên"])
def test_a_page_with_only_the_beginning_of_a_text_is_not_read(text: str) -> None:
    absent = page("<p>Địa chỉ h<b>ai</b></p><h2>H</h2><h3>Kết</h3><a>Thông tin</a>")
    assert not absent.holds(SoughtText(text))
    assert "readable" not in vars(absent)


def test_a_text_that_does_not_stand_in_the_source_is_not_looked_for_in_the_page() -> None:
    absent = page("<p>Hồ sơ hợp lệ &amp; đủ&nbsp;</p>")
    assert not absent.holds(SoughtText("Hết phiên làm việc"))
    assert "readable" not in vars(absent)
    present = page("<p>Hồ sơ hợp lệ</p>")
    assert present.holds("Hồ sơ hợp lệ")
    assert "readable" not in vars(present)


def test_a_text_that_nobody_can_read_is_pointed_out() -> None:
    answer = page("<p data-fee='150'>Kết <!-- quả --></p>")
    assert "the source holds '150', but nobody can read it there" in describe_page(answer, "text '150'")
    assert not any("source" in line for line in describe_page(answer, "text 'Kết'"))
    assert describe_page(page("<p>", kind="text/plain")) == ["no page but text, sent as text/plain", "body: <p>"]
