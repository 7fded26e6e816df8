"""A small ticket office: search, log in, file, look up, close. It has no dossier codes, and pages with several forms."""

from __future__ import annotations

import html
import re
import secrets
import threading
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from tests.html_site import HtmlHandler

ACCOUNTS = {"an": "mot-hai-ba", "binh": "bon-nam-sau"}
SEARCHED, TITLE, NOTE, MAIL = "printer", "Heating in room 12", "Cold since Monday.", "someone@company.example"
URLENCODED = "application/x-www-form-urlencoded"


class TicketSite(ThreadingHTTPServer):
    """``tickets`` by number: title, mail, and whether it is closed."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"
        self.tickets: dict[int, dict[str, Any]] = {
            number: {"title": f"The {SEARCHED} number {number} is empty", "mail": "", "closed": False} for number in (1, 2)
        }
        self.sessions: dict[str, str] = {}
        self.lock = threading.Lock()


class _Handler(HtmlHandler):
    server: TicketSite

    def _answer(self) -> None:
        site, parts = self.server, urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        form = {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
        user = site.sessions.get(re.sub(r".*sid=", "", self.headers.get("cookie") or ""), "")
        match [self.command, *parts.path.strip("/").split("/")]:
            case ["GET", ""]:
                self._page(user, "Tickets", self._list(parse_qs(parts.query).get("q", [""])[0]))
            case ["GET", "ticket", number] if int(number) in site.tickets:
                self._page(user, f"Ticket {number}", self._ticket(int(number), user))
            case ["GET", "new"] if user:
                self._page(user, "New ticket", '<form method="post" action="/new" id="new"><input name="title"><input name="mail" type="email">'
                           '<textarea name="description"></textarea><button name="go" value="1">File</button></form>')  # fmt: skip
            case ["POST", "login"] if ACCOUNTS.get(form["user_name"]) == form["password"]:
                sid = secrets.token_hex(8)
                site.sessions[sid] = form["user_name"]
                self.answer("", 302, Location="/", Set_Cookie=f"sid={sid}")
            case ["POST", "new"] if user and form.get("preview"):
                self.answer(f"<div><h3>{html.escape(form['title'])}</h3></div>")  # no page: a script puts it beside the form
            case ["POST", "new"] if user and form["title"] and form["go"]:
                with site.lock:
                    number = len(site.tickets) + 1
                    site.tickets[number] = {"title": form["title"], "mail": form["mail"], "closed": False}
                self.answer("", 302, Location=f"/ticket/{number}")
            case ["POST", "ticket", number] if user and form["state"] == "closed":
                site.tickets[int(number)]["closed"] = True
                self.answer("", 302, Location=f"/ticket/{number}")
            case _:
                self.answer("<title>No</title><h1>Not permitted</h1>", 403)

    do_GET = do_POST = _answer  # noqa: N815  (the library's names)

    def _page(self, user: str, title: str, body: str) -> None:
        login = f"<p>{user}</p><a href=/new>New ticket</a>" if user else (
            '<form method="post" action="/login"><input name="user_name"><input name="password" type="password"></form>'
        )  # fmt: skip
        search = '<form action="/"><input name="q"></form>'
        self.answer(f"<title>{title} – Ticket office</title><h1>{title}</h1><a href=/>All</a>{search}{login}{body}")

    def _list(self, words: str) -> str:
        rows = (
            f"<tr><td>{number}</td><td><a href=/ticket/{number}>{html.escape(ticket['title'])}</a></td></tr>"
            for number, ticket in self.server.tickets.items()
            if words.lower() in ticket["title"].lower() and not ticket["closed"]
        )
        return f"<table id=list>{''.join(rows)}</table>"

    def _ticket(self, number: int, user: str) -> str:
        ticket = self.server.tickets[number]
        close = f'<form method="post" action="/ticket/{number}" id="edit"><select name="state"><option>open<option>closed</select></form>'
        return f"<h2>{html.escape(ticket['title'])}</h2><p>{'closed' if ticket['closed'] else 'open'}</p>{close if user else ''}"


def recorded_visit(site: TicketSite) -> dict[str, Any]:
    """A HAR of one visit, as Chrome's network panel writes it."""
    entries: list[dict[str, Any]] = []
    with httpx.Client(trust_env=False) as client:

        def ask(method: str, path: str, form: dict[str, str] | None = None, *, kind: str = "document") -> None:
            answer = client.request(method, site.origin + path, data=form)
            posted = {"postData": {"mimeType": URLENCODED, "text": urlencode(form)}} if form else {}
            location = answer.headers.get("location", "")
            entries.append({
                "startedDateTime": f"2026-11-25T02:00:{len(entries):02}.000Z", "_resourceType": kind,
                "request": {"method": method, "url": site.origin + path, "headers": [], **posted},
                "response": {
                    "status": answer.status_code, "redirectURL": location, "headers": [{"name": n, "value": v} for n, v in answer.headers.items()],
                    "content": {"mimeType": "text/html", "text": answer.text if kind == "document" else ""},  # browsers may drop it
                },
            })  # fmt: skip
            if location:
                ask("GET", location)

        ask("GET", "/")
        ask("GET", f"/?q={SEARCHED}")
        ask("GET", "/ticket/1")
        ask("POST", "/login", {"user_name": "an", "password": ACCOUNTS["an"]})
        ask("GET", "/new")
        ask("POST", "/new", {"title": TITLE, "mail": MAIL, "description": NOTE, "preview": "1"}, kind="xhr")
        ask("POST", "/new", {"title": TITLE, "mail": MAIL, "description": NOTE, "go": "1"})
        ask("GET", "/")
        ask("GET", f"/ticket/{len(site.tickets)}")
        ask("POST", f"/ticket/{len(site.tickets)}", {"state": "closed"})
    return {"log": {"entries": entries}}
