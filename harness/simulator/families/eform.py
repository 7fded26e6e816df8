"""eForm: one long form whose field names differ in every session, a token for anonymous visitors too, errors shown after a redirect back."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from harness.simulator.applicant_form import COMMUNES, applicant_errors, content_errors, upload_errors
from harness.simulator.configuration import PortalConfig
from harness.simulator.families.server_rendered import ServerRenderedPortal
from harness.simulator.http_messages import Answer, EarlyAnswer, ReceivedRequest, redirect, whole_number
from harness.simulator.portal import REJECTED, SharedServices
from harness.simulator.sessions import BrowserSession, SyntheticCitizen

_FIELDS = {
    "hoTen": ("ho-ten", "Họ và tên"),
    "soDinhDanh": ("so-cccd", "Số căn cước"),
    "ngaySinh": ("ngay-sinh", "Ngày sinh (dd/mm/yyyy)"),
    "dienThoai": ("dien-thoai", "Số điện thoại"),
    "email": ("email", "Thư điện tử"),
    "diaChi": ("dia-chi", "Địa chỉ"),
    "xaPhuong": ("xa-phuong", "Xã, phường"),
    "noiDung": ("noi-dung", "Nội dung đề nghị"),
}


class Eform(ServerRenderedPortal):
    """Search, procedure, /nop-ho-so/<n>, confirmation, receipt, payment, tracking by POST, withdrawal by a spoofed DELETE."""

    cookie = "eform_session"
    templates = "eform"
    start_path = "/dang-nhap"
    logout_path = "/dang-xuat"
    login_path = "/dang-nhap/callback"
    return_path = "/thanh-toan/ket-qua"
    back_field = "intended"
    per_page = 12
    keyword_field, page_field = "q", "page"
    procedure_key = "code"

    def __init__(self, config: PortalConfig, shared: SharedServices) -> None:
        super().__init__(config, shared)
        self.route("GET", "/", self.home, 0.6)
        self.route("GET", "/thu-tuc", self.search, 1.6)
        self.route("GET", "/thu-tuc/{}", self.procedure, 1.0)
        self.route("GET", "/nop-ho-so/{}", self.form, 1.0)
        self.route("POST", "/nop-ho-so/{}", self.post_form, 1.8, stores=True)
        self.route("GET", "/nop-ho-so/{}/xac-nhan/{}", self.confirmation, 0.8)
        self.route("POST", "/nop-ho-so/{}/xac-nhan/{}", self.submit, 2.0, stores=True)
        self.route("GET", "/ho-so/{}/bien-nhan", self.receipt, 0.8)
        self.route("GET", "/ho-so/{}/thanh-toan", self.fee, 0.8)
        self.route("POST", "/ho-so/{}/thanh-toan", self.pay, 1.2, stores=True)
        self.route("GET", self.return_path, self.payment_result, 0.8)
        self.route("GET", "/tra-cuu", self.track, 0.5)
        self.route("POST", "/tra-cuu", self.post_code, 0.8)
        self.route("GET", "/ho-so/{}", self.own, 0.8)
        self.route("POST", "/ho-so/{}", self.withdraw, 1.0, stores=True)

    async def form(self, request: ReceivedRequest) -> Answer:
        """The form, with the errors of the last attempt."""
        session, citizen = self.require_login(request)
        procedure = self.found(self.procedures.by("id", whole_number(request.parts[0], 0)))
        errors, old = session.data.pop("flash", ([], {}))
        given = {"hoTen": citizen.name, "soDinhDanh": citizen.number} | old
        fields = [(_field_name(session, key), slug, label, given.get(key, "")) for key, (slug, label) in _FIELDS.items()]
        values: dict[str, Any] = {"fields": fields, "errors": errors, "file": _field_name(session, "tep"), "communes": COMMUNES}
        return self.page("form", session, procedure=procedure, **values)

    async def post_form(self, request: ReceivedRequest) -> Answer:
        """Everything posted at once; errors are kept in the session, and a redirect leads back to the form."""
        session, citizen = self._posted(request)
        number, form = request.parts[0], request.form
        procedure = self.procedures.by("id", whole_number(number, 0))
        given = {key: form.get(_field_name(session, key)) for key in _FIELDS}
        upload = form.upload(_field_name(session, "tep"))
        errors = applicant_errors(given) + content_errors(given["noiDung"]) + upload_errors(upload)
        if errors or procedure is None or upload is None:
            session.data["flash"] = (errors, given)
            return redirect(f"/nop-ho-so/{number}")
        draft = self.store.open_draft(citizen.number, procedure.id)
        content = given.pop("noiDung")
        self.store.fill_in(draft.id, applicant=given, details={"noiDung": content})
        self.store.attach(draft.id, upload)
        return redirect(f"/nop-ho-so/{number}/xac-nhan/{draft.id}")

    async def confirmation(self, request: ReceivedRequest) -> Answer:
        """All fields for confirmation."""
        session, citizen = self.require_login(request)
        draft = self.found(self.store.draft(request.parts[1], citizen.number))
        errors, _ = session.data.pop("flash", ([], {}))
        return self.page("confirm", session, draft=draft, procedure=self.procedure_of(draft), errors=errors)

    async def submit(self, request: ReceivedRequest) -> Answer:
        """The confirmation posted."""
        self.expire(request)
        number, identifier = request.parts
        try:
            session, citizen = self._posted(request, last=True)
        except EarlyAnswer:
            if self.has_fault("csrf_same_302", request.number) and self.member(request):
                return redirect(f"/ho-so/{identifier}/bien-nhan")
            raise
        draft = self.found(self.store.draft(identifier, citizen.number))
        if request.form.get("dong_y") != "1":
            session.data["flash"] = (["Chưa đồng ý cam kết: hồ sơ không hợp lệ"], {})
            return redirect(f"/nop-ho-so/{number}/xac-nhan/{identifier}")
        if self.has_fault("rejected_200", request.number):
            return self.notice(REJECTED, session=session)
        session.data[draft.id] = self.submit_draft(draft, request.number)
        return redirect(f"/ho-so/{draft.id}/bien-nhan")

    async def pay(self, request: ReceivedRequest) -> Answer:
        """Redirects to the gateway."""
        session, citizen = self._posted(request)
        dossier = self.own_dossier(request.parts[0], citizen)
        draft = self.unpaid_draft(dossier)
        if dossier is None or draft is None:
            return self.notice("Yêu cầu thanh toán không hợp lệ", session=session)
        url = await self.begin_payment(draft, dossier.code)
        return redirect(url, 303) if url else self.notice("Không khởi tạo được giao dịch thanh toán", session=session)

    async def post_code(self, request: ReceivedRequest) -> Answer:
        """The state of a dossier by its code (``ma_ho_so``): a POST with a token, without login."""
        session = self.session(request)
        if session is None or not self.token_is_valid(request.form.get("_token"), session.token, request.number):
            return self._expired()
        return self.tracking_page(session, request.form.get("ma_ho_so"))

    async def withdraw(self, request: ReceivedRequest) -> Answer:
        """The owner withdraws a dossier; the form says ``_method=DELETE``."""
        session, citizen = self._posted(request)
        dossier = self.own_dossier(request.parts[0], citizen)
        if dossier is None or request.form.get("_method") != "DELETE" or not request.form.get("ly_do"):
            return self.notice("Yêu cầu rút hồ sơ không hợp lệ", session=session)
        self.store.withdraw(dossier)
        return redirect(f"/ho-so/{dossier.code}")

    def page(self, name: str, session: BrowserSession | None, *, big: bool = False, status: int = 200, **values: Any) -> Answer:
        """A page that also sets the cookies of its session."""
        answer = super().page(name, session, big=big, status=status, **values)
        return answer.with_cookie(self.cookie, session.id).with_cookie("XSRF-TOKEN", session.token) if session else answer

    def visitor(self, request: ReceivedRequest) -> BrowserSession:
        """The visitor's session; every visitor gets one."""
        return self.session(request) or self.sessions.open(self.personality.session_ttl_s)

    def _posted(self, request: ReceivedRequest, *, last: bool = False) -> tuple[BrowserSession, SyntheticCitizen]:
        """Session and citizen of a posted form; EarlyAnswer is 419 for a lost session and for a wrong token."""
        member = self.member(request)
        if member is None or not self.token_is_valid(request.form.get("_token"), member[0].token, request.number, last=last):
            raise EarlyAnswer(self._expired())
        return member

    def _expired(self) -> Answer:
        return self.notice("Trang đã hết hạn (419). Hết phiên làm việc hoặc mã bảo vệ không hợp lệ", status=419)


def _field_name(session: BrowserSession, key: str) -> str:
    return "truong_" + hmac.new(session.token.encode(), key.encode(), hashlib.sha256).hexdigest()[:10]
