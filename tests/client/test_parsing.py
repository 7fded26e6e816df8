"""Properties of the parsers: where bytes are cut does not matter, and whatever comes, the answer is a head, a fault, or not yet."""

from __future__ import annotations

import gzip
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.client import Headers
from harness.client.chunks import Chunks
from harness.client.decoding import decoded
from harness.client.exchange import ExchangeError
from harness.client.head import read_head
from harness.origins import locate

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,15}", fullmatch=True).filter(
    lambda name: (
        name.lower()
        not in {"content-length", "transfer-encoding", "location", "connection", "keep-alive", "content-encoding", "set-cookie"}
    )
)
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)
ENDS = st.sampled_from([b"\r\n", b"\n"])


@given(
    status=st.integers(200, 599),
    fields=st.lists(st.tuples(NAMES, VALUES)),
    length=st.integers(0, 10**9),
    end=ENDS,
    rest=st.binary(max_size=50),
)
def test_a_head_is_found_where_it_ends_and_not_before(status, fields, length, end, rest):
    lines = [b"HTTP/1.1 %d Words" % status, *(f"{name}: {value}".encode() for name, value in fields), b"Content-Length: %d" % length]
    head = end.join(lines) + end + end
    for cut in range(len(head)):
        assert read_head(head[:cut], bodiless=False) is None
    found = read_head(head + rest, bodiless=False)
    assert (found.status, found.end) == (status, len(head))
    assert found.length == (0 if status in {204, 205, 304} else length)
    assert found.keep_alive


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]),
)
def test_rubbish_is_a_head_a_fault_or_not_yet(rubbish, before):
    try:
        head = read_head(before + rubbish, bodiless=False)
    except ExchangeError:
        return
    assert head is None or 100 <= head.status <= 999


@given(st.lists(st.binary(min_size=1, max_size=40)), st.binary(max_size=20), st.lists(st.integers(1, 30), min_size=1))
def test_chunks_are_the_same_however_they_are_cut(pieces, surplus, cuts):
    wire = b"".join(b"%X;x=y\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nTrailer: 1\r\n\r\n"
    chunks = Chunks()
    done = False
    at = turn = 0
    while at < len(wire):
        step = cuts[turn % len(cuts)]
        last = at + step >= len(wire)
        assert not done
        done = chunks.feed(wire[at : at + step] + (surplus if last else b""))
        at += step
        turn += 1
    assert done
    assert b"".join(chunks.pieces) == b"".join(pieces)
    assert chunks.surplus == surplus


@given(st.binary(max_size=300))
def test_rubbish_in_chunks_is_a_fault_or_not_yet(rubbish):
    chunks = Chunks()
    with suppress(ExchangeError):
        chunks.feed(rubbish)
    assert chunks.size <= len(rubbish)


@given(st.binary(max_size=500), st.integers(0, 499))
def test_decoding_never_gives_more_than_its_limit(body, limit):
    packed = gzip.compress(body)
    if len(body) > limit:
        with pytest.raises(ExchangeError, match="body of more than"):
            decoded(packed, [b"gzip"], limit)
    else:
        assert decoded(packed, [b"gzip"], limit) == body


@given(st.text(max_size=60))
def test_no_url_breaks_out_of_the_request_line(text):
    origin, path = locate(f"http://127.0.0.1:80/{text}")
    assert origin is not None
    assert origin.text == "http://127.0.0.1:80"
    assert path.isascii()
    assert path.isprintable()
    assert " " not in path
    assert "#" not in path


@given(st.text(max_size=40))
def test_any_text_is_a_url_or_none(text):
    origin, _ = locate(text)
    assert origin is None or origin.text.startswith("http")


def test_ten_thousand_chunks_of_a_byte_are_one_body():
    chunks = Chunks()
    assert chunks.feed(b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n")
    assert b"".join(chunks.pieces) == b"x" * 10_000
    assert len(chunks.pieces) < 5_000


@given(
    fields=st.lists(st.tuples(NAMES, VALUES), max_size=12, unique_by=lambda field: field[0].lower()),
    end=st.sampled_from([b"\r\n", b"\n"]),
    ending=st.booleans(),
)
def test_a_field_asked_for_is_the_one_that_all_of_them_hold(fields: list[tuple[str, str]], end: bytes, ending: bool) -> None:
    head = end.join([b"HTTP/1.1 200 OK", *(f"{name}: {value}".encode() for name, value in fields)]) + (end if ending else b"")
    for name, value in fields:
        asked, split = Headers(wire=head), Headers(wire=head)
        assert split.items == [(name, value) for name, value in fields]
        for spelled in (name, name.lower(), name.upper(), name.title()):
            assert asked.get(spelled) == split.get(spelled) == value
        assert asked.get_all(name) == split.get_all(name) == [value]
    assert Headers(wire=head).get("X-Not-There-At-All", "none") == "none"


@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        (b"/a?b=1", "/a?b=1"),
        (b"/ph\xfa?x=\xfa", "/ph%FA?x=%FA"),
        ("/phú".encode(), "/ph%C3%BA"),
        (b"/\xfa\xc3\xba", "/%FA%C3%BA"),
        (b"", ""),
    ],
)
def test_an_address_in_a_field_keeps_its_bytes(raw: bytes, escaped: str) -> None:
    """What Chromium asks for when a Location holds these bytes."""
    assert Headers(wire=b"HTTP/1.1 302 Found\r\nlocation:  " + raw + b" \r\nA: b\r\n").get_escaped("Location") == escaped
    assert Headers(wire=b"HTTP/1.1 302 Found\r\nA: b\r\n").get_escaped("Location") == ""
