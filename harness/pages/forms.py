"""Forms: what a browser would send for a form of a page, by the rules of HTML's form submission.

HTML Standard, "Constructing the entry list" and "Form submission algorithm". A form that is sent without a pressed button
is sent as a script of the page would send it (``form.submit()``); no constraints are checked, so that a profile can also
send what the portal must refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from selectolax.lexbor import LexborNode

from harness.origins import without_fragment
from harness.pages.addresses import address_on
from harness.pages.controls import BOXES, CHOICES, SUBMITTERS, Control, choose_submitter, controls_of
from harness.pages.encodings import UTF_8, UTF_16, encoded_text, encoding_of_label
from harness.pages.form_owners import owned_controls
from harness.pages.page import Page, all_within
from harness.pages.values import MissingValueError, as_text

CHOICES_SHOWN = 12
URLENCODED, MULTIPART, PLAIN = "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"
Entry = tuple[str, str | None]
"""A field with its value; None is a file field without a file."""
Chooser = Callable[[Sequence[Control]], str]
"""Takes the controls of a name and answers the value of one of their choices."""
_KEPT = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*_.-"
_WRITTEN = tuple("+" if byte == 32 else chr(byte) if byte in _KEPT else f"%{byte:02X}" for byte in range(256))
"""Each byte as the URL Standard's application/x-www-form-urlencoded serializer writes it."""
_OF_SUBMITTERS = frozenset({"formaction", "formmethod", "formenctype"})
_LINE_END = re.compile(r"\r\n?|\n")


@dataclass(slots=True)
class FilledForm:
    """A form as it will be sent."""

    action: str
    method: str  # get or post
    enctype: str  # URLENCODED, MULTIPART or PLAIN
    entries: list[Entry]
    encoding: str = UTF_8  # its name in the Encoding Standard

    @property
    def multipart(self) -> bool:
        """Whether the form is sent in parts, as forms with files are."""
        return self.enctype == MULTIPART

    @property
    def values(self) -> dict[str, str]:
        """The fields by name; for a repeated name, the last value."""
        return {name: value for name, value in self.entries if value is not None}

    @property
    def empty_files(self) -> list[str]:
        """The names of the file fields."""
        return [name for name, value in self.entries if value is None]


class FormChanges(NamedTuple):
    """Changes to the values of a form, already evaluated."""

    values: Mapping[str, Any]
    matching: Sequence[tuple[re.Pattern[str] | str, Any, Chooser | None]] = ()  # by name pattern or selector: a value, or a choice
    chosen: Mapping[str, Chooser] = MappingProxyType({})
    added: Mapping[str, Any] = MappingProxyType({})
    dropped: Sequence[str] = ()
    press: str | None = None


def fill(page: Page, form: LexborNode, changes: FormChanges) -> FilledForm:
    """A form of a page with changes; raises MissingValueError for a field, option or button that the page does not have."""
    if form.tag != "form":
        raise MissingValueError(f"what `from_page` finds is <{form.tag}>, not a form")
    submitter = choose_submitter(page, form, changes.press) if changes.press is not None else None
    submission = _submission(form, submitter)
    if submission.method == "dialog":
        raise MissingValueError("the form's method is dialog: a browser closes the dialog and sends nothing")
    encoding = _encoding(form.attributes.get("accept-charset") or "", page.encoding)
    controls = controls_of(page, form, submitter)
    overrides = _overrides(page, form, controls, changes)
    entries = _filled(controls, overrides, changes.dropped, encoding)
    for name, value in changes.added.items():
        entries.extend(entries_of(name, value))
    action = address_on(page, submission.action) if submission.action else page.url
    return FilledForm(without_fragment(action), submission.method, submission.enctype, entries, encoding)


class _Submission(NamedTuple):
    action: str
    method: str
    enctype: str


def _submission(form: LexborNode, submitter: LexborNode | None) -> _Submission:
    """Action, method and encoding: the submitter's attributes replace the form's; an unknown keyword is the default one."""
    attributes = form.attributes
    if submitter is not None:
        attributes.update({name.removeprefix("form"): value for name, value in submitter.attributes.items() if name in _OF_SUBMITTERS})
    method, enctype = (attributes.get("method") or "").lower(), (attributes.get("enctype") or "").lower()
    return _Submission(
        (attributes.get("action") or "").strip(" \t\n\f\r"),
        method if method in ("post", "dialog") else "get",
        enctype if enctype in (MULTIPART, PLAIN) else URLENCODED,
    )


def _encoding(accepted: str, of_page: str) -> str:
    """HTML Standard, "picking an encoding for the form": the first that browsers know, else that of the page; UTF-8 for UTF-16."""
    named = (encoding_of_label(label) for label in accepted.replace(",", " ").split())
    encoding = next((name for name in named if name is not None), of_page)
    return UTF_8 if encoding in UTF_16 or encoding == "replacement" else encoding


