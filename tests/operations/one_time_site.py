"""A small portal whose every value holds once: a login with the code behind #, a token in a header, a ticket in an address, a poll."""

from __future__ import annotations

import json
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx


class OneTimeSite(ThreadingHTTPServer):
    """Values are handed out once and taken once; ``filed`` are the dossiers that came through."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"
        self.open: set[str] = set()
        self.states: dict[str, int] = {}
        self.filed: list[str] = []

    def give(self, kind: str) -> str:
        value = f"{kind}-{secrets.randbelow(10**9):09}-x"
        self.open.add(value)
        return value

    def takes(self, kind: str, value: str) -> bool:
        known = value.startswith(f"{kind}-") and value in self.open
        self.open.discard(value)
        return known


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: OneTimeSite

    def _answer(self) -> None:
        site, parts = self.server, urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("content-length") or 0)).decode("utf-8", errors="replace")
        asked, form = parse_qs(parts.query), parse_qs(text)
        match parts.path.strip("/").split("/"):
            case ["app"]:
                self._send(f'<meta name="csrf" content="{site.give("csrf")}"><h1>Cổng</h1>')
            case ["realms", "auth"]:
                action = f"/realms/login?execution={site.give('execution')}&amp;state={asked['state'][0]}"
                self._send(
                    f'<h1>Vào</h1><form id="kc" method="post" action="{action}"><input name="u"><input name="p" type="password"></form>'
                )
            case ["realms", "login"] if site.takes("execution", asked["execution"][0]) and form["p"]:
                self._send("", 302, Location=f"/app#state={asked['state'][0]}&code={site.give('code')}")
            case ["realms", "token"] if site.takes("code", form["code"][0]):
                self._send({"access_token": site.give("bearer"), "expires_in": 300})
            case ["api", "ho-so"] if self._is_allowed():
                self._send({"hoSo": {"ma": site.give("file"), "taiLen": f"/tai-len/{site.give('ticket')}"}})
            case ["tai-len", ticket] if site.takes("ticket", ticket) and text:
                self._send({"ok": True})
            case ["api", "tt", file] if file in site.open:
                site.states[file] = site.states.get(file, 0) + 1
                self._send({"tt": "xong" if site.states[file] == 3 else "cho"})
            case ["soap"] if site.takes("file", text.partition("<ma>")[2].partition("</ma>")[0]) and self.headers["SOAPAction"] == '"nop"':
                site.filed.append(f"H08.12-261126-{len(site.filed) + 1:04}")
                self._send(f"<kq><ma>{site.filed[-1]}</ma></kq>", kind="text/xml; charset=utf-8")
            case ["tra-cuu", code] if code in site.filed:
                self._send(f"<h1>Hồ sơ</h1><p id=ma>{code}</p>")
            case _:
                self._send("<h1>Không hợp lệ</h1>", 400)

    def _is_allowed(self) -> bool:
        bearer = self.headers["Authorization"].removeprefix("Bearer ")
        return self.server.takes("csrf", self.headers["RequestVerificationToken"]) and self.server.takes("bearer", bearer)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815  (the library's names)

    def _send(self, body: Any, status: int = 200, *, kind: str = "", **headers: str) -> None:
        raw = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind or ("text/html; charset=utf-8" if isinstance(body, str) else "application/json"))
        self.send_header("Content-Length", str(len(raw)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_args: object) -> None:
        pass


def recorded_walk(site: OneTimeSite) -> dict[str, Any]:
    """A HAR of one walk, as Chrome's network panel writes it."""
    entries: list[dict[str, Any]] = []
    with httpx.Client(trust_env=False) as client:

        def ask(method: str, path: str, text: str = "", kind: str = "fetch", **headers: str) -> httpx.Response:
            url = site.origin + path
            answer = client.request(method, url, content=text.encode() or None, headers=headers)
            posted = {"postData": {"mimeType": headers.get("Content-Type", ""), "text": text}} if text else {}
            content = {"mimeType": answer.headers["content-type"].partition(";")[0], "text": answer.text}
            response = {"status": answer.status_code, "redirectURL": answer.headers.get("location", ""), "content": content}
            for part, fields in ((posted, headers), (response, answer.headers)):
                part["headers"] = [{"name": name, "value": value} for name, value in fields.items()]
            request = {"method": method, "url": url, **posted}
            moment = f"2026-11-26T01:00:{len(entries) // 10:02}.{len(entries) % 10}00Z"
            entries.append({"startedDateTime": moment, "_resourceType": kind, "request": request, "response": response})
            return answer

        def between(text: str, before: str, after: str = '"') -> str:
            return text.partition(before)[2].partition(after)[0]

        urlencoded = {"Content-Type": "application/x-www-form-urlencoded"}
        csrf = between(ask("GET", "/app", kind="document").text, 'content="')
        login = ask("GET", "/realms/auth?client_id=spa&state=st-4455-aa&response_mode=fragment", kind="document").text
        back = ask("POST", between(login, 'action="').replace("&amp;", "&"), "u=thu&p=Mat-Khau-Thu-1", "document", **urlencoded).headers[
            "location"
        ]
        csrf = between(ask("GET", "/app", kind="document").text, 'content="') or csrf
        token = ask("POST", "/realms/token", f"grant_type=authorization_code&code={back.partition('code=')[2]}", **urlencoded).json()
        allowed = {"Authorization": f"Bearer {token['access_token']}", "RequestVerificationToken": csrf, "Content-Type": "application/json"}
        file = ask("POST", "/api/ho-so", '{"ten": "Nguyễn Thử"}', **allowed).json()["hoSo"]
        ask("PUT", file["taiLen"], "%PDF-1.4", **{"Content-Type": "application/pdf"})
        for _ in range(3):
            ask("GET", f"/api/tt/{file['ma']}")
        xml = f"<nop><ma>{file['ma']}</ma></nop>"
        code = between(
            ask("POST", "/soap", xml, **{"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"nop"'}).text, "<kq><ma>", "<"
        )
        ask("GET", f"/tra-cuu/{code}", kind="document")
    return {"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "entries": entries}}
