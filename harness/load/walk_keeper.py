"""Keeps one lone walk whole: addresses, certificates, header fields and bodies, without secrets."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256

from cryptography import x509

from harness.client import Exchange, LeanSession
from harness.load.aside import in_a_thread
from harness.load.clock import Clock
from harness.pages.encodings import UTF_8, UTF_16, decoded_text
from harness.pages.media import MediaKind, encoding_of, kind_of, media_type
from harness.records import VISIT_ROW, Sample, WindowKey
from harness.records.kept_walks import (
    BODY_BYTES,
    EXCHANGES,
    HEAD_BYTES,
    LARGEST_FILE,
    WALK_BYTES,
    KeptBody,
    KeptExchange,
    KeptMessage,
    KeptWalk,
    PackedWalk,
    PeerCertificate,
    pack_walk,
)
from harness.visits import VisitState
from harness.visits.blanking import SHORTEST_COOKIE, given_to, spellings, tokens_of
from harness.visits.credentials import BLANK, blank_field, by_kind, is_credential

# All assumed, well above what a walk has: they bound its memory.
_MARGIN = 4_096  # bytes read beyond the cut, so that a secret that the cut splits is blanked too; no secret is longer
_URL_LENGTH = 8_192  # characters kept of an address
_SHORT = 200  # characters kept of an address when the walk's room is used up
_CERTIFICATES = 20  # kept of one walk
_NAMES = 100  # kept of one certificate; also, how many certificates of its chain
_LONGEST_NAME = 500  # characters
_BINARY = b"\0"


@dataclass(frozen=True, slots=True)
class _Body:
    length: int
    sha256: str
    read: bytes
    secret: bool  # whether it holds a secret that was given to us


@dataclass(frozen=True, slots=True)
class _Fields:
    kept: tuple[tuple[str, str], ...]
    left_out: int


@dataclass(slots=True)
class _Noted:
    """An exchange that is to be written; of its bodies, only what may be kept."""

    exchange: Exchange  # without its body
    url: str
    line: str
    fields: _Fields  # of the request
    answer_fields: _Fields
    sent: _Body
    received: _Body
    sent_encoding: str  # of the text; empty for what is none
    encoding: str  # the same of the answer
    row: Sample | None = None


@dataclass(slots=True)
class WalkKeeper:
    """One lone visit: what the session's witness and the visit's rows tell of it. Its memory is bounded."""

    clock: Clock
    key: int  # of its window, index into the outbox's keys
    state: VisitState | None = None
    _noted: list[_Noted] = field(default_factory=list)
    _certificates: dict[bytes, PeerCertificate] = field(default_factory=dict)
    _tokens: set[str] = field(default_factory=set)
    _room: int = WALK_BYTES
    _left_out: int = 0
    _outcome: str = ""

    def sessions(self, new_session: Callable[[], LeanSession]) -> Callable[[], LeanSession]:
        """A factory of sessions that tell this keeper of every request."""

        def watched() -> LeanSession:
            session = new_session()
            session.witness = self.answered
            return session

        return watched

    def recording(self, record: Callable[[Sample], None]) -> Callable[[Sample], None]:
        """A function that records a row, and notes it here."""

        def recorded(row: Sample) -> None:
            self.judged(row)
            record(row)

        return recorded

    def answered(self, request: bytes, exchange: Exchange) -> None:
        """Note a request as it was sent, and its exchange."""
        if len(self._noted) >= EXCHANGES:
            self._left_out += 1
            return
        head, _, body = request.partition(b"\r\n\r\n")
        line, *fields = head.decode("utf-8", "replace").split("\r\n")
        pairs = tuple((name, value.strip()) for name, _, value in (each.partition(":") for each in fields))
        received = exchange.body or exchange.received
        media = media_type(exchange.headers)
        kind = kind_of(media.essence, received, nosniff=False)
        encoding = "" if kind is MediaKind.OTHER else encoding_of(kind, media.charset, received)[0]
        self._learn(pairs)
        self._learn(exchange.headers.items)
        shown = exchange.peer.certificates if exchange.peer is not None else ()
        if shown and shown[0] not in self._certificates and len(self._certificates) < _CERTIFICATES:
            self._certificates[shown[0]] = _certificate(shown)
        self._noted.append(
            _Noted(
                replace(exchange, body=b"", received=b""), self._short(exchange.url), self._short(line), self._fields(pairs),
                self._fields(exchange.headers.items), self._body(body), self._body(received), _utf_8(body), encoding,
            )
        )  # fmt: skip

    def judged(self, row: Sample) -> None:
        """Note how a request or the visit ended, by its row."""
        if row.request == VISIT_ROW:
            self._outcome = row.outcome
        elif row.start_us:
            for noted in reversed(self._noted):
                if noted.row is None and noted.exchange.start_us == row.start_us and noted.exchange.host == row.host:
                    noted.row = row
                    break
        if self.state is not None:
            self._tokens |= tokens_of(self.state)

    def packed(self, key: WindowKey) -> PackedWalk:
        """The walk as a file of the evidence. Made beside the event loop: another portal may be under load."""
        return in_a_thread(lambda: self._pack(key))

    def _pack(self, key: WindowKey) -> PackedWalk:
        assert self.state is not None
        walk = KeptWalk(
            key.sweep, key.round, key.run, key.window, key.portal, key.worker, self.state.journey, self.state.visit, self._outcome,
            datetime.fromtimestamp(self.clock.utc_s(), UTC).isoformat(timespec="milliseconds"), self.clock.now_us(),
            tuple(self._certificates.values()), self._left_out, exchanges=tuple(self._kept()),
        )  # fmt: skip
        file = pack_walk(walk)
        if len(file) > LARGEST_FILE:
            file = pack_walk(replace(walk, exchanges=(), left_out=self._left_out + len(self._noted)))
        return PackedWalk(walk.journey, walk.visit, file)

    def _kept(self) -> Iterable[KeptExchange]:
        assert self.state is not None
        secrets = _Secrets(given_to(self.state) | self._tokens)
        for noted in sorted(self._noted, key=lambda each: each.exchange.start_us):
            exchange, row = noted.exchange, noted.row
            certificates = exchange.peer.certificates if exchange.peer is not None else ()
            place = (row.goal, row.step, row.attempt, row.request, row.hop, row.outcome) if row is not None else ("", "", 0, 0, 0, "")
            sent = secrets.message(noted.line, noted.fields, secrets.body(noted.sent, noted.sent_encoding))
            answer = None
            if exchange.status or noted.received.length:
                line = str(exchange.status) if exchange.status else ""
                answer = secrets.message(line, noted.answer_fields, secrets.body(noted.received, noted.encoding))
            yield KeptExchange(
                *place, secrets.text(noted.url), exchange.start_us, exchange.first_byte_us, exchange.end_us,
                exchange.dns_us, exchange.connect_us, exchange.tls_us, exchange.reused, exchange.read_again, exchange.wire_bytes,
                exchange.peer.address if exchange.peer is not None else "", sha256(certificates[0]).hexdigest() if certificates else "",
                secrets.text(exchange.error), sent, answer,
            )  # fmt: skip

    def _learn(self, fields: Iterable[tuple[str, str]]) -> None:
        """Remember the credentials in header fields, because pages may show them too."""
        for name, value in fields:
            if name.lower() in ("cookie", "set-cookie"):
                pairs = value.split(";") if name.lower() == "cookie" else [value.partition(";")[0]]
                found = [pair.partition("=")[2].strip().strip('"') for pair in pairs]
            elif name.lower() in ("authorization", "proxy-authorization"):
                found = [value.rpartition(" ")[2]]
            else:
                found = [value] if is_credential(name, value) else []
            self._tokens |= {each for each in found if len(each) >= SHORTEST_COOKIE}

    def _short(self, text: str) -> str:
        """As much of an address or a first line as there is room for."""
        kept = text[: _URL_LENGTH if self._room > 0 else _SHORT]
        self._room -= len(kept)
        return kept

    def _fields(self, fields: Iterable[tuple[str, str]]) -> _Fields:
        """As many header fields as there is room for."""
        kept, left_out, room = [], 0, min(HEAD_BYTES, self._room)
        for name, value in fields:
            size = len(name) + len(value)
            if size <= room:
                kept.append((name, value))
                room, self._room = room - size, self._room - size
            else:
                left_out += 1
        return _Fields(tuple(kept), left_out)

    def _body(self, body: bytes) -> _Body:
        """As much of a body as there is room for."""
        assert self.state is not None
        most = max(min(BODY_BYTES, self._room), 0)
        read = body if len(body) <= most else body[: most + _MARGIN] if most else b""
        self._room -= min(len(body), most)
        spelled = [each.encode() for each in spellings(given_to(self.state))] if body else []

        def looked_at() -> tuple[str, bool]:
            return sha256(body).hexdigest() if body else "", any(each in body for each in spelled)

        digest, secret = looked_at() if len(body) <= BODY_BYTES else in_a_thread(looked_at)
        return _Body(len(body), digest, read, secret)


class _Secrets:
    """Blanks secrets that were given to us, the portal's tokens, and whatever looks like a credential."""

    def __init__(self, values: set[str]) -> None:
        self._spelled = spellings(values)

    def text(self, text: str) -> str:
        return by_kind(self._by_value(text))

    def message(self, line: str, fields: _Fields, body: KeptBody) -> KeptMessage:
        blanked = tuple((self.text(name), self._by_value(blank_field(name, self._by_value(value)))) for name, value in fields.kept)
        return KeptMessage(self.text(line), blanked, body, fields.left_out)

    def body(self, body: _Body, encoding: str) -> KeptBody:
        """``encoding``: of the text; empty for what is none."""
        facts = KeptBody(body.length, "" if body.secret else body.sha256)
        if len(body.read) < body.length:
            facts = replace(facts, cut_at=max(len(body.read) - _MARGIN, 0))
        if encoding and (encoding in UTF_16 or _BINARY not in body.read[:1024]):
            text = self.text(decoded_text(body.read, encoding))
            return replace(facts, text=text if facts.cut_at is None else text[: max(len(text) - _MARGIN, 0)])
        found = self.text(body.read.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        found = found if facts.cut_at is None else found[: max(len(found) - _MARGIN, 0)]
        return replace(facts, base64=b64encode(found).decode("ascii"))

    def _by_value(self, text: str) -> str:
        for spelled in self._spelled:
            text = text.replace(spelled, BLANK)
        return text


def _utf_8(body: bytes) -> str:
    try:
        body.decode()
    except UnicodeDecodeError:
        return ""
    return UTF_8


def _certificate(shown: tuple[bytes, ...]) -> PeerCertificate:
    """The facts of a server's certificate; one that cannot be read has its digest alone."""
    digest = sha256(shown[0]).hexdigest()
    try:
        own, *others = (x509.load_der_x509_certificate(each) for each in shown)
        alternative = [each.value for each in own.extensions if isinstance(each.value, x509.SubjectAlternativeName)]
        names = tuple(str(name.value)[:_LONGEST_NAME] for each in alternative for name in each)
        chain = tuple(_name(each.subject) for each in others)
        dates = own.not_valid_before_utc.isoformat(), own.not_valid_after_utc.isoformat()
    except ValueError:
        return PeerCertificate(digest, "", "", (), "", "", "")
    return PeerCertificate(
        digest, _name(own.subject), _name(own.issuer), names[:_NAMES], *dates, f"{own.serial_number:x}", chain[:_NAMES]
    )  # fmt: skip


def _name(name: x509.Name) -> str:
    return name.rfc4514_string()[:_LONGEST_NAME]
