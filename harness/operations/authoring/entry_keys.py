"""The keys of a HAR that are read, and of what kind their values are. A key may be absent or null where tools leave it out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final

from harness.errors import Problem

_PLAIN: Final = "a text, a number, true or false"
_NAMED: Final[dict[str, Any]] = {"name": _PLAIN, "value": _PLAIN}  # both are needed
_BODY: Final[dict[str, Any]] = dict.fromkeys(("mimeType", "text", "encoding", "comment", "_file", "_sha1"), _PLAIN)
_PARAM: Final[dict[str, Any]] = {**_NAMED, "fileName": _PLAIN}
_ENTRY: Final[dict[str, Any]] = {
    **dict.fromkeys(("startedDateTime", "_resourceType", "_fetchType", "_fromCache"), _PLAIN),
    "request": {**dict.fromkeys(("method", "url", "bodySize"), _PLAIN), "headers": [_NAMED], "postData": {**_BODY, "params": [_PARAM]}},
    "response": {
        **dict.fromkeys(("status", "statusText", "redirectURL", "_error", "_failureText", "_fetchedViaServiceWorker"), _PLAIN),
        "headers": [_NAMED],
        "cookies": [_NAMED],
        "content": _BODY,
    },
}
"""A mapping stands for an object, a list for a list of what it holds, and ``_PLAIN`` for a value that is neither."""
HALF_A_SIGN: Final = re.compile("[\ud800-\udfff]")
"""A lone surrogate, which UTF-8 has no bytes for. An answer may hold some. In assets nobody reads them; elsewhere they are replaced, with a remark."""
_SAVE: Final = "Save it in the browser's developer tools: Network, Save all as HAR with content. Unpack a HAR that is a ZIP file."
_MEND: Final = "Export the capture anew, or take this entry out of the file."


def capture_problem(capture: Any, file: str) -> Problem | None:
    """The first key of a capture that HAR 1.2 has otherwise; None if every entry can be read. ``capture``: what its JSON holds."""
    key, found = "file", capture
    for name in ("log", "entries"):
        if not isinstance(found, dict):
            return Problem(file, key, _kind(found), "an object, as a HAR file has it", _SAVE)
        key, found = name if key == "file" else f"{key}.{name}", found.get(name)
    if not isinstance(found, list):
        return Problem(file, key, _kind(found), "a list, as a HAR file has it", _SAVE)
    for number, entry in enumerate(found, 1):
        for place, value, expected in _odd(entry, _ENTRY, ""):
            return Problem(file, _place(number, place), value, f"{expected}, as HAR 1.2 has it", _MEND)
    return None


def no_base64(file: str, number: int, key: str) -> Problem:
    """What is said of a body that is no base64 although its entry says so."""
    return Problem(file, _place(number, f".{key}"), "no base64", "base64, as its `encoding` says", _MEND)


def _place(number: int, key: str) -> str:
    return f"entry {number}, log.entries[{number - 1}]{key}"


def _odd(value: Any, form: Any, key: str) -> Iterator[tuple[str, str, str]]:
    """Key, value and expectation of what is of another kind than its form."""
    if form == _PLAIN:
        if value is None or isinstance(value, dict | list):
            yield key, _kind(value), _PLAIN
        elif isinstance(value, float) and math.isinf(value):
            yield key, "a number that is too large", _PLAIN
        elif isinstance(value, str) and not key.endswith(".content.text") and HALF_A_SIGN.search(value):
            yield key, "a text with half a character (a lone surrogate)", "a text of whole characters"
    elif not isinstance(value, type(form)):
        yield key, _kind(value), "a list" if isinstance(form, list) else "an object"
    elif isinstance(form, list):
        for index, item in enumerate(value):
            yield from _odd(item, form[0], f"{key}[{index}]")
    else:
        needed = form.keys() if form is _NAMED else {"name"} if form is _PARAM else ()
        for name, each in form.items():
            if name in needed or value.get(name) is not None:
                yield from _odd(value.get(name), each, f"{key}.{name}")


def _kind(value: Any) -> str:
    """What stands there, in JSON's words."""
    if value is None:
        return "missing or null"
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return next((name for kind, name in kinds.items() if isinstance(value, kind)), "a number")
