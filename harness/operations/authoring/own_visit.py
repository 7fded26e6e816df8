"""Lets a drafted withdrawal stand by itself: after a sweep a visit withdraws that knows the receipt and nothing of the filing.

What it lacks is taken from the capture: the login, with the page that has its form, and the dossier's page. What cannot be taken is told.
A clerk who logs in after the dossier was looked up does so to withdraw it: then all that follows the login is the withdrawal.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from harness.operations.authoring.draft_state import CaptureDraft
from harness.operations.authoring.drafted_request import DraftedRequest
from harness.operations.authoring.learned import LearnedValues, literal
from harness.operations.authoring.naming import MACHINE_MADE, is_secret_text
from harness.origins import shown_origin

Rule = dict[str, Any]
_KNOWN_ALONE: Final = (
    r"origin\.\w+|person\.\w+|form\.action|receipt|secret\('[^']*'\)|base64\(join\(':', secret\('[^']*'\), secret\('[^']*'\)\)\)"
)
_USES_THE_FILING: Final = "it uses values of the filing: list them in `keep` of the receipt, or extract them here"
_OF_A_SESSION: Final = re.compile(r"token|csrf|xsrf|nonce|view_?state|session|signature", re.IGNORECASE)
"""Names of values that no receipt may keep. Not all of naming's one-time names: a code or a ticket may be the dossier itself."""
_ALWAYS_SENT: Final = ("get", "post", "query", "headers", "form", "fields", "json", "body", "content_type", "empty", "follow")


def let_stand_alone(draft: CaptureDraft, withdrawal: Rule) -> str:
    """Put login and the dossier's page before a withdrawal, and let the receipt keep what it needs of the filing.

    Answers what it still lacks; empty where it can be walked alone.
    """
    learned = _learned_by_filing(draft)
    lacks = _begin(draft, withdrawal, learned)
    if kept := sorted(learned & _names_in(str(withdrawal))):
        for item in draft.values.drafted:
            if "receipt" in item.rule:
                item.rule["receipt"]["keep"] = kept
    return lacks


def _learned_by_filing(draft: CaptureDraft) -> set[str]:
    """The values that a receipt may keep: those learned until it was given. Tokens are left out, because they hold in one session."""
    drafted = draft.values.drafted
    filed = next((index for index, item in enumerate(drafted) if "receipt" in item.rule), -1)
    learned = {name for item in drafted[: filed + 1] for key in ("let", "extract") for name in item.rule.get(key, ())} - {"receipt"}
    return {name for name in learned if name in draft.values.anew or _OF_A_SESSION.search(name) is None}


def _begin(draft: CaptureDraft, withdrawal: Rule, learned: Collection[str]) -> str:
    values = draft.values
    own = [item for step in withdrawal["steps"] for rule in step["requests"] for item in values.drafted if item.rule is rule]
    before = values.drafted[: values.drafted.index(own[0])]
    if own[0].step == "log_in":
        return _begin_with_own_login(draft, withdrawal, own, before, learned)
    steps: list[Rule] = []
    pages = set[str]()
    filed = next((index for index, item in enumerate(before) if "receipt" in item.rule), len(before))
    logins = ([item for item in each if item.step == "log_in"] for each in (before[:filed], before))
    if login := next(filter(None, logins), []):
        page = _page_with_form(login[0], before)
        sent = [_sent_alone(values, item) for item in login]
        if page is None or not all(map(_is_known, sent)):
            return "log in first (`log_in` with `once: true`): a visit that comes only to withdraw is not logged in"
        steps.append({"step": "log_in", "once": True, "requests": [*page, *sent]})
    shown = own[0].shown
    extracted = shown.rule.get("extract", {}).keys() if shown is not None else set()
    wanted = (_named_in(own[0].rule) & extracted) - {"receipt"}  # a token that a script sends
    if "form" in own[0].rule or wanted:
        if shown is None or "get" not in shown.rule or not _is_known(shown.rule, learned):
            return "ask for the page with its form first, by an address that has the receipt"
        taken = {"extract": {name: deepcopy(shown.rule["extract"][name]) for name in sorted(wanted)}} if wanted else {}
        asked = {key: shown.rule[key] for key in ("keep_page",) if key in shown.rule}
        steps.append({"step": "track", "requests": [{**_sent(shown.rule), **taken, **asked}]})
        pages |= {*asked.values()}
    known = {*learned, *wanted}
    for item in own:
        if not _is_known(item.rule, known, pages):
            return _USES_THE_FILING
        known |= item.rule.get("extract", {}).keys()
        pages |= {item.rule.get("keep_page", "")}
    withdrawal["steps"] = [*steps, *withdrawal["steps"]]
    return ""


