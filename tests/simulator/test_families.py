"""All six families, walked over real HTTP by plain httpx, and counted in the database afterwards."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .conftest import Running
from .walks import CODE, WALKS


def counted(running: Running, family: str) -> dict[str, Any]:
    counts = running.counts(family)
    return {name: counts[name] for name in ("dossiers", "withdrawn", "duplicates")} | counts["payments"]


@pytest.mark.parametrize("family", WALKS)
def test_find_file_pay_track_withdraw(six: Running, family: str) -> None:
    before = counted(six, family)
    walk = WALKS[family](six, family)
    code = walk.file()
    assert re.fullmatch(CODE, code)
    assert walk.status(code) == "Đã tiếp nhận"
    assert walk.pay(code) == "Đã thanh toán"
    walk.withdraw(code)
    assert walk.status(code) == "Đã rút hồ sơ"
    after = counted(six, family)
    assert {name: after[name] - before[name] for name in after} == {
        "dossiers": 1, "withdrawn": 1, "duplicates": 0, "created": 0, "paid": 1, "failed": 0,
    }  # fmt: skip


@pytest.mark.parametrize("family", WALKS)
def test_what_costs_nothing_needs_no_payment(six: Running, family: str) -> None:
    before = counted(six, family)
    walk = WALKS[family](six, family, keyword="thương binh")
    assert walk.status(walk.file()) == "Đã tiếp nhận"
    assert counted(six, family) == before | {"dossiers": before["dossiers"] + 1}
