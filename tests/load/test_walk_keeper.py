"""A lone walk is kept whole, within its bounds and without secrets; a walk under load is not kept."""

from __future__ import annotations

import gzip
import random
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import Target
from harness.client import Exchange, Headers
from harness.errors import EvidenceError
from harness.load.clock import Clock
from harness.load.outbox import Outbox
from harness.origins import origin_of
from harness.records import LONE, Sample, WindowKey
from harness.records.fleet_messages import Batch, unpack
from harness.records.kept_walks import BODY_BYTES, EXCHANGES, LARGEST_FILE, WALK_BYTES, KeptWalk, pack_walk, read_walk
from harness.visits import StepFailed
from tests.html_site import in_a_thread
from tests.load.test_assets import load_of
from tests.visits.sloppy_site import Handler, Site, platform, requests

KEY = "synthetic-secret-1"
SESSION = "q1w2e3r4t5y6"
LARGE = b"<p>" + b"ph\xe1\xba\xa7n " * 60_000
PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00" + bytes(range(256)) * 8


class _Handler(Handler):
    def answer(self, body: bytes) -> None:
        path = self.path.partition("?")[0]
        if path not in ("/in", "/echo", "/large", "/picture", "/legacy"):
            super().answer(body)
            return
        kind, content = "text/html; charset=utf-8", b"<p>ok</p>"
        fields = {}
        if path == "/in":
            fields = {"Set-Cookie": f"SID={SESSION}; Path=/; HttpOnly", "X-Auth-Token": "z9y8x7w6v5"}
        elif path == "/echo":
            content = f"<p>{self.path} {self.headers.get('Cookie')} {body.decode()} z9y8x7w6v5 \x1b[31m \x9b31m \u202e</p>".encode()
        elif path == "/large":
            content = LARGE
        elif path == "/picture":
            kind, content = "image/png", PICTURE
        elif path == "/legacy":
            kind, content = "text/html; charset=windows-1258", b"<p>th\xfb t\xf8c</p>"
        self.send_response(200)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **fields}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def site() -> Iterator[Site]:
    with in_a_thread(Site()) as server:
        server.RequestHandlerClass = _Handler
        yield server


@dataclass
class Kept:
    """One visit at a site, and the walk that was sent to the master, if one was."""

    rows: list[Sample] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)

    def walk(self, folder: Path) -> KeptWalk:
        ((_, packed),) = (each for batch in self.batches for each in unpack(batch.blob).walks)
        path = folder / "walk.jsonl.gz"
        path.write_bytes(packed.file)
        return read_walk(path)


def walked(site: Site, *lines: str, lone: bool = True, assets: bool = False) -> Kept:
    kept = Kept()
    load = load_of(site, [], assets=assets)
    load.target = Target("site", "site", {"portal": site.origin}, {origin_of(site.origin): "portal"}, secrets={"key": "env:KEEPER_KEY"})
    load.platform = platform(requests(*lines))
    key = WindowKey("s", 0, "r", 0, "site", LONE if lone else "typical", "w0")
    load.outbox = Outbox(kept.batches.append, Clock(), "t", (key,))
    load.failures = _NoFailures()  # type: ignore[assignment]
    load.lone = frozenset({0}) if lone else frozenset()
    visit = load.visit("search", ("find",), 0, 0, 1)
    load.enter()
    try:
        visit.perform("find", keyword="x")
    except StepFailed:
        pass
    finally:
        visit.finish()
        load.leave(visit)
    assert load.in_flight == 0
    return kept


class _NoFailures:
    def kind(self, journey: str, failure: StepFailed) -> Any:
        from harness.records import FailureKind

        return FailureKind(journey, failure.goal, failure.step, failure.outcome, "", failure.rule)

    def page(self, *_: Any) -> None:
        return None


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPER_KEY", KEY)


