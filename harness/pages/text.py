"""Texts to look for in answers, with any white space between their words."""

from __future__ import annotations

import re
import unicodedata

_QUOTED = frozenset("'\"<>&")
_SPACES = re.compile(r"\s+")


class SoughtText:
    """A text to look for in the bytes of an answer."""

    __slots__ = ("_pattern", "is_plain", "squeezed")

    def __init__(self, text: str) -> None:
        self._pattern = re.compile(rb"\s+".join(map(re.escape, text.encode().split())))
        self.is_plain = _QUOTED.isdisjoint(text)  # no character that HTML often writes as an entity
        self.squeezed = squeezed(text)

    def is_in(self, body: bytes) -> bool:
        """Whether the text stands in the bytes as it is, with any white space between its words."""
        return self._pattern.search(body) is not None


def squeezed(text: str) -> str:
    """A text with its marks composed and every run of white space one space."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text).replace("\xa0", " "))
