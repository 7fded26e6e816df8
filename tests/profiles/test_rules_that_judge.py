"""A profile that validates judges: rules that nothing can break, and keys that would do nothing, are refused with their line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.catalog.answer_rules import Expect
from harness.catalog.profile import Extract
from harness.pages.values import MissingValueError
from harness.profiles.expectation import Expectation, rules_of, values_of
from harness.profiles.extraction import Extractor
from harness.profiles.functions import FUNCTIONS
from harness.profiles.template import compile_value
from tests.pages.pages import json_page, page
from tests.profiles.test_scope import PROFILE, SUBMIT, compiled, the_problem


@pytest.mark.parametrize(
    ("more", "key", "expected"),
    [
        ('expect: {require_text: ""}', "expect.require_text.0.text", "a text that can be seen"),
        ('expect: {require_text: " \\t"}', "expect.require_text.0.text", "a text that can be seen"),
        ('expect: {forbid_text: "\\u00ad\\u200b"}', "expect.forbid_text.0.text", "a text that can be seen"),
        ('expect: {require_selector: {css: td, containing: ""}}', "expect.require_selector.0.containing", "a text that can be seen"),
        ("expect: {require_text: []}", "expect.require_text", "at least 1 item"),
        ("expect: {forbid_selector: []}", "expect.forbid_selector", "at least 1 item"),
        ("expect: {status: []}", "expect.status", "at least 1 item"),
        ("expect: {json: []}", "expect.json", "at least 1 item"),
        ("expect: {status: '200'}", "expect.status.0", "without quotation marks"),
        ("expect: {final_url: '.*'}", "expect", "matches all"),
        ("expect: {require_selector: body}", "expect", "any HTML page has body"),
        ("expect: {require_selector: ['h1', {css: '*'}]}", "expect", "any HTML page has *"),
        ("expect: {content_type: ''}", "expect.content_type", "a text that can be seen"),
        ("expect: {bytes_min: 10, bytes_max: 5}", "expect", "no answer is both"),
        ("expect: {json: {path: 'count(a)', above: 0}}", "expect.json.0.path", "there is no function count, only abs"),
        ("expect: {json: {path: 'length(a, b)', above: 0}}", "expect.json.0.path", "length takes 1 values, not 2"),
        ("expect: {json: {path: 'a[?starts_with(b)]', present: true}}", "expect.json.0.path", "starts_with takes 2 values, not 1"),
        ("poll: {until: {require_text: []}}", "poll.until.require_text", "at least 1 item"),
        ("poll: {until: {bytes_min: 0}}", "poll", "an empty one holds at once"),
        ("poll: {until: {status: 2xx}}", "", "this one holds at once"),
        ("only_if: fee", "only_if", "any other text is always true"),
        ("skip_if: 'false'", "skip_if", "any other text is always true"),
        ("skip_if: '{{ code }}{{ code }}'", "skip_if", "any other text is always true"),
        ("repeat: {over: code}", "repeat.over", "whose value is a list|its value is a list"),
        ("repeat: {over: '{{ code }}'}", "repeat.over", "a list; code is a text"),
        ("content_type: application/json", "", "they have their own"),
        ("let: {a: '{{ b }}', b: '1'}", "let.a", "b is set only here, and later"),
        ("let: {a: '{{ a }}x'}", "let.a", "a is set only here, by itself"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_judge_is_refused(tmp_path: Path, more: str, key: str, expected: str) -> None:
    problem = the_problem(tmp_path, PROFILE.replace("# MORE", more))
    assert problem.key == f"{SUBMIT}.{key}".rstrip(".")
    assert any(each in problem.expected for each in expected.split("|")), problem.expected
    assert problem.line in (19, 21)


@pytest.mark.parametrize(
    "body", ["json: {a: 1}", "fields: {a: '1'}", "body: a", "upload: {type: pdf}", "empty: true", "files: [{name: f}]"]
)
def test_a_body_that_a_get_would_not_send_is_refused(tmp_path: Path, body: str) -> None:
    problem = the_problem(tmp_path, PROFILE.replace("extract: {code: {css: b}}", f"{body}\n            extract: {{code: {{css: b}}}}"))
    assert "no body with `get`" in problem.expected


@pytest.mark.parametrize(
    "more",
    [
        'expect: {require_text: "{{ code }}", final_url: "/nop$", bytes_min: 5, json: {path: "max_by(a, &b).c", present: true}}',
        'expect: {status: [200, 202], json: {path: "merge(a, b, c)", present: true}}', "only_if: ' {{ above(code, 0) }} '",
        "poll: {until: {status: 200}}", "poll: {until: {status: 2xx, require_text: a}}", "let: {a: '1', b: '{{ a }}', fee: '{{ fee }}0'}",
        "let: {ids: ['1', '2']}\n            repeat: {over: '{{ ids }}'}",
    ],
)  # fmt: skip
def test_rules_that_can_judge_are_taken(tmp_path: Path, more: str) -> None:
    assert compiled(tmp_path, PROFILE.replace("# MORE", more)).goals


def text(source: Any) -> Any:
    return compile_value(source, FUNCTIONS)


def broken(rule: dict[str, Any], answer: Any, **scope: Any) -> str:
    expect = Expect.model_validate(rule)
    found = Expectation(expect.status, rules_of(expect, text), values_of(expect, text)).broken(answer, scope, ())
    return "" if found is None else f"{found}{found.seen(str)}"


@pytest.mark.parametrize(
    ("data", "rule", "holds"),
    [
        (True, {"equals": True}, True), (1, {"equals": True}, False), (True, {"equals": 1}, False), (0, {"equals": False}, False),
        (1, {"equals": 1.0}, True), ("1", {"equals": 1}, False), (True, {"above": 0}, False), (False, {"below": 1}, False),
        (2, {"above": 0}, True), ("2", {"above": 0}, False), (None, {"equals": None}, True),
    ],
)  # fmt: skip
def test_true_is_no_number_in_json(data: Any, rule: dict[str, Any], holds: bool) -> None:
    assert (not broken({"json": {"path": "a", **rule}}, json_page({"a": data}))) is holds


def test_a_function_that_cannot_take_what_the_answer_holds_breaks_the_rule() -> None:
    answer = json_page({"a": "x"})
    assert "In function abs(), invalid type" in broken({"json": {"path": "abs(a)", "above": 0}}, answer)
    with pytest.raises(MissingValueError, match="invalid type for value: x"):
        Extractor("v", Extract.model_validate({"json": "abs(a)"}), text).value(answer, {}, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("empty", ["", " ", "\u00ad"])
@pytest.mark.parametrize("rule", [{"require_text": "{{ a }}"}, {"forbid_text": "{{ a }}"}])
def test_a_text_that_turns_out_empty_is_not_looked_for(rule: dict[str, Any], empty: str) -> None:
    with pytest.raises(MissingValueError, match="the text to look for is empty"):
        broken(rule, page("<p>x</p>"), a=empty)


def test_an_element_is_not_chosen_by_an_empty_text() -> None:
    rows = page("<tr><td>1<td>a<tr><td>2<td>b")
    for rule in ({"css": "td", "containing": "{{ a }}"}, {"css": "td", "within": {"css": "td", "containing": "{{ a }}"}}):
        with pytest.raises(MissingValueError, match="empty"):
            Extractor("v", Extract.model_validate(rule), text).value(rows, {"a": ""}, None)  # type: ignore[arg-type]


def test_signs_of_comments_are_sent_as_they_are() -> None:
    assert text("{# a #}").value({}) == "{# a #}"
    assert text("{{ a }}{# b #}").value({"a": "1"}) == "1{# b #}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("{{ origin.portal }}/nop", "{{ origin.portal }}nop", "a slash after the origin"),
        ("{{ origin.portal }}/nop", " ", "a slash after the origin"),
        ('receipt: {code: "{{ receipt }}"}', "receipt: {code: ' '}", "the code of what was acknowledged"),
        ('confirms: {code: "{{ receipt }}"}', 'confirms: {code: ""}', "the code of what was acknowledged"),
        ("# MORE", "headers: {Host: a}", "this one is made for each request"),
        ("# MORE", "headers: {content-length: '5'}", "this one is made for each request"),
        ("# MORE", "headers: {X Y: a}", "letters, digits and hyphens"),
    ],
)
def test_addresses_and_headers_that_cannot_be_sent_are_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert expected in the_problem(tmp_path, PROFILE.replace(old, new)).expected


@pytest.mark.parametrize(
    ("markup", "kind", "value"),
    [
        ("<b>150</b>.000 đ", "number", 150_000), ("<b>12</b><script>7</script><i hidden>8</i>", "int", 12), ("150.000&nbsp;<span>đ</span><br>", "number", 150_000),
        ("5<br>7", "number", "2 numbers"), ("5<br>7", "int", "not a whole number"), ("<li>1</li><li>2</li>", "int", "not a whole number"),
    ],
)  # fmt: skip
def test_a_number_is_read_as_it_is_shown(markup: str, kind: str, value: float | str) -> None:
    extractor = Extractor("v", Extract.model_validate({"css": "#a", "as": kind}), text)
    answer = page(f"<div id=a>{markup}</div>")
    if isinstance(value, str):
        with pytest.raises(MissingValueError, match=value):
            extractor.value(answer, {}, None)  # type: ignore[arg-type]
    else:
        assert extractor.value(answer, {}, None) == value  # type: ignore[arg-type]


def test_html_in_json_is_read_as_it_is_shown() -> None:
    answer = json_page({"html": "<p><b>Nộp</b> hồ sơ<br>thành công</p><!-- lỗi nặng -->", "plain": "a < b"})
    assert not broken({"require_text": ["Nộp hồ sơ thành công", "a < b"]}, answer)
    assert broken({"forbid_text": "hồ sơ thành công"}, answer)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ hmac('k', fee, 'sha3') }}", "hmac: digest 'sha3' cannot be used"), ("{{ hmac_fields('k', fee, digest='x') }}", "digest 'x' cannot be used"),
        ("{{ match('(a', fee) }}", "match: pattern '(a' cannot be used"), ("{{ number(fee, ';') }}", "a decimal separator is ',' or '.'"),
        ("{{ random_digits(0) }}", "at least 1 is needed"), ("{{ random_hex(count=0) }}", "at least 1 is needed"),
    ],
)  # fmt: skip
def test_an_argument_that_no_visit_could_use_is_refused(tmp_path: Path, template: str, expected: str) -> None:
    assert expected in the_problem(tmp_path, PROFILE.replace("# MORE", f'headers: {{X: "{template}"}}')).expected
