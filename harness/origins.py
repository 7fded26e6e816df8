"""Addresses and origins, read by the URL Standard (ada-url), once for policy and sender alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Literal

from ada_url import URL, check_url, join_url

SharedOwner = Literal["identity", "payment", "assets"]
Owner = Literal["portal", SharedOwner]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LAST_PORT = 65_535
_AUTHORITY = re.compile(r"https?://([^/?#\\@\0-\x20]+)(?:[/?#]|\Z)", re.IGNORECASE)
_SENT_AS_IT_IS = re.compile(r"(?:/(?!\.|%2[eE])[!$%&(-.0-;=?@A-Z_a-z|~]*)+")  # paths that the standard does not change
_NAT64 = IPv6Network("64:ff9b::/96")
_REMEMBERED = 4096  # links in pages could name any number of origins


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Scheme, name and port; see ``locate``."""

    text: str  # scheme://name:port, the port always written: the form that is compared and recorded
    shown: str  # as browsers write it: without the scheme's usual port
    name: str  # lower case, ASCII, an IPv6 address without its brackets
    port: int
    tls: bool
    address: IPv4Address | IPv6Address | None  # None where the name has to be resolved
    is_loopback: bool  # its name can only mean this machine

    @property
    def authority(self) -> str:
        """Name and port as in the Host header."""
        return self.shown.partition("://")[2]


_known: dict[str, Origin] = {}  # by what stands before the path: 0.5 µs an address instead of 10 µs


def locate(address: str) -> tuple[Origin | None, str]:
    """The origin of an address and its path and query as a browser sends them; (None, "") for what may not be sent.

    Only plain ``http`` and ``https`` addresses have an origin. User names, passwords, backslashes before the path and
    names in any but their usual spelling (``127.1``, ``%6cocalhost``) have none: nobody needs them, and readers differ.
    """
    slash = address.find("/", 8)
    before, path = (address, "/") if slash < 0 else (address[:slash], address[slash:])
    known = _known.get(before)
    if known is not None and _SENT_AS_IT_IS.fullmatch(path):
        return known, path
    try:
        url = URL(address)
    except ValueError:
        return None, ""
    origin = _origin(address, url)
    if origin is None:
        return None, ""
    if "?" not in before and "#" not in before:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        _known[before] = origin
    return origin, url.href[len(url.origin) :].partition("#")[0]


def locate_origin(address: str) -> Origin | None:
    """The origin of an address, None where it has none. No path of ASCII can change it, so the path is not read where the rest is known."""
    slash = address.find("/", 8)
    known = _known.get(address if slash < 0 else address[:slash]) if address.isascii() else None
    return known or locate(address)[0]


def _origin(address: str, url: URL) -> Origin | None:
    scheme, host = url.protocol[:-1], url.hostname
    written = _AUTHORITY.match(address)
    if written is None or scheme not in _DEFAULT_PORTS:
        return None
    port = int(url.port or _DEFAULT_PORTS[scheme])
    given = written[1].lower().removesuffix(f":{port}").removesuffix(":")
    if not port or not host.strip(".") or (given.isascii() and not host.startswith("[") and given != host):
        return None
    host = host.rstrip(".")
    name = host.strip("[]")
    shown = f"{scheme}://{host}" if port == _DEFAULT_PORTS[scheme] else f"{scheme}://{host}:{port}"
    literal = _literal(name)
    return Origin(f"{scheme}://{host}:{port}", shown, name, port, scheme == "https", literal, is_loopback_host(name))


def _literal(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def origin_of(address: str) -> str:
    """The origin of an address as ``scheme://name:port``, the port always written; raises ValueError where there is none."""
    origin = locate_origin(address)
    if origin is None:
        raise ValueError(f"{address!r} has no http or https origin")
    return origin.text


def shown_origin(address: str) -> str:
    """The origin of an address as browsers write it, ``null`` where there is none."""
    origin = locate_origin(address)
    return "null" if origin is None else origin.shown


def is_bare_origin(text: str) -> bool:
    """Whether a text is an origin and nothing more: no path, query or fragment."""
    origin, path = locate(text)
    return origin is not None and path == "/" and "#" not in text


def why_no_bare_origin(text: str) -> str:
    """What keeps a text from being an origin and nothing more; empty where it is one."""
    if is_bare_origin(text):
        return ""
    scheme, separator, rest = text.partition("://")
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    name, colon, port = ("", "", "") if authority.endswith("]") else authority.rpartition(":")  # [::1]
    if not separator:
        return "there is no http:// or https:// before it"
    if scheme.lower() not in _DEFAULT_PORTS:
        return f"its scheme is {scheme!r}, not http or https"
    if "@" in authority:
        return "it holds a user name or a password, which is never sent"
    if colon and port and not (re.fullmatch("[0-9]{1,5}", port) and 1 <= int(port) <= _LAST_PORT):
        return f"its port is {port!r}, and ports are 1 to {_LAST_PORT}"
    if not (name if colon else authority):
        return "it names no host"
    if locate(text)[0] is None:
        return "its host and port are not in their usual spelling"
    return "leave out the path and all behind it"


def is_loopback(address: str) -> bool:
    """Whether an address can only lead to this machine: 127.0.0.0/8, ``[::1]`` or ``localhost``, by what is written."""
    origin = locate_origin(address)
    return origin is not None and origin.is_loopback


def is_loopback_host(name: str) -> bool:
    """Whether the name or IP address of a host can only lead to this machine, without asking anybody."""
    literal = _literal(name)
    return name == "localhost" if literal is None else _is_loopback(literal)


def is_loopback_address(address: str) -> bool:
    """Whether an IP address, as the resolver gives it, is on this machine."""
    return _is_loopback(ip_address(address.partition("%")[0]))


def is_public_address(address: str) -> bool:
    """Whether an IP address, as the resolver gives it, belongs to the public internet: not this machine, a private network, a link or a group.

    An IPv6 address that stands for an IPv4 address is what the latter is (RFC 4291, 3056, 4380, 6052).
    """
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in _NAT64:
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        found = inner or found
    return found.is_global and not found.is_multicast


def _is_loopback(address: IPv4Address | IPv6Address) -> bool:
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None  # ::ffff:127.0.0.1 is not taken for loopback


def is_sendable(address: str) -> bool:
    """Whether a request can be sent to an address: it has an http or https origin."""
    return locate_origin(address) is not None


def why_not_sendable(address: str) -> str:
    """Why ``locate`` finds no origin in an address."""
    shown = repr(address if len(address) <= 120 else address[:119] + "…")
    if not check_url(address):
        return f"{shown} is not a URL"
    url = URL(address)
    if url.protocol[:-1] not in _DEFAULT_PORTS:
        return f"{shown} is not an http or https URL"
    if url.username or url.password:
        return f"{shown} holds a user name or a password, which is never sent"
    return f"{shown} is not a plain http or https URL"


def resolve(base: str, reference: str) -> str:
    """An address in a page or a Location as an absolute one, fragment included; as it stands where it is none."""
    if reference[1:2] != "/" and _SENT_AS_IT_IS.fullmatch(reference):  # most are paths or absolute: 1 µs instead of 4 µs
        return shown_origin(base) + reference
    if reference.startswith("http") and "#" not in reference:
        origin, path = locate(reference)
        if origin is not None:
            return origin.shown + path
    try:
        return join_url(base, reference)
    except ValueError:
        return reference


def without_fragment(address: str) -> str:
    """An address without what stands behind ``#``, which browsers do not send."""
    return address.partition("#")[0]
