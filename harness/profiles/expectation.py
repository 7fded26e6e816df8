"""Expectations: what an answer must be. A failure names the first rule that does not hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jmespath

from harness.catalog.profile import Expect, JsonRule, SelectorRule, TextRule
from harness.pages.page import Page
from harness.pages.text import SoughtText
from harness.pages.values import MissingValueError, as_text
from harness.profiles.template import Scope, Value, ValueCompiler

Check = Callable[[Page, Scope, Sequence[str]], bool]
_ALL_STATUSES = range(100, 600)


@dataclass(frozen=True, slots=True)
class Broken:
    """The rule that did not hold."""

    rule: str
    means: str = ""
    of_status: bool = False
    ours: bool = False  # the profile blames our own test data

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
    text: Value | None = None  # the text to look for, where it differs between citizens and evaluating it twice is safe


class Expectation:
    """Everything that one answer must be."""

    __slots__ = ("_rules", "_statuses", "shown_statuses")

    def __init__(self, statuses: Sequence[int | str], rules: Sequence[AnswerRule]) -> None:
        self._statuses = frozenset(status_set(statuses))
        self.shown_statuses = ", ".join(map(str, statuses))
        self._rules = tuple(rules)

    def shown(self, scope: Scope, blank: Callable[[str], str]) -> tuple[str, ...]:
        """The printed forms of its rules, with the texts that were looked for; ``blank`` removes secrets."""
        texts = (rule.label if rule.text is None else f"{rule.label}: {blank(as_text(rule.text(scope)))!r}" for rule in self._rules)
        return (f"status {self.shown_statuses}", *texts)

    def broken(self, page: Page, scope: Scope, locations: Sequence[str]) -> Broken | None:
        """The first rule that does not hold for an answer; ``locations`` are the redirects that led to it."""
        if page.status not in self._statuses:
            said = self._said(page, scope, locations)
            status = f"status {page.status}, expected {self.shown_statuses}"
            if said is None:
                return Broken(status, of_status=True)
            return Broken(said.label if said.ours else status, said.means, of_status=True, ours=said.ours)
        for rule in self._rules:
            if not rule.holds(page, scope, locations):
                return Broken(rule.label, rule.means, ours=rule.ours)
        return None

    def _said(self, page: Page, scope: Scope, locations: Sequence[str]) -> AnswerRule | None:
        """The rule that says what an answer with the wrong status means, among those that forbid something."""
        for rule in self._rules:
            try:
                if rule.forbids and (rule.means or rule.ours) and not rule.holds(page, scope, locations):
                    return rule
            except MissingValueError:
                continue
        return None


def status_set(statuses: Sequence[int | str]) -> set[int]:
    """The status numbers that ``200`` or ``"2xx"`` stand for."""
    found: set[int] = set()
    for status in statuses:
        found.update((status,) if isinstance(status, int) else (number for number in _ALL_STATUSES if number // 100 == int(status[0])))
    return found


def rules_of(expect: Expect, compile_: ValueCompiler) -> list[AnswerRule]:
    """The rules of an expectation, except its statuses. Forbidden texts and elements come first, because they explain a failure best."""
    rules: list[AnswerRule] = []
    rules.extend(_text(rule, compile_, wanted=False) for rule in expect.forbid_text)
    rules.extend(_selector(rule, wanted=False) for rule in expect.forbid_selector)
    if expect.redirect_to is not None:
        pattern = re.compile(expect.redirect_to)
        rules.append(AnswerRule(f"redirect to {expect.redirect_to}", lambda _p, _s, locations: any(map(pattern.search, locations))))
    if expect.final_url is not None:
        address = re.compile(expect.final_url)
        rules.append(AnswerRule(f"final URL {expect.final_url}", lambda page, _s, _l: address.search(page.url) is not None))
    if expect.content_type is not None:
        rules.append(_content_type(expect.content_type))
    rules.extend(_header(name, re.compile(value)) for name, value in expect.header.items())
    rules.extend(_sizes(expect))
    rules.extend(_text(rule, compile_, wanted=True) for rule in expect.require_text)
    rules.extend(_selector(rule, wanted=True) for rule in expect.require_selector)
    for rule in expect.json_rules:
        if rule.blame == "ours":
            rules.append(_json(rule, compile_, ours=True))
        rules.append(_json(rule, compile_, ours=False))  # an answer that is not JSON is the portal's failure
    return rules


def _content_type(wanted: str) -> AnswerRule:
    return AnswerRule(f"content type {wanted}", lambda page, _s, _l: page.exchange.headers.get("content-type").startswith(wanted))


def _header(name: str, pattern: re.Pattern[str]) -> AnswerRule:
    return AnswerRule(
        f"header {name} like {pattern.pattern}",
        lambda page, _s, _l: any(map(pattern.search, page.exchange.headers.get_all(name))),
    )


def _sizes(expect: Expect) -> list[AnswerRule]:
    rules = []
    least, most = expect.bytes_min, expect.bytes_max
    if least:
        rules.append(AnswerRule(f"at least {least} bytes", lambda page, _s, _l: len(page.body) >= least))
    if most is not None:
        rules.append(AnswerRule(f"at most {most} bytes", lambda page, _s, _l: len(page.body) <= most))
    return rules


def _text(rule: TextRule, compile_: ValueCompiler, *, wanted: bool) -> AnswerRule:
    compiled = compile_(rule.text)
    label = f"text {rule.text!r}" if wanted else f"no text {rule.text!r}"
    if compiled.is_constant:
        sought = SoughtText(rule.text)
        return AnswerRule(label, lambda page, _s, _l: page.holds(sought) is wanted, rule.means, not wanted, rule.blame == "ours")

    def check(page: Page, scope: Scope, _locations: Sequence[str]) -> bool:
        text = as_text(compiled.value(scope))
        if not text:
            raise MissingValueError(f"the text to look for, {rule.text}, is empty")
        return (text.encode() in page.body or page.holds(SoughtText(text))) is wanted

    calls = "(" in rule.text  # a function such as counter() answers differently each time
    return AnswerRule(label, check, rule.means, not wanted, rule.blame == "ours", text=None if calls else compiled.value)


def _selector(rule: SelectorRule, *, wanted: bool) -> AnswerRule:
    css = rule.css
    label = f"selector {css}" if wanted else f"no selector {css}"
    return AnswerRule(label, lambda page, _s, _l: (page.first(css) is not None) is wanted, rule.means, not wanted, rule.blame == "ours")


def _json(rule: JsonRule, compile_: ValueCompiler, *, ours: bool) -> AnswerRule:
    path = jmespath.compile(rule.path)
    compare, shown = _comparison(rule, compile_)
    forbids = rule.forbids

    def check(page: Page, scope: Scope, _locations: Sequence[str]) -> bool:
        try:
            data = page.json
        except MissingValueError:
            return ours or (forbids and page.status >= 400)  # an error page that is not JSON does not contain what is forbidden
        return compare(path.search(data), scope)

    return AnswerRule(f"JSON {rule.path} {shown}", check, rule.means, forbids, ours)


def _comparison(rule: JsonRule, compile_: ValueCompiler) -> tuple[Callable[[Any, Scope], bool], str]:
    if rule.present is not None:
        wanted = rule.present
        return lambda value, _scope: (value is not None) is wanted, "present" if wanted else "absent"
    if rule.matches is not None:
        pattern = re.compile(rule.matches)
        return lambda value, _scope: isinstance(value, str) and pattern.search(value) is not None, f"like {rule.matches}"
    if rule.above is not None:
        least = rule.above
        return lambda value, _scope: isinstance(value, int | float) and value > least, f"above {least:g}"
    if rule.below is not None:
        most = rule.below
        return lambda value, _scope: isinstance(value, int | float) and value < most, f"below {most:g}"
    if isinstance(rule.equals, str):
        compiled = compile_(rule.equals)
        return lambda value, scope: value == compiled.value(scope), f"equal to {rule.equals!r}"
    expected = rule.equals
    return lambda value, _scope: value == expected, f"equal to {expected!r}"
