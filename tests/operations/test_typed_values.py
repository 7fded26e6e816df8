"""What a person typed about themselves, told by the name of the field and the looks of the text."""

from __future__ import annotations

import pytest

from harness.operations.authoring.typed_values import is_account, is_note, person_value


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("hoTen", "Nguyễn Văn A", "name"),
        ("don:ho_va_ten", "Nguyễn Văn A", "name"),
        ("applicant[fullName]", "A B", "name"),
        ("user.lastName", "Tran", "family_name"),
        ("so_dinh_danh", "001099000001", "citizen_number"),
        ("soDinhDanh", "none", ""),
        ("dienThoai", "0912 345 678", "phone"),
        ("hotel", "0912345678", ""),
        ("ngaySinh", "01/02/1990", "birth_date"),
        ("dob", "1990-02-01", "birth_date_iso"),
        ("anything", "someone@company.example", "email"),
        ("address", "12 Some Street", "address"),
        ("title", "Heating in room 12", ""),
        ("name", "Printer", ""),  # of a thing as well as of a person
    ],
)
def test_fields_of_a_person(name: str, text: str, value: str) -> None:
    assert person_value(name, text) == value


def test_accounts_and_notes() -> None:
    assert [name for name in ("user_name", "tenDangNhap", "login", "captcha") if is_account(name)] == ["user_name", "tenDangNhap", "login"]
    assert [name for name in ("@note", "noiDung", "description", "title") if is_note(name)] == ["@note", "noiDung", "description"]
