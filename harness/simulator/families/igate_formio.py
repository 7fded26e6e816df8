"""Form.io iGate: a JSON API behind the shell of a single-page app, bearer tokens that expire, the fee before the submission."""

from __future__ import annotations

import secrets
from typing import Any

from harness.simulator.applicant_form import COMMUNES, applicant_errors, content_errors, field_names, upload_errors
from harness.simulator.bearer_portal import BearerPortal
from harness.simulator.configuration import PortalConfig
from harness.simulator.dossier_store import Dossier, Draft
from harness.simulator.http_messages import Answer, EarlyAnswer, ReceivedRequest, json_answer, whole_number
from harness.simulator.pages import filler
from harness.simulator.portal import PAYMENT_VI, REJECTED, SharedServices
from harness.simulator.procedures import Procedure

_APPLICANT = field_names("fullname", "identityNumber", "birthday", "phoneNumber", "email", "address", "village")


class IgateFormio(BearerPortal):
    """Every page is the same shell; its script calls the API under /api."""

    start_path = "/vi/sso/login"
    token_path = "/api/oidc/token"  # noqa: S105  (an address)
    login_path = "/vi/sso/callback"
    return_path = "/vi/padsvc/payment-result"

    def __init__(self, config: PortalConfig, shared: SharedServices) -> None:
        super().__init__(config, shared)
        for path in (
            "/",
            "/vi",
            "/vi/procedure/search",
            "/vi/procedure/detail/{}",
            "/vi/padsvc/apply-online/{}",
            "/vi/padsvc/result/{}",
            "/vi/dossier/search",
            self.login_path,
            self.return_path,
        ):
            self.route("GET", path, self.shell, 0.4)
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

    async def shell(self, request: ReceivedRequest) -> Answer:
        """The page that loads the app; it is empty without JavaScript."""
        return self.render_page("igate-formio.html")

    async def search(self, request: ReceivedRequest) -> Answer:
        """A page of procedures, Spring style."""
        page = whole_number(request.query.get("page"), 0)
        size = min(whole_number(request.query.get("size"), 10) or 10, 50)
        found, total = self.procedures.search(request.query.get("keyword", ""), page + 1, size)
        note = filler(self.personality.page_bytes // max(len(found), 1) - 250)
        pages, content = -(-total // size), [_procedure(item, note) for item in found]
        position = {"totalElements": total, "totalPages": pages, "number": page, "size": size, "last": page + 1 >= pages}
        return json_answer({"content": content, **position})

    async def procedure(self, request: ReceivedRequest) -> Answer:
        """One procedure with its components and the number of its form."""
        found = self.procedures.by("hex24", request.parts[0])
        if found is None:
            return _missing()
        papers = enumerate(found.papers)
        components = [{"id": f"{found.hex24[:20]}{index:04x}", "name": name, "required": index == 0} for index, name in papers]
        detail = _procedure(found, filler(self.personality.page_bytes - 900))
        return json_answer(detail | {"components": components, "eForm": {"id": found.hex24}})

    async def form(self, request: ReceivedRequest) -> Answer:
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

    async def create(self, request: ReceivedRequest) -> Answer:
        """``{"procedureId", "data": {…}}``: a new draft; answers its id."""
        _, citizen = self.require_login(request)
        procedure = self.procedures.by("hex24", str(request.json.get("procedureId")))
        data = request.json.get("data")
        if procedure is None or not isinstance(data, dict):
            return _refused("Dữ liệu hồ sơ không hợp lệ")
        applicant = {key: str(data.get(name, "")) for key, name in _APPLICANT.items()}
        if errors := applicant_errors(applicant) + content_errors(data.get("content")):
            return _refused("; ".join(errors))
        draft = self.store.open_draft(citizen.number, procedure.id)
        self.store.fill_in(draft.id, applicant=applicant, details={"noiDung": data["content"]})
        return json_answer({"id": draft.id, "affectedRows": 1}, 201)

    async def upload(self, request: ReceivedRequest) -> Answer:
        """Multipart with repeated ``files``, and ``dossierId``; answers a list of ids."""
        _, citizen = self.require_login(request)
        draft = self.store.draft(request.form.get("dossierId"), citizen.number)
        uploads = request.form.files.get("files", [])
        if draft is None or not uploads:
            return _refused("Tệp không hợp lệ: thiếu hồ sơ hoặc tệp")
        if errors := [error for item in uploads for error in upload_errors(item)]:
            return _refused(errors[0])
        return json_answer(
            [{"id": f"{self.store.attach(draft.id, item):024x}", "filename": item.name, "size": len(item.content)} for item in uploads]
        )

    async def components(self, request: ReceivedRequest) -> Answer:
        """``{"components": [{"id", "quantity", "file": [{"id"}]}]}``: which file is which paper."""
        draft = self._draft(request)
        known = {f"{number:024x}" for number, _, _ in self.store.files(draft.id)}
        given = request.json.get("components")
        try:
            named = {item["id"] for component in given or () for item in component["file"]}
        except (TypeError, KeyError):
            named = set()
        if not named or not named <= known:
            return _refused("Thành phần hồ sơ không hợp lệ")
        self.store.fill_in(draft.id, details=draft.details | {"components": given})
        return json_answer({"affectedRows": 1})

    async def fee(self, request: ReceivedRequest) -> Answer:
        """The amount to pay before the submission."""
        draft = self._draft(request)
        amount = self.procedure_of(draft).fee
        fees = [{"name": "Lệ phí", "quantity": 1, "amount": amount}] if amount else []
        return json_answer({"fees": fees, "total": amount, "paid": draft.paid})

    async def pay(self, request: ReceivedRequest) -> Answer:
        """Begins a payment; answers ``paymentUrl``."""
        draft = self._draft(request)
        if not self.owes_fee(draft):
            return _refused("Yêu cầu thanh toán không hợp lệ")
        url = await self.begin_payment(draft, draft.id)
        return json_answer({"affectedRows": 1, "paymentUrl": url}) if url else _refused("Cổng thanh toán từ chối: yêu cầu không hợp lệ")

    async def payment(self, request: ReceivedRequest) -> Answer:
        """The state of the payment, as the callback reported it; the app asks again while it is ``created``."""
        draft = self._draft(request)
        state = self.store.payment_state(draft.id)
        return json_answer({"status": state, "statusName": PAYMENT_VI[state], "amount": self.procedure_of(draft).fee})

    async def captcha(self, request: ReceivedRequest) -> Answer:
        """The captcha exemption of test citizens; good for one submission of this draft."""
        session, _ = self.require_login(request)
        draft = self._draft(request)
        session.data[draft.id] = token = secrets.token_urlsafe(12)
        return json_answer({"required": False, "exemption": "test-citizen", "captchaToken": token})

    async def submit(self, request: ReceivedRequest) -> Answer:
        """``{"captchaToken", "delivery": {"type": "online"}}``: answers the dossier's code."""
        if self.has_fault("session_expires", request.number) and (lost := self.session(request)):
            self.end(lost)
        session, _ = self.require_login(request)
        draft = self._draft(request)
        right = str(session.data.pop(draft.id, ""))
        if not right or not self.token_is_valid(str(request.json.get("captchaToken")), right, request.number, last=True):
            if self.has_fault("csrf_same_302", request.number):
                return json_answer({"affectedRows": 1, "id": draft.id, "code": f"{self.config.agency_code}-000000-0000"})
            return _refused("Mã captcha không hợp lệ")
        delivery = request.json.get("delivery")
        if not isinstance(delivery, dict) or delivery.get("type") not in ("online", "post", "direct") or "components" not in draft.details:
            return _refused("Hồ sơ không hợp lệ: thiếu thành phần hoặc hình thức nhận kết quả")
        if self.owes_fee(draft):
            return _refused("Hồ sơ không hợp lệ: chưa thanh toán lệ phí")
        if self.has_fault("rejected_200", request.number):
            return _refused(REJECTED)
        return json_answer({"affectedRows": 1, "id": draft.id, "code": self.submit_draft(draft, request.number)})

    async def track(self, request: ReceivedRequest) -> Answer:
        """A dossier by its code, for anybody."""
        dossier = self.store.dossier(request.query.get("code", ""))
        return json_answer({"content": [self._row(dossier)] if dossier else [], "totalElements": int(dossier is not None)})

    async def own(self, request: ReceivedRequest) -> Answer:
        """A dossier by its id, for its owner."""
        draft = self._draft(request)
        dossier = self.store.dossier_of_draft(draft.id)
        return json_answer(self._row(dossier) if dossier else {"id": draft.id, "code": "", "status": {"id": 0, "name": "Chưa nộp"}})

    async def withdraw(self, request: ReceivedRequest) -> Answer:
        """``{"reason"}``: the owner withdraws the dossier."""
        dossier = self.store.dossier_of_draft(self._draft(request).id)
        if dossier is None or not request.json.get("reason"):
            return _refused("Yêu cầu rút hồ sơ không hợp lệ")
        self.store.withdraw(dossier)
        return json_answer({"affectedRows": 1})

    def _row(self, dossier: Dossier) -> dict[str, Any]:
        state = self.store.payment_state(dossier.draft)
        return {
            "id": dossier.draft,
            "code": dossier.code,
            "procedure": {"name": self.procedure_of(dossier).name},
            "status": {"id": 1 if dossier.status == "received" else 6, "name": dossier.status_vi},
            "payment": {"status": state, "name": PAYMENT_VI[state]},
        }

    def _draft(self, request: ReceivedRequest) -> Draft:
        """The citizen's own draft that the address names; EarlyAnswer where login or draft is missing."""
        _, citizen = self.require_login(request)
        draft = self.store.draft(request.parts[0], citizen.number)
        if draft is None:
            raise EarlyAnswer(_missing())
        return draft


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
    """HTTP 200 with a body that says that nothing was done."""
    return json_answer({"affectedRows": 0, "error": text})
