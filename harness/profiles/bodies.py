"""Bodies of requests, in the encodings that browsers and scripts of pages use."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.catalog.profile import Form, Option, Request
from harness.pages.controls import Control, choose_node
from harness.pages.encodings import UTF_8, encoded_text
from harness.pages.forms import (
    PLAIN,
    URLENCODED,
    Chooser,
    Entry,
    FilledForm,
    FormChanges,
    entries_of,
    fill,
    plain_text,
    urlencoded,
    with_line_ends,
)
from harness.pages.page import Page
from harness.pages.text import SoughtText, squeezed
from harness.pages.values import MissingValueError, as_text
from harness.profiles.attachments import CONTENT_TYPES, attachment
from harness.profiles.template import Compiled, Scope, ValueCompiler, text_or_none

BOUNDARY = "----harness-6f1c9d4b2a8e4705"
"""The boundary of every multipart body; attachments never contain it."""

EncodedBody = tuple[bytes, str]
"""A body and its content type; an empty type sends no Content-Type."""
BodyBuilder = Callable[[Scope, FilledForm | None], EncodedBody]
Draw = Callable[[int], int]
"""Takes a count and answers a number below it."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file of a multipart body."""

    field: Compiled
    content: bytes
    content_type: str
    filename: Compiled


def compile_body(request: Request, compile_: ValueCompiler) -> BodyBuilder | None:
    """The function that makes the body of a request; None where it has no body."""
    files = tuple(
        FilePart(
            compile_(item.name),
            attachment(item.type, item.size_bytes),
            CONTENT_TYPES[item.type],
            compile_(item.filename or f"tai-lieu-kiem-thu.{item.type}"),
        )
        for item in request.files
    )
    if request.form is not None:
        return _form_body(files)
    if request.fields is not None or files:
        return _field_body(compile_(request.fields or {}), files)
    if "json_body" in request.model_fields_set:
        data = compile_(request.json_body)
        content_type = request.content_type or "application/json"
        return lambda scope, _form: (json.dumps(data.value(scope), ensure_ascii=False, separators=(",", ":")).encode(), content_type)
    if request.body is not None:
        text, kind = compile_(request.body), request.content_type or "text/plain; charset=utf-8"
        return lambda scope, _form: (as_text(text.value(scope)).encode(), kind)
    if request.upload is not None:
        upload = request.upload
        content, kind = attachment(upload.type, upload.size_bytes), request.content_type or CONTENT_TYPES[upload.type]
        return lambda _scope, _form: (content, kind)
    if request.empty or request.method in ("post", "put", "patch"):
        return lambda _scope, _form: (b"", request.content_type or "")
    return None


def _form_body(files: Sequence[FilePart]) -> BodyBuilder:
    def build(scope: Scope, form: FilledForm | None) -> EncodedBody:
        assert form is not None
        if form.multipart or files:
            return _multipart(form.entries, files, scope, form.encoding)
        if form.enctype == PLAIN:
            return plain_text(form.entries, form.encoding), PLAIN
        return urlencoded(form.entries, form.encoding), URLENCODED

    return build


def _field_body(fields: Compiled, files: Sequence[FilePart]) -> BodyBuilder:
    def build(scope: Scope, _form: FilledForm | None) -> EncodedBody:
        entries = evaluated(fields, scope)
        if not files:
            return urlencoded(entries), URLENCODED
        return _multipart(entries, files, scope)

    return build


def evaluated(fields: Compiled, scope: Scope) -> list[Entry]:
    """The entries of a mapping of fields to values, lists repeated."""
    return [entry for name, value in fields.value(scope).items() for entry in entries_of(as_text(name), value)]


def _multipart(entries: Sequence[Entry], files: Sequence[FilePart], scope: Scope, encoding: str = UTF_8) -> EncodedBody:
    """The parts in the order of the entries: the given files where the page has a field for them, and the others at the end."""
    given: dict[str, list[bytes]] = {}
    for item in files:
        name = as_text(item.field.value(scope))
        given.setdefault(name, []).append(_file_part(name, as_text(item.filename.value(scope)), item.content_type, item.content, encoding))
    parts: list[bytes] = []
    for name, value in entries:
        if value is None:
            parts += given.pop(name, []) or [_file_part(name, "", "application/octet-stream", b"", encoding)]
        else:
            parts.append(_part(name, "", encoded_text(f"\r\n\r\n{with_line_ends(value)}\r\n", encoding), encoding))
    for left in given.values():
        parts += left
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()]), f"multipart/form-data; boundary={BOUNDARY}"


def _file_part(name: str, filename: str, content_type: str, content: bytes, encoding: str) -> bytes:
    return _part(name, f'; filename="{_quoted(filename)}"\r\nContent-Type: {content_type}', b"\r\n\r\n" + content + b"\r\n", encoding)


def _part(name: str, more: str, content: bytes, encoding: str) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{_quoted(with_line_ends(name))}"{more}'
    return encoded_text(head, encoding) + content


def _quoted(name: str) -> str:
    """A name in a multipart head, escaped as the HTML standard says (browsers do not use backslashes)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


class PageForm:
    """How a form of a page is filled in."""

    def __init__(self, form: Form, compile_: ValueCompiler) -> None:
        self.page_name = form.page
        self._css = form.from_page.css
        self._containing = compile_(form.from_page.containing)
        self._with_field = compile_(form.from_page.with_field)
        self._values = compile_(form.set)
        self._matching = [
            (
                re.compile(rule.name) if rule.name is not None else rule.css or "",
                None if rule.choose is not None else compile_(rule.value),
                None if rule.choose is None else _option(rule.choose, compile_),
            )
            for rule in form.set_matching
        ]
        self._chosen = [(compile_(name), _option(option, compile_)) for name, option in form.choose.items()]
        self._added = compile_(form.add)
        self._dropped = [compile_(name) for name in form.drop]
        self._press = form.press

    def fill(self, page: Page, scope: Scope, draw: Draw) -> FilledForm:
        """The form as it will be sent; raises MissingValueError for what the page does not have."""
        containing, with_field = text_or_none(self._containing, scope), text_or_none(self._with_field, scope)
        if containing is None and with_field is None:
            node = page.first(self._css)
            if node is None:
                raise MissingValueError(f"the page has no form {self._css}")
        else:
            node = choose_node(page, self._css, containing, with_field)
        values = self._values.value(scope)
        matching = [
            (where, value.value(scope) if value is not None else None, choose(scope, draw) if choose is not None else None)
            for where, value, choose in self._matching
        ]
        chosen = {as_text(name.value(scope)): choose(scope, draw) for name, choose in self._chosen}
        dropped = [as_text(name.value(scope)) for name in self._dropped]
        return fill(page, node, FormChanges(values, matching, chosen, self._added.value(scope), dropped, self._press))


def _option(option: Option, compile_: ValueCompiler) -> Callable[[Scope, Draw], Chooser]:
    containing = compile_(option.containing) if option.containing is not None else None

    def of(scope: Scope, draw: Draw) -> Chooser:
        text = SoughtText(as_text(containing.value(scope)), for_many=False).text if containing is not None else ""

        def choose(controls: Sequence[Control]) -> str:
            offered = [each for control in controls for each in control.offered]
            values = [each.value for each in offered if not text or text in squeezed(each.label)]
            if not values:
                raise MissingValueError(f"none of {len(offered)} options holds {text!r}")
            return values[0] if option.pick == "first" else values[-1] if option.pick == "last" else values[draw(len(values))]

        return choose

    return of
