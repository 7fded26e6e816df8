"""Origins: scheme, name and port, in the one form that the whole house compares."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

Owner = Literal["portal", "identity", "payment", "assets"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """The origin of a URL as ``scheme://name:port``, the port always written; raises ValueError where there is none."""
    parts = urlsplit(url)
    scheme, name = parts.scheme.lower(), parts.hostname
    if scheme not in _DEFAULT_PORTS or not name:
        raise ValueError(f"{url!r} has no http or https origin")
    name = name.rstrip(".")
    shown = f"[{name}]" if ":" in name else name
    return f"{scheme}://{shown}:{parts.port or _DEFAULT_PORTS[scheme]}"


def is_bare_origin(text: str) -> bool:
    """Whether ``text`` is an origin and nothing more: no path, query, fragment or user."""
    try:
        origin_of(text)
    except ValueError:
        return False
    parts = urlsplit(text)
    return parts.path in ("", "/") and not (parts.query or parts.fragment or "@" in parts.netloc)


def is_loopback(origin: str) -> bool:
    """Whether an origin can only be this machine: a loopback address or ``localhost``."""
    name = urlsplit(origin).hostname or ""
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
