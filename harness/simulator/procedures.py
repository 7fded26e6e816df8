"""Two hundred procedures: real names of everyday matters, invented codes and fees."""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

HOW_MANY = 200

_SUBJECTS: dict[str, tuple[str, ...]] = {
    "Hộ tịch": (
        "khai sinh", "kết hôn", "khai tử", "nhận cha, mẹ, con", "giám hộ", "thay đổi, cải chính hộ tịch", "xác nhận tình trạng hôn nhân",
    ),
    "Cư trú": ("thường trú", "tạm trú", "lưu trú", "xóa thường trú", "xác nhận thông tin về cư trú"),
    "Đất đai": (
        "quyền sử dụng đất", "biến động đất đai", "tách thửa, hợp thửa đất", "thế chấp quyền sử dụng đất", "chuyển mục đích sử dụng đất",
    ),
    "Thành lập và hoạt động doanh nghiệp": (
        "hộ kinh doanh", "doanh nghiệp tư nhân", "công ty trách nhiệm hữu hạn một thành viên", "chi nhánh, văn phòng đại diện",
    ),
    "Lý lịch tư pháp": ("phiếu lý lịch tư pháp số 1", "phiếu lý lịch tư pháp số 2"),
    "Đường bộ": ("giấy phép lái xe", "phù hiệu xe ô tô", "giấy phép kinh doanh vận tải", "biển hiệu xe vận tải khách du lịch"),
    "Xây dựng": ("giấy phép xây dựng nhà ở riêng lẻ", "giấy phép xây dựng công trình", "chứng chỉ hành nghề hoạt động xây dựng"),
    "Chứng thực": ("bản sao từ bản chính", "chữ ký trong giấy tờ, văn bản", "hợp đồng, giao dịch liên quan đến tài sản"),
    "Bảo trợ xã hội": ("trợ cấp xã hội hàng tháng", "hỗ trợ chi phí mai táng", "mức độ khuyết tật"),
    "Người có công": ("chế độ đối với thương binh", "chế độ đối với thân nhân liệt sĩ", "trợ cấp thờ cúng liệt sĩ"),
    "An toàn thực phẩm": ("giấy chứng nhận cơ sở đủ điều kiện an toàn thực phẩm", "bản công bố sản phẩm"),
    "Giáo dục và Đào tạo": ("bằng tốt nghiệp trung học phổ thông", "chuyển trường đối với học sinh", "trung tâm ngoại ngữ, tin học"),
}  # fmt: skip
_ACTIONS = ("Đăng ký", "Cấp mới", "Cấp lại", "Cấp đổi", "Gia hạn", "Điều chỉnh thông tin", "Thu hồi")
_FREE = ("Bảo trợ xã hội", "Người có công")
_FEES = (5_000, 8_000, 15_000, 20_000, 50_000, 75_000, 100_000, 150_000, 200_000, 500_000, 1_500_000)
_PAPERS = (
    "Tờ khai theo mẫu quy định",
    "Bản sao căn cước công dân của người yêu cầu",
    "Giấy tờ chứng minh nơi cư trú",
    "Giấy ủy quyền (trường hợp nộp thay)",
    "Bản chính giấy tờ đã được cấp trước đây",
    "Ảnh chân dung cỡ 4x6 cm, nền trắng",
    "Biên lai nộp phí, lệ phí",
)


@dataclass(frozen=True, slots=True)
class Procedure:
    """One row of the table ``procedures``."""

    id: int
    code: str
    uuid: str
    hex24: str
    name: str
    field: str
    fee: int  # VND
    days: int  # working days until the decision
    papers: tuple[str, ...]


def search_text(text: str) -> str:
    """The text in lower case without diacritics: "Đăng ký Khai sinh" -> "dang ky khai sinh"."""
    decomposed = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def all_procedures() -> Iterator[Procedure]:
    """The procedures, the same in every database: each action with each subject, until there are ``HOW_MANY``."""
    pairs = [(action, field, subject) for action in _ACTIONS for field, subjects in _SUBJECTS.items() for subject in subjects]
    for index, (action, field, subject) in enumerate(pairs[:HOW_MANY]):
        digest = blake2b(f"{action} {subject}".encode(), digest_size=32).hexdigest()
        chosen = int(digest[:8], 16)
        yield Procedure(
            id=index + 1,
            code=f"{1 + chosen % 3}.{1000 + index * 7:06d}",
            uuid=f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}",
            hex24=digest[32:56],
            name=f"{action} {subject}",
            field=field,
            fee=0 if field in _FREE else _FEES[chosen % len(_FEES)],
            days=1 + chosen % 20,
            papers=tuple(_PAPERS[(chosen + offset) % len(_PAPERS)] for offset in range(2 + chosen % 3)),
        )


def store_procedures(database: sqlite3.Connection) -> None:
    """Put the procedures into the table; those that are there stay as they are."""
    rows = [
        asdict(p) | {"folded": search_text(f"{p.name} {p.field} {p.code}"), "papers": json.dumps(p.papers, ensure_ascii=False)}
        for p in all_procedures()
    ]
    database.executemany("INSERT OR IGNORE INTO procedures VALUES (:id,:code,:uuid,:hex24,:name,:folded,:field,:fee,:days,:papers)", rows)


class Procedures:
    """Searches in the table ``procedures``; each is a query."""

    _COLUMNS = "id, code, uuid, hex24, name, field, fee, days, papers"

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def search(self, keyword: str, page: int = 1, per_page: int = 10) -> tuple[list[Procedure], int]:
        """One page of the procedures that contain every word in name, field or code (diacritics ignored), and their total number."""
        words = search_text(keyword).split()
        where = " AND ".join(["instr(folded, ?)"] * len(words)) or "1"
        rows = self._database.execute(
            f"SELECT {self._COLUMNS} FROM procedures WHERE {where} ORDER BY id LIMIT ? OFFSET ?",  # noqa: S608  (only placeholders)
            [*words, per_page, max(page - 1, 0) * per_page],
        ).fetchall()
        # A query of its own: with a window function SQLite reads every column of every match before the first row.
        (total,) = self._database.execute(f"SELECT count(*) FROM procedures WHERE {where}", words).fetchone()  # noqa: S608  (only placeholders)
        return [_procedure(row) for row in rows], int(total)

    def by(self, column: str, value: str | int) -> Procedure | None:
        """The procedure whose id, code, uuid or hex24 is ``value``."""
        if column not in ("id", "code", "uuid", "hex24"):
            raise ValueError(column)
        row = self._database.execute(f"SELECT {self._COLUMNS} FROM procedures WHERE {column} = ?", (value,)).fetchone()  # noqa: S608  (closed list)
        return _procedure(row) if row else None

    def count(self) -> int:
        """The number of procedures."""
        return int(self._database.execute("SELECT count(*) FROM procedures").fetchone()[0])


def _procedure(row: tuple[Any, ...]) -> Procedure:
    number, code, uuid, hex24, name, field, fee, days, papers = row
    return Procedure(number, code, uuid, hex24, name, field, fee, days, tuple(json.loads(papers)))
