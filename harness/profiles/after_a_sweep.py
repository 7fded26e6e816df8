"""Whether a withdrawal can be walked by itself: after a sweep a visit withdraws that knows the receipt and what the ledger keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from harness.catalog.platform import GOALS, Platform, Step
from harness.catalog.profile import Request
from harness.catalog.reading import Key
from harness.profiles.scope import RESERVED

NamesOf = Callable[[Any], frozenset[str]]
"""The names that the templates of nested data use."""
_AFTER_THE_ANSWER = ("extract", "expect", "receipt", "confirms", "poll")
_LOOKED_AT_APART = {"let", "repeat", *_AFTER_THE_ANSWER}


class Unwalkable(NamedTuple):
    """What a withdrawal by itself lacks at one key of the profile."""

    key: Key
    value: str
    expected: str
    remedy: str


def lacking_in_withdrawal(platform: Platform, names_of: NamesOf) -> Iterator[Unwalkable]:
    """Every name that a withdrawal takes from the filing although no receipt keeps it, and every form without a page before it."""
    goal = platform.goals.get("withdraw")
    if goal is None:
        return
    kept = {name for _, request in platform.requests() if request.receipt is not None for name in request.receipt.keep}
    learned = {name for _, request in platform.requests() for name in (*request.extract, *request.let)}
    alone = _Alone(names_of, set(RESERVED | set(GOALS["withdraw"].inputs) | kept), learned)
    alone.known |= {name for bearer in platform.bearers.values() for each in bearer.renew for name in each.extract}
    for index, step in enumerate(goal.steps):
        at: Key = ("goals", "withdraw", "steps", index)
        alone.begin(step)
        yield from alone.lacks(at, [step.only_if, step.skip_if, step.repeat and step.repeat.over])
        requests = platform.flows.get(step.use, ()) if step.use else step.requests
        for number, request in enumerate(requests):
            key = ("flows", step.use, number) if step.use else (*at, "requests", number)
            tokens = [platform.bearers[request.bearer].token] if request.bearer in platform.bearers else []
            yield from alone.lacks(key, [platform.headers, tokens])
            yield from alone.sends(key, request, step.actor)
    yield from alone.lacks(("goals", "withdraw", "gives"), goal.gives)


class _Alone:
    """What a visit knows that only withdraws, request by request. What a condition may skip counts as done."""

    def __init__(self, names_of: NamesOf, known: set[str], learned: set[str]) -> None:
        self._names_of = names_of
        self.known = known
        self._learned = learned  # anywhere in the profile; a name that nothing gives is another problem
        self._with_page: set[str] = set()  # actors
        self._kept_pages: set[str] = set()

    def begin(self, step: Step) -> None:
        """Note what a step does before its requests."""
        if step.fresh:
            self._with_page.discard(step.actor)
        if step.repeat is not None:
            self.known.add(step.repeat.item)

    def lacks(self, key: Key, data: Any) -> Iterator[Unwalkable]:
        """One problem for each name of templates that this visit does not know."""
        for name in sorted((self._names_of(data) - self.known) & self._learned):
            self.known.add(name)  # it is told once
            expected = (
                f"names that a withdrawal knows after a sweep: the receipt, what it keeps, and what this goal learns before; {name} is not"
            )
            remedy = f"Add {name} to `keep` of the receipt in goal file, or extract it in this goal first."
            yield Unwalkable(key, f"{{{{ {name} }}}}", expected, remedy)

    def sends(self, key: Key, request: Request, actor: str) -> Iterator[Unwalkable]:
        """The problems of one request; what it learns is known after it."""
        if request.repeat is not None:
            yield from self.lacks(key, request.repeat.over)
            self.known.add(request.repeat.item)
        for name, value in request.let.items():
            yield from self.lacks((*key, "let", name), value)
            self.known.add(name)
        yield from self.lacks(key, request.model_dump(by_alias=True, exclude=_LOOKED_AT_APART))
        if (form := request.form) is not None and not (actor in self._with_page if form.page is None else form.page in self._kept_pages):
            expected = "a page with this form, asked for in this goal before: a withdrawal after a sweep begins with none"
            remedy = "Put a `get` of the page before it, by an address with {{ receipt }} or with what the receipt keeps."
            yield Unwalkable((*key, "form"), "form", expected, remedy)
        self._with_page.add(actor)
        if request.keep_page is not None:
            self._kept_pages.add(request.keep_page)
        self.known |= request.extract.keys()
        yield from self.lacks(key, request.model_dump(by_alias=True, include=set(_AFTER_THE_ANSWER)))
