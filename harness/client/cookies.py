"""One citizen's cookies, by RFC 6265.

As in Chromium, this machine counts as a secure origin (so that a portal under test on loopback may set ``Secure``
cookies without TLS), the rules for ``__Host-`` and ``__Secure-`` names hold, and a cookie may not be set for a whole
registry. The list of registries is short: those under ``vn`` that a portal could name, and every single-label domain.
Cookies are shared between the ports of a host (RFC 6265, section 8.5).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from harness.client.cookie_dates import cookie_date_s
from harness.origins import Origin

_UNDER_VN = ("ac", "ai", "biz", "com", "edu", "gov", "health", "id", "info", "int", "io", "name", "net", "org", "pro")
_REGISTRIES = frozenset(f"{name}.vn" for name in _UNDER_VN)
_PAIR_BYTES = 4096  # name and value together; larger cookies are not kept (RFC 6265bis, Chromium)
_COOKIES = 180  # Chromium's limit for one domain, here for the whole jar
_NEVER = float("inf")
_BOOTED_S = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def _now_s() -> float:
    """The time of day in seconds since 1970, taken once: a later step of the machine's clock expires no cookie."""
    return _BOOTED_S + time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(slots=True)
class Cookie:
    """One cookie as it is kept; ``expires_s`` counts from the epoch, infinite for a session cookie."""

    name: str
    value: str
    domain: str
    path: str
    host_only: bool
    secure: bool
    expires_s: float

    def fits_host(self, host: str) -> bool:
        """RFC 6265, section 5.1.3; host-only cookies go back to their host alone."""
        return host == self.domain or (not self.host_only and host.endswith("." + self.domain))

    def fits_path(self, path: str) -> bool:
        """RFC 6265, section 5.1.4."""
        own = self.path
        return path == own or (path.startswith(own) and (own.endswith("/") or path[len(own) : len(own) + 1] == "/"))


class CookieJar:
    """Stores what answers set, and gives the Cookie header for a request."""

    __slots__ = ("_cookies", "_header", "_header_expires_s", "_header_origin")

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}  # in the order of creation, which a changed value keeps
        self._header = ""
        self._header_origin: Origin | None = None
        self._header_expires_s = 0.0

    def header(self, origin: Origin, path: str) -> str:
        """The value of the Cookie header for a request, empty where there is nothing to send.

        While all cookies have the path ``/`` (the usual case), the header is the same for every request to an origin, and
        is made once.
        """
        if self._header_origin is origin and self._header_expires_s > _now_s():
            return self._header
        text = "; ".join(f"{cookie.name}={cookie.value}" if cookie.name else cookie.value for cookie in self._matching(origin, path))
        if all(cookie.path == "/" for cookie in self._cookies.values()):
            self._header, self._header_origin = text, origin
            self._header_expires_s = min((cookie.expires_s for cookie in self._cookies.values()), default=_NEVER)
        return text

    def pairs(self, origin: Origin, path: str) -> dict[str, str]:
        """Names and values that would be sent; of two cookies with one name, the one that is sent first."""
        pairs: dict[str, str] = {}
        for cookie in self._matching(origin, path):
            pairs.setdefault(cookie.name, cookie.value)
        return pairs

    def store(self, line: str, origin: Origin, path: str) -> None:
        """Apply one Set-Cookie field; a field that is not allowed changes nothing."""
        cookie = _parsed(line, origin, path)
        if cookie is None:
            return
        self._header_origin = None
        key = cookie.domain, cookie.path, cookie.name
        if cookie.expires_s <= _now_s():
            self._cookies.pop(key, None)
            return
        if key not in self._cookies and len(self._cookies) >= _COOKIES:
            del self._cookies[next(iter(self._cookies))]
        self._cookies[key] = cookie

    def _matching(self, origin: Origin, path: str) -> list[Cookie]:
        now_s = _now_s()
        for key in [key for key, cookie in self._cookies.items() if cookie.expires_s <= now_s]:
            del self._cookies[key]
        trusted = _is_trusted(origin)
        bare = path.partition("?")[0]
        found = [
            cookie
            for cookie in self._cookies.values()
            if cookie.fits_host(origin.name) and cookie.fits_path(bare) and (trusted or not cookie.secure)
        ]
        found.sort(key=lambda cookie: -len(cookie.path))
        return found


def _parsed(line: str, origin: Origin, path: str) -> Cookie | None:
    pair, *attributes = line.split(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", pair  # as browsers read it: a value without a name
    name, value = name.strip(" \t"), value.strip(" \t")
    if not (name or value) or len(name) + len(value) > _PAIR_BYTES or not f"{name}{value}".replace("\t", "").isprintable():
        return None
    cookie = Cookie(name, value, origin.name, _default_path(path), host_only=True, secure=False, expires_s=_NEVER)
    max_age = False
    domain = ""
    for attribute in attributes:
        key, _, text = attribute.partition("=")
        key, text = key.strip(" \t").lower(), text.strip(" \t")
        if key == "max-age" and text.lstrip("-").isdigit():
            cookie.expires_s = _now_s() + int(text[:12]) if not text.startswith("-") else 0.0
            max_age = True
        elif key == "expires" and not max_age and (date_s := cookie_date_s(text)) is not None:
            cookie.expires_s = date_s
        elif key == "domain":
            domain = text.removeprefix(".").lower()
        elif key == "path":
            cookie.path = text if text.startswith("/") else _default_path(path)
        elif key == "secure":
            cookie.secure = True
    return cookie if _allowed(cookie, domain, origin) else None


def _allowed(cookie: Cookie, domain: str, origin: Origin) -> bool:
    """Set the cookie's domain; False where the origin may not set the cookie."""
    name = cookie.name.lower()
    if domain:
        registry = "." not in domain or domain in _REGISTRIES
        parent = origin.address is None and not registry and f".{origin.name}".endswith(f".{domain}")
        if not parent and domain != origin.name:
            return False
        if parent:
            cookie.domain, cookie.host_only = domain, False
    if cookie.secure and not _is_trusted(origin):
        return False
    if name.startswith("__secure-"):
        return cookie.secure
    if name.startswith("__host-"):
        return cookie.secure and not domain and cookie.path == "/"
    return True


def _is_trusted(origin: Origin) -> bool:
    return origin.tls or origin.is_loopback


def _default_path(path: str) -> str:
    """RFC 6265, section 5.1.4: the directory of the request's path."""
    bare = path.partition("?")[0]
    end = bare.rfind("/")
    return bare[:end] if end > 0 else "/"
