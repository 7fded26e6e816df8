"""The keys of a platform profile: what a request sends, what its answer must be, what is learned from it.

A text value may be a template (``{{ name }}``), and so may the names in ``set``, ``add``, ``choose``, ``fields``, ``query``,
``headers`` and JSON. What is no template is refused with one in it. Selectors and patterns are checked when the file is read
(``profile_texts``), templates when the profile is compiled. What an answer must be stands in ``answer_rules``. This module holds
data only; ``harness.profiles`` and ``harness.visits`` act on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, PlainValidator, model_validator

from harness.catalog.answer_rules import Expect, status_set
from harness.catalog.ids import Name
from harness.catalog.profile_texts import (
    ConditionTemplate,
    Css,
    HeaderName,
    JsonPath,
    ListTemplate,
    Pattern,
    Plain,
    SoughtTemplate,
    Template,
)
from harness.catalog.reading import CatalogModel
from harness.catalog.scalars import AnyValue, SentValue

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
    over: ListTemplate | None = None
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
