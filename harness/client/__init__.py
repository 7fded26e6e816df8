"""One citizen's HTTP session: connections, phases, cookies, and the policy that decides which hosts may be reached."""

from harness.client.answer import SizeLimits
from harness.client.decoding import ACCEPTED_ENCODINGS
from harness.client.exchange import Exchange, Headers, HostPolicy, PhaseTimeouts, Session
from harness.client.hosts import AddressPolicy, AllowedOrigins, allow, is_loopback_address, is_loopback_origin, loopback_only
from harness.client.request import DEFAULT_USER_AGENT
from harness.client.resolver import Resolver
from harness.client.session import LeanSession
from harness.client.tls import OFFERED_ALPN, verified_context

__all__ = [
    "ACCEPTED_ENCODINGS",
    "DEFAULT_USER_AGENT",
    "OFFERED_ALPN",
    "AddressPolicy",
    "AllowedOrigins",
    "Exchange",
    "Headers",
    "HostPolicy",
    "LeanSession",
    "PhaseTimeouts",
    "Resolver",
    "Session",
    "SizeLimits",
    "allow",
    "is_loopback_address",
    "is_loopback_origin",
    "loopback_only",
    "verified_context",
]
