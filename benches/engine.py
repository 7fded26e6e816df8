"""The cost of the step engine: a journey from a profile beside the same requests, extractions and checks written by hand.

Both walk the first family's `find`, `file`, `track` on the same client and the same simulator, in turn, in one process;
what is compared is this process's CPU time a request.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable
from resource import RUSAGE_SELF, getrusage
from urllib.parse import urlencode

from selectolax.lexbor import LexborHTMLParser

from harness.catalog import Portal, embedded_target, load_catalog
from harness.client import Exchange, LeanSession, Resolver, loopback_only
from harness.load.memory import settle
from harness.operations.embedded import EmbeddedPortals, separate_processors
from harness.operations.shipped import scenarios_folder
from harness.profiles import compile_platform, load_functions
from harness.profiles.attachments import attachment
from harness.records import Sample
from harness.visits import Visit
from harness.visits.person import synthetic_person

LEARNING, PAIRS = 12, 400
NAMESPACE = "_hoso_WAR_dvcportlet_"
FILE = attachment("pdf", 20_000)
AGENT = {"User-Agent": "by-hand", "Accept": "text/html", "Accept-Language": "vi"}


class ByHand:
    """One visit as a performance engineer would write it for this one portal."""

    def __init__(self, origins: dict[str, str], resolver: Resolver, number: int) -> None:
        self.origins = origins
        self.owners = {origin: role for role, origin in origins.items()}
        self.resolver = resolver
        self.number = number
        self.session = LeanSession(loopback_only, resolver)
        self.rows: list[Sample] = []
        self.chance = random.Random(number)  # noqa: S311  (a bench)
        self.person = synthetic_person(1, "hand", number)
        self.referer = ""

    def send(self, goal: str, step: str, index: int, method: str, url: str, body: bytes = b"", kind: str = "") -> Exchange:
        """A request with its redirects, a row for each."""
        headers = dict(AGENT)
        if self.referer:
            headers["Referer"] = self.referer
        if kind:
            headers["Content-Type"] = kind
        hop, intended_us = 0, time.monotonic_ns() // 1000
        while True:
            answer = self.session.request(method, url, headers=headers, body=body)
            self.rows.append(
                Sample(
                    "submit", self.number, goal, step, index, hop, 1, answer.host, self.owners.get(answer.host, "portal"), method, intended_us,
                    answer.start_us, answer.first_byte_us, answer.end_us, answer.dns_us, answer.connect_us, answer.tls_us, answer.reused, 0,
                    answer.wire_bytes, answer.status, answer.outcome,
                )
            )  # fmt: skip
            if answer.status not in (301, 302, 303):
                break
            location = answer.headers.get("location")
            origin = url[: url.index("/", 8)]
            url = location if location.startswith("http") else origin + location
            method, body, hop, intended_us = "GET", b"", hop + 1, answer.end_us
        assert answer.status == 200
        assert "Hết phiên làm việc".encode() not in answer.body
        assert "Yêu cầu không hợp lệ: mã p_auth".encode() not in answer.body
        self.referer = url
        return answer

    def form(self, tree: LexborHTMLParser, css: str, changes: dict[str, str]) -> tuple[str, dict[str, str]]:
        """A form's action and its values, changed."""
        form = tree.css_first(css)
        assert form is not None
        values: dict[str, str] = {}
        for node in form.css("input, select, textarea"):
            attributes = node.attributes
            name, kind = attributes.get("name"), attributes.get("type")
            if not name or kind in ("submit", "button", "file") or (kind in ("checkbox", "radio") and "checked" not in attributes):
                continue
            if node.tag == "select":
                chosen = node.css_first("option[selected]") or node.css_first("option")
                values[name] = (chosen.attributes.get("value") if chosen else "") or ""
            elif node.tag == "textarea":
                values[name] = node.text()
            else:
                values[name] = attributes.get("value") or ""
        values.update(changes)
        origin = self.referer[: self.referer.index("/", 8)]
        return origin + (form.attributes.get("action") or ""), values

    def post(self, step: str, index: int, url: str, values: dict[str, str]) -> Exchange:
        """A urlencoded form."""
        return self.send("file", step, index, "POST", url, urlencode(values).encode(), "application/x-www-form-urlencoded")

    def walk(self) -> int:
        """The whole visit; answers its requests."""
        portal, person = self.origins["portal"], self.person
        dossier = person.dossier_for(None)
        query = urlencode({"p_p_id": "thutuc_WAR_dvcportlet", "p_p_lifecycle": "0", "_thutuc_WAR_dvcportlet_keywords": "khai sinh"})
        answer = self.send("find", "search", 0, "GET", f"{portal}/web/dich-vu-cong/thu-tuc?{query}")
        assert "Không tìm thấy thủ tục phù hợp".encode() not in answer.body
        assert b"khai sinh" in answer.body
        tree = LexborHTMLParser(answer.body)
        assert tree.css_first("#tong-so") is not None
        url = self.chance.choice([node.attributes["href"] for node in tree.css("tr.results-row a.thu-tuc")])
        answer = self.send("find", "open_procedure", 0, "GET", f"{portal}{url}")
        tree = LexborHTMLParser(answer.body)
        assert tree.css_first("#ten-thu-tuc") is not None
        assert tree.css_first("#thanh-phan li") is not None
        code, name = tree.css_first("#ma-thu-tuc").text().strip(), tree.css_first("#ten-thu-tuc").text().strip()
        fee = int(tree.css_first("#le-phi").attributes["data-so-tien"])
        apply, login = tree.css_first("a#nop-ho-so").attributes["href"], tree.css_first("a#dang-nhap").attributes["href"]
        assert name
        assert fee >= 0
        answer = self.send("file", "log_in", 0, "GET", f"{portal}{login}")
        tree = LexborHTMLParser(answer.body)
        who = {"so_dinh_danh": person.citizen_number, "ho_ten": person.name, "mat_khau": person.values["password"]}
        answer = self.post("log_in", 1, *self.form(tree, "form#dang-nhap", who))
        assert "Thông tin đăng nhập không hợp lệ".encode() not in answer.body
        assert person.name.encode() in answer.body
        assert LexborHTMLParser(answer.body).css_first("#xin-chao") is not None
        answer = self.send("file", "start_dossier", 0, "GET", f"{portal}{apply}")
        assert code.encode() in answer.body
        tree = LexborHTMLParser(answer.body)
        wards = [node.attributes["value"] for node in tree.css("select option") if node.attributes.get("value")]
        changes = {
            "hoTen": dossier["applicant"], "ngaySinh": dossier["birth_date"], "dienThoai": dossier["phone"], "email": dossier["email"],
            "diaChi": dossier["address"], "xaPhuong": self.chance.choice(wards),
        }  # fmt: skip
        answer = self.post("fill_in", 0, *self.form(tree, "form#applicant", {NAMESPACE + key: value for key, value in changes.items()}))
        assert "Thông tin không hợp lệ".encode() not in answer.body
        url, values = self.form(LexborHTMLParser(answer.body), "form#dossier", {NAMESPACE + "noiDung": dossier["note"]})
        filename = f"tai-lieu-kiem-thu-{self.number}.pdf"
        answer = self.send("file", "attach", 0, "POST", url, self.multipart(values, filename), "multipart/form-data; boundary=by-hand-7d1")
        tree = LexborHTMLParser(answer.body)
        assert tree.css_first("#loi") is None
        assert filename.encode() in answer.body
        assert dossier["applicant"].encode() in answer.body
        answer = self.post("submit", 0, *self.form(tree, "form#confirm", {NAMESPACE + "camDoan": "1"}))
        for text in ("hệ thống từ chối tiếp nhận", "Không tìm thấy hồ sơ", "Hồ sơ không hợp lệ"):
            assert text.encode() not in answer.body
        assert "Nộp hồ sơ thành công".encode() in answer.body
        tree = LexborHTMLParser(answer.body)
        receipt = tree.css_first("#ma-ho-so").text().strip()
        assert tree.css_first("a#xem-ho-so").attributes["href"]
        self.session.close()
        self.session, self.referer = LeanSession(loopback_only, self.resolver), ""
        answer = self.send("track", "track", 0, "GET", f"{portal}/web/dich-vu-cong/tra-cuu?{urlencode({'maHoSo': receipt})}")
        assert receipt.encode() in answer.body
        tree = LexborHTMLParser(answer.body)
        assert tree.css_first("#khong-tim-thay") is None
        assert tree.css_first("#ket-qua-tra-cuu") is not None
        assert tree.css_first("#trang-thai").text().strip()
        self.session.close()
        return len(self.rows)

    def multipart(self, values: dict[str, str], filename: str) -> bytes:
        """The form with its file."""
        parts = [
            f'--by-hand-7d1\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in values.items()
        ]
        head = f'--by-hand-7d1\r\nContent-Disposition: form-data; name="{NAMESPACE}tepDinhKem"; filename="{filename}"\r\n'
        parts += [f"{head}Content-Type: application/pdf\r\n\r\n".encode(), FILE, b"\r\n--by-hand-7d1--\r\n"]
        return b"".join(parts)


