"""Expectations: what an answer must be. A failure names the first rule that does not hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from harness.catalog.answer_rules import AddressRule, Expect, JsonRule, SelectorRule, StatusRule, TextRule, ValueRule, status_set
from harness.pages.controls import choose_node
from harness.pages.page import Page
from harness.pages.text import SoughtText
from harness.pages.values import MissingValueError, as_text
from harness.profiles.json_path import compile_json_path
from harness.profiles.template import Scope, Value, ValueCompiler

SHOWN_MOST = 120
"""The most characters of a value that a broken rule shows."""
_MARGIN = 4_096  # longer than any secret: a secret that the cut splits would not be blanked
Compares = Callable[[Any, Any], bool]
"""Compares a value with what is looked for."""
Check = Callable[[Page, Any, Sequence[str]], bool]
"""Whether a rule holds for an answer; what it looks for comes second, the redirects that led there third."""
Found = Callable[[Page, Sequence[str]], object]


@dataclass(frozen=True, slots=True)
class Broken:
    """The rule that did not hold. ``rule`` is worded alike for every answer; ``seen`` tells what was sought, and what was there."""

    rule: str
    means: str = ""
    of_status: bool = False
    ours: bool = False  # the profile blames our own test data
    values: tuple[tuple[str, object], ...] = ()  # what was sought and what was there, each after its word

    def seen(self, blank: Callable[[str], str]) -> str:
        """What was sought in this answer, and what was there in its place; ``blank`` removes secrets."""
        return "".join(f"{word}{_short(value, blank)}" for word, value in self.values)

    def __str__(self) -> str:
        return f"{self.means}: {self.rule}" if self.means else self.rule


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """One rule on an answer, its printed form, and what it means when it does not hold."""

    label: str
    holds: Check
    means: str = ""
    forbids: bool = False  # a match means failure, whatever the status
    ours: bool = False
    sought: Value | None = None  # what to look for, where it differs between citizens
    repeats: bool = True  # `sought` may be evaluated twice with one result
    found: Found | None = None  # what the answer holds in its place, to be shown

    def broken(self, page: Page, scope: Scope, locations: Sequence[str]) -> Broken | None:
        """The rule itself where it does not hold."""
        sought = self.sought(scope) if self.sought is not None else None
        if self.holds(page, sought, locations):
            return None
        values: list[tuple[str, object]] = [] if sought is None else [(": ", sought)]
        if self.found is not None:
            values.append(("; it is ", self.found(page, locations)))
        return Broken(self.label, self.means, ours=self.ours, values=tuple(values))


class Expectation:
    """Everything that one answer must be."""

    __slots__ = ("_rules", "_statuses", "_values", "shown_statuses")

    def __init__(self, statuses: Sequence[int | str], rules: Sequence[AnswerRule], values: Sequence[ExtractedRule] = ()) -> None:
        self._statuses = status_set(statuses)
        self.shown_statuses = ", ".join(map(str, statuses))
        self._rules = tuple(rules)
        self._values = tuple(values)

    def shown(self, scope: Scope, blank: Callable[[str], str]) -> tuple[str, ...]:
        """The printed forms of its rules, with the texts that were looked for; ``blank`` removes secrets."""
        texts = (
            rule.label if rule.sought is None or not rule.repeats else f"{rule.label}: {_short(rule.sought(scope), blank)}"
            for rule in self._rules
        )
        return (f"status {self.shown_statuses}", *texts, *(rule.label for rule in self._values))

    def broken(self, page: Page, scope: Scope, locations: Sequence[str]) -> Broken | None:
        """The first rule that does not hold for an answer; ``locations`` are the redirects that led to it."""
        if page.status not in self._statuses:
            said = self._said(page, scope, locations)
            status = f"status {page.status}, expected {self.shown_statuses}"
            if said is None:
                return Broken(status, of_status=True)
            return replace(said, rule=said.rule if said.ours else status, of_status=True, values=said.values if said.ours else ())
        for rule in self._rules:
            if (broken := rule.broken(page, scope, locations)) is not None:
                return broken
        return None

    def broken_value(self, extracted: Mapping[str, Any], scope: Scope) -> Broken | None:
        """The first rule that does not hold for a value that was taken out of an answer."""
        for rule in self._values:
            value = extracted[rule.name]
            if not rule.holds(value, {**scope, **extracted}):
                return Broken(rule.label, rule.means, ours=rule.ours, values=(("; it is ", value),))
        return None

    def _said(self, page: Page, scope: Scope, locations: Sequence[str]) -> Broken | None:
        """The rule that says what an answer with the wrong status means, among those that forbid something."""
        for rule in self._rules:
            if not (rule.forbids and (rule.means or rule.ours)):
                continue
            with suppress(MissingValueError):
                if (broken := rule.broken(page, scope, locations)) is not None:
                    return broken
        return None


class ExtractedRule(NamedTuple):
    """One rule on an extracted value."""

    name: str
    label: str
    holds: Callable[[Any, Scope], bool]
    means: str
    ours: bool


def values_of(expect: Expect, compile_: ValueCompiler) -> list[ExtractedRule]:
    """The rules of an expectation on extracted values."""
    rules = []
    for name, rule in expect.values.items():
        sought, compare, shown = _comparison(rule, compile_, alike=written_alike)
        holds = partial(_compared, sought, compare)
        rules.append(ExtractedRule(name, f"value {name} {shown}", holds, rule.means, rule.blame == "ours"))
    return rules


def _compared(sought: Value | None, compare: Compares, value: Any, scope: Scope) -> bool:
    return compare(value, sought(scope) if sought is not None else None)


def rules_of(expect: Expect, compile_: ValueCompiler) -> list[AnswerRule]:
    """The rules of an expectation, except its statuses and values.

    Forbidden texts and elements come first, because they explain a failure best.
    """
    rules: list[AnswerRule] = []
    rules.extend(_text(rule, compile_, wanted=False) for rule in expect.forbid_text)
    rules.extend(_selector(rule, compile_, wanted=False) for rule in expect.forbid_selector)
    if expect.redirect_to is not None:
        rules.append(_redirect(expect.redirect_to))
    if expect.final_url is not None:
        rules.append(_final_url(expect.final_url))
    if expect.content_type is not None:
        rules.append(_content_type(expect.content_type))
    rules.extend(_header(name, re.compile(value)) for name, value in expect.header.items())
    rules.extend(_sizes(expect))
    rules.extend(_text(rule, compile_, wanted=True) for rule in expect.require_text)
    rules.extend(_selector(rule, compile_, wanted=True) for rule in expect.require_selector)
    for rule in expect.json_rules:
        rules.extend(_json(rule, compile_))
    rules.extend(map(_status, expect.forbid_status))
    return rules


def _status(rule: StatusRule) -> AnswerRule:
    statuses = status_set(rule.status)
    label = f"no status {', '.join(map(str, rule.status))}"
    return AnswerRule(label, lambda page, _s, _l: page.status not in statuses, rule.means, True, rule.blame == "ours", found=_status_of)


def _status_of(page: Page, _locations: Sequence[str]) -> object:
    return page.status


def _redirect(rule: AddressRule) -> AnswerRule:
    pattern = re.compile(rule.matches)
    return AnswerRule(
        f"redirect to {rule.matches}",
        lambda _p, _s, locations: any(map(pattern.search, locations)),
        rule.means,
        found=lambda _p, locations: ", ".join(locations),
    )


def _final_url(rule: AddressRule) -> AnswerRule:
    pattern = re.compile(rule.matches)
    return AnswerRule(
        f"final URL {rule.matches}", lambda page, _s, _l: pattern.search(page.url) is not None, rule.means, found=lambda page, _l: page.url
    )


def _content_type(wanted: str) -> AnswerRule:
    return AnswerRule(
        f"content type {wanted}",
        lambda page, _s, _l: page.media_type.is_like(wanted),
        found=lambda page, _l: page.exchange.headers.get("content-type"),
    )


def _header(name: str, pattern: re.Pattern[str]) -> AnswerRule:
    return AnswerRule(
        f"header {name} like {pattern.pattern}",
        lambda page, _s, _l: any(map(pattern.search, page.exchange.headers.get_all(name))),
        found=lambda page, _l: ", ".join(page.exchange.headers.get_all(name)),
    )


def _sizes(expect: Expect) -> list[AnswerRule]:
    rules = []
    least, most = expect.bytes_min, expect.bytes_max
    if least:
        rules.append(AnswerRule(f"at least {least} bytes", lambda page, _s, _l: len(page.body) >= least, found=_size_of))
    if most is not None:
        rules.append(AnswerRule(f"at most {most} bytes", lambda page, _s, _l: len(page.body) <= most, found=_size_of))
    return rules


def _size_of(page: Page, _locations: Sequence[str]) -> object:
    return len(page.body)


def _text(rule: TextRule, compile_: ValueCompiler, *, wanted: bool) -> AnswerRule:
    compiled = compile_(rule.text)
    label = f"{'text' if wanted else 'no text'} {rule.text!r}{' in any case' if rule.ignore_case else ''}"
    if compiled.is_constant and not rule.ignore_case:
        sought = SoughtText(rule.text)
        return AnswerRule(label, lambda page, _s, _l: page.holds(sought) is wanted, rule.means, not wanted, rule.blame == "ours")

    def text(scope: Scope) -> str:
        return SoughtText(as_text(compiled.value(scope)), for_many=False).text

    def holds(page: Page, text: str, _locations: Sequence[str]) -> bool:
        return (page.holds_in_any_case(text) if rule.ignore_case else page.holds(text)) is wanted

    return AnswerRule(label, holds, rule.means, not wanted, rule.blame == "ours", text, repeats=_repeats(rule.text))


def _selector(rule: SelectorRule, compile_: ValueCompiler, *, wanted: bool) -> AnswerRule:
    css = rule.css
    label = f"selector {css}" if wanted else f"no selector {css}"
    if rule.containing is None:
        return AnswerRule(label, lambda page, _s, _l: (page.first(css) is not None) is wanted, rule.means, not wanted, rule.blame == "ours")
    compiled = compile_(rule.containing)

    def holds(page: Page, text: str, _locations: Sequence[str]) -> bool:
        try:
            choose_node(page, css, text, None)
        except MissingValueError:
            return not wanted
        return wanted

    return AnswerRule(
        f"{label} containing {rule.containing!r}",
        holds,
        rule.means,
        not wanted,
        rule.blame == "ours",
        lambda scope: as_text(compiled.value(scope)),
        repeats=_repeats(rule.containing),
    )


def _repeats(template: str) -> bool:
    """Whether a template has one value however often it is evaluated: a function such as counter() answers differently each time."""
    return "(" not in template


def _short(value: object, blank: Callable[[str], str]) -> str:
    most = SHOWN_MOST + _MARGIN
    text = repr(blank(value[:most])) if isinstance(value, str) else blank(repr(value)[:most])
    return text if len(text) <= SHOWN_MOST else text[: SHOWN_MOST - 1] + "…"


def _json(rule: JsonRule, compile_: ValueCompiler) -> Iterator[AnswerRule]:
    search = compile_json_path(rule.path)
    sought, compare, shown = _comparison(rule, compile_, alike=same_value)
    label = f"JSON {rule.path} {shown}"
    repeats = not isinstance(rule.equals, str) or _repeats(rule.equals)

    def found(page: Page, _locations: Sequence[str]) -> object:
        try:
            return search(page.json)
        except MissingValueError as error:
            return str(error)

    for ours in (True, False) if rule.blame == "ours" else (False,):  # an answer that is not JSON is the portal's failure

        def holds(page: Page, sought: Any, _locations: Sequence[str], *, ours: bool = ours) -> bool:
            try:
                value = search(page.json)
            except MissingValueError:
                return ours or (rule.forbids and page.status >= 400)  # an error page that is not JSON does not contain what is forbidden
            return compare(value, sought)

        yield AnswerRule(label, holds, rule.means, rule.forbids, ours, sought, repeats, found)


def same_value(value: Any, sought: Any) -> bool:
    """Whether two values of JSON are equal: true is not 1, and false is not 0."""
    return bool(value == sought) and isinstance(value, bool) is isinstance(sought, bool)


def written_alike(value: Any, sought: Any) -> bool:
    """Whether two values are equal, or are one text when they are written: a page's ``150000`` and the number."""
    if same_value(value, sought):
        return True
    try:
        return as_text(value) == as_text(sought)
    except MissingValueError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _comparison(rule: ValueRule, compile_: ValueCompiler, *, alike: Compares) -> tuple[Value | None, Compares, str]:
    """What to compare with, where that differs between citizens; the comparison; and its printed form."""
    if rule.present is not None:
        wanted = rule.present
        return None, lambda value, _: (value is not None) is wanted, "present" if wanted else "absent"
    if rule.matches is not None:
        pattern = re.compile(rule.matches)
        return None, lambda value, _: isinstance(value, str) and pattern.search(value) is not None, f"like {rule.matches}"
    if rule.above is not None:
        least = rule.above
        return None, lambda value, _: _is_number(value) and value > least, f"above {least:g}"
    if rule.below is not None:
        most = rule.below
        return None, lambda value, _: _is_number(value) and value < most, f"below {most:g}"
    compiled, shown = compile_(rule.equals), f"equal to {rule.equals!r}"
    if compiled.is_constant:
        return None, lambda value, _: alike(value, rule.equals), shown
    return compiled.value, alike, shown
