"""Finds in a capture what the portal acknowledged: a dossier's code, another identifier that is new, or a text that only this visit typed.

Only the first kind is certain. For the others the draft says what it took for the receipt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from harness.operations.authoring.capture import Chain
from harness.operations.authoring.draft_state import CaptureDraft
from harness.operations.authoring.har import EntryRemark, Recorded
from harness.operations.authoring.naming import is_login, is_password
from harness.operations.authoring.tracing import ExtractRule, gives, scalars_of, trace
from harness.operations.authoring.typed_values import person_value

DOSSIER_CODE = re.compile(r"\b(?:\d{3}\.\d{2}\.\d{2}\.)?[A-Z]\d\d(?:\.\d+)*-\d{6}-\d{4,}\b")
"""A code as Circular 01/2018 has it."""
UNIQUE_TEXT = "Kiểm thử {{ run }}-{{ visit }}-{{ unique_hex(8) }}"
"""What a visit types where the portal shows the text again; it says that it is a test."""
_NAME = re.compile(r"(?=(?:[^A-Za-z]*[A-Za-z]){4})[\w-]{4,80}", re.ASCII)
"""What a person may choose as the name of a thing: it may stand in an address."""
_KEYS = re.compile(r"(?:^|\.)(?:id|code|number|no|key|slug|uuid|reference|ma\w*|\w+_?(?:id|code|number))$", re.IGNORECASE)
_TYPED = re.compile(r"title|subject|summary|name|tieu_?de|what|label", re.IGNORECASE)


class TakenReceipt(NamedTuple):
    """The receipt of a capture as its answer holds it, and how the profile finds it there."""

    code: str
    rule: ExtractRule
    is_certain: bool


def receipt_in(draft: CaptureDraft, chain: Chain) -> TakenReceipt | None:
    """The receipt that an answer gives; None where it gives none."""
    page = chain.last.page
    if (found := DOSSIER_CODE.search(page.text)) is not None:
        traced = trace(page, found.group())
        return TakenReceipt(found.group(), traced.rule if traced is not None else {"regex": DOSSIER_CODE.pattern}, True)
    if not may_file(draft, chain) or _has_codes(draft):
        return None
    for code, rule in _new_identifiers(draft, chain):
        if gives(page, rule, code):
            return TakenReceipt(code, rule, False)
    return None


def sends_something(chain: Chain) -> bool:
    """Whether a request may have filed something: it sends fields or a text, and does not log in."""
    first = chain.first
    is_signing_in = is_login(urlsplit(first.url).path.lower()) or any(is_password(item.name) for item in first.posted.fields)
    return (
        first.method not in ("GET", "HEAD")
        and not is_signing_in
        and not first.is_question
        and bool(first.posted.fields or first.posted.text)
    )


def may_file(draft: CaptureDraft, chain: Chain) -> bool:
    """Whether a request may file the dossier. What a script sends on the way, a preview for example, does not where a form follows."""
    if not sends_something(chain) or chain.first.kind not in ("xhr", "fetch"):
        return sends_something(chain)
    _, after = _around(draft, chain)
    return not any(each.kind == "document" and sends_something(Chain([each])) for each in after)


def types_again(draft: CaptureDraft, chain: Chain) -> bool:
    """Whether a request sends the text that was typed before it: the form after its preview."""
    return bool(draft.unique_text) and any(item.value == draft.unique_text for item in chain.first.posted.typed)


def _new_identifiers(draft: CaptureDraft, chain: Chain) -> Iterator[tuple[str, ExtractRule]]:
    """Parts of the answer's address, or values of its JSON, that nothing before had and that a later address has."""
    before, after = _around(draft, chain)
    page = chain.last.page
    for path, value in scalars_of(page).items():
        if _KEYS.search(path) and not isinstance(value, bool) and (code := str(value)) and any(code in _pieces(each.url) for each in after):
            yield code, {"json": path}
    if not page.is_markup or page.url == chain.first.url:
        return
    parts = urlsplit(page.url)
    path = ""
    for piece in parts.path.split("/")[1:]:
        address = f"{path}/{piece}"
        if re.search(r"\d", piece) and not any(_leads_below(each, f"{parts.scheme}://{parts.netloc}{address}") for each in before):
            yield unquote(piece), {"url": re.escape(f"{path}/") + "([^/?#;]+)"}
        path = address
    for name, value in parse_qsl(parts.query):
        if re.search(r"\d", value) and any(value in _pieces(each.url) for each in after):
            yield value, {"url": rf"[?&]{re.escape(name)}=([^&#]+)"}


