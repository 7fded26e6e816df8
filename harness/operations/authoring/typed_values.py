"""What a person types about themselves, by the name of the field: a draft writes a synthetic citizen in its place.

A capture holds the data of whoever recorded it, and those must reach no portal.
"""

from __future__ import annotations

import re
from typing import Final

from harness.profiles.functions import unaccented

_VALUES: Final = (
    (r"", r"[^\s@]+@[^\s@]+\.[^\s@]+", "email"),
    (r"phone|mobile|(?:^|_)tel(?:$|_)|dien_?thoai|(?:^|_)sdt|so_?dt", r"[\d\s.()+-]{6,}", "phone"),
    (r"cccd|cmnd|dinh_?danh|citizen|can_?cuoc|id_?card|national_?id", r"\d{9,12}", "citizen_number"),
    (r"birth|ngay_?sinh|(?:^|_)dob", r"\d{4}-\d{2}-\d{2}", "birth_date_iso"),
    (r"birth|ngay_?sinh|(?:^|_)dob", r"\d{1,2}/\d{1,2}/\d{4}", "birth_date"),
    (r"(?:given|first)_?name|ten_?dem", r"\D{2,}", "given_name"),
    (r"(?:family|last|sur)_?name", r"\D{2,}", "family_name"),
    (
        r"ho_?(?:va_?)?ten|(?:full|real|your|contact|customer|applicant)_?name|chu_?ho_?so|nguoi_?(?:nop|yeu_?cau)|applicant",
        r"\D{2,}",
        "name",
    ),
    (r"dia_?chi|address|street|noi_?o", r"(?s).{3,}", "address"),
)
_NOTES = re.compile(r"note|message|comment|content|description|details|(?:^|_)body$|noi_?dung|ghi_?chu|mo_?ta|ly_?do", re.IGNORECASE)
_ACCOUNTS = re.compile(r"user|login|account|tai_?khoan|ten_?dang_?nhap|(?:^|_)u$|nick|member", re.IGNORECASE)


def person_value(name: str, text: str) -> str:
    """The value of a person that a field of this name takes, where the text looks like one; empty for any other field."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", unaccented(name)).lower()
    last = re.split(r"[:.\[\]$]", words.rstrip("]"))[-1].replace("-", "_") or words
    found = (value for pattern, looks, value in _VALUES if re.search(pattern, last) and re.fullmatch(looks, text.strip()))
    return next(found, "")


def is_note(name: str) -> bool:
    """Whether a field of this name takes a text of several sentences."""
    return _NOTES.search(unaccented(name)) is not None


def is_account(name: str) -> bool:
    """Whether a field of this name, beside a password, takes the name of an account."""
    return _ACCOUNTS.search(unaccented(name)) is not None
