"""Finds where an answer holds a value, as an extraction rule of a profile. Each rule is tried on the recorded answer."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from selectolax.lexbor import LexborNode

from harness.catalog.profile import Extract
from harness.operations.authoring.naming import MACHINE_MADE, identifier
from harness.origins import without_fragment
from harness.pages import Page
from harness.pages.addresses import address_on
from harness.pages.values import MissingValueError, as_text
from harness.profiles.extraction import Extractor
from harness.profiles.template import compile_value

ExtractRule = dict[str, Any]
_PLAIN_CLASS = re.compile(r"^[A-Za-z][\w-]*$")
_UNTOLD = frozenset({"content-type", "date", "set-cookie", "location", "server", "last-modified", "expires", "age", "cache-control"})
_LONGEST_MENU_TEXT = 40
"""Characters of a link that a page is taken to have as part of its menu (assumed: titles of articles are longer)."""
_IN_ADDRESSES = ("href", "action", "src", "formaction")


class Traced(NamedTuple):
    """Where a value was found: a name for it, and the rule that extracts it."""

    name: str
    rule: ExtractRule
    is_number: bool = False  # a number of JSON stays one


class _NoVisit:
    """Extraction without a visit: no cookies, always the first choice."""

    def cookie(self, name: str) -> str | None:
        return None

    def draw(self, purpose: str, count: int) -> int:
        return 0


def trace(page: Page, value: str) -> Traced | None:
    """Where an answer holds a value; None where it does not, or where no rule finds it again."""
    for found in _candidates(page, value):
        if not any(value in str(part) for part in found.rule.values()) and gives(page, found.rule, value):
            return found
    return None


def gives(page: Page, rule: ExtractRule, value: str) -> bool:
    """Whether a rule extracts exactly this value from an answer."""
    return value_of(page, rule) == value


def value_of(page: Page, rule: ExtractRule) -> str | None:
    """The value that a rule extracts from an answer; None where it finds none, or uses what only a visit knows."""
    extractor = Extractor("value", Extract.model_validate(rule), lambda data: compile_value(data, {}))
    try:
        return as_text(extractor.value(page, {}, _NoVisit()))
    except MissingValueError:
        return None


@lru_cache(maxsize=4096)  # a value is looked for in every answer of a capture
def _spellings(page: Page) -> str:
    """The answer as it stands, and with entities, percent-encoding and escaped slashes resolved: what to look for a value in first."""
    text = html.unescape(page.text)
    return "\n".join(dict.fromkeys((page.text, text, unquote(text), text.replace("\\/", "/"))))


def _candidates(page: Page, value: str) -> Iterator[Traced]:
    held = value in _spellings(page)
    if held and page.is_markup:
        yield from _in_elements(page, value)
    elif held:
        yield from _in_json(page, value)
    yield from _in_headers(page, value)
    if held:
        yield from _in_script(page, value)
    yield from _in_url(page, value)
    if held:
        yield from _in_text(page, value)


def _in_elements(page: Page, value: str) -> Iterator[Traced]:
    for attribute in ("content", "value", "data-value"):
        for node in page.nodes(f"[{attribute}]"):
            if node.attributes.get(attribute) == value:
                yield Traced(_name(node, attribute), {"css": selector(page, node), "attr": attribute, **_which(page, node)})
    for node in page.nodes("[id], [class]"):
        if node.child is not None and node.text(deep=True).strip() == value:
            yield Traced(_name(node, "text"), {"css": selector(page, node), **_which(page, node)})
    for node in page.nodes("*"):
        for attribute, held in node.attributes.items():
            if held == value and attribute not in ("id", "class", "content", "value", "data-value", *_IN_ADDRESSES):
                name = identifier(attribute.removeprefix("data-"))
                yield Traced(name, {"css": selector(page, node), "attr": attribute, **_which(page, node)})
            elif attribute in _IN_ADDRESSES and held and (inside := _within_address(held, value)):
                yield Traced(inside[0], {"css": selector(page, node), "attr": attribute, **_which(page, node), "match": inside[1]})


def _within_address(address: str, value: str) -> tuple[str, str] | None:
    """The name of a value in an address, and the pattern that finds it: in the query, in the fragment, in the path."""
    found = re.search(rf"[?&#;]([^=&#?;/]+)={re.escape(value)}(?:[&#;?]|$)", address)
    if found:
        return identifier(found[1]), rf"[?&#;]{re.escape(found[1])}=([^&#;?]+)"
    found = re.search(rf"\(([A-Z])\({re.escape(value)}\)", address)  # /(S(…))/: ASP.NET's session without cookies
    if found:
        return f"session_{found[1].lower()}", rf"\({found[1]}\(([^()]+)\)"
    found = re.search(rf"(/[\w.-]+/){re.escape(value)}(?:[/?#;]|$)", address)
    if found is None or MACHINE_MADE.match(found[1].strip("/")):  # what stands before it changes too
        return None
    return identifier(found[1].strip("/")), re.escape(found[1]) + "([^/?#;]+)"


def in_location(location: str, value: str) -> tuple[str, str] | None:
    """The name and the pattern of a value that stands in where a redirect leads, as it is spelled there or percent-encoded."""
    found = _within_address(location, value)
    if found is None and (spelled := _spelling(location, value)):
        found = _within_address(location, spelled)
    return found


def _spelling(address: str, value: str) -> str:
    parts = re.split(r"[?&#;=/]", address)
    return next((part for part in parts if part != value and unquote(part) == value), "")


def _in_json(page: Page, value: str) -> Iterator[Traced]:
    try:
        data = page.json
    except MissingValueError:
        return
    for path, found in _scalars(data, ""):
        if not isinstance(found, bool) and str(found) == value:
            key = re.findall(r"[A-Za-z_]\w*", path) or ["value"]
            yield Traced(identifier(key[-1]), {"json": path}, not isinstance(found, str))
        elif isinstance(found, str) and len(value) >= 6 and value in found and (inside := _within_address(found, value)):
            yield Traced(inside[0], {"json": path, "match": inside[1]})


def scalars_of(page: Page) -> Mapping[str, Any]:
    """The scalars of a JSON answer by their JMESPath; empty for any other answer."""
    try:
        return dict(_scalars(page.json, ""))
    except MissingValueError:
        return {}


def _scalars(data: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            name = key if re.fullmatch(r"[A-Za-z_]\w*", key) else '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
            yield from _scalars(value, f"{path}.{name}" if path else name)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _scalars(value, f"{path}[{index}]")
    elif data is not None:
        yield path or "@", data


def _in_headers(page: Page, value: str) -> Iterator[Traced]:
    for name, held in page.exchange.headers.items:
        if held == value and name.lower() not in _UNTOLD:
            yield Traced(identifier(name), {"header": name})
        elif len(value) >= 6 and value in held and name.lower() not in _UNTOLD:
            before, _, after = held.partition(value)
            end = f"([^{re.escape(after[:1])}]+)" if after else "(.+)"
            yield Traced(identifier(name), {"header": name, "match": re.escape(before[-12:]) + end})


def cookie_of(page: Page, value: str) -> tuple[str, bool] | None:
    """The name of the cookie by which an answer set a value, and whether the value was percent-encoded in it."""
    for line in page.exchange.headers.get_all("set-cookie"):
        name, _, held = line.partition(";")[0].strip().partition("=")
        held = held.strip('"')
        if name and held and value in (held, unquote(held)):
            return name, held != value
    return None


def _in_script(page: Page, value: str) -> Iterator[Traced]:
    at = page.text.find(value)
    if at < 0 or len(value) < 6:
        return
    before = re.search(r"([\w.\"']{2,40}\s*[:=]\s*[\"'])$", page.text[max(at - 60, 0) : at])
    if before is not None:
        yield Traced(identifier(re.sub(r"\W+", "_", before.group(1))), {"regex": re.escape(before.group(1)) + "([^\"']+)"})


def _in_text(page: Page, value: str) -> Iterator[Traced]:
    """Anywhere in the answer, by what stands before it."""
    at = page.text.find(value)
    if at < 0 or len(value) < 6:
        return
    end = re.escape(page.text[at + len(value) : at + len(value) + 1])
    for length in (12, 24, 48):
        before = page.text[max(at - length, 0) : at]
        if re.search(r"\d{4}", before):  # likely another value of this session
            return
        word = re.findall(r"[A-Za-z_]\w*", before)
        yield Traced(identifier(word[-1] if word else "value"), {"regex": re.escape(before) + (f"([^{end}]+)" if end else "(.+)")})


def _in_url(page: Page, value: str) -> Iterator[Traced]:
    found = _within_address(page.url, value)
    if found is not None and len(value) >= 4:
        yield Traced(found[0], {"url": found[1]})


def selector(page: Page, node: LexborNode) -> str:
    """A short selector of an element: by id, by name, by class, else by tag."""
    attributes: Mapping[str, str | None] = node.attributes
    tag = node.tag or "*"
    named = attributes.get("id")
    if named and _PLAIN_CLASS.match(named) and not re.search(r"\d{3}|[0-9a-f]{8}", named):
        return f"{tag}#{named}"
    if attributes.get("name") and tag in ("meta", "input", "select", "form", "textarea"):
        return f'{tag}[name="{attributes["name"]}"]'
    classes = [item for item in (attributes.get("class") or "").split() if _PLAIN_CLASS.match(item)]
    plain = tag if re.fullmatch(r"[A-Za-z][\w-]*", tag) else "*"  # <ns:name> of XML
    return plain + (f".{min(classes, key=lambda item: len(page.nodes(f'{plain}.{item}')))}" if classes else "")


def _which(page: Page, node: LexborNode) -> ExtractRule:
    """The index of the element among several matches; empty if it is the first."""
    same = [other.mem_id for other in page.nodes(selector(page, node))]
    return {"one": same.index(node.mem_id)} if node.mem_id in same and same[0] != node.mem_id else {}


def link_to(page: Page, url: str, known: Mapping[str, str], *, is_found: bool = False) -> ExtractRule | None:
    """The rule that extracts a page's link to an address; None where there is no such link.

    ``known``: texts that a visit knows, each with its expression. A link with such a text is found by it, one of a menu by its own
    text, and one of a list by the element around it. Only then does its place among all links of the page count.
    ``is_found``: the page answers a search, and another search finds links with other texts.
    """
    for node in page.nodes("a[href]"):
        href = node.attributes.get("href") or ""
        if href and without_fragment(address_on(page, href)) == url:
            return _rule_of_link(page, node, url, known, is_found=is_found)
    return None


def _rule_of_link(page: Page, node: LexborNode, url: str, known: Mapping[str, str], *, is_found: bool) -> ExtractRule:
    own = selector(page, node)
    text = " ".join(node.text(deep=True).split())
    plain = {"css": own, "attr": "href"}
    if said := next((expression for value, expression in known.items() if len(value) >= 4 and value in text), ""):
        return {**plain, "containing": "{{ " + said + " }}"}
    if not (which := _which(page, node)):
        return plain
    if not is_found and 2 <= len(text) <= _LONGEST_MENU_TEXT and not re.search(r"\d", text + urlsplit(url).path):
        same = [each for each in page.nodes(own) if text in " ".join(each.text(deep=True).split())]
        if same[0].mem_id == node.mem_id:
            return {**plain, "containing": text}
    around = node.parent
    while around is not None and around.tag not in ("body", "html", None):
        css = f"{selector(page, around)} {own}"
        if page.nodes(css)[0].mem_id == node.mem_id:
            return {**plain, "css": css}
        around = around.parent
    return {**plain, **which}


def whole_address(page: Page, url: str) -> Traced | None:
    """Where an answer gives a whole address, absolute or from its root; None where it does not."""
    parts = urlsplit(url)
    below = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not page.is_markup:
        for spelled in (url, below):
            if spelled != "/" and spelled in page.text.replace("\\/", "/"):
                for found in _in_json(page, spelled):
                    if gives(page, found.rule, spelled):
                        return found
        return None
    for attribute in ("href", "action", "src", "data-url", "data-href", "data-action"):
        for node in page.nodes(f"[{attribute}]"):
            held = node.attributes.get(attribute) or ""
            if held and without_fragment(address_on(page, held)) == url:
                return Traced(identifier(_name(node, "address")), {"css": selector(page, node), "attr": attribute, **_which(page, node)})
    return None


def _name(node: LexborNode, attribute: str) -> str:
    attributes = node.attributes
    given = attributes.get("name") or attributes.get("id") or (attributes.get("class") or "").split(" ")[0] or attribute
    return identifier(given)
