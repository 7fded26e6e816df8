"""What templates of a platform may name, and which items those values have; what is neither is reported with its lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.catalog.platform import GOALS, Platform
from harness.catalog.profile import ITEMS, METHODS, Extract, Repeat
from harness.catalog.reading import Key
from harness.errors import Problem, did_you_mean
from harness.profiles.template import TemplateUses

TEXTS = frozenset({"portal", "run", "visit", "journey"})
"""Names that identify a visit; they have no items."""
RESERVED = TEXTS | {"origin", "person", "form", "page"}
"""Names that the harness sets itself, again and again: a profile that learned one would lose it."""
_NAME_ALONE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_TEXT_KEYS = frozenset({*METHODS, "query", "headers", "form", "fields", "files", "body", "receipt", "confirms", "token"})
_OPEN_KEYS = frozenset({"json", "let", "gives", "expect", "poll", "extract", "only_if", "skip_if", "repeat"})
_RANKS = {"find": 0, "file": 1, "pay": 2, "track": 2, "withdraw": 3}
"""The order in which a visit comes to the goals. Of `pay` and `track` either may come first: a journey says so."""
Items = frozenset[str] | None
"""The items of a value; None: it may have any."""


class DeclaredScope:
    """The names that a platform declares, and what its templates use of them."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._items = _declared(platform)
        self._learned_in = _learned_in(platform)
        self._uses: dict[tuple[str, str], list[Key]] = {}  # by name and item, empty for the name itself: where templates use it

    def note(self, names: Iterable[str], uses: TemplateUses, key: Key) -> None:
        """Note what a template at a key uses."""
        for use in [*((name, "") for name in names), *uses.items]:
            self._uses.setdefault(use, []).append(key)

    def of_person(self) -> Mapping[str, tuple[str, int]]:
        """The values of a person that templates use, and the file and line of each."""
        return {item: self._platform.place(keys[0]) for (name, item), keys in sorted(self._uses.items()) if name == "person" and item}

    def problems(self) -> Iterator[Problem]:
        """One problem for each name, and each item of a name, that nothing gives."""
        for (name, item), keys in self._uses.items():
            if not item and name not in self._items:
                yield self._unknown(name, keys)
            elif item and (known := self._items.get(name)) is not None and item not in known and name not in ("person", "origin"):
                yield self._without(name, item, known, keys)
            elif not item and (early := self._before_learned(name, keys)):
                yield self._too_early(name, early)
        yield from self._in_withdraw()

    def _before_learned(self, name: str, keys: Iterable[Key]) -> list[Key]:
        """The uses of a name in goals that come before every goal that learns it. A condition may name what is not known yet."""
        ranks = [_RANKS[goal] for goal in self._learned_in.get(name, ())]
        within = [key for key in keys if key[0] == "goals" and not {"only_if", "skip_if"} & {*key}] if ranks else []
        return [key for key in within if _RANKS.get(str(key[1]), 0) < min(ranks)]

    def text_alone(self, template: str) -> str:
        """The name that is all of a template and whose value is a text, never a list; an empty text where there is none."""
        alone = _NAME_ALONE.fullmatch(template)
        return alone[1] if alone and self._items.get(alone[1]) == frozenset() else ""

    def mapping_as_text(self, template: str, key: Key) -> str:
        """The name in a template whose value is a mapping although a text is wanted; an empty text where there is none.

        A text is wanted where it is sent or written as one, and where the template has more than this name.
        """
        place = next((part for part in key if part in _TEXT_KEYS or part in _OPEN_KEYS), "")
        if place not in _TEXT_KEYS and _NAME_ALONE.fullmatch(template.strip()):
            return ""
        in_withdraw = key[:2] == ("goals", "withdraw")  # there the receipt is a text
        names = (name for name in _NAME_ALONE.findall(template) if not (name == "receipt" and in_withdraw))
        return next((name for name in names if self._items.get(name)), "")

    def _unknown(self, name: str, keys: list[Key]) -> Problem:
        remedy = "Give the request a `form`." if name == "form" else f"{did_you_mean(name, self._items)}Extract it first, or mend the name."
        return self._problem(f"names that are learned before; {name} is not", f"{{{{ {name} }}}}", keys, remedy)

    def _too_early(self, name: str, keys: list[Key]) -> Problem:
        goals = " and ".join(sorted(self._learned_in[name]))
        remedy = "Extract it in this goal first, or move the request to the goal that learns it."
        return self._problem(f"names that are learned before; {name} is learned only in {goals}", f"{{{{ {name} }}}}", keys, remedy)

    def _without(self, name: str, item: str, known: frozenset[str], keys: list[Key]) -> Problem:
        has = f"one of {', '.join(f'{name}.{each}' for each in sorted(known))}" if known else f"`{name}` alone: it is a text"
        return self._problem(
            f"{has}; {name}.{item} is not known", f"{{{{ {name}.{item} }}}}", keys, f"{did_you_mean(item, known)}Mend the name."
        )

    def _in_withdraw(self) -> Iterator[Problem]:
        """A withdrawal knows the receipt from the ledger, as a text."""
        known = self._items.get("receipt") or frozenset()
        for (name, item), keys in self._uses.items():
            there = [key for key in keys if key[:2] == ("goals", "withdraw")]
            if name == "receipt" and item in known and there:
                remedy = f"Name the learned value under `keep` of the receipt, and use it in place of receipt.{item}."
                yield self._problem(
                    "`receipt` alone: a withdrawal knows the code of the ledger, a text", f"{{{{ receipt.{item} }}}}", there, remedy
                )

    def _problem(self, expected: str, value: str, keys: list[Key], remedy: str) -> Problem:
        file, line = self._platform.place(keys[0])
        lines = sorted({self._platform.place(key)[1] for key in keys} - {line})
        also = f" Also at line {', '.join(map(str, lines))}." if lines else ""
        return Problem(file, ".".join(map(str, keys[0])), repr(value), expected, remedy + also, line)


