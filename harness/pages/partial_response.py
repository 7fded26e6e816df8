"""Partial responses of Jakarta Faces (JSF, PrimeFaces): XML that changes parts of the page that is shown.

Jakarta Server Faces 4.0, 13.4.4 ("partial response") and its script ``faces.ajax.response``. The script that ``<eval>`` holds
is not run.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode

from harness.pages.markup import html_pieces
from harness.pages.text import SELECTORS, readable_text

_STATE = re.compile(r"(?:^|:)(?:javax|jakarta)\.faces\.(ViewState|ClientWindow)\b")
_WHOLE = re.compile(r"(?:^|:)(?:javax|jakarta)\.faces\.(?:ViewRoot|ViewBody)$")


def is_partial_response(root: LexborNode | None) -> bool:
    """Whether an XML answer changes a page instead of being one."""
    return root is not None and root.tag == "partial-response"


def parse_contents(root: LexborNode) -> None:
    """Make elements of the HTML that the changes hold as CDATA, so that selectors find them. The view state stays text."""
    for node in SELECTORS.find("update, before, after", root):
        if _STATE.search(_id(node)) is None and "<" in (content := node.text(deep=True)):
            for piece in list(node.iter(include_text=True)):
                piece.decompose()
            for piece in html_pieces(content):
                node.insert_child(piece)


def shown_text(root: LexborNode) -> str:
    """The text that a citizen can read in the changes of a partial response."""
    changes = SELECTORS.find("update, before, after, error-message", root)
    return " ".join(readable_text(node) for node in changes if _STATE.search(_id(node)) is None)


def apply_changes(page: LexborNode, partial: LexborNode) -> None:
    """Change the tree of a page as a partial response says; what the page does not have is passed over."""
    for change in SELECTORS.find("changes > *", partial):
        wanted = _id(change)
        if change.tag == "update":
            _update(page, wanted, change)
        elif change.tag == "insert":
            for place in change.iter():
                for node in _named(page, _id(place)):
                    for piece in _pieces(place) if place.tag == "before" else reversed(_pieces(place)):
                        (node.insert_before if place.tag == "before" else node.insert_after)(piece)
        elif change.tag == "delete":
            for node in _named(page, wanted):
                node.decompose()
        elif change.tag == "attributes":
            for node in _named(page, wanted):
                for item in SELECTORS.find("attribute[name]", change):
                    node.attrs[item.attributes["name"] or ""] = item.attributes.get("value") or ""


def _update(page: LexborNode, wanted: str, change: LexborNode) -> None:
    state = _STATE.search(wanted)
    if state is not None:
        for field in SELECTORS.find(f'input[name$="faces.{state[1]}"]', page):
            field.attrs["value"] = change.text(deep=True)
    elif _WHOLE.search(wanted) is not None:
        for body in SELECTORS.find("body", page)[:1]:
            for piece in list(body.iter(include_text=True)):
                piece.decompose()
            for piece in _pieces(change):
                body.insert_child(piece)
    else:
        for node in _named(page, wanted):
            for piece in _pieces(change):
                node.insert_before(piece)
            node.decompose()


def _id(node: LexborNode) -> str:
    return node.attributes.get("id") or ""


def _named(page: LexborNode, wanted: str) -> list[LexborNode]:
    """The element with an id, as a list of at most one."""
    quoted = wanted.replace("\\", "\\\\").replace('"', '\\"')
    return SELECTORS.find(f'[id="{quoted}"]', page)[:1] if wanted else []


def _pieces(node: LexborNode) -> list[LexborNode]:
    return list(node.iter(include_text=True))
