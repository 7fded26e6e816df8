"""Which controls a form owns: by the ``form`` attribute, by nesting, or by the form that the parser had open.

HTML Standard, "Association of controls and forms" and the parser's "form element pointer". A parser leaves a form between
table rows empty. It closes a form early where tags are nested wrongly. The controls up to ``</form>`` still belong to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from selectolax.lexbor import LexborNode

from harness.pages.markup import html_tree
from harness.pages.page import Page, all_within

_CONTROLS = ("button", "input", "select", "textarea")
_EVERY_CONTROL = ", ".join(_CONTROLS)
_ODD = f"form form, datalist, fieldset[disabled], :is({_EVERY_CONTROL}):is([form], :not(form *))"
_MARK = "data-open-form"  # the number of the form that was open when the parser read a tag
_TAG = re.compile(
    r"""<!--(?:-?>|.*?(?:--!?>|\Z))|<[!?][^>]*(?:>|\Z)|</[^a-z][^>]*(?:>|\Z)"""
    r"""|<(?P<name>/?[a-z][^\s/>]*)(?>[^>=]+|=\s*(?>"[^"]*(?:"|\Z)|'[^']*(?:'|\Z)|[^\s>"'][^\s>]*)?)*+(?:>|\Z)""",
    re.IGNORECASE | re.DOTALL,
)
_RAW = frozenset({"iframe", "noembed", "noframes", "noscript", "script", "style", "textarea", "title", "xmp"})  # hold text, not tags


@lru_cache(maxsize=1)  # filling one form asks twice
def is_plain(page: Page) -> bool:
    """Whether each form owns exactly the controls inside it, and only a control's own attribute disables it. Nearly all pages are so."""
    return not page.nodes(_ODD)


def owned_controls(page: Page, form: LexborNode) -> list[LexborNode]:
    """The buttons, inputs, lists and text areas that a form owns, in the order of the page."""
    if is_plain(page):
        return all_within(form, _EVERY_CONTROL)
    forms = all_within(form, "form")
    nested = {node.mem_id for other in forms if other.mem_id != form.mem_id for node in all_within(other, _EVERY_CONTROL)}
    inside = {node.mem_id for node in all_within(form, _EVERY_CONTROL)} - nested
    following = _strays_after(page, form)
    if following or len(forms) > 1:
        open_then = _owned_by_pointer(page, form)
        inside = {mem_id for mem_id in inside if open_then.get(mem_id, True)} | {mem_id for mem_id, own in open_then.items() if own}
    owned = []
    for node in page.nodes(_EVERY_CONTROL):
        attributes = node.attributes
        if "form" in attributes:
            if _names(page, attributes["form"] or "", form):
                owned.append(node)
        elif node.mem_id in inside:
            owned.append(node)
    return owned


def _names(page: Page, identifier: str, form: LexborNode) -> bool:
    """Whether an identifier means this form: the first element of the page that has it must be the form."""
    if not identifier or form.attributes.get("id") != identifier:
        return False
    return next(node.mem_id for node in page.nodes("[id]") if node.attributes["id"] == identifier) == form.mem_id


def _strays_after(page: Page, form: LexborNode) -> bool:
    """Whether controls outside every form stand between this form and the next one."""
    within = {node.mem_id for node in page.nodes(", ".join(f"form {name}" for name in _CONTROLS))}
    passed = False
    for node in page.nodes(f"form, {_EVERY_CONTROL}"):
        if node.tag == "form":
            if passed:
                return False
            passed = node.mem_id == form.mem_id
        elif passed and node.mem_id not in within:
            return True
    return False


def _owned_by_pointer(page: Page, form: LexborNode) -> dict[int, bool]:
    """For each control that the parser read while a form was open: whether it was this form."""
    root = html_tree(_marked(page.text).encode("utf-8", "replace"))
    if root is None:
        return {}
    everything = f"form, {_EVERY_CONTROL}"
    here, there = page.nodes(everything), all_within(root, everything)
    if len(here) != len(there):  # the page was changed after it was parsed, or it is not HTML
        return {}
    pairs = list(zip(here, there, strict=True))
    own = next((marked.attributes.get(_MARK) for node, marked in pairs if node.mem_id == form.mem_id), None)
    return {node.mem_id: mark == own for node, marked in pairs if node.tag != "form" and (mark := marked.attributes.get(_MARK)) is not None}


def _marked(text: str) -> str:
    """The markup with the number of the open form written into the tags of forms and controls."""
    out: list[str] = []
    copied, count, current, templates = 0, 0, None, 0
    for name, at in _tags(text):
        if name in ("template", "/template"):
            templates = max(templates + (1 if name == "template" else -1), 0)
        elif templates:
            continue
        elif name == "form" and current is None:
            current = count = count + 1
            out += [text[copied:at], f" {_MARK}={current}"]
            copied = at
        elif name == "/form":
            current = None
        elif current is not None and name in _CONTROLS:
            out += [text[copied:at], f" {_MARK}={current}"]
            copied = at
    return "".join([*out, text[copied:]])


def _tags(text: str) -> Iterator[tuple[str, int]]:
    """Each tag's name in lower case, end tags with a slash, and where the name ends."""
    position = 0
    while found := _TAG.search(text, position):
        position = found.end()
        name = (found["name"] or "").lower()
        if not name:
            continue
        yield name, found.end("name")
        if name in _RAW:
            end = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(text, position)
            position = len(text) if end is None else end.start()
