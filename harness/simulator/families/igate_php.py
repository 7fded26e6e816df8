"""Older PHP iGate: a server-rendered wizard, ``sid`` on every step, redirects by meta refresh and script, the fee before the submission."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from harness.simulator.configuration import PortalConfig
from harness.simulator.families.php_wizard import WIZARD, Wizard, WizardPortal, at, by_meta, by_script, new_token, onward
from harness.simulator.portal import COMMUNES, PAYMENT_VI, Surroundings, applicant_errors, payment_state, upload_error
from harness.simulator.wire import Answer, Request, redirect, whole

PER_PAGE = 15
CASES = ("Trường hợp thông thường", "Trường hợp nộp thay", "Trường hợp cấp lại do mất")
_APPLICANT = {
    "hoTen": "ho_ten",
    "soDinhDanh": "cccd",
    "ngaySinh": "ngay_sinh",
    "dienThoai": "dien_thoai",
    "email": "email",
    "diaChi": "dia_chi",
    "xaPhuong": "xa_phuong",
}


class IgatePhp(WizardPortal):
    """Choose case → applicant → papers → fee → confirm → result."""

    cookie = "PHPSESSID"
    start_path = "/dich-vu-cong/dang-nhap"
    logout_path = "/dich-vu-cong/dang-xuat"
    login_path = "/dich-vu-cong/dang-nhap/vneid"
    return_path = "/dich-vu-cong/thanh-toan/ket-qua"
    back_field = "quay_lai"

    def __init__(self, config: PortalConfig, around: Surroundings) -> None:
        super().__init__(config, around)
        self.route("GET", "/", self.home, 0.6)
        self.route("GET", "/dichvucong/tracuu", self.search, 1.6)
        self.route("GET", "/dichvucong/thutuc/{}", self.procedure, 1.0)
        self.route("GET", f"{WIZARD}/chon-truong-hop", self.start, 1.0, stores=True)
        self.route("POST", f"{WIZARD}/chon-truong-hop", self.choose_case, 0.8, stores=True)
        for step, shown, taken in (
            ("nguoi-nop", self.applicant, self.take_applicant),
            ("ho-so", self.papers, self.take_papers),
            ("le-phi", self.fee, self.pay),
        ):
            self.route("GET", f"{WIZARD}/{step}", shown, 1.0)
            self.route("POST", f"{WIZARD}/{step}", taken, 1.5 if step == "ho-so" else 1.0, stores=True)
        self.route("GET", f"{WIZARD}/xac-nhan", self.confirmation, 1.0)
        self.route("POST", f"{WIZARD}/xac-nhan", self.submit, 2.0, stores=True)
        self.route("GET", f"{WIZARD}/ket-qua", self.result, 0.8)
        self.route("GET", self.return_path, self.paid, 0.8)
        self.route("GET", "/dichvucong/tracuuhoso", self.track, 0.8)
        self.route("GET", "/dich-vu-cong/ho-so/{}", self.own, 0.8)
        self.route("POST", "/dich-vu-cong/ho-so/{}/rut", self.withdraw, 1.0, stores=True)

    async def home(self, request: Request) -> Answer:
        """The search box."""
        return self.own_page("home", request)

    async def search(self, request: Request) -> Answer:
        """A page of results."""
        keyword, number = request.query.get("tukhoa", ""), whole(request.query.get("trang"), 1) or 1
        found, total = self.procedures.search(keyword, number, PER_PAGE)
        return self.own_page(
            "results", request, big=True, keyword=keyword, found=found, total=total, number=number, pages=-(-total // PER_PAGE)
        )

    async def procedure(self, request: Request) -> Answer:
        """One procedure."""
        procedure = self.procedures.by("id", whole(request.parts[0], 0))
        return self.own_page("procedure", request, big=True, procedure=procedure) if procedure else await self.not_found(request)

    async def start(self, request: Request) -> Answer:
        """A new filing (``ma-thu-tuc``), sent on to itself with its ``sid``; or the choice of the case (``sid``)."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        if "sid" in request.query:
            return self.shown("case", request, cases=CASES)
        procedure = self.procedures.by("code", request.query.get("ma-thu-tuc", ""))
        if procedure is None:
            return self.notice("Thủ tục không hợp lệ", session=session)
        sid = secrets.token_hex(8)
        session.data[sid] = Wizard(self.desk.open_draft(citizen.number, procedure.id), new_token())
        return redirect(at("chon-truong-hop", sid))

    async def choose_case(self, request: Request) -> Answer:
        """The case posted."""
        taken = self.taken(request, "nguoi-nop")
        if isinstance(taken, Answer):
            return taken
        sid, wizard = taken
        if request.form.get("truong_hop") not in CASES:
            return self.shown("case", request, cases=CASES, error="Trường hợp không hợp lệ")
        wizard.case = request.form.get("truong_hop")
        return onward(wizard, "nguoi-nop", sid)

    async def applicant(self, request: Request) -> Answer:
        """The applicant's form."""
        return self.shown("applicant", request, communes=COMMUNES, given={})

    async def take_applicant(self, request: Request) -> Answer:
        """The applicant posted."""
        taken = self.taken(request, "ho-so")
        if isinstance(taken, Answer):
            return taken
        sid, wizard = taken
        applicant = {ours: request.form.get(theirs) for ours, theirs in _APPLICANT.items()}
        if errors := applicant_errors(applicant):
            given = {theirs: applicant[ours] for ours, theirs in _APPLICANT.items()}
            return self.shown("applicant", request, communes=COMMUNES, given=given, error="; ".join(errors))
        self.desk.fill_in(wizard.draft.id, applicant=applicant)
        return onward(wizard, "ho-so", sid)

    async def papers(self, request: Request) -> Answer:
        """The papers' form."""
        return self.shown("papers", request)

    async def take_papers(self, request: Request) -> Answer:
        """The papers posted: multipart with repeated ``files[]``."""
        taken = self.taken(request, "le-phi")
        if isinstance(taken, Answer):
            return taken
        sid, wizard = taken
        uploads = [item for item in request.form.files.get("files[]", []) if item.content]
        error = "" if request.form.get("noi_dung") else "Nội dung không hợp lệ"
        error = error or next((text for item in uploads if (text := upload_error(item))), "" if uploads else upload_error(None))
        if error:
            return self.shown("papers", request, error=error)
        self.desk.fill_in(wizard.draft.id, details={"noiDung": request.form.get("noi_dung"), "truongHop": wizard.case})
        for item in uploads:
            self.desk.attach(wizard.draft.id, item)
        return onward(wizard, "le-phi", sid)

    async def fee(self, request: Request) -> Answer:
        """What is to be paid; what costs nothing or is paid goes on to the confirmation by a link."""
        found = self.wizard(request)
        if isinstance(found, Answer):
            return found
        state = payment_state(self.desk.payments_of_draft(found[1].draft.id))
        return self.shown("fee", request, state=state, state_vi=PAYMENT_VI[state])

    async def pay(self, request: Request) -> Answer:
        """Begins the payment; the browser is sent to the gateway by a script."""
        taken = self.taken(request, "le-phi")
        if isinstance(taken, Answer):
            return taken
        sid, wizard = taken
        procedure = self.procedure_of(wizard)
        draft = self.desk.draft(wizard.draft.id, wizard.draft.owner)
        if draft is None or not procedure.fee or draft.paid:
            return self.shown("fee", request, state="paid", state_vi=PAYMENT_VI["paid"], error="Yêu cầu thanh toán không hợp lệ")
        url = await self.begin_payment(draft, draft.id, procedure)
        if url is None:
            return self.notice("Không khởi tạo được giao dịch thanh toán")
        self.session_data(request)["paying"] = sid
        return by_script("Đang chuyển đến cổng thanh toán", url)

    async def paid(self, request: Request) -> Answer:
        """Back from the gateway: on to the fee step of the filing that was being paid, by meta refresh."""
        payment = self.desk.payment(request.query.get("transaction_id", ""))
        sid = str(self.session_data(request).get("paying", ""))
        if payment is None or not sid:
            return self.notice("Không tìm thấy giao dịch")
        return by_meta(f"{PAYMENT_VI[payment.status]}, đang quay lại hồ sơ", at("le-phi", sid))

    async def confirmation(self, request: Request) -> Answer:
        """Everything once more, and the box to tick."""
        found = self.wizard(request)
        if isinstance(found, Answer):
            return found
        draft = self.desk.draft(found[1].draft.id, found[1].draft.owner)
        return self.shown("confirm", request, draft=draft, files=self.desk.files(found[1].draft.id))

    async def submit(self, request: Request) -> Answer:
        """The confirmation posted; the result follows by meta refresh."""
        self.expire(request)
        taken = self.taken(request, "ket-qua", last=True)
        if isinstance(taken, Answer):
            return taken
        sid, wizard = taken
        draft, procedure = self.desk.draft(wizard.draft.id, wizard.draft.owner), self.procedure_of(wizard)
        error = "" if request.form.get("cam_ket") == "on" else "Chưa cam kết: hồ sơ không hợp lệ"
        if draft is None or not draft.applicant or not draft.details:
            error = "Hồ sơ không hợp lệ: thiếu thông tin"
        elif procedure.fee and not draft.paid:
            error = "Hồ sơ không hợp lệ: chưa thanh toán lệ phí"
        if error or draft is None:
            return self.shown("confirm", request, draft=draft, files=self.desk.files(wizard.draft.id), error=error)
        if self.has_fault("rejected_200", request.number):
            return self.notice("Hồ sơ không hợp lệ, hệ thống từ chối tiếp nhận")
        wizard.code = self.receive(draft, procedure.fee, request.number)
        return by_meta("Đang tiếp nhận hồ sơ", at("ket-qua", sid))

    async def result(self, request: Request) -> Answer:
        """The dossier's code."""
        found = self.wizard(request)
        if isinstance(found, Answer):
            return found
        return self.shown("result", request, code=found[1].code) if found[1].code else self.notice("Không tìm thấy hồ sơ")

    async def track(self, request: Request) -> Answer:
        """The state of a dossier by its code (``mahoso``), for everybody."""
        code = request.query.get("mahoso", "").strip()
        dossier = self.desk.dossier(code) if code else None
        state = PAYMENT_VI[payment_state(self.desk.payments_of_draft(dossier.draft))] if dossier else ""
        return self.own_page("track", request, code=code, dossier=dossier, payment_vi=state)

    async def own(self, request: Request) -> Answer:
        """A dossier of one's own."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        dossier = self.own_dossier(request.parts[0], citizen)
        if dossier is None:
            return self.notice("Không tìm thấy hồ sơ", session=session)
        return self.own_page("own", request, dossier=dossier, token=session.token)

    async def withdraw(self, request: Request) -> Answer:
        """The owner takes a dossier back."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        dossier = self.own_dossier(request.parts[0], citizen)
        right = self.token_holds(request.form.get("_token"), session.token, request.number)
        if dossier is None or not right or not request.form.get("ly_do"):
            return self.notice("Yêu cầu rút hồ sơ không hợp lệ", session=session)
        self.desk.withdraw(dossier)
        return redirect(f"/dichvucong/tracuuhoso?{urlencode({'mahoso': dossier.code})}")
