"""What every answer has, and what connections do between answers."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import threading
from pathlib import Path

import gevent
import pytest

from harness.client import LeanSession, PhaseTimeouts, Resolver, loopback_only
from harness.errors import UsageError
from harness.records import Outcome

from .conftest import knowing
from .raw_server import Peer, RawServer, answering, plain


def test_an_exchange_says_all_it_knows(citizen):
    answer = plain(b"xin chao", b"X-A: 1\r\nx-a: 2\r\n")
    with RawServer([answering(answer)]) as server:
        first = citizen.request("GET", f"{server.url}/a?b=c")
        again = citizen.request("GET", f"{server.url}/a")
    assert (first.outcome, first.status, first.body, first.host) == (Outcome.OK, 200, b"xin chao", server.url)
    assert first.headers.get("X-a") == "1"
    assert first.headers.get_all("X-A") == ["1", "2"]
    assert first.headers.get("missing", "-") == "-"
    assert first.wire_bytes == len(answer)
    assert 0 < first.start_us <= first.first_byte_us <= first.end_us
    assert first.connect_us > 0
    assert not first.reused
    assert again.reused
    assert (again.connect_us, again.dns_us, again.tls_us) == (0, 0, 0)
    assert server.accepted == 1


def test_the_request_is_what_a_browser_would_send(new_citizen):
    seen = []

    def script(peer: Peer) -> None:
        while request := peer.read_request():
            seen.append(request)
            peer.send(plain())

    with RawServer([script]) as server:
        citizen = new_citizen(user_agent="tester/1")
        citizen.request("GET", f"{server.url}/thủ tục?từ khóa=hộ tịch#phần-1")
        citizen.request("POST", f"{server.url}?a=b%20c", headers={"content-type": "text/plain", "accept": "text/html"}, body=b"123")
        citizen.request("POST", f"{server.url}/empty")
    first, second, third = [request.partition(b"\r\n\r\n") for request in seen]
    lines = first[0].split(b"\r\n")
    assert lines[0] == b"GET /th%E1%BB%A7%20t%E1%BB%A5c?t%E1%BB%AB%20kh%C3%B3a=h%E1%BB%99%20t%E1%BB%8Bch HTTP/1.1"
    assert lines[1] == f"Host: 127.0.0.1:{server.port}".encode()
    assert b"User-Agent: tester/1" in lines
    lines = second[0].split(b"\r\n")
    assert lines[0] == b"POST /?a=b%20c HTTP/1.1"
    assert [line for line in lines if line.lower().startswith(b"accept:")] == [b"accept: text/html"]
    assert b"Content-Length: 3" in lines
    assert second[2] == b"123"
    assert b"\r\nContent-Length: 0" in third[0]


@pytest.mark.parametrize("headers", [{"X": "a\r\nEvil: 1"}, {"X Y": "a"}, {"X": "a\0"}])
def test_a_header_cannot_break_out_of_its_line(citizen, headers):
    with pytest.raises(UsageError, match="one line"):
        citizen.request("GET", "http://127.0.0.1:1/", headers=headers)


def test_a_method_cannot_break_out_of_its_line(citizen):
    with pytest.raises(UsageError, match="method"):
        citizen.request("GET / HTTP/1.1\r\nX:", "http://127.0.0.1:1/")


def test_redirects_are_not_followed(citizen):
    with RawServer([answering(plain(b"", b"Location: /elsewhere\r\n", b"302 Found"))]) as server:
        exchange = citizen.request("GET", server.url)
    assert (exchange.status, exchange.headers.get("location")) == (302, "/elsewhere")


def test_a_refused_connection_is_outcome_connect(citizen):
    with RawServer([answering(plain())]) as server:
        pass
    exchange = citizen.request("GET", server.url)
    assert exchange.outcome is Outcome.CONNECT
    assert "refused" in exchange.error
    assert exchange.end_us >= exchange.start_us > 0


def test_a_server_that_never_answers_is_a_timeout(new_citizen):
    with RawServer([Peer.wait_for_close]) as server:
        exchange = new_citizen(timeouts=PhaseTimeouts(first_byte_s=0.1)).request("GET", server.url)
    assert exchange.outcome is Outcome.TIMEOUT
    assert exchange.error.startswith("first byte")
    assert exchange.end_us - exchange.start_us >= 100_000
    assert exchange.first_byte_us == 0


def test_a_body_that_never_ends_is_a_timeout(new_citizen):
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        peer.wait_for_close()

    with RawServer([script]) as server:
        exchange = new_citizen().request("GET", server.url, timeouts=PhaseTimeouts(total_s=0.1))
    assert exchange.outcome is Outcome.TIMEOUT
    assert (exchange.status, exchange.error.partition(":")[0]) == (200, "body")
    assert exchange.first_byte_us > 0


def test_a_server_that_takes_no_more_of_an_upload_is_a_timeout(new_citizen):
    done = threading.Event()

    def script(peer: Peer) -> None:
        done.wait(10)

    with RawServer([script]) as server:
        exchange = new_citizen().request("POST", server.url, body=bytes(30_000_000), timeouts=PhaseTimeouts(total_s=0.2))
        done.set()
    assert exchange.outcome is Outcome.TIMEOUT
    assert exchange.error.startswith("sending")


def test_a_large_upload_arrives_whole(citizen):
    sizes = []

    def script(peer: Peer) -> None:
        sizes.append(len(peer.read_request().partition(b"\r\n\r\n")[2]))
        peer.send(plain())

    with RawServer([script]) as server:
        exchange = citizen.request("POST", server.url, body=bytes(5_000_000))
    assert (exchange.outcome, sizes) == (Outcome.OK, [5_000_000])


def test_an_answer_that_comes_before_the_upload_was_read_counts(citizen):
    def script(peer: Peer) -> None:
        peer.sock.recv(1000)
        peer.send(plain(b"too large", status=b"413 Content Too Large"))
        peer.sock.shutdown(1)
        peer.wait_for_close()

    with RawServer([script, answering(plain())]) as server:
        refused = citizen.request("POST", server.url, body=bytes(8_000_000))
        after = citizen.request("GET", server.url)
    assert (refused.outcome, refused.status, refused.body) == (Outcome.OK, 413, b"too large")
    assert after.outcome is Outcome.OK


def test_many_citizens_at_once():
    with RawServer([answering(plain())]) as server:

        def walk() -> list[Outcome]:
            citizen = LeanSession(loopback_only, Resolver())
            outcomes = [citizen.request("GET", f"{server.url}/{n}").outcome for n in range(5)]
            citizen.close()
            return outcomes

        walks = [gevent.spawn(walk) for _ in range(20)]
        assert [greenlet.get() for greenlet in walks] == [[Outcome.OK] * 5] * 20
        assert server.accepted == 20


def test_one_citizen_may_ask_for_several_things_at_once(citizen):
    with RawServer([answering(plain())]) as server:
        for _ in range(2):
            asked = [gevent.spawn(citizen.request, "GET", f"{server.url}/{n}") for n in range(4)]
            exchanges = [greenlet.get() for greenlet in asked]
            assert [exchange.outcome for exchange in exchanges] == [Outcome.OK] * 4
        assert [exchange.reused for exchange in exchanges] == [True] * 4
        assert server.accepted == 4


def test_a_citizen_cut_off_midway_leaves_no_connection_behind(citizen):
    with RawServer([Peer.wait_for_close, answering(plain())]) as server:
        waiting = gevent.spawn(citizen.request, "GET", server.url)
        while not server.accepted:
            gevent.sleep(0.01)
        waiting.kill()
        assert citizen.request("GET", server.url).outcome is Outcome.OK
        assert server.accepted == 2


def test_a_forgotten_session_closes_its_connections():
    closed = []

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(plain())
        closed.append(peer.sock.recv(1))

    with RawServer([script]) as server:
        citizen = LeanSession(loopback_only, Resolver())
        citizen.request("GET", server.url)
        del citizen
        server.join_scripts()
    assert closed == [b""]


@pytest.mark.parametrize("target", ["mailto:a@b", "javascript:void(0)", "http://127.0.0.1@elsewhere.example/", "http:\\\\127.0.0.1", "http://[::1", "//x/", "http://127.0.0.1:99999/"])  # fmt: skip
def test_what_is_no_plain_url_leads_away(citizen, target):
    exchange = citizen.request("GET", target)
    assert exchange.outcome is Outcome.LEFT_ALLOWED_HOSTS
    assert exchange.end_us > 0


def test_a_connect_that_nobody_accepts_is_a_timeout(new_citizen):
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(4):  # the queue of a server that accepts no more: the kernel drops what comes then
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        exchange = new_citizen().request("GET", f"http://127.0.0.1:{address[1]}/", timeouts=PhaseTimeouts(connect_s=0.1))
    assert exchange.outcome is Outcome.TIMEOUT
    assert exchange.error.startswith("connect to 127.0.0.1")
    assert exchange.connect_us == 0
    assert exchange.end_us > exchange.start_us


def test_a_citizen_comes_from_the_second_address_if_one_is_given(new_citizen):
    came_from = []

    def script(peer: Peer) -> None:
        came_from.append(peer.sock.getpeername()[0])
        answering(plain(b"served"))(peer)

    with RawServer([script]) as server:
        assert new_citizen(source_address="127.0.0.2").request("GET", server.url + "/").outcome is Outcome.OK
        assert new_citizen().request("GET", server.url + "/").outcome is Outcome.OK
        by_name = knowing("localhost", "::1", "127.0.0.1")
        named = server.url.replace("127.0.0.1", "localhost")
        assert new_citizen(resolver=by_name, source_address="127.0.0.3").request("GET", named + "/").outcome is Outcome.OK
    assert came_from == ["127.0.0.2", "127.0.0.1", "127.0.0.3"]


@pytest.mark.parametrize("address", ["203.0.113.9", "::1"])
def test_a_second_address_that_cannot_be_used_is_no_fault_of_the_server(new_citizen, address):
    with RawServer([answering(plain(b"served"))]) as server:
        exchange = new_citizen(source_address=address).request("GET", server.url + "/")
        assert server.accepted == 0
    assert exchange.outcome is Outcome.DROPPED
    assert f"second address {address}: " in exchange.error


def test_a_machine_without_descriptors_is_not_the_portal_s_failure(citizen):
    with RawServer([answering(plain())]) as server:
        citizen.request("GET", f"{server.url}/first")  # what is opened once is open
        other = LeanSession(loopback_only, Resolver())
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(int(each.name) for each in Path("/proc/self/fd").iterdir()), hard))
        try:
            filling = []
            with contextlib.suppress(OSError):
                while True:
                    filling.append(os.dup(0))
            answer = other.request("GET", f"{server.url}/second")
        finally:
            for each in filling:
                os.close(each)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert answer.outcome is Outcome.DROPPED
    assert answer.error == "a socket for 127.0.0.1: Too many open files"
