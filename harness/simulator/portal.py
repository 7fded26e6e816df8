"""What every family of portals shares: login at the identity provider, payment at the gateway, dossiers at the desk."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from harness.simulator.chance import Purpose
from harness.simulator.configuration import PortalConfig
from harness.simulator.desk import Desk, Dossier, Draft, Payment
from harness.simulator.gateway import CALLBACK_FIELDS, PAID, REQUEST_FIELDS, Gateway, Merchant, check_sum, is_signed
from harness.simulator.identity import Client, Identity, verified
from harness.simulator.origin import Origin
from harness.simulator.pages import render
from harness.simulator.procedures import Procedure, Procedures
from harness.simulator.sessions import Citizen
from harness.simulator.truth import TruthLog
from harness.simulator.wire import Answer, Request, Upload, html, json_answer

CALLBACK_PATH = "/thanh-toan/ket-qua-tu-cong"
FILE_LIMIT = 5 << 20
_FILE_MAGIC = (b"%PDF-", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"PK\x03\x04")
COMMUNES = ("Phường Thử Nghiệm 1", "Phường Thử Nghiệm 2", "Xã Thử Nghiệm 3", "Xã Thử Nghiệm 4")
_PHONE = re.compile(r"0\d{8,10}")
_NUMBER = re.compile(r"\d{9,12}")
_BIRTHDAY = re.compile(r"\d\d/\d\d/\d{4}")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What portals reach besides themselves."""

    seed: int
    database: sqlite3.Connection
    truth: TruthLog
    identity: Identity
    gateway: Gateway


@dataclass(frozen=True, slots=True)
class Login:
    """A login that has begun: what must come back from the identity provider."""

    state: str
    nonce: str
    url: str  # where the citizen is sent


class Portal(Origin):
    """An origin with procedures, a desk, a client registration at the identity provider and one at the gateway."""

    login_path = ""  # where the identity provider sends the citizen back to
    return_path = ""  # where the gateway sends the citizen back to

    def __init__(self, config: PortalConfig, around: Surroundings) -> None:
        super().__init__(config.id, config.personality, around.seed, around.truth)
        self.config = config
        self.around = around
        self.procedures = Procedures(around.database)
        self.desk = Desk(around.database, config.id, config.agency_code)
        self.client_id = f"cong-{config.id}"
        self._login_secret = _secret(around.seed, config.id, "login")
        self._payment_secret = _secret(around.seed, config.id, "payment")
        around.identity.clients[self.client_id] = Client(self.client_id, self._login_secret, lambda: self.url + self.login_path)
        around.gateway.merchants[self.client_id] = Merchant(
            self.client_id,
            self._payment_secret,
            call_back=lambda body: self.call("POST", CALLBACK_PATH, [(b"content-type", b"application/json")], body),
            fails=lambda number: self.draws.happens(self.personality.payment_failure_share, number, Purpose.PAYMENT),
            loses_callback=lambda number: self.has_fault("callback_lost", number),
        )
        self.route("POST", CALLBACK_PATH, self.take_callback, 0.5, stores=True)
        self.route("GET", "/theme/{}", self.asset, 0.05)

    def begin_login(self) -> Login:
        """A new login at the identity provider."""
        state, nonce = secrets.token_urlsafe(12), secrets.token_urlsafe(12)
        query = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": self.url + self.login_path, "scope": "openid",
            "acr_values": "LoA1", "state": state, "nonce": nonce,
        }  # fmt: skip
        return Login(state, nonce, f"{self.around.identity.url}/oauth2/authorize?{urlencode(query)}")

    async def complete_login(self, code: str, nonce: str) -> Citizen | None:
        """Who has logged in, by exchanging the code at the token endpoint; None if it is refused."""
        body = urlencode({"grant_type": "authorization_code", "code": code, "redirect_uri": self.url + self.login_path}).encode()
        credentials = base64.b64encode(f"{self.client_id}:{self._login_secret}".encode())
        headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"authorization", b"Basic " + credentials)]
        answer = await self.around.identity.call("POST", "/oauth2/token", headers, body)
        if answer.status != 200:
            return None
        claims = verified(str(json.loads(answer.body).get("id_token", "")), self._login_secret)
        if claims is None or claims.get("nonce") != nonce or claims.get("aud") != self.client_id:
            return None
        return Citizen(claims["sub"], claims["name"])

    async def begin_payment(self, draft: Draft, code: str, procedure: Procedure) -> str | None:
        """Where the citizen pays; None if the gateway refuses. ``code`` is the dossier's, or the draft's where the fee comes first."""
        identifier = self.desk.open_payment(code, draft.id, procedure.fee)
        order: dict[str, Any] = {
            "client_id": self.client_id,
            "transaction_id": identifier,
            "trans_amount": procedure.fee,
            "command": "PAY",
            "version": "3.0",
            "currency": "VND",
            "bill_info": {
                "MaHoSo": code,
                "MaTTHC": procedure.code,
                "TenTTHC": procedure.name,
                "PhiLePhi": [{"LoaiPhiLePhi": "1", "TenPhiLePhi": "Lệ phí", "SoTien": procedure.fee}],
            },
            "return_url": self.url + self.return_path,
            "addition_fee": 0,
        }
        order["check_sum"] = check_sum(order, REQUEST_FIELDS, self._payment_secret)
        answer = await self.around.gateway.call(
            "POST", "/api/transactions", [(b"content-type", b"application/json")], json.dumps(order).encode()
        )
        if answer.status != 200:
            return None
        url = json.loads(answer.body).get("payment_url")
        return str(url) if url else None

    async def take_callback(self, request: Request) -> Answer:
        """The gateway's word on a payment: stored if its check sum holds."""
        fields = request.json
        if not is_signed(fields, CALLBACK_FIELDS, self._payment_secret):
            return json_answer({"return_code": "97", "return_msg": "Chữ ký không hợp lệ"})
        payment = self.desk.payment(str(fields.get("transaction_id")))
        if payment is None:
            return json_answer({"return_code": "01", "return_msg": "Không tìm thấy giao dịch"})
        self.desk.settle(payment, paid=str(fields.get("status")) == PAID)
        return json_answer({"return_code": "00", "return_msg": "Thành công"})

    def refusal(self, request: Request) -> Answer | None:
        """Everybody is refused but the gateway, which comes from another network."""
        return None if request.path == CALLBACK_PATH and request.method == "POST" else super().refusal(request)

    def receive(self, draft: Draft, fee: int, number: int) -> str:
        """Submit a draft; answers the dossier's code, faults considered."""
        return self.desk.submit(draft, fee, collide=self.has_fault("colliding_codes", number), forget=self.has_fault("not_stored", number))

    def own_dossier(self, code: str, citizen: Citizen) -> Dossier | None:
        """The dossier with this code, if it is this citizen's."""
        dossier = self.desk.dossier(code)
        return dossier if dossier is not None and dossier.owner == citizen.number else None

    def token_holds(self, given: str, right: str, number: int, *, last: bool = False) -> bool:
        """Whether a CSRF token is the right one; ``last``: at the submission, where it may have become stale by a fault."""
        return hmac.compare_digest(given.encode(), right.encode()) and not (last and self.has_fault("stale_csrf", number))

    def page(self, template: str, *, big: bool = False, status: int = 200, **values: Any) -> Answer:
        """A page of this portal's size."""
        least = self.personality.page_bytes if big else self.personality.page_bytes // 3
        return html(render(template, least, portal_name=self.config.name_vi, **values), status)

    async def asset(self, request: Request) -> Answer:
        """Style sheet, script and emblem: cacheable, with an ETag."""
        found = _ASSETS.get(request.parts[0])
        if found is None:
            return await self.not_found(request)
        kind, body, tag = found
        headers = [(b"etag", tag.encode()), (b"cache-control", b"public, max-age=3600")]
        if request.headers.get("if-none-match") == tag:
            return Answer(304, headers)
        return Answer(200, [*headers, (b"content-type", kind), (b"content-length", str(len(body)).encode())], body)


