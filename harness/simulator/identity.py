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
from dataclasses import dataclass
from urllib.parse import urlencode

from harness.simulator.clock import now_us
from harness.simulator.origin import Origin
from harness.simulator.pages import render
from harness.simulator.personality import Personality
from harness.simulator.sessions import Citizen
from harness.simulator.truth import TruthLog
from harness.simulator.wire import Answer, Request, html, json_answer, redirect

CODE_LIFE_S = 120
_NUMBER = re.compile(r"000\d{6,9}")


@dataclass(frozen=True, slots=True)
class Client:
    """A portal as the identity provider and the payment gateway have it registered."""

    id: str
    secret: str
    redirect_uri: Callable[[], str]  # known once sockets are bound


@dataclass(frozen=True, slots=True)
class _Pending:
    client: Client
    redirect_uri: str
    state: str
    nonce: str
    expires_us: int
    citizen: Citizen | None = None


def password_of(number: str) -> str:
    """The password of a synthetic citizen: "Thu@" and the last six digits of the ID number."""
    return "Thu@" + number[-6:]


class Identity(Origin):
    """GET /oauth2/authorize → login form → POST /oauth2/login → 302 with a code → POST /oauth2/token."""

    holds_server_while_calling = False

    def __init__(self, personality: Personality, seed: int, truth: TruthLog) -> None:
        super().__init__("identity", personality, seed, truth)
        self.clients: dict[str, Client] = {}
        self._logins: dict[str, _Pending] = {}
        self._codes: dict[str, _Pending] = {}
        self.route("GET", "/oauth2/authorize", self.authorize, 1.0)
        self.route("POST", "/oauth2/login", self.log_in, 1.0)
        self.route("POST", "/oauth2/token", self.exchange, 1.0)

    async def authorize(self, request: Request) -> Answer:
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
        pending = _Pending(client, client.redirect_uri(), state, query.get("nonce", ""), _expiry())
        return self._form(_keep(self._logins, pending), "")

    def _form(self, login: str, error: str) -> Answer:
        return html(render("identity.html", self.personality.page_bytes, login=login, error=error))

    async def log_in(self, request: Request) -> Answer:
        """Checks number and password; back to the portal with a code, or the form again with what is wrong."""
        form = request.form
        login = form.get("yeu_cau")
        pending = self._logins.get(login)
        if pending is None or pending.expires_us < now_us():
            return html("<!DOCTYPE html><meta charset=utf-8><h1>Phiên đăng nhập không hợp lệ hoặc đã hết hạn</h1>", 400)
        number, name = form.get("so_dinh_danh"), form.get("ho_ten")
        if not _NUMBER.fullmatch(number) or form.get("mat_khau") != password_of(number) or (name and "Thử Nghiệm" not in name):
            return self._form(login, "Thông tin đăng nhập không hợp lệ")
        del self._logins[login]
        citizen = Citizen(number, name or f"Công Dân Thử Nghiệm {number[-6:]}")
        granted = _Pending(pending.client, pending.redirect_uri, pending.state, pending.nonce, _expiry(), citizen)
        code = _keep(self._codes, granted)
        return redirect(f"{pending.redirect_uri}?{urlencode({'code': code, 'state': pending.state})}")

    async def exchange(self, request: Request) -> Answer:
        """The token endpoint: one code once, for the client it was given to, with its secret and redirect address."""
        form = request.form
        client_id, secret = _basic(request.headers.get("authorization", ""))
        client = self.clients.get(client_id)
        if client is None or not hmac.compare_digest(client.secret, secret):
            return json_answer({"error": "invalid_client"}, 401)
        granted = self._codes.pop(form.get("code"), None)
        if (
            form.get("grant_type") != "authorization_code"
            or granted is None
            or granted.citizen is None
            or granted.client.id != client_id
            or granted.redirect_uri != form.get("redirect_uri")
            or granted.expires_us < now_us()
        ):
            return json_answer({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": client_id, "sub": granted.citizen.number, "name": granted.citizen.name, "nonce": granted.nonce,
            "acr": "LoA1", "iat": now, "exp": now + 600,
        }  # fmt: skip
        return json_answer(
            {
                "access_token": secrets.token_urlsafe(24),
                "token_type": "Bearer",
                "expires_in": 600,
                "id_token": signed(claims, client.secret),
            }
        )


def signed(claims: dict[str, object], secret: str) -> str:
    """A JWT, HS256."""
    head = _b64(b'{"alg":"HS256","typ":"JWT"}')
    body = _b64(json.dumps(claims, ensure_ascii=False).encode())
    return f"{head}.{body}.{_b64(hmac.digest(secret.encode(), f'{head}.{body}'.encode(), hashlib.sha256))}"


def verified(token: str, secret: str) -> dict[str, str] | None:
    """The claims of a JWT whose signature holds and whose time has not passed; None otherwise."""
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


def _expiry() -> int:
    return now_us() + CODE_LIFE_S * 1_000_000


def _keep(store: dict[str, _Pending], pending: _Pending) -> str:
    """Remember ``pending`` under a new name; forget what has expired, oldest first."""
    now = now_us()
    while store and (first := next(iter(store))) and store[first].expires_us < now:
        del store[first]
    name = secrets.token_urlsafe(18)
    store[name] = pending
    return name
