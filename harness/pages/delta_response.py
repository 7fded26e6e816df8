"""Delta responses of ASP.NET (UpdatePanel, ``MicrosoftAjaxWebForms.js``): text that changes parts of the page that is shown.

One part is ``length|type|id|content|``; the length counts UTF-16 code units of the content. Scripts in it are not run.
"""

from __future__ import annotations

import html
import re
import sys
from typing import NamedTuple

from selectolax.lexbor import LexborNode

from harness.pages.markup import html_pieces, html_tree
from harness.pages.text import SELECTORS

_HEAD = re.compile(r"(\d{1,9})\|([#A-Za-z]+)\|([^|]*)\|")
_UTF_16 = f"utf-16-{sys.byteorder[0]}e"


class DeltaPart(NamedTuple):
    """One change: of the contents of an element (updatePanel), of a field (hiddenField), and others."""

    kind: str
    id: str
    content: str


def may_be_delta(body: bytes) -> bool:
    """Whether a text begins as a delta response does."""
    return body[:1].isdigit() and b"|" in body[:12]


def delta_parts(text: str) -> tuple[DeltaPart, ...]:
    """The parts of a delta response; none where a text is not one from its beginning to its end."""
    if _HEAD.match(text) is None:
        return ()
    wide = text.encode(_UTF_16, "surrogatepass")
    is_narrow = len(wide) == 2 * len(text)  # letters beyond the Basic Multilingual Plane are two units
    units = text if is_narrow else "".join(map(chr, memoryview(wide).cast("H")))
    found, at = [], 0
    while at < len(units):
        head = _HEAD.match(units, at)
        if head is None:
            return ()
        end = head.end() + int(head[1])
        if units[end : end + 1] != "|":
            return ()
        content = units[head.end() : end]
        found.append(
            DeltaPart(head[2], head[3], content if is_narrow else content.encode(_UTF_16, "surrogatepass").decode(_UTF_16, "replace"))
        )
        at = end + 1
    return tuple(found)


def delta_tree(parts: tuple[DeltaPart, ...]) -> LexborNode | None:
    """The new contents and fields of a delta response as a page of their own."""
    pieces = []
    for part in parts:
        name = html.escape(part.id)
        if part.kind == "updatePanel":
            pieces.append(f'<div id="{name}">{part.content}</div>')
        elif part.kind == "hiddenField":
            pieces.append(f'<input type="hidden" name="{name}" id="{name}" value="{html.escape(part.content)}">')
        elif part.kind == "error":
            pieces.append(f"<p>{html.escape(part.content)}</p>")
    return html_tree("".join(pieces).encode("utf-8", "replace"))


def apply_delta(page: LexborNode, parts: tuple[DeltaPart, ...]) -> None:
    """Change the tree of a page as a delta response says; a panel that the page does not have is passed over."""
    for part in parts:
        if part.kind == "updatePanel":
            for panel in _with("id", part.id, page)[:1]:
                for piece in list(panel.iter(include_text=True)):
                    piece.decompose()
                for piece in html_pieces(part.content):
                    panel.insert_child(piece)
        elif part.kind == "hiddenField":
            fields = _with("id", part.id, page) or _with("name", part.id, page)
            if not fields:
                for form in SELECTORS.find("form", page)[:1]:
                    for piece in html_pieces('<input type="hidden">'):
                        form.insert_child(piece)
                    fields = SELECTORS.find("input:last-of-type", form)[-1:]
            for field in fields[:1]:
                field.attrs["name"] = field.attrs["id"] = part.id
                field.attrs["value"] = part.content
        elif part.kind == "formAction":
            for form in SELECTORS.find("form", page)[:1]:
                form.attrs["action"] = part.content


def _with(attribute: str, value: str, page: LexborNode) -> list[LexborNode]:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return SELECTORS.find(f'[{attribute}="{quoted}"]', page) if value else []
