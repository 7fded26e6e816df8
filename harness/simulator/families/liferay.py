"""Liferay: server-rendered portlets, namespaced fields, CSRF token ``p_auth`` in action addresses and forms."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from harness.simulator.configuration import PortalConfig
from harness.simulator.cookie_portal import CookiePortal
from harness.simulator.desk import Draft
from harness.simulator.portal import COMMUNES, PAYMENT_VI, Surroundings, applicant_errors, payment_state, upload_error
from harness.simulator.procedures import Procedure
from harness.simulator.sessions import Session
from harness.simulator.wire import Answer, Request, redirect, whole

NAMESPACE = "_hoso_WAR_dvcportlet_"
SEARCH_NAMESPACE = "_thutuc_WAR_dvcportlet_"
PER_PAGE = 10
BASE = "/web/dich-vu-cong"
APPLICANT = ("hoTen", "soDinhDanh", "ngaySinh", "dienThoai", "email", "diaChi", "xaPhuong")


class Liferay(CookiePortal):
    """Home, search, procedure, three steps, receipt, fee, payment result, tracking, withdrawal."""

    cookie = "JSESSIONID"
    start_path = "/c/portal/login"
    logout_path = "/c/portal/logout"
    login_path = "/c/portal/vneid/callback"
    return_path = f"{BASE}/ket-qua-thanh-toan"

    def __init__(self, config: PortalConfig, around: Surroundings) -> None:
        super().__init__(config, around)
        self.route("GET", "/", self.home, 0.6)
        self.route("GET", f"{BASE}/thu-tuc", self.search, 1.6)
        self.route("GET", f"{BASE}/thu-tuc/-/chi-tiet/{{}}", self.procedure, 1.0)
        self.route("GET", f"{BASE}/nop-ho-so", self.form, 1.0)
        self.route("POST", f"{BASE}/nop-ho-so/nguoi-nop", self.take_applicant, 1.0, stores=True)
        self.route("POST", f"{BASE}/nop-ho-so/thanh-phan", self.take_papers, 1.5, stores=True)
        self.route("POST", f"{BASE}/nop-ho-so/xac-nhan", self.submit, 2.0, stores=True)
        self.route("GET", f"{BASE}/bien-nhan", self.receipt, 0.8)
        self.route("GET", f"{BASE}/le-phi", self.fee, 0.8)
        self.route("POST", f"{BASE}/le-phi", self.pay, 1.2, stores=True)
        self.route("GET", self.return_path, self.paid, 0.8)
        self.route("GET", f"{BASE}/tra-cuu", self.track, 0.8)
        self.route("GET", f"{BASE}/ho-so-cua-toi", self.own, 0.8)
        self.route("POST", f"{BASE}/ho-so-cua-toi/rut", self.withdraw, 1.0, stores=True)

    async def home(self, request: Request) -> Answer:
        """The search box."""
        return self.page("liferay/home.html", session=self.session(request), ns=SEARCH_NAMESPACE)

    async def search(self, request: Request) -> Answer:
        """A page of results with links."""
        keyword = request.query.get(f"{SEARCH_NAMESPACE}keywords", "").strip()
        page = whole(request.query.get(f"{SEARCH_NAMESPACE}cur"), 1) or 1
        found, total = self.procedures.search(keyword, page, PER_PAGE)
        pages = -(-total // PER_PAGE)
        values: dict[str, Any] = {"keyword": keyword, "found": found, "total": total, "page_number": page, "pages": pages}
        return self.page("liferay/results.html", big=True, session=self.session(request), ns=SEARCH_NAMESPACE, **values)

    async def procedure(self, request: Request) -> Answer:
        """One procedure: name, code, fee, papers, and the way to file."""
        procedure = self._procedure(request.parts[0])
        if procedure is None:
            return await self.not_found(request)
        return self.page("liferay/procedure.html", big=True, session=self.session(request), procedure=procedure)

    async def form(self, request: Request) -> Answer:
        """Step 1 for a procedure (``thuTucId``), or step ``buoc`` of a draft (``hoSoId``)."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        if identifier := request.query.get("hoSoId"):
            draft = self.desk.draft(identifier, citizen.number)
            if draft is None:
                return self.notice("Hồ sơ không hợp lệ", session=session)
            return self._step(request.query.get("buoc", "1"), session, draft, [])
        procedure = self._procedure(request.query.get("thuTucId", ""))
        if procedure is None:
            return self.notice("Thủ tục không hợp lệ", session=session)
        return self._step("1", session, self.desk.open_draft(citizen.number, procedure.id), [])

    async def take_applicant(self, request: Request) -> Answer:
        """Step 1 posted."""
        checked = self._checked(request, "2")
        if isinstance(checked, Answer):
            return checked
        session, draft = checked
        applicant = {name: request.form.get(NAMESPACE + name) for name in APPLICANT}
        if errors := applicant_errors(applicant):
            return self._step("1", session, draft, errors, given=applicant)
        self.desk.fill_in(draft.id, applicant=applicant)
        return redirect(_step_url("2", draft.id))

    async def take_papers(self, request: Request) -> Answer:
        """Step 2 posted, with a file."""
        checked = self._checked(request, "3")
        if isinstance(checked, Answer):
            return checked
        session, draft = checked
        upload = request.form.upload(NAMESPACE + "tepDinhKem")
        details = {"noiDung": request.form.get(NAMESPACE + "noiDung"), "soBan": request.form.get(NAMESPACE + "soBan")}
        errors = [] if details["noiDung"] else ["Nội dung đề nghị không hợp lệ"]
        errors += [] if whole(details["soBan"], 0) else ["Số bản không hợp lệ"]
        errors += [error] if (error := upload_error(upload)) else []
        if errors or upload is None:
            return self._step("2", session, draft, errors, given=details)
        self.desk.fill_in(draft.id, details=details)
        self.desk.attach(draft.id, upload)
        return redirect(_step_url("3", draft.id))

    async def submit(self, request: Request) -> Answer:
        """Step 3 posted: the dossier is stored and the receipt follows."""
        self.expire(request)
        checked = self._checked(request, "receipt")
        if isinstance(checked, Answer):
            return checked
        session, draft = checked
        procedure = self.procedures.by("id", draft.procedure)
        complete = procedure is not None and draft.applicant and self.desk.files(draft.id)
        if request.form.get(NAMESPACE + "camDoan") != "1" or not complete or procedure is None:
            return self._step("3", session, draft, ["Hồ sơ không hợp lệ: thiếu thông tin hoặc chưa cam đoan"])
        if self.has_fault("rejected_200", request.number):
            return self.notice("Hồ sơ không hợp lệ, hệ thống từ chối tiếp nhận", session=session)
        code = self.receive(draft, procedure.fee, request.number)
        session.data[draft.id] = code
        return redirect(_receipt_url(draft.id))

    async def receipt(self, request: Request) -> Answer:
        """The dossier's code in ``#ma-ho-so``."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        draft = self.desk.draft(request.query.get("hoSoId", ""), citizen.number)
        code = session.data.get(draft.id, "") if draft else ""
        if draft is None or not code:
            return self.notice("Không tìm thấy hồ sơ", session=session)
        return self.page("liferay/receipt.html", session=session, code=code, procedure=self.procedures.by("id", draft.procedure))

    async def fee(self, request: Request) -> Answer:
        """What is to be paid for a dossier of one's own, and the way to the gateway."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        dossier = self.own_dossier(request.query.get("maHoSo", ""), citizen)
        if dossier is None:
            return self.notice("Không tìm thấy hồ sơ", session=session)
        state = payment_state(self.desk.payments_of_draft(dossier.draft))
        return self.page("liferay/fee.html", session=session, ns=NAMESPACE, dossier=dossier, state=state, state_vi=PAYMENT_VI[state])

    async def pay(self, request: Request) -> Answer:
        """Creates a transaction at the gateway and sends the citizen there."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        if not self.token_holds(request.form.get("p_auth"), session.token, request.number):
            return self._rejected(session)
        dossier = self.own_dossier(request.form.get(NAMESPACE + "maHoSo"), citizen)
        if dossier is None:
            return self.notice("Không tìm thấy hồ sơ", session=session)
        procedure, draft = self.procedures.by("id", dossier.procedure), self.desk.draft(dossier.draft, dossier.owner)
        if procedure is None or draft is None or not dossier.fee or draft.paid:
            return self.notice("Yêu cầu thanh toán không hợp lệ: hồ sơ không phải nộp lệ phí", session=session)
        url = await self.begin_payment(draft, dossier.code, procedure)
        return redirect(url) if url else self.notice("Không khởi tạo được giao dịch thanh toán", session=session)

    async def paid(self, request: Request) -> Answer:
        """Back from the gateway: what the portal knows of the payment, by the callback alone."""
        payment = self.desk.payment(request.query.get("transaction_id", ""))
        if payment is None:
            return self.notice("Không tìm thấy giao dịch", session=self.session(request))
        return self.page("liferay/paid.html", session=self.session(request), payment=payment, state_vi=PAYMENT_VI[payment.status])

    async def track(self, request: Request) -> Answer:
        """The state of a dossier by its code, for everybody."""
        code = request.query.get("maHoSo", "").strip()
        dossier = self.desk.dossier(code) if code else None
        procedure = self.procedures.by("id", dossier.procedure) if dossier else None
        state = PAYMENT_VI[payment_state(self.desk.payments_of_draft(dossier.draft))] if dossier else ""
        values: dict[str, Any] = {"code": code, "dossier": dossier, "procedure": procedure, "payment_vi": state}
        return self.page("liferay/track.html", session=self.session(request), **values)

    async def own(self, request: Request) -> Answer:
        """A dossier of one's own, with a form to withdraw it."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        dossier = self.own_dossier(request.query.get("maHoSo", ""), citizen)
        if dossier is None:
            return self.notice("Không tìm thấy hồ sơ", session=session)
        return self.page("liferay/own.html", session=session, ns=NAMESPACE, dossier=dossier)

    async def withdraw(self, request: Request) -> Answer:
        """The owner takes a dossier back."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        if not self.token_holds(request.form.get("p_auth"), session.token, request.number):
            return self._rejected(session)
        dossier = self.own_dossier(request.form.get(NAMESPACE + "maHoSo"), citizen)
        if dossier is None or not request.form.get(NAMESPACE + "lyDo"):
            return self.notice("Yêu cầu rút hồ sơ không hợp lệ", session=session)
        self.desk.withdraw(dossier)
        return redirect(f"{BASE}/tra-cuu?{urlencode({'maHoSo': dossier.code})}")

    def _procedure(self, number: str) -> Procedure | None:
        return self.procedures.by("id", whole(number, 0))

    def _checked(self, request: Request, then: str) -> tuple[Session, Draft] | Answer:
        """The session and draft that a posted step belongs to, or the answer that says why not."""
        if (member := self.member(request)) is None:
            return self.notice("Hết phiên làm việc, vui lòng đăng nhập lại")
        session, citizen = member
        identifier = request.form.get(NAMESPACE + "hoSoId")
        right, last = session.token, then == "receipt"
        if request.query.get("p_auth", right) != right or not self.token_holds(
            request.form.get("p_auth"), right, request.number, last=last
        ):
            if self.has_fault("csrf_same_302", request.number):
                return redirect(_receipt_url(identifier) if last else _step_url(then, identifier))
            return self._rejected(session)
        draft = self.desk.draft(identifier, citizen.number)
        if draft is None or request.form.get(NAMESPACE + "website"):  # a field that people do not see
            return self.notice("Hồ sơ không hợp lệ", session=session)
        return session, draft

    def _step(self, step: str, session: Session, draft: Draft, errors: list[str], *, given: dict[str, str] | None = None) -> Answer:
        procedure = self.procedures.by("id", draft.procedure)
        values: dict[str, Any] = {"draft": draft, "procedure": procedure, "errors": errors, "token": session.token, "ns": NAMESPACE}
        if step == "2":
            return self.page("liferay/step2.html", session=session, given=given or draft.details, **values)
        if step == "3":
            return self.page("liferay/step3.html", session=session, files=self.desk.files(draft.id), **values)
        assert session.citizen is not None
        prefilled = {"hoTen": session.citizen.name, "soDinhDanh": session.citizen.number}
        return self.page("liferay/step1.html", session=session, given=prefilled | (given or draft.applicant), communes=COMMUNES, **values)

    def _rejected(self, session: Session) -> Answer:
        return self.notice("Yêu cầu không hợp lệ: mã p_auth không đúng", session=session, status=403)

    def notice(self, text: str, *, session: Session | None = None, status: int = 200) -> Answer:
        """A page that says one thing."""
        return self.page("liferay/notice.html", status=status, session=session, text=text)


def _step_url(step: str, draft: str) -> str:
    return f"{BASE}/nop-ho-so?{urlencode({'buoc': step, 'hoSoId': draft})}"


def _receipt_url(draft: str) -> str:
    return f"{BASE}/bien-nhan?{urlencode({'hoSoId': draft})}"