def _declared(platform: Platform) -> dict[str, Items]:
    """Every name that a template of the platform may use, with the items of its value."""
    found: dict[str, Items] = {name: frozenset() for name in TEXTS}
    found |= {name: items for name, items in ITEMS.items() if name not in ("dossier", "form")}
    found["origin"] = frozenset(platform.origins)
    requests = [request for _, request in platform.requests()]
    if any(request.form is not None for request in requests):
        found["form"] = ITEMS["form"]
    for goal in platform.goals:
        found |= {name: _given(platform, name) for name in GOALS[goal].inputs}
    found |= {repeat.item: None for repeat in _repeats(platform)}
    learned: dict[str, list[Items]] = {}
    for request in requests:
        for name, rule in request.extract.items():
            learned.setdefault(name, []).append(_extracted(rule))
        for name, value in request.let.items():
            learned.setdefault(name, []).append(_items_of(value, found))
    for name, each in learned.items():
        every = [*each, found[name]] if name in found else each
        known = [items for items in every if items is not None]
        found[name] = frozenset().union(*known) if len(known) == len(every) else None
    return found


def _repeats(platform: Platform) -> Iterator[Repeat]:
    steps = (step.repeat for goal in platform.goals.values() for step in goal.steps)
    yield from (each for each in (*steps, *(request.repeat for _, request in platform.requests())) if each is not None)


def _learned_in(platform: Platform) -> Mapping[str, frozenset[str]]:
    """The goals that learn each name; without names that a flow learns or a goal receives, which may be known in any goal."""
    found: dict[str, set[str]] = {}
    anywhere = {*RESERVED, *(name for goal in GOALS.values() for name in (*goal.inputs, *goal.outputs))}
    anywhere |= {repeat.item for repeat in _repeats(platform)}
    for key, request in platform.requests():
        for name in (*request.extract, *request.let):
            if key[0] == "goals" and key[1] in _RANKS:
                found.setdefault(name, set()).add(str(key[1]))
            else:
                anywhere.add(name)
    return {name: frozenset(goals) for name, goals in found.items() if name not in anywhere}


def _given(platform: Platform, name: str) -> Items:
    """The items of what a goal receives: from the journey, or from the goal before it."""
    if name in ITEMS:
        return ITEMS[name]
    values = [goal.gives[name] for goal in platform.goals.values() if name in goal.gives]
    return _items_of(values[0], {}) if len(values) == 1 else frozenset() if name == "keyword" else None


def _items_of(value: Any, known: Mapping[str, Items]) -> Items:
    """The items of a value of `gives` or `let`, as far as the profile tells them."""
    if isinstance(value, Mapping):
        return None if any("{{" in str(name) for name in value) else frozenset(map(str, value))
    if not isinstance(value, str):
        return None if isinstance(value, list | tuple) else frozenset()
    text = value.strip()
    alone = _NAME_ALONE.fullmatch(text)
    if alone and alone.group(1) != "person":  # test identities may give a person more
        return known.get(alone.group(1))
    may_have_items = text.count("{{") == 1 and text.startswith("{{") and text.endswith("}}")  # a single expression has its own type
    return None if may_have_items else frozenset()


def _extracted(rule: Extract) -> Items:
    """A value that is read from a page is a text, unless it is JSON or a list."""
    may_have_items = rule.json_path is not None or rule.kind == "json" or rule.all or rule.has_default
    return None if may_have_items else frozenset()
