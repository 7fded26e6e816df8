"""What the simulator needs to stand in for the identity and payment hosts of a vendor's staging."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256

from harness.errors import Problem, UsageError, did_you_mean
from harness.origins import is_loopback

HOSTS = ("identity", "payment")
_RETURNS = {"identity": ("redirect_uri", "--redirect-uri"), "payment": ("callback", "--callback")}


def stand_in_settings(hosts: str, client: str, redirect_uri: str, callback: str, seed: int) -> Mapping[str, Mapping[str, str]]:
    """The simulator's setting ``stand_in`` for a comma-separated list of hosts; UsageError for an unknown host or a missing address.

    The secrets follow from seed and client, so that a staging is told them once.
    """
    chosen = [name.strip() for name in hosts.split(",")]
    if unknown := [name for name in chosen if name not in HOSTS]:
        expected = f"{', '.join(HOSTS)}, or one of them"
        raise UsageError(Problem("command line", "--stand-in", hosts, expected, f"{did_you_mean(unknown[0], HOSTS)}Name hosts, with a comma between them."))  # fmt: skip
    given = {"identity": redirect_uri, "payment": callback}
    missing = [name for name in chosen if not given[name]]
    if missing:
        raise UsageError(
            *(Problem("command line", _RETURNS[name][1], "missing", f"an address of the staging, for the {name} host", f"Give {_RETURNS[name][1]}.") for name in missing)
        )  # fmt: skip
    elsewhere = [name for name in chosen if not is_loopback(given[name])]
    if elsewhere:
        expected = "an address on this machine, such as http://127.0.0.1:8080/path: the stand-ins are reached on loopback only"
        raise UsageError(
            *(Problem("command line", _RETURNS[name][1], given[name], expected, "Run both on one machine, or join them by a tunnel (ssh -L, ssh -R).") for name in elsewhere)
        )  # fmt: skip
    return {name: {"client_id": client, "secret": _secret(seed, client, name), _RETURNS[name][0]: given[name]} for name in chosen}


def _secret(seed: int, client: str, host: str) -> str:
    return hmac.new(str(seed).encode(), f"stand-in {client} {host}".encode(), sha256).hexdigest()
