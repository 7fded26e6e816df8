"""What a platform profile may ask of an answer: its status, texts, elements, JSON, addresses, headers and size."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from harness.catalog.ids import Name
from harness.catalog.profile_texts import Css, JsonPath, Pattern, Plain, SoughtPlain, SoughtTemplate, checked_pattern
from harness.catalog.reading import CatalogModel
from harness.catalog.scalars import AnyValue

_Count = Annotated[int, Field(ge=0)]
_SOME = Field(min_length=1)  # a rule that is written holds something
Blame = Literal["portal", "ours"]
"""Whose failure a forbidden answer is. It is ours if the portal rightly refuses our test data, or if our test data is used up."""


class TextRule(CatalogModel):
    """A text that must, or must not, be in an answer, and what it means when that fails."""

    text: SoughtTemplate
    ignore_case: bool = False
    means: Plain = ""
    blame: Blame = "portal"


class SelectorRule(CatalogModel):
    """A selector that must, or must not, match, and what it means when that fails."""

    css: Css
    containing: SoughtTemplate | None = None  # only an element whose text contains this
    means: Plain = ""
    blame: Blame = "portal"


class AddressRule(CatalogModel):
    """A pattern that an address must match, and what it means when it does not."""

    matches: Pattern
    means: Plain = ""


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _text_rule(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


def _selector_rule(value: Any) -> Any:
    return {"css": value} if isinstance(value, str) else value


def _address_rule(value: Any) -> Any:
    return {"matches": checked_pattern(value)} if isinstance(value, str) else value


Address = Annotated[AddressRule, BeforeValidator(_address_rule)]
Texts = Annotated[tuple[Annotated[TextRule, BeforeValidator(_text_rule)], ...], _SOME, BeforeValidator(_as_list)]
Selectors = Annotated[tuple[Annotated[SelectorRule, BeforeValidator(_selector_rule)], ...], _SOME, BeforeValidator(_as_list)]


class ValueRule(CatalogModel):
    """A condition on an extracted value; exactly one of the comparisons."""

    equals: AnyValue = None
    matches: Pattern | None = None
    above: float | None = None
    below: float | None = None
    present: bool | None = None  # false: there must be no value
    means: Plain = ""
    blame: Blame = "portal"

    @property
    def forbids(self) -> bool:
        """Whether it names what must not be there."""
        return self.present is False or self.equals is False

    @model_validator(mode="after")
    def _one_comparison(self) -> ValueRule:
        given = {"equals", "matches", "above", "below", "present"} & self.model_fields_set
        if len(given) != 1:
            raise ValueError("exactly one of equals, matches, above, below, present")
        return self


class JsonRule(ValueRule):
    """A condition on a JSON answer."""

    path: JsonPath


def _value_rule(value: Any) -> Any:
    return value if isinstance(value, Mapping) else {"equals": value}


def _status(value: Any) -> int | str:
    if isinstance(value, int) and 100 <= value <= 599:
        return value
    if isinstance(value, str) and re.fullmatch("[1-5]xx", value):
        return value
    raise ValueError("a status from 100 to 599 without quotation marks, or 1xx, 2xx, 3xx, 4xx, 5xx")


Status = Annotated[int | str, PlainValidator(_status)]
Statuses = Annotated[tuple[Status, ...], _SOME, BeforeValidator(_as_list)]


def status_set(statuses: Sequence[int | str]) -> frozenset[int]:
    """The status numbers that ``200`` or ``"2xx"`` stand for."""
    numbers = ({status} if isinstance(status, int) else range(int(status[0]) * 100, int(status[0]) * 100 + 100) for status in statuses)
    return frozenset().union(*numbers)


class StatusRule(CatalogModel):
    """Statuses that an answer must not have, and what they mean."""

    status: Statuses
    means: Plain = ""
    blame: Blame = "portal"


def _status_rule(value: Any) -> Any:
    return value if isinstance(value, Mapping) else {"status": value}


def _status_rules(value: Any) -> Any:
    return [_status_rule(item) for item in _as_list(value)]


_OF_ANY_PAGE = frozenset({"*", "html", "head", "body"})


class Expect(CatalogModel):
    """What an answer must be. A broken rule on the body is a failure, whatever the status."""

    status: Statuses = ("2xx",)
    forbid_status: Annotated[tuple[StatusRule, ...], _SOME, BeforeValidator(_status_rules)] = ()
    require_text: Texts = ()
    forbid_text: Texts = ()
    require_selector: Selectors = ()
    forbid_selector: Selectors = ()
    json_rules: Annotated[tuple[JsonRule, ...], _SOME, BeforeValidator(_as_list), Field(alias="json")] = ()
    values: dict[Name, Annotated[ValueRule, BeforeValidator(_value_rule)]] = Field(default_factory=dict)  # by name of an extracted value
    redirect_to: Address | None = None  # the absolute Location of one of the hops
    final_url: Address | None = None
    content_type: SoughtPlain | None = None  # how it begins
    header: dict[Plain, Pattern] = Field(default_factory=dict)
    bytes_min: _Count = 0
    bytes_max: _Count | None = None

    @model_validator(mode="after")
    def _ours_is_named(self) -> Expect:
        """Only what an answer contains can show our fault. If something is missing, the reason may be anything."""
        wanted = [rule.blame for rule in self.require_text] + [rule.blame for rule in self.require_selector]
        wanted += [rule.blame for rule in (*self.json_rules, *self.values.values()) if not rule.forbids]
        if "ours" in wanted:
            raise ValueError(
                "`blame: ours` only with forbid_text, forbid_selector, forbid_status, or a JSON rule with `present: false` or `equals: false`"
            )
        return self

    @model_validator(mode="after")
    def _can_fail(self) -> Expect:
        if self.final_url is not None and re.search(self.final_url.matches, ""):
            raise ValueError(f"a pattern in `final_url` that some addresses do not match; {self.final_url.matches!r} matches all")
        if self.bytes_max is not None and self.bytes_max < self.bytes_min:
            raise ValueError(f"`bytes_max` of at least `bytes_min`, {self.bytes_min}: no answer is both")
        for rule in self.require_selector:
            if rule.css.strip() in _OF_ANY_PAGE and rule.containing is None:
                raise ValueError(f"an element in `require_selector` that some pages lack; any HTML page has {rule.css}, an error page too")
        return self

    @property
    def says_something(self) -> bool:
        """Whether it holds a rule that can fail."""
        return bool(self.model_fields_set - (set() if self.bytes_min else {"bytes_min"}))
