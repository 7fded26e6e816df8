"""The texts of exports, scoreboard and report in Vietnamese and English: phrases, numbers, reasons."""

from __future__ import annotations

import re
from importlib import resources
from typing import Final, NamedTuple

import yaml

from harness.evidence.facts import Reason
from harness.evidence.reasons import CODES, Language, text


class Phrase(NamedTuple):
    """One text in Vietnamese and in English."""

    vi: str
    en: str

    def into(self, language: str) -> str:
        """The text in one language: ``vi``, or English for any other."""
        return self.vi if language == "vi" else self.en


def _read_phrases() -> dict[str, Phrase]:
    data = resources.files("harness.publish").joinpath("phrases.yaml").read_bytes()
    return {key: Phrase(**words) for key, words in yaml.load(data, Loader=yaml.CSafeLoader).items()}


LANGUAGES: Final[tuple[Language, ...]] = ("vi", "en")
PHRASES: Final = _read_phrases()
_VIETNAMESE_NUMBERS = str.maketrans({",": ".", ".": ","})

# How scoring words the figures behind a code, and the same in Vietnamese; applied in this order.
_FIGURES: Final = tuple(
    (re.compile(pattern), vietnamese)
    for pattern, vietnamese in (
        (r" needs payment_sandbox", r" cần payment_sandbox"),
        (r" needs (\w+) (\S+) instead of (\S+)", r" cần \1 là \2 thay vì \3"),
        (r"share of a day, each hour alike, clustered by day", "tỷ lệ thời gian trong ngày, mỗi giờ như nhau, gộp theo ngày"),
        (r"(\d+) probes and (\d+) windows of (\d+) days, (\d+) of 24 hours", r"\1 lượt thăm dò và \2 cửa sổ trong \3 ngày, \4/24 giờ"),
        (
            r"(\d+) in planned maintenance left out, (\d+) probes not counted",
            r"bỏ \1 quan sát trùng bảo trì có kế hoạch, \2 lượt thăm dò không tính",
        ),
        (r"(\d+) of (\d+) probes and windows", r"\1/\2 lượt thăm dò và cửa sổ"),
        (r"(\d+) of (\d+) hours of the day", r"\1/\2 giờ trong ngày"),
        (r"(\d+) of (\d+)", r"\1/\2"),
        (r"(\w+) stopped at (\w+)", r"\1 dừng ở bước \2"),
        (r"(\d+) with fewer than (\d+) steps", r"\1 cửa sổ có ít hơn \2 bước"),
        (r" with at least (\d+) steps", r" có ít nhất \1 bước"),
        (r" with (\d+) figures of each role", r" có \1 số liệu của mỗi vai trò"),
        (r"minimum to maximum of (\d+) windows", r"nhỏ nhất đến lớn nhất của \1 cửa sổ"),
        (r"share of windows, clustered by night", "tỷ lệ cửa sổ, gộp theo đêm"),
        (r"(\d+) in planned maintenance left out", r"bỏ \1 cửa sổ bảo trì có kế hoạch"),
        (r" windows", " cửa sổ"),
    )
)


def phrase(key: str) -> Phrase:
    """The text of a key. An unknown key gives its own last part in both languages."""
    return PHRASES.get(key) or Phrase(key.rpartition(".")[2], key.rpartition(".")[2])


def reason_text(reason: Reason, language: Language) -> str:
    """The text of a verdict's reason. A code from a newer version is printed as it is."""
    if reason.code in CODES:
        return text(reason, language)
    return f"{reason.code} ({reason.detail})" if reason.detail else reason.code


def because(reason: str) -> Phrase:
    """Why a criterion was not assessed: ``reason`` is a code, or a code and its figures after a colon. Other text is printed as it is."""
    code, colon, figures = reason.partition(": ")
    if code == "verdict":
        verdict = phrase(f"verdict.{figures}")
        return Phrase(f"kết luận của lần đo: {verdict.vi}", f"the run's verdict: {verdict.en}")
    words = PHRASES.get(f"because.{code}")
    if words is None:
        return Phrase(reason, reason)
    return Phrase(f"{words.vi} ({_in_vietnamese(figures)})", f"{words.en} ({figures})") if colon else words


def interval_text(kind: str) -> Phrase:
    """How an interval was computed."""
    return PHRASES.get(f"interval.{kind}") or Phrase(_in_vietnamese(kind), kind)


def decimal(value: float, digits: int, language: Language) -> str:
    """A number with a fixed count of decimals: ``13,2`` in Vietnamese, ``13.2`` in English."""
    shown = f"{value:,.{digits}f}"
    return shown.translate(_VIETNAMESE_NUMBERS) if language == "vi" else shown


def _in_vietnamese(figures: str) -> str:
    for pattern, vietnamese in _FIGURES:
        figures = pattern.sub(vietnamese, figures)
    return figures
