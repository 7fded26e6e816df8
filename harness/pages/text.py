"""Texts to look for in answers, with any white space between their words."""

from __future__ import annotations

import re
import unicodedata

_QUOTED = frozenset("'\"<>&")
_SPACES = re.compile(r"\s+")


class SoughtText:
    """A text to look for in the bytes of an answer."""

    __slots__ = ("_pattern", "_words", "is_plain", "squeezed")

    def __init__(self, text: str) -> None:
        self._words = text.encode().split()
        self._pattern = rb"\s+".join(map(re.escape, self._words))
        self.is_plain = _QUOTED.isdisjoint(text)  # HTML has no other spelling for its characters
        self.squeezed = squeezed(text)

    def is_in(self, body: bytes) -> bool:
        """Whether the text stands in the bytes as it is, with any white space between its words."""
        if not all(word in body for word in self._words):
            return False
        return len(self._words) < 2 or re.search(self._pattern, body) is not None


def squeezed(text: str) -> str:
    """A text with its marks composed and every run of white space one space."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text).replace("\xa0", " "))
