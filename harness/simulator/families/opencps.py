"""OpenCPS v2: REST under /o/rest/v2, the login in a cookie, the CSRF token of the page in a header named Token."""

from __future__ import annotations

import json
import secrets
from typing import Any

from harness.simulator.configuration import PortalConfig
from harness.simulator.cookie_portal import CookiePortal
from harness.simulator.desk import Draft
from harness.simulator.pages import filler
from harness.simulator.portal import COMMUNES, Surroundings, applicant_errors, payment_state, upload_error
from harness.simulator.procedures import Procedure
from harness.simulator.sessions import Citizen, Session
from harness.simulator.wire import Answer, Request, json_answer, json_object, whole

GROUP = "35166"
BASE = "/o/rest/v2"
PAYMENT_STATUS = {"none": 1, "created": 3, "failed": 4, "paid": 5}
_APPLICANT = {
    "hoTen": "applicantName",
    "soDinhDanh": "applicantIdNo",
    "ngaySinh": "applicantIdDate",
    "dienThoai": "contactTelNo",
    "email": "contactEmail",
    "diaChi": "address",
    "xaPhuong": "wardName",
}


class OpenCps(CookiePortal):
    """One shell page that holds the token; everything else is JSON."""

    cookie = "JSESSIONID"
    start_path = "/c/portal/login"
    logout_path = "/c/portal/logout"
    login_path = "/c/portal/openid/callback"
    return_path = "/web/cong-dich-vu-cong/thanh-toan"

    def __init__(self, config: PortalConfig, around: Surroundings) -> None:
        super().__init__(config, around)
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

    async def shell(self, request: Request) -> Answer:
        """The single page; its script holds ``Liferay.authToken`` and the group's number."""
        session = self.session(request) or self.sessions.open(self.personality.session_ttl_s)
        return self.page("opencps.html", session=session, group=GROUP).with_cookie(self.cookie, session.id)

    async def search(self, request: Request) -> Answer:
        """A page of services, ``start`` to ``end``."""
        if wrong := _without_group(request):
            return wrong
        start, end = whole(request.query.get("start"), 0), whole(request.query.get("end"), 10)
        size = min(max(end - start, 1), 50)
        found, total = self.procedures.search(request.query.get("keyword", ""), start // size + 1, size)
        text = filler(self.personality.page_bytes // max(len(found), 1) - 250)
        return json_answer({"total": total, "data": [_service(procedure, text) for procedure in found]})

    async def procedure(self, request: Request) -> Answer:
        """One service by number or code."""
        if wrong := _without_group(request):
            return wrong
        procedure = self._procedure(request.parts[0])
        if procedure is None:
            return _problem(404, "NoSuchServiceInfoException", "Không tìm thấy thủ tục")
        files = [{"fileTemplateNo": f"TP{index:02d}", "templateName": name} for index, name in enumerate(procedure.papers, 1)]
        detail = _service(procedure, filler(self.personality.page_bytes - 800))
        return json_answer(detail | {"fileTemplates": files, "serviceConfigs": [{"govAgencyCode": self.config.agency_code, "level": 4}]})

    async def wards(self, request: Request) -> Answer:
        """The communes that a dossier may name."""
        return json_answer(
            {"total": len(COMMUNES), "data": [{"itemCode": f"{index:05d}", "itemName": name} for index, name in enumerate(COMMUNES, 1)]}
        )

    async def create(self, request: Request) -> Answer:
        """A dossier with its applicant, from a urlencoded form; answers its number."""
        entered = self._entered(request)
        if isinstance(entered, Answer):
            return entered
        _, citizen = entered
        form = request.form
        procedure = self.procedures.by("code", form.get("serviceCode"))
        applicant = {ours: form.get(theirs) for ours, theirs in _APPLICANT.items()}
        errors = applicant_errors(applicant)
        if procedure is None or form.get("govAgencyCode") != self.config.agency_code:
            errors.append("Dịch vụ hoặc cơ quan không hợp lệ")
        if errors or procedure is None:
            return _problem(409, "DossierInvalidException", "; ".join(errors))
        draft = self.desk.open_draft(citizen.number, procedure.id, str(secrets.randbits(48)))
        self.desk.fill_in(draft.id, applicant=applicant)
        return json_answer(
            {
                "dossierId": whole(draft.id, 0),
                "dossierNo": "",
                "serviceCode": procedure.code,
                "dossierStatus": "",
                "applicantName": applicant["hoTen"],
            }
        )

    async def attach(self, request: Request) -> Answer:
        """A file of a dossier (multipart: file, dossierPartNo); answers its reference."""
        found = self._found(request)
        if isinstance(found, Answer):
            return found
        upload = request.form.upload("file")
        if (error := upload_error(upload)) or upload is None:
            return _problem(409, "DossierFileInvalidException", error)
        number = self.desk.attach(found.id, upload)
        part = request.form.get("dossierPartNo")
        return json_answer(
            {"dossierFileId": number, "referenceUid": f"{found.id}-{number}", "dossierPartNo": part, "fileSize": len(upload.content)}
        )

    async def fill_in(self, request: Request) -> Answer:
        """The electronic form of a file: field ``formdata`` holds JSON with ``noiDung``."""
        found = self._found(request)
        if isinstance(found, Answer):
            return found
        known = {f"{found.id}-{number}" for number, _, _ in self.desk.files(found.id)}
        details = json_object(request.form.get("formdata"))
        if request.parts[1] not in known or not details.get("noiDung"):
            return _problem(409, "FormDataInvalidException", "Dữ liệu biểu mẫu không hợp lệ")
        self.desk.fill_in(found.id, details=details)
        return json_answer({"referenceUid": request.parts[1], "formData": json.dumps(details, ensure_ascii=False)})

    async def submit(self, request: Request) -> Answer:
        """Submits a dossier; the body is empty, the answer holds ``dossierNo``."""
        self.expire(request)
        found = self._found(request, last=True)
        if isinstance(found, Answer):
            if found.status == 403 and self.has_fault("csrf_same_302", request.number):
                return json_answer(self._submitted(request.parts[0], f"{self.config.agency_code}-000000-0000"))
            return found
        procedure = self.procedures.by("id", found.procedure)
        if procedure is None or not found.details or not self.desk.files(found.id):
            return _problem(409, "DossierInvalidException", "Hồ sơ không hợp lệ: thiếu thành phần")
        if self.has_fault("rejected_200", request.number):
            return json_answer(
                {
                    "dossierId": whole(found.id, 0),
                    "dossierNo": "",
                    "dossierStatus": "denied",
                    "dossierNote": "Hồ sơ không hợp lệ, từ chối tiếp nhận",
                }
            )
        return json_answer(self._submitted(found.id, self.receive(found, procedure.fee, request.number)))

    async def dossier(self, request: Request) -> Answer:
        """A dossier by ``dossierNo``, for everybody; or by number, for its owner."""
        if wrong := _without_group(request):
            return wrong
        dossier = self.desk.dossier(request.parts[0])
        if dossier is None and (member := self.member(request)) and self.desk.draft(request.parts[0], member[1].number):
            dossier = self.desk.dossier_of_draft(request.parts[0])
            if dossier is None:
                return json_answer(
                    {"dossierId": whole(request.parts[0], 0), "dossierNo": "", "dossierStatus": "", "dossierStatusText": "Chưa nộp"}
                )
        if dossier is None:
            return _problem(404, "NoSuchDossierException", "Không tìm thấy hồ sơ")
        procedure = self.procedures.by("id", dossier.procedure)
        return json_answer(
            {
                "dossierId": whole(dossier.draft, 0),
                "dossierNo": dossier.code,
                "serviceName": procedure.name if procedure else "",
                "dossierStatus": "new" if dossier.status == "received" else "cancelled",
                "dossierStatusText": dossier.status_vi,
                "paymentStatus": PAYMENT_STATUS[payment_state(self.desk.payments_of_draft(dossier.draft))],
            }
        )

    async def fee(self, request: Request) -> Answer:
        """What a dossier costs and whether it is paid."""
        found = self._found(request)
        if isinstance(found, Answer):
            return found
        procedure = self.procedures.by("id", found.procedure)
        amount = procedure.fee if procedure else 0
        status = PAYMENT_STATUS[payment_state(self.desk.payments_of_draft(found.id))]
        return json_answer({"referenceUid": f"PF{found.id}", "paymentFee": "Lệ phí", "paymentAmount": amount, "paymentStatus": status})

    async def pay(self, request: Request) -> Answer:
        """Begins a payment for a submitted dossier; answers where to pay."""
        found = self._found(request)
        if isinstance(found, Answer):
            return found
        procedure, dossier = self.procedures.by("id", found.procedure), self.desk.dossier_of_draft(found.id)
        if dossier is None or procedure is None or not procedure.fee or found.paid or request.parts[1] != f"PF{found.id}":
            return _problem(409, "PaymentInvalidException", "Yêu cầu thanh toán không hợp lệ")
        url = await self.begin_payment(found, dossier.code, procedure)
        return (
            json_answer({"referenceUid": f"PF{found.id}", "paygate": {"url": url}})
            if url
            else _problem(502, "PaygateException", "Cổng thanh toán từ chối")
        )

    async def withdraw(self, request: Request) -> Answer:
        """The owner takes a submitted dossier back (urlencoded ``stepNote``: why)."""
        found = self._found(request)
        if isinstance(found, Answer):
            return found
        dossier = self.desk.dossier_of_draft(found.id)
        if dossier is None or not request.form.get("stepNote"):
            return _problem(409, "CancellingInvalidException", "Yêu cầu rút hồ sơ không hợp lệ")
        self.desk.withdraw(dossier)
        return json_answer(
            {"dossierId": whole(found.id, 0), "dossierNo": dossier.code, "dossierStatus": "cancelled", "dossierStatusText": "Đã rút hồ sơ"}
        )

    def notice(self, text: str, *, session: Session | None = None, status: int = 200) -> Answer:
        """Also a failed login is told in JSON."""
        return _problem(status, "LoginException", text)

    def _entered(self, request: Request, *, last: bool = False) -> tuple[Session, Citizen] | Answer:
        if wrong := _without_group(request):
            return wrong
        member = self.member(request)
        if member is None:
            return _problem(401, "UnauthenticationException", "Hết phiên làm việc, vui lòng đăng nhập lại")
        if not self.token_holds(request.headers.get("token", ""), member[0].token, request.number, last=last):
            return _problem(403, "UnauthorizationException", "Token không hợp lệ")
        return member

    def _found(self, request: Request, *, last: bool = False) -> Draft | Answer:
        entered = self._entered(request, last=last)
        if isinstance(entered, Answer):
            return entered
        draft = self.desk.draft(request.parts[0], entered[1].number)
        return draft if draft is not None else _problem(404, "NoSuchDossierException", "Không tìm thấy hồ sơ")

    def _procedure(self, name: str) -> Procedure | None:
        return self.procedures.by("id", whole(name, 0)) or self.procedures.by("code", name)

    def _submitted(self, draft: str, code: str) -> dict[str, Any]:
        number = whole(draft, 0)
        return {"dossierId": number, "dossierNo": code, "dossierStatus": "new", "dossierStatusText": "Đã tiếp nhận"}


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


def _without_group(request: Request) -> Answer | None:
    return None if request.headers.get("groupid") == GROUP else _problem(400, "NoSuchGroupException", "groupId không hợp lệ")


def _problem(status: int, exception: str, text: str) -> Answer:
    return json_answer({"exception": f"org.opencps.{exception}", "description": text}, status)
