"""Reads a HAR file as Chrome, Firefox, Safari, Playwright and proxies write it: one request and its answer an entry.

The format is HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/). Tools add to it and leave things out; each peculiarity
is named where it is read. Nothing is passed over without a remark.
"""

from __future__ import annotations

import gzip
import re
import zlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from harness.catalog.json_file import read_json_text
from harness.catalog.text_file import LARGEST_BYTES, read_text_file
from harness.client import Exchange, Headers
from harness.errors import Problem, UsageError
from harness.operations.authoring.entry_keys import HALF_A_SIGN, capture_problem, no_base64
from harness.operations.authoring.naming import is_secret_text
from harness.operations.authoring.posted import NoBase64Error, Posted, as_utf8, from_base64, read_posted
from harness.origins import locate, origin_of, resolve
from harness.pages import Page
from harness.records.files import read_at_most

ASSET = "an asset of a page"
"""What is said of an image, a script or a style sheet."""
UNSENDABLE = "an address that no request can be sent to: without a valid host and port"
"""What is said of an address that is none."""
Matter = Literal["look", "returns", "settled", "routine"]
"""What a person does about a remark. ``look``: look at it. ``returns``: look at it first, because a typed text came back. ``settled``: nothing.
``routine``: nothing, unless a walk fails."""
_ASSETS = frozenset({"image", "stylesheet", "style", "script", "font", "media", "audio", "video", "manifest", "texttrack", "track"})
_NOT_SENT = {
    "websocket": "a web socket, which a profile cannot speak",
    "eventsource": "a stream of events, which a profile cannot read",
    "preflight": "the browser's own question before a request to another origin",
    "webtransport": "a connection of another protocol, which a profile cannot speak",
    "prefetch": "fetched ahead by the browser, not asked for by the page",
    "ping": "a beacon, whose answer no page waits for",
    "report": "a report of the browser, not of the page",
    "csp-violation-report": "a report of the browser, not of the page",
}
_SENT_BY_PAGES = frozenset({"document", "subdocument", "iframe", "frame", "xhr", "fetch", "embed", "object"})
_ASSET_TYPES = re.compile(r"^(?:image/|font/|video/|audio/|text/css|application/(?:x-)?javascript|text/javascript|application/font)")
_ASSET_PATHS = re.compile(r"\.(?:css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|woff2?|ttf|eot|mp4)$", re.IGNORECASE)
_JSONP = re.compile(r"[?&](?:callback|jsonp|jsonpcallback|cb)=", re.IGNORECASE)  # an answer to a script, asked for as a script
_QUESTIONS = re.compile(r"search|filter|quer(?:y|ies)|find|lookup|count|tra-?cuu|tim-?kiem|graphql", re.IGNORECASE)
"""Paths where a script asks by a POST with JSON, and files nothing."""
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"})
_CHARSET = re.compile(r"\s*;\s*charset\s*=\s*[^;]*", re.IGNORECASE)
_GZIP = b"\x1f\x8b\x08"
_OF_THE_BODY = frozenset({"content-type", "content-encoding", "content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class EntryRemark:
    """What is said about one entry: why it is left out, or what of it could not be kept."""

    entry: int  # from 1, as the entries stand in the file
    method: str
    address: str
    said: str
    matter: Matter = "look"

    def __str__(self) -> str:
        text = f"entry {self.entry} {self.method} {self.address}: {self.said}"
        return "".join(sign if sign.isprintable() else " " for sign in text)  # it stands in one comment, and on a terminal


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request of the capture and its answer."""

    entry: int
    method: str
    url: str
    kind: str  # what the browser asked for: document, xhr, fetch …; empty where the tool does not say
    headers: Sequence[tuple[str, str]]
    posted: Posted
    page: Page
    location: str  # where a redirect leads, absolute, with its fragment; empty otherwise
    started: datetime | None
    by_worker: bool = False  # a service worker answered it, perhaps by a request of its own

    @property
    def is_question(self) -> bool:
        """Whether a script asks something by a JSON body: its path says so."""
        is_json = self.posted.text.lstrip()[:1] in ("{", "[")
        return is_json and self.method == "POST" and _QUESTIONS.search(urlsplit(self.url).path) is not None

    def remark(self, said: str, matter: Matter = "look") -> EntryRemark:
        """A remark about this entry."""
        return EntryRemark(self.entry, self.method, shown_address(self.url), said, matter)

    def header(self, name: str) -> str:
        """A header of the request, or an empty text."""
        return next((value for key, value in self.headers if key.lower() == name), "")


def shown_address(url: str) -> str:
    """An address for a remark: no values of its query, and no part of its path that could be a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:  # http://[
        return "not an address"
    path = "/".join("•••" if is_secret_text(part) else part for part in parts.path.split("/"))
    names = "&".join(dict.fromkeys(f"{name}=…" for name, _ in parse_qsl(parts.query, keep_blank_values=True)))
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{path}" + (f"?{names if len(names) <= 40 else names[:40] + '…'}" if names else "")


def read_har(path: Path) -> tuple[list[Recorded], list[EntryRemark]]:
    """The requests of pages and scripts in the order in which they began, and a remark for each entry that is not among them.

    Raises UsageError for a file that is not a HAR, and for one without a request.
    """
    problems: list[Problem] = []
    text = read_text_file(path, "a HAR file", problems, option="CAPTURE")
    capture: Any = read_json_text(text, str(path), problems) if text is not None else None
    if not problems and (odd := capture_problem(capture, str(path))) is not None:
        problems.append(odd)
    if problems:
        raise UsageError(*problems)
    recorded: list[Recorded] = []
    remarks: list[EntryRemark] = []
    for number, entry in enumerate(capture["log"]["entries"], 1):
        try:
            _read(number, entry, path.parent, recorded, remarks)
        except NoBase64Error as error:
            raise UsageError(no_base64(str(path), number, str(error))) from error
    if not recorded:
        raise UsageError(
            Problem(str(path), "log.entries", "no page or API call", "at least one", "Record the journey with the network panel open.")
        )
    return _in_order(_once_each(recorded, remarks)), remarks


def _read(number: int, entry: Mapping[str, Any], folder: Path, recorded: list[Recorded], remarks: list[EntryRemark]) -> None:
    request = entry.get("request") or {}
    method, (url, login) = str(request.get("method", "")).upper(), _without_user(str(request.get("url", "")))
    address = shown_address(url) if url.startswith(("http://", "https://")) else url.partition(",")[0][:80]

    def say(text: str) -> None:
        remarks.append(EntryRemark(number, method or "?", address or "without an address", text))

    headers = [(str(item["name"]), str(item["value"])) for item in request.get("headers") or []]
    small = {name.lower(): value for name, value in headers}
    if login and "authorization" not in small:
        headers.append(("Authorization", login))
    kind = _kind(entry, small)
    response = entry.get("response") or {}
    content = response.get("content") or {}
    status = _status(response.get("status"))
    if reason := _why_not(method, url, kind, status, response, entry):
        say(reason)
        return
    if _is_asset(method, kind, url, str(content.get("mimeType") or "")):
        say(ASSET)
        return

    def attached(holder: Mapping[str, Any]) -> bytes | None:
        return _attached(holder, folder, say)

    posted = read_posted(request, small, attached)
    if posted.decoded:
        say("its fields stood percent-encoded in the capture, and were decoded")
    if posted.taken_for:
        say(f"the capture names no type of its body; it is taken for {posted.taken_for}, by its looks")
    sent = [part for item in posted.fields if item.filename is None for part in (item.name, item.value)]
    if any("\ufffd" in part for part in sent or ([] if posted.is_file else [posted.text])):
        say("its body is not UTF-8: what stands for U+FFFD in the draft has to be mended by hand")
    if status == 304 or entry.get("_fromCache") or "Cache" in str(entry.get("_fetchType", "")):  # Chrome; Safari
        say("answered from the browser's cache; the draft asks the portal")
    page = _page(method, url, 200 if status == 304 else status, response, content, attached, say)
    location = str(response.get("redirectURL") or page.exchange.headers.get("location"))
    joined = _joined(url, location) if location and 300 <= status < 400 and status != 304 else ""
    by_worker = bool(response.get("_fetchedViaServiceWorker")) or entry.get("_fetchType") == "Service Worker"  # Chrome; Safari
    moment = _moment(entry.get("startedDateTime"))
    recorded.append(Recorded(number, method, page.url, kind, headers, posted, page, joined, moment, by_worker))


def _without_user(url: str) -> tuple[str, str]:
    """An address without the user and the password in it, and the header by which a browser sends them; empty without a user."""
    before, at, host = url.partition("://")[2].partition("/")[0].rpartition("@")
    if not at or not url.startswith(("http://", "https://")):
        return url, ""
    user, _, password = before.partition(":")
    login = b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
    return url.replace(f"{before}@{host}", host, 1), f"Basic {login}"


def _kind(entry: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """What the browser asked for: Chrome and Playwright say it, Firefox and proxies keep the browser's header (Fetch Metadata)."""
    said = str(entry.get("_resourceType") or "").lower()
    if said and said != "other":
        return said
    if headers.get("x-requested-with"):
        return "xhr"
    if "prefetch" in headers.get("sec-purpose", "") + headers.get("purpose", ""):
        return "prefetch"
    asked = headers.get("sec-fetch-dest", "").lower()
    return "fetch" if asked == "empty" else asked


def _status(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def _why_not(method: str, url: str, kind: str, status: int, response: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    """Why an entry is no request of a profile; empty for one that is."""
    if not method or not url:
        return "no method or no address"
    if method == "CONNECT":
        return "a tunnel of the proxy, not a request"
    if kind == "websocket" or url.startswith(("ws://", "wss://")) or entry.get("_webSocketMessages") or status == 101:
        return _NOT_SENT["websocket"]
    if not url.startswith(("http://", "https://")):
        return "not an address of the network"
    if locate(url)[0] is None:
        return UNSENDABLE
    if method == "OPTIONS":
        return _NOT_SENT["preflight"]
    if kind in _NOT_SENT:
        return _NOT_SENT[kind]
    if str((response.get("content") or {}).get("mimeType") or "").startswith("text/event-stream"):
        return _NOT_SENT["eventsource"]
    if method not in _METHODS:
        return f"method {method}, which a profile does not have"
    if not 100 <= status <= 599:  # aborted, blocked or refused: 0 in Chrome, Firefox, Safari, mitmproxy and Fiddler, -1 in Playwright
        failure = response.get("_error") or response.get("_failureText") or response.get("statusText") or ""
        stated = response.get("status", "missing") if response else "missing"
        return f"no answer (status {stated}{f', {failure}' if failure else ''}): aborted, blocked or without a connection"
    return ""


def _is_asset(method: str, kind: str, url: str, mime: str) -> bool:
    """Whether a page loaded this for its looks or its scripts; what a form or a script sent never is."""
    if method not in ("GET", "HEAD") or kind in _SENT_BY_PAGES or _JSONP.search(url):
        return False
    return kind in _ASSETS or bool(_ASSET_PATHS.search(urlsplit(url).path)) or bool(_ASSET_TYPES.match(mime))


def _attached(holder: Mapping[str, Any], folder: Path, say: Any) -> bytes | None:
    """The file that holds a body: Playwright's ``_file`` beside the HAR, ``_sha1`` among the resources of a trace."""
    name = str(holder.get("_file") or holder.get("_sha1") or "")
    if not name:
        return None
    inside = ".." not in PurePosixPath(name).parts and not name.startswith("/") and "\\" not in name
    for place in (folder / name, folder / "resources" / name) if inside else ():
        if place.is_file():
            try:
                return read_at_most(place, LARGEST_BYTES)
            except OSError as error:
                say(f"a body of it is in the file {name}, which cannot be read ({error.strerror})")
                return None
    say(f"a body of it is in the file {name}, which is not beside the capture")
    return None


def _page(method: str, url: str, status: int, response: Mapping[str, Any], content: Mapping[str, Any], attached: Any, say: Any) -> Page:
    text = content.get("text")
    if isinstance(text, str) and HALF_A_SIGN.search(text):
        say("its answer holds halves of characters, which stand as U+FFFD")
        text = HALF_A_SIGN.sub("\ufffd", text)
    body = attached(content)
    fields = [(str(item["name"]), str(item["value"])) for item in response.get("headers") or []]
    kind = str(content.get("mimeType") or "")
    if kind in ("", "x-unknown"):  # Chrome, Safari and Playwright, where the browser did not say it
        kind = next((value for name, value in fields if name.lower() == "content-type"), "")
    if body is None and content.get("encoding") == "base64":
        body = from_base64(str(text or ""), "response.content.text")
    if body is None:
        if text is None and not 300 <= status < 400 and status != 204 and not (content.get("_file") or content.get("_sha1")):
            say("the capture does not hold its answer: what it gave cannot be traced")
        body = (str(text or "") if "charset" in kind.lower() else as_utf8(str(text or ""))).encode()
        kind = _CHARSET.sub("", kind or "text/html") + "; charset=utf-8"  # the tool has decoded it already
    elif body.startswith(_GZIP):  # HAR 1.2 asks for the decoded text; some proxies keep what came
        body = _unpacked(body, say)
    if not any(name.lower() == "set-cookie" for name, _ in fields):  # some tools keep cookies in their list alone
        fields += [("set-cookie", f"{item['name']}={item['value']}") for item in response.get("cookies") or []]
    address = url.partition("#")[0]
    kept = [(name, line) for name, value in fields if name.lower() not in _OF_THE_BODY for line in value.split("\n")]
    return Page(Exchange(method, address, origin_of(address), status=status, headers=Headers([("content-type", kind), *kept]), body=body))


def _unpacked(body: bytes, say: Any) -> bytes:
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        say("the capture holds its answer compressed, and cut: what it gave cannot be traced")
        return b""


def _joined(url: str, location: str) -> str:
    """Where a Location leads, with the fragment: some identity providers put the code there (OAuth 2.0 Multiple Response Types)."""
    return resolve(url, location)


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None


def _in_order(recorded: list[Recorded]) -> list[Recorded]:
    """By their beginning: HAR leaves the order of entries to the reader. As they stand where a time is missing."""
    moments = [item.started for item in recorded]
    if any(moment is None or moment.tzinfo is None for moment in moments):
        return recorded
    return sorted(recorded, key=lambda item: item.started.timestamp() if item.started else 0.0)


def _once_each(recorded: list[Recorded], remarks: list[EntryRemark]) -> list[Recorded]:
    """Without what a page asked of a service worker that then asked the portal the same."""
    own = {(item.method, item.url, item.posted.text) for item in recorded if not item.by_worker}
    twice = [item for item in recorded if item.by_worker and (item.method, item.url, item.posted.text) in own]
    remarks.extend(item.remark("answered by a service worker, whose own request is in the draft") for item in twice)
    return [item for item in recorded if item not in twice]
