"""Lets a drafted withdrawal stand by itself: after a sweep a visit withdraws that knows the receipt and nothing of the filing.

What it lacks is taken from the capture: the login, with the page that has its form, and the dossier's page. What cannot be taken is told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from harness.operations.authoring.learned import DraftedRequest

Rule = dict[str, Any]
_KNOWN_ALONE: Final = r"origin\.\w+|person\.\w+|form\.action|receipt|secret\('[^']*'\)"
_ALWAYS_SENT: Final = ("get", "post", "query", "headers", "form", "fields", "json", "body", "content_type", "empty", "follow")


def let_stand_alone(drafted: Sequence[DraftedRequest], withdrawal: Rule, kept: Collection[str]) -> str:
    """Put login and the dossier's page before a withdrawal. Answers what it still lacks; empty where it can be walked alone.

    ``kept``: the variables that the receipt can keep for the withdrawal.
    """
    first = next(index for index, item in enumerate(drafted) if item.step == "withdraw")
    steps: list[Rule] = []
    filed = next((index for index, item in enumerate(drafted) if "receipt" in item.rule), first)
    if any(item.step == "log_in" for item in drafted[:filed]):
        login = list(_login(drafted[:filed]))
        if not login:
            return "log in first (`log_in` with `once: true`): a visit that comes only to withdraw is not logged in"
        steps.append({"step": "log_in", "once": True, "requests": login})
    form = drafted[first].rule.get("form")
    shown = drafted[first].shown
    if form is not None:
        if shown is None or not _is_known(shown.rule, kept):
            return "ask for the page with its form first, by an address that has the receipt"
        steps.append({"step": "track", "requests": [_sent(shown.rule)]})
    rules = [request for step in withdrawal["steps"] for request in step["requests"]]
    if not all(_is_known(rule, kept) for rule in rules):
        return "it uses values of the filing: list them in `keep` of the receipt, or extract them here"
    withdrawal["steps"] = [*steps, *withdrawal["steps"]]
    return ""


def _login(before: Sequence[DraftedRequest]) -> Iterator[Rule]:
    """The login's requests, after the first page of the capture that has its form and whose address needs no visit before."""
    requests = [item for item in before if item.step == "log_in"]
    form = requests[0].rule.get("form")
    if not all(_is_known(item.rule) for item in requests):
        return
    if form is not None:
        css = (
            form["from_page"]
            if isinstance(form["from_page"], str)
            else f'{form["from_page"]["css"]} [name="{form["from_page"]["with_field"]}"]'
        )
        pages = (item for item in before if "get" in item.rule and _is_known(item.rule) and item.page.is_markup)
        page = next((item for item in pages if item.page.first(css) is not None), None)
        if page is None:
            return
        yield _sent(page.rule)
    for item in requests:
        yield _sent(item.rule)


def _sent(rule: Mapping[str, Any]) -> Rule:
    """What a request sends and expects, without what only the filing has to find in the answer."""
    status = {key: value for key, value in rule.get("expect", {}).items() if key in ("status", "require_selector", "forbid_selector")}
    return {**{key: deepcopy(rule[key]) for key in _ALWAYS_SENT if key in rule}, "expect": status}


def _is_known(rule: Mapping[str, Any], kept: Collection[str] = ()) -> bool:
    """Whether a visit that knows only a receipt and its person can send a request."""
    allowed = re.compile(rf"(?:{_KNOWN_ALONE}{''.join('|' + re.escape(name) for name in kept)})")
    sent = str({key: rule[key] for key in (*_ALWAYS_SENT, "expect") if key in rule})
    return "page" not in rule.get("form", {}) and all(allowed.fullmatch(found.strip()) for found in re.findall(r"\{\{(.*?)\}\}", sent))
