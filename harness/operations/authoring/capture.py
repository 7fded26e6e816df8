"""Reads a browser's HAR: page and API requests, each with its redirects and its last answer."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from harness.client import Exchange, Headers
from harness.errors import Problem, UsageError
from harness.origins import origin_of, resolve
from harness.pages import Page
from harness.pages.redirects import page_redirect

_STATIC_TYPES = frozenset({"image", "stylesheet", "script", "font", "media", "ping", "manifest", "websocket", "texttrack", "preflight"})
_STATIC_MIMES = re.compile(r"^(image/|font/|video/|audio/|text/css|application/(x-)?javascript|text/javascript|application/font)")
_STATIC_PATHS = re.compile(r"\.(?:css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|woff2?|ttf|eot|mp4)(?:\?|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body; a file has a name instead of a value."""

    name: str
    value: str
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request of the capture and its answer."""

    method: str
    url: str
    headers: Mapping[str, str]  # names in lower case
    mime: str
    text: str
    fields: Sequence[Field]
    page: Page
    location: str  # where a redirect leads, absolute; empty otherwise


@dataclass(frozen=True, slots=True)
class Chain:
    """A request, and the answer after all redirects that the browser followed by itself."""

    first: Recorded
    last: Recorded
    follow: frozenset[str]  # http, meta, script


def read_capture(path: Path) -> list[Chain]:
    """The chains of a HAR without static assets; UsageError for a file that is not a HAR."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8-sig"))["log"]["entries"]
        recorded = [_recorded(entry) for entry in entries if not _is_static(entry)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        remedy = "Save it in the browser's developer tools: Network, Save all as HAR with content."
        raise UsageError(Problem(str(path), "file", f"{type(error).__name__}: {error}", "a HAR file", remedy)) from error
    if not recorded:
        raise UsageError(
            Problem(str(path), "log.entries", "no page or API call", "at least one", "Record the journey with the network panel open.")
        )
    return _chains(recorded)


def _chains(recorded: Sequence[Recorded]) -> list[Chain]:
    chains: list[Chain] = []
    index = 0
    while index < len(recorded):
        first = last = recorded[index]
        kinds: set[str] = set()
        index += 1
        while index < len(recorded) and recorded[index].method == "GET" and (kind := _leads(last, recorded[index].url)):
            kinds.add(kind)
            last = recorded[index]
            index += 1
        chains.append(Chain(first, last, frozenset(kinds)))
    return chains


def _leads(before: Recorded, url: str) -> str:
    if before.location:
        return "http" if _same(before.location, url) else ""
    for kind in ("meta", "script"):
        found = page_redirect(before.page, {kind})
        target = found.url if found is not None else None
        if target is not None and _same(target, url):
            return kind
    return ""


def _same(first: str, second: str) -> bool:
    return first.partition("#")[0] == second.partition("#")[0]


def _is_static(entry: Mapping[str, Any]) -> bool:
    kind = str(entry.get("_resourceType", "")).lower()
    url = entry["request"]["url"]
    if kind in _STATIC_TYPES or not url.startswith(("http://", "https://")) or _STATIC_PATHS.search(url):
        return True
    if entry["request"]["method"] == "OPTIONS":
        return True
    return bool(_STATIC_MIMES.match(str(entry["response"].get("content", {}).get("mimeType", ""))))


def _recorded(entry: Mapping[str, Any]) -> Recorded:
    request, response = entry["request"], entry["response"]
    content = response.get("content", {})
    text = content.get("text") or ""
    body = base64.b64decode(text) if content.get("encoding") == "base64" else text.encode()
    mime = str(content.get("mimeType", "")) or "text/html"
    kind = mime if "charset" in mime or content.get("encoding") == "base64" else f"{mime}; charset=utf-8"
    url, status = request["url"].partition("#")[0], int(response["status"])
    fields = [(item["name"], item["value"]) for item in response.get("headers", []) if item["name"].lower() != "content-type"]
    exchange = Exchange(
        request["method"], url, origin_of(url), status=status, headers=Headers([("content-type", kind), *fields]), body=body
    )
    location = response.get("redirectURL") or exchange.headers.get("location")
    posted = request.get("postData") or {}
    headers = {item["name"].lower(): item["value"] for item in request.get("headers", [])}
    posted_mime = str(posted.get("mimeType") or headers.get("content-type", ""))
    return Recorded(
        request["method"],
        url,
        headers,
        posted_mime,
        str(posted.get("text") or ""),
        _fields(posted, posted_mime),
        Page(exchange),
        resolve(url, location) if location and 300 <= status < 400 else "",
    )


def _fields(posted: Mapping[str, Any], mime: str) -> list[Field]:
    text = str(posted.get("text") or "")
    if mime.startswith("multipart/") and text:
        return _parts(text, mime)
    if posted.get("params"):
        return [Field(item["name"], item.get("value") or "", item.get("fileName")) for item in posted["params"]]
    if mime.startswith("application/x-www-form-urlencoded"):
        return [Field(name, value) for name, value in parse_qsl(text, keep_blank_values=True)]
    return []


def _parts(text: str, mime: str) -> list[Field]:
    parts = message_from_string(f"Content-Type: {mime}\n\n" + text.replace("\r\n", "\n")).walk()
    named = ((part, part.get_param("name", header="content-disposition")) for part in parts)
    return [Field(str(name), str(part.get_payload()), part.get_filename()) for part, name in named if name is not None]
