"""What httpx makes of an answer that ours could not read; the same hosts, and nothing done twice by accident."""

from __future__ import annotations

import socket
import ssl

import pytest
import trustme

from harness.client import PhaseTimeouts, Resolver, loopback_only
from harness.client.second_opinion import Opinion, ask_httpx
from harness.errors import UsageError
from harness.records import Outcome

from .conftest import knowing, permitted
from .raw_server import Peer, RawServer, answering, plain

CONFLICTING = b"HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"  # httpx does not mind


def ask(url: str, method: str = "GET", **settings):
    return ask_httpx(method, url, policy=loopback_only, resolver=Resolver(), **settings)


def test_what_only_ours_rejects_is_accepted(citizen):
    with RawServer([answering(CONFLICTING)]) as server:
        assert citizen.request("GET", server.url).outcome is Outcome.PROTOCOL
        opinion = ask(server.url)
    assert (opinion.opinion, opinion.status) == (Opinion.ACCEPTS, 302)
    assert ("location", "/b") in opinion.headers


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n", plain(b"none", b"Content-Encoding: gzip\r\n")])
def test_what_both_reject_is_the_portals(citizen, answer):
    with RawServer([answering(answer, close=True)]) as server:
        assert citizen.request("GET", server.url).outcome is Outcome.PROTOCOL
        opinion = ask(server.url)
    assert opinion.opinion is Opinion.REJECTS
    assert opinion.error


def test_silence_is_no_opinion():
    with RawServer([Peer.wait_for_close]) as server:
        opinion = ask(server.url, timeouts=PhaseTimeouts(first_byte_s=0.1))
    assert opinion.opinion is Opinion.NO_ANSWER


def test_no_connection_is_no_opinion():
    with RawServer([answering(plain())]) as server:
        pass
    assert ask(server.url).opinion is Opinion.NO_ANSWER


def test_it_sends_what_ours_sends(citizen):
    seen = []

    def script(peer: Peer) -> None:
        while request := peer.read_request():
            seen.append(sorted(line for line in request.lower().split(b"\r\n") if line))
            peer.send(plain())

    with RawServer([script]) as server:
        citizen.request("PUT", f"{server.url}/hồ sơ?a=1", headers={"X-A": "b"}, body=b"x")
        ask(f"{server.url}/hồ sơ?a=1", "PUT", headers={"X-A": "b"}, body=b"x")
    assert seen[0] == seen[1]


def test_tls_is_verified():
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with RawServer([answering(plain())], tls=serving) as server:
        assert ask(server.url).opinion is Opinion.NO_ANSWER
        assert ask(server.url, tls=trusting).opinion is Opinion.ACCEPTS


def test_a_host_that_is_not_allowed_is_not_asked():
    with pytest.raises(UsageError, match="host policy"):
        ask("http://portal.example/")


def test_a_name_that_leads_elsewhere_is_not_followed(monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *_args, **_more: pytest.fail("connected"))
    opinion = ask_httpx("GET", "http://localhost:9/", policy=loopback_only, resolver=knowing("localhost", "192.0.2.1"))
    assert opinion.opinion is Opinion.NO_ANSWER
    assert "not allowed" in opinion.error


def test_the_address_is_the_windows_own():
    with RawServer([answering(plain())]) as server:
        origin = f"http://portal.example:{server.port}"
        opinion = ask_httpx(
            "GET", origin, policy=permitted(origin, ranges=("127.0.0.0/8",)), resolver=knowing("portal.example", "127.0.0.1")
        )
    assert opinion.opinion is Opinion.ACCEPTS


def test_the_certificate_is_checked_against_the_name():
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("portal.example").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    found = []
    with RawServer([answering(plain())], tls=serving) as server:
        for name in ("portal.example", "other.example"):
            origin = f"https://{name}:{server.port}"
            asked = ask_httpx(
                "GET", origin, policy=permitted(origin, ranges=("127.0.0.0/8",)), resolver=knowing(name, "127.0.0.1"), tls=trusting
            )
            found.append(asked.opinion)
    assert found == [Opinion.ACCEPTS, Opinion.NO_ANSWER]


def test_a_post_is_not_sent_twice():
    with RawServer([answering(plain())]) as server, pytest.raises(UsageError, match="not sent twice"):
        ask(server.url, "POST")
    assert server.accepted == 0
