"""The identity provider: OpenID Connect, authorization code flow, on an origin of its own."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from harness.simulator.http_messages import Answer, ReceivedRequest, html, json_answer, redirect
from harness.simulator.origin import SimulatedOrigin
from harness.simulator.pages import render
from harness.simulator.personality import Personality
from harness.simulator.sessions import OneTimeTokens, SyntheticCitizen
from harness.simulator.truth import TruthLog

CODE_TTL_S = 120
_NUMBER = re.compile(r"000\d{6,9}")


@dataclass(frozen=True, slots=True)
class Client:
    """A portal as it is registered at the identity provider."""

    id: str
    secret: str
    redirect_uri: Callable[[], str]  # known once sockets are bound


@dataclass(frozen=True, slots=True)
class _Pending:
    client: Client
    redirect_uri: str
    state: str
    nonce: str
    citizen: SyntheticCitizen | None = None


def password_of(number: str) -> str:
    """The password of a synthetic citizen: "Thu@" and the last six digits of the ID number."""
    return "Thu@" + number[-6:]


class Identity(SimulatedOrigin):
    """GET /oauth2/authorize → login form → POST /oauth2/login → 302 with a code → POST /oauth2/token."""

    holds_server_while_calling = False

    def __init__(self, personality: Personality, seed: int, truth: TruthLog) -> None:
        super().__init__("identity", personality, seed, truth)
        self.clients: dict[str, Client] = {}
        self._logins: OneTimeTokens[_Pending] = OneTimeTokens(CODE_TTL_S)
        self._codes: OneTimeTokens[_Pending] = OneTimeTokens(CODE_TTL_S)
        self.route("GET", "/oauth2/authorize", self.authorize, 1.0)
        self.route("POST", "/oauth2/login", self.log_in, 1.0)
        self.route("POST", "/oauth2/token", self.exchange, 1.0)

    async def authorize(self, request: ReceivedRequest) -> Answer:
        """The login form, for a registered client with its own redirect address."""
        query = request.query
        client = self.clients.get(query.get("client_id", ""))
        if client is None or query.get("redirect_uri") != client.redirect_uri():
            return html(
                "<!DOCTYPE html><meta charset=utf-8><h1>Ứng dụng không hợp lệ</h1><p>client_id hoặc redirect_uri không đúng.</p>", 400
            )
        state = query.get("state", "")
        wrong = (
            query.get("response_type") != "code"
            or "openid" not in query.get("scope", "").split()
            or not query.get("acr_values")
            or not state
        )
        if wrong:
            return redirect(f"{client.redirect_uri()}?{urlencode({'error': 'invalid_request', 'state': state})}")
        pending = _Pending(client, client.redirect_uri(), state, query.get("nonce", ""))
        return self._form(self._logins.issue(pending), "")

    def _form(self, login: str, error: str) -> Answer:
        return html(render("identity.html", self.personality.page_bytes, login=login, error=error))

    async def log_in(self, request: ReceivedRequest) -> Answer:
        """Checks number and password; redirects to the portal with a code, or shows the form again with an error."""
        form = request.form
        login = form.get("yeu_cau")
        pending = self._logins.peek(login)
        if pending is None:
            return html("<!DOCTYPE html><meta charset=utf-8><h1>Phiên đăng nhập không hợp lệ hoặc đã hết hạn</h1>", 400)
        number, name = form.get("so_dinh_danh"), form.get("ho_ten")
        if not _NUMBER.fullmatch(number) or form.get("mat_khau") != password_of(number) or (name and "Thử Nghiệm" not in name):
            return self._form(login, "Thông tin đăng nhập không hợp lệ")
        self._logins.take(login)
        citizen = SyntheticCitizen(number, name or f"Công Dân Thử Nghiệm {number[-6:]}")
        code = self._codes.issue(replace(pending, citizen=citizen))
        return redirect(f"{pending.redirect_uri}?{urlencode({'code': code, 'state': pending.state})}")

    async def exchange(self, request: ReceivedRequest) -> Answer:
        """The token endpoint: a code is good once, for its client with its secret and redirect address."""
        form = request.form
        client_id, secret = _basic(request.headers.get("authorization", ""))
        client = self.clients.get(client_id)
        if client is None or not hmac.compare_digest(client.secret, secret):
            return json_answer({"error": "invalid_client"}, 401)
        granted = self._codes.take(form.get("code"))
        if (
            form.get("grant_type") != "authorization_code"
            or granted is None
            or granted.citizen is None
            or granted.client.id != client_id
            or granted.redirect_uri != form.get("redirect_uri")
        ):
            return json_answer({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": client_id, "sub": granted.citizen.number, "name": granted.citizen.name, "nonce": granted.nonce,
            "acr": "LoA1", "iat": now, "exp": now + 600,
        }  # fmt: skip
        token, id_token = secrets.token_urlsafe(24), signed(claims, client.secret)
        return json_answer({"access_token": token, "token_type": "Bearer", "expires_in": 600, "id_token": id_token})


def signed(claims: dict[str, object], secret: str) -> str:
    """A JWT, HS256."""
    head = _b64(b'{"alg":"HS256","typ":"JWT"}')
    body = _b64(json.dumps(claims, ensure_ascii=False).encode())
    return f"{head}.{body}.{_b64(hmac.digest(secret.encode(), f'{head}.{body}'.encode(), hashlib.sha256))}"


def verified(token: str, secret: str) -> dict[str, str] | None:
    """The claims of a JWT with a right signature that has not expired; None otherwise."""
    head, _, rest = token.partition(".")
    body, _, signature = rest.partition(".")
    expected = _b64(hmac.digest(secret.encode(), f"{head}.{body}".encode(), hashlib.sha256))
    if not hmac.compare_digest(expected, signature):
        return None
    claims: dict[str, str] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims if int(claims["exp"]) > time.time() else None


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _basic(header: str) -> tuple[str, str]:
    kind, _, value = header.partition(" ")
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (name, secret) if kind.lower() == "basic" else ("", "")
