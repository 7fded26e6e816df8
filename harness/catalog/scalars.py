"""What a single value of a YAML file means: what is written, or an error that asks for quotation marks.

YAML 1.1, YAML 1.2 and a reader's eye take ``00025``, ``on``, ``1_000``, ``0x1F``, ``12:30`` and ``~`` for different things.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator

from harness.catalog.text_file import BLANK_EDGE
from harness.errors import visible

TAG = "tag:yaml.org,2002:"
QUOTED = ("'", '"', "|", ">")
"""Styles of scalars that are texts by themselves."""
QUOTE_OR = "Put it in quotation marks if a text is meant, or write it in the other way."
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$")
_DECIMAL = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_SCALARS = yaml.SafeLoader("")


class UnclearScalarError(Exception):
    """A value that may mean two things, or nothing: what stands there, what was expected, what to do."""

    def __init__(self, value: str, expected: str, remedy: str) -> None:
        super().__init__(value)
        self.value, self.expected, self.remedy = value, expected, remedy


class _Respelled(float):
    """A number that JSON would write in another way, such as 1.50. Pydantic makes a plain number of it where one is asked for."""

    written: str
    line: int


class _Numeral(str):
    """A number that JSON knows and YAML 1.1 reads as text, such as 1e3. In a field for text, pydantic turns it into a plain str."""

    __slots__ = ("line",)
    line: int

    @property
    def written(self) -> str:
        return str(self)


class MisreadError(ValueError):
    """A value that may be a text or a number."""

    def __init__(self, value: _Respelled | _Numeral) -> None:
        super().__init__("a number as JSON writes it, or a text in quotation marks")
        self.value = value


def _kept(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _kept(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_kept(item) for item in value]
    if isinstance(value, _Respelled) and value.written == yaml.safe_dump(float(value)).split("\n")[0]:
        return float(value)  # 1.0e-05: YAML has no other way to write it
    if isinstance(value, _Respelled | _Numeral):
        raise MisreadError(value)
    return value


def _sendable(value: Any) -> Any:
    if isinstance(value, list):
        return [_sent(item) for item in value]
    return _sent(value)


def _sent(value: Any) -> Any:
    if value is None or isinstance(value, dict | list):
        raise ValueError("a text, a number, true, false, or a list of these; an empty text is ''")
    return value.written if isinstance(value, _Respelled | _Numeral) else value


AnyValue = Annotated[Any, AfterValidator(_kept)]
"""Any value that keeps its type: text, number, true, false, null, list, mapping."""
SentValue = Annotated[Any, AfterValidator(_sendable)]
"""A value that is sent as the text that is written, or a list of such values."""


class Dumper(yaml.SafeDumper):
    """Writes YAML that is read as it was: texts that JSON takes for numbers stand in quotation marks too, and those with blank edges or unseen characters.

    Within double quotation marks, a terminal may be shown an escape in the place of such a character.
    """


def _represented(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar(TAG + "str", text, style=None if visible(text, keep="\n\t") == text else '"')


Dumper.add_representer(str, _represented)
Dumper.add_implicit_resolver("tag:yaml.org,2002:numeral", _JSON_NUMBER, [*"-0123456789"])
Dumper.add_implicit_resolver("tag:yaml.org,2002:edges", BLANK_EDGE, None)


def yaml_text(data: Any) -> str:
    """Data as YAML, its keys in their order."""
    return str(yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=150))


def as_moment(value: Any) -> Any:
    """A text that YAML takes for a date or a time as such; everything else as it is. Raises ValueError for a day that never was."""
    if isinstance(value, str) and _SCALARS.timestamp_regexp.match(value):
        return _SCALARS.construct_yaml_timestamp(yaml.ScalarNode(TAG + "timestamp", value))
    return value


def scalar_value(node: yaml.ScalarNode) -> Any:
    """What a scalar says; raises UnclearScalarError."""
    kind = node.tag.removeprefix(TAG)
    if kind in ("str", "timestamp", "value"):  # a date is a text wherever no key asks for a time; `=` is one, too
        return _numeral(node) if _looks_like_a_number(node) else node.value
    if kind not in ("int", "float", "bool", "null"):
        raise UnclearScalarError(f"{node.tag} {node.value}", "a plain YAML value", "Remove the tag.")
    try:
        value = _SCALARS.construct_object(node)
    except (yaml.YAMLError, ValueError, ArithmeticError) as error:
        raise UnclearScalarError(node.value, "a plain YAML value", f"Mend it ({error}).") from error
    spelled = _spelled(value)
    if spelled == node.value or (value is None and node.value == ""):
        return value
    finite = kind != "float" or math.isfinite(value)
    if kind == "float" and finite and _DECIMAL.fullmatch(node.value):
        respelled = _Respelled(value)
        respelled.written, respelled.line = node.value, line_of(node)
        return respelled
    expected = f"“{node.value}” in quotation marks, or {spelled if finite else 'a finite number'} without"
    raise UnclearScalarError(f"{node.value} without quotation marks, which YAML 1.1 reads as {spelled}", expected, QUOTE_OR)


def line_of(node: yaml.Node | yaml.Event) -> int:
    """The line on which a node or an event begins, from 1."""
    return node.start_mark.line + 1 if node.start_mark else 1


def _looks_like_a_number(node: yaml.ScalarNode) -> bool:
    """Whether JSON takes a text of YAML 1.1 for a number: neither quotation marks nor a tag say that it is a text."""
    if node.style in QUOTED or not _JSON_NUMBER.match(node.value):
        return False
    return bool(_SCALARS.resolve(yaml.ScalarNode, node.value, (True, False)) == node.tag)  # type: ignore[no-untyped-call]


def _numeral(node: yaml.ScalarNode) -> _Numeral:
    found = _Numeral(node.value)
    found.line = line_of(node)
    return found


def _spelled(value: Any) -> str:
    """A value as JSON and YAML 1.2 write it."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else "null" if value is None else repr(value)
