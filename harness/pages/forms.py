"""Forms: what a browser would send for a form of a page, by the rules of HTML's form submission.

The entry list follows the HTML Living Standard, "Constructing the entry list": disabled controls, unchecked boxes and
buttons that were not pressed are left out; hidden, checked and selected values are in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from selectolax.lexbor import LexborNode

from harness.origins import resolve
from harness.pages.controls import BOXES, Control, controls_of
from harness.pages.page import Page, all_within, first_within
from harness.pages.values import MissingValueError, as_text

CHOICES_SHOWN = 12
Entry = tuple[str, str]
Chooser = Callable[[Sequence[Control]], str]
"""Takes the controls of a name and answers the value of one of their choices."""
_KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*_.-")
_WRITTEN = tuple("+" if byte == 32 else chr(byte) if byte in _KEPT else f"%{byte:02X}" for byte in range(256))
"""Each byte as the URL Standard's application/x-www-form-urlencoded serializer writes it."""


@dataclass(slots=True)
class FilledForm:
    """A form as it will be sent."""

    action: str
    method: str
    multipart: bool
    entries: list[Entry]
    empty_files: list[str] = field(default_factory=list)

    @property
    def values(self) -> dict[str, str]:
        """The fields by name; for a repeated name, the last value."""
        return dict(self.entries)


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
    attributes = form.attributes
    action, method = attributes.get("action"), (attributes.get("method") or "get").lower()
    encoding = (attributes.get("enctype") or "").lower()
    controls = controls_of(page, form)
    overrides = _overrides(form, controls, changes)
    entries, empty_files = _filled(controls, overrides, changes.dropped)
    for name, value in changes.added.items():
        entries.extend(entries_of(name, value))
    if changes.press is not None:
        button = first_within(form, changes.press)
        if button is None:
            raise MissingValueError(f"the form has no button {changes.press}")
        pressed = button.attributes
        action = pressed.get("formaction") or action
        method = (pressed.get("formmethod") or method).lower()
        encoding = (pressed.get("formenctype") or encoding).lower()
        if pressed.get("name"):
            entries.append((pressed["name"] or "", pressed.get("value") or ""))
    target = resolve(page.base, action) if action else page.url
    return FilledForm(target, method, encoding == "multipart/form-data", entries, empty_files)


def _overrides(form: LexborNode, controls: Sequence[Control], changes: FormChanges) -> Mapping[str, Any]:
    names = {control.name for control in controls}
    overrides = dict(changes.values)
    for where, value, choose in changes.matching:
        if isinstance(where, str):
            matched = [name for node in all_within(form, where) if (name := node.attributes.get("name"))]
        else:
            matched = [name for name in names if where.search(name)]
        if not matched:
            shown = where if isinstance(where, str) else f"whose name matches {where.pattern}"
            raise MissingValueError(f"the form has no field {shown}")
        overrides.update({name: value if choose is None else choose(_named(controls, name)) for name in matched})
    for name, choose in changes.chosen.items():
        overrides[name] = choose(_named(controls, name))
    missing = [name for name in (*overrides, *changes.dropped) if name not in names]
    if missing:
        raise MissingValueError(f"the form has no field {', '.join(missing)}")
    for name, value in overrides.items():
        _check_offered(_named(controls, name), value)
    return overrides


def _check_offered(controls: Sequence[Control], value: Any) -> None:
    """A list and radio buttons send only what the page offers; raises MissingValueError for another value."""
    each = [control.choices for control in controls]
    offered = [choice for choices in each if choices is not None for choice in choices]
    if value is None or isinstance(value, bool) or not all(choices is not None for choices in each):
        return
    for _, wanted in entries_of(controls[0].name, value):
        if wanted not in offered:
            shown = ", ".join(map(repr, offered[:CHOICES_SHOWN])) + (", …" if len(offered) > CHOICES_SHOWN else "")
            raise MissingValueError(f"the field {controls[0].name} does not offer {wanted!r}, only {shown or 'nothing'}")


def _named(controls: Sequence[Control], name: str) -> list[Control]:
    return [control for control in controls if control.name == name]


def _filled(controls: Sequence[Control], overrides: Mapping[str, Any], dropped: Sequence[str]) -> tuple[list[Entry], list[str]]:
    """What the controls send, with each override at the first control of its name; and the file fields without a file."""
    entries: list[Entry] = []
    empty_files: list[str] = []
    ticked = {name for name, value in overrides.items() if value is True or value is False}
    ticked &= {control.name for control in controls if control.kind in BOXES}
    done = set(dropped)
    radios: dict[str, int] = {}  # position of the checked button of a group; of several, the last is sent
    for control in controls:
        name, kind = control.name, control.kind
        # a tick applies to the box, not to a hidden field of the same name
        beside = name in ticked and kind not in BOXES and name not in dropped
        if name in overrides and name not in done and not beside:
            entries.extend(_entries(control, overrides[name]))
            done.add(name)
        elif kind == "file" and name not in dropped:
            empty_files.append(name)
        elif (name not in done or beside) and (values := control.sent):
            if kind == "radio":
                if name in radios:
                    gone = radios[name]
                    del entries[gone]
                    radios = {other: at - (at > gone) for other, at in radios.items()}
                radios[name] = len(entries)
            entries.extend((name, each) for each in values)
    return entries, empty_files


def _entries(control: Control, value: Any) -> list[Entry]:
    if value is None or value is False:
        return []
    if value is True and control.kind in BOXES:
        return [(control.name, control.when_on)]
    return entries_of(control.name, value)


def entries_of(name: str, value: Any) -> list[Entry]:
    """A field with its value; a list repeats the field."""
    return [(name, as_text(item)) for item in (value if isinstance(value, list | tuple) else [value])]


def urlencoded(entries: Sequence[Entry]) -> bytes:
    """Fields as ``application/x-www-form-urlencoded``: UTF-8, and line ends as browsers send them."""
    return "&".join([f"{form_value(name)}={form_value(value)}" for name, value in entries]).encode("ascii")


def form_value(value: str) -> str:
    """One name or value of such a form."""
    if "\n" in value:
        value = value.replace("\r\n", "\n").replace("\n", "\r\n")
    return "".join([_WRITTEN[byte] for byte in value.encode()])
