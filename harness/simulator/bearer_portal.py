"""Portals whose login lives in a token: a single-page app exchanges the code itself, and renews what expires."""

from __future__ import annotations

from harness.simulator.clock import now_us
from harness.simulator.configuration import PortalConfig
from harness.simulator.portal import Portal, Surroundings
from harness.simulator.sessions import Citizen, Session, Sessions
from harness.simulator.wire import Answer, Request, json_answer, redirect

COOKIE = "SSO_STATE"
REFRESH_TTL_S = 3_600.0


class BearerPortal(Portal):
    """Access tokens that live ``token_ttl_s`` from their issue, and refresh tokens that are good once."""

    start_path = ""  # sends the citizen to the identity provider
    token_path = ""  # exchanges a code, or a refresh token

    def __init__(self, config: PortalConfig, around: Surroundings) -> None:
        super().__init__(config, around)
        self._logins: dict[str, tuple[str, int]] = {}  # state -> nonce, when it expires
        self._bearers = Sessions()  # by the text of the access token; data["refresh"] is the refresh token
        self._refreshers = Sessions()
        self.route("GET", self.start_path, self.log_in, 0.5)
        self.route("POST", self.token_path, self.exchange, 0.8)

    async def log_in(self, request: Request) -> Answer:
        """Off to the identity provider; the state is also in a cookie, to be compared by the exchange."""
        login = self.begin_login()
        now = now_us()
        while self._logins and (first := next(iter(self._logins))) and self._logins[first][1] < now:
            del self._logins[first]
        self._logins[login.state] = (login.nonce, now + 300_000_000)
        return redirect(login.url).with_cookie(COOKIE, login.state)

    async def exchange(self, request: Request) -> Answer:
        """``{"code", "state"}`` or ``{"grant_type": "refresh_token", "refresh_token"}`` for tokens."""
        asked = request.json
        if asked.get("grant_type") == "refresh_token":
            old = self._refreshers.find(str(asked.get("refresh_token")), REFRESH_TTL_S)
            if old is None or old.citizen is None:
                return unauthorised("invalid_grant", "Refresh token không hợp lệ")
            self._refreshers.end(old)
            return self._tokens(old.citizen)
        state = str(asked.get("state"))
        nonce, _ = self._logins.pop(state, ("", 0))
        if not nonce or request.cookies.get(COOKIE) != state:
            return unauthorised("invalid_state", "Đăng nhập không hợp lệ: sai trạng thái (state)")
        citizen = await self.complete_login(str(asked.get("code")), nonce)
        return self._tokens(citizen) if citizen else unauthorised("invalid_grant", "Đăng nhập không hợp lệ: mã xác thực bị từ chối")

    def _tokens(self, citizen: Citizen) -> Answer:
        ttl_s = self.personality.token_ttl_s
        bearer, refresher = self._bearers.open(ttl_s, citizen), self._refreshers.open(REFRESH_TTL_S, citizen)
        bearer.data["refresh"] = refresher
        return json_answer({
            "access_token": bearer.id, "refresh_token": refresher.id, "token_type": "Bearer", "expires_in": int(ttl_s),
            "user": {"fullname": citizen.name, "identityNumber": citizen.number},
        })  # fmt: skip

    def forget(self, session: Session) -> None:
        """End an access token and the refresh token that came with it."""
        self._refreshers.end(session.data["refresh"])
        self._bearers.end(session)

    def session(self, request: Request) -> Session | None:
        """What the request's access token stands for, while it lives."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        return self._bearers.peek(token) if kind == "Bearer" else None

    def citizen(self, request: Request) -> Citizen | Answer:
        """Whose access token it is, or the answer that says that it is none."""
        session = self.session(request)
        if session is None or session.citizen is None:
            return unauthorised("invalid_token", "Access token không hợp lệ hoặc đã hết hạn")
        return session.citizen


def unauthorised(error: str, text: str) -> Answer:
    """401, as RFC 6750 has it."""
    answer = json_answer({"error": error, "error_description": text}, 401)
    answer.headers.append((b"www-authenticate", f'Bearer error="{error}"'.encode()))
    return answer
