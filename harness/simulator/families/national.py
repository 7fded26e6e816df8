"""The National Portal: data by POST /jsp/rest.jsp, choice of province and commune, and a hand-over to a local form host."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from harness.simulator.clock import now_us
from harness.simulator.configuration import PortalConfig
from harness.simulator.cookie_portal import CookiePortal
from harness.simulator.desk import Dossier
from harness.simulator.families.form_host import REDEEM_PATH, FormHost
from harness.simulator.pages import filler
from harness.simulator.personality import Personality
from harness.simulator.portal import COMMUNES, PAYMENT_VI, Surroundings, payment_state
from harness.simulator.sessions import Citizen, Session
from harness.simulator.wire import Answer, Request, html, json_answer, json_object, redirect, whole

HOME = "/p/home"
PROVINCES = {"01": "Tỉnh Thử Nghiệm Một", "02": "Tỉnh Thử Nghiệm Hai", "03": "Thành phố Thử Nghiệm Ba"}
TICKET_LIFE_S = 120


@dataclass(frozen=True, slots=True)
class _Ticket:
    draft: str
    citizen: Citizen
    expires_us: int


class National(CookiePortal):
    """Pages under /p/home, one service address for all data, and a second origin for the forms."""

    cookie = "JSESSIONID"
    start_path = "/dang-nhap"
    logout_path = "/dang-xuat"
    login_path = "/dang-nhap/vneid"
    return_path = f"{HOME}/dvc-thanh-toan-ket-qua.html"
    back_field = "returnUrl"

    def __init__(self, config: PortalConfig, around: Surroundings) -> None:
        super().__init__(config, around)
        self._tickets: dict[str, _Ticket] = {}
        self.handover_secret = secrets.token_hex(16)
        self.form_host: FormHost = FormHost(self)
        self._services: dict[str, Callable[[Request, dict[str, Any]], Awaitable[Answer]]] = {
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
        self.route("GET", self.return_path, self.paid, 0.8)
        self.route("GET", f"{HOME}/dvc-tra-cuu-ho-so.html", self.tracking, 0.8)
        self.route("GET", f"{HOME}/dvc-ho-so-cua-toi.html", self.mine, 0.8)

    def change(self, personality: Personality) -> None:
        """The form host is as the portal is."""
        super().change(personality)
        self.form_host.change(personality)

    async def front(self, request: Request) -> Answer:
        """On to the home page."""
        return redirect(f"{HOME}/dvc-trang-chu.html", 301)

    async def home(self, request: Request) -> Answer:
        """The search box; results come by script."""
        return self._page("home", self.session(request))

    async def procedure(self, request: Request) -> Answer:
        """One procedure by ``ma_thu_tuc``: its number or code."""
        name = request.query.get("ma_thu_tuc", "")
        procedure = self.procedures.by("id", whole(name, 0)) or self.procedures.by("code", name)
        return self._page("procedure", self.session(request), big=True, procedure=procedure) if procedure else await self.not_found(request)

    async def place(self, request: Request) -> Answer:
        """The choice of province and commune; communes come by script."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        procedure = self.procedures.by("uuid", request.parts[0])
        return (
            self._page("place", member[0], procedure=procedure, provinces=PROVINCES, error="")
            if procedure
            else await self.not_found(request)
        )

    async def hand_over(self, request: Request) -> Answer:
        """The choice posted: a ticket, and on to the form host with it."""
        if (member := self.member(request)) is None:
            return self.notice("Hết phiên làm việc, vui lòng đăng nhập lại")
        session, citizen = member
        procedure = self.procedures.by("uuid", request.parts[0])
        if procedure is None:
            return await self.not_found(request)
        form = request.form
        error = "" if form.get("tinh") in PROVINCES and form.get("xa") in _commune_codes(form.get("tinh")) else "Địa bàn không hợp lệ"
        error = error if self.token_holds(form.get("csrf"), session.token, request.number) else "Mã bảo vệ không hợp lệ"
        if error:
            return self._page("place", session, procedure=procedure, provinces=PROVINCES, error=error)
        draft = self.desk.open_draft(citizen.number, procedure.id)
        ticket, now = secrets.token_urlsafe(24), now_us()
        while self._tickets and (first := next(iter(self._tickets))) and self._tickets[first].expires_us < now:
            del self._tickets[first]
        self._tickets[ticket] = _Ticket(draft.id, citizen, now + TICKET_LIFE_S * 1_000_000)
        return redirect(f"{self.form_host.url}/tiep-nhan?{urlencode({'ticket': ticket, 'xa': form.get('xa')})}")

    async def redeem(self, request: Request) -> Answer:
        """The form host asks whose ticket it was given; each is good once."""
        if request.json.get("secret") != self.handover_secret:
            return json_answer({"error": "forbidden"}, 403)
        ticket = self._tickets.pop(str(request.json.get("ticket")), None)
        if ticket is None or ticket.expires_us < now_us():
            return json_answer({"error": "invalid_ticket"}, 400)
        return json_answer({"draft": ticket.draft, "number": ticket.citizen.number, "name": ticket.citizen.name})

    async def payment(self, request: Request) -> Answer:
        """The page that pays; what is to be paid comes by script."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        return self._page("payment", member[0], code=request.query.get("ma_ho_so", ""))

    async def paid(self, request: Request) -> Answer:
        """Back from the gateway."""
        payment = self.desk.payment(request.query.get("transaction_id", ""))
        if payment is None:
            return self.notice("Không tìm thấy giao dịch")
        return self._page("paid", self.session(request), payment=payment, state_vi=PAYMENT_VI[payment.status])

    async def tracking(self, request: Request) -> Answer:
        """The page that tracks; the state comes by script."""
        return self._page("tracking", self.session(request))

    async def mine(self, request: Request) -> Answer:
        """The page of one's own dossiers, from which one withdraws by script."""
        if (member := self.member(request)) is None:
            return self.to_login(request)
        return self._page("tracking", member[0])

    async def serve_data(self, request: Request) -> Answer:
        """Every service: form field ``params`` holds JSON with ``service``. The habit here: always 200, and text/html."""
        asked = json_object(request.form.get("params"))
        service = self._services.get(str(asked.get("service")))
        if service is None or asked.get("provider") != "dvcquocgia":
            return _data({"error_code": "-1", "error_message": "Tham số params không hợp lệ"})
        return await service(request, asked)

    async def _search(self, request: Request, asked: dict[str, Any]) -> Answer:
        size, page = whole(asked.get("recordPerPage"), 10) or 10, whole(asked.get("pageIndex"), 1)
        found, total = self.procedures.search(str(asked.get("keyword", "")), page, min(size, 50))
        note = filler(self.personality.page_bytes // max(len(found), 1) - 300)
        return _data([
            {
                "ID": item.id, "PROCEDURE_CODE": item.code, "PROCEDURE_NAME": item.name, "FIELD_NAME": item.field, "FEE": item.fee, "UUID": item.uuid,
                "IMPLEMENTATION_AGENCY": self.config.name_vi, "NOTE": note, "TOTAL_RECORDS": total,
            }
            for item in found
        ])  # fmt: skip

    async def _communes(self, request: Request, asked: dict[str, Any]) -> Answer:
        province = str(asked.get("parent", ""))
        return _data([{"CODE": code, "NAME": name} for code, name in zip(_commune_codes(province), COMMUNES, strict=False)])

    async def _track(self, request: Request, asked: dict[str, Any]) -> Answer:
        dossier = self.desk.dossier(str(asked.get("ma_ho_so", "")))
        return _data([self._shown(dossier)] if dossier else [])

    async def _fee(self, request: Request, asked: dict[str, Any]) -> Answer:
        if (member := self.member(request)) is None:
            return self.notice("Hết phiên làm việc, vui lòng đăng nhập lại")
        dossier = self.own_dossier(str(asked.get("ma_ho_so", "")), member[1])
        return _data([self._shown(dossier)] if dossier else [])

    async def _pay(self, request: Request, asked: dict[str, Any]) -> Answer:
        if (member := self.member(request)) is None:
            return self.notice("Hết phiên làm việc, vui lòng đăng nhập lại")
        session, citizen = member
        if not self.token_holds(str(asked.get("csrf")), session.token, request.number):
            return _data({"error_code": "-403", "error_message": "Mã bảo vệ không hợp lệ"})
        dossier = self.own_dossier(str(asked.get("ma_ho_so", "")), citizen)
        draft = self.desk.draft(dossier.draft, citizen.number) if dossier else None
        procedure = self.procedures.by("id", dossier.procedure) if dossier else None
        if dossier is None or draft is None or procedure is None or not procedure.fee or draft.paid:
            return _data({"error_code": "-2", "error_message": "Yêu cầu thanh toán không hợp lệ"})
        url = await self.begin_payment(draft, dossier.code, procedure)
        return _data({"error_code": "0", "payment_url": url} if url else {"error_code": "-3", "error_message": "Giao dịch không hợp lệ"})

    async def _withdraw(self, request: Request, asked: dict[str, Any]) -> Answer:
        if (member := self.member(request)) is None:
            return self.notice("Hết phiên làm việc, vui lòng đăng nhập lại")
        session, citizen = member
        if not self.token_holds(str(asked.get("csrf")), session.token, request.number):
            return _data({"error_code": "-403", "error_message": "Mã bảo vệ không hợp lệ"})
        dossier = self.own_dossier(str(asked.get("ma_ho_so", "")), citizen)
        if dossier is None or not asked.get("ly_do"):
            return _data({"error_code": "-2", "error_message": "Yêu cầu rút hồ sơ không hợp lệ"})
        self.desk.withdraw(dossier)
        return _data({"error_code": "0", "error_message": ""})

    def notice(self, text: str, *, session: Session | None = None, status: int = 200) -> Answer:
        """A page that says one thing, also where JSON was asked for."""
        return self.page("national/notice.html", status=status, session=session, text=text)

    def _page(self, name: str, session: Session | None, *, big: bool = False, **values: Any) -> Answer:
        return self.page(f"national/{name}.html", big=big, session=session, **values)

    def _shown(self, dossier: Dossier) -> dict[str, Any]:
        procedure = self.procedures.by("id", dossier.procedure)
        state = payment_state(self.desk.payments_of_draft(dossier.draft))
        return {
            "MA_HO_SO": dossier.code, "TEN_TTHC": procedure.name if procedure else "", "TRANG_THAI": dossier.status_vi, "SO_TIEN": dossier.fee,
            "TRANG_THAI_THANH_TOAN": PAYMENT_VI[state],
        }  # fmt: skip


def _commune_codes(province: str) -> list[str]:
    return [f"{province}{index:03d}" for index in range(1, len(COMMUNES) + 1)] if province in PROVINCES else []


def _data(value: object) -> Answer:
    """JSON as an old JSP writes it: after blank lines, as text/html."""
    return html("\r\n\r\n" + json.dumps(value, ensure_ascii=False))
