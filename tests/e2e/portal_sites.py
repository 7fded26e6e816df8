"""Portals of three requests that misbehave on purpose, and the catalog by which they are measured.

A site is a plain HTTP server on a loopback port of its own, outside the product. Every visit opens the page ``/tim`` once, so
a site knows by its own count whether it meets a citizen alone or which window is under way.
"""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e.small_catalog import OURS, WIDE_HEALTH, criteria, permission

ALONE = 2
"""Visits of the lone citizen who gets through: one of each journey."""

PER_WINDOW = {"search": 10, "submit": 2}
VISITS = sum(PER_WINDOW.values())
WINDOWS = 6
POINTS = {"time": 4, "search": 10, "submit": 6}
"""Of the three criteria; together twenty."""

RECENT_S = 1.5


class Asked(NamedTuple):
    """A request as a site sees it."""

    path: str
    body: bytes
    opened: int  # visits so far, this one included
    recent: int  # requests that it let in within the last RECENT_S

    @property
    def window(self) -> int:
        """The window that is under way, from 1; 0 before the load. A repeated walk of a lone citizen counts as the load's next visit."""
        return 0 if self.opened <= ALONE else 1 + (self.opened - ALONE - 1) // VISITS


Behaviour = Callable[[Asked], bytes | None]
"""What a site answers instead of its own page; None: its own page."""


def answer(status: str, body: str = "", **headers: str) -> bytes:
    """An answer as bytes; without a body it has no type."""
    content = body.encode()
    fields = {**({"Content-Type": "text/html; charset=utf-8"} if content else {}), "Content-Length": str(len(content)), **headers}
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


OWN_PAGES = {
    "/tim": '<title>Tra cứu</title><h1>Tra cứu thủ tục</h1><form id="tim"><input name="tu_khoa"></form>',
    "/nop": '<title>Nộp hồ sơ</title><h1>Nộp hồ sơ</h1><form id="nop" method="post"><input name="ten"></form>',
    "/vao": "<title>Đăng nhập</title><h1>Đã đăng nhập</h1>",
    "/gui": "<title>Kết quả</title><h1>Đã nhận hồ sơ</h1>",
}


class PortalSite:
    """One portal on a port that the kernel picks; ``asked`` is every path that it was asked for, in order."""

    def __init__(self, behaves: Behaviour) -> None:
        self.asked: list[str] = []
        self._behaves = behaves
        self._let_in: list[float] = []
        self._lock = threading.Lock()
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler(), bind_and_activate=False)
        self._server.daemon_threads, self._server.request_queue_size = True, 128
        self._server.server_bind()
        self._server.server_activate()
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()

    def answer_to(self, path: str, body: bytes) -> bytes:
        """What the site answers now."""
        now_s = time.monotonic()
        with self._lock:
            self.asked.append(path)
            self._let_in = [at_s for at_s in self._let_in if at_s > now_s - RECENT_S]
            given = self._behaves(Asked(path, body, self.asked.count("/tim"), len(self._let_in)))
            if given is None:
                self._let_in.append(now_s)
        return answer("200 OK", OWN_PAGES[path]) if given is None else given

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        site = self

        class Handler(socketserver.StreamRequestHandler):
            """One connection."""

            disable_nagle_algorithm = True

            def handle(self) -> None:
                while first := self.rfile.readline():
                    length = 0
                    while (line := self.rfile.readline().strip().lower()) != b"":
                        if line.startswith(b"content-length:"):
                            length = int(line.partition(b":")[2])
                    given = site.answer_to(first.split()[1].decode(), self.rfile.read(length))
                    if given.startswith(SLOWLY):
                        time.sleep(SLOW_S)
                        given = given.removeprefix(SLOWLY)
                    self.wfile.write(given)

        return Handler


SLOWLY = b"slowly "
"""Before an answer: it comes after SLOW_S."""

SLOW_S = 1.0


@contextmanager
def sites(behaviours: Mapping[str, Behaviour]) -> Iterator[dict[str, PortalSite]]:
    """The sites by name, as long as they are needed."""
    found = {name: PortalSite(behaves) for name, behaves in behaviours.items()}
    try:
        yield found
    finally:
        for site in found.values():
            site.close()


