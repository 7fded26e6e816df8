"""Drafts a profile from a browser's HAR. Values of earlier answers are extracted; typed values are listed to be named by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from harness.errors import UsageError
from harness.operations.authoring.basic_login import with_basic_logins
from harness.operations.authoring.blanked_secrets import blanked, blanked_data
from harness.operations.authoring.capture import Chain, chains_of
from harness.operations.authoring.changed_answer import expect_change, note_unproven
from harness.operations.authoring.draft_state import CaptureDraft
from harness.operations.authoring.drafted_request import DraftedRequest
from harness.operations.authoring.expected_answer import expect_what_was_followed, expected_of, require_element
from harness.operations.authoring.found_receipt import (
    may_file,
    receipt_in,
    returning,
    sends_something,
    tried_name,
    typed_receipt,
    types_again,
)
from harness.operations.authoring.har import EntryRemark, Recorded, read_har, shown_address
from harness.operations.authoring.learned import LearnedValues, literal
from harness.operations.authoring.naming import MACHINE_MADE, is_login, is_password, is_secret_text, roles_of
from harness.operations.authoring.outline import outline, profile_text
from harness.operations.authoring.own_visit import let_stand_alone
from harness.operations.authoring.polls import poll_rule
from harness.operations.authoring.posted import PostedField
from harness.operations.authoring.receipt_rules import expect_receipt, take_receipt, type_receipt, type_unique_text, write_anew
from harness.operations.authoring.sent_body import body_rule, named_values
from harness.operations.authoring.sent_form import form_of, form_rule
from harness.origins import shown_origin
from harness.pages import Page
from harness.pages.media import MediaKind
from harness.profiles.functions import unaccented

_BY_THE_BROWSER = re.compile(
    r"^(?::.*|accept-encoding|accept-language|access-control-.*|alt-used|cache-control|connection|content-length|content-type|cookie2?|date|dnt"
    r"|expect|host|if-modified-since|if-none-match|keep-alive|origin|postman-token|pragma|priority|proxy-.*|purpose|range|referer|save-data"
    r"|sec-.*|te|trailer|transfer-encoding|upgrade|upgrade-insecure-requests|user-agent|via|x-client-data|x-devtools-.*)$",
    re.IGNORECASE,
)
_USUAL_ACCEPT = re.compile(r"^(?:\*/\*|text/html\b.*|image/.*|text/css\b.*|application/signed-exchange.*)$")
_COOKIELESS = re.compile(r"\((?:[A-Z]\([^()]*\))+\)")  # (S(…)): ASP.NET's session without cookies
_SENT = {"query", "fields", "json", "body", "headers", "set", "add"}
WORDS = "take('words').word"
"""What a profile with a pool of words searches for."""


class DraftedProfile(NamedTuple):
    """The text of a profile, and what of the capture is not in it as it was recorded."""

    text: str
    constants: Sequence[EntryRemark]  # typed, chosen or kept from the session
    left_out: Sequence[EntryRemark]
    roles: Mapping[str, str]  # origin → role
    searched: str  # what was searched for; empty where nothing was
    title: str  # of the first page


def draft_profile(capture: Path, *, profile: str = "draft") -> str:
    """The text of a platform profile; UsageError for a file that is not a HAR, and for one that has lost what was sent."""
    return draft_with_remarks(capture, profile=profile).text


def draft_with_remarks(capture: Path, *, profile: str = "draft", for_catalog: bool = False) -> DraftedProfile:
    """The text of a platform profile with what it leaves out; raises as ``draft_profile`` does.

    ``for_catalog``: what a person typed about themselves becomes a synthetic citizen's, and what was searched for is taken from the
    pool ``words``, which the caller writes.
    """
    read, left_out = read_har(capture)
    recorded, asked_for_a_login, hidden_logins = with_basic_logins(read)
    roles = roles_of([(shown_origin(item.url), item.url) for item in recorded])
    values = LearnedValues(roles, is_synthetic=for_catalog, keyword=WORDS if for_catalog else "keyword")
    draft = CaptureDraft(capture, roles, values, recorded, left_out=[*left_out, *asked_for_a_login])
    values.constants += hidden_logins
    for chain in chains_of(recorded):
        _add(draft, chain)
    if draft.lost:
        raise UsageError(*draft.lost)
    _begin_filing(draft.values.drafted)
    expect_what_was_followed(draft)
    body, moved = outline(draft.values.drafted, roles, profile, capture.name)
    if for_catalog and draft.values.searched:
        body["pools"] = {"words": {"file": "words.csv", "distinct": False}}
    if "withdraw" in body["goals"]:
        _withdraw_alone(draft, body["goals"]["withdraw"])
    if not draft.receipt and "file" in body["goals"]:
        last = recorded[-1]
        draft.values.constants.append(last.remark("no dossier code was recognised up to here: say by `receipt` and `extract` where it is"))
    tracking = [drafted for drafted in draft.values.drafted if drafted.step == "track"]
    if tracking and not any("confirms" in drafted.rule for drafted in tracking):
        said = "no answer of tracking shows the dossier code: say by `confirms` which one shows the dossier"
        draft.values.constants.append(tracking[-1].chain.first.remark(said))
    for drafted in draft.values.drafted:
        if drafted.unproven:
            note_unproven(draft, drafted)
        for place in (drafted.rule, drafted.rule.get("form", {})):
            place.update({key: blanked_data(place[key], draft.values.hidden) for key in _SENT & place.keys()})
    draft.values.constants[:] = returning(draft)
    remarks = sorted([*draft.left_out, *moved], key=lambda remark: remark.entry)
    constants, left = (
        [replace(each, said=blanked(each.said, draft.values.hidden)) for each in found] for found in (draft.values.constants, remarks)
    )
    title = next((text for item in recorded if item.page.is_markup and (text := _title(item.page))), "")
    return DraftedProfile(profile_text(body, roles, capture.name, constants, left), constants, left, roles, draft.values.searched, title)


def _begin_filing(drafted: Sequence[DraftedRequest]) -> None:
    """Begin the filing with the page of its form. This holds only if a result of the search was opened before."""
    sent = next((index for index, item in enumerate(drafted) if item.step in ("fill_in", "attach", "submit")), 0)
    shown = next((index for index, item in enumerate(drafted[:sent]) if item is drafted[sent].shown), sent)
    if any(item.step == "open_procedure" for item in drafted[:shown]):
        for item in drafted[shown:sent]:
            item.step = "start_dossier" if item.step == "open_procedure" else item.step


def _withdraw_alone(draft: CaptureDraft, withdrawal: dict[str, Any]) -> None:
    if lacks := let_stand_alone(draft, withdrawal):
        first = next(item for item in draft.values.drafted if item.step == "withdraw")
        draft.values.constants.append(first.chain.first.remark(f"a withdrawal after a sweep is a visit of its own: {lacks}"))


def _title(page: Page) -> str:
    node = page.first("title")
    return "" if node is None else " ".join(node.text(deep=True).split())


def _add(draft: CaptureDraft, chain: Chain) -> None:
    first, last = chain.first, chain.last
    taken = None if draft.receipt else receipt_in(draft, chain)
    typed = None if draft.unique_text or draft.receipt else typed_receipt(draft, chain)
    types = typed is not None or (not draft.receipt and types_again(draft, chain))
    files = taken is not None or (types and may_file(draft, chain))
    tried = "" if draft.receipt else tried_name(draft, chain)
    drafted = DraftedRequest("submit" if files else "fill_in" if types or tried else _step_of(draft, chain), chain)
    drafted.shown = draft.page
    request = drafted.rule
    draft.values.is_clerk |= bool(draft.receipt) and not draft.logged_in and any(item.step == "track" for item in draft.values.drafted)
    _note_cookies(draft, chain)
    if typed is not None:
        type_unique_text(draft, drafted, *typed)
    if tried:
        write_anew(draft, drafted, "name", tried, "it was free when this was recorded, and is taken now")
    if files and taken is None:
        type_receipt(draft, drafted)
    _address_and_body(draft, drafted)
    _headers(draft, drafted)
    kinds = chain.follow - {"http"}
    if kinds:
        request["follow"] = ["http", *sorted(kinds)]
    if last.location:
        request["follow"] = []
        draft.left_out.append(last.remark(f"where it led is not in the capture: {shown_address(last.location)}"))
    request["expect"] = expected_of(chain, draft)
    if taken is not None:
        take_receipt(draft, drafted, taken)
    expect_receipt(draft, drafted)
    expect_change(draft, drafted)
    draft.values.drafted.append(drafted)
    if chain.polled:
        poll_rule(draft, drafted)
    by_script = first.kind in ("xhr", "fetch")
    if last.page.is_document or (by_script and last.page.kind is MediaKind.HTML):  # a capture may lack the text of a script's answer
        draft.newest_document = drafted
        if not by_script:
            draft.page, draft.changed = drafted, None
    elif last.page.is_partial and draft.shown is not None and draft.newest_document is draft.page:
        draft.changed = draft.shown.changed_by(last.page)
    draft.logged_in = draft.logged_in or drafted.step == "log_in" or any(is_password(item.name) for item in first.posted.fields)


def _note_cookies(draft: CaptureDraft, chain: Chain) -> None:
    """Cookies that no answer set: a script of a page did, or they are older than the capture."""
    for hop in chain.hops:
        sent = [part.strip().partition("=")[0] for part in hop.header("cookie").split(";")]
        for name in dict.fromkeys(filter(None, sent)):
            if name not in draft.cookies_set:
                draft.cookies_set.add(name)
                said = f"cookie {name}, which no answer of the capture set: a script did, or it is older than the capture"
                draft.left_out.append(hop.remark(said))
        for line in hop.page.exchange.headers.get_all("set-cookie"):
            draft.cookies_set.add(line.partition("=")[0].strip())


def _headers(draft: CaptureDraft, drafted: DraftedRequest) -> None:
    """The headers that a script set; those of the browser are the harness's own matter."""
    first = drafted.chain.first
    for name, value in first.headers:
        small = name.lower()
        if _BY_THE_BROWSER.match(small) or (small == "accept" and _USUAL_ACCEPT.match(value)):
            continue
        if small in ("authorization", "proxy-authorization"):
            written = draft.values.authorization(value, first, drafted.step, name)
        else:
            written = draft.values.template(value, first, drafted.step, name)
        drafted.rule.setdefault("headers", {})[name] = written


