"""Extraction: one value out of an answer, or the reason why it is missing."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from selectolax.lexbor import LexborNode

from harness.catalog.profile import Extract
from harness.pages.addresses import address_on
from harness.pages.controls import choose_node
from harness.pages.media import MediaKind
from harness.pages.page import Page, all_within
from harness.pages.text import SoughtText, readable_text, reads
from harness.pages.values import MissingValueError, as_text
from harness.profiles.json_path import compile_json_path
from harness.profiles.numbers import number_in, whole_number
from harness.profiles.template import Scope, ValueCompiler, text_or_none

_ADDRESSES = frozenset({"href", "src", "action", "formaction"})
"""Attributes that are read as absolute URLs, as scripts in a browser see them."""
Finder = Callable[[Page, Scope, "ExtractionSource"], list[Any]]


class ExtractionSource(Protocol):
    """Gives an extraction the values that are not in the answer."""

    def cookie(self, name: str) -> str | None:
        """The cookie that would be sent to the address of the answer."""
        ...

    def draw(self, purpose: str, count: int) -> int:
        """A seeded number below ``count``."""
        ...


class Extractor:
    """How one variable is taken out of an answer."""

    __slots__ = ("_convert", "_default", "_find", "_rule", "name", "where")

    def __init__(self, name: str, rule: Extract, compile_: ValueCompiler) -> None:
        self.name = name
        self._rule = rule
        self._find = _finder(rule, compile_)
        self._default = compile_(rule.default)
        self._convert = partial(_converted, name, rule, re.compile(rule.match) if rule.match is not None else None)
        self.where = rule.css or rule.json_path or rule.regex or rule.header or rule.url or f"cookie {rule.cookie}"

    def value(self, page: Page, scope: Scope, source: ExtractionSource) -> Any:
        """The value; raises MissingValueError where the answer does not hold it."""
        rule = self._rule
        try:
            found = self._find(page, scope, source)
            if rule.all:
                values = [self._convert(item) for item in found]
                if values or rule.has_default:
                    return values or self._default.value(scope)
                raise MissingValueError(f"`{self.name}`: nothing at {self.where}")  # noqa: TRY301  (handled like the other missing values)
            return self._convert(self._one(found, source))
        except MissingValueError:
            if rule.has_default:
                return self._default.value(scope)
            raise

    def _one(self, found: list[Any], source: ExtractionSource) -> Any:
        if not found:
            raise MissingValueError(f"`{self.name}`: nothing at {self.where}")
        one = self._rule.one
        if one == "first":
            return found[0]
        if one == "last":
            return found[-1]
        if one == "random":
            return found[source.draw(self.name, len(found))]
        if not -len(found) <= one < len(found):
            raise MissingValueError(f"`{self.name}`: {len(found)} at {self.where}, number {one} was asked for")
        return found[one]


def _finder(rule: Extract, compile_: ValueCompiler) -> Finder:
    if rule.css is not None:
        return _css_finder(rule, compile_)
    if rule.json_path is not None:
        search = compile_json_path(rule.json_path)

        def from_json(page: Page, _scope: Scope, _source: ExtractionSource) -> list[Any]:
            value = search(page.json)
            if isinstance(value, list) and (rule.all or rule.one != "first"):
                return value
            return [] if value is None else [value]

        return from_json
    if rule.regex is not None:
        body = re.compile(rule.regex)
        return lambda page, _scope, _source: [_group(match) for match in body.finditer(page.text)]
    if rule.url is not None:
        address = re.compile(rule.url)
        return lambda page, _scope, _source: [_group(match) for match in address.finditer(page.url)]
    if rule.header is not None:
        header = rule.header
        return lambda page, _scope, _source: list(page.exchange.headers.get_all(header))
    cookie = rule.cookie or ""
    return lambda _page, _scope, source: [value] if (value := source.cookie(cookie)) is not None else []


def _css_finder(rule: Extract, compile_: ValueCompiler) -> Finder:
    css = rule.css or ""
    read = _reader(rule)
    if rule.containing is None and rule.within is None:
        if rule.one == "first" and not rule.all:
            return lambda page, _scope, _source: [
                value for node in [page.first(css)] if node is not None and (value := read(page, node)) is not None
            ]
        return lambda page, _scope, _source: [value for node in page.nodes(css) if (value := read(page, node)) is not None]
    containing = compile_(rule.containing) if rule.containing is not None else None
    within = rule.within
    inside = compile_(within.containing if within is not None else None)
    with_field = compile_(within.with_field if within is not None else None)

    def chosen(page: Page, scope: Scope, _source: ExtractionSource) -> list[Any]:
        if within is None:
            nodes = page.nodes(css)
        else:
            wanted, field = text_or_none(inside, scope), text_or_none(with_field, scope)
            nodes = all_within(choose_node(page, within.css, wanted, field), css)
        if containing is not None:
            text = SoughtText(as_text(containing.value(scope)), for_many=False)
            nodes = [node for node in nodes if reads(node, text)]
        return [value for node in nodes if (value := read(page, node)) is not None]

    return chosen


def _reader(rule: Extract) -> Callable[[Page, LexborNode], str | None]:
    if rule.attr in _ADDRESSES:
        address = rule.attr or ""
        return lambda page, node: address_on(page, value) if (value := node.attributes.get(address)) else value
    if rule.attr is not None:
        attribute = rule.attr
        return lambda _page, node: node.attributes.get(attribute)
    if rule.text and rule.kind in ("int", "number"):  # 5<br>7 is not 57
        return lambda page, node: readable_text(node, is_html=page.kind is not MediaKind.XML).strip()
    if rule.text:
        return lambda _page, node: node.text(deep=True).strip()
    return lambda _page, node: node.html


def _converted(name: str, rule: Extract, match: re.Pattern[str] | None, value: Any) -> Any:
    if match is not None or rule.unescape or rule.kind == "str":
        value = as_text(value)
    if rule.unescape:
        value = html.unescape(value)
    if match is not None:
        found = match.search(value)
        if found is None:
            raise MissingValueError(f"{value[:80]!r} does not match {match.pattern}")
        value = _group(found)
    if value == "" and not rule.allow_empty:
        raise MissingValueError("the value is empty")
    try:
        if rule.kind == "int":
            return whole_number(value)
        if rule.kind == "number":
            return number_in(value)
        if rule.kind == "json" and isinstance(value, str):
            return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise MissingValueError(f"`{name}`: {str(value)[:80]!r} cannot be read as {rule.kind}: {error}") from None
    return value


def _group(match: re.Match[str]) -> str:
    return (match.group(1) if match.re.groups else match.group()) or ""
