"""One citizen's HTTP session: connections, phases, cookies, and the policy that decides which hosts may be reached."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from harness.client.answer import SizeLimits
from harness.client.deadlines import longest_unread_us
from harness.client.decoding import ACCEPTED_ENCODINGS
from harness.client.exchange import Exchange, Headers, HostPolicy, PhaseTimeouts
from harness.client.hosts import AllowedOrigins, allow, loopback_only
from harness.client.request import DEFAULT_USER_AGENT
from harness.client.resolver import Resolver
from harness.client.session import LeanSession
from harness.client.tls import OFFERED_ALPN, verified_context

if TYPE_CHECKING:
    from harness.client.second_opinion import Opinion, SecondOpinion, ask_httpx

__all__ = [
    "ACCEPTED_ENCODINGS",
    "DEFAULT_USER_AGENT",
    "OFFERED_ALPN",
    "AllowedOrigins",
    "Exchange",
    "Headers",
    "HostPolicy",
    "LeanSession",
    "Opinion",
    "PhaseTimeouts",
    "Resolver",
    "SecondOpinion",
    "SizeLimits",
    "allow",
    "ask_httpx",
    "longest_unread_us",
    "loopback_only",
    "verified_context",
]


def __getattr__(name: str) -> Any:
    # httpx takes half a second to import, and few runs need a second opinion
    if name in {"Opinion", "SecondOpinion", "ask_httpx"}:
        return getattr(import_module("harness.client.second_opinion"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
