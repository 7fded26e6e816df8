"""Needles: texts and pieces of markup to look for in answers, ready to be found in bytes.

A page is looked through once for every rule on it, which is most of what judging costs where pages are large. One pattern
is found by the vector instructions of the processor (ahocorasick_rs), several times faster than by ``bytes.find``; making
it ready costs as much as looking through several pages, so that what is looked for once or twice goes without.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from ahocorasick_rs import BytesAhoCorasick

_QUOTED = frozenset("'\"<>&")
_SPACES = re.compile(r"\s+")
_INDENT = 200  # the longest run of white space between two words of one text that is believed
_TRIALS = 8  # answers in which a text's words are counted


class Needle:
    """A text, found whatever white space stands between its words."""

    __slots__ = ("_after", "_anchor", "_before", "_exact", "_lead", "_seen", "_trials", "_whole", "_words", "find", "is_plain", "squeezed")

    def __init__(self, text: str) -> None:
        words = self._words = text.encode().split() or [b""]
        self._seen = [0] * len(words)  # how often each word stood in the first answers
        self._trials = _TRIALS
        self._look_for(words.index(max(words, key=len)))  # the longer, the fewer places to look at
        self.find: Callable[[bytes], Sequence[tuple[int, int, int]]] | None = None  # the anchor's places, once it is known which is best
        self._exact = b" ".join(words)
        self._whole = re.compile(rb"\s+".join(map(re.escape, words))) if len(words) > 1 else None
        self.is_plain = _QUOTED.isdisjoint(text)
        self.squeezed = squeezed(text)

    def is_in(self, body: bytes) -> bool:
        """Whether the text stands in the bytes as it is, with any white space between its words."""
        if self.find is None:
            return self._learn(body)
        places = self.find(body)
        return bool(places) and self.stands_among(body, places)

    def stands_among(self, body: bytes, places: Sequence[tuple[int, int, int]]) -> bool:
        """Whether the whole text stands around one of the places that ``find`` answered."""
        for _, start, _ in places:  # noqa: SIM110  (a generator would cost more than what it goes through)
            if self._stands_at(body, start):
                return True
        return False

    def _stands_at(self, body: bytes, anchor: int) -> bool:
        """Whether the whole text stands around a place of its anchor; several times faster than the pattern alone."""
        if self._whole is None or (anchor >= self._lead and body.startswith(self._exact, anchor - self._lead)):
            return True
        return self._whole.search(body, max(anchor - self._before, 0), anchor + self._after) is not None

    def _learn(self, body: bytes) -> bool:
        """As ``is_in``, in the first answers: learns which word is the rarest on these pages, with the fewest places to look at."""
        self._seen = [seen + body.count(word) for seen, word in zip(self._seen, self._words, strict=True)]
        self._trials -= 1
        found, at = False, body.find(self._anchor)
        while at >= 0 and not found:
            found = self._stands_at(body, at)
            at = body.find(self._anchor, at + 1)
        if not self._trials:
            self._look_for(min(range(len(self._words)), key=lambda place: (self._seen[place], -len(self._words[place]))))
            self.find = BytesAhoCorasick([self._anchor]).find_matches_as_indexes
        return found

    def _look_for(self, place: int) -> None:
        words = self._words
        self._anchor = words[place]
        self._lead = sum(map(len, words[:place])) + place  # what stands before it, with a blank after each word
        self._before = sum(map(len, words[:place])) + _INDENT * place
        self._after = sum(map(len, words[place:])) + _INDENT * (len(words) - place)


class Mark:
    """A piece of markup (a tag, an attribute), in the ways in which people write it: ``<base``, ``<BASE``, ``<Base``."""

    __slots__ = ("_ways",)

    def __init__(self, *ways: bytes) -> None:
        self._ways = tuple(BytesAhoCorasick([way]).find_matches_as_indexes for way in ways)

    def is_in(self, body: bytes) -> bool:
        """Whether it stands in the bytes, in one of its ways."""
        for find in self._ways:  # noqa: SIM110  (a generator would cost more than what it goes through)
            if find(body):
                return True
        return False


def squeezed(text: str) -> str:
    """A text with its marks composed and every run of white space one space."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text).replace("\xa0", " "))
