"""The National Portal: data by POST /jsp/rest.jsp, choice of province and commune, and a redirect to a local form host."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from harness.simulator.applicant_form import COMMUNES
from harness.simulator.configuration import PortalConfig
from harness.simulator.dossier_store import Dossier
from harness.simulator.families.form_host import REDEEM_PATH, FormHost
from harness.simulator.families.server_rendered import ServerRenderedPortal
from harness.simulator.http_messages import Answer, EarlyAnswer, ReceivedRequest, html, json_answer, json_object, redirect, whole_number
from harness.simulator.pages import filler
from harness.simulator.personality import Personality
from harness.simulator.portal import PAYMENT_VI, SharedServices
from harness.simulator.procedures import Procedure
from harness.simulator.sessions import BrowserSession, OneTimeTokens, SyntheticCitizen

HOME = "/p/home"
PROVINCES = {"01": "Tỉnh Thử Nghiệm Một", "02": "Tỉnh Thử Nghiệm Hai", "03": "Thành phố Thử Nghiệm Ba"}
TICKET_TTL_S = 120


class National(ServerRenderedPortal):
    """Pages under /p/home, one address for all data, and a second origin for the forms."""

    cookie = "JSESSIONID"
    templates = "national"
    start_path = "/dang-nhap"
    logout_path = "/dang-xuat"
    login_path = "/dang-nhap/vneid"
    return_path = f"{HOME}/dvc-thanh-toan-ket-qua.html"
    back_field = "returnUrl"

    def __init__(self, config: PortalConfig, shared: SharedServices) -> None:
        super().__init__(config, shared)
        self._tickets: OneTimeTokens[tuple[str, SyntheticCitizen]] = OneTimeTokens(TICKET_TTL_S)  # draft and citizen
        self._secret = secrets.token_hex(16)
        self.form_host = FormHost(self, self._secret)
        self._services: dict[str, Callable[[ReceivedRequest, dict[str, Any]], Awaitable[Answer]]] = {
            "procedure_advanced_search_service_v2": self._search,
            "dm_xa_phuong": self._communes,
            "dossier_search_service": self._track,
            "payment_info_service": self._fee,
            "payment_init_service": self._pay,
            "dossier_withdraw_service": self._withdraw,
        }
        self.route("GET", "/", self.front, 0.1)
        self.route("GET", f"{HOME}/dvc-trang-chu.html", self.home, 0.6)
        self.route("POST", "/jsp/rest.jsp", self.serve_data, 1.3, stores=True)
        self.route("GET", f"{HOME}/dvc-tthc-thu-tuc-hanh-chinh.html", self.home, 0.6)
        self.route("GET", f"{HOME}/dvc-tthc-thu-tuc-hanh-chinh-chi-tiet.html", self.procedure, 1.0)
        self.route("GET", "/thu-tuc-hanh-chinh/{}", self.place, 1.0)
        self.route("POST", "/thu-tuc-hanh-chinh/{}", self.hand_over, 1.0, stores=True)
        self.route("POST", REDEEM_PATH, self.redeem, 0.3)
        self.route("GET", f"{HOME}/dvc-thanh-toan-truc-tuyen.html", self.payment, 0.8)
        self.route("GET", self.return_path, self.payment_result, 0.8)
        self.route("GET", f"{HOME}/dvc-tra-cuu-ho-so.html", self.tracking, 0.8)
        self.route("GET", f"{HOME}/dvc-ho-so-cua-toi.html", self.own, 0.8)

    def change(self, personality: Personality) -> None:
        """Set the personality of portal and form host."""
        super().change(personality)
        self.form_host.change(personality)

    async def front(self, request: ReceivedRequest) -> Answer:
        """Redirects to the home page; results come by script there."""
        return redirect(f"{HOME}/dvc-trang-chu.html", 301)

    async def procedure(self, request: ReceivedRequest) -> Answer:
        """One procedure by ``ma_thu_tuc``: its number or code."""
        name = request.query.get("ma_thu_tuc", "")
        procedure = self.found(self.procedures.by("id", whole_number(name, 0)) or self.procedures.by("code", name))
        return self.page("procedure", self.session(request), big=True, procedure=procedure)

    async def place(self, request: ReceivedRequest) -> Answer:
        """The choice of province and commune; communes come by script."""
        session, _ = self.require_login(request)
        return self._place(session, self.found(self.procedures.by("uuid", request.parts[0])), "")

    async def hand_over(self, request: ReceivedRequest) -> Answer:
        """The choice posted: redirects to the form host with a ticket."""
        session, citizen = self.require_session(request)
        procedure, form = self.found(self.procedures.by("uuid", request.parts[0])), request.form
        if not self.token_is_valid(form.get("csrf"), session.token, request.number):
            return self._place(session, procedure, "Mã bảo vệ không hợp lệ")
        if form.get("xa") not in _commune_codes(form.get("tinh")):
            return self._place(session, procedure, "Địa bàn không hợp lệ")
        ticket = self._tickets.issue((self.store.open_draft(citizen.number, procedure.id).id, citizen))
        return redirect(f"{self.form_host.url}/tiep-nhan?{urlencode({'ticket': ticket, 'xa': form.get('xa')})}")

    async def redeem(self, request: ReceivedRequest) -> Answer:
        """The form host redeems a ticket; each is good once."""
        if request.json.get("secret") != self._secret:
            return json_answer({"error": "forbidden"}, 403)
        ticket = self._tickets.take(str(request.json.get("ticket")))
        if ticket is None:
            return json_answer({"error": "invalid_ticket"}, 400)
        draft, citizen = ticket
        return json_answer({"draft": draft, "number": citizen.number, "name": citizen.name})

    async def payment(self, request: ReceivedRequest) -> Answer:
        """The payment page; the amount comes by script."""
        session, _ = self.require_login(request)
        return self.page("payment", session, code=request.query.get("ma_ho_so", ""))

    async def tracking(self, request: ReceivedRequest) -> Answer:
        """The tracking page; the state comes by script."""
        return self.page("tracking", self.session(request))

    async def own(self, request: ReceivedRequest) -> Answer:
        """The citizen's own dossiers; a script withdraws them."""
        session, _ = self.require_login(request)
        return self.page("tracking", session)

    async def serve_data(self, request: ReceivedRequest) -> Answer:
        """Every data service: form field ``params`` holds JSON with ``service``. Answers are always 200 and text/html."""
        asked = json_object(request.form.get("params"))
        service = self._services.get(str(asked.get("service")))
        if service is None or asked.get("provider") != "dvcquocgia":
            return _data({"error_code": "-1", "error_message": "Tham số params không hợp lệ"})
        return await service(request, asked)

    async def _search(self, request: ReceivedRequest, asked: dict[str, Any]) -> Answer:
        size, page = whole_number(asked.get("recordPerPage"), 10) or 10, whole_number(asked.get("pageIndex"), 1)
        found, total = self.procedures.search(str(asked.get("keyword", "")), page, min(size, 50))
        note = filler(self.personality.page_bytes // max(len(found), 1) - 300)
        return _data([
            {
                "ID": item.id, "PROCEDURE_CODE": item.code, "PROCEDURE_NAME": item.name, "FIELD_NAME": item.field, "FEE": item.fee, "UUID": item.uuid,
                "IMPLEMENTATION_AGENCY": self.config.name_vi, "NOTE": note, "TOTAL_RECORDS": total,
            }
            for item in found
        ])  # fmt: skip

    async def _communes(self, request: ReceivedRequest, asked: dict[str, Any]) -> Answer:
        province = str(asked.get("parent", ""))
        return _data([{"CODE": code, "NAME": name} for code, name in zip(_commune_codes(province), COMMUNES, strict=False)])

    async def _track(self, request: ReceivedRequest, asked: dict[str, Any]) -> Answer:
        dossier = self.store.dossier(str(asked.get("ma_ho_so", "")))
        return _data([self._row(dossier)] if dossier else [])

    async def _fee(self, request: ReceivedRequest, asked: dict[str, Any]) -> Answer:
        _, citizen = self.require_session(request)
        dossier = self.own_dossier(str(asked.get("ma_ho_so", "")), citizen)
        return _data([self._row(dossier)] if dossier else [])

    async def _pay(self, request: ReceivedRequest, asked: dict[str, Any]) -> Answer:
        dossier = self._checked_dossier(request, asked)
        draft = self.unpaid_draft(dossier)
        if dossier is None or draft is None:
            return _error("-2", "Yêu cầu thanh toán không hợp lệ")
        url = await self.begin_payment(draft, dossier.code)
        return _data({"error_code": "0", "payment_url": url}) if url else _error("-3", "Giao dịch không hợp lệ")

    async def _withdraw(self, request: ReceivedRequest, asked: dict[str, Any]) -> Answer:
        dossier = self._checked_dossier(request, asked)
        if dossier is None or not asked.get("ly_do"):
            return _error("-2", "Yêu cầu rút hồ sơ không hợp lệ")
        self.store.withdraw(dossier)
        return _error("0", "")

    def _checked_dossier(self, request: ReceivedRequest, asked: dict[str, Any]) -> Dossier | None:
        """The citizen's own dossier that a request names; EarlyAnswer where session or token is wrong."""
        session, citizen = self.require_session(request)
        if not self.token_is_valid(str(asked.get("csrf")), session.token, request.number):
            raise EarlyAnswer(_error("-403", "Mã bảo vệ không hợp lệ"))
        return self.own_dossier(str(asked.get("ma_ho_so", "")), citizen)

    def _place(self, session: BrowserSession, procedure: Procedure, error: str) -> Answer:
        return self.page("place", session, procedure=procedure, provinces=PROVINCES, error=error)

    def _row(self, dossier: Dossier) -> dict[str, Any]:
        return {
            "MA_HO_SO": dossier.code,
            "TEN_TTHC": self.procedure_of(dossier).name,
            "TRANG_THAI": dossier.status_vi,
            "SO_TIEN": dossier.fee,
            "TRANG_THAI_THANH_TOAN": PAYMENT_VI[self.store.payment_state(dossier.draft)],
        }


def _commune_codes(province: str) -> list[str]:
    return [f"{province}{index:03d}" for index in range(1, len(COMMUNES) + 1)] if province in PROVINCES else []


def _data(value: object) -> Answer:
    """JSON as an old JSP writes it: after blank lines, as text/html."""
    return html("\r\n\r\n" + json.dumps(value, ensure_ascii=False))


def _error(code: str, message: str) -> Answer:
    return _data({"error_code": code, "error_message": message})
