"""The server that every load generator is measured against: nginx, one process, pinned to one core."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import trustme

from harness.errors import EnvironmentFault, Problem

BODY_BYTES = 2300
_CONFIGURATION = """daemon off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 16384; }}
http {{
  access_log off; default_type application/json; keepalive_requests 100000000; keepalive_timeout 3600s;
  client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c; uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;
  ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem; ssl_session_cache off; ssl_session_tickets off;
  server {{ listen 127.0.0.1:{plain} backlog=8192; listen 127.0.0.1:{tls} ssl backlog=8192; root {dir}/www; location /status {{ stub_status; }} }}
}}"""


@dataclass(frozen=True, slots=True)
class Server:
    """Where it listens, and the authority that vouches for it."""

    plain: str  # URL of the JSON list, without TLS
    tls: str
    status: str
    authority: Path  # PEM
    pid: int

    def served(self) -> int:
        """Requests answered so far, by the server's own count."""
        with urlopen(self.status, timeout=10) as answer:  # noqa: S310  (a loopback URL made here)
            return int(answer.read().split()[9])


@contextmanager
def nginx(folder: Path, core: int) -> Iterator[Server]:
    """The server while it is up; raises EnvironmentFault where nginx is not installed."""
    if shutil.which("nginx") is None:
        raise EnvironmentFault(Problem("benches", "nginx", "not installed", "Debian's nginx-light", "apt-get install nginx-light wrk"))
    plain, tls = _free_port(), _free_port()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    (folder / "www").mkdir()
    items = [{"id": number, "name": f"Thủ tục số {number}", "agency": "Sở Tư pháp", "days": number % 30} for number in range(24)]
    text = json.dumps({"items": items}, ensure_ascii=False).encode()
    (folder / "www" / "list.json").write_bytes(text + b" " * (BODY_BYTES - len(text)))
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(dir=folder, plain=plain, tls=tls))
    command = ["taskset", "-c", str(core), "nginx", "-c", str(configuration), "-p", str(folder)]
    process = subprocess.Popen(command)  # noqa: S603  (made here)
    try:
        _wait_for(plain)
        yield Server(
            f"http://127.0.0.1:{plain}/list.json",
            f"https://127.0.0.1:{tls}/list.json",
            f"http://127.0.0.1:{plain}/status",
            folder / "authority.pem",
            process.pid,
        )
    finally:
        process.terminate()
        process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise EnvironmentFault(Problem("benches", "nginx", f"not listening on {port}", "a server within 5 s", "Look at its error.log."))
