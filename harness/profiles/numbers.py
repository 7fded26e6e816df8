"""Numbers as pages write them. A text with two readings is an error, never a guess."""

from __future__ import annotations

import re
import unicodedata

from harness.pages.values import as_text

_BLANK = " \\u00a0\\u2009\\u202f"  # also the no-break, thin and narrow no-break spaces that group digits
_NUMBER = re.compile(rf"[0-9]+(?:[.,'’][0-9]+|[{_BLANK}][0-9]{{3}}(?![0-9]))*")
_SEPARATOR = re.compile(r"[^0-9]")
_MONEY = r"(?:vn[đðd]|đồng|dong|[đð]|₫)"  # ð is what a wrong keyboard writes for đ
_MONEY_BEFORE = re.compile(rf"(?:(?<!\w){_MONEY}|₫)[\s:().]*$", re.IGNORECASE)
_MONEY_AFTER = re.compile(rf"(?:,[-–])?[\s.,]*(?:₫|{_MONEY}(?!\w))", re.IGNORECASE)
_MULTIPLE = re.compile(r"\s*(?:nghìn|ngàn|trăm|triệu|tỷ|tỉ|tr|k|thousand|million|billion)(?!\w)", re.IGNORECASE)
_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*")
_HINT = "take the part that is meant with `match`, or name the decimal separator: `number(text, ',')`"


def number_in(text: object, decimal: str = "") -> int | float:
    """The one number in a text: ``150.000 đ``, ``150,000 VNĐ`` and ``150000.00`` are 150000, ``67,9`` is 67.9.

    ``decimal`` names the separator of decimals, ``,`` or ``.``; the other one then separates thousands. Where it is not
    named, these rules decide:

    - Two different separators: the last one separates the decimals.
    - One separator, several times: it separates thousands.
    - One separator, once, before another number of digits than three, or after a lone 0: it separates the decimals.
    - One separator, once, before three digits: thousands beside ``đ``, ``₫``, ``VND``, ``VNĐ`` or ``đồng``, which have no smaller
      unit. Without such a mark it has two readings (1.500 is 1500 or 1.5).

    Raises ValueError for two readings, several numbers, none, decimals of money that are not 0, ``2 triệu``, and a number
    that is a part of a word (``H08``).
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return text
    shown = unicodedata.normalize("NFC", as_text(text))
    found = list(_NUMBER.finditer(shown))
    if len(found) != 1:
        raise ValueError("no number" if not found else f"{len(found)} numbers; {_HINT}")
    number = found[0]
    before, after = shown[: number.start()], shown[number.end() :]
    is_money = _MONEY_BEFORE.search(before) is not None or _MONEY_AFTER.match(after) is not None
    if _MULTIPLE.match(after):
        raise ValueError("a number in words; write the amount in digits")
    if not is_money and before[-1:].isalpha():
        raise ValueError(f"a number within a word; {_HINT}")
    if after[:1].isnumeric():
        raise ValueError(f"a number before {after[0]!r}; {_HINT}")
    if before[-1:] in {"–", "—"}:
        raise ValueError(f"a dash that may be a minus; {_HINT}")
    if before[-1:] in {".", ","}:
        raise ValueError(f"a number after a {before[-1]!r}; {_HINT}")
    whole, fraction = _parts(number[0], decimal, is_money=is_money)
    sign = "-" if re.search(r"(?<![\w.,])[-\u2212]$", before) else ""
    if is_money and len(fraction) == 3 and not decimal:
        raise ValueError(f"a number with two readings; {_HINT}")
    if not fraction.strip("0"):
        return int(sign + whole)
    if is_money:
        raise ValueError("a part of a đồng, which does not exist")
    return float(f"{sign}{whole}.{fraction}")


def _parts(digits: str, decimal: str, *, is_money: bool) -> tuple[str, str]:
    """The digits before and after the decimal separator."""
    separators = ["'" if sign == "’" else " " if sign.isspace() else sign for sign in _SEPARATOR.findall(digits)]
    groups = _SEPARATOR.split(digits)
    different = list(dict.fromkeys(separators))
    if not separators:
        return groups[0], ""
    last, once = separators[-1], len(separators) == 1
    if decimal:
        has_decimals = decimal in separators
        if separators.count(decimal) > 1 or (has_decimals and last != decimal):
            raise ValueError(f"more than one {decimal!r}, or digits grouped after it")
    elif len(different) > 1:
        has_decimals = True
    elif last in {".", ","} and once:
        if not is_money and len(groups[1]) == 3 and len(groups[0]) <= 3 and groups[0] != "0":
            raise ValueError(f"a number with two readings; {_HINT}")
        has_decimals = len(groups[1]) != 3 or len(groups[0]) > 3 or groups[0] == "0"
    else:
        has_decimals = False
        if last == " " and once and not is_money:
            raise ValueError(f"one number or two; {_HINT}")
    whole, fraction = (groups[:-1], groups[-1]) if has_decimals else (groups, "")
    thousands = separators[: len(whole) - 1]
    grouped = len(whole) == 1 or (len(whole[0]) <= 3 and all(len(group) == 3 for group in whole[1:]))
    if len(set(thousands)) > 1 or not grouped or (has_decimals and last in {" ", "'"}):
        raise ValueError(f"digits that are grouped in no known way; {_HINT}")
    return "".join(whole), fraction


def whole_number(value: object) -> int:
    """A whole number written in digits alone; raises ValueError for everything else, such as ``1_000`` or 1.5."""
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError(f"{value!r} is no whole number")
    if isinstance(value, int | float):
        return int(value)
    if _WHOLE.fullmatch(as_text(value)) is None:
        raise ValueError(f"{value!r} is not a whole number in digits")
    return int(as_text(value))


def grouped(value: int) -> str:
    """A whole number as Vietnamese pages write it: 150000 is ``150.000``."""
    return f"{value:,}".replace(",", ".")
