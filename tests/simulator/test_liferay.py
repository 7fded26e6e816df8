"""The whole of the server-rendered family, walked over real HTTP, and counted in the database afterwards."""

from __future__ import annotations

import re
import sqlite3

from .citizen import BASE, Citizen, text, track
from .conftest import Start, get, portal

CODE = re.compile(r"H\d\d\.\d\d\.\d\d-\d{6}-\d{4}")


def test_search_submit_pay_track_withdraw(start: Start) -> None:
    running = start(portal("p"))
    url = running.portals["p"]
    citizen = Citizen(url, running.identity)
    receipt = citizen.submit()
    code = text(receipt.text, "#ma-ho-so")
    assert CODE.fullmatch(code)
    assert text(track(url, code), "#trang-thai") == "Đã tiếp nhận"
    assert "đã thanh toán" in citizen.pay(code).text
    assert text(track(url, code), "#trang-thai-thanh-toan") == "Đã thanh toán"
    withdrawn = citizen.withdraw(code)
    assert text(withdrawn.text, "#trang-thai") == "Đã rút hồ sơ"
    assert running.counts("p") | {"requests": 0} == {
        "requests": 0, "in_flight": 0, "queued": 0, "procedures": 200, "dossiers": 1, "withdrawn": 1, "duplicates": 0,
        "payments": {"created": 0, "paid": 1, "failed": 0},
    }  # fmt: skip
    rows = sqlite3.connect(running.folder / "portals.sqlite").execute("SELECT code, owner, status FROM dossiers").fetchall()
    assert rows == [(code, citizen.number, "withdrawn")]


def test_search_finds_by_every_word_with_or_without_diacritics(start: Start) -> None:
    url = start(portal("p")).portals["p"]
    for keyword in ("đăng ký kết hôn", "dang ky ket hon", "KẾT HÔN đăng"):
        page = get(f"{url}{BASE}/thu-tuc", params={"_thutuc_WAR_dvcportlet_keywords": keyword}).text
        assert text(page, "a.thu-tuc") == "Đăng ký kết hôn"
    nothing = get(f"{url}{BASE}/thu-tuc", params={"_thutuc_WAR_dvcportlet_keywords": "không có gì như thế"}).text
    assert "Không tìm thấy thủ tục phù hợp" in nothing
