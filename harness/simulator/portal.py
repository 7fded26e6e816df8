"""What every family of portals shares: login at the identity provider, payment at the gateway, dossiers in the store."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from harness.simulator.chance import Purpose
from harness.simulator.configuration import PortalConfig
from harness.simulator.dossier_store import Dossier, DossierStore, Draft
from harness.simulator.gateway import CALLBACK_FIELDS, PAID, REQUEST_FIELDS, Gateway, Merchant, check_sum, is_signed
from harness.simulator.http_messages import Answer, EarlyAnswer, ReceivedRequest, html, json_answer
from harness.simulator.identity import Client, Identity, verified
from harness.simulator.origin import SimulatedOrigin, not_found_page
from harness.simulator.pages import render
from harness.simulator.procedures import Procedure, Procedures
from harness.simulator.sessions import SyntheticCitizen
from harness.simulator.truth import TruthLog

CALLBACK_PATH = "/thanh-toan/ket-qua-tu-cong"
REJECTED = "Hồ sơ không hợp lệ, hệ thống từ chối tiếp nhận"  # the message of the fault rejected_200
PAYMENT_VI = {
    "paid": "Đã thanh toán",
    "created": "Chưa xác nhận thanh toán",
    "failed": "Thanh toán không thành công",
    "none": "Chưa thanh toán",
}
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class SharedServices:
    """What all portals of a process share."""

    seed: int
    database: sqlite3.Connection
    truth: TruthLog
    identity: Identity
    gateway: Gateway


@dataclass(frozen=True, slots=True)
class Login:
    """A login that has begun: state and nonce must come back from the identity provider."""

    state: str
    nonce: str
    url: str  # where the citizen is sent


class SimulatedPortal(SimulatedOrigin):
    """An origin with procedures and a dossier store, registered at the identity provider and the gateway."""

    login_path = ""  # where the identity provider sends the citizen back to
    return_path = ""  # where the gateway sends the citizen back to

    def __init__(self, config: PortalConfig, shared: SharedServices) -> None:
        super().__init__(config.id, config.personality, shared.seed, shared.truth)
        self.config = config
        self.shared = shared
        self.procedures = Procedures(shared.database)
        self.store = DossierStore(shared.database, config.id, config.agency_code)
        self.client_id = f"cong-{config.id}"
        self._login_secret = _secret(shared.seed, config.id, "login")
        self._payment_secret = _secret(shared.seed, config.id, "payment")
        shared.identity.clients[self.client_id] = Client(self.client_id, self._login_secret, lambda: self.url + self.login_path)
        shared.gateway.merchants[self.client_id] = Merchant(
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
        return Login(state, nonce, f"{self.shared.identity.url}/oauth2/authorize?{urlencode(query)}")

    async def complete_login(self, code: str, nonce: str) -> SyntheticCitizen | None:
        """The citizen who logged in, or None; exchanges the code at the token endpoint and checks the ID token."""
        body = urlencode({"grant_type": "authorization_code", "code": code, "redirect_uri": self.url + self.login_path}).encode()
        credentials = base64.b64encode(f"{self.client_id}:{self._login_secret}".encode())
        headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"authorization", b"Basic " + credentials)]
        answer = await self.shared.identity.call("POST", "/oauth2/token", headers, body)
        if answer.status != 200:
            return None
        claims = verified(str(json.loads(answer.body).get("id_token", "")), self._login_secret)
        if claims is None or claims.get("nonce") != nonce or claims.get("aud") != self.client_id:
            return None
        return SyntheticCitizen(claims["sub"], claims["name"])

    async def begin_payment(self, draft: Draft, code: str) -> str | None:
        """The gateway's address for the citizen, or None if it refuses. ``code``: of the dossier, or of the draft if it is paid first."""
        procedure = self.procedure_of(draft)
        identifier = self.store.open_payment(code, draft.id, procedure.fee)
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
        body, headers = json.dumps(order).encode(), [(b"content-type", b"application/json")]
        answer = await self.shared.gateway.call("POST", "/api/transactions", headers, body)
        if answer.status != 200:
            return None
        url = json.loads(answer.body).get("payment_url")
        return str(url) if url else None

    async def take_callback(self, request: ReceivedRequest) -> Answer:
        """The gateway reports a payment; it is stored if the check sum is right."""
        fields = request.json
        if not is_signed(fields, CALLBACK_FIELDS, self._payment_secret):
            return json_answer({"return_code": "97", "return_msg": "Chữ ký không hợp lệ"})
        payment = self.store.payment(str(fields.get("transaction_id")))
        if payment is None:
            return json_answer({"return_code": "01", "return_msg": "Không tìm thấy giao dịch"})
        self.store.settle(payment, paid=str(fields.get("status")) == PAID)
        return json_answer({"return_code": "00", "return_msg": "Thành công"})

    def refusal(self, request: ReceivedRequest) -> Answer | None:
        """The callback is let through: the gateway comes from another network."""
        return None if request.path == CALLBACK_PATH and request.method == "POST" else super().refusal(request)

    def submit_draft(self, draft: Draft, number: int) -> str:
        """Submit a draft; answers the dossier's code. ``number`` of the request decides the faults."""
        fee, collide, forget = self.procedure_of(draft).fee, self.has_fault("colliding_codes", number), self.has_fault("not_stored", number)
        return self.store.submit(draft, fee, collide=collide, forget=forget)

    def procedure_of(self, item: Draft | Dossier) -> Procedure:
        """The procedure of a draft or dossier."""
        procedure = self.procedures.by("id", item.procedure)
        assert procedure is not None  # a foreign key of the database
        return procedure

    def owes_fee(self, draft: Draft) -> bool:
        """Whether the procedure has a fee that is not paid."""
        return not draft.paid and self.procedure_of(draft).fee > 0

    def own_dossier(self, code: str, citizen: SyntheticCitizen) -> Dossier | None:
        """The dossier with this code, if it belongs to this citizen."""
        dossier = self.store.dossier(code)
        return dossier if dossier is not None and dossier.owner == citizen.number else None

    def unpaid_draft(self, dossier: Dossier | None) -> Draft | None:
        """The draft of a dossier whose fee must still be paid; None where there is no dossier or nothing to pay."""
        draft = self.store.draft(dossier.draft, dossier.owner) if dossier else None
        return draft if draft and self.owes_fee(draft) else None

    def found(self, item: _Item | None) -> _Item:
        """The item itself; EarlyAnswer with the 404 page where it is None."""
        if item is None:
            raise EarlyAnswer(not_found_page())
        return item

    def token_is_valid(self, given: str, right: str, number: int, *, last: bool = False) -> bool:
        """Whether a CSRF token is the right one; at the submission (``last``) the fault ``stale_csrf`` can make it invalid."""
        return hmac.compare_digest(given.encode(), right.encode()) and not (last and self.has_fault("stale_csrf", number))

    def render_page(self, template: str, *, big: bool = False, status: int = 200, **values: Any) -> Answer:
        """A page in the size that the personality sets."""
        min_bytes = self.personality.page_bytes if big else self.personality.page_bytes // 3
        return html(render(template, min_bytes, portal_name=self.config.name_vi, **values), status)

    async def asset(self, request: ReceivedRequest) -> Answer:
        """A style sheet, script or emblem; cacheable, with an ETag."""
        found = _ASSETS.get(request.parts[0])
        if found is None:
            return await self.not_found(request)
        kind, body, tag = found
        headers = [(b"etag", tag.encode()), (b"cache-control", b"public, max-age=3600")]
        if request.headers.get("if-none-match") == tag:
            return Answer(304, headers)
        return Answer(200, [*headers, (b"content-type", kind), (b"content-length", str(len(body)).encode())], body)


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
"""Name → type, content, ETag. Style sheet and main script are padding of a usual size; the families' scripts work."""
