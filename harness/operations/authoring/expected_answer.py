"""What a draft expects of a recorded answer: its status, and something by which an error page is told from it.

Where a page has an element that no page of another kind in the capture has, that is expected: an error page of the same site has its menu too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from harness.operations.authoring.capture import Chain
from harness.operations.authoring.draft_state import CaptureDraft, require
from harness.operations.authoring.drafted_request import DraftedRequest
from harness.operations.authoring.tracing import selector, value_of
from harness.pages import Page
from harness.pages.media import MediaKind
from harness.pages.values import MissingValueError

_LOGIN_FIELD = "input[type=password]"
_ELEMENTS = 150
"""The first elements of a page, among which one is sought that no page of another kind has (assumed: it stands near the beginning)."""
_OF_THE_MOMENT = re.compile(r"\d|alert|flash|toast|notif|csrf|token", re.IGNORECASE)
"""Names of elements that one visit's page may have and another's may lack."""
_SHORTEST_TITLE = 4
"""Characters of a link by which the page it leads to is known (assumed: `Xem` is on any page)."""


def expected_of(chain: Chain, draft: CaptureDraft) -> dict[str, Any]:
    """The rules under ``expect`` for the last answer of a chain."""
    shown = draft.shown
    page, is_good = chain.last.page, 200 <= chain.last.page.status < 300
    expect: dict[str, Any] = {} if is_good else {"status": page.status}
    if page.is_markup:
        telling = _telling(page, _pages_of_another_kind(page, draft))
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


def require_element(draft: CaptureDraft, drafted: DraftedRequest, css: str) -> None:
    """Expect the element that a later request needs.

    It is not added if another element already tells the page from all others, and this one does not.
    """
    others = _pages_of_another_kind(drafted.page, draft)
    rules = drafted.rule["expect"]
    if isinstance(known := rules.get("require_selector"), list):  # one of them tells that something was changed
        rules["require_selector"] = [*known, *({css} - {each for each in known if isinstance(each, str)})]
        return
    expected = drafted.rule["expect"].get("require_selector", "") if "poll" not in drafted.rule else ""
    if not expected or not tells(expected, others) or tells(css, others):
        require(drafted, "require_selector", css)


def expect_what_was_followed(draft: CaptureDraft) -> None:
    """Expect the text of the link that led to a page, if all pages of the capture have what this page must have. Tell where there is no such text."""
    told = []
    for drafted in draft.values.drafted:
        css = drafted.rule["expect"].get("require_selector")
        others = _pages_of_another_kind(drafted.page, draft)
        if drafted.rule["expect"].keys() != {"require_selector"} or not isinstance(css, str) or "poll" in drafted.rule:
            continue
        if others and all(each.first(css) is not None for each in others) and not _expect_text_of_link(drafted, others):
            told.append(drafted.chain.first)
    if told:
        entries = ", ".join(str(each.entry) for each in told[1:])
        said = "all pages of the capture have what its rule asks for, so an error page has it too: look for what only this page shows"
        draft.values.constants.append(told[0].remark(said + (f" (the same of entries {entries})" if entries else "")))


def _expect_text_of_link(drafted: DraftedRequest, others: Sequence[Page]) -> bool:
    followed = re.fullmatch(r"\{\{ (\w+) \}\}", str(drafted.rule.get("get", "")))
    extracted = drafted.shown.rule.get("extract", {}) if drafted.shown is not None else {}
    if followed is None or drafted.shown is None or "css" not in extracted.get(followed[1], {}):
        return False
    rule = {key: value for key, value in extracted[followed[1]].items() if key not in ("attr", "match")}
    text = value_of(drafted.shown.page, rule) or ""
    if (
        len(text) < _SHORTEST_TITLE
        or not drafted.page.holds(text)
        or any(each.holds(text) for each in others if each is not drafted.shown.page)
    ):
        return False
    extracted[f"{followed[1]}_text"] = rule
    require(drafted, "require_text", f"{{{{ {followed[1]}_text }}}}")
    return True


def _pages_of_another_kind(page: Page, draft: CaptureDraft) -> list[Page]:
    """The pages of the capture at other paths. Paths that differ by an identifier with a digit have pages of one kind."""
    return [each.page for each in draft.recorded if each.page.is_document and _kind_of(each.page) != _kind_of(page)]


def _kind_of(page: Page) -> tuple[str, ...]:
    parts = urlsplit(page.url)
    return parts.netloc, *("*" if re.search(r"\d", piece) else piece for piece in parts.path.split("/"))


def tells(css: str, others: Sequence[Page]) -> bool:
    """Whether none of these pages has the element."""
    return not any(each.first(css) is not None for each in others)


def _telling(page: Page, others: Sequence[Page]) -> str:
    """The selector of an element that no page of another kind has; without one, that the fewest have. Empty where a page has none."""
    headings = [selector(page, node) for node in page.nodes("main h1, main h2, h2, h1")[:_ELEMENTS]]
    named = [css for css in named_elements(page) if re.search(r"[#\[]", css)]
    own = (css for css in (*(css for css in headings if re.search(r"[#.]", css)), *named) if is_lasting(css))
    if others and (found := next((css for css in own if tells(css, others)), "")):
        return found
    lasting = [css for css in dict.fromkeys((*headings, *named)) if is_lasting(css)] or [*headings[:1], *named[:1]]
    title = "title" if page.first("title") is not None else ""
    return min(lasting, key=lambda css: sum(each.first(css) is not None for each in others), default=title)


def is_lasting(css: str) -> bool:
    """Whether the next visit's page probably has an element too, by the name in its selector."""
    return _OF_THE_MOMENT.search(re.sub(r"^h\d", "", css)) is None


def named_elements(page: Page) -> Iterator[str]:
    """The selectors of the first elements with a name of their own, forms and fields among them."""
    for node in page.nodes("body main, body form, body [id], body input[name], body select[name], body textarea[name]")[:_ELEMENTS]:
        yield selector(page, node)


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
