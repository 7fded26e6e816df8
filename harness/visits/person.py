"""Synthetic citizens: seeded, and visibly not real.

Names contain "Thử Nghiệm" (test). Citizen numbers begin with 000, while the codes of provinces run from 001 to 096. Phone
numbers begin with 0000, which no Vietnamese network has. Mail addresses end in ``example.invalid`` (RFC 2606).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.statistics.keyed import keyed_random

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý")
_GIVEN = ("An", "Bình", "Chi", "Dũng", "Giang", "Hạnh", "Khánh", "Linh", "Minh", "Ngọc", "Oanh", "Phúc", "Quỳnh", "Sơn", "Thảo", "Vân")

MARK = "HỒ SƠ KIỂM THỬ HIỆU NĂNG – ĐỀ NGHỊ KHÔNG GIẢI QUYẾT"
"""Written into every dossier, so that an official who sees it knows that it is a test."""


@dataclass(frozen=True, slots=True)
class Person:
    """One made-up citizen; ``values`` is what templates see as ``person``."""

    values: Mapping[str, str] = field(repr=False)

    @property
    def name(self) -> str:
        """The full name."""
        return self.values["name"]

    @property
    def citizen_number(self) -> str:
        """Twelve digits that no real person has."""
        return self.values["citizen_number"]

    def dossier_for(self, procedure: Any) -> dict[str, str]:
        """What the person writes into a dossier for a procedure."""
        del procedure  # every procedure of the profiles asks for the same things
        return {
            "applicant": self.values["name"],
            "citizen_number": self.values["citizen_number"],
            "phone": self.values["phone"],
            "email": self.values["email"],
            "address": self.values["address"],
            "birth_date": self.values["birth_date"],
            "note": MARK,
        }


def synthetic_person(seed: int, run: str, visit: int) -> Person:
    """The citizen of a visit: the same for the same seed, run and visit."""
    chance = keyed_random(seed, run, visit, "person")
    serial = chance.randrange(10**9)
    year, month, day = 1950 + chance.randrange(55), 1 + chance.randrange(12), 1 + chance.randrange(28)
    family, given = _FAMILY[chance.randrange(len(_FAMILY))], _GIVEN[chance.randrange(len(_GIVEN))]
    return Person(
        {
            "name": f"{family} Thử Nghiệm {given} {serial:09d}",
            "family_name": family,
            "given_name": f"Thử Nghiệm {given} {serial:09d}",
            "citizen_number": f"000{serial:09d}",
            "phone": f"0000{serial % 10**6:06d}",
            "email": f"kiem-thu-{serial:09d}@example.invalid",
            "address": f"Số {serial % 999 + 1}, phố Kiểm Thử, xã Không Có Thật",
            "birth_date": f"{day:02d}/{month:02d}/{year}",
            "birth_date_iso": f"{year}-{month:02d}-{day:02d}",
            "password": f"Thu@{serial % 10**6:06d}",
            "otp": f"{serial % 10**6:06d}",
        }
    )
