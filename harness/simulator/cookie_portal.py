"""Portals that keep the login in a cookie: the OpenID Connect round trip, sessions, and pages of the family's templates."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from harness.simulator.configuration import PortalConfig
from harness.simulator.http_messages import Answer, EarlyAnswer, ReceivedRequest, redirect
from harness.simulator.portal import SharedServices, SimulatedPortal
from harness.simulator.sessions import BrowserSession, SessionStore, SyntheticCitizen

SESSION_LOST = "Hết phiên làm việc, vui lòng đăng nhập lại"


class CookiePortal(SimulatedPortal):
    """One session cookie before the login (it holds state and nonce), and a new one after it."""

    cookie = ""
    templates = ""  # folder of the family's pages
    start_path = ""  # sends the citizen to the identity provider
    logout_path = ""
    back_field = "redirect"  # query field of start_path: the page that the citizen wanted

    def __init__(self, config: PortalConfig, shared: SharedServices) -> None:
        super().__init__(config, shared)
        self.sessions = SessionStore()
        self.route("GET", self.start_path, self.log_in, 0.5)
        self.route("GET", self.login_path, self.logged_in, 0.8)
        self.route("GET", self.logout_path, self.log_out, 0.3)

    async def log_in(self, request: ReceivedRequest) -> Answer:
        """Redirects to the identity provider; the session keeps state, nonce and the page wanted."""
        session = self.session(request) or self.sessions.open(self.personality.session_ttl_s)
        login = self.begin_login()
        target = request.query.get(self.back_field, "/")
        session.data["login"] = (login.state, login.nonce, target if target.startswith("/") and not target.startswith("//") else "/")
        return redirect(login.url).with_cookie(self.cookie, session.id)

    async def logged_in(self, request: ReceivedRequest) -> Answer:
        """Back from the identity provider: a new session with a new token."""
        session = self.session(request)
        state, nonce, target = session.data.pop("login", ("", "", "/")) if session else ("", "", "/")
        if session is None or not state or request.query.get("state") != state or not request.query.get("code"):
            return self.notice("Đăng nhập không hợp lệ: sai trạng thái (state)", status=400)
        citizen = await self.complete_login(request.query["code"], nonce)
        if citizen is None:
            return self.notice("Đăng nhập không hợp lệ: mã xác thực bị từ chối", status=400)
        self.sessions.end(session)
        return redirect(target).with_cookie(self.cookie, self.sessions.open(self.personality.session_ttl_s, citizen).id)

    async def log_out(self, request: ReceivedRequest) -> Answer:
        """Ends the session."""
        if session := self.session(request):
            self.sessions.end(session)
        return redirect("/").with_cookie(self.cookie, "", max_age=0)

    def session(self, request: ReceivedRequest) -> BrowserSession | None:
        """The session of the request's cookie, logged in or not."""
        return self.sessions.find(request.cookies.get(self.cookie, ""), self.personality.session_ttl_s)

    def member(self, request: ReceivedRequest) -> tuple[BrowserSession, SyntheticCitizen] | None:
        """Session and citizen of a request, or None without a login."""
        session = self.session(request)
        return (session, session.citizen) if session and session.citizen else None

    def require_login(self, request: ReceivedRequest) -> tuple[BrowserSession, SyntheticCitizen]:
        """Session and citizen; without a login EarlyAnswer redirects to the login, which comes back to this page."""
        if member := self.member(request):
            return member
        query = request.query_string.decode("latin-1")
        target = f"{request.path}?{query}" if query and request.method == "GET" else request.path
        raise EarlyAnswer(redirect(f"{self.start_path}?{self.back_field}={quote(target, safe='')}"))

    def require_session(self, request: ReceivedRequest) -> tuple[BrowserSession, SyntheticCitizen]:
        """Session and citizen; without a login EarlyAnswer says that the session is lost."""
        if member := self.member(request):
            return member
        raise EarlyAnswer(self.notice(SESSION_LOST))

    def expire(self, request: ReceivedRequest) -> None:
        """End the session where the fault ``session_expires`` applies to this request."""
        if self.has_fault("session_expires", request.number) and (session := self.session(request)):
            self.sessions.end(session)

    def page(self, name: str, session: BrowserSession | None, *, big: bool = False, status: int = 200, **values: Any) -> Answer:
        """A page of this family."""
        return self.render_page(f"{self.templates}/{name}.html", big=big, status=status, session=session, **values)

    def notice(self, text: str, *, session: BrowserSession | None = None, status: int = 200) -> Answer:
        """A page that shows one message."""
        return self.page("notice", session, status=status, text=text)
