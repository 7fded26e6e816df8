"""A body in chunks, read with the leniency of Chromium (net/http/http_chunked_decoder.cc)."""

from __future__ import annotations

from harness.client.exchange import ExchangeError
from harness.records import Outcome

_HEX = b"0123456789abcdefABCDEF"
_LINE_BYTES = 16384  # the longest size line, and all trailers together
_PIECES = 4096  # joined when there are more, because a bytes object of one byte takes the memory of fifty


class Chunks:
    """Collects the data of the chunks. ``feed`` answers True at the end of the last one; ``surplus`` holds the bytes after it."""

    __slots__ = ("_between", "_left", "_rest", "_trailer_bytes", "_trailers", "pieces", "size", "surplus")

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.size = 0
        self.surplus = b""
        self._rest = b""  # the beginning of a line
        self._left = 0  # bytes of this chunk that are still to come
        self._between = False  # after the data of a chunk, before its line end
        self._trailers = False
        self._trailer_bytes = 0

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; True once the body is complete. Raises ExchangeError (protocol)."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        at = 0
        while True:
            if self._left:
                piece = data[at : at + self._left]
                self.pieces.append(piece)
                self.size += len(piece)
                self._left -= len(piece)
                at += len(piece)
                if len(self.pieces) > _PIECES:
                    self.pieces = [b"".join(self.pieces)]
                if self._left:
                    return False
                self._between = True
            end = data.find(b"\n", at)
            if end < 0:
                self._rest = data[at:]
                if len(self._rest) > _LINE_BYTES:
                    raise ExchangeError(Outcome.PROTOCOL, "a chunk's size line without an end")
                return False
            line = data[at:end].rstrip(b"\r")
            at = end + 1
            if self._trailers:
                if not line:
                    self.surplus = data[at:]
                    return True
                self._count_trailer(line)
            elif self._between:
                if line:
                    raise ExchangeError(Outcome.PROTOCOL, f"a chunk that does not end where its size says, but with {line[:40]!r}")
                self._between = False
            else:
                self._left = _size(line)
                self._trailers = self._left == 0

    def _count_trailer(self, line: bytes) -> None:
        self._trailer_bytes += len(line)
        if self._trailer_bytes > _LINE_BYTES:
            raise ExchangeError(Outcome.PROTOCOL, f"more than {_LINE_BYTES} bytes of trailers")


def _size(line: bytes) -> int:
    text = line.partition(b";")[0].rstrip(b" \t")
    if not text or text.strip(_HEX) or len(text) > 15:
        raise ExchangeError(Outcome.PROTOCOL, f"a chunk whose size is {line[:40]!r}")
    return int(text, 16)