def test_every_request_and_answer_is_kept_with_its_row(site: Site, tmp_path: Path) -> None:
    kept = walked(
        site, '{get: "{{ origin.portal }}/redirect?status=302&to=/a"}', '{post: "/b", fields: {x: "tên 1"}}', '{get: "/legacy"}'
    )  # fmt: skip
    walk = kept.walk(tmp_path)
    assert (walk.sweep, walk.portal, walk.journey, walk.visit, walk.outcome, walk.left_out) == ("s", "site", "search", 0, "ok", 0)
    assert [(each.request, each.hop, each.sent.line, each.received.line if each.received else "") for each in walk.exchanges] == [
        (0, 0, "GET /redirect?status=302&to=/a HTTP/1.1", "302"), (0, 1, "GET /a HTTP/1.1", "200"),
        (1, 0, "POST /b HTTP/1.1", "200"), (2, 0, "GET /legacy HTTP/1.1", "200"),
    ]  # fmt: skip
    first, _, post, legacy = walk.exchanges
    assert {(each.outcome, each.address, each.certificate) for each in walk.exchanges} == {("ok", "127.0.0.1", "")}
    assert 0 < first.start_us <= first.first_byte_us <= first.end_us <= walk.ended_us
    assert first.received is not None
    assert ("Location", "/a") in first.received.fields
    assert post.sent.body.text == "x=t%C3%AAn+1"
    assert ("Content-Type", "application/x-www-form-urlencoded") in post.sent.fields
    assert legacy.received is not None
    assert legacy.received.body.text == b"<p>th\xfb t\xf8c</p>".decode("cp1258")
    assert legacy.received.body.sha256 == sha256(b"<p>th\xfb t\xf8c</p>").hexdigest()


def test_nothing_secret_is_kept(site: Site, tmp_path: Path) -> None:
    kept = walked(
        site, '{get: "{{ origin.portal }}/in"}',
        "{post: \"/echo?key={{ secret('key') }}&access_token=a1b2c3d4e5\", headers: {Authorization: \"Bearer hidden-9-bearer\"}, fields: {password: \"mat-khau-7\", k: \"{{ secret('key') }}\"}}",
    )  # fmt: skip
    walk = kept.walk(tmp_path)
    whole = "\n".join(map(str, walk.exchanges))
    for secret in (KEY, SESSION, "a1b2c3d4e5", "hidden-9-bearer", "mat-khau-7", "z9y8x7w6v5"):
        assert secret not in whole
    plain = gzip.decompress((tmp_path / "walk.jsonl.gz").read_bytes())
    assert b"\\u001b[31m" in plain
    assert b"\\u009b" in plain
    assert not {"\x1b", "\x9b", "\u202e"} & {*plain.decode()}
    first, second = walk.exchanges
    assert first.received is not None
    assert second.received is not None
    assert ("Set-Cookie", "SID=•••; Path=/; HttpOnly") in first.received.fields
    assert {("Cookie", "SID=•••"), ("Authorization", "Bearer •••")} <= {*second.sent.fields}
    assert second.sent.body.text == "password=•••&k=•••"
    assert (second.sent.body.bytes, second.sent.body.sha256, second.received.body.sha256) == (len(f"password=mat-khau-7&k={KEY}"), "", "")
    assert first.received.body.sha256


def test_a_walk_that_fails_is_kept_to_its_end(site: Site, tmp_path: Path) -> None:
    walk = walked(site, '{get: "{{ origin.portal }}/a"}', '{get: "/busy"}', '{get: "/never"}').walk(tmp_path)
    assert [each.outcome for each in walk.exchanges] == ["ok", "not_served"]
    assert walk.outcome == "not_served"


def test_what_nobody_answers_is_kept_with_its_error(site: Site, tmp_path: Path) -> None:
    gone = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{gone.server_address[1]}"
    gone.server_close()
    site.origin = address
    (exchange,) = walked(site, '{get: "{{ origin.portal }}/a"}').walk(tmp_path).exchanges
    assert (exchange.outcome, exchange.received, exchange.sent.line) == ("connect", None, "GET /a HTTP/1.1")
    assert "refused" in exchange.error


