"""Finds logins by HTTP Basic (RFC 7617) in a capture, and says which requests a browser sends with one.

A browser asks once without a login, is answered 401, asks the person, and sends user and password with this request and all later ones
below its folder. Tools often record neither the header nor the name in the address, so the 401 is the only sign of it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from harness.operations.authoring.har import EntryRemark, Recorded

_AUTHORIZATION: Final = "Authorization"
_HIDDEN: Final = f"Basic {b64encode(b':').decode()}"
"""Stands for the login that a capture hides; a draft writes secrets in the place of any."""
_ANSWERED_WITHIN = 20
"""Requests after a 401 among which the same one with the login is sought (assumed: scripts of other pages ask meanwhile)."""


def with_basic_logins(recorded: Sequence[Recorded]) -> tuple[list[Recorded], list[EntryRemark], list[EntryRemark]]:
    """The requests with the logins that a browser sends, without those that only asked for one.

    Then a remark for each request that is left out, and for each login that the capture hides.
    """
    sent: list[Recorded] = []
    left_out: list[EntryRemark] = []
    hidden: list[EntryRemark] = []
    logins: dict[str, str] = {}  # folder → header
    challenged: set[int] = set()
    for index, item in enumerate(recorded):
        if (again := _sent_again(recorded, index)) is not None:
            challenged.add(again.entry)
            left_out.append(item.remark(f"answered 401, and sent again with a login as entry {again.entry}"))
            continue
        login = item.header("authorization")
        if not login:
            login = next((held for folder, held in logins.items() if item.url.startswith(folder)), "")
            if not login and item.entry in challenged:
                login = _HIDDEN
                hidden.append(item.remark(_said(_folder(item.url))))
            if login:
                item = replace(item, headers=[*item.headers, (_AUTHORIZATION, login)])  # noqa: PLW2901
        if login.lower().startswith("basic ") and (item.kind not in ("xhr", "fetch") or item.entry in challenged):  # else a script set it
            logins = {_folder(item.url): login, **logins}
        sent.append(item)
    return sent, left_out, hidden


def _sent_again(recorded: Sequence[Recorded], index: int) -> Recorded | None:
    """The later request that repeats this one with a login, because this one was answered 401; None if there is none.

    A login by HTTP Basic may be hidden in the capture. One of another kind has to follow at once.
    """
    first = recorded[index]
    if first.page.status != 401:
        return None
    asks = any(re.search(r"\bBasic\b", line, re.IGNORECASE) for line in first.page.exchange.headers.get_all("www-authenticate"))
    for at, item in enumerate(recorded[index + 1 : index + 1 + _ANSWERED_WITHIN]):
        if (item.method, item.url, item.posted.text) == (first.method, first.url, first.posted.text):
            held = item.header("authorization")
            is_new = held not in ("", first.header("authorization"))
            is_basic = asks and held.lower().startswith("basic ")
            if (is_new and (is_basic or at == 0)) or (asks and at == 0 and not held and item.page.status != 401):
                return item
    return None


def _folder(url: str) -> str:
    """What a login is sent for: all at this depth and below (RFC 7617, section 2.2)."""
    return urlsplit(url)._replace(query="", fragment="").geturl().rpartition("/")[0] + "/"


def _said(folder: str) -> str:
    return (
        "the recording hides the login: the portal answered 401 and asked for HTTP Basic, and then let the same request in. As a browser does,"
        f" the draft sends user and password, which are secrets, to all below {folder}. If that is wrong, record anew with what was hidden (Chrome:"
        " *Allow to generate HAR with sensitive data* in the settings of the developer tools), or take the header Authorization away"
    )