def _around(draft: CaptureDraft, chain: Chain) -> tuple[list[Recorded], list[Recorded]]:
    """What was recorded before the first request of a chain, and after its last one."""
    entries = [each.entry for each in draft.recorded]
    first, last = entries.index(chain.first.entry), entries.index(chain.last.entry)
    return list(draft.recorded[:first]), list(draft.recorded[last + 1 :])


def _pieces(url: str) -> list[str]:
    parts = urlsplit(url)
    return [*map(unquote, parts.path.split("/")), *(value for _, value in parse_qsl(parts.query))]


def _leads_below(recorded: Recorded, address: str) -> bool:
    return recorded.url == address or recorded.url.startswith((f"{address}/", f"{address}?"))


def typed_receipt(draft: CaptureDraft, chain: Chain) -> tuple[str, str] | None:
    """The name and the text of a typed field that later pages show and no earlier one did; None without one.

    A name or a title first: a citizen finds their own dossier by it. Captures with a dossier's code do not need it.
    """
    if not sends_something(chain) or _has_codes(draft):
        return None
    before, after = _around(draft, chain)
    fields = (item for item in chain.first.posted.typed if not person_value(item.name, item.value))
    typed = [item for item in fields if _is_prose(item.value) and item.value not in draft.values.known]
    for item in sorted(typed, key=lambda item: _TYPED.search(item.name) is None):
        shown = any(each.page.holds(item.value) for each in (chain.last, *after))
        if shown and not any(each.page.holds(item.value) for each in before):
            return item.name, item.value
    return None


def tried_name(draft: CaptureDraft, chain: Chain) -> str:
    """A part of an address that was not there yet (404), that nothing before had, and that a later request makes; empty without one.

    A person or a script looks whether a chosen name is free. Two visits that choose the same one meet each other's thing.
    """
    first = chain.first
    if first.method not in ("GET", "HEAD") or chain.last.page.status != 404:
        return ""
    before, after = _around(draft, chain)
    for piece in reversed(_pieces(first.url)):
        is_new = _NAME.fullmatch(piece) and not any(
            piece in each.url or piece in each.posted.text or piece in each.page.text for each in before
        )
        if is_new and any(sends_something(Chain([each])) and (piece in unquote(each.url) or piece in each.posted.text) for each in after):
            return piece
    return ""


def returning(draft: CaptureDraft) -> list[EntryRemark]:
    """The remarks on what stays as it was recorded.

    A typed text is marked, where it first stands, if no answer before had it and a later answer or path has it.
    """
    found, seen = [], set[str]()
    for remark in draft.values.constants:
        text, is_returning = draft.values.kept.get(remark, ""), False
        if sum(map(str.isalpha, text)) >= 4 and text not in seen and "{{" not in text:
            entries = [each for each in draft.recorded if text in each.page.text or text in unquote(urlsplit(each.url).path)]
            before = any(each.entry < remark.entry for each in entries)
            is_returning = not before and any(each.entry > remark.entry or text in each.page.text for each in entries)
        if is_returning:
            seen.add(text)
        found.append(replace(remark, matter="returns") if is_returning else remark)
    return found


def written_anew(text: str) -> str:
    """A template for a text like a typed one, which each visit writes anew; it says that it is a test. A name stays a name."""
    if _NAME.fullmatch(text) is None:
        return UNIQUE_TEXT
    if text.isalnum():
        return ("kiemthu" if text.islower() else "KiemThu") + "{{ unique_hex(12) }}"
    return ("kiem-thu-" if "-" in text else "kiem_thu_") + "{{ unique_hex(12) }}"


def _has_codes(draft: CaptureDraft) -> bool:
    """Whether a capture has a dossier's code somewhere: then nothing else is taken for the receipt."""
    if draft.has_codes is None:
        draft.has_codes = any(DOSSIER_CODE.search(each.page.text) for each in draft.recorded)
    return draft.has_codes


def _is_prose(text: str) -> bool:
    return 4 <= len(text) <= 200 and "\n" not in text and "@" not in text and sum(map(str.isalpha, text)) >= 4
