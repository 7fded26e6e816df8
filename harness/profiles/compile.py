"""Compile a platform: every template, selector and pattern once. All mistakes are reported together, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.catalog.answer_rules import Expect, status_set
from harness.catalog.platform import GOALS, Bearer, BlockRule, Goal, Platform, Step
from harness.catalog.profile import Poll, ReceiptRule, Repeat, Request
from harness.catalog.reading import Key
from harness.client import PhaseTimeouts
from harness.errors import CatalogError, Problem
from harness.pages.text import SoughtText
from harness.pages.values import MissingValueError
from harness.profiles.after_a_sweep import lacking_in_withdrawal
from harness.profiles.bodies import BodyBuilder, PageForm, compile_body
from harness.profiles.executable import (
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
from harness.profiles.expectation import AnswerRule, Expectation, rules_of, values_of
from harness.profiles.extraction import Extractor
from harness.profiles.functions import load_functions
from harness.profiles.pools import compile_pool
from harness.profiles.scope import RESERVED, DeclaredScope
from harness.profiles.template import Compiled, Function, Scope, TemplateError, TemplateUses, Value, compile_template, compile_value


def compile_platform(platform: Platform, functions: Mapping[str, Function] | None = None) -> CompiledPlatform:
    """The compiled platform; raises CatalogError with every problem of its templates, names and data files.

    Without ``functions``, templates may call the closed list and the functions of ``_functions.py`` beside the profile.
    """
    if functions is None:
        functions = load_functions(Path(platform.place(())[0]).parent.parent)
    return _Compilation(platform, functions).run()


_JOINED = re.compile(r"\{\{\s*origin\.\w+\s*\}\}(?![/?#]|\{\{|\Z)")  # {{ origin.portal }}path is another host


class _Compilation:
    def __init__(self, platform: Platform, functions: Mapping[str, Function]) -> None:
        self.platform = platform
        self.functions = functions
        self.problems: list[Problem] = []
        self.learned = [name for _, request in platform.requests() for name in (*request.extract, *request.let)]
        self.scope = DeclaredScope(platform)
        self.tokens: frozenset[str] = frozenset()  # names that hold bearer tokens
        self.everywhere: list[AnswerRule] = []
        self.uses = TemplateUses()  # of all templates
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
        headers = self._mapping(platform.headers, ("headers",))
        blocked = tuple(map(_block, platform.block_rules))
        self._check_receipts()
        self.problems += self.scope.problems()
        for lack in lacking_in_withdrawal(platform, self._names):
            self._wrong(lack.value, lack.expected, lack.remedy, lack.key)
        columns = self._columns()
        pools = {
            name: compile_pool(pool, platform.place(("pools", name, "file")), f"pools.{name}", columns.get(name, ()), self.problems)
            for name, pool in platform.pools.items()
        }
        if self.problems:
            raise CatalogError(*dict.fromkeys(self.problems))
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
                self.scope.of_person(),
            ),
        )

    def _goal(self, name: str, goal: Goal, flows: Mapping[str, tuple[CompiledRequest, ...]]) -> CompiledGoal:
        steps = tuple(self._step(name, step, ("goals", name, "steps", index), flows) for index, step in enumerate(goal.steps))
        inner = dict.fromkeys(step.goal for step in steps if step.goal != name)
        gives = self._gives(goal.gives, ("goals", name, "gives"))
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
        source = getattr(request, method)
        url = self._value(source, (*key, method))
        if not source.strip() or _JOINED.match(source):
            self._wrong(source, "an address, with a slash after the origin", "Write it as {{ origin.portal }}/path.", (*key, method))
        return CompiledRequest(
            ".".join(map(str, key)),
            method.upper(),
            str(getattr(request, method)),
            url,
            self._mapping(request.query, (*key, "query")),
            self._mapping(request.headers, (*key, "headers")),
            request.bearer,
            self._form(request, (*key, "form")),
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
            self._code(request.confirms.code, (*key, "confirms", "code")) if request.confirms else None,
            self._poll(request.poll, (*key, "poll")),
            self._repeat(request.repeat, key),
            request.keep_page,
            request.assets,
            PhaseTimeouts(first_byte_s=request.timeout_s, total_s=request.timeout_s) if request.timeout_s else None,
        )

    def _form(self, request: Request, key: Key) -> PageForm | None:
        form = request.form
        if form is None:
            return None
        kept = sorted({each.keep_page for _, each in self.platform.requests() if each.keep_page})
        if form.page is not None and form.page not in kept:
            expected = f"a page that a request keeps by `keep_page` ({', '.join(kept) or 'none does'})"
            self._wrong(form.page, expected, "Keep the page, or mend the name.", (*key, "page"))
        self._at = key
        return PageForm(form, self._data)

    def _body(self, request: Request, key: Key) -> BodyBuilder | None:
        self._at = key
        return None if request.method == "get" else compile_body(request, self._data)

    def _extractors(self, request: Request, key: Key) -> tuple[Extractor, ...]:
        found = []
        for name, rule in request.extract.items():
            self._learn(name, (*key, "extract", name))
            found.append(Extractor(name, rule, self._data))
        return tuple(found)

    def _expectation(self, expect: Expect, key: Key, *, everywhere: bool) -> Expectation:
        self._at = key
        rules = rules_of(expect, self._data)
        return Expectation(expect.status, (self.everywhere if everywhere else []) + rules, values_of(expect, self._data))

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
        return CompiledReceipt(self._code(receipt.code, (*key, "code")), receipt.kind, receipt.keep)

    def _code(self, source: str, key: Key) -> Value:
        """The code of what the portal acknowledged."""
        if not source.strip():
            self._wrong(source, "the code of what was acknowledged", "Extract the code, and name it: {{ receipt }}.", key)
        return self._value(source, key)

    def _poll(self, poll: Poll | None, key: Key) -> CompiledPoll | None:
        if poll is None:
            return None
        until = self._expectation(poll.until, (*key, "until"), everywhere=False)
        return CompiledPoll(until, round(poll.every_s * 1e6), round(poll.limit_s * 1e6))

    def _repeat(self, repeat: Repeat | None, key: Key) -> CompiledRepeat | None:
        if repeat is None:
            return None
        self._learn(repeat.item, (*key, "repeat", "item"))
        if repeat.over is not None and (name := self.scope.text_alone(repeat.over)):
            self._wrong(
                repeat.over, f"a list; {name} is a text", "Extract a list with `all: true`, or by `json`.", (*key, "repeat", "over")
            )
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
            status_set(bearer.refused),
            tuple(self._request(request, (*key, "renew", index)) for index, request in enumerate(bearer.renew)),
        )

    def _check_receipts(self) -> None:
        """Without a receipt no dossier is counted or withdrawn, and without a confirmation none is found to be lost."""
        for goal, needed, remedy in (
            ("file", "a `receipt` of kind dossier", "Say `receipt: {code: …}` on the request whose answer acknowledges the dossier."),
            ("track", "`confirms`", "Say `confirms: {code: …}` on the request whose answer shows the dossier."),
        ):
            requests = list(_requests_for(self.platform, goal))
            judged = any(_acknowledges(request) if goal == "file" else request.confirms is not None for request in requests)
            if requests and not judged:
                self._at = ("goals", self.platform.reached_inside.get(goal, goal))
                self._wrong(goal, f"{needed} in one of the requests of goal {goal}", remedy)

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
        later = list(values)
        for name, source in values.items():
            self._learn(name, (*key, name))
            compiled = self._data(source)
            for used in sorted(compiled.names & {each for each in later if self.learned.count(each) == 1}):
                expected = f"names that are set before; {used} is set only here, {'by itself' if used == name else 'and later'}"
                self._wrong(source, expected, "Write the values of `let` in the order in which they are computed.", (*key, name))
            later.remove(name)
            found.append((name, compiled.value))
            if compiled.uses.row_of and all(name not in request.extract for _, request in self.platform.requests()):
                self.rows.setdefault(name, set()).add(compiled.uses.row_of)
        return tuple(found)

    def _learn(self, name: str, key: Key) -> None:
        self._at = key
        if name in RESERVED:
            self._wrong(name, f"a name that the harness does not set itself, unlike {', '.join(sorted(RESERVED))}", "Choose another name.")

    def _gives(self, values: Mapping[str, Any], key: Key) -> tuple[tuple[str, Value], ...]:
        found = []
        for name, source in values.items():
            found.append((name, self._value(source, (*key, name))))
            if isinstance(source, Mapping) and name in source:
                self._wrong(source, f"items of {name} with other names than its own", "Rename the item.")
        return tuple(found)

    def _mapping(self, values: Mapping[str, Any], key: Key) -> Compiled:
        self._at = key
        return self._data(values)

    def _maybe(self, source: str | None, key: Key) -> Value | None:
        return None if source is None else self._value(source, key)

    def _value(self, data: Any, key: Key) -> Value:
        self._at = key
        return self._data(data).value

    def _data(self, source: Any) -> Compiled:
        before = len(self.problems)
        for template in _templates(source):
            self._check(template)
        return compile_value(source, self.functions) if len(self.problems) == before else Compiled(_nothing)

    def _check(self, template: str) -> None:
        """Report what is not in the language, and pools and origins that the profile does not declare: every visit would fail."""
        key = self.platform.key_of(template, self._at)
        try:
            compiled = compile_template(template, self.functions)
        except TemplateError as error:
            self._wrong(template, f"names, items, constants and function calls ({error})", "Mend the template.", key)
            return
        uses = compiled.uses
        self.scope.note(compiled.names, uses, key)
        self.uses = self.uses.joined((uses,))
        if name := self.scope.mapping_as_text(template, key):
            self._wrong(template, f"a text; {name} is a mapping", f"Name the item that is meant: {{{{ {name}.… }}}}.", key)
        for pool in sorted({name for function, name in uses.calls if function == "take"} - set(self.platform.pools)):
            known = ", ".join(self.platform.pools) or "none"
            self._wrong(template, f"a pool under `pools` ({known}); {pool} is not", "Add it to `pools`, or mend the name.", key)
        for role in sorted({item for name, item in uses.items if name == "origin"} - set(self.platform.origins)):
            known = ", ".join(self.platform.origins)
            self._wrong(template, f"a role of `origins` ({known}); {role} is not", "Add it to `origins`, or mend the name.", key)

    def _names(self, data: Any) -> frozenset[str]:
        """The names that nested data uses in templates. A template that is none has its own problem."""
        found: set[str] = set()
        for template in _templates(data):
            with suppress(TemplateError):
                found |= compile_template(template, self.functions).names
        return frozenset(found)

    def _wrong(self, source: Any, expected: str, remedy: str, key: Key = ()) -> None:
        key = key or self._at
        file, line = self.platform.place(key)
        shown = repr(source)
        value = shown if len(shown) <= 120 else shown[:119] + "…"
        self.problems.append(Problem(file, ".".join(map(str, key)), value, expected, remedy, line))


def _nothing(_scope: Scope) -> Any:
    raise MissingValueError("a template that did not compile")


def _templates(data: Any) -> Iterator[str]:
    """The texts in nested data, names included."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for name, value in data.items():
            yield from _templates(name)
            yield from _templates(value)
    elif isinstance(data, list | tuple):
        for item in data:
            yield from _templates(item)


def _requests_for(platform: Platform, goal: str) -> Iterator[Request]:
    """The requests of a goal, also where it is reached inside another one."""
    for name, described in platform.goals.items():
        for step in described.steps:
            if goal in (name, step.goal):
                yield from platform.flows.get(step.use, ()) if step.use else step.requests


def _acknowledges(request: Request) -> bool:
    return request.receipt is not None and request.receipt.kind == "dossier"


def _block(rule: BlockRule) -> CompiledBlock:
    return CompiledBlock(
        rule.name,
        status_set(rule.status),
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
