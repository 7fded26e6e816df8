"""The closed list of functions that templates may call.

Functions that use the visit (its random draws, cookies or pools) take a ``VisitContext`` as first argument, which templates
do not write. A catalog adds functions of its own in ``platforms/_functions.py``, marked ``@function``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import importlib.util
import inspect
import json
import random
import re
import unicodedata
import uuid as uuids
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from harness.errors import CatalogError, EnvironmentFault, Problem
from harness.pages.values import MissingValueError, as_text
from harness.profiles.numbers import grouped, number_in, whole_number
from harness.profiles.our_fault import OurFaultError
from harness.profiles.pools import CompiledPool
from harness.profiles.template import Function
from harness.statistics.keyed import keyed_random, keyed_seed

Marked = TypeVar("Marked", bound=Callable[..., Any])


@dataclass(slots=True)
class VisitContext:
    """What functions may use of a visit."""

    seed: int
    run: str
    visit: int
    serial: int  # the number of the visit in its run, without gaps
    sweep: str  # its name; of a visit outside a sweep, whatever no other visit has
    pools: Mapping[str, CompiledPool]
    secret: Callable[[str], str]
    cookie: Callable[[str], str | None]
    now: Callable[[], datetime]
    counters: dict[str, int] = field(default_factory=dict)
    draws: dict[str, int] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)  # secrets that were used; they are blanked wherever something is shown

    def index_for(self, purpose: str, count: int) -> int:
        """A seeded number below ``count`` for the n-th draw of a purpose."""
        number = self.draws[purpose] = self.draws.get(purpose, -1) + 1
        return keyed_seed(self.seed, self.run, self.visit, purpose, number) % count

    def random_for(self, purpose: str) -> random.Random:
        """A seeded generator for the n-th draw of a purpose."""
        number = self.draws[purpose] = self.draws.get(purpose, -1) + 1
        return keyed_random(self.seed, self.run, self.visit, purpose, number)


def in_context(wanted: Marked) -> Marked:
    """Marks a function that takes the ``VisitContext`` first."""
    wanted.in_context = True  # type: ignore[attr-defined]
    return wanted


def function(wanted: Marked) -> Marked:
    """Marks a typed, pure function of ``platforms/_functions.py`` that templates may call by its name."""
    wanted.template_function = True  # type: ignore[attr-defined]
    return wanted


def constants(**checks: Callable[[Any], object]) -> Callable[[Marked], Marked]:
    """Marks a function whose arguments are checked when the profile is, where they stand in the template; a check raises an error."""

    def mark(wanted: Marked) -> Marked:
        wanted.constants = checks  # type: ignore[attr-defined]
        return wanted

    return mark


def _separator(decimal: str) -> None:
    if decimal not in ("", ",", "."):
        raise ValueError("a decimal separator is ',' or '.'")


def _positive(count: int) -> None:
    if count < 1:
        raise ValueError("at least 1 is needed")


@constants(decimal=_separator)
def _number(text: object, decimal: str = "") -> int | float:
    return number_in(text, decimal)


@constants(pattern=re.compile)
def _match(pattern: str, text: object) -> bool:
    return bool(re.search(pattern, as_text(text)))


def _digest(name: str) -> Function:
    def digest(text: object) -> str:
        return hashlib.new(name, as_text(text).encode()).hexdigest()

    return digest


@constants(digest=hashlib.new)
def hmac_hex(key: object, text: object, digest: str = "sha256") -> str:
    """The HMAC of a text in hexadecimal."""
    return hmac.new(as_text(key).encode(), as_text(text).encode(), digest).hexdigest()


@constants(digest=hashlib.new)
def hmac_fields(key: object, fields: Mapping[str, object], separator: str = "|", digest: str = "sha256") -> str:
    """The HMAC over the values of named fields, in the alphabetical order of their names."""
    return hmac_hex(key, separator.join(as_text(fields[name]) for name in sorted(fields)), digest)


def unaccented(text: object) -> str:
    """A Vietnamese text without its marks: ``đăng ký`` becomes ``dang ky``."""
    plain = unicodedata.normalize("NFD", as_text(text).replace("đ", "d").replace("Đ", "D"))
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


@in_context
def _now(context: VisitContext, pattern: str = "%Y-%m-%dT%H:%M:%S%z", days: int = 0, minutes: int = 0) -> str:
    return (context.now() + timedelta(days=days, minutes=minutes)).strftime(pattern)


@in_context
def _unix_ms(context: VisitContext) -> int:
    return int(context.now().timestamp() * 1000)


@in_context
def _counter(context: VisitContext, name: str, start: int = 1) -> int:
    value = context.counters[name] = context.counters.get(name, start - 1) + 1
    return value


@in_context
def _random_int(context: VisitContext, low: int, high: int) -> int:
    return context.random_for("random_int").randint(low, high)


@in_context
@constants(count=_positive)
def _random_digits(context: VisitContext, count: int) -> str:
    return f"{context.random_for('random_digits').randrange(10**count):0{count}d}"


@in_context
@constants(count=_positive)
def _random_hex(context: VisitContext, count: int) -> str:
    return f"{context.random_for('random_hex').getrandbits(4 * count):0{count}x}"


@in_context
@constants(count=_positive)
def _unique_hex(context: VisitContext, count: int) -> str:
    return f"{context.random_for(f'unique_hex {context.sweep}').getrandbits(4 * count):0{count}x}"


@in_context
def _uuid(context: VisitContext) -> str:
    return str(uuids.UUID(int=context.random_for("uuid").getrandbits(128), version=4))


@in_context
def _pick(context: VisitContext, items: Sequence[Any]) -> Any:
    return items[context.index_for("pick", len(items))]


@in_context
def _take(context: VisitContext, pool: str) -> Mapping[str, str]:
    if pool not in context.pools:
        raise OurFaultError(f"there is no pool {pool!r} under `pools`, only {', '.join(context.pools) or 'none'}")
    rows, distinct, file = context.pools[pool]
    if distinct and context.serial >= len(rows):
        raise OurFaultError(f"{file}: pool {pool} has {len(rows)} rows, and visit {context.serial + 1} of the run needs one of its own")
    return rows[context.serial % len(rows)]


@in_context
def _secret(context: VisitContext, name: str) -> str:
    try:
        value = context.secret(name)
    except EnvironmentFault as error:
        raise OurFaultError(str(error)) from error
    context.hidden.add(value)
    return value


@in_context
def _cookie(context: VisitContext, name: str) -> str:
    value = context.cookie(name)
    if value is None:
        raise MissingValueError(f"there is no cookie {name}")
    return value


def _length(value: Any) -> int:
    return len(value)


def _join(separator: str, *items: object) -> str:
    flat = items[0] if len(items) == 1 and isinstance(items[0], list | tuple) else items
    return separator.join(as_text(item) for item in flat)


FUNCTIONS: Mapping[str, Function] = {
    # text
    "lower": lambda text: as_text(text).lower(),
    "upper": lambda text: as_text(text).upper(),
    "strip": lambda text: as_text(text).strip(),
    "replace": lambda text, old, new: as_text(text).replace(old, new),
    "join": _join,
    "split": lambda text, separator: as_text(text).split(separator),
    "match": _match,
    "unaccented": unaccented,
    "urlencode": lambda text: quote(as_text(text), safe=""),
    "urldecode": lambda text: unquote(as_text(text)),
    "html_escape": lambda text: html.escape(as_text(text)),
    "html_unescape": lambda text: html.unescape(as_text(text)),
    "base64": lambda text: base64.b64encode(as_text(text).encode()).decode(),
    "text": as_text,
    "json": lambda value: json.dumps(value, ensure_ascii=False),
    # numbers
    "number": _number,
    "int": whole_number,
    "grouped": grouped,
    "add": lambda first, second: first + second,
    # lists
    "length": _length,
    "first": lambda items: items[0],
    "last": lambda items: items[-1],
    # conditions
    "equals": lambda first, second: first == second,
    "differs": lambda first, second: first != second,
    "above": lambda value, limit: value > limit,
    "below": lambda value, limit: value < limit,
    "both": lambda first, second: bool(first) and bool(second),
    "either": lambda first, second: bool(first) or bool(second),
    "negate": lambda value: not value,
    # digests
    "md5": _digest("md5"),
    "sha1": _digest("sha1"),
    "sha256": _digest("sha256"),
    "sha512": _digest("sha512"),
    "hmac": hmac_hex,
    "hmac_fields": hmac_fields,
    # of the visit
    "now": _now,
    "unix_ms": _unix_ms,
    "counter": _counter,
    "random_int": _random_int,
    "random_digits": _random_digits,
    "random_hex": _random_hex,
    "unique_hex": _unique_hex,
    "uuid": _uuid,
    "pick": _pick,
    "take": _take,
    "secret": _secret,
    "cookie": _cookie,
}


def load_functions(*folders: Path) -> dict[str, Function]:
    """The closed list, and the ``@function``s of each catalog folder's ``platforms/_functions.py``.

    Raises CatalogError for a file that does not import, and for a function without types or with a name that is taken.
    """
    known = dict(FUNCTIONS)
    problems: list[Problem] = []
    for folder in folders:
        path = folder / "platforms" / "_functions.py"
        if path.is_file():
            known.update(_functions_of(path, problems))
    if problems:
        raise CatalogError(*problems)
    return known


def _functions_of(path: Path, problems: list[Problem]) -> dict[str, Function]:
    spec = importlib.util.spec_from_file_location(f"platform_functions_{abs(hash(str(path)))}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # any error of a user's file is one problem of that file
        problems.append(Problem(str(path), "file", f"{type(error).__name__}: {error}", "a module that imports", "Mend the file."))
        return {}
    found = {}
    for name, item in vars(module).items():
        if not getattr(item, "template_function", False):
            continue
        line = inspect.getsourcelines(item)[1]
        details = inspect.signature(item)
        untyped = [each.name for each in details.parameters.values() if each.annotation is inspect.Parameter.empty]
        if untyped or details.return_annotation is inspect.Signature.empty:
            value = f"without a type for {', '.join(untyped) or 'what it returns'}"
            problems.append(Problem(str(path), name, value, "types on every argument and on the result", "Annotate it.", line))
        elif name in FUNCTIONS:
            problems.append(Problem(str(path), name, "a name that is taken", "a name of its own", "Rename the function.", line))
        else:
            found[name] = item
    return found
