"""What every family asks of an applicant: seven fields, a text, a file; and what is wrong with them, in Vietnamese."""

from __future__ import annotations

import re

from harness.simulator.http_messages import PostedForm, Upload

APPLICANT_KEYS = ("hoTen", "soDinhDanh", "ngaySinh", "dienThoai", "email", "diaChi", "xaPhuong")
COMMUNES = ("Phường Thử Nghiệm 1", "Phường Thử Nghiệm 2", "Xã Thử Nghiệm 3", "Xã Thử Nghiệm 4")
FILE_LIMIT = 5 << 20
_FILE_MAGIC = (b"%PDF-", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"PK\x03\x04")
_PHONE = re.compile(r"0\d{8,10}")
_NUMBER = re.compile(r"\d{9,12}")
_BIRTHDAY = re.compile(r"\d\d/\d\d/\d{4}")


def field_names(*names: str) -> dict[str, str]:
    """Applicant key → the family's name of that field; names in the order of ``APPLICANT_KEYS``."""
    return dict(zip(APPLICANT_KEYS, names, strict=True))


def read_applicant(form: PostedForm, names: dict[str, str]) -> dict[str, str]:
    """The applicant in a posted form."""
    return {key: form.get(name) for key, name in names.items()}


def applicant_errors(applicant: dict[str, str]) -> list[str]:
    """What is wrong with an applicant; empty if nothing is."""
    checks = (
        (bool(applicant["hoTen"]), "Họ và tên không hợp lệ"),
        (bool(_NUMBER.fullmatch(applicant["soDinhDanh"])), "Số định danh không hợp lệ"),
        (bool(_BIRTHDAY.fullmatch(applicant["ngaySinh"])), "Ngày sinh không hợp lệ (dd/mm/yyyy)"),
        (bool(_PHONE.fullmatch(applicant["dienThoai"])), "Số điện thoại không hợp lệ"),
        (bool(applicant["diaChi"]), "Địa chỉ không hợp lệ"),
        (applicant["xaPhuong"] in COMMUNES, "Xã, phường không hợp lệ"),
    )
    return [text for holds, text in checks if not holds]


def content_errors(content: object) -> list[str]:
    """What is wrong with the text of a request; it must not be empty."""
    return [] if content else ["Nội dung đề nghị không hợp lệ"]


def upload_errors(upload: Upload | None) -> list[str]:
    """What is wrong with a file. PDF, PNG, JPEG and Office files of at most 5 MB are accepted, by their first bytes."""
    if upload is None:
        return ["Tệp đính kèm không hợp lệ: chưa chọn tệp"]
    if len(upload.content) > FILE_LIMIT:
        return ["Tệp đính kèm không hợp lệ: lớn hơn 5 MB"]
    if not upload.content.startswith(_FILE_MAGIC):
        return ["Tệp đính kèm không hợp lệ: chỉ nhận PDF, PNG, JPEG, DOCX, XLSX"]
    return []
