"""Liferay: server-rendered portlets, fields with a namespace, CSRF token ``p_auth`` in action addresses and forms."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from harness.simulator.applicant_form import APPLICANT_KEYS, COMMUNES, applicant_errors, content_errors, upload_errors
from harness.simulator.configuration import PortalConfig
from harness.simulator.dossier_store import Draft
from harness.simulator.families.server_rendered import ServerRenderedPortal
from harness.simulator.http_messages import Answer, EarlyAnswer, ReceivedRequest, redirect, whole_number
from harness.simulator.portal import REJECTED, SharedServices
from harness.simulator.sessions import BrowserSession, SyntheticCitizen

NAMESPACE = "_hoso_WAR_dvcportlet_"
SEARCH_NAMESPACE = "_thutuc_WAR_dvcportlet_"
BASE = "/web/dich-vu-cong"


class Liferay(ServerRenderedPortal):
    """Home, search, procedure, three steps, receipt, fee, payment result, tracking, withdrawal."""

    cookie = "JSESSIONID"
    templates = "liferay"
    start_path = "/c/portal/login"
    logout_path = "/c/portal/logout"
    login_path = "/c/portal/vneid/callback"
    return_path = f"{BASE}/ket-qua-thanh-toan"
    keyword_field, page_field = f"{SEARCH_NAMESPACE}keywords", f"{SEARCH_NAMESPACE}cur"
    code_field, draft_field = "maHoSo", "hoSoId"

    def __init__(self, config: PortalConfig, shared: SharedServices) -> None:
        super().__init__(config, shared)
        self.route("GET", "/", self.home, 0.6)
        self.route("GET", f"{BASE}/thu-tuc", self.search, 1.6)
        self.route("GET", f"{BASE}/thu-tuc/-/chi-tiet/{{}}", self.procedure, 1.0)
        self.route("GET", f"{BASE}/nop-ho-so", self.form, 1.0)
        self.route("POST", f"{BASE}/nop-ho-so/nguoi-nop", self.post_applicant, 1.0, stores=True)
        self.route("POST", f"{BASE}/nop-ho-so/thanh-phan", self.post_papers, 1.5, stores=True)
        self.route("POST", f"{BASE}/nop-ho-so/xac-nhan", self.submit, 2.0, stores=True)
        self.route("GET", f"{BASE}/bien-nhan", self.receipt, 0.8)
        self.route("GET", f"{BASE}/le-phi", self.fee, 0.8)
        self.route("POST", f"{BASE}/le-phi", self.pay, 1.2, stores=True)
        self.route("GET", self.return_path, self.payment_result, 0.8)
        self.route("GET", f"{BASE}/tra-cuu", self.track, 0.8)
        self.route("GET", f"{BASE}/ho-so-cua-toi", self.own, 0.8)
        self.route("POST", f"{BASE}/ho-so-cua-toi/rut", self.withdraw, 1.0, stores=True)

    async def form(self, request: ReceivedRequest) -> Answer:
        """Step 1 for a procedure (``thuTucId``), or step ``buoc`` of a draft (``hoSoId``)."""
        session, citizen = self.require_login(request)
        if identifier := request.query.get("hoSoId"):
            draft = self.store.draft(identifier, citizen.number)
            if draft is None:
                return self.notice("Hồ sơ không hợp lệ", session=session)
            return self._step(request.query.get("buoc", "1"), session, draft, [])
        procedure = self.procedures.by("id", whole_number(request.query.get("thuTucId", ""), 0))
        if procedure is None:
            return self.notice("Thủ tục không hợp lệ", session=session)
        return self._step("1", session, self.store.open_draft(citizen.number, procedure.id), [])

    async def post_applicant(self, request: ReceivedRequest) -> Answer:
        """Step 1 posted."""
        session, draft = self._posted_step(request, "2")
        applicant = {name: request.form.get(NAMESPACE + name) for name in APPLICANT_KEYS}
        if errors := applicant_errors(applicant):
            return self._step("1", session, draft, errors, given=applicant)
        self.store.fill_in(draft.id, applicant=applicant)
        return redirect(_step_url("2", draft.id))

    async def post_papers(self, request: ReceivedRequest) -> Answer:
        """Step 2 posted, with a file."""
        session, draft = self._posted_step(request, "3")
        upload = request.form.upload(NAMESPACE + "tepDinhKem")
        details = {name: request.form.get(NAMESPACE + name) for name in ("noiDung", "soBan")}
        errors = content_errors(details["noiDung"]) + ([] if whole_number(details["soBan"], 0) else ["Số bản không hợp lệ"])
        errors += upload_errors(upload)
        if errors or upload is None:
            return self._step("2", session, draft, errors, given=details)
        self.store.fill_in(draft.id, details=details)
        self.store.attach(draft.id, upload)
        return redirect(_step_url("3", draft.id))

    async def submit(self, request: ReceivedRequest) -> Answer:
        """Step 3 posted: the dossier is stored, and a redirect leads to the receipt."""
        self.expire(request)
        session, draft = self._posted_step(request, "receipt")
        if request.form.get(NAMESPACE + "camDoan") != "1" or not draft.applicant or not self.store.files(draft.id):
            return self._step("3", session, draft, ["Hồ sơ không hợp lệ: thiếu thông tin hoặc chưa cam đoan"])
        if self.has_fault("rejected_200", request.number):
            return self.notice(REJECTED, session=session)
        session.data[draft.id] = self.submit_draft(draft, request.number)
        return redirect(_receipt_url(draft.id))

    async def pay(self, request: ReceivedRequest) -> Answer:
        """Creates a transaction at the gateway and redirects the citizen there."""
        session, citizen = self._posted(request)
        dossier = self.require_dossier(request.form.get(NAMESPACE + "maHoSo"), citizen, session)
        draft = self.unpaid_draft(dossier)
        if draft is None:
            return self.notice("Yêu cầu thanh toán không hợp lệ: hồ sơ không phải nộp lệ phí", session=session)
        url = await self.begin_payment(draft, dossier.code)
        return redirect(url) if url else self.notice("Không khởi tạo được giao dịch thanh toán", session=session)

    async def withdraw(self, request: ReceivedRequest) -> Answer:
        """The owner withdraws a dossier."""
        session, citizen = self._posted(request)
        dossier = self.own_dossier(request.form.get(NAMESPACE + "maHoSo"), citizen)
        if dossier is None or not request.form.get(NAMESPACE + "lyDo"):
            return self.notice("Yêu cầu rút hồ sơ không hợp lệ", session=session)
        self.store.withdraw(dossier)
        return redirect(f"{BASE}/tra-cuu?{urlencode({'maHoSo': dossier.code})}")

    def _posted(self, request: ReceivedRequest) -> tuple[BrowserSession, SyntheticCitizen]:
        """Session and citizen of a posted form; EarlyAnswer where the login is missing or the token is wrong."""
        session, citizen = self.require_login(request)
        if not self.token_is_valid(request.form.get("p_auth"), session.token, request.number):
            raise EarlyAnswer(self._wrong_token(session))
        return session, citizen

    def _posted_step(self, request: ReceivedRequest, then: str) -> tuple[BrowserSession, Draft]:
        """Session and draft of a posted step; EarlyAnswer where session, token or draft is wrong."""
        session, citizen = self.require_session(request)
        identifier = request.form.get(NAMESPACE + "hoSoId")
        right, given, last = session.token, request.form.get("p_auth"), then == "receipt"
        if request.query.get("p_auth", right) != right or not self.token_is_valid(given, right, request.number, last=last):
            if self.has_fault("csrf_same_302", request.number):
                raise EarlyAnswer(redirect(_receipt_url(identifier) if last else _step_url(then, identifier)))
            raise EarlyAnswer(self._wrong_token(session))
        draft = self.store.draft(identifier, citizen.number)
        if draft is None or request.form.get(NAMESPACE + "website"):  # a hidden field: people leave it empty
            raise EarlyAnswer(self.notice("Hồ sơ không hợp lệ", session=session))
        return session, draft

    def _step(self, step: str, session: BrowserSession, draft: Draft, errors: list[str], *, given: dict[str, str] | None = None) -> Answer:
        procedure = self.procedure_of(draft)
        values: dict[str, Any] = {"draft": draft, "procedure": procedure, "errors": errors, "token": session.token}
        if step == "2":
            return self.page("step2", session, given=given or draft.details, **values)
        if step == "3":
            return self.page("step3", session, files=self.store.files(draft.id), **values)
        assert session.citizen is not None
        prefilled = {"hoTen": session.citizen.name, "soDinhDanh": session.citizen.number}
        return self.page("step1", session, given=prefilled | (given or draft.applicant), communes=COMMUNES, **values)

    def _wrong_token(self, session: BrowserSession) -> Answer:
        return self.notice("Yêu cầu không hợp lệ: mã p_auth không đúng", session=session, status=403)


def _step_url(step: str, draft: str) -> str:
    return f"{BASE}/nop-ho-so?{urlencode({'buoc': step, 'hoSoId': draft})}"


def _receipt_url(draft: str) -> str:
    return f"{BASE}/bien-nhan?{urlencode({'hoSoId': draft})}"
