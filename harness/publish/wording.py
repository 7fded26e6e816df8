"""The texts of exports, scoreboard and pages in Vietnamese and English: phrases, numbers, dates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from importlib import resources
from typing import Final, NamedTuple

import yaml

from harness.evidence.reasons import Language
from harness.records.permitted_hours import VIETNAM


class Phrase(NamedTuple):
    """One text in Vietnamese and in English."""

    vi: str
    en: str

    def into(self, language: str) -> str:
        """The text in one language: ``vi``, or English for any other."""
        return self.vi if language == "vi" else self.en

    def filled(self, *parts: str | Phrase) -> Phrase:
        """The text with its `{}` filled in, by a text in each language or one that is the same in both."""
        vi, en = ([part.into(language) if isinstance(part, Phrase) else part for part in parts] for language in LANGUAGES)
        return Phrase(self.vi.format(*vi), self.en.format(*en))


def _read_phrases() -> dict[str, Phrase]:
    data = resources.files("harness.publish").joinpath("phrases.yaml").read_bytes()
    return {key: Phrase(**words) for key, words in yaml.load(data, Loader=yaml.CSafeLoader).items()}


LANGUAGES: Final[tuple[Language, ...]] = ("vi", "en")
PHRASES: Final = _read_phrases()
_VIETNAMESE_NUMBERS = str.maketrans({",": ".", ".": ","})


def phrase(key: str) -> Phrase:
    """The text of a key. An unknown key gives its own last part in both languages."""
    return PHRASES.get(key) or same(key.rpartition(".")[2])


def joined(between: str, parts: Sequence[Phrase]) -> Phrase:
    """Texts one after the other."""
    return Phrase(between.join(part.vi for part in parts), between.join(part.en for part in parts))


def same(text: str) -> Phrase:
    """A text that is the same in every language."""
    return Phrase(text, text)


def worded(text: Callable[[Language], str]) -> Phrase:
    """What a function says in each language."""
    return Phrase(text("vi"), text("en"))


def decimal(value: float, digits: int, language: Language) -> str:
    """A number with a fixed count of decimals: ``13,2`` in Vietnamese, ``13.2`` in English."""
    shown = f"{value:,.{digits}f}"
    return shown.translate(_VIETNAMESE_NUMBERS) if language == "vi" else shown


def numeral(value: float, digits: int, after: str = "") -> Phrase:
    """A number with the decimal sign of each language."""
    return worded(lambda language: f"{decimal(value, digits, language)}{after}")


def written_number(text: str) -> Phrase:
    """A number as somebody wrote it (``0.25``), with as many decimals, and with the decimal sign of each language."""
    digits = len(text.partition(".")[2])
    return numeral(float(text), digits)


def day_text(night: str) -> Phrase:
    """A date, given as ISO 8601: ``25/11/2026``, 25 November 2026."""
    day = date.fromisoformat(night)
    return Phrase(f"{day:%d/%m/%Y}", f"{day.day} {day:%B %Y}")


def moment_text(utc: str, *, seconds: bool = False) -> Phrase:
    """A moment, given as ISO 8601, by the clock of Viet Nam: ``25/11/2026 22:05``. The page says which clock that is."""
    moment = datetime.fromisoformat(utc).astimezone(VIETNAM)
    clock = same(f" {moment:%H:%M:%S}" if seconds else f" {moment:%H:%M}")
    return joined("", [day_text(moment.date().isoformat()), clock])
