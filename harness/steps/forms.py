"""Forms: what a browser would send for a form of a page, by the rules of HTML's form submission.

The entry list follows the HTML Living Standard, "Constructing the entry list": disabled controls, unchecked boxes and
buttons that were not pressed are left out; hidden, checked and selected values are in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from selectolax.lexbor import LexborNode

from harness.steps.page import Page, resolve
from harness.steps.template import MissingValueError, as_text

Entry = tuple[str, str]
Chooser = Callable[[Sequence[tuple[str, str]]], str]
"""Takes the options that a page offers, (value, label), and answers the value of one."""
_BOXES = frozenset({"checkbox", "radio"})
_BUTTONS = frozenset({"submit", "button", "reset", "image"})


@dataclass(slots=True)
class Control:
    """One named control: its value, or None where it would not be sent as it stands."""

    name: str
    value: str | None
    kind: str
    when_on: str = "on"  # what a box sends when it is checked
    options: Sequence[tuple[str, str]] = ()  # of a group of radio buttons: (value, label)
    node: LexborNode | None = None  # of a list, whose options are read when they are asked for

    @property
    def offered(self) -> Sequence[tuple[str, str]]:
        """The options that a person could choose: (value, label)."""
        return self.options if self.node is None else [(value, label) for value, label, _ in _options(self.node)]


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
        """The fields by name; of a repeated name, the last."""
        return dict(self.entries)


def choose_node(page: Page, css: str, containing: str | None, with_field: str | None) -> LexborNode:
    """The one element of several that is meant; raises MissingValueError where none is."""
    nodes = page.nodes(css)
    for node in nodes:
        if containing is not None and containing not in " ".join(node.text(separator=" ").split()):
            continue
        if with_field is not None and with_field not in {item.attributes.get("name") for item in node.css("[name]")}:
            continue
        return node
    wanted = css + (f" containing {containing!r}" if containing else "") + (f" with a field {with_field}" if with_field else "")
    raise MissingValueError(f"nothing on the page is {wanted}" if not nodes else f"none of {len(nodes)} {css} is {wanted}")


def controls_of(page: Page, form: LexborNode) -> list[Control]:
    """The named controls of a form, in the order of the page."""
    found: list[Control] = []
    radios: dict[str, Control] = {}
    for node in _control_nodes(page, form):
        attributes = node.attributes
        name = attributes.get("name")
        if not name or "disabled" in attributes:
            continue
        if node.tag == "input":
            kind = (attributes.get("type") or "text").lower()
            value = attributes.get("value")
            if kind == "radio":
                _add_radio(found, radios, name, value if value is not None else "on", "checked" in attributes)
            elif kind == "checkbox":
                when_on = value if value is not None else "on"
                found.append(Control(name, when_on if "checked" in attributes else None, kind, when_on))
            elif kind == "file":
                found.append(Control(name, None, kind))
            elif kind not in _BUTTONS:
                found.append(Control(name, value or "", kind))
        elif node.tag == "textarea":
            found.append(Control(name, (node.text(deep=True) or "").removeprefix("\n"), "textarea"))
        elif node.tag == "select":
            found.extend(_select(name, node, multiple="multiple" in attributes))
    return found


def _control_nodes(page: Page, form: LexborNode) -> list[LexborNode]:
    nodes = form.css("input, select, textarea")
    if not nodes and form.child is None:
        nodes = _after_empty_form(page, form)
    identifier = form.attributes.get("id")
    if identifier and b" form=" in page.body:
        quoted = identifier.replace('"', "")
        nodes = nodes + page.nodes(f'input[form="{quoted}"], select[form="{quoted}"], textarea[form="{quoted}"]')
    if b"<fieldset" in page.body:
        off = {item.mem_id for item in page.nodes("fieldset[disabled] [name]")}
        nodes = [node for node in nodes if node.mem_id not in off]
    return nodes


def _after_empty_form(page: Page, form: LexborNode) -> list[LexborNode]:
    """The controls of a form that stands between table rows: HTML's parser leaves such a form empty, its fields follow it."""
    everything = page.nodes("form, input, select, textarea")
    position = next((index for index, node in enumerate(everything) if node.mem_id == form.mem_id), len(everything))
    nodes: list[LexborNode] = []
    for node in everything[position + 1 :]:
        if node.tag == "form":
            break
        nodes.append(node)
    return nodes


def _add_radio(found: list[Control], radios: dict[str, Control], name: str, value: str, checked: bool) -> None:
    control = radios.get(name)
    if control is None:
        control = radios[name] = Control(name, None, "radio")
        found.append(control)
    control.options = [*control.options, (value, value)]
    if checked:
        control.value = value


