"""Where a URL leads: the origin to connect to, and the path as it stands in the request line."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import quote

_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[^\s/?#\\@:\[\]%<>\"^`{|}]+)(?::(\d{1,5})?)?", re.IGNORECASE)
_CLEAN = re.compile(r"[!$-;=?-_a-z|~]*")  # what a browser puts into a request line as it is
_KEPT = "!$%&'()*+,-./:;=?@[]^_|~"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_REMEMBERED = 4096  # links in pages could name any number of origins


class Target:
    """One origin. There is one object for each, so that it can be compared and hashed by identity."""

    __slots__ = ("address", "authority", "host", "loopback", "origin", "port", "request_tails", "tls")

    def __init__(self, scheme: str, host: str, port: int) -> None:
        bracketed = f"[{host}]" if ":" in host else host
        self.host = host  # without brackets, lower case, ASCII
        self.port = port
        self.tls = scheme == "https"
        self.origin = f"{scheme}://{bracketed}:{port}"
        self.authority = bracketed if port == _DEFAULT_PORTS[scheme] else f"{bracketed}:{port}"
        self.address = literal_address(host)  # None where a name has to be resolved
        self.loopback = host == "localhost" or (self.address is not None and is_loopback(self.address))  # by its name
        self.request_tails: dict[str, str] = {}  # by User-Agent: what follows the path in every request to this origin

    def __repr__(self) -> str:
        return f"Target({self.origin})"


def literal_address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host name literally is, or None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_loopback(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is on this machine; an IPv4 address dressed as IPv6 is not taken for one, nobody needs to write it so."""
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None


_targets: dict[str, Target] = {}  # by everything that stands before the path, as it was written
_by_origin: dict[str, Target] = {}


def locate(url: str) -> tuple[Target | None, str]:
    """The target of a URL and the path for the request line; None for what no request can be sent to.

    Only plain ``http`` and ``https`` URLs have a target: other schemes, user names and passwords, backslashes and
    malformed ports do not, since a browser and a policy could read them differently.
    """
    slash = url.find("/", 8)
    if slash > 0:
        target = _targets.get(url[:slash])
        if target is not None:
            path = url[slash:]
            return target, path if _CLEAN.fullmatch(path) else encoded_path(path)
    elif url in _by_origin:  # as policies ask, at every connect
        return _by_origin[url], "/"
    match = _ORIGIN.match(url)
    rest = url[match.end() :] if match else ""
    if match is None or (rest and rest[0] not in "/?#"):
        return None, ""
    target = _target(match)
    if target is not None and slash == match.end():
        if len(_targets) >= _REMEMBERED:
            _targets.clear()
        _targets[url[:slash]] = target
    return target, encoded_path(rest)


def encoded_path(rest: str) -> str:
    """Path and query as a browser sends them: no fragment, UTF-8 percent-encoded, ``%`` of the caller kept."""
    path = rest.partition("#")[0]
    return quote(path if path.startswith("/") else f"/{path}", safe=_KEPT)


def _target(match: re.Match[str]) -> Target | None:
    scheme, host, port_text = match[1].lower(), match[2].lower().strip("[]"), match[3]
    port = int(port_text) if port_text else _DEFAULT_PORTS[scheme]
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return None
    if not 0 < port < 65536 or (":" in host and literal_address(host) is None):
        return None
    literal = literal_address(host)
    target = Target(scheme, str(literal) if literal else host, port)
    if len(_by_origin) >= _REMEMBERED:
        _by_origin.clear()
    return _by_origin.setdefault(target.origin, target)
