"""Identity provider and payment gateway for a portal that is not the simulator's: a vendor's staging on this machine.

They are the embedded ones, with one registered client each. Where an embedded portal is called within the process, this one is over HTTP.
"""

from __future__ import annotations

import httpx

from harness.simulator.configuration import StandIns
from harness.simulator.gateway import CALLBACK_FIELDS, CALLBACK_TIMEOUT_S, LOOKUP_FIELDS, REQUEST_FIELDS, Gateway, Merchant
from harness.simulator.http_messages import Answer
from harness.simulator.identity import Client, Identity

_UNREACHABLE = 502


def register(stand_ins: StandIns, identity: Identity, gateway: Gateway) -> None:
    """Make the staging known to the hosts that stand in."""
    if (client := stand_ins.identity) is not None:
        identity.clients[client.client_id] = Client(client.client_id, client.secret, lambda: client.redirect_uri)
    if (merchant := stand_ins.payment) is not None:
        gateway.merchants[merchant.client_id] = Merchant(
            merchant.client_id,
            merchant.secret,
            call_back=lambda body: _post(merchant.callback, body),
            fails=lambda _number: False,
            loses_callback=lambda _number: False,
        )


def told(stand_ins: StandIns, identity_url: str, payment_url: str) -> dict[str, dict[str, str]]:
    """What the staging has to be told, by host. The secrets are the stand-ins' own: they open nothing else."""
    found: dict[str, dict[str, str]] = {}
    if (client := stand_ins.identity) is not None:
        found["identity"] = {
            "authorization_endpoint": f"{identity_url}/oauth2/authorize", "token_endpoint": f"{identity_url}/oauth2/token",
            "issuer": identity_url, "client_id": client.client_id, "client_secret": client.secret, "redirect_uri": client.redirect_uri,
            "flow": "authorization code; scope openid, acr_values, state; the token endpoint takes HTTP Basic",
            "id_token": "HS256 with the client_secret; sub is the citizen's number, name their name",
            "citizens": "a number that begins with 000; the password is Thu@ and its last six digits; a name has Thử Nghiệm in it",
        }  # fmt: skip
    if (merchant := stand_ins.payment) is not None:
        found["payment"] = {
            "create": f"{payment_url}/api/transactions", "look_up": f"{payment_url}/api/payments",
            "client_id": merchant.client_id, "secret": merchant.secret, "callback": merchant.callback,
            "check_sum": "hexadecimal HMAC-SHA256 with the secret, over these values joined by |",
            "signed_to_create": " ".join(REQUEST_FIELDS), "signed_to_look_up": " ".join(LOOKUP_FIELDS), "signed_callback": " ".join(CALLBACK_FIELDS),
            "acknowledged_by": 'status 200 and {"return_code":"00"}',
        }  # fmt: skip
    return found


async def _post(address: str, body: bytes) -> Answer:
    """The callback to the staging; 502 where it cannot be reached, so that it is tried again."""
    try:
        async with httpx.AsyncClient(timeout=CALLBACK_TIMEOUT_S, trust_env=False) as client:
            answer = await client.post(address, content=body, headers={"content-type": "application/json"})
    except httpx.HTTPError:
        return Answer(_UNREACHABLE, [])
    return Answer(answer.status_code, [], answer.content)