def _address_and_body(draft: CaptureDraft, drafted: DraftedRequest) -> None:
    recorded, request = drafted.chain.first, drafted.rule
    method = recorded.method.lower()
    form = form_of(draft, recorded)
    if form is not None:
        request[method] = "{{ form.action }}"
        form_rule(draft, form, drafted)
        return
    address = draft.values.address(recorded, draft.page)
    if address is not None:
        _require_link(draft, recorded)
        request[method] = address
    else:
        parts = urlsplit(recorded.url)
        path = "/".join(_path_part(draft, drafted, part) for part in parts.path.split("/"))
        request[method] = "{{ origin." + draft.roles[shown_origin(recorded.url)] + " }}" + path
        query = named_values(draft, drafted, parse_qsl(parts.query, keep_blank_values=True))
        if query:
            request["query"] = query
    if method not in ("get", "head"):
        body_rule(draft, drafted)


def _require_link(draft: CaptureDraft, recorded: Recorded) -> None:
    """Expect the link that the next request follows."""
    page = draft.page
    if page is not None and recorded.method == "GET":
        for rule in page.rule.get("extract", {}).values():
            if rule.get("attr") == "href" and "css" in rule and "match" not in rule and rule["css"] != "a":  # any page has a link
                require_element(draft, page, rule["css"])


