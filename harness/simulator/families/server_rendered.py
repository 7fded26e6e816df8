"""Pages that the server-rendered families share: Liferay, eForm and the older iGate differ in addresses, fields and tokens."""

from __future__ import annotations

from typing import Any

from harness.simulator.cookie_portal import CookiePortal
from harness.simulator.dossier_store import Dossier
from harness.simulator.http_messages import Answer, EarlyAnswer, ReceivedRequest, whole_number
from harness.simulator.portal import PAYMENT_VI
from harness.simulator.sessions import BrowserSession, SyntheticCitizen

NO_DOSSIER = "Không tìm thấy hồ sơ"


class ServerRenderedPortal(CookiePortal):
    """Search results, receipt, fee, payment result, tracking and the citizen's own dossier."""

    per_page = 10
    keyword_field = page_field = ""  # query fields of the search
    procedure_key = "id"  # the column that a procedure's address names
    code_field = draft_field = ""  # query fields of addresses that do not hold the dossier's code or the draft as a segment

    def visitor(self, request: ReceivedRequest) -> BrowserSession | None:
        """The session that a page without login shows."""
        return self.session(request)

    async def home(self, request: ReceivedRequest) -> Answer:
        """The search box."""
        return self.page("home", self.visitor(request))

    async def search(self, request: ReceivedRequest) -> Answer:
        """One page of search results."""
        keyword, number = request.query.get(self.keyword_field, "").strip(), whole_number(request.query.get(self.page_field), 1) or 1
        found, total = self.procedures.search(keyword, number, self.per_page)
        shown: dict[str, Any] = {"keyword": keyword, "found": found, "total": total, "number": number, "pages": -(-total // self.per_page)}
        return self.page("results", self.visitor(request), big=True, **shown)

    async def procedure(self, request: ReceivedRequest) -> Answer:
        """The page of one procedure."""
        name = request.parts[0]
        procedure = self.found(self.procedures.by(self.procedure_key, name if self.procedure_key == "code" else whole_number(name, 0)))
        return self.page("procedure", self.visitor(request), big=True, procedure=procedure)

    async def receipt(self, request: ReceivedRequest) -> Answer:
        """The code of the dossier that a draft became."""
        session, citizen = self.require_login(request)
        draft_id = self._named(request, self.draft_field)
        draft = self.store.draft(draft_id, citizen.number)
        code = session.data.get(draft_id, "")
        if draft is None or not code:
            return self.notice(NO_DOSSIER, session=session)
        return self.page("receipt", session, code=code, procedure=self.procedure_of(draft))

    async def fee(self, request: ReceivedRequest) -> Answer:
        """The fee of the citizen's own dossier, and the way to the gateway."""
        session, citizen = self.require_login(request)
        dossier = self.require_dossier(self._named(request, self.code_field), citizen, session)
        state = self.store.payment_state(dossier.draft)
        return self.page("fee", session, dossier=dossier, state=state, state_vi=PAYMENT_VI[state])

    async def own(self, request: ReceivedRequest) -> Answer:
        """The citizen's own dossier, with a form to withdraw it."""
        session, citizen = self.require_login(request)
        return self.page("own", session, dossier=self.require_dossier(self._named(request, self.code_field), citizen, session))

    async def track(self, request: ReceivedRequest) -> Answer:
        """The tracking form, and the state of the dossier whose code is given; anybody may ask."""
        return self.tracking_page(self.visitor(request), self._named(request, self.code_field))

    def tracking_page(self, session: BrowserSession | None, code: str) -> Answer:
        """The state of a dossier."""
        dossier = self.store.dossier(code) if code else None
        procedure = self.procedure_of(dossier) if dossier else None
        payment_vi = PAYMENT_VI[self.store.payment_state(dossier.draft)] if dossier else ""
        return self.page("track", session, code=code, dossier=dossier, procedure=procedure, payment_vi=payment_vi)

    async def payment_result(self, request: ReceivedRequest) -> Answer:
        """Back from the gateway: the state of the payment, as the callback reported it."""
        payment, session = self.store.payment(request.query.get("transaction_id", "")), self.visitor(request)
        if payment is None:
            return self.notice("Không tìm thấy giao dịch", session=session)
        return self.page("paid", session, payment=payment, state_vi=PAYMENT_VI[payment.status])

    def require_dossier(self, code: str, citizen: SyntheticCitizen, session: BrowserSession) -> Dossier:
        """The citizen's own dossier with this code; EarlyAnswer where there is none."""
        if dossier := self.own_dossier(code, citizen):
            return dossier
        raise EarlyAnswer(self.notice(NO_DOSSIER, session=session))

    def _named(self, request: ReceivedRequest, field: str) -> str:
        """The code or draft that an address names."""
        return request.parts[0] if request.parts else request.query.get(field, "").strip()
