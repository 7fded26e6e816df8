"""Portals that keep the login in a bearer token: a single-page app exchanges the code itself and renews expired tokens."""

from __future__ import annotations

from harness.simulator.configuration import PortalConfig
from harness.simulator.http_messages import Answer, EarlyAnswer, ReceivedRequest, json_answer, redirect
from harness.simulator.portal import SharedServices, SimulatedPortal
from harness.simulator.sessions import BrowserSession, OneTimeTokens, SessionStore, SyntheticCitizen

COOKIE = "SSO_STATE"
LOGIN_TTL_S = 300.0
REFRESH_TTL_S = 3_600.0


class BearerPortal(SimulatedPortal):
    """Access tokens that expire ``token_ttl_s`` after their issue, and refresh tokens that are good once."""

    start_path = ""  # sends the citizen to the identity provider
    token_path = ""  # exchanges a code, or a refresh token

    def __init__(self, config: PortalConfig, shared: SharedServices) -> None:
        super().__init__(config, shared)
        self._nonces: OneTimeTokens[str] = OneTimeTokens(LOGIN_TTL_S)  # by state
        self._bearers = SessionStore()  # by access token; data["refresh"] is the session of the refresh token
        self._refreshers = SessionStore()
        self.route("GET", self.start_path, self.log_in, 0.5)
        self.route("POST", self.token_path, self.exchange, 0.8)

    async def log_in(self, request: ReceivedRequest) -> Answer:
        """Redirects to the identity provider; the state is also in a cookie, which the exchange compares."""
        login = self.begin_login()
        self._nonces.issue(login.nonce, login.state)
        return redirect(login.url).with_cookie(COOKIE, login.state)

    async def exchange(self, request: ReceivedRequest) -> Answer:
        """Tokens for ``{"code", "state"}`` or ``{"grant_type": "refresh_token", "refresh_token"}``."""
        asked = request.json
        if asked.get("grant_type") == "refresh_token":
            old = self._refreshers.find(str(asked.get("refresh_token")), REFRESH_TTL_S)
            if old is None or old.citizen is None:
                return unauthorised("invalid_grant", "Refresh token không hợp lệ")
            self._refreshers.end(old)
            return self._tokens(old.citizen)
        state = str(asked.get("state"))
        nonce = self._nonces.take(state)
        if nonce is None or request.cookies.get(COOKIE) != state:
            return unauthorised("invalid_state", "Đăng nhập không hợp lệ: sai trạng thái (state)")
        citizen = await self.complete_login(str(asked.get("code")), nonce)
        return self._tokens(citizen) if citizen else unauthorised("invalid_grant", "Đăng nhập không hợp lệ: mã xác thực bị từ chối")

    def _tokens(self, citizen: SyntheticCitizen) -> Answer:
        ttl_s = self.personality.token_ttl_s
        bearer, refresher = self._bearers.open(ttl_s, citizen), self._refreshers.open(REFRESH_TTL_S, citizen)
        bearer.data["refresh"] = refresher
        return json_answer({
            "access_token": bearer.id, "refresh_token": refresher.id, "token_type": "Bearer", "expires_in": int(ttl_s),
            "user": {"fullname": citizen.name, "identityNumber": citizen.number},
        })  # fmt: skip

    def end(self, session: BrowserSession) -> None:
        """End an access token and its refresh token."""
        self._refreshers.end(session.data["refresh"])
        self._bearers.end(session)

    def session(self, request: ReceivedRequest) -> BrowserSession | None:
        """The session of the request's access token, or None."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        return self._bearers.peek(token) if kind == "Bearer" else None

    def require_login(self, request: ReceivedRequest) -> tuple[BrowserSession, SyntheticCitizen]:
        """Session and citizen of the access token; EarlyAnswer is 401 where there is none."""
        session = self.session(request)
        if session is None or session.citizen is None:
            raise EarlyAnswer(unauthorised("invalid_token", "Access token không hợp lệ hoặc đã hết hạn"))
        return session, session.citizen


def unauthorised(error: str, text: str) -> Answer:
    """401 as RFC 6750 defines it."""
    answer = json_answer({"error": error, "error_description": text}, 401)
    answer.headers.append((b"www-authenticate", f'Bearer error="{error}"'.encode()))
    return answer
