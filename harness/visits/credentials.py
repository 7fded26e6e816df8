"""Secrets that are known by their kind: what stands where a credential stands, whoever gave it and whatever it is."""

from __future__ import annotations

import re
from typing import Final

BLANK: Final = "•••"

_PASSWORDS = re.compile(r"passw(?:or)?d|passphrase|mat_?khau|ma_?xac_?(?:nhan|thuc)|ma_?bao_?mat|^pwd$|^pin$|otp$", re.IGNORECASE)
_TOKENS = re.compile(
    r"token|csrf|xsrf|secret|api[_-]?key|authori[sz]ation|credential|signature|jwt|view_?state|session_?id|^p_auth$|^saml(?:request|response|art)$|assertion|code_verifier|(?:^|[_-])nonce$|^j?sid$|^phpsessid$|^sig$",
    re.IGNORECASE,
)
_OFTEN_TOKENS = re.compile(r"^(?:key|code|state|ticket|session|nonce|auth)$", re.IGNORECASE)
_LONG_MIXED = re.compile(r"(?=(?:[^0-9]*[0-9]){3})(?=(?:[^A-Za-z]*[A-Za-z]){3})[\w~+/=-]{20,}")
_SHORTEST_TOKEN = 6
_LONGEST_ESCAPED = 4_096  # characters of a value between escaped quotes (assumed: no credential is longer)

