"""Attachments: valid files of a type and size, made once when a profile is compiled. Each says that it is a test."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping

CONTENT_TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "txt": "text/plain; charset=utf-8",
}
_TEXT = "Tài liệu kiểm thử hiệu năng, không có giá trị. "


def attachment(kind: str, size_bytes: int) -> bytes:
    """A file of ``kind`` that its usual readers open, padded to ``size_bytes``, or larger where the type needs more."""
    return _MAKERS[kind](size_bytes)


def _pdf(size_bytes: int) -> bytes:
    content = b"BT /F1 18 Tf 40 760 Td (TEST DOCUMENT - TAI LIEU KIEM THU) Tj ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]

    def build(padding: int) -> bytes:
        out = io.BytesIO()
        out.write(b"%PDF-1.4\n")
        if padding > 1:
            out.write(b"%" + b"x" * (padding - 2) + b"\n")
        offsets = []
        for number, body in enumerate(objects, 1):
            offsets.append(out.tell())
            out.write(b"%d 0 obj%s endobj\n" % (number, body))
        start = out.tell()
        out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
        out.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
        out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%010d\n%%%%EOF\n" % (len(objects) + 1, start))
        return out.getvalue()

    return build(max(size_bytes - len(build(0)), 0))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(size_bytes: int) -> bytes:
    head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
    tail = _chunk(b"IDAT", zlib.compress((b"\x00" + b"\xff" * 8) * 8)) + _chunk(b"IEND", b"")
    room = size_bytes - len(head) - len(tail) - 12
    return head + (_chunk(b"tEXt", b"Comment\x00" + b"x" * (room - 8)) if room > 8 else b"") + tail


_JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010101004800480000ffdb004300" + "01" * 64 + "ffc0000b080001000101011100"
    "ffc4001400010000000000000000000000000000000000" + "ffc40014100100000000000000000000000000000000" + "ffda0008010100003f003fffd9"
)


def _jpg(size_bytes: int) -> bytes:
    padding = b""
    left = size_bytes - len(_JPEG)
    while left > 4:
        length = min(left - 2, 65_535)
        padding += b"\xff\xfe" + struct.pack(">H", length) + b"x" * (length - 2)
        left -= length + 2
    return _JPEG[:2] + padding + _JPEG[2:]


def _docx(size_bytes: int) -> bytes:
    space = "http://schemas.openxmlformats.org"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{space}/package/2006/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" '
        f'ContentType="{CONTENT_TYPES["docx"]}.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{space}/package/2006/relationships"><Relationship Id="r1" '
        f'Type="{space}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{space}/wordprocessingml/2006/main"><!--PADDING--><w:body><w:p><w:r><w:t>{_TEXT}</w:t></w:r></w:p>'
        "</w:body></w:document>",
    }

    def build(padding: int) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            for name, text in files.items():
                padded = text.replace("PADDING", "x" * padding)
                archive.writestr(zipfile.ZipInfo(name), '<?xml version="1.0" encoding="UTF-8"?>' + padded)
        return out.getvalue()

    return build(max(size_bytes - len(build(0)), 0))


def _txt(size_bytes: int) -> bytes:
    text = _TEXT.encode()
    whole = text * (size_bytes // len(text) + 1)
    return whole[:size_bytes].decode(errors="ignore").encode().ljust(size_bytes)


_MAKERS: Mapping[str, Callable[[int], bytes]] = {"pdf": _pdf, "png": _png, "jpg": _jpg, "docx": _docx, "txt": _txt}
