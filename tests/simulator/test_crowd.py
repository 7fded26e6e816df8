"""Many citizens at once on all six families: every receipt is a row, every row a receipt, and the clocks are one."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from .conftest import Running, Start, get, portal
from .walks import WALKS


def test_receipts_are_rows_and_codes_are_unique(six: Running) -> None:
    before = {family: (counts := six.counts(family))["dossiers"] + counts["payments"]["paid"] for family in WALKS}

    def citizen(number: int) -> tuple[str, str]:
        family = list(WALKS)[number % len(WALKS)]
        walk = WALKS[family](six, family, number=f"0005550{number:05d}")
        code = walk.file()
        assert walk.pay(code) == "Đã thanh toán"
        return family, code

    with ThreadPoolExecutor(12) as pool:
        filed = list(pool.map(citizen, range(48)))
    for family in WALKS:
        codes = [code for name, code in filed if name == family]
        ledger = {item["code"]: item for item in six.http.get("/dossiers", params={"portal": family}).json()}
        assert len(set(codes)) == len(codes) == 8
        assert all(ledger[code]["paid"] for code in codes)
        counts = six.counts(family)
        assert counts["dossiers"] + counts["payments"]["paid"] - before[family] == 16
        assert counts["duplicates"] == 0


def test_the_log_and_this_machine_share_one_clock(start: Start) -> None:
    running = start(portal("c", "calibration"))
    before_us = time.monotonic_ns() // 1000
    get(running.portals["c"] + "/truth/1")
    after_us = time.monotonic_ns() // 1000
    (row,) = running.truth("c")
    assert before_us <= row["arrival_us"] <= row["start_us"] <= row["end_us"]
    assert row["start_us"] <= after_us  # the end is stamped once the last byte is handed over: the client may be faster
