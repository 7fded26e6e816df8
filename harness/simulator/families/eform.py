"""eForm: one long form with field names drawn for each session, a token for anonymous visitors too, errors told after a redirect back."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from harness.simulator.configuration import PortalConfig
from harness.simulator.cookie_portal import CookiePortal
from harness.simulator.desk import Draft
from harness.simulator.portal import COMMUNES, PAYMENT_VI, Surroundings, applicant_errors, payment_state, upload_error
from harness.simulator.sessions import Citizen, Session
from harness.simulator.wire import Answer, Request, redirect, whole

PER_PAGE = 12
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


class Eform(CookiePortal):
    """Search, procedure, /nop-ho-so/<n>, confirmation, receipt, payment, tracking by POST, withdrawal by a spoofed DELETE."""

    cookie = "eform_session"
    start_path = "/dang-nhap"
    logout_path = "/dang-xuat"
    login_path = "/dang-nhap/callback"
    return_path = "/thanh-toan/ket-qua"
    back_field = "intended"

    def __init__(self, config: PortalConfig, around: Surroundings) -> None:
        super().__init__(config, around)
        self.route("GET", "/", self.home, 0.6)
        self.route("GET", "/thu-tuc", self.search, 1.6)
        self.route("GET", "/thu-tuc/{}", self.procedure, 1.0)
        self.route("GET", "/nop-ho-so/{}", self.form, 1.0)
        self.route("POST", "/nop-ho-so/{}", self.take, 1.8, stores=True)
        self.route("GET", "/nop-ho-so/{}/xac-nhan/{}", self.confirmation, 0.8)
        self.route("POST", "/nop-ho-so/{}/xac-nhan/{}", self.submit, 2.0, stores=True)
        self.route("GET", "/ho-so/{}/bien-nhan", self.receipt, 0.8)
        self.route("GET", "/ho-so/{}/thanh-toan", self.fee, 0.8)
        self.route("POST", "/ho-so/{}/thanh-toan", self.pay, 1.2, stores=True)
        self.route("GET", self.return_path, self.paid, 0.8)
        self.route("GET", "/tra-cuu", self.tracking, 0.5)
        self.route("POST", "/tra-cuu", self.track, 0.8)
        self.route("GET", "/ho-so/{}", self.own, 0.8)
        self.route("POST", "/ho-so/{}", self.withdraw, 1.0, stores=True)

    async def home(self, request: Request) -> Answer:
        """The search box."""
        return self._page("home", self._any(request))

    async def search(self, request: Request) -> Answer:
        """Cards of procedures."""
        keyword, number = request.query.get("q", ""), whole(request.query.get("page"), 1) or 1
        found, total = self.procedures.search(keyword, number, PER_PAGE)
        values: dict[str, Any] = {"keyword": keyword, "found": found, "total": total, "number": number, "pages": -(-total // PER_PAGE)}
        return self._page("results", self._any(request), big=True, **values)

    async def procedure(self, request: Request) -> Answer:
        """One procedure by its code."""
        procedure = self.procedures.by("code", request.parts[0])
        return self._page("procedure", self._any(request), big=True, procedure=procedure) if procedure else await self.not_found(request)

    async def form(self, request: Request) -> Answer:
        """The form, with what was wrong with the last try."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        procedure = self.procedures.by("id", whole(request.parts[0], 0))
        if procedure is None:
            return await self.not_found(request)
        errors, old = session.data.pop("flash", ([], {}))
        given = {"hoTen": citizen.name, "soDinhDanh": citizen.number} | old
        fields = [(self._name(session, key), slug, label, given.get(key, "")) for key, (slug, label) in _FIELDS.items()]
        return self._page(
            "form", session, procedure=procedure, fields=fields, errors=errors, file=self._name(session, "tep"), communes=COMMUNES
        )

    async def take(self, request: Request) -> Answer:
        """Everything posted at once; what is wrong is told by the page that a redirect leads back to."""
        entered = self._entered(request)
        if isinstance(entered, Answer):
            return entered
        session, citizen = entered
        number, form = request.parts[0], request.form
        procedure = self.procedures.by("id", whole(number, 0))
        given = {key: form.get(self._name(session, key)) for key in _FIELDS}
        upload = form.upload(self._name(session, "tep"))
        errors = applicant_errors(given) + ([] if given["noiDung"] else ["Nội dung đề nghị không hợp lệ"])
        errors += [error] if (error := upload_error(upload)) else []
        if errors or procedure is None or upload is None:
            session.data["flash"] = (errors, given)
            return redirect(f"/nop-ho-so/{number}")
        draft = self.desk.open_draft(citizen.number, procedure.id)
        content = given.pop("noiDung")
        self.desk.fill_in(draft.id, applicant=given, details={"noiDung": content})
        self.desk.attach(draft.id, upload)
        return redirect(f"/nop-ho-so/{number}/xac-nhan/{draft.id}")

    async def confirmation(self, request: Request) -> Answer:
        """Everything once more."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        draft = self.desk.draft(request.parts[1], citizen.number)
        if draft is None:
            return await self.not_found(request)
        errors, _ = session.data.pop("flash", ([], {}))
        return self._page("confirm", session, draft=draft, procedure=self.procedures.by("id", draft.procedure), errors=errors)

    async def submit(self, request: Request) -> Answer:
        """The confirmation posted."""
        self.expire(request)
        number, identifier = request.parts
        entered = self._entered(request, last=True)
        if isinstance(entered, Answer):
            if entered.status == 419 and self.has_fault("csrf_same_302", request.number) and self.member(request):
                return redirect(f"/ho-so/{identifier}/bien-nhan")
            return entered
        session, citizen = entered
        draft = self.desk.draft(identifier, citizen.number)
        procedure = self.procedures.by("id", draft.procedure) if draft else None
        if draft is None or procedure is None:
            return await self.not_found(request)
        if request.form.get("dong_y") != "1":
            session.data["flash"] = (["Chưa đồng ý cam kết: hồ sơ không hợp lệ"], {})
            return redirect(f"/nop-ho-so/{number}/xac-nhan/{identifier}")
        if self.has_fault("rejected_200", request.number):
            return self.notice("Hồ sơ không hợp lệ, hệ thống từ chối tiếp nhận", session=session)
        session.data[draft.id] = self.receive(draft, procedure.fee, request.number)
        return redirect(f"/ho-so/{draft.id}/bien-nhan")

    async def receipt(self, request: Request) -> Answer:
        """The dossier's code."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        draft: Draft | None = self.desk.draft(request.parts[0], citizen.number)
        code = session.data.get(draft.id, "") if draft else ""
        if draft is None or not code:
            return self.notice("Không tìm thấy hồ sơ", session=session)
        return self._page("receipt", session, code=code, procedure=self.procedures.by("id", draft.procedure))

    async def fee(self, request: Request) -> Answer:
        """What is to be paid."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        dossier = self.own_dossier(request.parts[0], citizen)
        if dossier is None:
            return self.notice("Không tìm thấy hồ sơ", session=session)
        state = payment_state(self.desk.payments_of_draft(dossier.draft))
        return self._page("fee", session, dossier=dossier, state=state, state_vi=PAYMENT_VI[state])

    async def pay(self, request: Request) -> Answer:
        """Off to the gateway."""
        entered = self._entered(request)
        if isinstance(entered, Answer):
            return entered
        session, citizen = entered
        dossier = self.own_dossier(request.parts[0], citizen)
        draft = self.desk.draft(dossier.draft, citizen.number) if dossier else None
        procedure = self.procedures.by("id", dossier.procedure) if dossier else None
        if dossier is None or draft is None or procedure is None or not procedure.fee or draft.paid:
            return self.notice("Yêu cầu thanh toán không hợp lệ", session=session)
        url = await self.begin_payment(draft, dossier.code, procedure)
        return redirect(url, 303) if url else self.notice("Không khởi tạo được giao dịch thanh toán", session=session)

    async def paid(self, request: Request) -> Answer:
        """Back from the gateway."""
        payment = self.desk.payment(request.query.get("transaction_id", ""))
        session = self._any(request)
        if payment is None:
            return self.notice("Không tìm thấy giao dịch", session=session)
        return self._page("paid", session, payment=payment, state_vi=PAYMENT_VI[payment.status])

    async def tracking(self, request: Request) -> Answer:
        """The form to ask with."""
        return self._page("track", self._any(request), code="", dossier=None, payment_vi="")

    async def track(self, request: Request) -> Answer:
        """The state of a dossier by its code (``ma_ho_so``): a POST, with a token, without login."""
        session = self.session(request)
        if session is None or not self.token_holds(request.form.get("_token"), session.token, request.number):
            return self._expired()
        code = request.form.get("ma_ho_so")
        dossier = self.desk.dossier(code)
        state = PAYMENT_VI[payment_state(self.desk.payments_of_draft(dossier.draft))] if dossier else ""
        return self._page("track", session, code=code, dossier=dossier, payment_vi=state)

    async def own(self, request: Request) -> Answer:
        """A dossier of one's own."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        dossier = self.own_dossier(request.parts[0], citizen)
        return self._page("own", session, dossier=dossier) if dossier else self.notice("Không tìm thấy hồ sơ", session=session)

    async def withdraw(self, request: Request) -> Answer:
        """The owner takes a dossier back; the form says ``_method=DELETE``."""
        entered = self._entered(request)
        if isinstance(entered, Answer):
            return entered
        session, citizen = entered
        dossier = self.own_dossier(request.parts[0], citizen)
        if dossier is None or request.form.get("_method") != "DELETE" or not request.form.get("ly_do"):
            return self.notice("Yêu cầu rút hồ sơ không hợp lệ", session=session)
        self.desk.withdraw(dossier)
        return redirect(f"/ho-so/{dossier.code}")

    def notice(self, text: str, *, session: Session | None = None, status: int = 200) -> Answer:
        """A page that says one thing."""
        return self.page("eform/notice.html", status=status, session=session, text=text)

    def _page(self, name: str, session: Session, *, big: bool = False, **values: Any) -> Answer:
        answer = self.page(f"eform/{name}.html", big=big, session=session, **values)
        return answer.with_cookie(self.cookie, session.id).with_cookie("XSRF-TOKEN", session.token)

    def _any(self, request: Request) -> Session:
        """The visitor's session; everybody gets one."""
        return self.session(request) or self.sessions.open(self.personality.session_ttl_s)

    def _entered(self, request: Request, *, last: bool = False) -> tuple[Session, Citizen] | Answer:
        """Session and citizen of a posted form. The habit here: a lost session and a wrong token are both 419."""
        member = self.member(request)
        if member is None or not self.token_holds(request.form.get("_token"), member[0].token, request.number, last=last):
            return self._expired()
        return member

    def _expired(self) -> Answer:
        return self.notice("Trang đã hết hạn (419). Hết phiên làm việc hoặc mã bảo vệ không hợp lệ", status=419)

    def _name(self, session: Session, key: str) -> str:
        return "truong_" + hmac.new(session.token.encode(), key.encode(), hashlib.sha256).hexdigest()[:10]
