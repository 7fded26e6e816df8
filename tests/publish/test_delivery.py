from __future__ import annotations

import json
import logging
import resource
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from hashlib import sha256
from itertools import chain, repeat

import pytest
import trustme

from harness import publish
from harness.errors import AuthorisationError, DeliveryError, EvidenceError, UsageError
from harness.publish.delivery import content_digest
from tests.e2e.commands import invoke
from tests.publish.receiver import Receiver
from tests.publish.simulated_night import made_final

TOKEN = "synthetic-token-1234"


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


@pytest.fixture
def path(scores, tmp_path):
    return publish.export(made_final(scores), tmp_path)


def receipt_of(path):
    return json.loads(path.with_name("scores.json.receipt.json").read_text(encoding="utf-8"))


def test_scores_arrive_whole_and_leave_a_receipt(scores, path, receiver):
    receipt = publish.push(receiver.url, path)
    assert receiver.rows("imports") == [(sha256(path.read_bytes()).hexdigest(), scores.sweep, 1)]
    assert [(row[2], row[4]) for row in receiver.rows("scores")] == [(card.portal, card.points) for card in scores.scorecards]
    assert receipt_of(path)["scores_sha256"] == receipt.scores_sha256 == sha256(path.read_bytes()).hexdigest()
    assert (receipt.status, receipt.attempts, receipt.location) == (201, 1, f"/imports/{receipt.scores_sha256}")


def test_drafts_are_sent_only_if_somebody_says_so(scores, path, receiver):
    final = made_final(scores)
    mixed = replace(final, scorecards=(replace(scores.scorecards[0], publication=None), *final.scorecards[1:]))
    publish.export(mixed, path.parent)
    others = len(scores.scorecards) - 1
    with pytest.raises(UsageError, match=f"of {others + 1} portals: 1 draft, {others} final; expected all final"):
        publish.push(receiver.url, path)
    assert not receiver.rows("imports")
    publish.push(receiver.url, path, drafts=True)
    assert receipt_of(path)["publication"] == {"draft": 1, "final": others}


def test_sending_twice_changes_nothing(path, receiver):
    publish.push(receiver.url, path)
    before = receiver.rows("imports"), receiver.rows("scores")
    assert publish.push(receiver.url, path).status == 200
    assert (receiver.rows("imports"), receiver.rows("scores")) == before


def test_a_new_revision_is_a_new_import(scores, path, receiver):
    publish.push(receiver.url, path)
    publish.push(receiver.url, publish.export(replace(made_final(scores), revision=2, supersedes=1), path.parent))
    assert [row[2] for row in sorted(receiver.rows("imports"), key=lambda row: row[2])] == [1, 2]


def test_other_contents_under_the_same_revision_are_told_apart(scores, path, receiver):
    publish.push(receiver.url, path)
    publish.export(replace(made_final(scores), criteria_set=replace(scores.criteria_set, version="0.2")), path.parent)
    with pytest.raises(DeliveryError, match=r"HTTP 409.*new revision"):
        publish.push(receiver.url, path)
    assert len(receiver.rows("imports")) == 1


def test_half_a_file_never_leaves(path, receiver):
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(EvidenceError, match="whole JSON document"):
        publish.push(receiver.url, path)
    assert receiver.requests == []


