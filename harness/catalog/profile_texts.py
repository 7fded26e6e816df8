"""The texts of a platform profile: templates, and texts that must not be templates. Each is checked when the file is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import jmespath
from jmespath.functions import Functions
from pydantic import AfterValidator
from selectolax.lexbor import LexborHTMLParser

_EMPTY_PAGE = LexborHTMLParser("<p></p>")
_UNSEEN = re.compile("[\\s\u00ad\u200b-\u200f\u2060\ufeff]*")


def _plain(value: str) -> str:
    if "{{" in value or "{%" in value:
        raise ValueError("a text without {{ … }}: this key is no template")
    return value


def _selector(value: str) -> str:
    if "{{" in value:
        raise ValueError("a CSS selector without {{ … }}: it is no template; `containing` is one")
    try:
        _EMPTY_PAGE.css(value)
    except Exception as error:  # selectolax raises several kinds of exceptions here
        raise ValueError(f"a CSS selector ({error})") from error
    return value


def checked_pattern(value: str) -> str:
    """The regular expression, unchanged; raises ValueError if the text is not one, or is a template."""
    if "{{" in value:
        raise ValueError(
            "a regular expression without {{ … }}: it is no template; compare values in `expect.values`, and write \\{\\{ for braces"
        )
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from error
    return value


def _json_path(value: str) -> str:
    if "{{" in value:
        raise ValueError("a JMESPath expression without {{ … }}: it is no template; compare values by `equals`")
    try:
        compiled = jmespath.compile(value)
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(f"a JMESPath expression ({str(error).splitlines()[0]})") from error
    for name, count in _calls(compiled.parsed):
        known = Functions.FUNCTION_TABLE.get(name)
        if known is None:
            raise ValueError(f"a JMESPath expression (there is no function {name}, only {', '.join(sorted(Functions.FUNCTION_TABLE))})")
        wanted = known["signature"]
        variadic = bool(wanted) and bool(wanted[-1].get("variadic"))
        if count < len(wanted) or (count > len(wanted) and not variadic):
            raise ValueError(f"a JMESPath expression ({name} takes {len(wanted)} values, not {count})")
    return value


def _calls(node: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The functions that a parsed JMESPath expression calls, each with the number of its arguments."""
    if node["type"] == "function_expression":
        yield node["value"], len(node["children"])
    for child in node["children"]:
        if isinstance(child, Mapping):
            yield from _calls(child)


def _seen(value: str) -> str:
    if _UNSEEN.fullmatch(value):
        raise ValueError("a text that can be seen: nothing and white space are in every answer")
    return value


def _header_name(value: str) -> str:
    if value.lower() in ("host", "content-length", "transfer-encoding", "connection"):
        raise ValueError("a header that a profile may set: this one is made for each request")
    if "{{" not in value and not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", value):
        raise ValueError("the name of a header: letters, digits and hyphens")
    return value


def _condition(value: str) -> str:
    return _expression(value, "any other text is always true")


def _list(value: str) -> str:
    return _expression(value, "its value is a list")


def _expression(value: str, why: str) -> str:
    """A text that is one expression. A missing brace is found later, when the profile is compiled."""
    value = value.strip()
    opened, closed = value.count("{{"), value.count("}}")
    if not opened or (opened == closed and not (opened == 1 and value.startswith("{{") and value.endswith("}}"))):
        raise ValueError(f"one expression in {{{{ … }}}} and nothing beside it: {why}")
    return value


Css = Annotated[str, AfterValidator(_selector)]
Pattern = Annotated[str, AfterValidator(checked_pattern)]
JsonPath = Annotated[str, AfterValidator(_json_path)]
Template = str
SoughtTemplate = Annotated[Template, AfterValidator(_seen)]
"""A template whose text is looked for."""
ConditionTemplate = Annotated[Template, AfterValidator(_condition)]
ListTemplate = Annotated[Template, AfterValidator(_list)]
HeaderName = Annotated[Template, AfterValidator(_header_name)]
Plain = Annotated[str, AfterValidator(_plain)]
"""A text that is not rendered."""
SoughtPlain = Annotated[Plain, AfterValidator(_seen)]
