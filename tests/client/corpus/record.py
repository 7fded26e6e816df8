"""Records what real servers send, as raw bytes: ``python -m tests.client.corpus.record`` (from the root of the checkout).

Needs, beside the development environment: nginx-light, apache2, php-cli, nodejs, jetty9 (Debian), and gunicorn (PyPI) on
PYTHONPATH. A server that is not installed is named and left out. Everything listens on loopback, on ports that the
kernel picked. Bytes go to ``corpus.jsonl.xz``; a recording is a line: server, name, method, bytes of the answer (base64),
and whether the server closed the connection after it.
"""

from __future__ import annotations

import base64
import gzip
import json
import lzma
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.client.corpus.servers.pages import LIST, PAGE, PAGES

HERE = Path(__file__).parent
CORPUS = HERE / "corpus.jsonl.xz"
SILENCE_S = 0.4  # an answer that has been silent for so long has ended

Request = tuple[str, str, bytes]  # name, method, bytes


def get(path: str, *fields: str, method: str = "GET", version: str = "1.1", body: bytes = b"") -> Request:
    lines = [f"{method} {path} HTTP/{version}", "Host: portal.test", *fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    name = " ".join([method, path, *fields, *(["HTTP/1.0"] if version == "1.0" else [])])
    return name[:100], method, "\r\n".join([*lines, "", ""]).encode() + body


GZIP = "Accept-Encoding: gzip, deflate"
FORM = "Content-Type: application/x-www-form-urlencoded"
FOR_STATIC = [
    *(get(path) for path in ("/", "/page.html", "/list.json", "/empty.txt", "/logo.png", "/large.txt", "/missing", "/folder", "/folder/", "/t%E1%BB%87p.txt", "/%2e%2e/x", "/page.html?a=b")),
    *(get(path, GZIP) for path in ("/page.html", "/list.json", "/large.txt", "/logo.png")),
    *(get(path, method="HEAD") for path in ("/page.html", "/missing", "/folder", "/large.txt")),
    get("/page.html", GZIP, method="HEAD"),
    get("/page.html", version="1.0"),
    get("/page.html", "Connection: keep-alive", version="1.0"),
    get("/page.html", GZIP, version="1.0"),
    get("/missing", version="1.0"),
    get("/page.html", "Connection: close"),
    get("/page.html", "If-Modified-Since: Fri, 31 Dec 2037 23:59:59 GMT"),
    get("/page.html", "If-None-Match: *"),
    get("/page.html", 'If-Match: "never"'),
    get("/page.html", "Range: bytes=0-99"),
    get("/page.html", "Range: bytes=-10"),
    get("/page.html", "Range: bytes=0-9,20-29"),
    get("/page.html", "Range: bytes=9999999-"),
    get("/page.html", method="OPTIONS"),
    get("/page.html", method="TRACE"),
    get("/page.html", FORM, method="POST", body=b"a=b"),
    get("/page.html", method="DELETE"),
    get("/page.html", method="BREW"),
    get("/page.html", "Expect: 100-continue", FORM, method="POST", body=b"a=b"),
    ("no host", "GET", b"GET / HTTP/1.1\r\n\r\n"),
    ("bad version", "GET", b"GET / HTTP/3.7\r\nHost: a\r\n\r\n"),
    ("bad request line", "GET", b"GET  /\r\nHost: a\r\n\r\n"),
    ("too long a line", "GET", b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("too long a field", "GET", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20000 + b"\r\n\r\n"),
]  # fmt: skip
FOR_PAGES = [
    *(get(path) for path in PAGES),
    get("/missing"),
    *(get(path, method="HEAD") for path in ("/", "/streamed", "/missing", "/gzip")),
    *(get(path, version="1.0") for path in ("/", "/streamed", "/found")),
    get("/", "Connection: keep-alive", version="1.0"),
    get("/", FORM, "Expect: 100-continue", method="POST", body=b"a=b"),
    get("/list", FORM, method="PUT", body=b"a=b"),
    get("/streamed", "Connection: close"),
    ("bad request line", "GET", b"GET\r\n\r\n"),
    ("bad length", "POST", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"),
]
NODE = ("/", "/chunks", "/written-head", "/trailers", "/early-hints", "/processing", "/gzip", "/br", "/deflate", "/raw-deflate", "/gzip-stream", "/nothing", "/unchanged", "/redirect", "/error", "/close", "/no-date", "/large", "/large-chunks", "/until-close", "/missing")  # fmt: skip
FOR_NODE = [
    *(get(path) for path in NODE),
    *(get(path, method="HEAD") for path in ("/", "/chunks", "/gzip")),
    *(get(path, version="1.0") for path in ("/", "/chunks", "/until-close")),
    get("/chunks", "Connection: keep-alive", version="1.0"),
    get("/", FORM, "Expect: 100-continue", method="POST", body=b"a=b"),
    ("bad request", "GET", b"rubbish\r\n\r\n"),
]
PHP = ("/", "/length", "/session", "/cookies", "/json", "/redirect", "/gone", "/teapot", "/gzip", "/flush", "/nothing", "/warning", "/error", "/download", "/static.txt", "/missing")  # fmt: skip
FOR_PHP = [
    *(get(path) for path in PHP),
    get("/gzip", GZIP),
    *(get(path, method="HEAD") for path in ("/", "/length")),
    *(get(path, version="1.0") for path in ("/", "/flush")),
    get("/", FORM, method="POST", body=b"a=b"),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ask(port: int, request: bytes) -> tuple[bytes, bool]:
    """The bytes that came back, and whether the server closed afterwards."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(request)
        sock.settimeout(5)
        answer = b""
        while True:
            try:
                data = sock.recv(65536)
            except TimeoutError:
                return answer, False
            except ConnectionResetError:
                return answer, True
            if not data:
                return answer, True
            answer += data
            sock.settimeout(SILENCE_S)


@contextmanager
def running(command: list[str], port: int, **settings) -> Iterator[int]:
    """The server while it is up; ended by its process id."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **settings)
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def lay_out(root: Path) -> None:
    """The files that the static servers serve."""
    files = {
        "index.html": PAGE, "page.html": PAGE, "list.json": LIST, "empty.txt": b"", "large.txt": b"0123456789abcdef" * 8192,
        "logo.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "tệp.txt": "tệp".encode(), "folder/a.txt": b"a", "folder/b.txt": b"b",
        "static.txt": b"static", "page.html.gz": gzip.compress(PAGE, mtime=0),
    }  # fmt: skip
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
        os.utime(root / name, (1_700_000_000, 1_700_000_000))


NGINX = """daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{}}
http {{
  access_log off; default_type text/plain; types {{ text/html html; application/json json; image/png png; text/plain txt; }}
  client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c; uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;
  server {{ listen 127.0.0.1:{port}; root {root}; gzip on; gzip_types application/json text/plain; autoindex on;
    location /moved {{ return 301 /page.html; }} location /text {{ return 200 "text\\n"; }} location /closed {{ return 444; }}
    location /limited {{ client_max_body_size 1; }} location /up/ {{ proxy_pass http://127.0.0.1:{upstream}/; proxy_http_version 1.1; }}
    location /down/ {{ proxy_pass http://127.0.0.1:1/; }} error_page 404 /page.html; }}
}}"""
APACHE = """ServerRoot {dir}
ServerName portal.test
Listen 127.0.0.1:{port}
PidFile {dir}/apache.pid
ErrorLog {dir}/error.log
DocumentRoot {root}
{modules}
TypesConfig /etc/mime.types
DirectoryIndex index.html
AddOutputFilterByType DEFLATE text/html application/json
AddType application/json .json
AddHandler cgi-script .cgi
Redirect 303 /moved /page.html
<Directory {root}>
  Options Indexes ExecCGI
  Require all granted
</Directory>
<Location /secret>
  Require all denied
</Location>"""
APACHE_MODULES = ("mpm_event", "authz_core", "dir", "mime", "filter", "deflate", "autoindex", "alias", "cgid", "headers")
CGI = b"#!/bin/sh\nprintf 'Content-Type: text/plain\\nX-From: cgi\\nSet-Cookie: a=1\\n\\nline\\n'\n"


def nginx(scratch: Path, root: Path) -> Iterator[tuple[str, list[Request], int]]:
    upstream, port = free_port(), free_port()
    (scratch / "nginx.conf").write_text(NGINX.format(dir=scratch, root=root, port=port, upstream=upstream))
    more = [
        get(path) for path in ("/moved", "/text", "/down/", "/up/", "/up/streamed", "/up/found", "/up/gzip", "/up/nothing", "/up/broken")
    ]
    more += [get("/limited", method="POST", body=b"too large"), get("/up/streamed", GZIP), get("/up/streamed", version="1.0")]
    with running(uvicorn(upstream), upstream), running(["nginx", "-c", str(scratch / "nginx.conf"), "-p", str(scratch)], port):
        yield "nginx", FOR_STATIC + more, port


def apache(scratch: Path, root: Path) -> Iterator[tuple[str, list[Request], int]]:
    port = free_port()
    (root / "script.cgi").write_bytes(CGI)
    (root / "script.cgi").chmod(0o755)
    modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in APACHE_MODULES)
    (scratch / "apache.conf").write_text(APACHE.format(dir=scratch, root=root, port=port, modules=modules))
    more = [get("/script.cgi"), get("/script.cgi", version="1.0"), get("/secret"), get("/moved"), get("/moved", method="HEAD")]
    with running(["apache2", "-f", str(scratch / "apache.conf"), "-DFOREGROUND"], port):
        yield "apache", FOR_STATIC + more, port


def jetty(scratch: Path, root: Path) -> Iterator[tuple[str, list[Request], int]]:
    port = free_port()
    base = scratch / "jetty"
    shutil.copytree(root, base / "webapps" / "ROOT")
    start = ["java", "-Djava.io.tmpdir=" + str(scratch), "-jar", "/usr/share/jetty9/start.jar"]
    start += ["jetty.home=/usr/share/jetty9", f"jetty.base={base}", "--module=http,deploy,gzip"]
    with running([*start, "jetty.http.host=127.0.0.1", f"jetty.http.port={port}"], port, cwd=base):
        time.sleep(3)  # it listens before the application is there
        yield "jetty", FOR_STATIC, port


def uvicorn(port: int, *options: str) -> list[str]:
    return [sys.executable, "-m", "uvicorn", "--no-access-log", "--port", str(port), *options, "tests.client.corpus.servers.pages:asgi"]


def others(scratch: Path, root: Path) -> Iterator[tuple[str, list[Request], int]]:
    """Servers that need no configuration."""
    wsgi = "tests.client.corpus.servers.pages:wsgi"
    one_line = "from wsgiref.simple_server import make_server; from tests.client.corpus.servers.pages import wsgi; make_server('127.0.0.1', {}, wsgi).serve_forever()"
    php = ["php", "-d", "variables_order=EGPCS", "-t", str(root), str(HERE / "servers" / "pages.php")]
    for name, requests, command in (
        ("uvicorn-httptools", FOR_PAGES, lambda port: uvicorn(port, "--http", "httptools")),
        ("uvicorn-h11", FOR_PAGES, lambda port: uvicorn(port, "--http", "h11")),
        ("gunicorn", FOR_PAGES, lambda port: [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "--threads", "2", wsgi]),
        ("wsgiref", FOR_PAGES, lambda port: [sys.executable, "-c", one_line.format(port)]),
        ("node", FOR_NODE, lambda port: ["node", str(HERE / "servers" / "pages.js"), str(port)]),
        ("php", FOR_PHP, lambda port: ["php", "-S", f"127.0.0.1:{port}", *php[1:]]),
        ("http.server", FOR_STATIC, lambda port: [sys.executable, "-m", "http.server", "-b", "127.0.0.1", "-d", str(root), str(port)]),
        ("http.server-1.1", FOR_STATIC, lambda port: [sys.executable, "-m", "http.server", "-p", "HTTP/1.1", "-b", "127.0.0.1", "-d", str(root), str(port)]),
    ):  # fmt: skip
        port = free_port()
        with running(command(port), port):
            yield name, requests, port


def main() -> None:
    lines, seen = [], set()
    with tempfile.TemporaryDirectory() as folder:
        scratch, root = Path(folder), Path(folder) / "root"
        scratch.chmod(0o755)
        lay_out(root)
        for source in (nginx, apache, jetty, others):
            try:
                for server, requests, port in source(scratch, root):
                    before = len(lines)
                    for name, method, request in requests:
                        answer, closed = ask(port, request)
                        if answer and (server, method, answer) not in seen:
                            seen.add((server, method, answer))
                            lines.append(
                                {
                                    "server": server,
                                    "name": name,
                                    "method": method,
                                    "closed": closed,
                                    "answer": base64.b64encode(answer).decode(),
                                }
                            )
                    print(f"{server}: {len(lines) - before} answers")
            except (OSError, subprocess.SubprocessError) as error:
                print(f"{source.__name__}: left out ({error})")
    packed = lzma.compress("".join(json.dumps(line) + "\n" for line in lines).encode(), preset=9)
    unfinished = CORPUS.with_suffix(".part")
    unfinished.write_bytes(packed)
    unfinished.replace(CORPUS)
    print(f"{len(lines)} answers, {len(packed)} bytes")


if __name__ == "__main__":
    main()
