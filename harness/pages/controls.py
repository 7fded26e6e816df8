"""Controls: what the forms of a page hold, as a browser would read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selectolax.lexbor import LexborNode

from harness.pages.page import Page, all_within, first_within
from harness.pages.text import Mark
from harness.pages.values import MissingValueError

BOXES = frozenset({"checkbox", "radio"})
_FIELDSET = Mark(b"<fieldset")  # what is asked of it, `disabled`, came with HTML 5, when tags were no longer written in capitals
_OF_ANOTHER = Mark(b" form=")  # a control that stands outside its form, with HTML 5 too
_LISTS = frozenset({"select", "select-multiple"})
_TAGS = _LISTS | {"textarea"}
_USUAL = frozenset({"hidden", "text"})
_BUTTONS = frozenset({"submit", "button", "reset", "image"})


class Choice:
    """One option of a list or of a group of radio buttons: what it sends, and what a person reads."""

    __slots__ = ("_node", "value")

    def __init__(self, value: str, node: LexborNode | None = None) -> None:
        self.value = value
        self._node = node  # of a list's option; a radio button's label is its value

    @property
    def label(self) -> str:
        """What a person reads."""
        return self.value if self._node is None else _label(self._node)


class Control:
    """One named control; what it sends and offers is read from the page when it is asked for."""

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
        """What it sends as it stands: nothing, one value, or of a list for several, each that is marked. A file is not told."""
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
    def offered(self) -> Sequence[Choice]:
        """What a person could choose; empty values are no choice."""
        if self.kind in _LISTS:
            return [Choice(value, node) for value, node in _options(self._node) if value]
        return [Choice(value) for value in self.values]

    @property
    def values(self) -> Sequence[str]:
        """What these choices send, without their labels."""
        if self.kind in _LISTS:
            return [value for value, _ in _options(self._node) if value]
        return [self.when_on] if self.kind == "radio" and self.when_on else []


def choose_node(page: Page, css: str, containing: str | None, with_field: str | None) -> LexborNode:
    """The one element of several that is meant; raises MissingValueError where none is."""
    nodes = page.nodes(css)
    for node in nodes:
        if containing is not None and containing not in " ".join(node.text(separator=" ").split()):
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
            kind = attributes.get("type") or "text"
            if kind not in _USUAL:
                kind = kind.lower()
                if kind in _BUTTONS:
                    continue
                kind = "text" if kind in _TAGS else kind  # no type of an input: it is one of text, as all that are not known
        elif kind == "select" and "multiple" in attributes:
            kind = "select-multiple"
        found.append(Control(name, kind, node, attributes))
    return found


def _control_nodes(page: Page, form: LexborNode) -> list[LexborNode]:
    nodes = all_within(form, "input, select, textarea")
    if not nodes and form.child is None:
        nodes = _after_empty_form(page, form)
    if _OF_ANOTHER.is_in(page.body) and (identifier := form.attributes.get("id")):
        quoted = identifier.replace('"', "")
        nodes = nodes + page.nodes(f'input[form="{quoted}"], select[form="{quoted}"], textarea[form="{quoted}"]')
    if _FIELDSET.is_in(page.body):
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


def _options(node: LexborNode, css: str = "option") -> list[tuple[str, LexborNode]]:
    """A list's options that are not disabled, with what each sends: its ``value``, or without one its label."""
    found = []
    for option in all_within(node, css):
        attributes = option.attributes
        if "disabled" not in attributes:
            found.append((attributes["value"] or "" if "value" in attributes else _label(option), option))
    return found


def _chosen(node: LexborNode) -> Sequence[str]:
    """What a list sends as it stands: the last option that is marked, else the first."""
    marked = _all_chosen(node)
    if marked:
        return marked[-1:]
    first = first_within(node, "option:not([disabled])")
    return () if first is None else [value for value, _ in _options(first)]


def _all_chosen(node: LexborNode) -> list[str]:
    return [value for value, _ in _options(node, "option[selected]")]


def _label(option: LexborNode) -> str:
    return " ".join(option.text(deep=True).split())
