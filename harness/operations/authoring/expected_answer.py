"""What a draft expects of a recorded answer: its status, and something by which an error page is told from it."""

from __future__ import annotations

import re
from typing import Any

from harness.operations.authoring.capture import Chain
from harness.operations.authoring.tracing import selector
from harness.pages import Page
from harness.pages.media import MediaKind
from harness.pages.values import MissingValueError

_LOGIN_FIELD = "input[type=password]"
_ELEMENTS = 50
"""Elements of a page without a heading that are looked at for one with a name (assumed: what tells a page stands near its beginning)."""


def expected_of(chain: Chain, shown: Page | None) -> dict[str, Any]:
    """The rules under ``expect`` for the last answer of a chain. ``shown``: the page that the browser showed before."""
    page, is_good = chain.last.page, 200 <= chain.last.page.status < 300
    expect: dict[str, Any] = {} if is_good else {"status": page.status}
    if page.is_markup:
        telling = _telling(page)
        expect |= {"require_selector": telling} if telling else {}
        if (
            shown is not None
            and shown.first(_LOGIN_FIELD) is not None
            and page.first(_LOGIN_FIELD) is None
            and chain.first.method == "POST"
        ):
            expect["forbid_selector"] = {"css": _LOGIN_FIELD, "means": "login_refused"}  # a wrong password shows the form again
    elif is_good and page.kind is MediaKind.JSON and not chain.polled:
        expect |= _of_json(page)
    return expect


def _telling(page: Page) -> str:
    """The selector of a heading; without one, of an element with a name of its own; empty where a page has neither."""
    headings = page.nodes("main h1, main h2, h2, h1")
    if headings:
        return selector(page, headings[0])
    named = (selector(page, node) for node in page.nodes("body main, body form, body [id]")[:_ELEMENTS])
    return next((css for css in named if re.search(r"[#\[]", css)), "title" if page.first("title") is not None else "")


def _of_json(page: Page) -> dict[str, Any]:
    """What a JSON answer must be: an object has the first value that it had; a list may be empty for another visit."""
    try:
        data = page.json
    except MissingValueError:  # a browser may drop the answer
        return {}
    keys = (
        [key for key, value in data.items() if re.fullmatch(r"[A-Za-z_]\w*", key) and value is not None] if isinstance(data, dict) else []
    )
    return {"json": {"path": keys[0], "present": True}} if keys else _as_json(page)


def _as_json(page: Page) -> dict[str, Any]:
    return {"content_type": "application/json"} if page.media_type.is_like("application/json") else {}
