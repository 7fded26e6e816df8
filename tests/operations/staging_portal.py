"""A vendor's staging: a small portal that logs in by OpenID Connect and pays at a gateway, as it is told where these are."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from tests.html_site import HtmlHandler

ID = "staging-a"


class StagingPortal(ThreadingHTTPServer):
    """``told``: what `harness simulate --stand-in` prints; ``filed``: the dossiers by code, each with owner and payment."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"
        self.told: dict[str, dict[str, str]] = {}
        self.filed: dict[str, dict[str, str]] = {}
        self.states: set[str] = set()
        self.citizens: dict[str, str] = {}

    def authorize(self) -> str:
        identity, state = self.told["identity"], secrets.token_hex(8)
        self.states.add(state)
        query = {
            "response_type": "code", "client_id": identity["client_id"], "redirect_uri": identity["redirect_uri"], "scope": "openid",
            "acr_values": "LoA1", "state": state,
        }  # fmt: skip
        return f"{identity['authorization_endpoint']}?{urlencode(query)}"

    def citizen_of(self, code: str) -> str:
        """The name of the citizen, from an ID token whose signature is checked."""
        identity = self.told["identity"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": identity["redirect_uri"]}
        answer = httpx.post(identity["token_endpoint"], data=form, auth=(identity["client_id"], identity["client_secret"]), trust_env=False)
        head, body, signature = answer.raise_for_status().json()["id_token"].split(".")
        right = hmac.digest(identity["client_secret"].encode(), f"{head}.{body}".encode(), hashlib.sha256)
        assert base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)) == right
        return str(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["name"])

    def payment_url(self, code: str) -> str:
        payment = self.told["payment"]
        order: dict[str, Any] = {
            "client_id": payment["client_id"], "transaction_id": code[-12:], "trans_amount": 50_000, "command": "PAY", "version": "3.0",
            "currency": "VND", "bill_info": {"MaHoSo": code}, "return_url": f"{self.origin}/ho-so/{code}", "addition_fee": 0,
        }  # fmt: skip
        order["check_sum"] = self.signed(order, payment["signed_to_create"])
        return str(httpx.post(payment["create"], json=order, trust_env=False).json()["payment_url"])

    def signed(self, fields: dict[str, Any], names: str) -> str:
        text = "|".join(str(fields[name]) for name in names.split())
        return hmac.new(self.told["payment"]["secret"].encode(), text.encode(), hashlib.sha256).hexdigest()


class _Handler(HtmlHandler):
    server: StagingPortal

    def _answer(self) -> None:
        site, parts = self.server, urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        citizen = site.citizens.get((self.headers.get("cookie") or "").partition("sid=")[2], "")
        match [self.command, *parts.path.strip("/").split("/")]:
            case ["GET", "thu-tuc"]:
                self.answer("<h1>Cấp bản sao</h1><a id=nop href=/dang-nhap>Nộp</a>")
            case ["GET", "dang-nhap"]:
                self.answer("", 302, Location=site.authorize())
            case ["GET", "dang-nhap", "xong"] if query["state"] in site.states:
                sid = secrets.token_hex(8)
                site.citizens[sid] = site.citizen_of(query["code"])
                self.answer("", 302, Location="/don", Set_Cookie=f"sid={sid}; Path=/")
            case ["GET", "don"] if citizen:
                self.answer(f"<p id=ai>{citizen}</p><form id=don method=post action=/don><input name=noi_dung></form>")
            case ["POST", "don"] if citizen:
                code = f"H08.12-261126-{len(site.filed) + 1:04}"
                site.filed[code] = {"owner": citizen, "paid": "no"}
                self.answer(f"<p id=ma>{code}</p><form id=tra method=post action=/tra/{code}></form>")
            case ["POST", "tra", code] if site.filed[code]["owner"] == citizen:
                self.answer("", 302, Location=site.payment_url(code))
            case ["POST", "ket-qua"]:
                said = json.loads(text)
                right = said["check_sum"] == site.signed(said, site.told["payment"]["signed_callback"])
                for code in site.filed if right and said["status"] == "1" else ():
                    if code.endswith(said["transaction_id"]):
                        site.filed[code]["paid"] = "yes"
                self.answer(json.dumps({"return_code": "00" if right else "97"}))
            case ["GET", "ho-so", code] if code in site.filed:
                self.answer(f"<p id=ma>{code}</p><p id=phi>{'Đã thanh toán' if site.filed[code]['paid'] == 'yes' else 'Chưa'}</p>")
            case _:
                self.answer("<h1>Không được phép</h1>", 403)

    do_GET = do_POST = _answer  # noqa: N815  (the library's names)


PROFILE: dict[str, Any] = {
    "id": "staging-pages", "name_vi": "Bản thử", "name_en": "A staging", "known_from": {"source": "made up for a test", "basis": "assumed"},
    "origins": ["portal", "identity", "payment"], "absent": {"withdraw": "nothing is kept"},
    "goals": {
        "find": {
            "steps": [{"step": "search", "requests": [{"get": "{{ origin.portal }}/thu-tuc", "expect": {"require_selector": "a#nop"}}]}],
            "gives": {"procedure": "{{ page.url }}"},
        },
        "file": {
            "steps": [
                {"step": "log_in", "requests": [
                    {"get": "{{ origin.portal }}/dang-nhap", "expect": {"require_selector": "form#dang-nhap"}},
                    {"post": "{{ form.action }}", "form": {"from_page": "form#dang-nhap", "set": {
                        "so_dinh_danh": "{{ person.citizen_number }}", "ho_ten": "{{ person.name }}", "mat_khau": "{{ person.password }}"}},
                     "expect": {"require_text": "{{ person.name }}", "require_selector": "form#don"}},
                ]},
                {"step": "submit", "requests": [
                    {"post": "{{ form.action }}", "form": {"from_page": "form#don", "set": {"noi_dung": "{{ dossier.note }}"}},
                     "extract": {"receipt": {"css": "#ma"}}, "receipt": {"code": "{{ receipt }}"}}]},
            ],
            "gives": {"receipt": "{{ receipt }}"},
        },
        "pay": {
            "steps": [{"step": "pay", "requests": [
                {"post": "{{ form.action }}", "form": {"from_page": "form#tra"}, "expect": {"require_text": "{{ receipt }}", "require_selector": "form#thanh-toan"}}]},
                {"step": "confirm_payment", "requests": [
                    {"post": "{{ form.action }}", "form": {"from_page": "form#thanh-toan", "choose": {"ngan_hang": {"pick": "random"}}},
                     "expect": {"require_text": ["{{ receipt }}", "Đã thanh toán"]}, "receipt": {"code": "{{ receipt }}", "kind": "payment"}}]}],
            "gives": {"payment": "{{ receipt }}"},
        },
        "track": {
            "steps": [{"step": "track", "actor": "tracker", "requests": [
                {"get": "{{ origin.portal }}/ho-so/{{ receipt }}", "expect": {"require_text": "{{ receipt }}"}, "confirms": {"code": "{{ receipt }}"}}]}],
            "gives": {"status": "{{ receipt }}"},
        },
    },
}  # fmt: skip
