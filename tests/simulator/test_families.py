"""All six families, walked over real HTTP by plain httpx, and counted in the database afterwards."""

from __future__ import annotations

import re

import pytest

from .conftest import Start, portal
from .walks import CODE, WALKS


@pytest.mark.parametrize("family", WALKS)
def test_find_file_pay_track_withdraw(start: Start, family: str) -> None:
    running = start(portal("p", family))
    walk = WALKS[family](running, "p")
    code = walk.file()
    assert re.fullmatch(CODE, code)
    assert walk.status(code) == "Đã tiếp nhận"
    assert walk.pay(code) == "Đã thanh toán"
    walk.withdraw(code)
    assert walk.status(code) == "Đã rút hồ sơ"
    counts = running.counts("p")
    assert (counts["dossiers"], counts["withdrawn"], counts["duplicates"]) == (1, 1, 0)
    assert counts["payments"] == {"created": 0, "paid": 1, "failed": 0}


@pytest.mark.parametrize("family", WALKS)
def test_what_costs_nothing_needs_no_payment(start: Start, family: str) -> None:
    running = start(portal("p", family))
    walk = WALKS[family](running, "p", keyword="thương binh")
    assert walk.status(walk.file()) == "Đã tiếp nhận"
    assert running.counts("p")["payments"] == {"created": 0, "paid": 0, "failed": 0}
