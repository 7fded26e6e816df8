"""Forms are sent as a browser would send them."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.catalog.profile import Form
from harness.pages.description import describe_page, page_messages
from harness.pages.forms import FilledForm, plain_text, urlencoded
from harness.pages.values import MissingValueError
from harness.profiles.bodies import PageForm
from harness.profiles.functions import FUNCTIONS
from harness.profiles.template import compile_value

from .pages import page


def compiled_value(data):
    return compile_value(data, FUNCTIONS)


EVERYTHING = """<!DOCTYPE html><form id=one action="/next?step=2&amp;p=1" method=POST>
<input type=hidden name=token value="t&amp;1"><input name=text value="chữ"><input name=empty><input name=off value=x disabled>
<input type=checkbox name=ticked value=a checked><input type=checkbox name=ticked value=b><input type=checkbox name=plain>
<input type=radio name=kind value=1><input type=radio name=kind value=2 checked><input type=radio name=later value=7>
<select name=ward><option value="">--</option><option value=w1>Phường Một</option><option value=w2 selected>Phường Hai</option></select>
<select name=first><option>Đầu tiên</option><option value=z>Cuối</option></select>
<select name=many multiple><option value=m1 selected>1<option value=m2>2<option value=m3 selected>3</select>
<textarea name=note>
dòng 1
dòng 2</textarea>
<input type=submit name=go value=Đi><button name=save value=1 formaction="/saved">Lưu</button><input type=image name=pic><input type=reset name=r>
<fieldset disabled><input name=hidden_by_fieldset value=1></fieldset>
</form><input name=outside value=1 form=one><input name=stranger value=1>"""


def filled(rule: dict, html: str = EVERYTHING, scope: dict | None = None, url: str = "http://127.0.0.1:8000/a/b?x=1") -> FilledForm:
    return PageForm(Form.model_validate(rule), compiled_value).fill(page(html, url=url), scope or {}, lambda count: count // 2)


def test_every_present_value_is_sent_and_nothing_else() -> None:
    form = filled({"from_page": "form#one"})
    assert form.action == "http://127.0.0.1:8000/next?step=2&p=1"
    assert (form.method, form.multipart) == ("post", False)
    assert form.entries == [
        ("token", "t&1"), ("text", "chữ"), ("empty", ""), ("ticked", "a"), ("kind", "2"), ("ward", "w2"), ("first", "Đầu tiên"),
        ("many", "m1"), ("many", "m3"), ("note", "dòng 1\ndòng 2"), ("outside", "1"),
    ]  # fmt: skip


def test_values_are_changed_added_and_dropped() -> None:
    rule = {
        "from_page": "form#one",
        "set": {"text": "{{ name }}", "plain": True, "ticked": False, "later": "7", "many": ["m2", "m3"]},
        "add": {"js": "1"},
        "drop": ["empty", "note"],
        "choose": {"ward": {"containing": "Một"}, "first": {"pick": "last"}, "kind": {"pick": "first"}},
        "press": "button[name=save]",
    }
    form = filled(rule, scope={"name": "Nguyễn"})
    assert dict(form.entries) == {
        "token": "t&1", "text": "Nguyễn", "plain": "on", "kind": "1", "later": "7", "ward": "w1", "first": "z", "many": "m3", "js": "1",
        "outside": "1", "save": "1",
    }  # fmt: skip
    assert [value for name, value in form.entries if name == "many"] == ["m2", "m3"]
    assert form.action == "http://127.0.0.1:8000/saved"


@pytest.mark.parametrize(
    "rule",
    [
        {"from_page": "form#two"},
        {"from_page": {"css": "form", "containing": "không có"}},
        {"from_page": "form#one", "set": {"gone": "1"}},
        {"from_page": "form#one", "drop": ["gone"]},
        {"from_page": "form#one", "set_matching": [{"name": "^gone", "value": "1"}]},
        {"from_page": "form#one", "set_matching": [{"css": "[data-x]", "value": "1"}]},
        {"from_page": "form#one", "choose": {"ward": {"containing": "Ba"}}},
        {"from_page": "form#one", "press": "button[name=gone]"},
        {"from_page": "form#one", "set": {"text": "{{ unknown }}"}},
    ],
)
def test_what_the_page_does_not_have_is_missing(rule: dict) -> None:
    with pytest.raises(MissingValueError):
        filled(rule)


def test_one_of_several_forms_by_its_content() -> None:
    html = "<form action=/1><b>Tìm</b><input name=q></form><form action=/2><b>Nộp  hồ sơ</b><input name=q><input name=sid value=9></form>"
    assert filled({"from_page": {"css": "form", "containing": "Nộp hồ sơ"}}, html).action.endswith("/2")
    assert filled({"from_page": {"css": "form", "with_field": "sid"}}, html).action.endswith("/2")


def test_names_that_the_page_makes_up() -> None:
    html = "<form><input name=f_91ab_name data-f=name><input name=f_91ab_mail data-f=mail><input name=website></form>"
    rule = {
        "from_page": "form",
        "set_matching": [{"name": "_name$", "value": "An"}, {"css": "[data-f=mail]", "value": "a@example.invalid"}],
    }
    assert filled(rule, html).entries == [("f_91ab_name", "An"), ("f_91ab_mail", "a@example.invalid"), ("website", "")]


def test_a_tick_belongs_to_the_box_and_not_to_the_hidden_field_beside_it() -> None:
    html = "<form><input type=checkbox name=Agree value=true><input type=hidden name=Agree value=false></form>"
    assert filled({"from_page": "form", "set": {"Agree": True}}, html).entries == [("Agree", "true"), ("Agree", "false")]
    assert filled({"from_page": "form", "set": {"Agree": False}}, html).entries == [("Agree", "false")]
    assert filled({"from_page": "form", "set": {"Agree": "maybe"}}, html).entries == [("Agree", "maybe")]


def test_a_form_between_table_rows_keeps_its_fields() -> None:
    html = "<table><form id=t action=/t><tr><td><input name=a value=1></td></tr><tr><td><input name=b value=2></td></tr></form></table>"
    assert filled({"from_page": "form#t"}, html).entries == [("a", "1"), ("b", "2")]


@pytest.mark.parametrize(
    ("html", "action"),
    [
        ("<form>", "http://127.0.0.1:8000/a/b?x=1"),
        ("<form action=''>", "http://127.0.0.1:8000/a/b?x=1"),
        ("<form action='c'>", "http://127.0.0.1:8000/a/c"),
        ("<form action='?y=2'>", "http://127.0.0.1:8000/a/b?y=2"),
        ("<form action='../c'>", "http://127.0.0.1:8000/c"),
        ("<form action='//127.0.0.1:9/c'>", "http://127.0.0.1:9/c"),
        ("<form action='https://127.0.0.1:9/c#top'>", "https://127.0.0.1:9/c"),
        ("<base href='/sub/'><form action='c'>", "http://127.0.0.1:8000/sub/c"),
        ("<form action='/hồ sơ?tên=é'>", "http://127.0.0.1:8000/h%E1%BB%93%20s%C6%A1?t%C3%AAn=%C3%A9"),
    ],
)
def test_the_action_is_resolved_against_the_page(html: str, action: str) -> None:
    assert filled({"from_page": "form"}, html).action == action


@given(st.lists(st.tuples(st.text(max_size=8), st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20))))
def test_urlencoding_loses_nothing(entries: list[tuple[str, str]]) -> None:
    entries = [(re.sub(r"[\r\n\ud800-\udfff]", "", name), value) for name, value in entries]
    assert (
        parse_qsl(urlencoded(entries).decode(), keep_blank_values=True) == [item for item in entries if item != ("", "")]
        or ("", "") in entries
    )


def test_values_are_spelled_as_browsers_spell_them() -> None:
    assert (
        urlencoded([("tên đầy đủ", "a*b-c.d_e ~(é)&=+%")])
        == b"t%C3%AAn+%C4%91%E1%BA%A7y+%C4%91%E1%BB%A7=a*b-c.d_e+%7E%28%C3%A9%29%26%3D%2B%25"
    )


def test_a_form_is_shown_with_what_it_would_send() -> None:
    html = """<form id=f method=post action=/a><input name=n value=x><input type=radio name=r value=1><input type=radio name=r value=2 checked>
    <input type=checkbox name=c><input type=file name=d><select name=s multiple><option selected>1<option selected>2</select></form>"""
    assert "form#f POST /a: n='x', r='2', c, d, s='1'+'2'" in describe_page(page(html))


def test_of_two_checked_radio_buttons_the_last_is_sent() -> None:
    html = "<form id=f><input type=radio name=r value=1 checked><input name=n value=x><input type=RADIO name=r value=2 checked></form>"
    assert filled({"from_page": "form#f"}, html).entries == [("n", "x"), ("r", "2")]
    assert filled({"from_page": "form#f", "set": {"r": "1"}}, html).entries == [("r", "1"), ("n", "x")]
    assert filled({"from_page": "form#f", "set": {"r": False}}, html).entries == [("n", "x")]


def test_an_input_of_no_known_type_is_one_of_text() -> None:
    html = "<form id=f><input type=textarea name=t value=a><input type=SELECT name=s value=b><input type=select-multiple name=m value=c></form>"
    assert filled({"from_page": "form#f"}, html).entries == [("t", "a"), ("s", "b"), ("m", "c")]


def test_of_forms_that_share_an_id_the_first_is_meant() -> None:
    html = "<form id=g><input name=a value=0></form><form id=f><input name=a value=1></form><form id=f><input name=a value=2></form>"
    assert filled({"from_page": "form#f"}, html).entries == [("a", "1")]
    with pytest.raises(MissingValueError, match="no form form#h"):
        filled({"from_page": "form#h"}, html)


def test_line_ends_are_a_browsers() -> None:
    assert urlencoded([("a", "1\n2\r\n3")]) == b"a=1%0D%0A2%0D%0A3"


@pytest.mark.parametrize("values", [{"ward": "w9"}, {"ward": ["w1", "w9"]}, {"kind": "3"}, {"many": ["m1", "m9"]}, {"first": "Cuối"}])
def test_a_value_that_the_page_does_not_offer_cannot_be_chosen(values: dict) -> None:
    with pytest.raises(MissingValueError, match=r"does not offer '(w9|3|m9|Cuối)', only "):
        filled({"from_page": "form#one", "set": values})


def test_a_value_that_the_page_offers_is_sent_the_empty_one_too() -> None:
    rule = {"from_page": "form#one", "set": {"ward": "", "first": "z", "kind": 1, "many": []}}
    entries = filled(rule).entries
    assert [value for name, value in entries if name in ("ward", "first", "kind", "many")] == ["1", "", "z"]


def test_an_option_that_scripts_make_is_added_in_place_of_the_list() -> None:
    rule = {"from_page": "form#one", "drop": ["ward"], "add": {"ward": "w9"}}
    assert [entry for entry in filled(rule).entries if entry[0] == "ward"] == [("ward", "w9")]


def test_names_of_fields_come_from_the_page() -> None:
    html = "<form id=cau-hoi><input name=1-question_1 value=a><input name=7-question_1><select name=7-kind><option>x<option>y</select><input name=7-gone></form>"
    rule = {
        "from_page": {"css": "form", "with_field": "{{ position }}-question_1"},
        "set": {"{{ position }}-question_1": "Có"}, "choose": {"{{ position }}-kind": {"pick": "last"}},
        "add": {"{{ position }}-js": "1"}, "drop": ["{{ position }}-gone"],
    }  # fmt: skip
    assert filled(rule, html, {"position": 7}).entries == [("1-question_1", "a"), ("7-question_1", "Có"), ("7-kind", "y"), ("7-js", "1")]
    with pytest.raises(MissingValueError, match="`position` is not known"):
        filled(rule, html)
    with pytest.raises(MissingValueError, match="two names are alike among 1-question_1"):
        filled({"from_page": "form", "set": {"{{ a }}-question_1": "x", "1-question_1": "y"}}, html, {"a": 1})


def test_what_a_page_says_of_a_failure_is_shown_once_and_only_where_it_can_be_read() -> None:
    html = """<div class="alert alert-danger">  Số giấy tờ <b>không</b> hợp lệ </div><div role=alert>Số giấy tờ không hợp lệ</div>
    <div class=validation-summary-errors><ul><li>Họ tên bắt buộc</li></ul></div><div class=alert hidden>Ẩn</div>
    <p class=invalid-feedback style="display: none">Ẩn nữa</p><div class=error-summary></div><p>Trang</p>"""
    assert page_messages(page(html)) == ["Số giấy tờ không hợp lệ", "Họ tên bắt buộc"]
    assert page_messages(page(b'{"alert": "x"}', kind="application/json")) == []


def sent(controls: str, press: str | None = None, attributes: str = "", around: str = "{}") -> list[tuple[str, str | None]]:
    rule = {"from_page": "#f"} | ({"press": press} if press else {})
    return filled(rule, around.format(f"<form id=f {attributes}>{controls}</form>")).entries


@pytest.mark.parametrize(
    ("controls", "press", "entries"),
    [
        # the steps of "constructing the entry list"; a browser's bytes are in test_as_chromium.py
        ("<datalist><input name=a></datalist><input name=b>", None, [("b", "")]),
        ("<fieldset disabled><legend><input name=a></legend><legend><input name=b></legend><button name=c></button></fieldset>", None, [("a", "")]),
        ("<button name=a value=1>x</button><input name=b><input type=submit name=c value=3>", "[name=c]", [("b", ""), ("c", "3")]),
        ("<input name=b><button name=a value=1>x</button><input name=d>", "button", [("b", ""), ("a", "1"), ("d", "")]),
        ("<input type=checkbox name=a checked><input type=checkbox name=b value=2><input type=radio name=c>", None, [("a", "on")]),
        ("<input type=radio name=a value=1 checked><input type=radio name=a value=2 checked disabled>", None, []),
        ("<input type=image name=a value=1>", "input", [("a.x", "0"), ("a.y", "0")]),
        ("<input type=image>", "input", [("x", "0"), ("y", "0")]),
        ("<input><input name=''><textarea></textarea><select><option>1</select>", None, []),
        ("<select name=a size=4><option>1</select><select name=b><option disabled>1<option>2</select>", None, [("b", "2")]),
        ("<select name=a><optgroup disabled><option>1</optgroup></select><select name=b multiple><option>1</select>", None, []),
        ("<select name=a><option selected>1<option selected>2</select><select name=b><option>1<option selected disabled>2</select>", None, [("a", "2")]),
        ("<select name=a><option> Phường\n một\xa0<b>x</b> </select>", None, [("a", "Phường một\xa0x")]),
        ("<input type=file name='tệp[]'><input name=b>", None, [("tệp[]", None), ("b", "")]),
        ("<input type=hidden name=_charset_ value=x><input name=_charset_ value=y>", None, [("_charset_", "UTF-8"), ("_charset_", "y")]),
        ("<textarea name=a>\n\nx</textarea>", None, [("a", "\nx")]),
        ("<input name=a value='x&#10;y'><input type=hidden name=b value='x&#10;y'>", None, [("a", "xy"), ("b", "x\ny")]),
        ("<input type=number name=a value=x><input type=range name=b><input type=color name=c><input type=date name=d value=1/2/1990>", None,
         [("a", ""), ("b", "50"), ("c", "#000000"), ("d", "")]),
        ("<input type=email name=a value=' a@b '><input type=url name=b value=' x '>", None, [("a", "a@b"), ("b", "x")]),
        ("<input name=a value=x dirname=b><p dir=rtl><textarea name=c dirname=d></textarea>", None, [("a", "x"), ("b", "ltr"), ("c", ""), ("d", "rtl")]),
        ("<noscript><input name=a></noscript><template><input name=b></template><object name=c></object><input name=isindex>", None, [("isindex", "")]),
    ],
)  # fmt: skip
def test_the_entry_list(controls: str, press: str | None, entries: list[tuple[str, str | None]]) -> None:
    assert sent(controls, press) == entries


@pytest.mark.parametrize(
    ("html", "names"),
    [
        ("<form id=f><input name=a></form><input name=b form=f><input name=c form=g><input name=d>", "ab"),
        ("<form id=f><input name=a><input name=b form><input name=c form=g></form><form id=g></form>", "a"),
        ("<table><form id=f><tr><td><input name=a></td></tr></form></table><input name=b>", "a"),
        ("<table><form id=f><tr><td><input name=a></td></tr></table><input name=b>", "ab"),
        ("<table><form id=f></form><form id=g><tr><td><input name=a></td></tr></form></table>", ""),
        (
            "<div><form id=f><input name=a></div><script>'</form>'</script><!-- </form> --><p title='</form>'><input name=b></form><input name=c>",
            "ab",
        ),
        ("<form id=f><div><input name=a></form><input name=b></div><input name=c>", "ab"),
        ("<form id=f><input name=a><form id=g><input name=b></form><input name=c></form>", "ab"),
        ("<form id=g><div></form><p><form id=f><input name=a></p><input name=b></form><input name=c></div>", "ab"),
        ("<p id=f><form id=g></form><form class=c id=f><input name=a></form><input name=b form=f>", "a"),
    ],
)
def test_the_owner_of_a_control(html: str, names: str) -> None:
    form = "form.c" if "class=c" in html else "form#f"
    assert "".join(name for name, _ in filled({"from_page": form}, html).entries) == names


def test_a_button_is_looked_for_where_fields_are() -> None:
    rows = (
        "<table><form id=f><tr><td><input name=a><input name=b id=b></td></tr><tr><td><button name=go>x</button></td></tr></form></table>"
    )
    rule = {"from_page": {"css": "form", "with_field": "a"}, "press": "button", "set_matching": [{"css": "#b", "value": "2"}]}
    assert filled(rule, rows).entries == [("a", ""), ("b", "2"), ("go", "")]


@pytest.mark.parametrize(
    ("html", "message"),
    [
        ("<form id=f><button type=button id=b>x</button></form>", "not a submit button"),
        ("<form id=f><input id=b></form>", "not a submit button"),
        ("<form id=f></form><button id=b>x</button>", "no button #b"),
        ("<form id=f><button id=b disabled>x</button></form>", "is disabled"),
        ("<form id=f><fieldset disabled><button id=b>x</button></fieldset></form>", "is disabled"),
        ("<div id=f><form><button id=b>x</button></form></div>", "is <div>, not a form"),
        ("<form id=f method=dialog><button id=b>x</button></form>", "dialog"),
        ("<form id=f><button id=b formmethod=dialog>x</button></form>", "dialog"),
    ],
)
def test_what_a_browser_does_not_send(html: str, message: str) -> None:
    with pytest.raises(MissingValueError, match=message):
        filled({"from_page": "#f", "press": "#b"}, html)


@pytest.mark.parametrize(
    ("form", "button", "result"),
    [
        ("", "", ("get", "application/x-www-form-urlencoded")),
        ("method=put enctype=x", "", ("get", "application/x-www-form-urlencoded")),
        ("method=POST enctype=Text/Plain", "", ("post", "text/plain")),
        ("method=post enctype=multipart/form-data", "formmethod formenctype=x", ("get", "application/x-www-form-urlencoded")),
        ("", "formmethod=post formenctype=multipart/form-data formtarget=x formnovalidate", ("post", "multipart/form-data")),
    ],
)
def test_method_and_encoding(form: str, button: str, result: tuple[str, str]) -> None:
    found = filled({"from_page": "form", "press": "button"}, f"<form {form}><button {button}>x</button></form>")
    assert (found.method, found.enctype) == result


def test_letters_that_an_encoding_lacks() -> None:
    entries = [("Đ", "Ngô ắ\n")]
    assert urlencoded(entries, "windows-1258") == b"%D0=Ng%F4+%26%237855%3B%0D%0A"
    assert plain_text(entries, "windows-1258") == b"\xd0=Ng\xf4 &#7855;\r\n\r\n"
    found = filled({"from_page": "form"}, "<form accept-charset='x, windows-1258'><input type=hidden name=_charset_></form>")
    assert (found.encoding, found.entries) == ("windows-1258", [("_charset_", "windows-1258")])
    assert filled({"from_page": "form"}, "<form accept-charset=utf-16><input type=hidden name=_charset_></form>").values == {
        "_charset_": "UTF-8"
    }


def test_the_query_of_an_action_is_in_the_encoding_of_the_page() -> None:
    legacy = page("<form action='/Đ?Đ=ắ#Đ'>".encode("windows-1258", "xmlcharrefreplace"), kind="text/html; charset=windows-1258")
    form = PageForm(Form.model_validate({"from_page": "form"}), compiled_value).fill(legacy, {}, lambda _: 0)
    assert form.action == "http://127.0.0.1:8000/%C4%90?%D0=%26%237855%3B"


@pytest.mark.parametrize(
    ("controls", "values", "said"),
    [
        ("<input type=date name=a>", {"a": "31/12/2025"}, "of type date cannot hold '31/12/2025', only YYYY-MM-DD"),
        ("<input type=number name=a>", {"a": "1,5"}, "of type number cannot hold '1,5'"),
        ("<input type=month name=a>", {"a": "12/2025"}, "only YYYY-MM"),
        ("<input type=time name=a>", {"a": "8:30"}, "only hh:mm"),
        ("<input type=datetime-local name=a>", {"a": "2025-12-31"}, "only YYYY-MM-DDThh:mm"),
        ("<input type=range name=a max=10>", {"a": "11"}, "only a value such as 10"),
        ("<input type=color name=a>", {"a": "red"}, "only a value such as #000000"),
        ("<input type=file name=a>", {"a": "x.pdf"}, "takes files; name them under `files`"),
        ("<select name=a><option>1<option>2</select>", {"a": ["1", "2"]}, "takes 1 of its values, not 2"),
        ("<input type=radio name=a value=1><input type=radio name=a value=2>", {"a": ["1", "2"]}, "takes 1 of its values, not 2"),
        ("<input type=radio name=a value=1><input type=radio name=a value=2>", {"a": True}, "has 2 boxes; name those that are meant: '1', '2'"),
        ("<input type=checkbox name=a value=1><input type=checkbox name=a value=2>", {"a": True}, "has 2 boxes"),
        ("<input type=checkbox name=a value=1>", {"a": "on"}, "does not offer 'on', only '1'"),
        ("<input type=checkbox name=a value=1><input type=checkbox name=a value=2>", {"a": ["1", "9"]}, "does not offer '9'"),
    ],
)  # fmt: skip
def test_a_value_that_a_citizen_could_not_enter(controls: str, values: dict, said: str) -> None:
    form = PageForm(Form.model_validate({"from_page": "form", "set": values}), compiled_value)
    with pytest.raises(MissingValueError, match=re.escape(said)):
        form.fill(page(f"<form>{controls}</form>"), {}, lambda _: 0)


@pytest.mark.parametrize(
    ("controls", "values", "sent"),
    [
        ("<input type=date name=a>", {"a": "2025-12-31"}, "a=2025-12-31"), ("<input type=date name=a value=2025-12-31>", {"a": ""}, "a="),
        ("<input type=datetime-local name=a>", {"a": "2025-12-31 08:30:00"}, "a=2025-12-31T08%3A30"), ("<input type=color name=a>", {"a": "#FF0000"}, "a=%23ff0000"),
        ("<input name=a>", {"a": "x\r\ny"}, "a=xy"), ("<input type=email name=a>", {"a": " a@b "}, "a=a%40b"), ("<input type=hidden name=a>", {"a": "x\ny"}, "a=x%0D%0Ay"),
        ("<select multiple name=a><option>1<option>2</select>", {"a": ["2", "1"]}, "a=2&a=1"), ("<input type=checkbox name=a value=1>", {"a": "1"}, "a=1"),
        ("<input type=checkbox name=a value=1><input type=checkbox name=a value=2>", {"a": ["2"]}, "a=2"),
        ("<input type=checkbox name=a value=1><input type=checkbox name=a value=2>", {"a": False}, ""), ("<input type=checkbox name=a>", {"a": True}, "a=on"),
        ("<input type=hidden name=a value=0><input type=checkbox name=a value=1>", {"a": True}, "a=0&a=1"), ("<input type=number name=a>", {"a": 7}, "a=7"),
    ],
)  # fmt: skip
def test_a_value_as_the_field_holds_it(controls: str, values: dict, sent: str) -> None:
    form = PageForm(Form.model_validate({"from_page": "form", "set": values}), compiled_value)
    assert urlencoded(form.fill(page(f"<form>{controls}</form>"), {}, lambda _: 0).entries).decode() == sent
