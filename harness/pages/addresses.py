"""Addresses in a page: its links, the actions of its forms, its refreshes."""

from __future__ import annotations

from harness.origins import resolve
from harness.pages.encodings import UTF_8, UTF_16, encoded_text
from harness.pages.page import Page


def address_on(page: Page, reference: str) -> str:
    """An address in a page as an absolute one, fragment included; as it stands where it is none.

    HTML Standard, "encoding-parsing a URL": the query is written in the page's encoding, everything else in UTF-8.
    """
    if not reference.isascii() and page.encoding != UTF_8 and page.encoding not in UTF_16:
        before, mark, rest = reference.partition("?")
        if mark and "#" not in before:
            query, hash_, fragment = rest.partition("#")
            reference = f"{before}?{''.join([_written(sign, page.encoding) for sign in query])}{hash_}{fragment}"
    return resolve(page.base, reference)


def _written(sign: str, encoding: str) -> str:
    """URL Standard, "percent-encode after encoding": a letter that the encoding lacks becomes ``&#``, its number and ``;``."""
    if sign.isascii():
        return sign
    return "".join(chr(byte) if byte < 0x80 and byte not in b"&#;" else f"%{byte:02X}" for byte in encoded_text(sign, encoding))