# Patterns take time in proportion to a text's length, whatever it holds: portals write these texts.
_NAME = re.compile(
    r"""(?<![\w.$\[\]-])(?P<name>[\w.:$\[\]-]{0,99}[\w\]])["']?[ \t]{0,4}(?P<sign>[=:])[ \t]{0,4}(?:(?:Bearer|Basic|Token|ApiKey)[ ]{1,4})?""",
    re.IGNORECASE,
)
_QUOTED = re.compile(r""""(?P<double>[^"<>]+)(?:"|\Z)|'(?P<single>[^'<>]+)(?:'|\Z)""")
_BARE = re.compile(r"""[^&\s"'<>#;,|(){}]+""")
_BARE_ONCE = re.compile(r"""[^&\s"'<>#;,|(){}=?]+""")
_SCHEME = re.compile(r"\b(?P<scheme>(?:Bearer|Basic)[ ]{1,4})(?=[^\s\"'<>]{0,200}(?:[0-9=]|(?-i:[a-z][A-Z])))[\w.~+/=-]{8,}", re.IGNORECASE)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?")
_COOKIES = re.compile(r"""\b(?P<name>(?:set-)?cookie["']?[ ]{0,4}:[ ]{0,4}["']?)[^\r\n"'<>]+""", re.IGNORECASE)
_USER = re.compile(r"(?<=://)(?P<user>[^/\s\"'<>@:]{0,200}):[^/\s\"'<>@]{1,200}@")
_TAG = re.compile(r"""<(?:input|meta)\b(?:(?:[^<>"']|"[^"]{0,2000}"|'[^']{0,2000}')*+>|[^<>]*(?:>|\Z))""", re.IGNORECASE)
# An XML element with a text: <token>…</token>.
_ELEMENT = re.compile(r"<(?:[\w.-]{1,99}:)?(?P<name>[\w.-]{1,99})(?P<attributes>\s[^<>]{0,300})?>(?P<value>[^<>]{1,4096}+)(?=</|\Z)")
# A part of a multipart form, by the name in its head.
_PART = re.compile(
    r"""(?P<head>Content-Disposition:[ ]?form-data;[^\r\n]{0,200}?\bname="(?P<name>[^"\r\n]{1,200})"[^\r\n]{0,300}\r?\n(?:[^\r\n]{1,300}\r?\n){0,4}\r?\n)(?P<value>[^\r\n]{1,4096}+)""",
    re.IGNORECASE,
)
# A call in a script with a name and a value: set("token", "…").
_CALL = re.compile(
    r"""(?P<head>\(\s{0,4}(?P<first>["'])(?P<name>[\w.-]{1,99})(?P=first)\s{0,4},\s{0,4}(?P<second>["']))(?P<value>[^"'<>\r\n]{1,4096}+)"""
)
# A quote as JSON inside JSON, HTML or an address writes it; and a name between two of them.
_QUOTE = r"""\\{1,7}["']|&(?:quot|apos|#0{0,4}3[49]|#x0{0,4}2[27]);|%2[27]|\\u002[27]"""
_ESCAPED = re.compile(
    rf"""(?P<quote>{_QUOTE})(?P<name>[\w.$\[\]-]{{1,99}})(?P=quote)(?:\s|%20|\+){{0,4}}(?::|%3A)(?:\s|%20|\+){{0,4}}(?P=quote)""",
    re.IGNORECASE,
)
_JSON_STRING = re.compile(r""""(?P<double>(?:[^"\\\n]|\\.){1,4096}+)""")
_PRIVATE_KEY = re.compile(r"(?P<begin>-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)[^-]{1,10000}+")
_DIGEST = re.compile(r"""(?P<scheme>\bDigest[ ]{1,4})(?=\w{1,30}=")[^\r\n]{1,2000}""", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""(?P<name>[\w-]+)\s*=\s*(?:"(?P<double>[^"]*)(?:"|\Z)|'(?P<single>[^']*)(?:'|\Z)|(?P<bare>[^\s"'>]+))""")


def by_kind(text: str) -> str:
    """A text without credentials: passwords and tokens in forms, XML, JSON and addresses, Authorization, cookies, JSON web tokens, keys."""
    text = _TAG.sub(_blank_tag, text)
    text = _ELEMENT.sub(_blank_element, text)
    for pattern in (_PART, _CALL) if "form-data" in text.lower() else (_CALL,):
        text = pattern.sub(lambda found: found["head"] + BLANK if is_credential(found["name"], found["value"]) else found[0], text)
    text = _without_escaped_pairs(text)
    text = _PRIVATE_KEY.sub(lambda found: found["begin"] + BLANK, text)
    text = _DIGEST.sub(lambda found: found["scheme"] + BLANK, text) if "digest " in text.lower() else text
    text = _COOKIES.sub(lambda found: found["name"] + BLANK, text)
    text = _without_pairs(text)
    text = _SCHEME.sub(lambda found: found["scheme"] + BLANK, text)
    text = _USER.sub(lambda found: f"{found['user']}:{BLANK}@", text)
    return _JWT.sub(BLANK, text)


def blank_field(name: str, value: str) -> str:
    """The value of a header field without credentials: of cookies their values, of Authorization all but the scheme."""
    lower = name.lower()
    if lower == "cookie":
        return "; ".join(_named(pair) for pair in value.split(";"))
    if lower == "set-cookie":
        pair, semicolon, attributes = value.partition(";")
        return _named(pair) + semicolon + by_kind(attributes)
    if lower in ("authorization", "proxy-authorization"):
        scheme, _, credentials = value.partition(" ")
        return f"{scheme} {BLANK}" if credentials else BLANK
    return BLANK if is_credential(name, value) else by_kind(value)


def _named(pair: str) -> str:
    """The name of a cookie without its value."""
    name, sign, _ = pair.strip().partition("=")
    return f"{name}={BLANK}" if sign else BLANK


def is_credential(name: str, value: str) -> bool:
    """Whether a value that stands under a name is a password or a token, by the name, and by its looks where names say little."""
    if _PASSWORDS.search(name):
        return bool(value)
    if _TOKENS.search(name):
        return len(value) >= _SHORTEST_TOKEN and not any(map(str.isspace, value))
    return _OFTEN_TOKENS.search(name) is not None and _LONG_MIXED.fullmatch(value) is not None


def _without_pairs(text: str) -> str:
    """A text without the credentials that stand after their names: ``name=value``, ``"name": "value"``."""
    parts, done, at = [], 0, 0
    while (found := _NAME.search(text, at)) is not None:
        at = found.end()  # an address in quotation marks holds pairs of its own
        start, end = _value_after(text, found)
        if is_credential(found["name"], text[start:end]):
            parts += [text[done:start], BLANK]
            done = at = end
    return "".join([*parts, text[done:]])


def _value_after(text: str, found: re.Match[str]) -> tuple[int, int]:
    """Where the value of a name begins and ends; nowhere for names that credentials do not have, and for prose after a colon."""
    name, at = found["name"], found.end()
    known = _PASSWORDS.search(name) or _TOKENS.search(name)
    if not known and not _OFTEN_TOKENS.search(name):
        return at, at
    in_json = found["sign"] == ":" and text[found.end("name") : found.end("name") + 1] == '"'
    if in_json and (string := _JSON_STRING.match(text, at)):
        return string.span("double")
    if quoted := _QUOTED.match(text, at):
        return quoted.span("double" if quoted["double"] is not None else "single")
    bare = (_BARE if known else _BARE_ONCE).match(text, at)
    if bare is None or (found["sign"] == ":" and not any(map(str.isdigit, bare[0]))):
        return at, at
    return bare.span()


def _without_escaped_pairs(text: str) -> str:
    """A text without the credentials of JSON inside JSON, of HTML or of an address, whose quotation marks are escaped."""
    parts, done, at = [], 0, 0
    while (found := _ESCAPED.search(text, at)) is not None:
        at = found.end()
        end = text.find(found["quote"], at, at + _LONGEST_ESCAPED)
        end = end if end >= 0 else min(len(text), at + _LONGEST_ESCAPED)
        if is_credential(found["name"], text[at:end]):
            parts += [text[done:at], BLANK]
            done = at = end
    return "".join([*parts, text[done:]])


def _blank_element(found: re.Match[str]) -> str:
    """An element of XML, or a text area of HTML, without the credential that is its text."""
    named = [
        each["double"] or each["single"] or each["bare"]
        for each in _ATTRIBUTE.finditer(found["attributes"] or "")
        if each["name"] == "name"
    ]
    if any(is_credential(name, found["value"]) for name in (found["name"], *named)):
        return found[0][: found.start("value") - found.start()] + BLANK
    return found[0]


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
