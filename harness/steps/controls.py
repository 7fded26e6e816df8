"""Controls: what the forms of a page hold, as a browser would read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selectolax.lexbor import LexborNode

from harness.steps.needle import Mark
from harness.steps.page import Page, all_within, first_within
from harness.steps.template import MissingValueError

BOXES = frozenset({"checkbox", "radio"})
_FIELDSET = Mark(b"<fieldset", b"<FIELDSET")
_OF_ANOTHER = Mark(b" form=", b" FORM=")  # a control that stands outside its form
_BUTTONS = frozenset({"submit", "button", "reset", "image"})


class Choice:
    """One option of a list or of a group of radio buttons; its label is read when it is asked for."""

    __slots__ = ("_node", "value")

    def __init__(self, value: str, node: LexborNode | None = None) -> None:
        self.value = value
        self._node = node  # of a list's option; a radio button's label is its value

    @property
    def label(self) -> str:
        """What a person reads."""
        return self.value if self._node is None else _label(self._node)


class Control:
    """One named control, and what it would send as it stands. Of a list, the options are read when they are asked for."""

    __slots__ = ("_list", "_value", "kind", "name", "radios", "when_on")

    def __init__(self, name: str, kind: str, value: str | None, when_on: str = "on", of_list: LexborNode | None = None) -> None:
        self.name = name
        self.kind = kind  # an input's type, or textarea, select, select-multiple
        self.when_on = when_on  # what a box sends when it is checked
        self.radios: list[Choice] = []  # of a group of radio buttons
        self._value = value
        self._list = of_list

    @property
    def value(self) -> str | None:
        """What it sends, or None where it would not be sent as it stands."""
        return _chosen(self._list) if self.kind == "select" and self._list is not None else self._value

    def check(self, value: str) -> None:
        """Choose one of a group of radio buttons."""
        self._value = value

    @property
    def offered(self) -> Sequence[Choice]:
        """What a person could choose; empty values are no choice."""
        choices = self.radios if self._list is None else [Choice(value, node) for value, node in _options(self._list)]
        return [choice for choice in choices if choice.value]


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
    """The named controls of a form, in the order of the page."""
    found: list[Control] = []
    groups: dict[str, Control] = {}  # of radio buttons
    for node in _control_nodes(page, form):
        attributes = node.attributes
        name = attributes.get("name")
        if not name or "disabled" in attributes:
            continue
        tag = node.tag
        if tag == "input":
            kind = (attributes.get("type") or "text").lower()
            given = attributes.get("value")
            if kind in BOXES:
                on = given if given is not None else "on"
                _add_box(found, groups, Control(name, kind, on if "checked" in attributes else None, on))
            elif kind == "file":
                found.append(Control(name, kind, None))
            elif kind not in _BUTTONS:
                found.append(Control(name, kind, given or ""))
        elif tag == "textarea":
            found.append(Control(name, "textarea", (node.text(deep=True) or "").removeprefix("\n")))
        elif "multiple" not in attributes:
            found.append(Control(name, "select", None, of_list=node))
        else:
            marked: list[str | None] = [*_all_chosen(node)]
            found += [Control(name, "select-multiple", value, of_list=node) for value in marked or [None]]
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


def _add_box(found: list[Control], groups: dict[str, Control], box: Control) -> None:
    """A checkbox is a control of its own; radio buttons of a name are one."""
    if box.kind == "checkbox":
        found.append(box)
        return
    group = groups.get(box.name)
    if group is None:
        group = groups[box.name] = box
        found.append(group)
    elif box.value is not None:
        group.check(box.value)
    group.radios.append(Choice(box.when_on))


def _options(node: LexborNode, css: str = "option") -> Iterator[tuple[str, LexborNode]]:
    """A list's options that are not disabled, with what each sends: its ``value``, or without one its label."""
    for option in all_within(node, css):
        attributes = option.attributes
        if "disabled" not in attributes:
            value = attributes.get("value")
            yield (_label(option) if "value" not in attributes else value or ""), option


def _chosen(node: LexborNode) -> str | None:
    """What a list sends as it stands: the last option that is marked, else the first."""
    marked = _all_chosen(node)
    if marked:
        return marked[-1]
    first = first_within(node, "option:not([disabled])")
    return next((value for value, _ in _options(first)), None) if first is not None else None


def _all_chosen(node: LexborNode) -> list[str]:
    return [value for value, _ in _options(node, "option[selected]")]


def _label(option: LexborNode) -> str:
    return " ".join(option.text(deep=True).split())
