"""The pages whose commands take no time, followed from top to bottom; all others are followed in tests/acceptance."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.reader import QUICK, ROOT, follow, in_order


@pytest.mark.parametrize("page", QUICK)
def test_a_page_is_followed_to_its_end(page: str, tmp_path: Path) -> None:
    assert follow(ROOT / page, tmp_path)


def test_what_a_page_shows_and_nothing_prints_is_noticed() -> None:
    printed = ["one", "two of 7", "three"]
    assert in_order(["one", "…", "three"], printed) is None
    assert in_order(["two of …"], printed) is None
    assert in_order(["three", "one"], printed) == "one"
    assert in_order(["four"], printed) == "four"