def main() -> None:
    """Starts the portal on one processor, walks on the other."""
    catalog = load_catalog(scenarios_folder())
    compiled = compile_platform(catalog.platforms["liferay"], load_functions(*catalog.folders))
    still = {"distribution": "constant", "median_ms": 0, "servers": 0}
    portal = Portal(
        id="bench",
        name_vi="Cổng đo",
        name_en="Bench",
        level="sample",
        embedded_platform="liferay",
        personality=still | {"page_bytes": 24_000},
    )
    ours, theirs = separate_processors()
    embedded = EmbeddedPortals.start([portal], seed=1, cpu=theirs, identity=still, payment=still)
    if ours is not None:
        os.sched_setaffinity(0, {ours})
    try:
        target, resolver = embedded_target(portal, embedded.origins("bench")), Resolver()

        def engine(number: int) -> int:
            rows: list[Sample] = []
            visit = Visit(
                compiled, target, journey="submit", goals=("find", "file", "track"), visit=number, seed=1, run="engine",
                session_factory=lambda: LeanSession(loopback_only, resolver), record=rows.append, intended_us=time.monotonic_ns() // 1000,
                think=lambda _name: 0.0, sleep=lambda _seconds: None,
            )  # fmt: skip
            found = visit.perform("find", keyword="khai sinh")
            filed = visit.perform("file", procedure=found, dossier=visit.state.person.dossier_for(found))
            visit.perform("track", **filed)
            visit.finish()
            return len(rows) - 1

        def by_hand(number: int) -> int:
            return ByHand(embedded.origins("bench"), resolver, number).walk()

        print(report(by_hand, engine))
    finally:
        embedded.stop()


