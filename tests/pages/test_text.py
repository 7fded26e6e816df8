"""Texts are found in bytes as a regular expression would find them."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from harness.pages.text import SoughtText

WORDS = st.sampled_from(["hồ", "sơ", "Hết", "phiên", "làm", "việc", "a", "aa", "aaa", "mã", "p_auth", "lệ:", "(", ".*", "é"])
BETWEEN = st.sampled_from([" ", "  ", "\n", "\r\n\t", " \n    ", "", "<br>"])


def standing(words: list[str], body: bytes) -> bool:
    """What is meant: the words one after the other, with any white space between them."""
    return re.search(rb"\s+".join(re.escape(word.encode()) for word in words), body) is not None


@given(words=st.lists(WORDS, min_size=1, max_size=4), pairs=st.lists(st.tuples(WORDS, BETWEEN), max_size=12))
@example(words=["aa", "aa"], pairs=[("aaa", " "), ("aa", "")])
@example(words=["mã", "p_auth"], pairs=[("p_auth", " "), ("mã", "\n  "), ("p_auth", "")])
def test_a_text_is_found_where_a_pattern_would_find_it(words: list[str], pairs: list[tuple[str, str]]) -> None:
    body = "".join(word + gap for word, gap in pairs).encode()
    assert SoughtText(" ".join(words)).is_in(body) is standing(words, body)