def profile(identifier: str, *, found_by: str = "form#tim", filed_by: str = "form#nop", pool: str = "", login: str = "") -> dict[str, Any]:
    """Three steps: look up, open the form, send it; with ``pool``, a name out of that file; with ``login``, first a login at the host of that role."""
    sent = {"let": {"ai": "{{ take('accounts') }}"}, "fields": {"ten": "{{ ai.ten }}"}} if pool else {"fields": {"ten": "Nguyễn Văn Thử"}}
    steps = [
        ("search", {"get": "{{ origin.portal }}/tim", "expect": {"require_selector": found_by}}),
        ("start_dossier", {"get": "{{ origin.portal }}/nop", "expect": {"require_selector": filed_by}}),
        (
            "submit",
            {
                "post": "{{ origin.portal }}/gui",
                **sent,
                "receipt": {"code": "{{ portal }}-{{ visit }}"},
                "expect": {"require_text": "Đã nhận hồ sơ"},
            },
        ),
    ]
    if login:
        steps.insert(1, ("log_in", {"get": f"{{{{ origin.{login} }}}}/vao", "expect": {"require_text": "Đã đăng nhập"}}))
    look_up, *file = [{"step": step, "requests": [request]} for step, request in steps]
    return {
        "id": identifier, "name_vi": f"Nền tảng thử {identifier}", "name_en": f"Test platform {identifier}",
        "known_from": {"source": "made up for a test", "basis": "assumed"},
        **({"origins": ["portal", login]} if login else {}),
        "absent": dict.fromkeys(("pay", "track", "withdraw"), "not on this test site"),
        **({"pools": {"accounts": {"file": pool, "distinct": False}}} if pool else {}),
        "goals": {"find": {"steps": [look_up], "gives": {"procedure": "1"}}, "file": {"steps": file, "gives": {"receipt": "1"}}},
    }  # fmt: skip


def workload(identifier: str, **changes: Any) -> dict[str, Any]:
    """Six windows of two seconds; one may be made up for."""
    return {
        "id": identifier, "name_vi": "Kịch bản thử", "name_en": "Test workload", "shortened": True,
        "usage": {"per_day": {"search": 0, "submit": 0}, **OURS}, "quota_per_window": PER_WINDOW,
        "stages": [{"stage": "typical", "windows": WINDOWS, "window_s": 2}], "spare_windows": 1,
        "in_flight_ceiling": 100, "timeout_s": 8, "patience_s": 16, "drain_s": 36, "health": WIDE_HEALTH,
        "think": {"default": {"median_s": 0.01, "max_s": 0.02}}, **changes,
    }  # fmt: skip


def three_criteria() -> dict[str, Any]:
    """The mean time of a search, and the share of visits of each journey that end well."""
    whole = criteria()
    (time_,) = whole["criteria"]
    time_ |= {"id": "time", "points": {"value": POINTS["time"], **OURS}, "curve": {**time_["curve"], "full": 0.4, "none": 1.6}}
    shares = [
        {
            **time_, "id": journey, "name_vi": f"Lượt {journey} kết thúc tốt", "name_en": f"Visits for {journey} that end well", "heading": "correctness", "points": {"value": POINTS[journey], **OURS}, "metric": "ok_rate of visits",
            "select": {"journey": [journey], "stage": "typical"}, "over": "mean_of_windows", "combine": "mean",
            "curve": {"kind": "linear", "version": 1, "full": 100, "none": 0, **OURS},
            "quota": {"windows": 1, "n": 1, "window_s": 1, **OURS}, "required": "when_measured",
        }
        for journey in PER_WINDOW
    ]  # fmt: skip
    whole |= {"id": "blame", "maintenance_notice": {"hours": 24, **OURS}}
    return {**whole, "criteria": [time_ | {"required": "when_measured"}, *shares]}


def write_site_catalog(folder: Path, portals: Mapping[str, tuple[str, str]], profiles: Iterable[Mapping[str, Any]]) -> Path:
    """A catalog of portals, each with its profile and the origin that it may be measured at; workload and criteria ``blame``."""
    described = [
        {
            "id": name, "name_vi": f"Cổng thử {name}", "name_en": f"Test portal {name}", "level": "sample", "platform": of,
            "platform_basis": "assumed: made up for a test", "embedded_platform": of,
        }
        for name, (of, _) in portals.items()
    ]  # fmt: skip
    permissions = {
        f"authorisations/{name}.yaml": permission(
            f"letter-{name}", name, {"portal": origin}, citizens_in_flight_max=60, vantage_point="this machine", captcha_exemption={"reference": "made up for a test"},
        )
        for name, (_, origin) in portals.items()
    }  # fmt: skip
    files = {
        "portals/sites.yaml": {"portals": described},
        **{f"platforms/{each['id']}.yaml": each for each in profiles},
        "workloads/blame.yaml": workload("blame"),
        "workloads/blame-void.yaml": workload(
            "blame-void", stages=[{"stage": "typical", "windows": 2, "window_s": 2}], health={**WIDE_HEALTH, "lag_p99_ms": 1e-6}
        ),
        "criteria/blame.yaml": three_criteria(),
        **permissions,
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return folder
