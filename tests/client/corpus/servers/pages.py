"""The same pages as an ASGI and a WSGI application: every kind of answer that a portal gives."""

from __future__ import annotations

import gzip
import json
import zlib

PAGE = (
    "<!doctype html><title>Thủ tục hành chính</title>"
    + "".join(f"<p>Thủ tục số {n}: cấp bản sao trích lục hộ tịch</p>" for n in range(120))
).encode()
LIST = json.dumps([{"id": n, "name": f"Thủ tục {n}", "fee": n * 1000} for n in range(25)], ensure_ascii=False).encode()
HTML, JSON = ("Content-Type", "text/html; charset=utf-8"), ("Content-Type", "application/json")
PIECES = [PAGE[at : at + 1500] for at in range(0, len(PAGE), 1500)]

# path: status, fields, pieces of the body, whether its length is announced
PAGES: dict[str, tuple[int, list[tuple[str, str]], list[bytes], bool]] = {
    "/": (200, [HTML], [PAGE], True),
    "/list": (200, [JSON], [LIST], True),
    "/streamed": (200, [HTML], PIECES, False),
    "/one-piece-streamed": (200, [JSON], [LIST], False),
    "/empty": (200, [HTML], [b""], True),
    "/empty-streamed": (200, [HTML], [], False),
    "/nothing": (204, [], [], False),
    "/unchanged": (304, [("ETag", '"1"')], [], False),
    "/moved": (301, [HTML, ("Location", "/")], [b"moved"], True),
    "/found": (302, [HTML, ("Location", "/list?a=1&b=2"), ("Set-Cookie", "sid=0123456789abcdef; Path=/; HttpOnly; SameSite=Lax")], [b""], True),
    "/see-other": (303, [("Location", "/receipt/H00.01-000101-0001")], [b""], True),
    "/again": (307, [("Location", "/")], [b""], True),
    "/for-good": (308, [("Location", "/")], [b""], True),
    "/bad": (400, [JSON], [b'{"error": "b\xe1\xba\xaft bu\xe1\xbb\x99c"}'], True),
    "/who": (401, [("WWW-Authenticate", 'Bearer realm="portal", error="invalid_token"')], [b"who are you"], True),
    "/no": (403, [HTML], [b"<h1>403</h1>"], True),
    "/gone": (410, [HTML], [b"gone"], True),
    "/busy": (429, [("Retry-After", "30")], [b"slow down"], True),
    "/broken": (500, [HTML], [b"<h1>500</h1>"], True),
    "/closed": (503, [("Retry-After", "120"), HTML], ["<h1>Hệ thống bảo trì</h1>".encode()], True),
    "/odd-status": (299, [HTML], [b"odd"], True),
    "/cookies": (200, [HTML, ("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Expires=Wed, 21 Oct 2037 07:28:00 GMT; Path=/form"), ("Set-Cookie", "c=; Max-Age=0")], [b"three"], True),
    "/many-fields": (200, [(f"X-Field-{n}", "x" * n) for n in range(80)], [b"many"], True),
    "/long-field": (200, [("Content-Security-Policy", "default-src 'self'; " * 300)], [b"long"], True),
    "/attachment": (200, [("Content-Type", "application/pdf"), ("Content-Disposition", "attachment; filename*=UTF-8''bi%C3%AAn%20nh%E1%BA%ADn.pdf")], [b"%PDF-1.4\n" + bytes(range(256)) * 8], True),
    "/gzip": (200, [HTML, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")], [gzip.compress(PAGE, mtime=0)], True),
    "/gzip-streamed": (200, [HTML, ("Content-Encoding", "gzip")], [gzip.compress(PAGE, mtime=0)[at : at + 97] for at in range(0, len(gzip.compress(PAGE, mtime=0)), 97)], False),
    "/deflate": (200, [HTML, ("Content-Encoding", "deflate")], [zlib.compress(PAGE)], True),
    "/identity": (200, [HTML, ("Content-Encoding", "identity")], [b"as it is"], True),
    "/empty-field": (200, [("X-Empty", ""), HTML], [b"empty field"], True),
    "/latin": (200, [("X-Latin", "caf\xe9")], [b"latin-1"], True),
    "/closing": (200, [HTML, ("Connection", "close")], [b"bye"], True),
}  # fmt: skip
REASONS = {200: "OK", 204: "No Content", 299: "Odd", 304: "Not Modified"}


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError(f"only HTTP is answered, no {scope['type']}")  # uvicorn then goes on without a lifespan
    status, fields, pieces, announced = PAGES.get(scope["path"], (404, [HTML], ["<h1>Không tìm thấy</h1>".encode()], True))
    while (await receive()).get("more_body"):
        pass
    fields = [*fields, ("Content-Length", str(sum(map(len, pieces))))] if announced else fields
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in fields],
        }
    )
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def wsgi(environ, start_response):
    status, fields, pieces, announced = PAGES.get(environ["PATH_INFO"], (404, [HTML], ["<h1>Không tìm thấy</h1>".encode()], True))
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    fields = [*fields, ("Content-Length", str(sum(map(len, pieces))))] if announced else list(fields)
    if "wsgiref" in environ.get("SERVER_SOFTWARE", "") or "WSGIServer" in environ.get("SERVER_SOFTWARE", ""):
        fields = [(name, value) for name, value in fields if name != "Connection"]  # it refuses hop-by-hop fields
    start_response(f"{status} {REASONS.get(status, 'Status')}", fields)
    return iter(pieces)