def _begin_with_own_login(
    draft: CaptureDraft, withdrawal: Rule, own: Sequence[DraftedRequest], before: Sequence[DraftedRequest], learned: Collection[str]
) -> str:
    """As ``_begin``, for a withdrawal that was recorded with its login.

    Requests of a page's scripts, for example for lists, are left out if the withdrawal uses nothing of their answers.
    """
    values = draft.values
    known, pages = set(learned), set[str]()
    for item in own:
        item.rule.update({key: value for key, value in _sent_alone(values, item, known).items() if key == "get"})
        if not _is_known(item.rule, known, pages):
            return _USES_THE_FILING
        pages |= {item.rule.get("keep_page", "")}
        known |= {name for key in ("extract", "let") for name in item.rule.get(key, ())}
    page = _page_with_form(own[0], before)
    if page is None:
        return "ask for the page with the login's form first"
    unused = [item for item in own if item.chain.first.kind in ("xhr", "fetch") and "get" in item.rule and "extract" not in item.rule]
    kept = [item.rule for item in own if item not in unused]
    asked_in_vain = {item.chain.first.entry for item in unused}
    values.constants[:] = [remark for remark in values.constants if remark.entry not in asked_in_vain]
    draft.left_out += [item.chain.first.remark("a script asked for it before the withdrawal, which uses nothing of it") for item in unused]
    own_steps = [
        {"step": step["step"], **({"once": True} if step["step"] == "log_in" else {}), "requests": rules}
        for step in withdrawal["steps"]
        if (rules := [rule for rule in step["requests"] if any(rule is each for each in kept)])
    ]
    own_steps[0]["requests"] = [*page, *own_steps[0]["requests"]]
    withdrawal["steps"] = own_steps
    for rule in kept:
        rule.pop("confirms", None)  # whoever filed the dossier has looked it up before
    return ""


def _page_with_form(request: DraftedRequest, before: Sequence[DraftedRequest]) -> list[Rule] | None:
    """The first page of the capture that has the form of a request, and that a visit can open at once.

    Empty where the request sends no form; None where no page has it.
    """
    form = request.rule.get("form")
    if form is None:
        return []
    asked = form["from_page"]
    css = asked if isinstance(asked, str) else f'{asked["css"]} [name="{asked["with_field"]}"]'
    pages = (item for item in before if "get" in item.rule and _is_known(item.rule) and item.page.is_markup)
    page = next((item for item in pages if item.page.first(css) is not None), None)
    return None if page is None else [_sent(page.rule)]


def _as_recorded(values: LearnedValues, request: DraftedRequest) -> str:
    """An address as it was recorded, for a visit that has no page with a link to it; empty where a part of it is made for one visit."""
    url = request.chain.first.url.partition("#")[0]
    parts = urlsplit(url)
    pieces = [unquote(piece) for piece in (*parts.path.split("/"), *re.split("[&=]", parts.query)) if piece]
    if any(piece in values.known or MACHINE_MADE.match(piece) or is_secret_text(piece) for piece in pieces):
        return ""
    origin = shown_origin(url)
    return "{{ origin." + values.roles[origin] + " }}" + literal(url.removeprefix(origin))


def _sent_alone(values: LearnedValues, request: DraftedRequest, known: Collection[str] = ()) -> Rule:
    """What a request sends and expects. Where only a page of the visit before has the link to it, it goes to the address that was recorded."""
    rule = _sent(request.rule)
    if "get" in rule and not _is_known(rule, known) and (address := _as_recorded(values, request)):
        rule["get"] = address
    return rule


def _sent(rule: Mapping[str, Any]) -> Rule:
    """What a request sends and expects, without what only the filing has to find in the answer."""
    status = {key: value for key, value in rule.get("expect", {}).items() if key in ("status", "require_selector", "forbid_selector")}
    return {**{key: deepcopy(rule[key]) for key in _ALWAYS_SENT if key in rule}, "expect": deepcopy(status)}


def _named_in(rule: Mapping[str, Any]) -> set[str]:
    """The names that the templates of what a request sends use."""
    return _names_in(str({key: rule[key] for key in _ALWAYS_SENT if key in rule}))


def _names_in(text: str) -> set[str]:
    return {name for found in re.findall(r"\{\{(.*?)\}\}", text) for name in re.findall(r"[A-Za-z_]\w*", found)}


def _is_known(rule: Mapping[str, Any], kept: Collection[str] = (), pages: Collection[str] = ()) -> bool:
    """Whether a visit can send a request. It knows only a receipt, its person, what is ``kept``, and the ``pages`` that it has asked for."""
    allowed = re.compile(rf"(?:{_KNOWN_ALONE}{''.join('|' + re.escape(name) for name in kept)})")
    sent = str({key: rule[key] for key in (*_ALWAYS_SENT, "expect") if key in rule})
    has_page = rule.get("form", {}).get("page", "") in {"", *pages}
    return has_page and all(allowed.fullmatch(found.strip()) for found in re.findall(r"\{\{(.*?)\}\}", sent))
