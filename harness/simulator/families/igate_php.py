"""Older PHP iGate: a server-rendered wizard, ``sid`` on every step, redirects by meta refresh and script, the fee before the submission."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from harness.simulator.configuration import PortalConfig
from harness.simulator.cookie_portal import CookiePortal
from harness.simulator.desk import Draft
from harness.simulator.portal import COMMUNES, PAYMENT_VI, Surroundings, applicant_errors, payment_state, upload_error
from harness.simulator.procedures import Procedure
from harness.simulator.sessions import Citizen, Session
from harness.simulator.wire import Answer, Request, html, redirect, whole

WIZARD = "/dich-vu-cong/tiep-nhan-online"
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


@dataclass(slots=True)
class _Wizard:
    """One filing in progress: its draft, its chosen case, and the token of the step that is shown."""

    draft: Draft
    token: str
    case: str = ""
    code: str = ""


class IgatePhp(CookiePortal):
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
        return self._page("home", request)

    async def search(self, request: Request) -> Answer:
        """A page of results."""
        keyword, number = request.query.get("tukhoa", ""), whole(request.query.get("trang"), 1) or 1
        found, total = self.procedures.search(keyword, number, PER_PAGE)
        return self._page(
            "results", request, big=True, keyword=keyword, found=found, total=total, number=number, pages=-(-total // PER_PAGE)
        )

    async def procedure(self, request: Request) -> Answer:
        """One procedure."""
        procedure = self.procedures.by("id", whole(request.parts[0], 0))
        return self._page("procedure", request, big=True, procedure=procedure) if procedure else await self.not_found(request)

    async def start(self, request: Request) -> Answer:
        """A new filing (``ma-thu-tuc``), sent on to itself with its ``sid``; or the choice of the case (``sid``)."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        if "sid" in request.query:
            return self._shown("case", request, cases=CASES)
        procedure = self.procedures.by("code", request.query.get("ma-thu-tuc", ""))
        if procedure is None:
            return self.notice("Thủ tục không hợp lệ", session=session)
        sid = secrets.token_hex(8)
        session.data[sid] = _Wizard(self.desk.open_draft(citizen.number, procedure.id), _token())
        return redirect(_at("chon-truong-hop", sid))

    async def choose_case(self, request: Request) -> Answer:
        """The case posted."""
        taken = self._taken(request, "nguoi-nop")
        if isinstance(taken, Answer):
            return taken
        sid, wizard = taken
        if request.form.get("truong_hop") not in CASES:
            return self._shown("case", request, cases=CASES, error="Trường hợp không hợp lệ")
        wizard.case = request.form.get("truong_hop")
        return _onward(wizard, "nguoi-nop", sid)

    async def applicant(self, request: Request) -> Answer:
        """The applicant's form."""
        return self._shown("applicant", request, communes=COMMUNES, given={})

    async def take_applicant(self, request: Request) -> Answer:
        """The applicant posted."""
        taken = self._taken(request, "ho-so")
        if isinstance(taken, Answer):
            return taken
        sid, wizard = taken
        applicant = {ours: request.form.get(theirs) for ours, theirs in _APPLICANT.items()}
        if errors := applicant_errors(applicant):
            given = {theirs: applicant[ours] for ours, theirs in _APPLICANT.items()}
            return self._shown("applicant", request, communes=COMMUNES, given=given, error="; ".join(errors))
        self.desk.fill_in(wizard.draft.id, applicant=applicant)
        return _onward(wizard, "ho-so", sid)

    async def papers(self, request: Request) -> Answer:
        """The papers' form."""
        return self._shown("papers", request)

    async def take_papers(self, request: Request) -> Answer:
        """The papers posted: multipart with repeated ``files[]``."""
        taken = self._taken(request, "le-phi")
        if isinstance(taken, Answer):
            return taken
        sid, wizard = taken
        uploads = [item for item in request.form.files.get("files[]", []) if item.content]
        error = "" if request.form.get("noi_dung") else "Nội dung không hợp lệ"
        error = error or next((text for item in uploads if (text := upload_error(item))), "" if uploads else upload_error(None))
        if error:
            return self._shown("papers", request, error=error)
        self.desk.fill_in(wizard.draft.id, details={"noiDung": request.form.get("noi_dung"), "truongHop": wizard.case})
        for item in uploads:
            self.desk.attach(wizard.draft.id, item)
        return _onward(wizard, "le-phi", sid)

    async def fee(self, request: Request) -> Answer:
        """What is to be paid; what costs nothing or is paid goes on to the confirmation by a link."""
        found = self._wizard(request)
        if isinstance(found, Answer):
            return found
        state = payment_state(self.desk.payments_of_draft(found[1].draft.id))
        return self._shown("fee", request, state=state, state_vi=PAYMENT_VI[state])

    async def pay(self, request: Request) -> Answer:
        """Begins the payment; the browser is sent to the gateway by a script."""
        taken = self._taken(request, "le-phi")
        if isinstance(taken, Answer):
            return taken
        sid, wizard = taken
        procedure = self._procedure_of(wizard)
        draft = self.desk.draft(wizard.draft.id, wizard.draft.owner)
        if draft is None or not procedure.fee or draft.paid:
            return self._shown("fee", request, state="paid", state_vi=PAYMENT_VI["paid"], error="Yêu cầu thanh toán không hợp lệ")
        url = await self.begin_payment(draft, draft.id, procedure)
        if url is None:
            return self.notice("Không khởi tạo được giao dịch thanh toán")
        self._session_data(request)["paying"] = sid
        return _by_script("Đang chuyển đến cổng thanh toán", url)

    async def paid(self, request: Request) -> Answer:
        """Back from the gateway: on to the fee step of the filing that was being paid, by meta refresh."""
        payment = self.desk.payment(request.query.get("transaction_id", ""))
        sid = str(self._session_data(request).get("paying", ""))
        if payment is None or not sid:
            return self.notice("Không tìm thấy giao dịch")
        return _by_meta(f"{PAYMENT_VI[payment.status]}, đang quay lại hồ sơ", _at("le-phi", sid))

    async def confirmation(self, request: Request) -> Answer:
        """Everything once more, and the box to tick."""
        found = self._wizard(request)
        if isinstance(found, Answer):
            return found
        draft = self.desk.draft(found[1].draft.id, found[1].draft.owner)
        return self._shown("confirm", request, draft=draft, files=self.desk.files(found[1].draft.id))

    async def submit(self, request: Request) -> Answer:
        """The confirmation posted; the result follows by meta refresh."""
        self.expire(request)
        taken = self._taken(request, "ket-qua", last=True)
        if isinstance(taken, Answer):
            return taken
        sid, wizard = taken
        draft, procedure = self.desk.draft(wizard.draft.id, wizard.draft.owner), self._procedure_of(wizard)
        error = "" if request.form.get("cam_ket") == "on" else "Chưa cam kết: hồ sơ không hợp lệ"
        if draft is None or not draft.applicant or not draft.details:
            error = "Hồ sơ không hợp lệ: thiếu thông tin"
        elif procedure.fee and not draft.paid:
            error = "Hồ sơ không hợp lệ: chưa thanh toán lệ phí"
        if error or draft is None:
            return self._shown("confirm", request, draft=draft, files=self.desk.files(wizard.draft.id), error=error)
        if self.has_fault("rejected_200", request.number):
            return self.notice("Hồ sơ không hợp lệ, hệ thống từ chối tiếp nhận")
        wizard.code = self.receive(draft, procedure.fee, request.number)
        return _by_meta("Đang tiếp nhận hồ sơ", _at("ket-qua", sid))

    async def result(self, request: Request) -> Answer:
        """The dossier's code."""
        found = self._wizard(request)
        if isinstance(found, Answer):
            return found
        return self._shown("result", request, code=found[1].code) if found[1].code else self.notice("Không tìm thấy hồ sơ")

    async def track(self, request: Request) -> Answer:
        """The state of a dossier by its code (``mahoso``), for everybody."""
        code = request.query.get("mahoso", "").strip()
        dossier = self.desk.dossier(code) if code else None
        state = PAYMENT_VI[payment_state(self.desk.payments_of_draft(dossier.draft))] if dossier else ""
        return self._page("track", request, code=code, dossier=dossier, payment_vi=state)

    async def own(self, request: Request) -> Answer:
        """A dossier of one's own."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        session, citizen = member
        dossier = self.own_dossier(request.parts[0], citizen)
        if dossier is None:
            return self.notice("Không tìm thấy hồ sơ", session=session)
        return self._page("own", request, dossier=dossier, token=session.token)

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

    def notice(self, text: str, *, session: Session | None = None, status: int = 200) -> Answer:
        """The habit here: a box, and the same text in an alert."""
        return self.page("igate-php/notice.html", status=status, session=session, text=text, alert=_script_text(text))

    def _page(self, name: str, request: Request, *, big: bool = False, **values: Any) -> Answer:
        return self.page(f"igate-php/{name}.html", big=big, session=self.session(request), **values)

    def _session_data(self, request: Request) -> dict[str, Any]:
        session = self.session(request)
        return session.data if session else {}

    def _procedure_of(self, wizard: _Wizard) -> Procedure:
        procedure = self.procedures.by("id", wizard.draft.procedure)
        assert procedure is not None  # a draft is opened for a procedure that is there
        return procedure

    def _wizard(self, request: Request) -> tuple[str, _Wizard, Citizen] | Answer:
        member = self.member(request)
        if member is None:
            return _by_script("Hết phiên làm việc, vui lòng đăng nhập lại", f"{self.start_path}?{urlencode({self.back_field: '/'})}")
        sid = request.query.get("sid", "")
        wizard = member[0].data.get(sid)
        if not isinstance(wizard, _Wizard):
            return self.notice("Phiên nộp hồ sơ (sid) không hợp lệ", session=member[0])
        return sid, wizard, member[1]

    def _taken(self, request: Request, then: str, *, last: bool = False) -> tuple[str, _Wizard] | Answer:
        """The filing that a posted step belongs to. The habit here: a wrong token silently starts the filing again."""
        found = self._wizard(request)
        if isinstance(found, Answer):
            return found
        sid, wizard, _ = found
        if request.form.get("sid") != sid or not self.token_holds(request.form.get("_token"), wizard.token, request.number, last=last):
            if self.has_fault("csrf_same_302", request.number):
                return _by_meta("Đang tiếp nhận hồ sơ", _at(then, sid)) if last else redirect(_at(then, sid))
            return redirect(_at("chon-truong-hop", sid))
        return sid, wizard

    def _shown(self, step: str, request: Request, *, error: str = "", **values: Any) -> Answer:
        found = self._wizard(request)
        if isinstance(found, Answer):
            return found
        sid, wizard, citizen = found
        procedure = self._procedure_of(wizard)
        return self._page(
            step,
            request,
            sid=sid,
            token=wizard.token,
            citizen=citizen,
            procedure=procedure,
            error=error,
            alert=_script_text(error),
            **values,
        )


def _token() -> str:
    return secrets.token_hex(20)


def _at(step: str, sid: str) -> str:
    return f"{WIZARD}/{step}?sid={sid}"


def _onward(wizard: _Wizard, step: str, sid: str) -> Answer:
    wizard.token = _token()  # each step has a token of its own
    return redirect(_at(step, sid))


def _by_meta(text: str, url: str) -> Answer:
    return html(
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={url}"></head><body><p>{text}…</p></body></html>'
    )


def _by_script(text: str, url: str) -> Answer:
    return html(
        f"<!DOCTYPE html><html><head><meta charset=\"utf-8\"></head><body><p>{text}</p><script>window.location.href = '{url}';</script></body></html>"
    )


def _script_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")
