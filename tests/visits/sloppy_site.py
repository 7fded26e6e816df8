"""A sloppy web site on loopback, and profiles of a few lines for it."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from harness.catalog.platform import Platform
from harness.profiles import CompiledPlatform, compile_platform
from harness.profiles.functions import FUNCTIONS


class Site(ThreadingHTTPServer):
    """Answers by path; remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"
        self.polls = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def log_message(self, *_: Any) -> None:
        return

    def do_GET(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    do_PUT = do_POST  # noqa: N815  (named by http.server)

    def answer(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.command, self.path, headers, body))
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        status, fields, text = 200, {"Content-Type": "text/html; charset=utf-8"}, f"<p id=path>{path}</p>"
        if path == "/redirect":
            status, fields["Location"], text = int(query["status"][0]), query["to"][0], ""
        elif path == "/meta":
            text = "<meta http-equiv=refresh content='0;url=/script'>"
        elif path == "/wait":
            text = "<body><p>Xin chờ<meta http-equiv=refresh content='2;url=/end'>"
        elif path == "/header":
            fields["Refresh"] = "0;url=/wait"
        elif path == "/session":
            text = (
                "<meta http-equiv=refresh content='1200;url=/ended'><noscript><meta http-equiv=refresh content='0;url=/no-js'></noscript>"
            )
        elif path == "/script":
            text = "<script>location.href='/end'</script>"
        elif path == "/token":
            fields["Content-Type"], text = "application/json", f'{{"token": "{query["as"][0]}"}}'
        elif path == "/deep":
            text = "<div>" * 1_000
        elif path == "/loop":
            status, fields["Location"] = 302, "/loop"
        elif path == "/poll":
            self.server.polls += 1
            fields["Content-Type"], text = "application/json", '{"state": "%s"}' % ("done" if self.server.polls >= 3 else "busy")
        elif path == "/set-cookie":
            fields["Set-Cookie"] = "who=citizen; Path=/"
        elif path == "/who":
            text = f"<p id=who>{headers.get('cookie', 'nobody')}</p>"
        elif path == "/assets":
            text = "<link rel=stylesheet href=/a.css><script src=a.js></script><img src=/gone.png><img src=data:x><img src='http://203.0.113.1/x.png'><a href=/no>"
        elif path == "/a.css":
            fields["Content-Type"], text = "text/css", "body { background: url('/bg.svg') }"
        elif path == "/gone.png":
            status = 404
        elif path.startswith("/sold-out"):
            status, text = int(query.get("status", ["200"])[0]), "<p id=het>Đã hết vé.</p>"
            if path.endswith(".json"):
                fields["Content-Type"], text = "application/json", '{"error": "sold out"}'
        elif path == "/busy":
            status = 503
        raw = text.encode()
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def platform(steps: str, gives: str = "{procedure: '1'}", more: str = "") -> CompiledPlatform:
    absent = ", ".join(f"{goal}: none here" for goal in ("file", "pay", "track", "withdraw"))
    text = f"""
id: site
name_vi: x
name_en: x
known_from: {{source: a test}}
absent: {{{absent}}}
{more}
goals:
  find:
    gives: {gives}
    steps:
{steps}"""
    return compile_platform(Platform.model_validate(yaml.safe_load(text)), FUNCTIONS)


def requests(*lines: str) -> str:
    return "\n".join(["      - step: search", "        requests:", *(f"          - {line}" for line in lines)])


def paths(site: Site) -> list[str]:
    return [path for _, path, _, _ in site.asked]
