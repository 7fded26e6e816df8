"""Controls: what the forms of a page hold, as a browser would read them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from selectolax.lexbor import LexborNode

from harness.pages.form_owners import is_plain, owned_controls
from harness.pages.input_values import FORMATS, sanitized
from harness.pages.page import Page, all_within
from harness.pages.text import SoughtText, reads
from harness.pages.values import MissingValueError

BOXES = frozenset({"checkbox", "radio"})
LISTS = frozenset({"select", "select-multiple"})
CHOICES = LISTS | BOXES
"""What offers values; a citizen types the rest."""
SUBMITTERS = frozenset({"submit", "image"})
_BUTTONS = SUBMITTERS | {"button", "reset"}
_INPUTS = (
    BOXES
    | _BUTTONS
    | {"color", "date", "datetime-local", "email", "file", "hidden", "month", "number", "password", "range", "search", "tel", "text"}
    | {"time", "url", "week"}
)
_WITH_DIRECTION = frozenset({"text", "search", "tel", "url", "email", "hidden", "password", "submit", "textarea"})
_DEFAULT_LABEL = "Submit"  # what Chromium sends for a named <input type=submit> without a value
_SPACES = re.compile(r"[ \t\n\f\r]+")


class OfferedValue(NamedTuple):
    """One option of a list or of a group of radio buttons: what it sends, and what a person reads."""

    value: str
    label: str


class Control:
    """One named control. What it sends and offers is read from the page when it is asked for."""

    __slots__ = ("_attributes", "_node", "is_checked", "kind", "name")

    def __init__(self, kind: str, node: LexborNode, attributes: Mapping[str, str | None], *, is_checked: bool) -> None:
        self.name = attributes.get("name") or ""
        self.kind = kind  # an input's type, or textarea, select, select-multiple
        self.is_checked = is_checked
        self._node = node
        self._attributes = attributes

    @property
    def when_on(self) -> str:
        """What a box sends when it is checked."""
        value = self._attributes.get("value", "on")
        return value or ""

    @property
    def sent(self) -> Sequence[str]:
        """What it sends unchanged: nothing, one value, or each selected value of a list with ``multiple``; nothing for a file."""
        kind, attributes = self.kind, self._attributes
        if kind in ("file", "image"):
            return ()
        if kind == "textarea":
            return (self._node.text(deep=True) or "",)
        if kind in LISTS:
            return [_option_value(option) for option in self._selected() if not _is_disabled(option)]
        if kind in BOXES:
            return (self.when_on,) if self.is_checked else ()
        if kind == "submit" and self._node.tag == "input" and "value" not in attributes:
            return (_DEFAULT_LABEL,)
        return (sanitized(kind, attributes),)

    @property
    def choices(self) -> Sequence[str] | None:
        """The values that a citizen may choose, the empty one included; None where a citizen types."""
        if self.kind in LISTS:
            return [_option_value(option) for option in self._options() if not _is_disabled(option)]
        return [self.when_on] if self.kind in BOXES else None

    @property
    def offered(self) -> Sequence[OfferedValue]:
        """What a person could choose; an empty value is not a choice. The label of a radio button is its value."""
        if self.kind in LISTS:
            options = [OfferedValue(_option_value(option), _label(option)) for option in self._options() if not _is_disabled(option)]
            return [option for option in options if option.value]
        return [OfferedValue(self.when_on, self.when_on)] if self.kind == "radio" and self.when_on else []

    def holding(self, value: str) -> str:
        """What the control sends when it is given a value; raises MissingValueError for one that its type cannot hold."""
        if self.kind == "file":
            raise MissingValueError(f"the field {self.name} takes files; name them under `files`")
        if self.kind in BOXES or self.kind in LISTS or self.kind == "textarea":
            return value
        held = sanitized(self.kind, {**self._attributes, "value": value})
        if value and (not held if self.kind in FORMATS else self.kind in ("color", "range") and held != value.lower()):
            hint = FORMATS.get(self.kind, f"a value such as {held}")
            raise MissingValueError(f"the field {self.name} of type {self.kind} cannot hold {value!r}, only {hint}")
        return held

    def direction(self, value: str) -> tuple[str, str] | None:
        """The field of the ``dirname`` attribute, with the direction of a value's text; None without that attribute."""
        name = self._attributes.get("dirname")
        return (name, _direction(self._node, value)) if name and self.kind in _WITH_DIRECTION else None

    def _options(self) -> list[LexborNode]:
        return all_within(self._node, "option")

    def _selected(self) -> Sequence[LexborNode]:
        """HTML Standard, "selectedness setting algorithm": of several selected options, a list of one choice keeps the last."""
        options = self._options()
        marked = [option for option in options if "selected" in option.attributes]
        if self.kind == "select-multiple":
            return marked
        if not marked and _display_size(self._attributes) == 1:
            marked = [option for option in options if not _is_disabled(option)][:1]
        return marked[-1:]