def test_half_a_file_that_arrives_is_refused(path, receiver):
    body = path.read_bytes()
    digest = sha256(body).hexdigest()
    head = (
        f"POST /imports HTTP/1.1\r\nHost: x\r\nIdempotency-Key: {digest}\r\nContent-Length: {len(body) // 2}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(receiver.server.server_address[:2]) as connection:
        connection.sendall(head.encode() + body[: len(body) // 2])
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.0 400")
    assert receiver.rows("imports") == receiver.rows("scores") == []


def test_it_tries_again_with_growing_pauses_under_one_key(path, receiver):
    receiver.answers_first = [(503, {}), (500, {}), (429, {"Retry-After": "7"})]
    pauses: list[float] = []
    receipt = publish.push(receiver.url, path, pause=pauses.append)
    assert receipt.attempts == 4
    assert pauses == [1.0, 2.0, 7.0]
    assert len({request["Idempotency-Key"] for request in receiver.requests}) == 1
    assert len(receiver.rows("imports")) == 1


def test_an_answer_that_got_lost_does_not_import_twice(path, receiver):
    receiver.take(
        {"Idempotency-Key": sha256(path.read_bytes()).hexdigest(), "Content-Digest": content_digest(path.read_bytes())},
        path.read_bytes(),
    )
    assert publish.push(receiver.url, path).status == 200
    assert len(receiver.rows("imports")) == 1


def test_nobody_there_is_said_after_the_last_try(path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    pauses: list[float] = []
    with pytest.raises(DeliveryError, match=r"ConnectError.*after 3 tries"):
        publish.push(f"http://127.0.0.1:{port}/", path, attempts=3, pause=pauses.append)
    assert pauses == [1.0, 2.0]
    assert not path.with_name("scores.json.receipt.json").exists()


@pytest.mark.parametrize(
    ("status", "advice"), [(401, "token"), (403, "allow this sender"), (404, "path"), (422, "schema"), (302, "not followed")]
)
def test_a_refusal_is_final_and_says_what_to_do(path, receiver, status, advice):
    receiver.answers_first = [(status, {"Location": "http://127.0.0.1:9/"})]
    with pytest.raises(DeliveryError, match=f"HTTP {status}.*{advice}"):
        publish.push(receiver.url, path, pause=lambda _: pytest.fail("a final answer was not taken as one"))
    assert len(receiver.requests) == 1


def test_a_receiver_that_stored_something_else_is_noticed(path, receiver):
    receiver.claims_sha256 = "0" * 64
    with pytest.raises(DeliveryError, match="which file it imported"):
        publish.push(receiver.url, path)


@pytest.mark.parametrize("where", ["env", "file"])
def test_the_token_is_sent_and_shown_nowhere(path, receiver, tmp_path, request, where):
    monkeypatch, caplog, capfd = (request.getfixturevalue(name) for name in ("monkeypatch", "caplog", "capfd"))
    caplog.set_level(logging.DEBUG)
    receiver.token = TOKEN
    monkeypatch.setenv("SCORES_TOKEN", TOKEN)
    (tmp_path / "token").write_text(TOKEN + "\n", encoding="utf-8")
    publish.push(receiver.url, path, "env:SCORES_TOKEN" if where == "env" else f"file:{tmp_path / 'token'}")
    assert receiver.requests[0]["Authorization"] == f"Bearer {TOKEN}"
    shown = capfd.readouterr()
    assert TOKEN not in caplog.text + shown.out + shown.err + path.with_name("scores.json.receipt.json").read_text(encoding="utf-8")


def test_a_wrong_token_is_not_in_the_error(path, receiver, monkeypatch):
    receiver.token = "another"
    monkeypatch.setenv("SCORES_TOKEN", TOKEN)
    with pytest.raises(DeliveryError) as caught:
        publish.push(receiver.url, path, "env:SCORES_TOKEN")
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("reference", [TOKEN, "env:", "vault:x", "env:NOT_SET_ANYWHERE", "file:/nowhere/token"])
def test_a_reference_that_leads_nowhere_is_an_error_without_the_value(path, receiver, reference):
    with pytest.raises(UsageError) as caught:
        publish.push(receiver.url, path, reference)
    assert TOKEN not in str(caught.value)
    assert receiver.requests == []


@pytest.mark.parametrize("content", ["", "two words", "line\nline", "mã"])
def test_a_token_that_is_none_is_refused(path, tmp_path, receiver, content):
    (tmp_path / "token").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="printable ASCII") as caught:
        publish.push(receiver.url, path, f"file:{tmp_path / 'token'}")
    assert not content or content not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://evaluation.example/imports", "https://127.0.0.1.evaluation.example/", "http://192.0.2.1/", "http://localhost.example/"]
)
def test_a_host_that_nobody_allowed_gets_nothing(path, url):
    with pytest.raises(AuthorisationError, match="loopback, or a host that was allowed"):
        publish.push(url, path, attempts=1)


@pytest.mark.parametrize(
    "url", ["http://evaluation.example/", "ftp://127.0.0.1/", "evaluation", "http://u:p@127.0.0.1/", "http://127.0.0.1:port/"]
)
def test_an_address_that_cannot_be_used_is_an_error(path, url):
    with pytest.raises(UsageError) as caught:
        publish.push(url, path, allowed_hosts=["evaluation.example"], attempts=1)
    assert "u:p" not in str(caught.value)


def test_over_tls_with_a_certificate_authority_of_its_own(path, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with Receiver() as receiver:
        receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
        url = f"https://localhost:{receiver.server.server_address[1]}/imports"
        with pytest.raises(DeliveryError, match="CERTIFICATE_VERIFY_FAILED"):
            publish.push(url, path, attempts=1)
        assert publish.push(url, path, certificate_authority=tmp_path / "ca.pem").status == 201


@contextmanager
def answering(parts: Iterable[bytes], pause_s: float = 0.0) -> Iterator[str]:
    """A receiver that sends these parts to everybody, and stops when nobody listens any more."""
    ended = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.recv(65_536)
                for part in parts:
                    connection.sendall(part)
                    if ended.wait(pause_s):
                        break

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/imports"
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 201 Created\r\nContent-Length: 1000000\r\n\r\n"])
def test_a_receiver_that_drips_is_given_up(path, head):
    with (
        answering([head, *[b"x"] * 10_000], pause_s=0.05) as url,
        pytest.raises(DeliveryError, match="no whole answer in time, after 2 tries"),
    ):
        publish.push(url, path, attempts=2, longest_s=0.3, pause=lambda _s: None)
    assert not path.with_name("scores.json.receipt.json").exists()


def test_an_answer_of_two_gigabytes_is_not_read(path):
    endless = chain([b"HTTP/1.1 201 Created\r\nContent-Length: 2000000000\r\n\r\n"], repeat(b"x" * 65_536, 30_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with answering(endless) as url, pytest.raises(DeliveryError, match="HTTP 201 with more than 1000000 bytes"):
        publish.push(url, path, pause=lambda _s: None)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


@pytest.mark.parametrize("status", [201, 400])
def test_what_a_receiver_says_is_kept_without_the_token_and_shown_visibly(path, tmp_path, status):
    (tmp_path / "token").write_text(TOKEN, encoding="utf-8")
    body = json.dumps(
        {"you_sent": f"Bearer {TOKEN}", "session_token": "of-the-receiver-1", "note": "\x1b]0;owned\x07\u202e"}, ensure_ascii=False
    ).encode()
    head = f"HTTP/1.1 {status} X\r\nLocation: /imports?token={TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with answering([head + body]) as url:
        done = invoke(tmp_path, "push", url, "--scores", str(path), "--token", f"file:{tmp_path / 'token'}")
    receipt = path.with_name("scores.json.receipt.json")
    written = receipt.read_text(encoding="utf-8") if status == 201 else ""
    assert done.code == (0 if status == 201 else DeliveryError.exit_code), done.said
    for text in (done.out + done.err, written):
        assert TOKEN not in text
        assert "of-the-receiver-1" not in text
        assert {sign for sign in text if not sign.isprintable()} <= {"\n"}
    if status == 201:
        assert receipt_of(path)["answer"] == {"you_sent": "Bearer •••", "session_token": "•••", "note": "\x1b]0;owned\x07\u202e"}
    else:
        assert "u001b]0;owned" in done.err
