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

    def visitor(self, request: ReceivedRequest) -> BrowserSession | None:
        """The session that a page without login shows."""
        return self.session(request)

    async def home(self, request: ReceivedRequest) -> Answer:
        """The search box."""
        return self.page("home", self.visitor(request))

    def results_page(self, request: ReceivedRequest, keyword: str, page: str | None, per_page: int, **values: Any) -> Answer:
        """One page of search results."""
        number = whole_number(page, 1) or 1
        found, total = self.procedures.search(keyword, number, per_page)
        values |= {"keyword": keyword, "found": found, "total": total, "number": number, "pages": -(-total // per_page)}
        return self.page("results", self.visitor(request), big=True, **values)

    def procedure_page(self, request: ReceivedRequest, column: str, value: str | int) -> Answer:
        """The page of one procedure."""
        procedure = self.found(self.procedures.by(column, value))
        return self.page("procedure", self.visitor(request), big=True, procedure=procedure)

    def receipt_page(self, request: ReceivedRequest, draft_id: str) -> Answer:
        """The code of the dossier that a draft became."""
        session, citizen = self.require_login(request)
        draft = self.store.draft(draft_id, citizen.number)
        code = session.data.get(draft_id, "")
        if draft is None or not code:
            return self.notice(NO_DOSSIER, session=session)
        return self.page("receipt", session, code=code, procedure=self.procedure_of(draft))

    def fee_page(self, request: ReceivedRequest, code: str, **values: Any) -> Answer:
        """The fee of the citizen's own dossier, and the way to the gateway."""
        session, citizen = self.require_login(request)
        dossier = self.require_dossier(code, citizen, session)
        state = self.store.payment_state(dossier.draft)
        return self.page("fee", session, dossier=dossier, state=state, state_vi=PAYMENT_VI[state], **values)

    def own_page(self, request: ReceivedRequest, code: str, **values: Any) -> Answer:
        """The citizen's own dossier, with a form to withdraw it."""
        session, citizen = self.require_login(request)
        return self.page("own", session, dossier=self.require_dossier(code, citizen, session), **values)

    def tracking_page(self, session: BrowserSession | None, code: str) -> Answer:
        """The state of a dossier; anybody may ask."""
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

    def require_dossier(self, code: str, citizen: SyntheticCitizen, session: BrowserSession, otherwise: str = NO_DOSSIER) -> Dossier:
        """The citizen's own dossier with this code; EarlyAnswer with the notice ``otherwise`` where there is none."""
        if dossier := self.own_dossier(code, citizen):
            return dossier
        raise EarlyAnswer(self.notice(otherwise, session=session))
