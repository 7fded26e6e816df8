"""Templates: Jinja2's syntax, cut down to names, items, constants and calls of a closed list of functions.

Jinja2 parses a template once; what runs is a closure over a scope (a dictionary). There are no filters, operators,
loops or conditions: a typed pure function beside the profiles does what needs more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from inspect import signature
from typing import Any, NamedTuple, TypeVar

from jinja2 import Environment, TemplateSyntaxError, nodes

from harness.pages.values import MissingValueError, as_text
from harness.profiles.our_fault import OurFaultError

_Node = TypeVar("_Node", bound=nodes.Node)
Scope = dict[str, Any]
Value = Callable[[Scope], Any]
Function = Callable[..., Any]

CONTEXT = "\x00visit"
"""The key of the ``VisitContext`` in the scope; no template can name it."""


class TemplateError(ValueError):
    """A template that is not in the language."""


class TemplateUses(NamedTuple):
    """The values and functions that a template names."""

    items: frozenset[tuple[str, str]] = frozenset()  # `person.name`: (person, name)
    calls: frozenset[tuple[str, str]] = frozenset()  # `secret('key')`: (secret, key); functions with a constant text as first argument
    columns: frozenset[tuple[str, str]] = frozenset()  # `take('codes').code`: (codes, code)
    row_of: str = ""  # the pool, where the template is `take('codes')` and nothing else

    def joined(self, others: Iterable[TemplateUses]) -> TemplateUses:
        """What this one and others take together."""
        every = [self, *others]
        return TemplateUses(*(frozenset().union(*(each[index] for each in every)) for index in range(3)))  # type: ignore[arg-type]


class Compiled(NamedTuple):
    """A template as a function of the scope, the names it needs, and what else it takes."""

    value: Value
    names: frozenset[str] = frozenset()
    uses: TemplateUses = TemplateUses()
    is_constant: bool = False


ValueCompiler = Callable[[Any], Compiled]
"""Compiles one value of a profile: a text, or nested data with texts in it."""
_NEVER = "\x00"
_ENVIRONMENT = Environment(
    autoescape=False,  # noqa: S701  (it only parses)
    keep_trailing_newline=True,
    comment_start_string=f"{_NEVER}#",
    comment_end_string=f"#{_NEVER}",
)
"""Without comments: what stands between ``{#`` and ``#}`` would be sent without them."""


def compile_template(source: str, functions: Mapping[str, Function]) -> Compiled:
    """A template; its value is that of its single expression, or a text where it holds more than one expression.

    Raises TemplateError for what is not in the language.
    """
    if "{{" not in source and "{%" not in source:
        return Compiled(lambda _scope: source, is_constant=True)
    try:
        tree = _ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        raise TemplateError(f"not a template: {error.message}") from error
    parts: list[nodes.Node] = []
    for node in tree.body:
        if not isinstance(node, nodes.Output):
            raise TemplateError(f"{{% {type(node).__name__.lower()} %}} is not in the language: only {{{{ names and function calls }}}}")
        parts.extend(node.nodes)
    names, uses = _names(parts), _uses(parts)
    if len(parts) == 1 and not isinstance(parts[0], nodes.TemplateData):
        return Compiled(_expression(parts[0], functions), names, uses)
    texts = [_part(node, functions) for node in parts]
    return Compiled(lambda scope: "".join([text(scope) for text in texts]), names, uses)


def compile_value(data: Any, functions: Mapping[str, Function]) -> Compiled:
    """Nested plain data with templates in it, in names too. A text that is one expression has the type of that expression."""
    if isinstance(data, str):
        return compile_template(data, functions)
    if isinstance(data, Mapping):
        entries = [(compile_value(name, functions), compile_value(item, functions)) for name, item in data.items()]
        return _together(_mapping(entries), [each for entry in entries for each in entry])
    if isinstance(data, list | tuple):
        items = [compile_value(item, functions) for item in data]
        each = [item.value for item in items]
        return _together(lambda scope: [value(scope) for value in each], items)
    return Compiled(lambda _scope: data, is_constant=True)


def text_or_none(compiled: Compiled, scope: Scope) -> str | None:
    """The text of a template, or None where the profile has none."""
    value = compiled.value(scope)
    return None if compiled.is_constant and value is None else as_text(value)


def _mapping(entries: Sequence[tuple[Compiled, Compiled]]) -> Value:
    """A mapping whose names may be templates too; two names that come out alike are an error."""
    if all(name.is_constant for name, _ in entries):
        plain = [(name.value({}), value.value) for name, value in entries]
        return lambda scope: {name: value(scope) for name, value in plain}
    values = [(name.value, value.value, name.is_constant) for name, value in entries]

    def mapping(scope: Scope) -> dict[Any, Any]:
        found = {name(scope) if constant else as_text(name(scope)): value(scope) for name, value, constant in values}
        if len(found) < len(values):
            raise MissingValueError(f"two names are alike among {', '.join(map(str, found))}")
        return found

    return mapping


def _together(value: Value, items: Collection[Compiled]) -> Compiled:
    return Compiled(value, frozenset().union(*(item.names for item in items)), TemplateUses().joined(item.uses for item in items))


def _part(node: nodes.Node, functions: Mapping[str, Function]) -> Value:
    if isinstance(node, nodes.TemplateData):
        text = node.data
        return lambda _scope: text
    inner = _expression(node, functions)
    return lambda scope: as_text(inner(scope))


def _expression(node: nodes.Node, functions: Mapping[str, Function]) -> Value:
    if isinstance(node, nodes.Const):
        constant = node.value
        return lambda _scope: constant
    if isinstance(node, nodes.Name):
        return _name(node.name)
    if isinstance(node, nodes.Getattr):
        return _item(node.node, node.attr, functions)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return _item(node.node, node.arg.value, functions)
    if isinstance(node, nodes.Getitem):
        owner, key = _expression(node.node, functions), _expression(node.arg, functions)
        return lambda scope: _get(owner(scope), key(scope))
    if isinstance(node, nodes.Call):
        return _call(node, functions)
    if isinstance(node, nodes.Neg) and isinstance(node.node, nodes.Const):
        negative = -node.node.value
        return lambda _scope: negative
    raise TemplateError(f"{type(node).__name__} is not in the language: names, items, constants and function calls are")


def _name(name: str) -> Value:
    def value(scope: Scope) -> Any:
        try:
            return scope[name]
        except KeyError:
            raise MissingValueError(f"`{name}` is not known") from None

    return value


def _item(owner: nodes.Node, key: Any, functions: Mapping[str, Function]) -> Value:
    if isinstance(owner, nodes.Name):
        return _item_of_name(owner.name, key)
    inner = _expression(owner, functions)
    return lambda scope: _get(inner(scope), key)


def _item_of_name(name: str, key: Any) -> Value:
    def value(scope: Scope) -> Any:
        try:
            return scope[name][key]
        except (KeyError, IndexError, TypeError):
            raise MissingValueError(f"`{name}.{key}` is not known" if name in scope else f"`{name}` is not known") from None

    return value


def _get(owner: Any, key: Any) -> Any:
    try:
        return owner[key]
    except (KeyError, IndexError, TypeError):
        raise MissingValueError(f"there is no `{key}` in {_shown(owner)}") from None


def _call(node: nodes.Call, functions: Mapping[str, Function]) -> Value:
    if not isinstance(node.node, nodes.Name) or node.dyn_args or node.dyn_kwargs:
        raise TemplateError("only functions of the list are called, by their names")
    name = node.node.name
    if name not in functions:
        raise TemplateError(f"there is no function {name}; there are {', '.join(sorted(functions))}")
    function = functions[name]
    arguments = [_expression(argument, functions) for argument in node.args]
    named = {keyword.key: _expression(keyword.value, functions) for keyword in node.kwargs}
    _check_arguments(name, function, node)
    in_context = getattr(function, "in_context", False)

    def value(scope: Scope) -> Any:
        values = [argument(scope) for argument in arguments]
        keywords = {key: argument(scope) for key, argument in named.items()}
        try:
            return function(scope[CONTEXT], *values, **keywords) if in_context else function(*values, **keywords)
        except (TypeError, ValueError, LookupError) as error:
            raise MissingValueError(f"{name}(…) failed: {error}") from error
        except (MissingValueError, OurFaultError):
            raise
        except Exception as error:  # whatever else a function of ``platforms/_functions.py`` raises
            raise OurFaultError(f"function {name} failed: {type(error).__name__}: {error}") from error

    return value


def _check_arguments(name: str, function: Function, call: nodes.Call) -> None:
    """Whether a function takes these arguments, and those of them that stand in the template: a wrong one would fail every visit."""
    extra = [None] if getattr(function, "in_context", False) else []
    try:
        given = signature(function).bind(*extra, *call.args, **{each.key: each.value for each in call.kwargs}).arguments
    except TypeError as error:
        raise TemplateError(f"{name}{signature(function)}: {error}") from error
    for key, check in getattr(function, "constants", {}).items():
        if isinstance(constant := given.get(key), nodes.Const):
            try:
                check(constant.value)
            except Exception as error:
                raise TemplateError(f"{name}: {key} {constant.value!r} cannot be used: {error}") from error


def _every(parts: Sequence[nodes.Node], kind: type[_Node]) -> Iterator[_Node]:
    """Every node of a kind, the parts themselves included."""
    for part in parts:
        if isinstance(part, kind):
            yield part
        yield from part.find_all(kind)


def _uses(parts: Sequence[nodes.Node]) -> TemplateUses:
    items, columns = set(), set()
    for owner, key in _constant_items(parts):
        if isinstance(owner, nodes.Name):
            items.add((owner.name, key))
        elif isinstance(owner, nodes.Call) and (call := _constant_call(owner)) and call[0] == "take":
            columns.add((call[1], key))
    calls = frozenset(call for node in _every(parts, nodes.Call) if (call := _constant_call(node)))
    only = _constant_call(parts[0]) if len(parts) == 1 and isinstance(parts[0], nodes.Call) else None
    return TemplateUses(frozenset(items), calls, frozenset(columns), only[1] if only and only[0] == "take" else "")


def _constant_items(parts: Sequence[nodes.Node]) -> Iterator[tuple[nodes.Node, str]]:
    for node in _every(parts, nodes.Getattr):
        yield node.node, node.attr
    for item in _every(parts, nodes.Getitem):
        if isinstance(item.arg, nodes.Const):
            yield item.node, str(item.arg.value)


def _constant_call(node: nodes.Call) -> tuple[str, str] | None:
    """The function and its first argument, where that is a constant text."""
    first = node.args[0] if node.args else None
    if isinstance(node.node, nodes.Name) and isinstance(first, nodes.Const) and isinstance(first.value, str):
        return node.node.name, first.value
    return None


def _names(parts: Sequence[nodes.Node]) -> frozenset[str]:
    called = {id(call.node) for call in _every(parts, nodes.Call)}
    return frozenset(name.name for name in _every(parts, nodes.Name) if id(name) not in called)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
