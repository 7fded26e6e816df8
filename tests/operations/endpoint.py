"""An operator's endpoint: real HTTP on loopback, one answer after another."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.html_site import in_a_thread

METRIC = "cpu_busy_percent"
OPENMETRICS_TEXT = """\
# TYPE http_requests histogram
http_requests_bucket{le="0.5"} 17 # {trace_id="KOO5S4vxi0o"} 0.31
# TYPE "http.server.duration" gauge
{"http.server.duration",route="/nop"} 3
# TYPE cpu_busy_percent gauge
cpu_busy_percent{server="app-1",role="application"} 41.5 1795273210
cpu_busy_percent{server="db-1",role="database"} 62 1795273210.250
# EOF
"""
IN_SECONDS = {("app-1", 41.5, "2026-11-21T15:00:10+00:00"), ("db-1", 62.0, "2026-11-21T15:00:10.250000+00:00")}
"""Server, value and time of its figures."""


@dataclass
class Answer:
    """One answer; ``drip_s`` is the pause between its bytes."""

    text: str | bytes = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip_s: float = 0.0


@dataclass
class Endpoint:
    """Where it listens, and the paths it was asked for."""

    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/metrics"


@contextmanager
def endpoint(*answers: Answer) -> Iterator[Endpoint]:
    """Gives ``answers`` in order, the last one for ever."""
    found = Endpoint()
    left: Sequence[Answer] = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = left[min(len(found.asked), len(left) - 1)]
            found.asked.append(self.path)
            body = answer.text if isinstance(answer.text, bytes) else answer.text.encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "text/plain; version=0.0.4", **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for piece in [body[at : at + 1] for at in range(len(body))] if answer.drip_s else [body]:
                    self.wfile.write(piece)
                    time.sleep(answer.drip_s)
            except OSError:
                pass  # the client went away, as it should

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    with in_a_thread(server):
        yield found
