"""How much work one answer may be. Beyond a bound it is not read: that is the portal's failure, and no other portal waits for it.

Each bound is far above what pages of portals hold, and keeps what is done at once with an answer near 20 ms
(``python -m benches.answers``). Larger pages within the bounds are parsed in a thread, while other citizens go on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from gevent import get_hub

Result = TypeVar("Result")

TEXT_BYTES = 4_194_304
"""Of a page, of JSON or XML. Assumed: pages with a large ASP.NET view state have 1 to 2 MiB."""
TAGS = 40_000
"""Of HTML, opening and closing. Assumed: a table of a thousand lines has half of it; reading all texts takes 1 µs for each."""
TAGS_OF_XML = 3_000
"""Outside CDATA. Assumed: a partial response has a dozen; a tree of XML takes 5 µs for each."""
TAGS_IN_XML = 10_000
"""With what CDATA holds. Assumed: a partial response replaces one form or table."""
DEPTH = 256
"""Open elements inside one another; Chromium stops at 512. The parser looks through all open elements at each new one."""
OPTIONS = 5_000
"""Of all lists of choices: Viet Nam has 3,321 communes. The parser looks through all options of a list at each new one."""
ATTRIBUTES = 500
"""Of one element. Assumed: none has a tenth; the parser compares each with all before it."""
JSON_VALUES = 100_000
"""Assumed: all 6,300 national procedures with ten fields each have less. 0.2 µs for each."""
REFERENCES_OF_HTML = 200_000
"""``&`` in HTML. Assumed: a table of 40,000 cells has one ``&nbsp;`` in each; the parser resolves 2 million in 27 ms
(``benches.answers``), longer than others should wait."""
REFERENCES = 5_000
"""``&`` in JSON and XML, whose named characters Python resolves in 2 µs each."""

_LIGHT_BYTES, _LIGHT_TAGS, _LIGHT_RUN = 65_536, 800, 4_096
"""Up to here a page is parsed at once: it takes less than 20 ms, whatever it holds."""

_ATTRIBUTE = rb"[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>\"'][^\s>]*+))?+"
_TOKEN = re.compile(
    rb"<!--(?:-?>|.*?(?:--!?>|\Z))|<(?:script|style|textarea|title)[\s/>].*?(?:</(?:script|style|textarea|title)|\Z)"
    rb"|<(/?)([a-z][^\s/>]*+)((?:%b)*+)([\s/]*+)" % _ATTRIBUTE,
    re.DOTALL | re.IGNORECASE,
)
"""Comments and what holds no elements, or a tag: its slash, name, attributes, and what stands before its end."""
_MANY = re.compile(rb"(?:%b){%d}" % (_ATTRIBUTE, ATTRIBUTES + 1))
_WITHOUT_DEPTH = frozenset(
    b"area base br col embed hr img input link meta param source track wbr"  # without content
    b" p li dt dd option optgroup tr td th thead tbody tfoot colgroup caption rb rt rp rtc html head body"  # end tags may be left out
    b" a button form nobr h1 h2 h3 h4 h5 h6".split()  # close one another
)
_LEAVES = frozenset(b"path circle rect line polygon polyline ellipse use stop image animate set".split())
"""Elements of SVG, which a slash ends; it ends no element of HTML."""


def beyond_bounds_of_html(source: bytes) -> str:
    """The bound that HTML exceeds, in words; empty where it is within all of them."""
    if is_light(source):
        return ""
    if too_large := beyond_size(source):
        return too_large
    if source.count(b"<") > TAGS:
        return f"a page of more than {TAGS} tags"
    if source.count(b"&") > REFERENCES_OF_HTML:
        return f"a page of more than {REFERENCES_OF_HTML} references"
    return in_thread(_beyond_in_detail, source)


def beyond_bounds_of_xml(source: bytes) -> str:
    """The bound that XML exceeds, in words; empty where it is within all of them."""
    if too_large := beyond_size(source):
        return too_large
    first, *others = source.split(b"<![CDATA[")
    if first.count(b"<") + sum(part.partition(b"]]>")[2].count(b"<") for part in others) > TAGS_OF_XML:
        return f"XML of more than {TAGS_OF_XML} tags"
    if source.count(b"<") > TAGS_IN_XML:
        return f"XML with more than {TAGS_IN_XML} tags in all"
    if source.count(b"&") > REFERENCES:
        return f"XML with more than {REFERENCES} references"
    return _beyond_in_detail(source, is_xml=True)


def beyond_bounds_of_json(source: bytes) -> str:
    """The bound that JSON exceeds, in words; empty where it is within all of them."""
    if too_large := beyond_size(source):
        return too_large
    if source.count(b",") + source.count(b"[") + source.count(b"{") > JSON_VALUES:
        return f"JSON of more than {JSON_VALUES} values"
    return f"JSON with more than {REFERENCES} references" if source.count(b"&") > REFERENCES else ""


def beyond_size(source: bytes) -> str:
    """The bound on the size of text, where it is exceeded."""
    return f"a text of more than {TEXT_BYTES} bytes" if len(source) > TEXT_BYTES else ""


def parsed(parse: Callable[[bytes], Result], source: bytes) -> Result:
    """HTML that is within the bounds, parsed: a large page in a thread, because the parser does not hold the interpreter."""
    return parse(source) if is_light(source) else in_thread(parse, source)


def in_thread(work: Callable[[bytes], Result], source: bytes) -> Result:
    """Work beside the event loop; other citizens go on."""
    result: Result = get_hub().threadpool.apply(work, (source,))
    return result


def is_light(source: bytes) -> bool:
    """Whether HTML is within the bounds and parsed at once, whatever it holds."""
    return len(source) <= _LIGHT_BYTES and source.count(b"<") <= _LIGHT_TAGS and _has_short_runs(source)


def _has_short_runs(source: bytes) -> bool:
    """Whether a ``>`` comes at least every ``_LIGHT_RUN`` bytes; it does if it comes in each half of that, which is quicker to see."""
    half = _LIGHT_RUN // 2
    if all(source.find(b">", at, at + half) >= 0 for at in range(0, len(source) - half + 1, half)):
        return True
    return max(map(len, source.split(b">"))) <= _LIGHT_RUN


def _beyond_in_detail(source: bytes, *, is_xml: bool = False) -> str:
    if len(re.findall(rb"<option", source, re.IGNORECASE)) > OPTIONS:
        return f"a page of more than {OPTIONS} options"
    depth = 0
    for tag in _TOKEN.finditer(source):
        name = (tag[2] or b"").lower()
        if len(tag[3] or b"") > ATTRIBUTES and _MANY.match(tag[3]):
            return f"an element of more than {ATTRIBUTES} attributes"
        if not name or name in _WITHOUT_DEPTH or ((is_xml or name in _LEAVES) and b"/" in tag[4]):
            continue
        depth = max(depth - 1, 0) if tag[1] else depth + 1
        if depth > DEPTH:
            return f"elements more than {DEPTH} deep"
    return ""
