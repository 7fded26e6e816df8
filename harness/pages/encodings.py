"""Character encodings as the Encoding Standard defines them: labels, and text from and to bytes.

Section numbers are those of https://encoding.spec.whatwg.org. Python has its codecs; the standard's labels, its few
deviations from these codecs, and what browsers do with characters that an encoding lacks are here. TCVN3 (ABC), VNI and
VISCII are no encodings of the standard: no browser knows them, and their labels count as none.
"""

from __future__ import annotations

import codecs

UTF_8 = "UTF-8"
UTF_16 = frozenset({"UTF-16LE", "UTF-16BE"})
DEFAULT = "windows-1258"
"""The encoding of a page in which nothing names one (HTML, 13.2.3.2, step 9: the table's line for ``vi``)."""

_NAMES_AND_LABELS = """
UTF-8          utf-8      unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8
IBM866         cp866      866 cp866 csibm866 ibm866
ISO-8859-2     iso8859-2  csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2
ISO-8859-3     iso8859-3  csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3
ISO-8859-4     iso8859-4  csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4
ISO-8859-5     iso8859-5  csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988
ISO-8859-6     iso8859-6  arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e iso-8859-6-i
ISO-8859-6     iso8859-6  iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987
ISO-8859-7     iso8859-7  csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7
ISO-8859-7     iso8859-7  iso_8859-7:1987 sun_eu_greek
ISO-8859-8     iso8859-8  csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8
ISO-8859-8     iso8859-8  iso_8859-8:1988 visual
ISO-8859-8-I   iso8859-8  csiso88598i iso-8859-8-i logical
ISO-8859-10    iso8859-10 csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6
ISO-8859-13    iso8859-13 iso-8859-13 iso8859-13 iso885913
ISO-8859-14    iso8859-14 iso-8859-14 iso8859-14 iso885914
ISO-8859-15    iso8859-15 csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9
ISO-8859-16    iso8859-16 iso-8859-16
KOI8-R         koi8-r     cskoi8r koi koi8 koi8-r koi8_r
KOI8-U         koi8-u     koi8-ru koi8-u
macintosh      mac-roman  csmacintosh mac macintosh x-mac-roman
windows-874    cp874      dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874
windows-1250   cp1250     cp1250 windows-1250 x-cp1250
windows-1251   cp1251     cp1251 windows-1251 x-cp1251
windows-1252   cp1252     ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591
windows-1252   cp1252     iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252
windows-1253   cp1253     cp1253 windows-1253 x-cp1253
windows-1254   cp1254     cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5
windows-1254   cp1254     windows-1254 x-cp1254
windows-1255   cp1255     cp1255 windows-1255 x-cp1255
windows-1256   cp1256     cp1256 windows-1256 x-cp1256
windows-1257   cp1257     cp1257 windows-1257 x-cp1257
windows-1258   cp1258     cp1258 windows-1258 x-cp1258
x-mac-cyrillic mac-cyrillic x-mac-cyrillic x-mac-ukrainian
GBK            gb18030    chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk
gb18030        gb18030    gb18030
Big5           big5hkscs  big5 big5-hkscs cn-big5 csbig5 x-x-big5
EUC-JP         euc-jp     cseucpkdfmtjapanese euc-jp x-euc-jp
ISO-2022-JP    iso-2022-jp csiso2022jp iso-2022-jp
Shift_JIS      cp932      csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis
EUC-KR         cp949      cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949
replacement    utf-8      csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr replacement
UTF-16BE       utf-16-be  unicodefffe utf-16be
UTF-16LE       utf-16-le  csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le
x-user-defined latin-1    x-user-defined
"""
"""Section 4.2: a name, Python's codec for it, and its labels. ``hz-gb-2312`` and its like name the replacement encoding."""

_LINES = [line.split() for line in _NAMES_AND_LABELS.strip().splitlines()]
_LABELS = {label: name for name, _, *labels in _LINES for label in labels}
_CODECS = {name: codec for name, codec, *_ in _LINES}
_BLANKS = "\t\n\f\r "
_BOMS = ((b"\xef\xbb\xbf", UTF_8), (b"\xfe\xff", "UTF-16BE"), (b"\xff\xfe", "UTF-16LE"))
_HIGH = {code: 0xF700 + code for code in range(0x80, 0x100)}
_LOW = {high: code for code, high in _HIGH.items()}


def encoding_of_label(label: str) -> str | None:
    """The name of the encoding that a label stands for (4.2, "get an encoding"); None for a label of no encoding."""
    return _LABELS.get(label.strip(_BLANKS).lower())


def encoding_of_mark(body: bytes) -> tuple[str | None, int]:
    """The encoding of a byte order mark and the mark's length (section 6, "BOM sniff"); it wins over every other source."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return encoding, len(mark)
    return None, 0


def decoded_text(body: bytes, encoding: str) -> str:
    """The text of bytes without their byte order mark; what an encoding cannot mean becomes U+FFFD."""
    if encoding == "replacement":
        return "\ufffd" if body else ""
    if encoding == "x-user-defined":
        return body.decode("latin-1").translate(_HIGH)
    if encoding.startswith("windows-"):
        return body.decode(_CODECS[encoding], "windows_c1")
    return body.decode(_CODECS[encoding], "replace")


def encoded_text(text: str, encoding: str) -> bytes:
    """A text as a browser writes it into a form (section 6, "encode", with HTML's ``&#NNNN;`` for what the encoding lacks).

    Pages in UTF-16 or the replacement encoding send UTF-8 (4.3, "get an output encoding").
    """
    if encoding in {UTF_8, "replacement"} or encoding in UTF_16:
        return text.encode("utf-8", "lone_surrogate")
    if encoding == "x-user-defined":
        return b"".join(bytes([_LOW.get(ord(sign), ord(sign))]) if sign < "\x80" or ord(sign) in _LOW else _number(sign) for sign in text)
    codec = "gbk" if encoding == "GBK" else _CODECS[encoding]  # it is read as gb18030, and written without its four-byte letters (10.2.2)
    return text.encode(codec, "html_number")


def _number(sign: str) -> bytes:
    return b"&#%d;" % (0xFFFD if 0xD800 <= ord(sign) < 0xE000 else ord(sign))


def _windows_c1(error: UnicodeError) -> tuple[str, int]:
    """The bytes 80 to 9F that Python's Windows codecs leave out are C1 controls in the standard's indexes (section 5)."""
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(byte) if byte < 0xA0 else "\ufffd" for byte in error.object[error.start : error.end]), error.end


def _html_number(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return b"".join(map(_number, error.object[error.start : error.end])), error.end


def _lone_surrogate(error: UnicodeError) -> tuple[bytes, int]:
    """JSON can hold half of a surrogate pair; a browser sends U+FFFD for it."""
    assert isinstance(error, UnicodeEncodeError)
    return b"\xef\xbf\xbd" * (error.end - error.start), error.end


codecs.register_error("lone_surrogate", _lone_surrogate)
codecs.register_error("windows_c1", _windows_c1)
codecs.register_error("html_number", _html_number)
