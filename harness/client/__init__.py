"""One citizen's HTTP session: connections, phases, cookies, and the policy that decides which hosts may be reached."""

from harness.client.answer import SizeLimits
from harness.client.deadlines import longest_unread_us
from harness.client.exchange import Exchange, Headers, HostPolicy, Peer, PhaseTimeouts
from harness.client.hosts import loopback_only
from harness.client.resolver import Resolver
from harness.client.second_reading import SECOND_PARSER
from harness.client.session import LeanSession
from harness.client.tls import verified_context

__all__ = [
    "SECOND_PARSER",
    "Exchange",
    "Headers",
    "HostPolicy",
    "LeanSession",
    "Peer",
    "PhaseTimeouts",
    "Resolver",
    "SizeLimits",
    "longest_unread_us",
    "loopback_only",
    "verified_context",
]
