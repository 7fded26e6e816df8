"""One citizen's HTTP session: connections, phases, cookies, and the policy that decides which hosts may be reached."""

from harness.client.exchange import Exchange, Headers, HostPolicy, PhaseTimeouts, Session

__all__ = ["Exchange", "Headers", "HostPolicy", "PhaseTimeouts", "Session"]
