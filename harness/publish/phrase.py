"""One text in the languages of what leaves the house."""

from __future__ import annotations

from typing import NamedTuple


class Phrase(NamedTuple):
    """One text in Vietnamese and in English."""

    vi: str
    en: str

    def into(self, language: str) -> str:
        """The text in one language: ``vi``, or English for any other."""
        return self.vi if language == "vi" else self.en
