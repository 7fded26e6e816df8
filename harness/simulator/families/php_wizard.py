"""The filing wizard of the older iGate: ``sid`` and a token for each step, and redirects by meta refresh or script."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from harness.simulator.cookie_portal import SESSION_LOST
from harness.simulator.dossier_store import Draft
from harness.simulator.families.server_rendered import ServerRenderedPortal
from harness.simulator.http_messages import Answer, EarlyAnswer, ReceivedRequest, html, redirect
from harness.simulator.sessions import BrowserSession, SyntheticCitizen

WIZARD = "/dich-vu-cong/tiep-nhan-online"


@dataclass(slots=True)
class Wizard:
    """One filing in progress: its draft, its chosen case, and the token of the current step."""

    draft: Draft
    token: str
    case: str = ""
    code: str = ""


class WizardPortal(ServerRenderedPortal):
    """A portal that keeps filings in the session, each under a ``sid``."""

    def notice(self, text: str, *, session: BrowserSession | None = None, status: int = 200) -> Answer:
        """A message in a box, and the same text in an alert."""
        return self.page("notice", session, status=status, text=text, alert=_script_text(text))

    def wizard(self, request: ReceivedRequest) -> tuple[str, Wizard, SyntheticCitizen]:
        """The filing that the address names by ``sid``; EarlyAnswer where there is none."""
        member = self.member(request)
        if member is None:
            raise EarlyAnswer(script_redirect(SESSION_LOST, f"{self.start_path}?{urlencode({self.back_field: '/'})}"))
        sid = request.query.get("sid", "")
        wizard = member[0].data.get(sid)
        if not isinstance(wizard, Wizard):
            raise EarlyAnswer(self.notice("Phiên nộp hồ sơ (sid) không hợp lệ", session=member[0]))
        return sid, wizard, member[1]

    def posted_step(self, request: ReceivedRequest, then: str, *, last: bool = False) -> tuple[str, Wizard]:
        """The filing of a posted step; with a wrong token EarlyAnswer silently starts the filing again."""
        sid, wizard, _ = self.wizard(request)
        right = self.token_is_valid(request.form.get("_token"), wizard.token, request.number, last=last)
        if right and request.form.get("sid") == sid:
            return sid, wizard
        if not self.has_fault("csrf_same_302", request.number):
            raise EarlyAnswer(redirect(step_url("chon-truong-hop", sid)))
        raise EarlyAnswer(meta_redirect("Đang tiếp nhận hồ sơ", step_url(then, sid)) if last else redirect(step_url(then, sid)))

    def step_page(self, step: str, request: ReceivedRequest, *, error: str = "", **values: Any) -> Answer:
        """The page of one step of the filing that the address names."""
        sid, wizard, citizen = self.wizard(request)
        values |= {"sid": sid, "token": wizard.token, "citizen": citizen, "procedure": self.procedure_of(wizard.draft)}
        return self.page(step, self.session(request), error=error, alert=_script_text(error), **values)


def new_token() -> str:
    """A token for the next step."""
    return secrets.token_hex(20)


def step_url(step: str, sid: str) -> str:
    """The address of a step."""
    return f"{WIZARD}/{step}?sid={sid}"


def next_step(wizard: Wizard, step: str, sid: str) -> Answer:
    """Redirects to the next step, which gets a new token."""
    wizard.token = new_token()
    return redirect(step_url(step, sid))


def meta_redirect(text: str, url: str) -> Answer:
    """A page that redirects by a meta refresh."""
    head = f'<head><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={url}"></head>'
    return html(f"<!DOCTYPE html><html>{head}<body><p>{text}…</p></body></html>")


def script_redirect(text: str, url: str) -> Answer:
    """A page that redirects by a script."""
    body = f"<body><p>{text}</p><script>window.location.href = '{url}';</script></body>"
    return html(f'<!DOCTYPE html><html><head><meta charset="utf-8"></head>{body}</html>')


def _script_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")
