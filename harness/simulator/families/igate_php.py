"""Older PHP iGate: a server-rendered wizard, ``sid`` on every step, redirects by meta refresh and script, the fee before the submission."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from harness.simulator.applicant_form import COMMUNES, applicant_errors, content_errors, field_names, read_applicant, upload_errors
from harness.simulator.configuration import PortalConfig
from harness.simulator.dossier_store import Draft
from harness.simulator.families.php_wizard import (
    WIZARD,
    Wizard,
    WizardPortal,
    meta_redirect,
    new_token,
    next_step,
    script_redirect,
    step_url,
)
from harness.simulator.families.server_rendered import NO_DOSSIER
from harness.simulator.http_messages import Answer, ReceivedRequest, redirect
from harness.simulator.portal import PAYMENT_VI, REJECTED, SharedServices

CASES = ("Trường hợp thông thường", "Trường hợp nộp thay", "Trường hợp cấp lại do mất")
_APPLICANT = field_names("ho_ten", "cccd", "ngay_sinh", "dien_thoai", "email", "dia_chi", "xa_phuong")


class IgatePhp(WizardPortal):
    """Choose case → applicant → papers → fee → confirm → result."""

    cookie = "PHPSESSID"
    templates = "igate-php"
    start_path = "/dich-vu-cong/dang-nhap"
    logout_path = "/dich-vu-cong/dang-xuat"
    login_path = "/dich-vu-cong/dang-nhap/vneid"
    return_path = "/dich-vu-cong/thanh-toan/ket-qua"
    back_field = "quay_lai"
    per_page = 15
    keyword_field, page_field = "tukhoa", "trang"
    code_field = "mahoso"

    def __init__(self, config: PortalConfig, shared: SharedServices) -> None:
        super().__init__(config, shared)
        self.route("GET", "/", self.home, 0.6)
        self.route("GET", "/dichvucong/tracuu", self.search, 1.6)
        self.route("GET", "/dichvucong/thutuc/{}", self.procedure, 1.0)
        self.route("GET", f"{WIZARD}/chon-truong-hop", self.start, 1.0, stores=True)
        self.route("POST", f"{WIZARD}/chon-truong-hop", self.post_case, 0.8, stores=True)
        for step, show, post in (
            ("nguoi-nop", self.applicant, self.post_applicant),
            ("ho-so", self.papers, self.post_papers),
            ("le-phi", self.fee, self.pay),
        ):
            self.route("GET", f"{WIZARD}/{step}", show, 1.0)
            self.route("POST", f"{WIZARD}/{step}", post, 1.5 if step == "ho-so" else 1.0, stores=True)
        self.route("GET", f"{WIZARD}/xac-nhan", self.confirmation, 1.0)
        self.route("POST", f"{WIZARD}/xac-nhan", self.submit, 2.0, stores=True)
        self.route("GET", f"{WIZARD}/ket-qua", self.result, 0.8)
        self.route("GET", self.return_path, self.payment_result, 0.8)
        self.route("GET", "/dichvucong/tracuuhoso", self.track, 0.8)
        self.route("GET", "/dich-vu-cong/ho-so/{}", self.own, 0.8)
        self.route("POST", "/dich-vu-cong/ho-so/{}/rut", self.withdraw, 1.0, stores=True)

    async def start(self, request: ReceivedRequest) -> Answer:
        """A new filing (``ma-thu-tuc``), redirected to itself with its ``sid``; or the choice of the case (``sid``)."""
        session, citizen = self.require_login(request)
        if "sid" in request.query:
            return self.step_page("case", request, cases=CASES)
        procedure = self.procedures.by("code", request.query.get("ma-thu-tuc", ""))
        if procedure is None:
            return self.notice("Thủ tục không hợp lệ", session=session)
        sid = secrets.token_hex(8)
        session.data[sid] = Wizard(self.store.open_draft(citizen.number, procedure.id), new_token())
        return redirect(step_url("chon-truong-hop", sid))

    async def post_case(self, request: ReceivedRequest) -> Answer:
        """The case posted."""
        sid, wizard = self.posted_step(request, "nguoi-nop")
        if request.form.get("truong_hop") not in CASES:
            return self.step_page("case", request, cases=CASES, error="Trường hợp không hợp lệ")
        wizard.case = request.form.get("truong_hop")
        return next_step(wizard, "nguoi-nop", sid)

    async def applicant(self, request: ReceivedRequest) -> Answer:
        """The applicant's form."""
        return self.step_page("applicant", request, communes=COMMUNES, given={})

    async def post_applicant(self, request: ReceivedRequest) -> Answer:
        """The applicant posted."""
        sid, wizard = self.posted_step(request, "ho-so")
        applicant = read_applicant(request.form, _APPLICANT)
        if errors := applicant_errors(applicant):
            given = {name: applicant[key] for key, name in _APPLICANT.items()}
            return self.step_page("applicant", request, communes=COMMUNES, given=given, error="; ".join(errors))
        self.store.fill_in(wizard.draft.id, applicant=applicant)
        return next_step(wizard, "ho-so", sid)

    async def papers(self, request: ReceivedRequest) -> Answer:
        """The papers' form."""
        return self.step_page("papers", request)

    async def post_papers(self, request: ReceivedRequest) -> Answer:
        """The papers posted: multipart with repeated ``files[]``."""
        sid, wizard = self.posted_step(request, "le-phi")
        uploads = [item for item in request.form.files.get("files[]", []) if item.content]
        errors = content_errors(request.form.get("noi_dung"))
        errors += [error for item in uploads for error in upload_errors(item)] if uploads else upload_errors(None)
        if errors:
            return self.step_page("papers", request, error=errors[0])
        self.store.fill_in(wizard.draft.id, details={"noiDung": request.form.get("noi_dung"), "truongHop": wizard.case})
        for item in uploads:
            self.store.attach(wizard.draft.id, item)
        return next_step(wizard, "le-phi", sid)

    async def fee(self, request: ReceivedRequest) -> Answer:
        """The amount to pay; where nothing is to be paid, a link leads to the confirmation."""
        state = self.store.payment_state(self.wizard(request)[1].draft.id)
        return self.step_page("fee", request, state=state, state_vi=PAYMENT_VI[state])

    async def pay(self, request: ReceivedRequest) -> Answer:
        """Begins the payment; a script sends the browser to the gateway."""
        sid, wizard = self.posted_step(request, "le-phi")
        draft = self._stored(wizard)
        if draft is None or not self.owes_fee(draft):
            return self.step_page("fee", request, state="paid", state_vi=PAYMENT_VI["paid"], error="Yêu cầu thanh toán không hợp lệ")
        url = await self.begin_payment(draft, draft.id)
        if url is None:
            return self.notice("Không khởi tạo được giao dịch thanh toán")
        if session := self.session(request):
            session.data["paying"] = sid
        return script_redirect("Đang chuyển đến cổng thanh toán", url)

    async def payment_result(self, request: ReceivedRequest) -> Answer:
        """Back from the gateway: a meta refresh leads to the fee step of the filing that was being paid."""
        payment, session = self.store.payment(request.query.get("transaction_id", "")), self.session(request)
        sid = str(session.data.get("paying", "")) if session else ""
        if payment is None or not sid:
            return self.notice("Không tìm thấy giao dịch")
        return meta_redirect(f"{PAYMENT_VI[payment.status]}, đang quay lại hồ sơ", step_url("le-phi", sid))

    async def confirmation(self, request: ReceivedRequest) -> Answer:
        """All fields for confirmation, and the box to tick."""
        _, wizard, _ = self.wizard(request)
        return self.step_page("confirm", request, draft=self._stored(wizard), files=self.store.files(wizard.draft.id))

    async def submit(self, request: ReceivedRequest) -> Answer:
        """The confirmation posted; a meta refresh leads to the result."""
        self.expire(request)
        sid, wizard = self.posted_step(request, "ket-qua", last=True)
        draft = self._stored(wizard)
        error = "" if request.form.get("cam_ket") == "on" else "Chưa cam kết: hồ sơ không hợp lệ"
        if draft is None or not draft.applicant or not draft.details:
            error = "Hồ sơ không hợp lệ: thiếu thông tin"
        elif self.owes_fee(draft):
            error = "Hồ sơ không hợp lệ: chưa thanh toán lệ phí"
        if error or draft is None:
            return self.step_page("confirm", request, draft=draft, files=self.store.files(wizard.draft.id), error=error)
        if self.has_fault("rejected_200", request.number):
            return self.notice(REJECTED)
        wizard.code = self.submit_draft(draft, request.number)
        return meta_redirect("Đang tiếp nhận hồ sơ", step_url("ket-qua", sid))

    async def result(self, request: ReceivedRequest) -> Answer:
        """The dossier's code."""
        _, wizard, _ = self.wizard(request)
        return self.step_page("result", request, code=wizard.code) if wizard.code else self.notice(NO_DOSSIER)

    async def withdraw(self, request: ReceivedRequest) -> Answer:
        """The owner withdraws a dossier."""
        session, citizen = self.require_login(request)
        dossier = self.own_dossier(request.parts[0], citizen)
        right = self.token_is_valid(request.form.get("_token"), session.token, request.number)
        if dossier is None or not right or not request.form.get("ly_do"):
            return self.notice("Yêu cầu rút hồ sơ không hợp lệ", session=session)
        self.store.withdraw(dossier)
        return redirect(f"/dichvucong/tracuuhoso?{urlencode({'mahoso': dossier.code})}")

    def _stored(self, wizard: Wizard) -> Draft | None:
        return self.store.draft(wizard.draft.id, wizard.draft.owner)
