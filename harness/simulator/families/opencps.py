"""OpenCPS v2: REST under /o/rest/v2, the login in a cookie, the page's CSRF token in the header Token."""

from __future__ import annotations

import json
import secrets
from typing import Any

from harness.simulator.applicant_form import COMMUNES, applicant_errors, field_names, read_applicant, upload_errors
from harness.simulator.configuration import PortalConfig
from harness.simulator.cookie_portal import SESSION_LOST, CookiePortal
from harness.simulator.dossier_store import Draft
from harness.simulator.http_messages import Answer, EarlyAnswer, ReceivedRequest, json_answer, json_object, whole_number
from harness.simulator.pages import filler
from harness.simulator.portal import SharedServices
from harness.simulator.procedures import Procedure
from harness.simulator.sessions import BrowserSession, SyntheticCitizen

GROUP = "35166"
BASE = "/o/rest/v2"
PAYMENT_STATUS = {"none": 1, "created": 3, "failed": 4, "paid": 5}
_APPLICANT = field_names("applicantName", "applicantIdNo", "applicantIdDate", "contactTelNo", "contactEmail", "address", "wardName")


class OpenCps(CookiePortal):
    """One shell page that holds the token; everything else is JSON."""

    cookie = "JSESSIONID"
    start_path = "/c/portal/login"
    logout_path = "/c/portal/logout"
    login_path = "/c/portal/openid/callback"
    return_path = "/web/cong-dich-vu-cong/thanh-toan"

    def __init__(self, config: PortalConfig, shared: SharedServices) -> None:
        super().__init__(config, shared)
        self.route("GET", "/", self.shell, 0.6)
        self.route("GET", self.return_path, self.shell, 0.6)
        self.route("GET", f"{BASE}/serviceinfos", self.search, 1.6)
        self.route("GET", f"{BASE}/serviceinfos/{{}}", self.procedure, 1.0)
        self.route("GET", f"{BASE}/wards", self.wards, 0.3)
        self.route("POST", f"{BASE}/dossiers", self.create, 1.0, stores=True)
        self.route("POST", f"{BASE}/dossiers/{{}}/files", self.attach, 1.5, stores=True)
        self.route("PUT", f"{BASE}/dossiers/{{}}/files/{{}}/formdata", self.fill_in, 1.0, stores=True)
        self.route("POST", f"{BASE}/dossiers/{{}}/submit", self.submit, 2.0, stores=True)
        self.route("GET", f"{BASE}/dossiers/{{}}", self.dossier, 0.8)
        self.route("GET", f"{BASE}/dossiers/{{}}/payment", self.fee, 0.8)
        self.route("GET", f"{BASE}/dossiers/{{}}/payments/{{}}/epaymentprofile", self.pay, 1.2, stores=True)
        self.route("PUT", f"{BASE}/dossiers/{{}}/cancelling", self.withdraw, 1.0, stores=True)

    async def shell(self, request: ReceivedRequest) -> Answer:
        """The single page; its script holds ``Liferay.authToken`` and the group's number."""
        session = self.session(request) or self.sessions.open(self.personality.session_ttl_s)
        return self.render_page("opencps.html", session=session, group=GROUP).with_cookie(self.cookie, session.id)

    async def search(self, request: ReceivedRequest) -> Answer:
        """A page of services, ``start`` to ``end``."""
        _check_group(request)
        start, end = whole_number(request.query.get("start"), 0), whole_number(request.query.get("end"), 10)
        size = min(max(end - start, 1), 50)
        found, total = self.procedures.search(request.query.get("keyword", ""), start // size + 1, size)
        text = filler(self.personality.page_bytes // max(len(found), 1) - 250)
        return json_answer({"total": total, "data": [_service(procedure, text) for procedure in found]})

    async def procedure(self, request: ReceivedRequest) -> Answer:
        """One service by number or code."""
        _check_group(request)
        name = request.parts[0]
        procedure = self.procedures.by("id", whole_number(name, 0)) or self.procedures.by("code", name)
        if procedure is None:
            return _problem(404, "NoSuchServiceInfoException", "Không tìm thấy thủ tục")
        files = [{"fileTemplateNo": f"TP{index:02d}", "templateName": paper} for index, paper in enumerate(procedure.papers, 1)]
        detail = _service(procedure, filler(self.personality.page_bytes - 800))
        return json_answer(detail | {"fileTemplates": files, "serviceConfigs": [{"govAgencyCode": self.config.agency_code, "level": 4}]})

    async def wards(self, request: ReceivedRequest) -> Answer:
        """The communes that a dossier may name."""
        data = [{"itemCode": f"{index:05d}", "itemName": name} for index, name in enumerate(COMMUNES, 1)]
        return json_answer({"total": len(COMMUNES), "data": data})

    async def create(self, request: ReceivedRequest) -> Answer:
        """A dossier with its applicant, from a urlencoded form; answers its number."""
        _, citizen = self._checked(request)
        form = request.form
        procedure = self.procedures.by("code", form.get("serviceCode"))
        applicant = read_applicant(form, _APPLICANT)
        errors = applicant_errors(applicant)
        if procedure is None or form.get("govAgencyCode") != self.config.agency_code:
            errors.append("Dịch vụ hoặc cơ quan không hợp lệ")
        if errors or procedure is None:
            return _problem(409, "DossierInvalidException", "; ".join(errors))
        draft = self.store.open_draft(citizen.number, procedure.id, str(secrets.randbits(48)))
        self.store.fill_in(draft.id, applicant=applicant)
        details = {"serviceCode": procedure.code, "dossierStatus": "", "applicantName": applicant["hoTen"]}
        return json_answer({"dossierId": whole_number(draft.id, 0), "dossierNo": "", **details})

    async def attach(self, request: ReceivedRequest) -> Answer:
        """A file of a dossier (multipart: file, dossierPartNo); answers its reference."""
        draft = self._draft(request)
        upload = request.form.upload("file")
        if (errors := upload_errors(upload)) or upload is None:
            return _problem(409, "DossierFileInvalidException", errors[0])
        number = self.store.attach(draft.id, upload)
        details = {"dossierPartNo": request.form.get("dossierPartNo"), "fileSize": len(upload.content)}
        return json_answer({"dossierFileId": number, "referenceUid": f"{draft.id}-{number}", **details})

    async def fill_in(self, request: ReceivedRequest) -> Answer:
        """The electronic form of a file: field ``formdata`` holds JSON with ``noiDung``."""
        draft = self._draft(request)
        known = {f"{draft.id}-{number}" for number, _, _ in self.store.files(draft.id)}
        details = json_object(request.form.get("formdata"))
        if request.parts[1] not in known or not details.get("noiDung"):
            return _problem(409, "FormDataInvalidException", "Dữ liệu biểu mẫu không hợp lệ")
        self.store.fill_in(draft.id, details=details)
        return json_answer({"referenceUid": request.parts[1], "formData": json.dumps(details, ensure_ascii=False)})

    async def submit(self, request: ReceivedRequest) -> Answer:
        """Submits a dossier; the body is empty, the answer holds ``dossierNo``."""
        self.expire(request)
        try:
            draft = self._draft(request, last=True)
        except EarlyAnswer as early:
            if early.answer.status == 403 and self.has_fault("csrf_same_302", request.number):
                return _state(request.parts[0], f"{self.config.agency_code}-000000-0000", "new", "Đã tiếp nhận")
            raise
        if not draft.details or not self.store.files(draft.id):
            return _problem(409, "DossierInvalidException", "Hồ sơ không hợp lệ: thiếu thành phần")
        if self.has_fault("rejected_200", request.number):
            rejection = {"dossierStatus": "denied", "dossierNote": "Hồ sơ không hợp lệ, từ chối tiếp nhận"}
            return json_answer({"dossierId": whole_number(draft.id, 0), "dossierNo": "", **rejection})
        return _state(draft.id, self.submit_draft(draft, request.number), "new", "Đã tiếp nhận")

    async def dossier(self, request: ReceivedRequest) -> Answer:
        """A dossier by ``dossierNo``, for anybody; or by number, for its owner."""
        _check_group(request)
        dossier = self.store.dossier(request.parts[0])
        if dossier is None and (member := self.member(request)) and self.store.draft(request.parts[0], member[1].number):
            dossier = self.store.dossier_of_draft(request.parts[0])
            if dossier is None:
                return _state(request.parts[0], "", "", "Chưa nộp")
        if dossier is None:
            return _problem(404, "NoSuchDossierException", "Không tìm thấy hồ sơ")
        return json_answer({
            "dossierId": whole_number(dossier.draft, 0),
            "dossierNo": dossier.code,
            "serviceName": self.procedure_of(dossier).name,
            "dossierStatus": "new" if dossier.status == "received" else "cancelled",
            "dossierStatusText": dossier.status_vi,
            "paymentStatus": PAYMENT_STATUS[self.store.payment_state(dossier.draft)],
        })  # fmt: skip

    async def fee(self, request: ReceivedRequest) -> Answer:
        """The fee of a dossier and whether it is paid."""
        draft = self._draft(request)
        amount, status = self.procedure_of(draft).fee, PAYMENT_STATUS[self.store.payment_state(draft.id)]
        return json_answer({"referenceUid": f"PF{draft.id}", "paymentFee": "Lệ phí", "paymentAmount": amount, "paymentStatus": status})

    async def pay(self, request: ReceivedRequest) -> Answer:
        """Begins a payment for a submitted dossier; answers the gateway's address."""
        draft = self._draft(request)
        dossier = self.store.dossier_of_draft(draft.id)
        if dossier is None or not self.owes_fee(draft) or request.parts[1] != f"PF{draft.id}":
            return _problem(409, "PaymentInvalidException", "Yêu cầu thanh toán không hợp lệ")
        url = await self.begin_payment(draft, dossier.code)
        if url is None:
            return _problem(502, "PaygateException", "Cổng thanh toán từ chối")
        return json_answer({"referenceUid": f"PF{draft.id}", "paygate": {"url": url}})

    async def withdraw(self, request: ReceivedRequest) -> Answer:
        """The owner withdraws a submitted dossier (urlencoded ``stepNote``: why)."""
        draft = self._draft(request)
        dossier = self.store.dossier_of_draft(draft.id)
        if dossier is None or not request.form.get("stepNote"):
            return _problem(409, "CancellingInvalidException", "Yêu cầu rút hồ sơ không hợp lệ")
        self.store.withdraw(dossier)
        return _state(draft.id, dossier.code, "cancelled", "Đã rút hồ sơ")

    def notice(self, text: str, *, session: BrowserSession | None = None, status: int = 200) -> Answer:
        """JSON, also for a failed login."""
        return _problem(status, "LoginException", text)

    def _checked(self, request: ReceivedRequest, *, last: bool = False) -> tuple[BrowserSession, SyntheticCitizen]:
        """Session and citizen; EarlyAnswer where group, login or token is wrong."""
        _check_group(request)
        member = self.member(request)
        if member is None:
            raise EarlyAnswer(_problem(401, "UnauthenticationException", SESSION_LOST))
        if not self.token_is_valid(request.headers.get("token", ""), member[0].token, request.number, last=last):
            raise EarlyAnswer(_problem(403, "UnauthorizationException", "Token không hợp lệ"))
        return member

    def _draft(self, request: ReceivedRequest, *, last: bool = False) -> Draft:
        """The citizen's own draft that the address names; EarlyAnswer where there is none."""
        _, citizen = self._checked(request, last=last)
        draft = self.store.draft(request.parts[0], citizen.number)
        if draft is None:
            raise EarlyAnswer(_problem(404, "NoSuchDossierException", "Không tìm thấy hồ sơ"))
        return draft


def _check_group(request: ReceivedRequest) -> None:
    if request.headers.get("groupid") != GROUP:
        raise EarlyAnswer(_problem(400, "NoSuchGroupException", "groupId không hợp lệ"))


def _state(draft: str, code: str, status: str, text: str) -> Answer:
    return json_answer({"dossierId": whole_number(draft, 0), "dossierNo": code, "dossierStatus": status, "dossierStatusText": text})


def _service(procedure: Procedure, text: str) -> dict[str, Any]:
    return {
        "serviceInfoId": procedure.id,
        "serviceCode": procedure.code,
        "serviceName": procedure.name,
        "domainName": procedure.field,
        "durationCount": procedure.days,
        "fee": procedure.fee,
        "feeText": f"{procedure.fee} đồng" if procedure.fee else "Không",
        "processText": text,
    }


def _problem(status: int, exception: str, text: str) -> Answer:
    return json_answer({"exception": f"org.opencps.{exception}", "description": text}, status)