def report(by_hand: Callable[[int], int], engine: Callable[[int], int]) -> str:
    """CPU time for a request of both: visits in pairs, and each goes first in every second pair."""
    for number in range(LEARNING):
        by_hand(number), engine(number)
    settle()  # as a worker does before a round
    costs: dict[str, list[float]] = {"by hand": [], "engine": []}
    faults: dict[str, list[float]] = {"by hand": [], "engine": []}
    for number in range(PAIRS):
        for name, walk in (("by hand", by_hand), ("engine", engine)) if number % 2 else (("engine", engine), ("by hand", by_hand)):
            faults_before, began_s = getrusage(RUSAGE_SELF).ru_minflt, time.process_time()
            requests = walk(LEARNING + number)
            costs[name].append((time.process_time() - began_s) / requests * 1e6)
            faults[name].append((getrusage(RUSAGE_SELF).ru_minflt - faults_before) / requests)
    lines = []
    for name, values in costs.items():
        low, middle, high = statistics.quantiles(values, n=4)
        paged = statistics.mean(faults[name])
        lines.append(f"{name:8} {middle:6.0f} µs a request (half of the visits: {low:.0f} to {high:.0f}), {paged:.1f} page faults")
    ratios = [two / one for one, two in zip(costs["by hand"], costs["engine"], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    lines.append(f"engine / by hand: {middle:.2f} (half of the pairs: {low:.2f} to {high:.2f}) over {PAIRS} pairs of visits")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
