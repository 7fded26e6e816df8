"""Secrets that are known by their kind: what stands where a credential stands, whoever gave it and whatever it is."""

from __future__ import annotations

import re
from typing import Final

BLANK: Final = "•••"

_PASSWORDS = re.compile(r"passw(?:or)?d|passphrase|mat_?khau|^pwd$|^pin$|otp$", re.IGNORECASE)
_TOKENS = re.compile(
    r"token|csrf|xsrf|secret|api[_-]?key|authori[sz]ation|credential|signature|jwt|view_?state|session_?id|^j?sid$|^phpsessid$|^sig$",
    re.IGNORECASE,
)
_OFTEN_TOKENS = re.compile(r"^(?:key|code|state|ticket|session|nonce|auth)$", re.IGNORECASE)
_LONG_MIXED = re.compile(r"(?=(?:[^0-9]*[0-9]){3})(?=(?:[^A-Za-z]*[A-Za-z]){3})[\w~+/=-]{20,}")
_SHORTEST_TOKEN = 6

# Each pattern reads a text once: what repeats is bounded, and none begins inside of what it has just read.
_PAIR = re.compile(
    r"""(?<![\w.$\[\]-])(?P<name>[\w.:$\[\]-]{0,99}[\w\]])(?P<between>["']?[ \t]{0,4}(?:=|:)[ \t]{0,4})"""
    r"""(?P<scheme>(?:Bearer|Basic|Token|ApiKey)[ ]{1,4})?(?:"(?P<double>[^"<>]+)(?:"|\Z)|'(?P<single>[^'<>]+)(?:'|\Z)|(?P<bare>[^&\s"'<>#;,|(){}]+))""",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(?P<scheme>(?:Bearer|Basic)[ ]{1,4})(?=[^\s\"'<>]{0,200}(?:[0-9=]|(?-i:[a-z][A-Z])))[\w.~+/=-]{8,}", re.IGNORECASE)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?")
_COOKIES = re.compile(r"""\b(?P<name>(?:set-)?cookie["']?[ ]{0,4}:[ ]{0,4}["']?)[^\r\n"'<>]+""", re.IGNORECASE)
_USER = re.compile(r"(?<=://)(?P<user>[^/\s\"'<>@:]{0,200}):[^/\s\"'<>@]{1,200}@")
_TAG = re.compile(r"<(?:input|meta)\b[^<>]*(?:>|\Z)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""(?P<name>[\w-]+)\s*=\s*(?:"(?P<double>[^"]*)(?:"|\Z)|'(?P<single>[^']*)(?:'|\Z)|(?P<bare>[^\s"'>]+))""")


def by_kind(text: str) -> str:
    """A text without credentials: passwords and tokens in forms, JSON and addresses, Authorization, cookies, JSON web tokens."""
    text = _TAG.sub(_blank_tag, text)
    text = _COOKIES.sub(lambda found: found["name"] + BLANK, text)
    text = _PAIR.sub(_blank_pair, text)
    text = _SCHEME.sub(lambda found: found["scheme"] + BLANK, text)
    text = _USER.sub(lambda found: f"{found['user']}:{BLANK}@", text)
    return _JWT.sub(BLANK, text)


def is_credential(name: str, value: str) -> bool:
    """Whether a value that stands under a name is a password or a token, by the name, and by its looks where names say little."""
    if _PASSWORDS.search(name):
        return bool(value)
    if _TOKENS.search(name):
        return len(value) >= _SHORTEST_TOKEN and not any(map(str.isspace, value))
    return _OFTEN_TOKENS.search(name) is not None and _LONG_MIXED.fullmatch(value) is not None


def _blank_pair(found: re.Match[str]) -> str:
    which = "double" if found["double"] is not None else "single" if found["single"] is not None else "bare"
    value = found[which]
    prose = which == "bare" and ":" in found["between"] and not any(map(str.isdigit, value))  # “Password: at least …”
    if prose or not is_credential(found["name"], value):
        return found[0]
    start, end = found.start(which) - found.start(), found.end(which) - found.start()
    return found[0][:start] + BLANK + found[0][end:]


def _blank_tag(found: re.Match[str]) -> str:
    tag = found[0]
    attributes = {each["name"].lower(): each for each in _ATTRIBUTE.finditer(tag)}
    values = {name: each["double"] or each["single"] or each["bare"] or "" for name, each in attributes.items()}
    named = values.get("name") or values.get("id") or values.get("property") or ""
    for holder in ("value", "content"):
        held = values.get(holder, "")
        if held and (is_credential(named, held) or values.get("type", "").lower() == "password"):
            each = attributes[holder]
            which = next(name for name in ("double", "single", "bare") if each[name])
            return tag[: each.start(which)] + BLANK + tag[each.end(which) :]
    return tag
