"""Answers that are too much work are refused by a bound that names itself; what portals send is far below."""

from __future__ import annotations

import pytest

from harness.client import Exchange, Headers
from harness.pages import MissingValueError, Page
from harness.pages.bounds import (
    ATTRIBUTES,
    DEPTH,
    JSON_VALUES,
    OPTIONS,
    REFERENCES,
    REFERENCES_OF_HTML,
    TAGS,
    TAGS_IN_XML,
    TAGS_OF_XML,
    TEXT_BYTES,
)

HTML, JSON, XML = "text/html; charset=utf-8", "application/json", "text/xml"
COMMUNES = b"<select name=xa>" + b"".join(b'<option value="%d">X\xc3\xa3 %d</option>' % (n, n) for n in range(3_321)) + b"</select>"


def page(body: bytes, kind: str = HTML) -> Page:
    return Page(
        Exchange("GET", "http://127.0.0.1:1/", "http://127.0.0.1:1", status=200, headers=Headers([("Content-Type", kind)]), body=body)
    )


@pytest.mark.parametrize(
    ("body", "kind", "bound"),
    [
        (b"<p>" + b"x" * TEXT_BYTES, HTML, f"a text of more than {TEXT_BYTES} bytes"),
        (b"x" * (TEXT_BYTES + 1), "text/plain", f"a text of more than {TEXT_BYTES} bytes"),
        (b"<a>" * (TAGS + 1), HTML, f"a page of more than {TAGS} tags"),
        (b"<p>" + b"&a" * (REFERENCES_OF_HTML + 1), HTML, f"a page of more than {REFERENCES_OF_HTML} references"),
        (b"<div>" * (DEPTH + 1) + b"x" * 70_000, HTML, f"elements more than {DEPTH} deep"),
        (b"<script>'</div>'</script><!-- </div> --><div>" * 1_000, HTML, f"elements more than {DEPTH} deep"),
        (b"<select>" + b"<option>a" * (OPTIONS + 1), HTML, f"a page of more than {OPTIONS} options"),
        (b"<a " + b" ".join(b"a%d=x" % n for n in range(ATTRIBUTES + 1)) + b"x" * 4_096 + b">", HTML, f"an element of more than {ATTRIBUTES} attributes"),
        (b"<a>" + b"<b/>" * TAGS_OF_XML + b"</a>", XML, f"XML of more than {TAGS_OF_XML} tags"),
        (b"<a><![CDATA[" + b"<br>" * TAGS_IN_XML + b"]]></a>", XML, f"XML with more than {TAGS_IN_XML} tags in all"),
        (b"<b>" * (DEPTH + 1), XML, f"elements more than {DEPTH} deep"),
        (b"<a>" + b"&agrave;" * (REFERENCES + 1) + b"</a>", XML, f"XML with more than {REFERENCES} references"),
        (b"[" + b"1," * JSON_VALUES + b"1]", JSON, f"JSON of more than {JSON_VALUES} values"),
        (b"[" + b"1," * JSON_VALUES + b"1]", HTML, f"JSON of more than {JSON_VALUES} values"),
        (b'["' + b"&" * (REFERENCES + 1) + b'"]', JSON, f"JSON with more than {REFERENCES} references"),
    ],
)  # fmt: skip
def test_an_answer_beyond_a_bound_is_not_read(body: bytes, kind: str, bound: str) -> None:
    assert page(body, kind).beyond_bounds == bound


@pytest.mark.parametrize(
    ("body", "kind", "selector", "found"),
    [
        (COMMUNES, HTML, "option", 3_321),
        (b"<table>" + b"<tr><td>a<td><a href=x>b</a></tr>" * 5_000, HTML, "tr", 5_000),
        (b"<p>a<br>" * 3_000, HTML, "p", 3_000),
        (b"<script>" + b"for (i = 0; i <n; i++) { a = b + c; } " * 400 + b"</script><p>", HTML, "p", 1),
        (b"<!--" + b" a <b c" * 2_000 + b"--><p>", HTML, "p", 1),
        (b'<input type=hidden value="' + b"/wEPDw UKL = " * 100_000 + b'"><p>', HTML, "p", 1),
        (b"<svg>" + b'<path d="M0 0"/>' * 1_000 + b"</svg><p>", HTML, "path", 1_000),
        (b"<a>" + b"<b/>" * 2_000 + b"</a>", XML, "b", 2_000),
        (b"<a><b/><![CDATA[" + b"<tr><td>x" * 4_000 + b"]]></a>", XML, "b", 1),
    ],
)
def test_what_portals_send_is_read_whole_large_or_not(body: bytes, kind: str, selector: str, found: int) -> None:
    answer = page(body, kind)
    assert answer.beyond_bounds == ""
    assert len(answer.nodes(selector)) == found


def test_a_download_is_bounded_by_the_client_alone() -> None:
    assert page(b"%PDF-" + b"<" * TAGS * 2 + b"x" * TEXT_BYTES, "application/pdf").beyond_bounds == ""


def test_half_a_character_is_no_json() -> None:
    with pytest.raises(MissingValueError, match="not JSON"):
        _ = page(b'{"ma": "\\ud800"}', JSON).json
    assert page(b'{"ma": "\\ud83d\\ude00"}', JSON).json == {"ma": "\U0001f600"}
