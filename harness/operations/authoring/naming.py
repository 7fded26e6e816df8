"""What a recorded thing is by its name and its looks: secrets, values that scripts make, hosts, steps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote, urlsplit

from harness.profiles.functions import unaccented

MACHINE_MADE = re.compile(r"^(?:\d+|(?=\D*\d.{3})[\w.~+/=:-]+)$")
"""An identifier rather than something that a person typed."""
_ONE_TIME_NAMES = re.compile(
    r"token|csrf|xsrf|session|nonce|^state$|view_?state|^code$|ticket|execution|^lt$|authori[sz]ation|signature", re.IGNORECASE
)
_CHANGING_NAMES = re.compile(r"\d{4,}|(?=[a-f]*\d)[0-9a-f]{8,}")
_JWT = re.compile(r"^eyJ[\w-]+\.[\w-]+\.[\w-]*$")
_UUID = re.compile(r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
_PASSWORDS = re.compile(r"pass(?:word|wd|phrase|$)|^pwd|mat_?khau|^pin$", re.IGNORECASE)
_ONE_TIME_PASSWORDS = re.compile(r"^(?:otp|totp|ma_?otp|ma_?xac_?nhan|sms_?code)$", re.IGNORECASE)
_SECRETS = re.compile(
    r"secret|api[_-]?key|^key$|token|authori[sz]ation|credential|signature|^sig$|jwt|session|^sid$|password|cookie|bearer", re.IGNORECASE
)
_IDENTITY = re.compile(
    r"/realms/|/openid-connect|/oauth2?(?:/|$)|/connect/(?:authorize|token|endsession)|/authorize|/cas(?:/|$)|/saml2?|/adfs/|/idp/"
    r"|/oidc|login|dang-?nhap|(?:^|/)sso|/signin"
)
_IDENTITY_HOST = re.compile(r"^(?:sso|idp?|auth|login|accounts?|dangnhap|xacthuc|vneid|cas|keycloak)[.\d-]")
_PAYMENT = re.compile(r"thanh-?toan|pay(?:ment|gate)?(?:$|[^a-z])|vnpay|napas")


def is_secret_text(text: str) -> bool:
    """Whether a text looks like a token, by its length and its signs: a JWT, or 20 signs and more of mixed letters and digits."""
    if _JWT.match(text):
        return True
    plain = re.fullmatch(r"[\w+/=~-]{20,500}", text) is not None and "--" not in text and _UUID.match(text) is None
    digits = sum(sign.isdigit() for sign in text)
    words = re.split(r"[-_+/=~]", text)
    return plain and digits >= 3 and any(len(word) >= 12 and any(map(str.isdigit, word)) for word in words)


def is_one_time(name: str, value: str) -> bool:
    """Whether a value is made for one session, by its looks or by its name: an answer has probably given it."""
    if len(value) < 4:
        return False
    if MACHINE_MADE.match(value):
        return True
    opaque = len(value) >= 8 and re.fullmatch(r"[\w.~+/=:-]+", value) is not None
    return opaque and (any(map(str.isdigit, value)) or _ONE_TIME_NAMES.search(name) is not None)


def is_changing_name(name: str) -> bool:
    """Whether a field's name looks made for one page."""
    return _CHANGING_NAMES.search(name) is not None


def is_password(name: str) -> bool:
    """Whether a field of this name takes a password."""
    return _PASSWORDS.search(unaccented(name)) is not None


def password_expression(value: str) -> str:
    """How a profile writes a password, which scripts may have digested."""
    digest = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}.get(len(value), "") if re.fullmatch(r"[0-9a-fA-F]+", value) else ""
    return f"{digest}(person.password)" if digest else "person.password"


def is_one_time_password(name: str) -> bool:
    """Whether a field of this name takes a one-time password."""
    return _ONE_TIME_PASSWORDS.search(name) is not None


def is_secret(name: str, value: str) -> bool:
    """Whether a value must not be written out, by its name or by its looks."""
    return is_secret_text(value) or (_SECRETS.search(name) is not None and MACHINE_MADE.match(value) is not None and len(value) >= 6)


def identifier(text: str, otherwise: str = "value") -> str:
    """A name for a variable: lower case, digits, underscores."""
    return re.sub(r"[^a-z0-9]+", "_", unaccented(text).lower()).strip("_").lstrip("0123456789_") or otherwise


def roles_of(addresses: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """The role of each origin, from the addresses that were asked there: (origin, address), in order."""
    paths: dict[str, list[str]] = {}
    for origin, address in addresses:
        paths.setdefault(origin, []).append(unquote(urlsplit(address).path).lower())
    identity = {origin for origin, asked in paths.items() if _is_identity(origin, asked)}
    portal = next((origin for origin in paths if origin not in identity), next(iter(paths), ""))
    roles: dict[str, str] = {}
    for origin, asked in paths.items():
        if origin == portal:
            role = "portal"
        elif origin in identity or any(_IDENTITY.search(path) for path in asked):
            role = "identity"
        elif any(_PAYMENT.search(path) for path in (origin.partition("://")[2], *asked)):
            role = "payment"
        else:
            role = f"host_{len(roles)}"
        roles[origin] = role if role not in roles.values() else f"host_{len(roles)}"
    return roles


def _is_identity(origin: str, paths: Sequence[str]) -> bool:
    return _IDENTITY_HOST.match(origin.partition("://")[2]) is not None or all(_IDENTITY.search(path) for path in paths)


def is_login(path: str) -> bool:
    """Whether a path is a place to log in."""
    return re.search(r"login|dang-?nhap|sso|oidc|openid|/token|/signin", path) is not None