def _overrides(page: Page, form: LexborNode, controls: Sequence[Control], changes: FormChanges) -> Mapping[str, Any]:
    names = {control.name for control in controls if control.kind not in SUBMITTERS}
    named: dict[str, list[Control]] = {}
    for control in controls:
        named.setdefault(control.name, []).append(control)
    overrides = dict(changes.values)
    for where, value, choose in changes.matching:
        if isinstance(where, str):
            owned = {node.mem_id for node in (*owned_controls(page, form), *all_within(form, "*"))}
            matched = [name for node in page.nodes(where) if node.mem_id in owned and (name := node.attributes.get("name"))]
        else:
            matched = [name for name in names if where.search(name)]
        if not matched:
            shown = where if isinstance(where, str) else f"whose name matches {where.pattern}"
            raise MissingValueError(f"the form has no field {shown}")
        overrides.update({name: value if choose is None else choose(named.get(name, ())) for name in matched})
    for name, choose in changes.chosen.items():
        overrides[name] = choose(named.get(name, ()))
    missing = [name for name in (*overrides, *changes.dropped) if name not in names]
    if missing:
        raise MissingValueError(f"the form has no field {', '.join(missing)}")
    for name, value in overrides.items():
        _check_offered(named[name], value)
    return overrides


def _check_offered(controls: Sequence[Control], value: Any) -> None:
    """Lists, radio buttons and boxes send only what the page offers; raises MissingValueError for another value."""
    name, kinds = controls[0].name, {control.kind for control in controls}
    if value is None or not kinds <= CHOICES:
        return
    offered = [choice for control in controls for choice in control.choices or ()]
    if value is True and kinds <= BOXES and len(set(offered)) > 1:
        raise MissingValueError(f"the field {name} has {len(offered)} boxes; name those that are meant: {_shown(offered)}")
    if isinstance(value, bool):
        return
    entries = entries_of(name, value)
    for _, wanted in entries:
        if wanted not in offered:
            raise MissingValueError(f"the field {name} does not offer {wanted!r}, only {_shown(offered) or 'nothing'}")
    most = 1 if kinds == {"radio"} else len(controls)
    if len(entries) > most and "select-multiple" not in kinds:
        raise MissingValueError(f"the field {name} takes {most} of its values, not {len(entries)}")


def _shown(offered: Sequence[str]) -> str:
    return ", ".join(map(repr, offered[:CHOICES_SHOWN])) + (", …" if len(offered) > CHOICES_SHOWN else "")


def _filled(controls: Sequence[Control], overrides: Mapping[str, Any], dropped: Sequence[str], encoding: str) -> list[Entry]:
    """What the controls send, with each override at the first control of its name."""
    ticked = {name for name, value in overrides.items() if value is True or value is False}
    ticked &= {control.name for control in controls if control.kind in BOXES}
    entries: list[Entry] = []
    done = set(dropped)
    for control in controls:
        name, kind = control.name, control.kind
        if kind in SUBMITTERS:
            entries += _pressed(control)
            continue
        # a tick applies to the box, not to a hidden field of the same name
        beside = name in ticked and kind not in BOXES and name not in dropped
        if name in overrides and name not in done and not beside:
            entries += _with_direction(control, _entries(control, overrides[name]))
            done.add(name)
        elif name in done and not beside:
            continue
        elif kind == "file":
            entries.append((name, None))
        elif kind == "hidden" and name.lower() == "_charset_":
            entries.append((name, encoding))
        else:
            entries += _with_direction(control, [(name, value) for value in control.sent])
    return entries


def _pressed(button: Control) -> list[Entry]:
    """The fields of the button that was pressed; an image sends where it was pressed, by the keyboard at 0, 0."""
    if button.kind == "image":
        prefix = f"{button.name}." if button.name else ""
        return [(f"{prefix}x", "0"), (f"{prefix}y", "0")]
    return _with_direction(button, [(button.name, value) for value in button.sent])


def _with_direction(control: Control, entries: list[Entry]) -> list[Entry]:
    direction = control.direction(entries[-1][1] or "") if entries else None
    return [*entries, direction] if direction is not None else entries


def _entries(control: Control, value: Any) -> list[Entry]:
    if value is None or value is False:
        return []
    if value is True and control.kind in BOXES:
        return [(control.name, control.when_on)]
    return [(name, control.holding(item or "")) for name, item in entries_of(control.name, value)]


def entries_of(name: str, value: Any) -> list[Entry]:
    """A field with its value; a list repeats the field."""
    return [(name, as_text(item)) for item in (value if isinstance(value, list | tuple) else [value])]


def urlencoded(entries: Sequence[Entry], encoding: str = UTF_8) -> bytes:
    """Fields as ``application/x-www-form-urlencoded``, with line ends as browsers send them."""
    pairs = [f"{form_value(name, encoding)}={form_value(value or '', encoding)}" for name, value in entries]
    return "&".join(pairs).encode("ascii")


def plain_text(entries: Sequence[Entry], encoding: str = UTF_8) -> bytes:
    """Fields as ``text/plain``: one line each."""
    return encoded_text("".join([f"{with_line_ends(name)}={with_line_ends(value or '')}\r\n" for name, value in entries]), encoding)


def form_value(value: str, encoding: str = UTF_8) -> str:
    """One name or value of an urlencoded form."""
    raw = encoded_text(with_line_ends(value), encoding)
    return "".join([_WRITTEN[byte] for byte in raw]) if raw.strip(_KEPT) else raw.decode("ascii")


def with_line_ends(value: str) -> str:
    """A name or value with each line end as CRLF."""
    return _LINE_END.sub("\r\n", value) if "\n" in value or "\r" in value else value