def _path_part(draft: CaptureDraft, drafted: DraftedRequest, part: str) -> str:
    text = unquote(part)
    if not (
        MACHINE_MADE.match(text)
        or is_secret_text(text)
        or ";" in text
        or _COOKIELESS.fullmatch(text)
        or any(known in text for known in draft.values.known)
    ):
        return literal(part)
    written = str(draft.values.template(text, drafted.chain.first, drafted.step, "path"))
    return written if "{{" in written else literal(part)


def _step_of(draft: CaptureDraft, chain: Chain) -> str:
    first, last = chain.first, chain.last
    role, end = draft.roles[shown_origin(first.url)], draft.roles[shown_origin(last.url)]
    words = unaccented(unquote(urlsplit(first.url).path)).lower()
    fields = first.posted.fields
    drafted = draft.values.drafted
    if "identity" in (role, end) or any(is_password(item.name) for item in fields) or is_login(words):
        return "log_in"
    if role == "payment":
        return "confirm_payment" if first.method == "POST" else "pay"
    if end == "payment" or (re.search(r"thanh-toan|payment|epay|le-phi", words) and first.method == "POST"):
        return "pay"
    if re.search(r"thanh-toan|payment|le-phi|/fee", words):
        return "quote_fee"
    if re.search(r"rut-|rut$|withdraw|cancel", words):
        return "withdraw"
    if draft.receipt:
        looks_up = first.method == "GET" or first.is_question or re.search(r"tra-?cuu|track|by-code|search", words + unquote(first.url))
        return "track" if looks_up or (sends_something(chain) and not may_file(draft, chain)) else "withdraw"
    if any(item.filename for item in fields) or first.posted.is_file or (first.posted.mime.startswith("multipart/") and not fields):
        return "attach"
    if draft.logged_in and _searches_next(draft, chain):
        return "search"  # only who is logged in may search
    if draft.logged_in and draft.values.searched and drafted[-1].step == "search" and first.method == "GET":
        return "open_procedure"
    if draft.logged_in and any(item.step in ("search", "open_procedure") for item in drafted):
        return "fill_in" if first.method != "GET" or any(item.step == "start_dossier" for item in drafted) else "start_dossier"
    if any(item.step in ("attach", "fill_in", "start_dossier") for item in drafted):
        return "fill_in"
    if drafted and first.kind == "document" and sends_something(chain) and not draft.values.has_keyword(fields):
        return "fill_in"
    if any(each.is_question and draft.values.has_keyword(each.posted.typed) for each in draft.recorded):
        return "search"  # a script fills its list first; what the person typed comes later
    searched = any(item.step == "search" and {"query", "form", "json"} & item.rule.keys() for item in drafted)
    return "open_procedure" if searched else "search"


def _searches_next(draft: CaptureDraft, chain: Chain) -> bool:
    """Whether the first search of the capture is this request, or a later one before anything is filed."""
    for each in draft.recorded[draft.recorded.index(chain.first) :]:
        if each.method == "GET" and draft.values.has_keyword(PostedField(*item) for item in parse_qsl(urlsplit(each.url).query)):
            return True
        if each.kind not in ("xhr", "fetch") and sends_something(Chain([each])):
            return False
    return False
