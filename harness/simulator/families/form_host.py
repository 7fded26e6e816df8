"""The local form host of the National Portal: an origin of its own, entered with a ticket, with a session and token of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.simulator.desk import Draft
from harness.simulator.origin import Origin
from harness.simulator.pages import render
from harness.simulator.portal import COMMUNES, applicant_errors, upload_error
from harness.simulator.sessions import Citizen, Session, Sessions
from harness.simulator.wire import Answer, Request, html, redirect

if TYPE_CHECKING:
    from harness.simulator.families.national import National

COOKIE = "FORMSESSION"
REDEEM_PATH = "/jsp/ve-chuyen-tiep.jsp"
TOKEN = "__RequestVerificationToken"  # noqa: S105  (the name of a form field)
_FIELDS = {
    "hoTen": "HoTen",
    "soDinhDanh": "SoDinhDanh",
    "ngaySinh": "NgaySinh",
    "dienThoai": "DienThoai",
    "email": "Email",
    "diaChi": "DiaChi",
    "xaPhuong": "XaPhuong",
}


class FormHost(Origin):
    """Ticket → form → confirmation → result."""

    def __init__(self, portal: National) -> None:
        super().__init__(f"{portal.name}:form", portal.personality, portal.around.seed, portal.around.truth)
        self._portal = portal
        self._sessions = Sessions()
        self.route("GET", "/theme/{}", portal.asset, 0.05)
        self.route("GET", "/tiep-nhan", self.enter, 0.8, stores=True)
        self.route("GET", "/ho-so/{}", self.form, 1.0)
        self.route("POST", "/ho-so/{}", self.take, 1.8, stores=True)
        self.route("GET", "/ho-so/{}/xac-nhan", self.confirmation, 0.8)
        self.route("POST", "/ho-so/{}/xac-nhan", self.submit, 2.0, stores=True)
        self.route("GET", "/ho-so/{}/ket-qua", self.result, 0.8)

    async def enter(self, request: Request) -> Answer:
        """Redeems the ticket at the portal, server to server, and opens a session."""
        body = json.dumps({"ticket": request.query.get("ticket"), "secret": self._portal.handover_secret}).encode()
        answer = await self._portal.call("POST", REDEEM_PATH, [(b"content-type", b"application/json")], body)
        if answer.status != 200:
            return self._notice("Vé chuyển tiếp không hợp lệ hoặc đã hết hạn", 400)
        said = json.loads(answer.body)
        session = self._sessions.open(self.personality.session_ttl_s, Citizen(said["number"], said["name"]))
        return redirect(f"/ho-so/{said['draft']}").with_cookie(COOKIE, session.id)

    async def form(self, request: Request) -> Answer:
        """Applicant and papers on one page."""
        found = self._found(request)
        return found if isinstance(found, Answer) else self._form(*found, [], found[1].applicant)

    async def take(self, request: Request) -> Answer:
        """Applicant and papers posted."""
        found = self._found(request)
        if isinstance(found, Answer):
            return found
        session, draft = found
        form = request.form
        if not self._portal.token_holds(form.get(TOKEN), session.token, request.number):
            csrf_same = self.has_fault("csrf_same_302", request.number)
            return redirect(f"/ho-so/{draft.id}/xac-nhan") if csrf_same else self._notice("Yêu cầu không hợp lệ (anti-forgery token)", 400)
        applicant = {ours: form.get(theirs) for ours, theirs in _FIELDS.items()}
        upload, content = form.upload("TepDinhKem"), form.get("NoiDung")
        errors = applicant_errors(applicant) + ([] if content else ["Nội dung không hợp lệ"])
        errors += [error] if (error := upload_error(upload)) else []
        if errors or upload is None:
            return self._form(session, draft, errors, applicant)
        self._portal.desk.fill_in(draft.id, applicant=applicant, details={"noiDung": content})
        self._portal.desk.attach(draft.id, upload)
        return redirect(f"/ho-so/{draft.id}/xac-nhan")

    async def confirmation(self, request: Request) -> Answer:
        """Everything once more."""
        found = self._found(request)
        if isinstance(found, Answer):
            return found
        return self._page("confirm", draft=found[1], procedure=self._portal.procedures.by("id", found[1].procedure), token=found[0].token)

    async def submit(self, request: Request) -> Answer:
        """The confirmation posted."""
        if self.has_fault("session_expires", request.number) and (session := self._session(request)):
            self._sessions.end(session)
        found = self._found(request)
        if isinstance(found, Answer):
            return found
        session, draft = found
        if not self._portal.token_holds(request.form.get(TOKEN), session.token, request.number, last=True):
            csrf_same = self.has_fault("csrf_same_302", request.number)
            return redirect(f"/ho-so/{draft.id}/ket-qua") if csrf_same else self._notice("Yêu cầu không hợp lệ (anti-forgery token)", 400)
        procedure = self._portal.procedures.by("id", draft.procedure)
        if procedure is None or request.form.get("CamKet") != "true" or not draft.applicant or not draft.details:
            return self._notice("Hồ sơ không hợp lệ: thiếu thông tin hoặc chưa cam kết")
        if self.has_fault("rejected_200", request.number):
            return self._notice("Hồ sơ không hợp lệ, hệ thống từ chối tiếp nhận")
        session.data[draft.id] = self._portal.receive(draft, procedure.fee, request.number)
        return redirect(f"/ho-so/{draft.id}/ket-qua")

    async def result(self, request: Request) -> Answer:
        """The dossier's code, and the way back to the portal."""
        found = self._found(request)
        if isinstance(found, Answer):
            return found
        code = found[0].data.get(found[1].id, "")
        if not code:
            return self._notice("Không tìm thấy hồ sơ")
        procedure = self._portal.procedures.by("id", found[1].procedure)
        return self._page("result", code=code, procedure=procedure, portal_url=self._portal.url)

    def _session(self, request: Request) -> Session | None:
        return self._sessions.find(request.cookies.get(COOKIE, ""), self.personality.session_ttl_s)

    def _found(self, request: Request) -> tuple[Session, Draft] | Answer:
        session = self._session(request)
        if session is None or session.citizen is None:
            return self._notice("Hết phiên làm việc, vui lòng quay lại Cổng dịch vụ công")
        draft = self._portal.desk.draft(request.parts[0], session.citizen.number)
        return (session, draft) if draft else self._notice("Không tìm thấy hồ sơ")

    def _form(self, session: Session, draft: Draft, errors: list[str], given: dict[str, Any]) -> Answer:
        assert session.citizen is not None
        values = {"HoTen": session.citizen.name, "SoDinhDanh": session.citizen.number}
        values |= {theirs: given[ours] for ours, theirs in _FIELDS.items() if given.get(ours)}
        procedure = self._portal.procedures.by("id", draft.procedure)
        return self._page("form", draft=draft, procedure=procedure, token=session.token, errors=errors, given=values, communes=COMMUNES)

    def _page(self, name: str, status: int = 200, **values: Any) -> Answer:
        page = render(f"form-host/{name}.html", self.personality.page_bytes // 3, portal_name=self._portal.config.name_vi, **values)
        return html(page, status)

    def _notice(self, text: str, status: int = 200) -> Answer:
        return self._page("notice", status, text=text)
