"""The local form host of the National Portal: an origin of its own with a session and token of its own, entered with a ticket."""

from __future__ import annotations

import json
from typing import Any

from harness.simulator.applicant_form import COMMUNES, applicant_errors, content_errors, field_names, read_applicant, upload_errors
from harness.simulator.dossier_store import Draft
from harness.simulator.http_messages import Answer, EarlyAnswer, ReceivedRequest, html, redirect
from harness.simulator.origin import SimulatedOrigin
from harness.simulator.pages import render
from harness.simulator.portal import REJECTED, SimulatedPortal
from harness.simulator.sessions import BrowserSession, SessionStore, SyntheticCitizen

COOKIE = "FORMSESSION"
REDEEM_PATH = "/jsp/ve-chuyen-tiep.jsp"
TOKEN = "__RequestVerificationToken"  # noqa: S105  (the name of a form field)
_APPLICANT = field_names("HoTen", "SoDinhDanh", "NgaySinh", "DienThoai", "Email", "DiaChi", "XaPhuong")


class FormHost(SimulatedOrigin):
    """Ticket → form → confirmation → result. The portal redeems tickets at ``REDEEM_PATH``, for whoever knows ``secret``."""

    def __init__(self, portal: SimulatedPortal, secret: str) -> None:
        super().__init__(f"{portal.name}:form", portal.personality, portal.shared.seed, portal.shared.truth)
        self._portal = portal
        self._secret = secret
        self._sessions = SessionStore()
        self.route("GET", "/theme/{}", portal.asset, 0.05)
        self.route("GET", "/tiep-nhan", self.enter, 0.8, stores=True)
        self.route("GET", "/ho-so/{}", self.form, 1.0)
        self.route("POST", "/ho-so/{}", self.post_form, 1.8, stores=True)
        self.route("GET", "/ho-so/{}/xac-nhan", self.confirmation, 0.8)
        self.route("POST", "/ho-so/{}/xac-nhan", self.submit, 2.0, stores=True)
        self.route("GET", "/ho-so/{}/ket-qua", self.result, 0.8)

    async def enter(self, request: ReceivedRequest) -> Answer:
        """Redeems the ticket at the portal, server to server, and opens a session."""
        body = json.dumps({"ticket": request.query.get("ticket"), "secret": self._secret}).encode()
        answer = await self._portal.call("POST", REDEEM_PATH, [(b"content-type", b"application/json")], body)
        if answer.status != 200:
            return self._notice("Vé chuyển tiếp không hợp lệ hoặc đã hết hạn", 400)
        ticket = json.loads(answer.body)
        session = self._sessions.open(self.personality.session_ttl_s, SyntheticCitizen(ticket["number"], ticket["name"]))
        return redirect(f"/ho-so/{ticket['draft']}").with_cookie(COOKIE, session.id)

    async def form(self, request: ReceivedRequest) -> Answer:
        """Applicant and papers on one page."""
        session, draft = self._filing(request)
        return self._form(session, draft, [], draft.applicant)

    async def post_form(self, request: ReceivedRequest) -> Answer:
        """Applicant and papers posted."""
        session, draft = self._posted(request, "xac-nhan")
        form = request.form
        applicant, upload, content = read_applicant(form, _APPLICANT), form.upload("TepDinhKem"), form.get("NoiDung")
        errors = applicant_errors(applicant) + content_errors(content) + upload_errors(upload)
        if errors or upload is None:
            return self._form(session, draft, errors, applicant)
        self._portal.store.fill_in(draft.id, applicant=applicant, details={"noiDung": content})
        self._portal.store.attach(draft.id, upload)
        return redirect(f"/ho-so/{draft.id}/xac-nhan")

    async def confirmation(self, request: ReceivedRequest) -> Answer:
        """All fields for confirmation."""
        session, draft = self._filing(request)
        return self._page("confirm", draft=draft, procedure=self._portal.procedure_of(draft), token=session.token)

    async def submit(self, request: ReceivedRequest) -> Answer:
        """The confirmation posted."""
        if self.has_fault("session_expires", request.number) and (lost := self._session(request)):
            self._sessions.end(lost)
        session, draft = self._posted(request, "ket-qua", last=True)
        if request.form.get("CamKet") != "true" or not draft.applicant or not draft.details:
            return self._notice("Hồ sơ không hợp lệ: thiếu thông tin hoặc chưa cam kết")
        if self.has_fault("rejected_200", request.number):
            return self._notice(REJECTED)
        session.data[draft.id] = self._portal.submit_draft(draft, request.number)
        return redirect(f"/ho-so/{draft.id}/ket-qua")

    async def result(self, request: ReceivedRequest) -> Answer:
        """The dossier's code, and a link to the portal's payment page."""
        session, draft = self._filing(request)
        code = session.data.get(draft.id, "")
        if not code:
            return self._notice("Không tìm thấy hồ sơ")
        return self._page("result", code=code, procedure=self._portal.procedure_of(draft), portal_url=self._portal.url)

    def _session(self, request: ReceivedRequest) -> BrowserSession | None:
        return self._sessions.find(request.cookies.get(COOKIE, ""), self.personality.session_ttl_s)

    def _filing(self, request: ReceivedRequest) -> tuple[BrowserSession, Draft]:
        """Session and draft of a request; EarlyAnswer where one is missing."""
        session = self._session(request)
        if session is None or session.citizen is None:
            raise EarlyAnswer(self._notice("Hết phiên làm việc, vui lòng quay lại Cổng dịch vụ công"))
        draft = self._portal.store.draft(request.parts[0], session.citizen.number)
        if draft is None:
            raise EarlyAnswer(self._notice("Không tìm thấy hồ sơ"))
        return session, draft

    def _posted(self, request: ReceivedRequest, then: str, *, last: bool = False) -> tuple[BrowserSession, Draft]:
        """Session and draft of a posted form; EarlyAnswer where the token is wrong."""
        session, draft = self._filing(request)
        if self._portal.token_is_valid(request.form.get(TOKEN), session.token, request.number, last=last):
            return session, draft
        if self.has_fault("csrf_same_302", request.number):
            raise EarlyAnswer(redirect(f"/ho-so/{draft.id}/{then}"))
        raise EarlyAnswer(self._notice("Yêu cầu không hợp lệ (anti-forgery token)", 400))

    def _form(self, session: BrowserSession, draft: Draft, errors: list[str], given: dict[str, Any]) -> Answer:
        assert session.citizen is not None
        values = {"HoTen": session.citizen.name, "SoDinhDanh": session.citizen.number}
        values |= {name: given[key] for key, name in _APPLICANT.items() if given.get(key)}
        procedure = self._portal.procedure_of(draft)
        return self._page("form", draft=draft, procedure=procedure, token=session.token, errors=errors, given=values, communes=COMMUNES)

    def _page(self, name: str, status: int = 200, **values: Any) -> Answer:
        page = render(f"form-host/{name}.html", self.personality.page_bytes // 3, portal_name=self._portal.config.name_vi, **values)
        return html(page, status)

    def _notice(self, text: str, status: int = 200) -> Answer:
        return self._page("notice", status, text=text)
