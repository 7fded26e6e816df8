"""The payment gateway: signed requests from portals, a page for the citizen, a signed callback to the portal."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from harness.simulator.clock import wall_us
from harness.simulator.http_messages import Answer, ReceivedRequest, html, json_answer, redirect, whole_number
from harness.simulator.origin import SimulatedOrigin
from harness.simulator.pages import render
from harness.simulator.personality import Personality
from harness.simulator.truth import TruthLog

CALLBACK_TIMEOUT_S = 60.0
CALLBACK_ATTEMPTS = 3
REQUEST_FIELDS = ("addition_fee", "client_id", "command", "trans_amount", "transaction_id", "version")
CALLBACK_FIELDS = ("status", "transaction_id")
LOOKUP_FIELDS = ("client_id", "ma_ho_so")
PAID, FAILED = "1", "0"
BANKS = ("Ngân hàng Thử Nghiệm A", "Ngân hàng Thử Nghiệm B", "Ví điện tử Thử Nghiệm")


@dataclass(frozen=True, slots=True)
class Merchant:
    """A portal as it is registered at the gateway."""

    client_id: str
    secret: str
    call_back: Callable[[bytes], Awaitable[Answer]]  # posts to the portal's callback address
    fails: Callable[[int], bool]  # whether the payment of this request number fails
    loses_callback: Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class _Transaction:
    client_id: str
    id: str
    dossier_code: str
    amount: int  # VND
    return_url: str
    status: str


def check_sum(fields: Mapping[str, object], names: tuple[str, ...], secret: str) -> str:
    """Hex HMAC-SHA256 of the values of ``names``, in that order, joined by ``|``."""
    text = "|".join(str(fields.get(name, "")) for name in names)
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def is_signed(fields: Mapping[str, object], names: tuple[str, ...], secret: str) -> bool:
    """Whether the field ``check_sum`` is right."""
    return hmac.compare_digest(check_sum(fields, names, secret), str(fields.get("check_sum", "")))


class Gateway(SimulatedOrigin):
    """POST /api/transactions → GET payment page → POST confirmation → callback → 302 to the portal's return address."""

    holds_server_while_calling = False

    def __init__(self, personality: Personality, seed: int, truth: TruthLog, database: sqlite3.Connection) -> None:
        super().__init__("payment", personality, seed, truth)
        self._database = database
        self.merchants: dict[str, Merchant] = {}
        self.route("POST", "/api/transactions", self.create, 1.0, stores=True)
        self.route("GET", "/api/payments", self.look_up, 0.5)
        self.route("GET", "/thanh-toan/{}", self.page, 1.0)
        self.route("POST", "/thanh-toan/{}/xac-nhan", self.confirm, 2.0, stores=True)

    async def create(self, request: ReceivedRequest) -> Answer:
        """A new transaction, if all fields and the check sum are right; answers the payment page's address."""
        order = request.json
        merchant = self.merchants.get(str(order.get("client_id")))
        if merchant is None or not is_signed(order, REQUEST_FIELDS, merchant.secret):
            return _result("97", "Chữ ký không hợp lệ")
        bill, identifier, amount = order.get("bill_info"), str(order.get("transaction_id", "")), whole_number(order.get("trans_amount"), 0)
        if (
            order.get("command") != "PAY"
            or order.get("version") != "3.0"
            or order.get("currency") != "VND"
            or not 0 < len(identifier) <= 20
            or not isinstance(bill, dict)
            or not bill.get("MaHoSo")
            or amount <= 0
            or not order.get("return_url")
        ):
            return _result("03", "Dữ liệu không hợp lệ")
        reference = secrets.token_hex(10)
        try:
            self._database.execute(
                "INSERT INTO gateway_transactions VALUES (?,?,?,?,?,?,'created',?)",
                (reference, merchant.client_id, identifier, str(bill["MaHoSo"]), amount, str(order["return_url"]), wall_us()),
            )
        except sqlite3.IntegrityError:
            return _result("02", "Giao dịch đã tồn tại")
        url = f"{self.url}/thanh-toan/{reference}"
        return json_answer({"return_code": "00", "return_msg": "Thành công", "transaction_id": identifier, "payment_url": url})

    async def look_up(self, request: ReceivedRequest) -> Answer:
        """The payments of one dossier code, for its own portal."""
        query = request.query
        merchant = self.merchants.get(query.get("client_id", ""))
        if merchant is None or not is_signed(query, LOOKUP_FIELDS, merchant.secret):
            return _result("97", "Chữ ký không hợp lệ")
        rows = self._database.execute(
            "SELECT transaction_id, amount, status FROM gateway_transactions WHERE client_id = ? AND dossier_code = ?",
            (merchant.client_id, query["ma_ho_so"]),
        )
        found = [{"transaction_id": row[0], "trans_amount": row[1], "status": row[2]} for row in rows]
        return json_answer({"return_code": "00", "return_msg": "Thành công", "payments": found})

    async def page(self, request: ReceivedRequest) -> Answer:
        """The amount, and a form to choose a bank and confirm."""
        reference = request.parts[0]
        transaction = self._transaction(reference)
        return self._page(reference, transaction) if transaction else await self.not_found(request)

    async def confirm(self, request: ReceivedRequest) -> Answer:
        """Takes the payment, reports it to the portal by a signed callback, and redirects the citizen back."""
        reference = request.parts[0]
        transaction = self._transaction(reference)
        if transaction is None:
            return await self.not_found(request)
        merchant, status = self.merchants[transaction.client_id], transaction.status
        token = _page_token(reference, merchant)
        if not hmac.compare_digest(request.form.get("ma_xac_thuc"), token) or request.form.get("ngan_hang") not in BANKS:
            return self._page(reference, transaction, "Yêu cầu thanh toán không hợp lệ")
        if status == "created":
            status = "failed" if merchant.fails(request.number) else "paid"
            self._database.execute("UPDATE gateway_transactions SET status = ? WHERE reference = ?", (status, reference))
            if not merchant.loses_callback(request.number):
                await self._call_back(merchant, transaction.id, status)
        sign = "&" if "?" in transaction.return_url else "?"
        result = {"transaction_id": transaction.id, "status": PAID if status == "paid" else FAILED}
        return redirect(f"{transaction.return_url}{sign}{urlencode(result)}")

    async def _call_back(self, merchant: Merchant, identifier: str, status: str) -> None:
        """Report to the portal, up to three times, until it acknowledges."""
        fields = {"transaction_id": identifier, "status": PAID if status == "paid" else FAILED}
        body = json.dumps(fields | {"check_sum": check_sum(fields, CALLBACK_FIELDS, merchant.secret)}).encode()
        for _ in range(CALLBACK_ATTEMPTS):
            try:
                async with asyncio.timeout(CALLBACK_TIMEOUT_S):
                    answer = await merchant.call_back(body)
            except TimeoutError:
                return
            if answer.status == 200 and _acknowledges(answer.body):
                return

    def _page(self, reference: str, transaction: _Transaction, error: str = "") -> Answer:
        values = {
            "reference": reference,
            "transaction": transaction,
            "token": _page_token(reference, self.merchants[transaction.client_id]),
        }
        return html(render("gateway.html", self.personality.page_bytes, banks=BANKS, error=error, **values))

    def _transaction(self, reference: str) -> _Transaction | None:
        row = self._database.execute(
            "SELECT client_id, transaction_id, dossier_code, amount, return_url, status FROM gateway_transactions WHERE reference = ?",
            (reference,),
        ).fetchone()
        return _Transaction(*row) if row else None


def _acknowledges(body: bytes) -> bool:
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("return_code") == "00"


def _page_token(reference: str, merchant: Merchant) -> str:
    return check_sum({"reference": reference}, ("reference",), merchant.secret)


def _result(code: str, message: str) -> Answer:
    return json_answer({"return_code": code, "return_msg": message})
