"""Compile a platform: every template, selector and pattern once. All mistakes are reported together, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.catalog.platform import GOALS, Bearer, BlockRule, Goal, Platform, Step
from harness.catalog.profile import Expect, Poll, ReceiptRule, Repeat, Request
from harness.catalog.reading import Key
from harness.client import PhaseTimeouts
from harness.errors import CatalogError, Problem
from harness.pages.text import SoughtText
from harness.pages.values import MissingValueError
from harness.profiles.bodies import BodyBuilder, PageForm, compile_body
from harness.profiles.executable import (
    BODY_HEADERS,
    CompiledBearer,
    CompiledBlock,
    CompiledGoal,
    CompiledPlatform,
    CompiledPoll,
    CompiledReceipt,
    CompiledRepeat,
    CompiledRequest,
    CompiledStep,
    NeededFromUs,
)
from harness.profiles.expectation import AnswerRule, Expectation, rules_of, status_set
from harness.profiles.extraction import Extractor
from harness.profiles.functions import load_functions
from harness.profiles.pools import compile_pool
from harness.profiles.template import Compiled, Function, Scope, TemplateError, TemplateUses, Value, compile_value

ALWAYS_KNOWN = frozenset({"origin", "person", "portal", "run", "visit", "form", "page", "journey"})
"""Names that every template may use: origins by role, the citizen, ids, the form that is sent, the current page."""


def compile_platform(platform: Platform, functions: Mapping[str, Function] | None = None) -> CompiledPlatform:
    """The compiled platform; raises CatalogError with every problem of its templates, names and data files.

    Without ``functions``, templates may call the closed list and the functions of ``_functions.py`` beside the profile.
    """
    if functions is None:
        functions = load_functions(Path(platform.place(())[0]).parent.parent)
    return _Compilation(platform, functions).run()


class _Compilation:
    def __init__(self, platform: Platform, functions: Mapping[str, Function]) -> None:
        self.platform = platform
        self.functions = functions
        self.problems: list[Problem] = []
        self.learned = frozenset(name for request in requests_of(platform) for name in (*request.extract, *request.let))
        self.known = _names_known(platform)
        self.tokens: frozenset[str] = frozenset()  # names that hold bearer tokens
        self.everywhere: list[AnswerRule] = []
        self.uses = TemplateUses()
        self.rows: dict[str, set[str]] = {}  # by the names that hold rows of pools: the pools
        self._at: Key = ()

    def run(self) -> CompiledPlatform:
        platform = self.platform
        self._at = ("expect_everywhere",)
        self.everywhere = rules_of(platform.expect_everywhere, self._data) if platform.expect_everywhere else []
        bearers = {name: self._bearer(bearer, ("bearers", name)) for name, bearer in platform.bearers.items()}
        self.tokens = frozenset(name for bearer in bearers.values() for name in bearer.names)
        flows = {
            name: tuple(self._request(request, ("flows", name, index)) for index, request in enumerate(requests))
            for name, requests in platform.flows.items()
        }
        goals = {name: self._goal(name, goal, flows) for name, goal in platform.goals.items()}
        headers = self._headers(platform.headers, ("headers",))
        blocked = tuple(map(_block, platform.block_rules))
        columns = self._columns()
        pools = {
            name: compile_pool(pool, platform.place(("pools", name, "file")), f"pools.{name}", columns.get(name, ()), self.problems)
            for name, pool in platform.pools.items()
        }
        if self.problems:
            raise CatalogError(*self.problems)
        return CompiledPlatform(
            platform.id,
            platform.origins,
            MappingProxyType({name: goals[name] for name in GOALS if name in goals}),
            MappingProxyType(dict(platform.absent)),
            headers,
            blocked,
            MappingProxyType(bearers),
            MappingProxyType(pools),
            NeededFromUs(
                frozenset(name for function, name in self.uses.calls if function == "secret"),
                frozenset(key for name, key in self.uses.items if name == "person"),
            ),
        )

    def _goal(self, name: str, goal: Goal, flows: Mapping[str, tuple[CompiledRequest, ...]]) -> CompiledGoal:
        steps = tuple(self._step(name, step, ("goals", name, "steps", index), flows) for index, step in enumerate(goal.steps))
        inner = dict.fromkeys(step.goal for step in steps if step.goal != name)
        gives = self._each(goal.gives, ("goals", name, "gives"))
        return CompiledGoal(name, steps, gives, {each: GOALS[each].outputs for each in inner})

    def _step(self, goal: str, step: Step, key: Key, flows: Mapping[str, tuple[CompiledRequest, ...]]) -> CompiledStep:
        own = tuple(self._request(request, (*key, "requests", index)) for index, request in enumerate(step.requests))
        return CompiledStep(
            step.step,
            step.goal or goal,
            step.actor,
            step.think,
            step.once,
            step.fresh,
            self._maybe(step.only_if, (*key, "only_if")),
            self._maybe(step.skip_if, (*key, "skip_if")),
            self._repeat(step.repeat, key),
            flows.get(step.use, ()) if step.use else own,
            step.planned if step.planned is not None else step.only_if is None and step.skip_if is None,
        )

    def _request(self, request: Request, key: Key) -> CompiledRequest:
        method = request.method
        url = self._value(getattr(request, method), (*key, method))
        self._at = key
        return CompiledRequest(
            ".".join(map(str, key)),
            method.upper(),
            url,
            [(name, self._data(value)) for name, value in request.query.items()],
            self._headers(request.headers, (*key, "headers")),
            request.bearer,
            PageForm(request.form, self._data) if request.form is not None else None,
            self._body(request, key),
            self._let(request.let, (*key, "let")),
            self._maybe(request.only_if, (*key, "only_if")),
            self._maybe(request.skip_if, (*key, "skip_if")),
            "http" in request.follow,
            frozenset(request.follow) - {"http"},
            request.hops_max,
            self._expectation(request.expect, (*key, "expect"), everywhere=request.everywhere),
            self._extractors(request, key),
            self._receipt(request.receipt, (*key, "receipt")),
            self._maybe(request.confirms.code if request.confirms else None, (*key, "confirms", "code")),
            self._poll(request.poll, (*key, "poll")),
            self._repeat(request.repeat, key),
            request.keep_page,
            request.assets,
            PhaseTimeouts(first_byte_s=request.timeout_s, total_s=request.timeout_s) if request.timeout_s else None,
        )

    def _body(self, request: Request, key: Key) -> BodyBuilder | None:
        self._at = key
        return None if request.method == "get" else compile_body(request, self._data)

    def _extractors(self, request: Request, key: Key) -> tuple[Extractor, ...]:
        found = []
        for name, rule in request.extract.items():
            self._at = (*key, "extract", name)
            found.append(Extractor(name, rule, self._data))
        return tuple(found)

    def _expectation(self, expect: Expect, key: Key, *, everywhere: bool) -> Expectation:
        self._at = key
        rules = rules_of(expect, self._data)
        return Expectation(expect.status, (self.everywhere if everywhere else []) + rules)

    def _receipt(self, receipt: ReceiptRule | None, key: Key) -> CompiledReceipt | None:
        """Kept values are written to a file. They must be learned from pages, and none may be a bearer token."""
        if receipt is None:
            return None
        self._at = (*key, "keep")
        for name in receipt.keep:
            if name not in self.learned:
                self._wrong(name, "a name that a request of this profile extracts or sets", "Extract it, or mend the name.")
            elif name in self.tokens:
                self._wrong(name, "no bearer token: the ledger is a file", "Let the goal `withdraw` log in anew.")
        return CompiledReceipt(self._value(receipt.code, (*key, "code")), receipt.kind, receipt.keep)

    def _poll(self, poll: Poll | None, key: Key) -> CompiledPoll | None:
        if poll is None:
            return None
        until = self._expectation(poll.until, (*key, "until"), everywhere=False)
        return CompiledPoll(until, round(poll.every_s * 1e6), round(poll.limit_s * 1e6))

    def _repeat(self, repeat: Repeat | None, key: Key) -> CompiledRepeat | None:
        if repeat is None:
            return None
        return CompiledRepeat(repeat.times or 0, self._maybe(repeat.over, (*key, "repeat", "over")), repeat.item)

    def _bearer(self, bearer: Bearer, key: Key) -> CompiledBearer:
        self._at = (*key, "token")
        token = self._data(bearer.token)
        return CompiledBearer(
            token.value,
            bearer.header,
            bearer.scheme,
            self._maybe(bearer.expires_in_s, (*key, "expires_in_s")),
            round(bearer.margin_s * 1e6),
            token.names,
            frozenset(status_set(bearer.refused)),
            tuple(self._request(request, (*key, "renew", index)) for index, request in enumerate(bearer.renew)),
        )

    def _columns(self) -> Mapping[str, set[str]]:
        """The columns of each pool that templates use: by ``take('codes').code``, or by a name that `let` has set to such a row."""
        found: dict[str, set[str]] = {}
        for pool, column in self.uses.columns:
            found.setdefault(pool, set()).add(column)
        for name, key in self.uses.items:
            for pool in self.rows.get(name, ()):
                found.setdefault(pool, set()).add(key)
        return found

    def _let(self, values: Mapping[str, Any], key: Key) -> tuple[tuple[str, Value], ...]:
        found = []
        for name, source in values.items():
            self._at = (*key, name)
            compiled = self._data(source)
            found.append((name, compiled.value))
            if compiled.uses.row_of and all(name not in request.extract for request in requests_of(self.platform)):
                self.rows.setdefault(name, set()).add(compiled.uses.row_of)
        return tuple(found)

    def _each(self, values: Mapping[str, Any], key: Key) -> tuple[tuple[str, Value], ...]:
        return tuple((name, self._value(value, (*key, name))) for name, value in values.items())

    def _headers(self, values: Mapping[str, Any], key: Key) -> tuple[tuple[str, Value], ...]:
        return tuple((BODY_HEADERS.get(name.lower(), name), value) for name, value in self._each(values, key))

    def _maybe(self, source: str | None, key: Key) -> Value | None:
        return None if source is None else self._value(source, key)

    def _value(self, data: Any, key: Key) -> Value:
        self._at = key
        return self._data(data).value

    def _data(self, source: Any) -> Compiled:
        try:
            compiled = compile_value(source, self.functions)
        except TemplateError as error:
            self._wrong(source, f"names, items, constants and function calls ({error})", "Mend the template.")
            return Compiled(_nothing)
        unknown = sorted(compiled.names - self.known)
        if unknown:
            self._wrong(source, f"names that are learned before; {', '.join(unknown)} is not", "Extract it first, or mend the name.")
        self._check_uses(source, compiled.uses)
        return compiled

    def _check_uses(self, source: Any, uses: TemplateUses) -> None:
        """Report pools and origins that the profile does not declare: every visit would fail."""
        self.uses = self.uses.joined((uses,))
        for pool in sorted({name for function, name in uses.calls if function == "take"} - set(self.platform.pools)):
            known = ", ".join(self.platform.pools) or "none"
            self._wrong(source, f"a pool under `pools` ({known}); {pool} is not", "Add it to `pools`, or mend the name.")
        for role in sorted({key for name, key in uses.items if name == "origin"} - set(self.platform.origins)):
            known = ", ".join(self.platform.origins)
            self._wrong(source, f"a role of `origins` ({known}); {role} is not", "Add it to `origins`, or mend the name.")

    def _wrong(self, source: Any, expected: str, remedy: str) -> None:
        file, line = self.platform.place(self._at)
        shown = repr(source)
        value = shown if len(shown) <= 120 else shown[:119] + "…"
        self.problems.append(Problem(file, ".".join(map(str, self._at)), value, expected, remedy, line))


def _nothing(_scope: Scope) -> Any:
    raise MissingValueError("a template that did not compile")


def _names_known(platform: Platform) -> frozenset[str]:
    """Every name that a template of the platform may use: always known, given to a goal, extracted or set."""
    names = set(ALWAYS_KNOWN)
    for name, goal in platform.goals.items():
        names.update(GOALS[name].inputs)
        names.update(step.repeat.item for step in goal.steps if step.repeat)
    for request in requests_of(platform):
        names.update(request.extract)
        names.update(request.let)
        if request.repeat:
            names.add(request.repeat.item)
    return frozenset(names)


def requests_of(platform: Platform) -> Iterator[Request]:
    """Every request that a platform describes."""
    groups: list[Sequence[Request]] = [step.requests for goal in platform.goals.values() for step in goal.steps]
    groups += platform.flows.values()
    groups += [bearer.renew for bearer in platform.bearers.values()]
    for group in groups:
        yield from group


def _block(rule: BlockRule) -> CompiledBlock:
    return CompiledBlock(
        rule.name,
        frozenset(status_set(rule.status)),
        tuple((name, re.compile(pattern)) for name, pattern in rule.header.items()),
        rule.empty,
        _pattern(rule.title),
        tuple(SoughtText(text.text) for text in rule.text),
        _pattern(rule.body),
        rule.selector,
        rule.without,
        rule.words_max,
        _pattern(rule.url),
        rule.alone,
    )


def _pattern(source: str | None) -> re.Pattern[str] | None:
    return None if source is None else re.compile(source)
