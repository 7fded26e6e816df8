"""Portals whose login lives in a cookie: the OIDC round trip, the same for all of them but for names and places."""

from __future__ import annotations

from abc import ABC, abstractmethod
from urllib.parse import quote

from harness.simulator.configuration import PortalConfig
from harness.simulator.portal import Portal, Surroundings
from harness.simulator.sessions import Citizen, Session, Sessions
from harness.simulator.wire import Answer, Request, redirect


class CookiePortal(Portal, ABC):
    """A session cookie before login (for state and nonce), and another one after it."""

    cookie = ""
    start_path = ""  # sends the citizen to the identity provider
    logout_path = ""
    back_field = "redirect"  # the query field of start_path that says where the citizen wanted to go

    def __init__(self, config: PortalConfig, around: Surroundings) -> None:
        super().__init__(config, around)
        self.sessions = Sessions()
        self.route("GET", self.start_path, self.log_in, 0.5)
        self.route("GET", self.login_path, self.logged_in, 0.8)
        self.route("GET", self.logout_path, self.log_out, 0.3)

    async def log_in(self, request: Request) -> Answer:
        """Off to the identity provider, with what must come back kept in a session."""
        session = self.session(request) or self.sessions.open(self.personality.session_ttl_s)
        login = self.begin_login()
        target = request.query.get(self.back_field, "/")
        session.data["login"] = (login.state, login.nonce, target if target.startswith("/") and not target.startswith("//") else "/")
        return redirect(login.url).with_cookie(self.cookie, session.id)

    async def logged_in(self, request: Request) -> Answer:
        """Back from the identity provider: a new session, a new token."""
        session = self.session(request)
        state, nonce, target = session.data.pop("login", ("", "", "/")) if session else ("", "", "/")
        if session is None or not state or request.query.get("state") != state or not request.query.get("code"):
            return self.notice("Đăng nhập không hợp lệ: sai trạng thái (state)", status=400)
        citizen = await self.complete_login(request.query["code"], nonce)
        if citizen is None:
            return self.notice("Đăng nhập không hợp lệ: mã xác thực bị từ chối", status=400)
        self.sessions.end(session)
        return redirect(target).with_cookie(self.cookie, self.sessions.open(self.personality.session_ttl_s, citizen).id)

    async def log_out(self, request: Request) -> Answer:
        """Forgets the session."""
        if session := self.session(request):
            self.sessions.end(session)
        return redirect("/").with_cookie(self.cookie, "", max_age=0)

    def session(self, request: Request) -> Session | None:
        """The session that the request's cookie names, logged in or not."""
        return self.sessions.find(request.cookies.get(self.cookie, ""), self.personality.session_ttl_s)

    def member(self, request: Request) -> tuple[Session, Citizen] | None:
        """Session and citizen of a request, or None without a login."""
        session = self.session(request)
        return (session, session.citizen) if session and session.citizen else None

    def expire(self, request: Request) -> None:
        """End the session of this request where the fault ``session_expires`` befalls it."""
        if self.has_fault("session_expires", request.number) and (session := self.session(request)):
            self.sessions.end(session)

    def to_login(self, request: Request) -> Answer:
        """A redirect to the login, which comes back to this page."""
        query = request.query_string.decode("latin-1")
        target = f"{request.path}?{query}" if query and request.method == "GET" else request.path
        return redirect(f"{self.start_path}?{self.back_field}={quote(target, safe='')}")

    @abstractmethod
    def notice(self, text: str, *, session: Session | None = None, status: int = 200) -> Answer:
        """A page that says one thing."""