def choose_node(page: Page, css: str, containing: str | None, with_field: str | None) -> LexborNode:
    """The first element that a selector matches and that contains this text and this field; raises MissingValueError where there is none."""
    nodes = page.nodes(css)
    sought = SoughtText(containing, for_many=False) if containing is not None else None
    for node in nodes:
        if sought is not None and not reads(node, sought):
            continue
        if with_field is not None and with_field not in _field_names(page, node):
            continue
        return node
    wanted = css + (f" containing {containing!r}" if containing else "") + (f" with a field {with_field}" if with_field else "")
    raise MissingValueError(f"nothing on the page is {wanted}" if not nodes else f"none of {len(nodes)} {css} is {wanted}")


def controls_of(page: Page, form: LexborNode, submitter: LexborNode | None = None) -> list[Control]:
    """The named controls of a form that are not disabled, in the order of the page; of buttons, only the one that submits."""
    off = _turned_off(page)
    owned = [(node, attributes := node.attributes, kind_of(node, attributes)) for node in owned_controls(page, form)]
    checked = [(node, attributes, kind) for node, attributes, kind in owned if kind in BOXES and "checked" in attributes]
    last = {attributes.get("name"): node.mem_id for node, attributes, kind in checked if kind == "radio"}  # also one that is disabled
    on = {node.mem_id for node, attributes, kind in checked if kind != "radio" or last[attributes.get("name")] == node.mem_id}
    found: list[Control] = []
    for node, attributes, kind in owned:
        if "disabled" in attributes or node.mem_id in off:
            continue
        if submitter is not None and node.mem_id == submitter.mem_id:
            wanted = bool(attributes.get("name")) or kind == "image"  # an image sends its coordinates without a name too
        else:
            wanted = bool(attributes.get("name")) and kind not in _BUTTONS
        if wanted:
            found.append(Control(kind, node, attributes, is_checked=node.mem_id in on))
    return found


def kind_of(node: LexborNode, attributes: Mapping[str, str | None]) -> str:
    """The type of an input or button, or textarea, select, select-multiple. An input of no known type is one of text."""
    tag = node.tag or ""
    kind = (attributes.get("type") or "").lower()
    if tag == "input":
        return kind if kind in _INPUTS else "text"
    if tag == "button":
        return kind if kind in ("button", "reset") else "submit"
    return "select-multiple" if tag == "select" and "multiple" in attributes else tag


def choose_submitter(page: Page, form: LexborNode, css: str) -> LexborNode:
    """The submit button of a form that a selector matches; raises MissingValueError where it has none, or a citizen cannot press it."""
    owned = {node.mem_id for node in owned_controls(page, form)}
    matched = [node for node in page.nodes(css) if node.mem_id in owned]
    if not matched:
        raise MissingValueError(f"the form has no button {css}")
    off = _turned_off(page)
    buttons = [node for node in matched if kind_of(node, node.attributes) in SUBMITTERS]
    if not buttons:
        raise MissingValueError(
            f"{css} is not a submit button: a browser sends nothing when it is pressed; if a script does, `add` what it sends instead of `press`"
        )
    enabled = [node for node in buttons if "disabled" not in node.attributes and node.mem_id not in off]
    if not enabled:
        raise MissingValueError(f"the button {css} is disabled; if a script enables it, `add` its name and value instead of `press`")
    return enabled[0]


def _field_names(page: Page, node: LexborNode) -> set[str | None]:
    fields = owned_controls(page, node) if node.tag == "form" else []
    return {item.attributes.get("name") for item in (*fields, *all_within(node, "[name]"))}


def _turned_off(page: Page) -> set[int]:
    """Controls that are disabled by a fieldset, unless they stand in its first legend, and those within a datalist."""
    if is_plain(page):
        return set()
    off = {node.mem_id for node in page.nodes("datalist [name]")}
    for fieldset in page.nodes("fieldset[disabled]"):
        child = fieldset.first_child
        while child is not None and child.tag != "legend":
            child = child.next
        spared = set() if child is None else {node.mem_id for node in all_within(child, "*")}
        off |= {node.mem_id for node in all_within(fieldset, "button, input, select, textarea")} - spared
    return off


def _is_disabled(option: LexborNode) -> bool:
    if "disabled" in option.attributes:
        return True
    group = option.parent
    return group is not None and group.tag == "optgroup" and "disabled" in group.attributes


def _option_value(option: LexborNode) -> str:
    attributes = option.attributes
    return attributes["value"] or "" if "value" in attributes else _label(option)


def _label(option: LexborNode) -> str:
    return _SPACES.sub(" ", option.text(deep=True)).strip(" ")


def _display_size(attributes: Mapping[str, str | None]) -> int:
    found = re.match(r"[ \t\n\f\r]*\+?(\d+)", attributes.get("size") or "", re.ASCII)
    return (int(found[1]) if found else 0) or 1


def _direction(node: LexborNode, value: str) -> str:
    """``ltr`` or ``rtl``: by the nearest ``dir`` attribute, where that is ``auto`` by the first letter that has a direction."""
    at: LexborNode | None = node
    while at is not None:
        direction = (at.attributes.get("dir") or "").lower()
        if direction in ("ltr", "rtl"):
            return direction
        if direction == "auto":
            letters = (unicodedata.bidirectional(letter) for letter in value)
            return "rtl" if next((kind for kind in letters if kind in ("L", "R", "AL")), "L") != "L" else "ltr"
        at = at.parent
    return "ltr"