def test_long_and_binary_bodies_say_what_they_are(site: Site, tmp_path: Path) -> None:
    walk = walked(site, '{get: "{{ origin.portal }}/large"}', '{get: "/picture"}').walk(tmp_path)
    large, picture = (each.received.body for each in walk.exchanges if each.received is not None)
    assert (large.bytes, large.sha256, large.cut_at) == (len(LARGE), sha256(LARGE).hexdigest(), BODY_BYTES)
    assert LARGE.decode().startswith(large.text)
    assert BODY_BYTES // 2 < len(large.text.encode()) <= BODY_BYTES
    assert (picture.sha256, picture.cut_at, picture.text) == (sha256(PICTURE).hexdigest(), None, "")
    assert b64decode(picture.base64) == PICTURE


def test_a_walk_is_bounded(site: Site, tmp_path: Path) -> None:
    load = load_of(site, [], assets=False)
    load.lone = frozenset({0})
    visit = load.visit("search", ("find",), 0, 0, 1)
    keeper = load.keepers[0]
    noise = random.Random(1)
    noisy = noise.randbytes(300_000)
    for number in range(EXCHANGES + 5):
        fields = Headers([("X-Long", noise.randbytes(500).hex())] * 99)
        answered = Exchange(
            "GET", f"{site.origin}/?{'q' * 99_999}", site.origin, status=200, body=b"\0" + noisy, headers=fields, start_us=number
        )
        keeper.answered(b"GET / HTTP/1.1\r\nCookie: " + b"c" * 99_999 + b"\r\n\r\n" + noisy, answered)
    packed = keeper.packed(WindowKey("s", 0, "r", 0, "site", LONE, "w0"))
    visit.close()
    path = tmp_path / "walk.jsonl.gz"
    path.write_bytes(packed.file)
    walk = read_walk(path)
    bodies = [message.body for each in walk.exchanges for message in (each.sent, each.received) if message is not None]
    assert sum(len(b64decode(body.base64)) for body in bodies) <= WALK_BYTES
    assert {body.sha256 for body in bodies} == {sha256(noisy).hexdigest(), sha256(b"\0" + noisy).hexdigest()}
    assert (bodies[-1].bytes, bodies[-1].base64, bodies[-1].cut_at) == (1 + len(noisy), "", 0)
    assert (len(walk.exchanges), walk.left_out) == (EXCHANGES, 5)
    assert len(packed.file) < LARGEST_FILE
    assert all(each.sent.fields_left_out == 1 and len(each.url) < 10_000 for each in walk.exchanges)
    assert [each.received.fields_left_out for each in walk.exchanges if each.received is not None][-1] == 99


def test_assets_of_a_lone_walk_are_kept_too(site: Site, tmp_path: Path) -> None:
    walk = walked(site, '{get: "{{ origin.portal }}/assets", assets: true}', assets=True).walk(tmp_path)
    assert sorted(each.url.removeprefix(site.origin) for each in walk.exchanges) == ["/a.css", "/a.js", "/assets", "/bg.svg", "/gone.png"]
    assert {each.outcome for each in walk.exchanges} == {"ok", "http_error"}


def test_a_walk_under_load_is_not_kept_and_its_sessions_have_no_witness(site: Site) -> None:
    kept = walked(site, '{get: "{{ origin.portal }}/a"}', lone=False)
    assert [unpack(batch.blob).walks for batch in kept.batches] == [()] * len(kept.batches)
    load = load_of(site, [], assets=False)
    visit = load.visit("search", ("find",), 0, 0, 1)
    assert visit.state.callbacks.new_session().witness is None
    assert load.keepers == {}


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: b"\x00" + data, lambda _data: b"", lambda _data: b"\x1f\x8b\x08" * 9]
)
def test_a_file_that_is_no_walk_gives_one_error(tmp_path: Path, damage: Any) -> None:
    path = tmp_path / "walk.jsonl.gz"
    path.write_bytes(damage(pack_walk(KeptWalk("s", 0, "r", 0, "p", "w0", "search", 0, "ok", "", 1))))
    with pytest.raises(EvidenceError, match="a lone walk as it was written"):
        read_walk(path)
