"""The forms, fields, links and JSON keys of an answer, for the author of a profile: the most similar first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from harness.pages.controls import controls_of
from harness.pages.page import Page
from harness.pages.text import hides, readable_text
from harness.pages.values import MissingValueError

_WORDS = re.compile(r"[\w-]{3,}")
_QUOTED = re.compile(r"'([^']{2,})'")
LINKS_MAX = 12
IDS_MAX = 12
KEYS_MAX = 25
MESSAGES_MAX = 4
MESSAGE_LENGTH = 200
_MESSAGES = (
    "[role=alert], [role=alertdialog], .alert, .alert-danger, .error-summary, .govuk-error-summary, .validation-summary-errors, "
    ".field-validation-error, .invalid-feedback, .errorlist, .portlet-msg-error, .ui-messages-error, .ui-message-error, "
    ".ant-form-item-explain-error, .swal2-html-container, .toast-message, .help-block.error"
)
"""Where pages say what is wrong: ARIA's role, and the classes of Bootstrap, GOV.UK, ASP.NET, Django, Liferay, PrimeFaces and others."""


def describe_page(page: Page, missing: str = "") -> list[str]:
    """One line for each thing that an answer holds. Within a kind, the lines most similar to ``missing`` come first."""
    if not page.is_markup:
        return _json_lines(page, missing)
    lines = [f"not well formed: {page.fault}; what stands behind it is not read"] if page.fault else []
    lines += [f"the source holds {text!r}, but nobody can read it there" for text in _only_in_source(page, missing)]
    lines += [f"title: {node.text(deep=True).strip()}" for node in page.nodes("title")[:1]]
    lines += [f"heading: {_short(node.text(deep=True))}" for node in page.nodes("h1, h2")[:4]]
    lines += _nearest(list(_forms(page)), missing, len(page.nodes("form")))
    identifiers = [f"{node.tag}#{node.attributes['id']}: {_short(node.text(deep=True))}" for node in page.nodes("[id]:not(form)")]
    lines += _nearest([f"element {line}" for line in identifiers], missing, IDS_MAX)
    links = [f"link {node.attributes.get('href')}: {_short(node.text(deep=True))}" for node in page.nodes("a[href]")]
    return lines + _nearest(list(dict.fromkeys(links)), missing, LINKS_MAX)


def _only_in_source(page: Page, missing: str) -> list[str]:
    """The texts named in quotation marks that stand in scripts, comments, attributes or hidden elements alone."""
    return [text for text in _QUOTED.findall(missing) if text in page.text and not page.holds(text)]


def page_messages(page: Page) -> list[str]:
    """What a page itself says about a failure: its alerts and error summaries, each once, in the page's order."""
    shown = [node for node in page.nodes(_MESSAGES) if not hides(node)]
    texts = [_short(readable_text(node), MESSAGE_LENGTH) for node in shown]
    return [text for text in dict.fromkeys(texts) if text and not any(text != other and text in other for other in texts)][:MESSAGES_MAX]


def _forms(page: Page) -> Iterator[str]:
    for form in page.nodes("form"):
        attributes = form.attributes
        name = "form" + (
            f"#{attributes['id']}" if attributes.get("id") else f"[name={attributes['name']}]" if attributes.get("name") else ""
        )
        sent: dict[str, list[str]] = {}  # a group of radio buttons is one field
        for control in controls_of(page, form):
            shown = (repr(_short(value, 24)) if control.kind != "password" else "•••" for value in control.sent)
            sent.setdefault(control.name, []).extend(shown)
        fields = ", ".join(f"{name}={'+'.join(values)}" if values else name for name, values in sent.items())
        method = (attributes.get("method") or "get").upper()
        yield f"{name} {method} {attributes.get('action') or page.url}: {fields or 'no fields'}"


def _json_lines(page: Page, missing: str) -> list[str]:
    try:
        data = page.json
    except MissingValueError:
        if not page.body:
            return ["an empty body"]
        return [f"no page but {page.kind}, sent as {page.media_type.essence or 'nothing'}", f"body: {_short(page.text, 200)}"]
    return _nearest([f"JSON {path}: {shown}" for path, shown in _keys(data, "", 0)], missing, KEYS_MAX)


def _keys(data: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(data, dict) and depth < 4:
        for key, value in data.items():
            yield from _keys(value, f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(data, list) and depth < 4:
        yield path or "@", f"a list of {len(data)}"
        if data:
            yield from _keys(data[0], f"{path}[0]", depth + 1)
    else:
        yield path or "@", _short(repr(data), 60)


def _nearest(lines: list[str], missing: str, count: int) -> list[str]:
    wanted = _WORDS.findall(missing.lower())
    if not wanted or len(lines) <= 1:
        return lines[:count]

    def similarity(line: str) -> float:
        words = _WORDS.findall(line.lower())[:40]
        return max((SequenceMatcher(None, want, word).ratio() for want in wanted for word in words), default=0.0)

    return sorted(lines, key=similarity, reverse=True)[:count]


def _short(text: str, length: int = 70) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
