"""What leaves the house is said in two languages: phrases by key, numbers by custom, reasons by their codes."""

from __future__ import annotations

import re
from typing import Final

from harness.evidence.facts import Reason
from harness.evidence.reasons import CODES, Language, text
from harness.publish.phrase import Phrase
from harness.publish.phrases import PHRASES

LANGUAGES: Final[tuple[Language, ...]] = ("vi", "en")
_VIETNAMESE_NUMBERS = str.maketrans({",": ".", ".": ","})

# How scoring words the figures behind a code, in its order of application, and the same in Vietnamese.
_FIGURES: Final = tuple(
    (re.compile(pattern), vietnamese)
    for pattern, vietnamese in (
        (r"(\d+) of (\d+)", r"\1/\2"),
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
    """The text of a key; what stands behind the key's last dot, in both languages, where the key is not known."""
    return PHRASES.get(key) or Phrase(key.rpartition(".")[2], key.rpartition(".")[2])


def reason_text(reason: Reason, language: Language) -> str:
    """A verdict's reason; a code that this version does not know, from a newer file, stands for itself."""
    if reason.code in CODES:
        return text(reason, language)
    return f"{reason.code} ({reason.detail})" if reason.detail else reason.code


def because(reason: str) -> Phrase:
    """Why a criterion was not assessed: a code, or a code and its figures after a colon; other text stands for itself."""
    code, colon, figures = reason.partition(": ")
    if code == "verdict":
        verdict = phrase(f"verdict.{figures}")
        return Phrase(f"kết luận của lần đo: {verdict.vi}", f"the run's verdict: {verdict.en}")
    words = PHRASES.get(f"because.{code}")
    if words is None:
        return Phrase(reason, reason)
    return Phrase(f"{words.vi} ({_in_vietnamese(figures)})", f"{words.en} ({figures})") if colon else words


def interval_text(kind: str) -> Phrase:
    """How an interval was formed."""
    return PHRASES.get(f"interval.{kind}") or Phrase(_in_vietnamese(kind), kind)


def decimal(value: float, digits: int, language: Language) -> str:
    """A number with a fixed count of decimals: ``13,2`` in Vietnamese, ``13.2`` in English."""
    shown = f"{value:,.{digits}f}"
    return shown.translate(_VIETNAMESE_NUMBERS) if language == "vi" else shown


def _in_vietnamese(figures: str) -> str:
    for pattern, vietnamese in _FIGURES:
        figures = pattern.sub(vietnamese, figures)
    return figures
