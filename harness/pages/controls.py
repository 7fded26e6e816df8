"""Controls: what the forms of a page hold, as a browser would read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from selectolax.lexbor import LexborNode

from harness.pages.page import Page, all_within, first_within
from harness.pages.text import SoughtText, reads
from harness.pages.values import MissingValueError

BOXES = frozenset({"checkbox", "radio"})
_LISTS = frozenset({"select", "select-multiple"})
_TAGS = _LISTS | {"textarea"}
_BUTTONS = frozenset({"submit", "button", "reset", "image"})


class OfferedValue(NamedTuple):
    """One option of a list or of a group of radio buttons: what it sends, and what a person reads."""

    value: str
    label: str


class Control:
    """One named control. What it sends and offers is read from the page when it is asked for."""

    __slots__ = ("_attributes", "_node", "kind", "name")

    def __init__(self, name: str, kind: str, node: LexborNode, attributes: Mapping[str, str | None]) -> None:
        self.name = name
        self.kind = kind  # an input's type, or textarea, select, select-multiple
        self._node = node
        self._attributes = attributes

    @property
    def when_on(self) -> str:
        """What a box sends when it is checked."""
        value = self._attributes.get("value")
        return "on" if value is None else value

    @property
    def sent(self) -> Sequence[str]:
        """What it sends unchanged: nothing, one value, or each selected value of a list with ``multiple``; nothing for a file."""
        kind = self.kind
        if kind == "file":
            return ()
        if kind == "textarea":
            return ((self._node.text(deep=True) or "").removeprefix("\n"),)
        if kind in _LISTS:
            return _all_chosen(self._node) if kind == "select-multiple" else _chosen(self._node)
        if kind in BOXES:
            return (self.when_on,) if "checked" in self._attributes else ()
        return (self._attributes.get("value") or "",)

    @property
    def choices(self) -> Sequence[str] | None:
        """The values that a citizen may choose, the empty one included; None where a citizen types or ticks."""
        if self.kind in _LISTS:
            return [value for value, _ in _options(self._node)]
        return [self.when_on] if self.kind == "radio" else None

    @property
    def offered(self) -> Sequence[OfferedValue]:
        """What a person could choose; an empty value is not a choice. The label of a radio button is its value."""
        if self.kind in _LISTS:
            return [OfferedValue(value, _label(node)) for value, node in _options(self._node) if value]
        return [OfferedValue(self.when_on, self.when_on)] if self.kind == "radio" and self.when_on else []


def choose_node(page: Page, css: str, containing: str | None, with_field: str | None) -> LexborNode:
    """The first element that a selector matches and that contains this text and this field; raises MissingValueError where there is none."""
    nodes = page.nodes(css)
    sought = SoughtText(containing, for_many=False) if containing is not None else None
    for node in nodes:
        if sought is not None and not reads(node, sought):
            continue
        if with_field is not None and with_field not in {item.attributes.get("name") for item in all_within(node, "[name]")}:
            continue
        return node
    wanted = css + (f" containing {containing!r}" if containing else "") + (f" with a field {with_field}" if with_field else "")
    raise MissingValueError(f"nothing on the page is {wanted}" if not nodes else f"none of {len(nodes)} {css} is {wanted}")


def controls_of(page: Page, form: LexborNode) -> list[Control]:
    """The named controls of a form that are not disabled, in the order of the page; no buttons."""
    found: list[Control] = []
    for node in _control_nodes(page, form):
        attributes = node.attributes
        name = attributes.get("name")
        if not name or "disabled" in attributes:
            continue
        kind: str = node.tag or ""
        if kind == "input":
            kind = (attributes.get("type") or "text").lower()
            if kind in _BUTTONS:
                continue
            kind = "text" if kind in _TAGS else kind  # `type=select` is not a type of an input, and counts as text
        elif kind == "select" and "multiple" in attributes:
            kind = "select-multiple"
        found.append(Control(name, kind, node, attributes))
    return found


def _control_nodes(page: Page, form: LexborNode) -> list[LexborNode]:
    nodes = all_within(form, "input, select, textarea")
    if not nodes and form.child is None:
        nodes = _after_empty_form(page, form)
    if identifier := form.attributes.get("id"):
        quoted = identifier.replace('"', "")
        nodes += page.nodes(f'input[form="{quoted}"], select[form="{quoted}"], textarea[form="{quoted}"]')
    off = {item.mem_id for item in page.nodes("fieldset[disabled] [name]")}
    return [node for node in nodes if node.mem_id not in off]


def _after_empty_form(page: Page, form: LexborNode) -> list[LexborNode]:
    """The controls of a form between table rows: an HTML parser leaves such a form empty, and its fields follow it."""
    everything = page.nodes("form, input, select, textarea")
    position = next((index for index, node in enumerate(everything) if node.mem_id == form.mem_id), len(everything))
    nodes: list[LexborNode] = []
    for node in everything[position + 1 :]:
        if node.tag == "form":
            break
        nodes.append(node)
    return nodes


def _options(node: LexborNode, css: str = "option") -> list[tuple[str, LexborNode]]:
    """The enabled options of a list, each with what it sends: its ``value``, or its label where it has none."""
    found = []
    for option in all_within(node, css):
        attributes = option.attributes
        if "disabled" not in attributes:
            found.append((attributes["value"] or "" if "value" in attributes else _label(option), option))
    return found


def _chosen(node: LexborNode) -> Sequence[str]:
    """What a list sends unchanged: the last selected option, or else the first option."""
    marked = _all_chosen(node)
    if marked:
        return marked[-1:]
    first = first_within(node, "option:not([disabled])")
    return () if first is None else [value for value, _ in _options(first)]


def _all_chosen(node: LexborNode) -> list[str]:
    return [value for value, _ in _options(node, "option[selected]")]


def _label(option: LexborNode) -> str:
    return " ".join(option.text(deep=True).split())
