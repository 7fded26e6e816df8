"""Captures that are made up, entry by entry, and the drafts of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.catalog.platform import Platform
from harness.errors import CatalogError
from harness.operations.authoring.draft import DraftedProfile, draft_with_remarks
from harness.profiles import compile_platform
from harness.profiles.functions import FUNCTIONS

SITE, SSO = "https://dvc.example.invalid", "https://sso.example.invalid"
FORM = (
    '<title>Đơn</title><h1>Đơn</h1><form id="don" method="post" action="/nop"><input type="hidden" name="don:token" value="tk-4477-aa">'
    '<input name="don:hoTen"><input name="don:email"></form>'
)
SENT = "don%3Atoken=tk-4477-aa&don%3AhoTen=Nguy%E1%BB%85n+Th%E1%BB%AD&don%3Aemail=a%40example.invalid"  # what FORM sends
DONE = '<h1>Đã nhận</h1><p id="ma">H08.12-261125-0042</p>'
URLENCODED = "application/x-www-form-urlencoded"
Entry = dict[str, Any]


def entry(
    method: str,
    path: str,
    answer: Any = "",
    *,
    kind: str = "document",
    status: int | None = 200,
    posted: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    answered: Mapping[str, str] | None = None,
    mime: str = "",
    at: int = 0,
) -> Entry:
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    request: Entry = {
        "method": method,
        "url": path if path.startswith(("http", "ws", "data", "blob")) else SITE + path,
        "headers": [{"name": name, "value": value} for name, value in (headers or {}).items()],
    }
    if posted is not None:
        request["postData"] = posted
    response: Entry = {
        "status": status,
        "headers": [{"name": name, "value": value} for name, value in (answered or {}).items()],
        "redirectURL": next((value for name, value in (answered or {}).items() if name.lower() == "location"), ""),
        "content": {"mimeType": mime or ("text/html" if isinstance(answer, str) else "application/json"), "text": text},
    }
    made: Entry = {"startedDateTime": f"2026-11-25T02:{at // 60:02}:{at % 60:02}.000Z", "request": request, "response": response}
    return {**made, "_resourceType": kind} if kind else made


def form(text: str) -> Entry:
    return {"mimeType": URLENCODED, "text": text}


def body(data: Any) -> Entry:
    return {"mimeType": "application/json", "text": json.dumps(data)}


def drafted(folder: Path, *entries: Entry, creator: str = "test") -> tuple[DraftedProfile, Any]:
    """The draft of a capture, and its profile, which compiles. Where no dossier code was seen, that is the one mistake, and told."""
    path = folder / "capture.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "creator": {"name": creator}, "entries": entries}}), encoding="utf-8")
    draft = draft_with_remarks(path, profile="probe")
    profile = yaml.safe_load(draft.text)
    platform = Platform.model_validate(profile)
    if any("no dossier code was recognised up to here" in remark.said for remark in draft.constants):
        with pytest.raises(CatalogError, match=r"\Aplatforms/probe\.yaml: goals\.file .*expected a `receipt`[^\n]*\Z"):
            compile_platform(platform, FUNCTIONS)
    else:
        compile_platform(platform, FUNCTIONS)
    return draft, profile


def requests_of(profile: Any) -> list[Any]:
    return [request for goal in profile["goals"].values() for step in goal["steps"] for request in step["requests"]]


def remarks_on(draft: DraftedProfile, number: int) -> str:
    return "\n".join(str(remark) for remark in (*draft.left_out, *draft.constants) if remark.entry == number)