def payment_state(payments: list[Payment]) -> str:
    """The best that any of the payments came to: paid, created (not confirmed yet), failed, or none."""
    states = {payment.status for payment in payments}
    return next((state for state in ("paid", "created", "failed") if state in states), "none")


PAYMENT_VI = {
    "paid": "Đã thanh toán",
    "created": "Chưa xác nhận thanh toán",
    "failed": "Thanh toán không thành công",
    "none": "Chưa thanh toán",
}


def applicant_errors(applicant: dict[str, str]) -> list[str]:
    """What is wrong with an applicant's particulars, in Vietnamese; the keys are those of the liferay family."""
    checks = (
        (bool(applicant["hoTen"]), "Họ và tên không hợp lệ"),
        (bool(_NUMBER.fullmatch(applicant["soDinhDanh"])), "Số định danh không hợp lệ"),
        (bool(_BIRTHDAY.fullmatch(applicant["ngaySinh"])), "Ngày sinh không hợp lệ (dd/mm/yyyy)"),
        (bool(_PHONE.fullmatch(applicant["dienThoai"])), "Số điện thoại không hợp lệ"),
        (bool(applicant["diaChi"]), "Địa chỉ không hợp lệ"),
        (applicant["xaPhuong"] in COMMUNES, "Xã, phường không hợp lệ"),
    )
    return [text for holds, text in checks if not holds]


def upload_error(upload: Upload | None) -> str:
    """What is wrong with a file, or ""; PDF, PNG, JPEG and Office files of at most 5 MB are taken, judged by content."""
    if upload is None:
        return "Tệp đính kèm không hợp lệ: chưa chọn tệp"
    if len(upload.content) > FILE_LIMIT:
        return "Tệp đính kèm không hợp lệ: lớn hơn 5 MB"
    if not upload.content.startswith(_FILE_MAGIC):
        return "Tệp đính kèm không hợp lệ: chỉ nhận PDF, PNG, JPEG, DOCX, XLSX"
    return ""


def _secret(seed: int, portal: str, purpose: str) -> str:
    return hmac.new(str(seed).encode(), f"{portal} {purpose}".encode(), hashlib.sha256).hexdigest()


def _asset(kind: str, body: bytes) -> tuple[bytes, bytes, str]:
    return kind.encode(), body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'


_STYLE = b"body{font-family:sans-serif;margin:0}header{background:#a00;color:#fff;padding:1em}\n" * 120
_SCRIPT = b"document.documentElement.classList.add('js');\n" * 400
_EMBLEM = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><circle cx="32" cy="32" r="30" fill="#a00"/></svg>'
_ASSETS = {
    "main.css": _asset("text/css; charset=utf-8", _STYLE),
    "main.js": _asset("text/javascript; charset=utf-8", _SCRIPT),
    "emblem.svg": _asset("image/svg+xml", _EMBLEM),
} | {path.name: _asset("text/javascript; charset=utf-8", path.read_bytes()) for path in (Path(__file__).parent / "assets").glob("*.js")}
"""Name → type, content, ETag. The style sheet is as long as portals have them, of one rule; the families' scripts really work."""
