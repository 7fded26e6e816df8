"""The keys of a platform profile: what a request sends, what its answer must be, what is learned from it.

A text value may be a template (``{{ name }}``), and so may the names in ``set``, ``add``, ``choose``, ``fields``, ``query``,
``headers`` and JSON. What is no template is refused with one in it. Selectors and patterns are checked when the file is read,
templates when the profile is compiled. This module holds data only; ``harness.profiles`` and ``harness.visits`` act on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import jmespath
from jmespath.functions import Functions
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator
from selectolax.lexbor import LexborHTMLParser

from harness.catalog.reading import CatalogModel
from harness.catalog.scalars import AnyValue, SentValue

_EMPTY_PAGE = LexborHTMLParser("<p></p>")
_UNSEEN = re.compile("[\\s\u00ad\u200b-\u200f\u2060\ufeff]*")
METHODS = ("get", "post", "put", "patch", "delete", "head")

ITEMS: Mapping[str, frozenset[str]] = {
    "person": frozenset(
        {
            "name", "family_name", "given_name", "citizen_number", "phone", "email", "address", "birth_date", "birth_date_iso", "password", "otp",
        }
    ),
    "dossier": frozenset({"applicant", "citizen_number", "phone", "email", "address", "birth_date", "note"}),
    "page": frozenset({"url", "status"}),
    "form": frozenset({"action", "method", "fields"}),
}  # fmt: skip
"""The items of the values that templates of every profile know. Test identities may give a person more."""


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


def _pattern(value: str) -> str:
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
    """A text that is one expression; a brace that is missing is found when the profile is compiled."""
    value = value.strip()
    opened, closed = value.count("{{"), value.count("}}")
    if not opened or (opened == closed and not (opened == 1 and value.startswith("{{") and value.endswith("}}"))):
        raise ValueError(f"one expression in {{{{ … }}}} and nothing beside it: {why}")
    return value


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


Css = Annotated[str, AfterValidator(_selector)]
Pattern = Annotated[str, AfterValidator(_pattern)]
JsonPath = Annotated[str, AfterValidator(_json_path)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Template = str
SoughtTemplate = Annotated[Template, AfterValidator(_seen)]
"""A template whose text is looked for."""
ConditionTemplate = Annotated[Template, AfterValidator(_condition)]
HeaderName = Annotated[Template, AfterValidator(_header_name)]
Plain = Annotated[str, AfterValidator(_plain)]
"""A text that is not rendered."""
_Count = Annotated[int, Field(ge=0)]


Blame = Literal["portal", "ours"]
"""Whose failure a forbidden answer is: ours where the portal rightly refuses our test data, or where our test stock is used up."""


class TextRule(CatalogModel):
    """A text that must, or must not, be in an answer, and what it means when that fails."""

    text: SoughtTemplate
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


def _text_rule(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


def _selector_rule(value: Any) -> Any:
    return {"css": value} if isinstance(value, str) else value


def _address_rule(value: Any) -> Any:
    return {"matches": _pattern(value)} if isinstance(value, str) else value


Address = Annotated[AddressRule, BeforeValidator(_address_rule)]
_SOME = Field(min_length=1)  # a rule that is written holds something
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


class Expect(CatalogModel):
    """What an answer must be. A broken rule on the body is a failure, whatever the status."""

    status: Statuses = ("2xx",)
    forbid_status: Annotated[tuple[StatusRule, ...], _SOME, BeforeValidator(_status_rules)] = ()
    require_text: Texts = ()
    forbid_text: Texts = ()
    require_selector: Selectors = ()
    forbid_selector: Selectors = ()
    json_rules: Annotated[tuple[JsonRule, ...], _SOME, BeforeValidator(_as_list), Field(alias="json")] = ()
    values: dict[Name, Annotated[ValueRule, BeforeValidator(_value_rule)]] = Field(default_factory=dict)  # of what the request extracts
    redirect_to: Address | None = None  # the absolute Location of one of the hops
    final_url: Address | None = None
    content_type: Annotated[Plain, AfterValidator(_seen)] | None = None  # its beginning
    header: dict[Plain, Pattern] = Field(default_factory=dict)
    bytes_min: _Count = 0
    bytes_max: _Count | None = None

    @model_validator(mode="after")
    def _ours_is_named(self) -> Expect:
        """Only what is there can be our fault: anything may be the reason that something is missing."""
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
        return self

    @property
    def says_something(self) -> bool:
        """Whether it holds a rule that can fail."""
        return bool(self.model_fields_set - (set() if self.bytes_min else {"bytes_min"}))


class ElementRule(CatalogModel):
    """One element of several, by what is in it: a form, a row of a table, a card."""

    css: Css
    containing: SoughtTemplate | None = None
    with_field: Template | None = None  # a control of this name is in it


def _element_rule(value: Any) -> Any:
    return {"css": value} if isinstance(value, str) else value


def _which(value: Any) -> Any:
    if value in ("first", "last", "random") or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ValueError("first, last, random, or a number, counted from 0")


class Extract(CatalogModel):
    """One value taken out of an answer. A missing value fails the step, unless ``default`` is given."""

    css: Css | None = None
    json_path: Annotated[JsonPath | None, Field(alias="json")] = None
    regex: Pattern | None = None
    header: Plain | None = None
    url: Pattern | None = None  # over the final URL
    cookie: Plain | None = None
    attr: Plain | None = None  # of the element; without it, its text
    text: bool = True
    containing: SoughtTemplate | None = None  # only elements whose text contains this
    within: Annotated[ElementRule | None, BeforeValidator(_element_rule)] = None
    all: bool = False
    one: Annotated[Literal["first", "last", "random"] | int, PlainValidator(_which)] = "first"
    match: Pattern | None = None  # narrow the value: group 1, or the whole match
    unescape: bool = False  # HTML entities
    kind: Annotated[Literal["str", "int", "number", "json"] | None, Field(alias="as")] = None
    allow_empty: bool = False
    default: AnyValue = None

    @model_validator(mode="after")
    def _one_source(self) -> Extract:
        given = {"css", "json_path", "regex", "header", "url", "cookie"} & self.model_fields_set
        if len(given) != 1:
            raise ValueError("exactly one of css, json, regex, header, url, cookie")
        if self.css is None and ({"attr", "containing", "within"} & self.model_fields_set):
            raise ValueError("attr, containing and within go with css only")
        return self

    @property
    def has_default(self) -> bool:
        """Whether a missing value is accepted."""
        return "default" in self.model_fields_set


class Option(CatalogModel):
    """An option that the page itself offers."""

    containing: SoughtTemplate | None = None
    pick: Literal["first", "last", "random"] = "first"


class Matching(CatalogModel):
    """A value for fields whose names change with every page; they are found by a pattern or by a selector."""

    name: Pattern | None = None
    css: Css | None = None  # within the form
    value: SentValue = None
    choose: Option | None = None

    @model_validator(mode="after")
    def _one_way_each(self) -> Matching:
        if (self.name is None) == (self.css is None):
            raise ValueError("exactly one of name, css")
        if ("value" in self.model_fields_set) == (self.choose is not None):
            raise ValueError("exactly one of value, choose")
        return self


class Form(CatalogModel):
    """A form of a page with every value that a browser would send, then changed."""

    from_page: Annotated[ElementRule, BeforeValidator(_element_rule)]
    page: Name | None = None  # a page kept earlier by `keep_page`; without it, the actor's current one
    set: dict[str, SentValue] = Field(default_factory=dict)  # the field must be there
    set_matching: tuple[Matching, ...] = ()
    choose: dict[str, Option] = Field(default_factory=dict)
    add: dict[str, SentValue] = Field(default_factory=dict)  # as scripts of the page would
    drop: tuple[Template, ...] = ()
    press: Css | None = None  # the button: its name and value are sent, its formaction is used


class File(CatalogModel):
    """A valid file of a type, padded to a size."""

    type: Literal["pdf", "png", "jpg", "docx", "txt"] = "pdf"
    size_bytes: Annotated[int, Field(ge=0, le=50_000_000)] = 20_000
    filename: Template | None = None


class NamedFile(File):
    """A file in a field of a multipart body."""

    name: Template


class Poll(CatalogModel):
    """Send again until the answer is this; the waits are recorded apart from the requests."""

    until: Expect
    every_s: Annotated[float, Field(gt=0)] = 2.0
    limit_s: Annotated[float, Field(gt=0)] = 60.0

    @model_validator(mode="after")
    def _waits_for_something(self) -> Poll:
        if not self.until.says_something:
            raise ValueError("at least one rule in `until`: an empty one holds at once")
        if self.until.values:
            raise ValueError("no `values` in `until`: nothing is extracted before it holds; use `json` or `require_text`")
        if self.limit_s < self.every_s:
            raise ValueError("`limit_s` of at least `every_s`: the request would never be sent again")
        return self


class Repeat(CatalogModel):
    """Repeat: a number of times, or once for each item of a list."""

    times: Annotated[int, Field(ge=1, le=100)] | None = None
    over: Annotated[Template, AfterValidator(_list)] | None = None
    item: Name = "item"

    @model_validator(mode="after")
    def _one_way(self) -> Repeat:
        if (self.times is None) == (self.over is None):
            raise ValueError("exactly one of times, over")
        return self


class ReceiptRule(CatalogModel):
    """The portal has acknowledged something under this code, which must be unique."""

    code: Template
    kind: Literal["dossier", "payment", "withdrawal"] = "dossier"
    keep: tuple[Name, ...] = ()  # learned values that a later withdrawal needs


class Confirmation(CatalogModel):
    """The portal shows something that it acknowledged before."""

    code: Template


class Request(CatalogModel):
    """One request, the redirects it leads to, what its answer must be and what is learned from it."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    get: Template | None = None
    post: Template | None = None
    put: Template | None = None
    patch: Template | None = None
    delete: Template | None = None
    head: Template | None = None
    only_if: ConditionTemplate | None = None
    skip_if: ConditionTemplate | None = None
    let: dict[Name, AnyValue] = Field(default_factory=dict)
    query: dict[str, SentValue] = Field(default_factory=dict)
    headers: dict[HeaderName, Template] = Field(default_factory=dict)
    bearer: Name | None = None
    form: Form | None = None
    fields: dict[str, SentValue] | None = None
    files: tuple[NamedFile, ...] = ()
    json_body: Annotated[AnyValue, Field(alias="json")] = None
    body: Template | None = None
    upload: File | None = None
    content_type: Plain | None = None
    empty: bool = False
    follow: tuple[Literal["http", "meta", "script"], ...] = ("http",)  # []: follow nothing
    hops_max: Annotated[int, Field(ge=0, le=30)] = 10
    expect: Expect = Field(default_factory=Expect)
    everywhere: bool = True  # the platform's `expect_everywhere` holds here too
    extract: dict[Name, Extract] = Field(default_factory=dict)
    receipt: ReceiptRule | None = None
    confirms: Confirmation | None = None
    poll: Poll | None = None
    repeat: Repeat | None = None
    keep_page: Name | None = None
    assets: bool = False  # a page: a browser would fetch what it refers to
    timeout_s: Annotated[float, Field(gt=0)] | None = None

    @property
    def method(self) -> str:
        """The method, in lower case, as the profile writes it."""
        return next(name for name in METHODS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_method_one_body(self) -> Request:
        methods = [name for name in METHODS if getattr(self, name) is not None]
        if len(methods) != 1:
            raise ValueError("exactly one of " + ", ".join(METHODS))
        given = self.model_fields_set
        bodies = [name for name in ("form", "fields", "json_body", "body", "upload") if name in given]
        if len(bodies) > 1 or (bodies and self.empty):
            raise ValueError("at most one body: form, fields, json, body, upload, or empty")
        if self.files and bodies and bodies[0] not in ("form", "fields"):
            raise ValueError("files go with form or fields, or stand alone")
        if self.get is not None and (self.files or self.empty or (bodies and bodies != ["form"])):
            raise ValueError("no body with `get`: it would not be sent; `query` goes into the address, or take `post`")
        if self.content_type is not None and (self.files or (bodies and bodies[0] in ("form", "fields"))):
            raise ValueError("no `content_type` with form, fields or files: they have their own")
        return self

    @model_validator(mode="after")
    def _rules_can_be_judged(self) -> Request:
        strangers = sorted(self.expect.values.keys() - self.extract.keys())
        if strangers:
            raise ValueError(f"`expect.values` of what this request extracts; {', '.join(strangers)} is not under `extract`")
        if self.poll is not None and "status" in self.poll.until.model_fields_set:
            asked = status_set(self.expect.status)
            if self.poll.until.model_fields_set == {"status"} and asked <= status_set(self.poll.until.status):
                raise ValueError("a rule in `poll.until` that an answer with a status of `expect` can break: this one holds at once")
            never = [status for status in self.poll.until.status if asked.isdisjoint(status_set([status]))]
            if never:
                raise ValueError(
                    f"the statuses of `poll.until` in `expect.status` too: an answer with {never[0]} fails before it is waited for"
                )
        return self
