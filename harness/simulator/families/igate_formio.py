"""Form.io iGate: a JSON API behind the shell of a single-page app, bearer tokens that expire, the fee before the submission."""

from __future__ import annotations

import secrets
from typing import Any

from harness.simulator.bearer_portal import BearerPortal, unauthorised
from harness.simulator.configuration import PortalConfig
from harness.simulator.desk import Dossier, Draft
from harness.simulator.pages import filler
from harness.simulator.portal import COMMUNES, PAYMENT_VI, Surroundings, applicant_errors, payment_state, upload_error
from harness.simulator.procedures import Procedure
from harness.simulator.wire import Answer, Request, json_answer, whole

_APPLICANT = {
    "hoTen": "fullname",
    "soDinhDanh": "identityNumber",
    "ngaySinh": "birthday",
    "dienThoai": "phoneNumber",
    "email": "email",
    "diaChi": "address",
    "xaPhuong": "village",
}


class IgateFormio(BearerPortal):
    """Every page is the same shell; what a citizen does are calls below /api."""

    start_path = "/vi/sso/login"
    token_path = "/api/oidc/token"  # noqa: S105  (an address)
    login_path = "/vi/sso/callback"
    return_path = "/vi/padsvc/payment-result"

    def __init__(self, config: PortalConfig, around: Surroundings) -> None:
        super().__init__(config, around)
        for path in (
            "/",
            "/vi",
            "/vi/procedure/search",
            "/vi/procedure/detail/{}",
            "/vi/padsvc/apply-online/{}",
            "/vi/padsvc/result/{}",
            "/vi/dossier/search",
        ):
            self.route("GET", path, self.shell, 0.4)
        self.route("GET", self.login_path, self.shell, 0.4)
        self.route("GET", self.return_path, self.shell, 0.4)
        self.route("GET", "/api/basepad/procedure", self.search, 1.6)
        self.route("GET", "/api/basepad/procedure/{}", self.procedure, 1.0)
        self.route("GET", "/api/eform/form/{}", self.form, 0.8)
        self.route("POST", "/api/padman/dossier", self.create, 1.0, stores=True)
        self.route("POST", "/api/fileman/file/--multiple", self.upload, 1.5, stores=True)
        self.route("PUT", "/api/padman/dossier/{}/components", self.components, 1.0, stores=True)
        self.route("GET", "/api/padman/dossier/{}/fee", self.fee, 0.8)
        self.route("POST", "/api/padman/dossier/{}/payment", self.pay, 1.2, stores=True)
        self.route("GET", "/api/padman/dossier/{}/payment", self.payment, 0.5)
        self.route("GET", "/api/padman/dossier/{}/captcha", self.captcha, 0.3)
        self.route("PUT", "/api/padman/dossier/{}/--submit", self.submit, 2.0, stores=True)
        self.route("GET", "/api/padman/dossier/--by-code", self.track, 0.8)
        self.route("GET", "/api/padman/dossier/{}", self.own, 0.8)
        self.route("PUT", "/api/padman/dossier/{}/--withdraw", self.withdraw, 1.0, stores=True)

    async def shell(self, request: Request) -> Answer:
        """The page that the app lives in; without JavaScript there is nothing to see."""
        return self.page("igate-formio.html")

    async def search(self, request: Request) -> Answer:
        """A page of procedures, Spring style."""
        page = whole(request.query.get("page"), 0)
        size = min(whole(request.query.get("size"), 10) or 10, 50)
        found, total = self.procedures.search(request.query.get("keyword", ""), page + 1, size)
        note = filler(self.personality.page_bytes // max(len(found), 1) - 250)
        pages = -(-total // size)
        content = [_procedure(item, note) for item in found]
        return json_answer(
            {"content": content, "totalElements": total, "totalPages": pages, "number": page, "size": size, "last": page + 1 >= pages}
        )

    async def procedure(self, request: Request) -> Answer:
        """One procedure with its components and the number of its form."""
        found = self.procedures.by("hex24", request.parts[0])
        if found is None:
            return _missing()
        components = [
            {"id": f"{found.hex24[:20]}{index:04x}", "name": name, "required": index == 0} for index, name in enumerate(found.papers)
        ]
        return json_answer(
            _procedure(found, filler(self.personality.page_bytes - 900)) | {"components": components, "eForm": {"id": found.hex24}}
        )

    async def form(self, request: Request) -> Answer:
        """The Form.io definition of a procedure's form."""
        if self.procedures.by("hex24", request.parts[0]) is None:
            return _missing()
        fields: list[dict[str, Any]] = [
            {"type": "textfield", "key": key, "input": True, "label": key, "validate": {"required": key != "email"}}
            for key in _APPLICANT.values()
        ]
        fields[-1] |= {"type": "select", "data": {"values": [{"label": name, "value": name} for name in COMMUNES]}}
        fields.append({"type": "textarea", "key": "content", "input": True, "label": "Nội dung", "validate": {"required": True}})
        return json_answer({"_id": request.parts[0], "display": "form", "components": fields})

    async def create(self, request: Request) -> Answer:
        """``{"procedureId", "data": {…}}``: a dossier that is being filled in; answers its id."""
        citizen = self.citizen(request)
        if isinstance(citizen, Answer):
            return citizen
        procedure = self.procedures.by("hex24", str(request.json.get("procedureId")))
        data = request.json.get("data")
        if procedure is None or not isinstance(data, dict):
            return _refused("Dữ liệu hồ sơ không hợp lệ")
        applicant = {ours: str(data.get(theirs, "")) for ours, theirs in _APPLICANT.items()}
        errors = applicant_errors(applicant) + ([] if data.get("content") else ["Nội dung không hợp lệ"])
        if errors:
            return _refused("; ".join(errors))
        draft = self.desk.open_draft(citizen.number, procedure.id)
        self.desk.fill_in(draft.id, applicant=applicant, details={"noiDung": data["content"]})
        return json_answer({"id": draft.id, "affectedRows": 1}, 201)

    async def upload(self, request: Request) -> Answer:
        """Multipart with repeated ``files``, and ``dossierId``; answers a list of ids."""
        citizen = self.citizen(request)
        if isinstance(citizen, Answer):
            return citizen
        draft = self.desk.draft(request.form.get("dossierId"), citizen.number)
        uploads = request.form.files.get("files", [])
        if draft is None or not uploads:
            return _refused("Tệp không hợp lệ: thiếu hồ sơ hoặc tệp")
        if error := next((error for item in uploads if (error := upload_error(item))), ""):
            return _refused(error)
        return json_answer(
            [{"id": f"{self.desk.attach(draft.id, item):024x}", "filename": item.name, "size": len(item.content)} for item in uploads]
        )

    async def components(self, request: Request) -> Answer:
        """``{"components": [{"id", "quantity", "file": [{"id"}]}]}``: which file is which paper."""
        found = self._found(request)
        if isinstance(found, Answer):
            return found
        known = {f"{number:024x}" for number, _, _ in self.desk.files(found.id)}
        given = request.json.get("components")
        try:
            named = {item["id"] for component in given or () for item in component["file"]}
        except (TypeError, KeyError):
            named = set()
        if not named or not named <= known:
            return _refused("Thành phần hồ sơ không hợp lệ")
        self.desk.fill_in(found.id, details=found.details | {"components": given})
        return json_answer({"affectedRows": 1})

    async def fee(self, request: Request) -> Answer:
        """What is to be paid before the dossier can be submitted."""
        found = self._found(request)
        if isinstance(found, Answer):
            return found
        amount = self._fee_of(found)
        fees = [{"name": "Lệ phí", "quantity": 1, "amount": amount}] if amount else []
        return json_answer({"fees": fees, "total": amount, "paid": found.paid})

    async def pay(self, request: Request) -> Answer:
        """Begins a payment; answers ``paymentUrl``."""
        found = self._found(request)
        if isinstance(found, Answer):
            return found
        procedure = self.procedures.by("id", found.procedure)
        if procedure is None or not procedure.fee or found.paid:
            return _refused("Yêu cầu thanh toán không hợp lệ")
        url = await self.begin_payment(found, found.id, procedure)
        return json_answer({"affectedRows": 1, "paymentUrl": url}) if url else _refused("Cổng thanh toán từ chối: yêu cầu không hợp lệ")

    async def payment(self, request: Request) -> Answer:
        """How the payment stands, by the callback alone; the app asks again until it is no longer ``created``."""
        found = self._found(request)
        if isinstance(found, Answer):
            return found
        state = payment_state(self.desk.payments_of_draft(found.id))
        return json_answer({"status": state, "statusName": PAYMENT_VI[state], "amount": self._fee_of(found)})

    async def captcha(self, request: Request) -> Answer:
        """The exemption from the captcha that test citizens have; good for one submission of this dossier."""
        session = self.session(request)
        found = self._found(request)
        if isinstance(found, Answer) or session is None:
            return found if isinstance(found, Answer) else unauthorised("invalid_token", "Access token không hợp lệ")
        session.data[found.id] = token = secrets.token_urlsafe(12)
        return json_answer({"required": False, "exemption": "test-citizen", "captchaToken": token})

    async def submit(self, request: Request) -> Answer:
        """``{"captchaToken", "delivery": {"type": "online"}}``: the dossier gets its code."""
        session = self.session(request)
        if session is not None and self.has_fault("session_expires", request.number):
            self.forget(session)
        found = self._found(request)
        if isinstance(found, Answer) or session is None:
            return found if isinstance(found, Answer) else unauthorised("invalid_token", "Access token không hợp lệ")
        right = str(session.data.pop(found.id, ""))
        if not right or not self.token_holds(str(request.json.get("captchaToken")), right, request.number, last=True):
            if self.has_fault("csrf_same_302", request.number):
                return json_answer({"affectedRows": 1, "id": found.id, "code": f"{self.config.agency_code}-000000-0000"})
            return _refused("Mã captcha không hợp lệ")
        delivery = request.json.get("delivery")
        if not isinstance(delivery, dict) or delivery.get("type") not in ("online", "post", "direct") or "components" not in found.details:
            return _refused("Hồ sơ không hợp lệ: thiếu thành phần hoặc hình thức nhận kết quả")
        if self._fee_of(found) and not found.paid:
            return _refused("Hồ sơ không hợp lệ: chưa thanh toán lệ phí")
        if self.has_fault("rejected_200", request.number):
            return _refused("Hồ sơ không hợp lệ, hệ thống từ chối tiếp nhận")
        code = self.receive(found, self._fee_of(found), request.number)
        return json_answer({"affectedRows": 1, "id": found.id, "code": code})

    async def track(self, request: Request) -> Answer:
        """A dossier by its code, for everybody."""
        dossier = self.desk.dossier(request.query.get("code", ""))
        return json_answer({"content": [self._shown(dossier)] if dossier else [], "totalElements": int(dossier is not None)})

    async def own(self, request: Request) -> Answer:
        """A dossier by its id, for its owner."""
        found = self._found(request)
        if isinstance(found, Answer):
            return found
        dossier = self.desk.dossier_of_draft(found.id)
        return json_answer(self._shown(dossier) if dossier else {"id": found.id, "code": "", "status": {"id": 0, "name": "Chưa nộp"}})

    async def withdraw(self, request: Request) -> Answer:
        """``{"reason"}``: the owner takes the dossier back."""
        found = self._found(request)
        if isinstance(found, Answer):
            return found
        dossier = self.desk.dossier_of_draft(found.id)
        if dossier is None or not request.json.get("reason"):
            return _refused("Yêu cầu rút hồ sơ không hợp lệ")
        self.desk.withdraw(dossier)
        return json_answer({"affectedRows": 1})

    def _shown(self, dossier: Dossier) -> dict[str, Any]:
        procedure = self.procedures.by("id", dossier.procedure)
        state = payment_state(self.desk.payments_of_draft(dossier.draft))
        return {
            "id": dossier.draft,
            "code": dossier.code,
            "procedure": {"name": procedure.name if procedure else ""},
            "status": {"id": 1 if dossier.status == "received" else 6, "name": dossier.status_vi},
            "payment": {"status": state, "name": PAYMENT_VI[state]},
        }

    def _fee_of(self, draft: Draft) -> int:
        procedure = self.procedures.by("id", draft.procedure)
        return procedure.fee if procedure else 0

    def _found(self, request: Request) -> Draft | Answer:
        citizen = self.citizen(request)
        if isinstance(citizen, Answer):
            return citizen
        return self.desk.draft(request.parts[0], citizen.number) or _missing()


def _procedure(procedure: Procedure, note: str) -> dict[str, Any]:
    return {
        "id": procedure.hex24,
        "code": procedure.code,
        "name": procedure.name,
        "sector": {"name": procedure.field},
        "processingTime": procedure.days,
        "fee": procedure.fee,
        "description": note,
    }


def _missing() -> Answer:
    return json_answer({"status": 404, "error": "Not Found", "message": "Không tìm thấy"}, 404)


def _refused(text: str) -> Answer:
    """The habit here: HTTP 200, and a body that says that nothing was done."""
    return json_answer({"affectedRows": 0, "error": text})
