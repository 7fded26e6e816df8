"""Finds where an answer holds a value, as an extraction rule of a profile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from selectolax.lexbor import LexborNode

from harness.origins import without_fragment
from harness.pages import Page
from harness.pages.addresses import address_on
from harness.pages.values import MissingValueError

ExtractRule = dict[str, Any]
_PLAIN_CLASS = re.compile(r"^[A-Za-z][\w-]*$")
_WORD = re.compile(r"[^a-z0-9]+")


def trace(page: Page, value: str) -> tuple[str, ExtractRule] | None:
    """A name for a value and the rule that extracts it from an answer; None where the answer does not hold it."""
    if not page.is_markup:
        return _in_json(page, value)
    for attribute in ("content", "value", "data-value", "href"):
        for node in page.nodes(f"[{attribute}]"):
            if node.attributes.get(attribute) == value and attribute != "href":
                return _name(node, attribute), {"css": selector(page, node), "attr": attribute, **_which(page, node)}
    for node in page.nodes("[id], [class]"):
        if node.child is not None and node.text(deep=True).strip() == value:
            return _name(node, "text"), {"css": selector(page, node), **_which(page, node)}
    return _in_script(page, value) or _in_url(page, value)


def _in_json(page: Page, value: str) -> tuple[str, ExtractRule] | None:
    try:
        data = page.json
    except MissingValueError:
        return None
    for path, found in _scalars(data, ""):
        if str(found) == value and not isinstance(found, bool):
            key = re.findall(r"[A-Za-z_]\w*", path) or ["value"]
            return _slug(key[-1]), {"json": path}
    return None


def _scalars(data: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            name = key if re.fullmatch(r"[A-Za-z_]\w*", key) else f'"{key}"'
            yield from _scalars(value, f"{path}.{name}" if path else name)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _scalars(value, f"{path}[{index}]")
    elif data is not None:
        yield path or "@", data


def _in_script(page: Page, value: str) -> tuple[str, ExtractRule] | None:
    at = page.text.find(value)
    if at < 0 or len(value) < 6:
        return None
    before = re.search(r"([\w.\"']{2,40}\s*[:=]\s*[\"'])$", page.text[max(at - 60, 0) : at])
    if before is None:
        return None
    return _slug(re.sub(r"\W+", "_", before.group(1)).strip("_") or "value"), {"regex": re.escape(before.group(1)) + "([^\"']+)"}


def _in_url(page: Page, value: str) -> tuple[str, ExtractRule] | None:
    found = re.search(rf"[?&]([^=&]+)={re.escape(value)}(?:&|$)", page.url)
    return (_slug(found.group(1)), {"url": rf"[?&]{re.escape(found.group(1))}=([^&]+)"}) if found else None


def selector(page: Page, node: LexborNode) -> str:
    """A short selector of an element: by id, by name, by class, else by tag."""
    attributes: Mapping[str, str | None] = node.attributes
    tag = node.tag or "*"
    identifier = attributes.get("id")
    if identifier and _PLAIN_CLASS.match(identifier) and not re.search(r"\d{3}|[0-9a-f]{8}", identifier):
        return f"{tag}#{identifier}"
    if attributes.get("name") and tag in ("meta", "input", "select", "form", "textarea"):
        return f'{tag}[name="{attributes["name"]}"]'
    classes = [item for item in (attributes.get("class") or "").split() if _PLAIN_CLASS.match(item)]
    return tag + (f".{min(classes, key=lambda item: len(page.nodes(f'{tag}.{item}')))}" if classes else "")


def _which(page: Page, node: LexborNode) -> ExtractRule:
    """The index of the element among several matches; empty if it is the first."""
    same = [other.mem_id for other in page.nodes(selector(page, node))]
    return {"one": same.index(node.mem_id)} if len(same) > 1 and same[0] != node.mem_id else {}


def link_to(page: Page, url: str) -> ExtractRule | None:
    """The rule that extracts a page's link to an address; None where there is no such link."""
    for node in page.nodes("a[href]"):
        href = node.attributes.get("href") or ""
        if href and without_fragment(address_on(page, href)) == url:
            return {"css": selector(page, node), "attr": "href", **_which(page, node)}
    return None


def _name(node: LexborNode, attribute: str) -> str:
    attributes = node.attributes
    given = attributes.get("name") or attributes.get("id") or (attributes.get("class") or "").split(" ")[0] or attribute
    return _slug(given)


def _slug(text: str) -> str:
    return _WORD.sub("_", text.lower()).strip("_").lstrip("0123456789_") or "value"
