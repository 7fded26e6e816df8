"""Extraction and expectations: what is taken out of an answer, and what an answer must be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.catalog.answer_rules import Expect
from harness.catalog.profile import Extract
from harness.pages.redirects import page_redirect
from harness.pages.text import SoughtText, composed
from harness.pages.values import MissingValueError
from harness.profiles.expectation import Expectation, rules_of, values_of
from harness.profiles.extraction import Extractor
from harness.profiles.functions import FUNCTIONS, VisitContext
from harness.profiles.template import CONTEXT, compile_value
from tests.pages.pages import json_page, page


def text(source: Any):
    return compile_value(source, FUNCTIONS)


def take(
    rule: dict[str, Any], answer, scope: dict[str, Any] | None = None, cookies: dict[str, str] | None = None, draws: int = 1
) -> Any:  # fmt: skip
    extractor = Extractor("x", Extract.model_validate(rule), text)
    return extractor.value(answer, scope or {}, Known(cookies or {}, draws))


class Known:
    def __init__(self, cookies: dict[str, str], draws: int) -> None:
        self.cookie = cookies.get
        self._draws = draws

    def draw(self, _purpose: str, count: int) -> int:
        return self._draws % count


HTML = """<h1>Hồ sơ</h1><b class=code> H01.02-261122-0042 </b><a class=p href="/p/1?a=1&amp;b=2">Khai sinh</a><a class=p href="p/2">Kết hôn</a>
<i data-x="">trống</i><i data-x="150.000 đồng">phí</i><div class=card><em>Một</em><a href=/one>mở</a></div><div class=card><em>Hai</em><a href=/two>mở</a></div>
<script>var cfg = {"token": "abc\\u0026d", "n": 7};</script><p id=esc>A &amp;amp; B</p>"""


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ({"css": "b.code"}, "H01.02-261122-0042"),
        ({"css": "b.code", "match": r"-(\d{4})$", "as": "int"}, 42),
        ({"css": "a.p", "attr": "href"}, "http://127.0.0.1:8000/p/1?a=1&b=2"),
        ({"css": "a.p", "attr": "href", "one": "last"}, "http://127.0.0.1:8000/a/p/2"),
        ({"css": "a.p", "attr": "href", "containing": "Kết hôn"}, "http://127.0.0.1:8000/a/p/2"),
        ({"css": "a.p", "attr": "href", "containing": "{{ wanted }}"}, "http://127.0.0.1:8000/a/p/2"),
        ({"css": "a.p", "all": True}, ["Khai sinh", "Kết hôn"]),
        ({"css": "a.p", "one": 1}, "Kết hôn"),
        ({"css": "a", "attr": "href", "within": {"css": "div.card", "containing": "Hai"}}, "http://127.0.0.1:8000/two"),
        ({"css": "i[data-x]", "attr": "data-x", "one": "last", "as": "number"}, 150000),
        ({"css": "i[data-x]", "attr": "data-x", "allow_empty": True}, ""),
        ({"css": "h1", "text": False}, "<h1>Hồ sơ</h1>"),
        ({"css": "#esc", "unescape": True}, "A & B"),
        ({"regex": r"var cfg = (\{.*?\});", "as": "json"}, {"token": "abc&d", "n": 7}),
        ({"regex": r'"n": (\d+)', "as": "int"}, 7),
        ({"url": r"x=(\d)"}, "1"),
        ({"header": "content-type", "match": "charset=(.*)"}, "utf-8"),
        ({"cookie": "XSRF"}, "c1"),
        ({"css": "b.gone", "default": None}, None),
        ({"css": "b.gone", "all": True, "default": []}, []),
    ],
)
def test_values_are_found(rule: dict[str, Any], value: Any) -> None:
    assert take(rule, page(HTML), {"wanted": "Kết hôn"}, {"XSRF": "c1"}) == value


@pytest.mark.parametrize(
    "rule",
    [
        {"css": "b.gone"}, {"css": "b.gone", "all": True}, {"css": "b.code", "attr": "title"}, {"css": "i[data-x]", "attr": "data-x"},
        {"css": "b.code", "match": "^X"}, {"css": "h1", "as": "int"}, {"css": "a.p", "one": 5}, {"css": "a.p", "containing": "Ly hôn"},
        {"regex": "gone"}, {"header": "X-Gone"}, {"cookie": "gone"}, {"url": "gone"}, {"json": "a.b"},
        {"css": "a", "within": {"css": "div.card", "containing": "Ba"}},
    ],
)  # fmt: skip
def test_what_is_not_there_is_missing_and_never_empty(rule: dict[str, Any]) -> None:
    with pytest.raises(MissingValueError):
        take(rule, page(HTML))


def test_one_at_random_is_one_that_has_the_value() -> None:
    links = page('<a>không</a><a href="/1">một</a><a href="/2">hai</a>')
    assert {take({"css": "a", "attr": "href", "one": "random"}, links, draws=draw) for draw in range(12)} == {
        "http://127.0.0.1:8000/1", "http://127.0.0.1:8000/2",
    }  # fmt: skip
    assert take({"css": "b", "attr": "href", "one": "random", "default": "-"}, links) == "-"
    assert take({"css": "a", "one": "random", "match": "(.)$"}, links, draws=1) == "t"


def test_json_values_keep_their_types() -> None:
    answer = json_page({"a": {"b": [1, 2, 3]}, "flag": False, "none": None, "items": [{"id": 1}, {"id": 2}]})
    assert take({"json": "a.b"}, answer) == [1, 2, 3]
    assert take({"json": "a.b", "one": "last"}, answer) == 3
    assert take({"json": "flag"}, answer) is False
    assert take({"json": "items[].id", "all": True}, answer) == [1, 2]
    assert take({"json": "items[].id", "one": "random"}, answer) in (1, 2)
    with pytest.raises(MissingValueError):
        take({"json": "none"}, answer)


def broken(rule: dict[str, Any], answer, scope: dict[str, Any] | None = None, locations: tuple[str, ...] = ()):
    expect = Expect.model_validate(rule)
    return Expectation(expect.status, rules_of(expect, text)).broken(answer, scope or {}, locations)


ANSWER = page("<p id=ok>Nộp hồ sơ\n thành công</p><p>m&#227; h&#7891; s&#417;: H1</p>", url="http://127.0.0.1:8000/done?id=1", X_Kind="a")


@pytest.mark.parametrize(
    "rule",
    [
        {}, {"status": 200}, {"status": ["2xx", 302]}, {"require_text": "Nộp hồ sơ thành công"}, {"require_text": ["{{ code }}", "mã hồ sơ"]},
        {"forbid_text": "Hết phiên"}, {"require_selector": "#ok"}, {"forbid_selector": ".error"}, {"final_url": r"/done\?id=\d"},
        {"redirect_to": "/done"}, {"content_type": "text/html"}, {"content_type": "Text/HTML; Charset=UTF-8"}, {"forbid_status": [401, "5xx"]},
        {"require_selector": {"css": "p", "containing": "thành công"}}, {"require_selector": {"css": "p", "containing": "{{ code }}"}},
        {"require_text": {"text": "NỘP hồ sơ", "ignore_case": True}}, {"require_text": {"text": "Mã Hồ Sơ: {{ code }}", "ignore_case": True}}, {"forbid_text": "nộp hồ sơ"},
        {"forbid_selector": {"css": "#ok", "containing": "{{ code }}"}}, {"final_url": {"matches": "/done", "means": "elsewhere"}}, {"header": {"x-kind": "^a$"}}, {"bytes_min": 10, "bytes_max": 500},
    ],
)  # fmt: skip
def test_rules_that_hold(rule: dict[str, Any]) -> None:
    assert broken(rule, ANSWER, {"code": "H1"}, ("http://127.0.0.1:8000/done?id=1",)) is None


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        ({"status": [302, "4xx"]}, "status 200, expected 302, 4xx"),
        ({"require_text": "thất bại"}, "text 'thất bại'"),
        ({"forbid_text": {"text": "thành công", "means": "too_good"}}, "too_good: no text 'thành công'"),
        ({"forbid_text": "mã hồ sơ"}, "no text 'mã hồ sơ'"),
        ({"require_text": "nộp hồ sơ"}, "text 'nộp hồ sơ'"),
        ({"forbid_text": {"text": "MÃ hồ sơ", "ignore_case": True}}, "no text 'MÃ hồ sơ' in any case"),
        ({"require_selector": "form"}, "selector form"),
        ({"forbid_selector": "#ok"}, "no selector #ok"),
        ({"final_url": "^https"}, "final URL ^https"),
        ({"redirect_to": "/login"}, "redirect to /login"),
        ({"redirect_to": {"matches": "/next", "means": "callback_lost"}}, "callback_lost: redirect to /next"),
        ({"final_url": {"matches": "/receipt", "means": "session_expired"}}, "session_expired: final URL /receipt"),
        ({"forbid_status": {"status": "2xx", "means": "too_good"}}, "too_good: no status 2xx"),
        ({"require_selector": {"css": "p", "containing": "thất bại", "means": "refused"}}, "refused: selector p containing 'thất bại'"),
        ({"forbid_selector": {"css": "p", "containing": "thành công"}}, "no selector p containing 'thành công'"),
        ({"content_type": "application/json"}, "content type application/json"),
        ({"header": {"x-kind": "^b$"}}, "header x-kind like ^b$"),
        ({"bytes_min": 1000}, "at least 1000 bytes"),
        ({"bytes_max": 10}, "at most 10 bytes"),
        ({"json": {"path": "ok", "equals": True}}, "JSON ok equal to True"),
    ],
)
def test_rules_that_do_not_hold_are_named(rule: dict[str, Any], shown: str) -> None:
    assert str(broken(rule, ANSWER)) == shown


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"path": "n", "equals": 3}, True), ({"path": "n", "equals": "3"}, False), ({"path": "n", "above": 2}, True),
        ({"path": "n", "below": 3}, False), ({"path": "s", "matches": "^H"}, True), ({"path": "n", "matches": "3"}, False),
        ({"path": "gone", "present": False}, True), ({"path": "s", "present": True}, True), ({"path": "s", "equals": "{{ code }}"}, True),
    ],
)  # fmt: skip
def test_json_conditions(rule: dict[str, Any], holds: bool) -> None:
    assert (broken({"json": rule}, json_page({"n": 3, "s": "H1"}), {"code": "H1"}) is None) is holds


def test_a_text_that_is_escaped_in_json_is_found() -> None:
    answer = page(b'{"message": "H\\u1ebft phi\\u00ean l\\u00e0m vi\\u1ec7c"}', kind="application/json")
    assert str(broken({"forbid_text": "Hết phiên làm việc"}, answer)) == "no text 'Hết phiên làm việc'"


def test_a_text_in_decomposed_letters_or_another_charset_is_found() -> None:
    import unicodedata

    assert broken({"require_text": "Hết phiên"}, page(unicodedata.normalize("NFD", "<p>Hết phiên</p>"))) is None
    assert broken({"require_text": "café"}, page("<p>café</p>".encode("cp1252"), kind="text/html; charset=windows-1252")) is None
    assert take({"css": "p"}, page("<p>café</p>".encode("cp1252"), kind="text/html; charset=windows-1252")) == "café"


def test_a_forbidden_text_is_found_on_every_page_whatever_was_learned_from_those_before() -> None:
    expect = Expect.model_validate({"forbid_text": [{"text": "Hết phiên"}, {"text": "mã & lỗi"}], "require_selector": "p"})
    expectation = Expectation(expect.status, rules_of(expect, text))
    fine = page("<p>Hết giờ, còn phiên khác; mã lỗi: không. Hết, phiên &amp; mã</p>")
    said = [
        page("<p>Hết\n\t phiên</p>"), page("<p>H&#7871;t phi&ecirc;n</p>"), page("<p>mã &amp; lỗi</p>"),
        page("<p>Hết phiên</p>".encode("utf-16"), kind="text/html; charset=utf-16"),
        page(b'{"p": "H\\u1ebft phi\\u00ean"}', kind="application/json"),
    ]  # fmt: skip
    for _ in range(12):
        assert expectation.broken(fine, {}, ()) is None
        assert all("no text" in str(expectation.broken(each, {}, ())) for each in said)
    assert str(expectation.broken(page("Hồ sơ"), {}, ())) == "selector p"


def test_what_was_looked_for_is_shown_without_secrets_and_not_asked_for_twice() -> None:
    rules = rules_of(Expect.model_validate({"require_text": ["{{ a }}", "mã {{ counter('c') }}", "Hồ sơ"]}), text)
    secret = "pa\\ss'\"w"
    shown = Expectation(["2xx"], rules).shown({"a": f"là {secret}"}, lambda said: said.replace(secret, "•••"))
    assert shown == ("status 2xx", "text '{{ a }}': 'là •••'", "text \"mã {{ counter('c') }}\"", "text 'Hồ sơ'")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=12))
def test_a_text_is_found_wherever_it_stands(wanted: str) -> None:
    import html

    if not composed(wanted).strip():
        with pytest.raises(MissingValueError):
            SoughtText(wanted)
        return
    if not {"<", "&"} & set(wanted):  # these begin markup
        assert page(f"<p>{wanted}</p>").holds(SoughtText(wanted))
    assert page(f"<p>{html.escape(wanted)}</p>").holds(SoughtText(wanted))


@pytest.mark.parametrize(
    ("rule", "seen"),
    [
        ({"require_text": "Hồ sơ {{ code }}"}, ": 'Hồ sơ •••'"),
        ({"require_text": "{{ counter('c') }}-{{ counter('c') }}"}, ": '1-2'"),
        ({"require_selector": {"css": "h1", "containing": "{{ code }}"}}, ": '•••'"),
        ({"final_url": "/receipt"}, "; it is 'http://127.0.0.1:8000/done?id=1'"),
        ({"redirect_to": "/receipt"}, "; it is 'http://127.0.0.1:8000/login'"),
        ({"content_type": "application/json"}, "; it is 'text/html; charset=utf-8'"),
        ({"bytes_max": 3}, "; it is 76"),
        ({"json": {"path": "a", "equals": "{{ code }}"}}, ": '•••'; it is 'the answer is not JSON (Expecting value: line 1 column 1 (char 0))'"),
        ({"require_text": "thất bại"}, ""),
    ],
)  # fmt: skip
def test_a_broken_rule_tells_what_it_sought_and_what_was_there(rule: dict[str, Any], seen: str) -> None:
    visit = VisitContext(1, "r", 0, 0, "s", {}, str, {}.get, lambda: datetime(2026, 11, 22, tzinfo=UTC))
    found = broken(rule, ANSWER, {"code": "H77", CONTEXT: visit}, ("http://127.0.0.1:8000/login",))
    assert found is not None
    assert found.seen(lambda told: told.replace("H77", "•••")) == seen


@pytest.mark.parametrize(
    ("rule", "value", "holds"),
    [
        ("150000", 150000, True), ("150000", "150000", True), (150000, "150000", True), ("150000", 150, False), ("{{ fee }}", 7, True),
        ({"equals": "{{ fee }}"}, "8", False), ({"above": 0}, 3, True), ({"above": 0}, "3", False), ({"matches": "^H"}, "H1", True),
        ({"present": False}, None, True), ({"present": True}, None, False), ({"equals": ["a", "{{ fee }}"]}, ["a", 7], True), (True, True, True),
        ("1", True, False),
    ],
)  # fmt: skip
def test_extracted_values_are_asserted(rule: Any, value: Any, holds: bool) -> None:
    expect = Expect.model_validate({"values": {"x": rule}})
    found = Expectation(expect.status, (), values_of(expect, text)).broken_value({"x": value, "fee": 7}, {"fee": 5})
    assert (found is None) is holds
    if found is not None:
        assert found.seen(str) == f"; it is {value!r}"


@pytest.mark.parametrize(
    ("status", "means", "ours"), [(401, "session_expired", False), (409, "sold_out", True), (503, "down", False), (404, "", False)]
)
def test_a_status_says_what_it_means(status: int, means: str, ours: bool) -> None:
    told = [
        {"status": 401, "means": "session_expired"},
        {"status": [409, 410], "means": "sold_out", "blame": "ours"},
        {"status": "5xx", "means": "down"},
    ]
    found = broken({"forbid_status": told}, page("x", status=status))
    assert found is not None
    assert (found.means, found.ours, found.of_status) == (means, ours, True)


def test_a_wrong_status_still_says_what_the_page_says() -> None:
    found = broken({"forbid_text": {"text": "Hết phiên", "means": "session_expired"}}, page("<p>Hết phiên</p>", status=419))
    assert found is not None
    assert (found.means, found.of_status) == ("session_expired", True)


@pytest.mark.parametrize(
    ("body", "kinds", "target"),
    [
        ('<meta http-equiv="refresh" content="0;url=/x?a=1&amp;b=2">', {"meta"}, "http://127.0.0.1:8000/x?a=1&b=2"),
        ("<META HTTP-EQUIV=Refresh CONTENT=\"3; URL='next'\">", {"meta"}, "http://127.0.0.1:8000/a/next"),
        ("<meta http-equiv=refresh content=30>", {"meta"}, None),
        ("<script>window.location.href = '/x';</script>", {"script"}, "http://127.0.0.1:8000/x"),
        ('<script>top.location.replace("http:\\/\\/127.0.0.1:9\\/y")</script>', {"script"}, "http://127.0.0.1:9/y"),
        ("<script>location='/z\\u0026a'</script>", {"script"}, "http://127.0.0.1:8000/z&a"),
        ("<script>if (location == '/no') { }</script>", {"script"}, None),
        ("<script>window.location.href = '/x';</script>", {"meta"}, None),
    ],
)
def test_pages_that_send_the_browser_on(body: str, kinds: set[str], target: str | None) -> None:
    found = page_redirect(page(body), kinds)
    assert (found.url if found is not None else None) == target
