"""The mechanics of the older iGate's wizard: ``sid`` and step tokens, pages, and redirects that are no redirects."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from harness.simulator.cookie_portal import CookiePortal
from harness.simulator.desk import Draft
from harness.simulator.procedures import Procedure
from harness.simulator.sessions import Citizen, Session
from harness.simulator.wire import Answer, Request, html, redirect

WIZARD = "/dich-vu-cong/tiep-nhan-online"


@dataclass(slots=True)
class Wizard:
    """One filing in progress: its draft, its chosen case, and the token of the step that is shown."""

    draft: Draft
    token: str
    case: str = ""
    code: str = ""


class WizardPortal(CookiePortal):
    """A portal whose filings live in the session, each under a ``sid``."""

    def notice(self, text: str, *, session: Session | None = None, status: int = 200) -> Answer:
        """The habit here: a box, and the same text in an alert."""
        return self.page("igate-php/notice.html", status=status, session=session, text=text, alert=_script_text(text))

    def own_page(self, name: str, request: Request, *, big: bool = False, **values: Any) -> Answer:
        """A page of this family."""
        return self.page(f"igate-php/{name}.html", big=big, session=self.session(request), **values)

    def session_data(self, request: Request) -> dict[str, Any]:
        """What the session keeps; without one, a dictionary that nobody will see again."""
        session = self.session(request)
        return session.data if session else {}

    def procedure_of(self, wizard: Wizard) -> Procedure:
        """The procedure that is being filed for."""
        procedure = self.procedures.by("id", wizard.draft.procedure)
        assert procedure is not None  # a draft is opened for a procedure that is there
        return procedure

    def wizard(self, request: Request) -> tuple[str, Wizard, Citizen] | Answer:
        """The filing that the address names by ``sid``, or the answer that says why there is none."""
        member = self.member(request)
        if member is None:
            return by_script("Hết phiên làm việc, vui lòng đăng nhập lại", f"{self.start_path}?{urlencode({self.back_field: '/'})}")
        sid = request.query.get("sid", "")
        wizard = member[0].data.get(sid)
        if not isinstance(wizard, Wizard):
            return self.notice("Phiên nộp hồ sơ (sid) không hợp lệ", session=member[0])
        return sid, wizard, member[1]

    def taken(self, request: Request, then: str, *, last: bool = False) -> tuple[str, Wizard] | Answer:
        """The filing that a posted step belongs to. The habit here: a wrong token silently starts the filing again."""
        found = self.wizard(request)
        if isinstance(found, Answer):
            return found
        sid, wizard, _ = found
        if request.form.get("sid") != sid or not self.token_holds(request.form.get("_token"), wizard.token, request.number, last=last):
            if self.has_fault("csrf_same_302", request.number):
                return by_meta("Đang tiếp nhận hồ sơ", at(then, sid)) if last else redirect(at(then, sid))
            return redirect(at("chon-truong-hop", sid))
        return sid, wizard

    def shown(self, step: str, request: Request, *, error: str = "", **values: Any) -> Answer:
        """The page of a step of the filing that the address names."""
        found = self.wizard(request)
        if isinstance(found, Answer):
            return found
        sid, wizard, citizen = found
        procedure = self.procedure_of(wizard)
        return self.own_page(
            step,
            request,
            sid=sid,
            token=wizard.token,
            citizen=citizen,
            procedure=procedure,
            error=error,
            alert=_script_text(error),
            **values,
        )


def new_token() -> str:
    """A token for the next step."""
    return secrets.token_hex(20)


def at(step: str, sid: str) -> str:
    """The address of a step."""
    return f"{WIZARD}/{step}?sid={sid}"


def onward(wizard: Wizard, step: str, sid: str) -> Answer:
    """On to the next step, which has a token of its own."""
    wizard.token = new_token()
    return redirect(at(step, sid))


def by_meta(text: str, url: str) -> Answer:
    """A page that leads on by a meta refresh."""
    return html(
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={url}"></head><body><p>{text}…</p></body></html>'
    )


def by_script(text: str, url: str) -> Answer:
    """A page that leads on by a script."""
    return html(
        f"<!DOCTYPE html><html><head><meta charset=\"utf-8\"></head><body><p>{text}</p><script>window.location.href = '{url}';</script></body></html>"
    )


def _script_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")