def _select(name: str, node: LexborNode, *, multiple: bool) -> list[Control]:
    chosen = [value for value, _, selected in _options(node, "option[selected]") if selected]
    if multiple:
        return [Control(name, value, "select", node=node) for value in chosen] or [Control(name, None, "select", node=node)]
    if chosen:
        return [Control(name, chosen[-1], "select", node=node)]
    first = next(_options(node), None)
    return [Control(name, first[0] if first else None, "select", node=node)]


def _options(node: LexborNode, css: str = "option") -> Iterator[tuple[str, str, bool]]:
    """(value, label, selected) of a list's options that are not disabled."""
    for option in node.css(css):
        attributes = option.attributes
        if "disabled" in attributes:
            continue
        given = attributes.get("value")
        label = " ".join(option.text(deep=True).split()) if css == "option" or given is None else ""
        value = given if given is not None else ("" if "value" in attributes else label)
        yield value, label, "selected" in attributes


@dataclass(frozen=True, slots=True)
class FormChanges:
    """What is done to the values that a page's form holds, already evaluated."""

    values: Mapping[str, Any]
    matching: Sequence[tuple[re.Pattern[str] | str, Any, Chooser | None]] = ()  # by name pattern or selector: a value, or a choice
    chosen: Mapping[str, Chooser] = field(default_factory=dict)
    added: Mapping[str, Any] = field(default_factory=dict)
    dropped: Sequence[str] = ()
    press: str | None = None


def fill(page: Page, form: LexborNode, changes: FormChanges) -> FilledForm:
    """A form of a page with changes; raises MissingValueError for a field, option or button that the page does not have."""
    attributes = form.attributes
    action, method = attributes.get("action"), (attributes.get("method") or "get").lower()
    encoding = (attributes.get("enctype") or "").lower()
    controls = controls_of(page, form)
    overrides = _overrides(form, controls, changes)
    given = frozenset(overrides)
    boxes = {control.name for control in controls if control.kind in _BOXES}
    ticked = {name for name, value in overrides.items() if isinstance(value, bool) and name in boxes}
    entries: list[Entry] = []
    empty_files: list[str] = []
    for control in controls:
        if control.name in changes.dropped:
            continue
        is_other = control.name in ticked and control.kind not in _BOXES  # a tick is the box's, not the hidden field's beside it
        if control.name in overrides and not is_other:
            entries.extend(_entries(control, overrides.pop(control.name)))
        elif control.value is not None and (control.name not in given or is_other):
            entries.append((control.name, control.value))
        elif control.kind == "file":
            empty_files.append(control.name)
    for name, value in changes.added.items():
        entries.extend((name, as_text(item)) for item in (value if isinstance(value, list | tuple) else [value]))
    if changes.press is not None:
        button = form.css_first(changes.press)
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


def _overrides(form: LexborNode, controls: Sequence[Control], changes: FormChanges) -> dict[str, Any]:
    names = {control.name for control in controls}
    overrides = dict(changes.values)
    for where, value, choose in changes.matching:
        if isinstance(where, str):
            matched = [name for node in form.css(where) if (name := node.attributes.get("name"))]
        else:
            matched = [name for name in names if where.search(name)]
        if not matched:
            shown = where if isinstance(where, str) else f"whose name matches {where.pattern}"
            raise MissingValueError(f"the form has no field {shown}")
        overrides.update({name: value if choose is None else choose(_offered(controls, name)) for name in matched})
    for name, choose in changes.chosen.items():
        overrides[name] = choose(_offered(controls, name))
    missing = [name for name in (*overrides, *changes.dropped) if name not in names]
    if missing:
        raise MissingValueError(f"the form has no field {', '.join(missing)}")
    return overrides


def _offered(controls: Sequence[Control], name: str) -> list[tuple[str, str]]:
    return [option for control in controls if control.name == name for option in control.offered if option[0]]


def _entries(control: Control, value: Any) -> list[Entry]:
    if value is None or value is False:
        return []
    if value is True and control.kind in _BOXES:
        return [(control.name, control.when_on)]
    values = value if isinstance(value, list | tuple) else [value]
    return [(control.name, as_text(item)) for item in values]


def urlencoded(entries: Sequence[Entry]) -> bytes:
    """Fields as ``application/x-www-form-urlencoded``: UTF-8, and line ends as browsers send them."""
    normal = [(name, value.replace("\r\n", "\n").replace("\n", "\r\n") if "\n" in value else value) for name, value in entries]
    return urlencode(normal).encode("ascii")
