"""Texts are found in bytes as a plain search would find them, before and after it is known which word is the rarest."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from harness.pages.text import Mark, Needle

WORDS = st.sampled_from(["hồ", "sơ", "Hết", "phiên", "làm", "việc", "a", "aa", "aaa", "mã", "p_auth", "lệ:", "(", ".*", "é"])
BETWEEN = st.sampled_from([" ", "  ", "\n", "\r\n\t", " \n    ", "", "<br>"])


def standing(words: list[str], body: bytes) -> bool:
    """What is meant: the words one after the other, with any white space between them."""
    return re.search(rb"\s+".join(re.escape(word.encode()) for word in words), body) is not None


@given(
    words=st.lists(WORDS, min_size=1, max_size=4),
    bodies=st.lists(st.lists(st.tuples(WORDS, BETWEEN), max_size=12), min_size=1, max_size=20),
)
@example(words=["aa", "aa"], bodies=[[("aaa", " "), ("aa", "")]] * 12)
def test_a_text_is_found_where_a_pattern_would_find_it(words: list[str], bodies: list[list[tuple[str, str]]]) -> None:
    needle = Needle(" ".join(words))
    for pairs in bodies:
        body = "".join(word + gap for word, gap in pairs).encode()
        assert needle.is_in(body) is standing(words, body)


def test_the_rarest_word_is_learned_and_the_text_still_found() -> None:
    needle = Needle("mã p_auth")
    crowd, wanted = b"p_auth " * 50, "p_auth mã\n  p_auth".encode()
    for _ in range(20):
        assert not needle.is_in(crowd)
        assert needle.is_in(wanted)


@given(before=st.binary(max_size=40), after=st.binary(max_size=40), way=st.sampled_from([b"<base", b"<BASE"]))
def test_a_mark_is_found_in_each_of_its_ways(before: bytes, after: bytes, way: bytes) -> None:
    mark = Mark(b"<base", b"<BASE")
    assert mark.is_in(before + way + after)
    assert mark.is_in(before + after) is (b"<base" in before + after or b"<BASE" in before + after)
