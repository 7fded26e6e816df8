"""TLS: verified against one shared context, its failures told apart, and connections kept like any other."""

from __future__ import annotations

import datetime as dt
import ssl

import gevent
import pytest
import trustme

from harness.client import PhaseTimeouts, verified_context
from harness.records import Outcome

from .conftest import knowing
from .raw_server import Peer, RawServer, answering, plain

AUTHORITY = trustme.CA()
LONG_AGO = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)


def serving(*names: str, authority: trustme.CA = AUTHORITY, **dates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **dates).configure_cert(context)
    return context


@pytest.fixture
def trusting(new_citizen):
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return new_citizen(tls=context)


def test_a_verified_connection_is_measured_and_kept(trusting):
    with RawServer([answering(plain())], tls=serving("127.0.0.1")) as server:
        first = trusting.request("GET", server.url)
        second = trusting.request("POST", server.url, body=b"x")
    assert (first.outcome, first.body, first.error) == (Outcome.OK, b"hello", "")
    assert first.tls_us > 0
    assert first.start_us + first.connect_us + first.tls_us <= first.first_byte_us <= first.end_us
    assert (second.outcome, second.reused, second.tls_us) == (Outcome.OK, True, 0)
    assert server.accepted == 1


def test_a_witness_is_told_of_the_request_the_address_and_the_certificate(trusting):
    told = []
    trusting.witness = lambda request, exchange: told.append((request, exchange.peer))
    with RawServer([answering(plain())], tls=serving("127.0.0.1")) as server:
        trusting.request("GET", server.url)
        trusting.request("POST", server.url, body=b"x")
        shown = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", server.port)))
    (got, first), (posted, second) = told
    assert got.startswith(b"GET / HTTP/1.1\r\n")
    assert posted.endswith(b"\r\n\r\nx")
    assert first is second
    assert first.address == "127.0.0.1"
    assert len(first.certificates[0]) > 100
    assert {type(each) for each in first.certificates} == {bytes}
    assert ssl.DER_cert_to_PEM_cert(first.certificates[0]).startswith("-----BEGIN")
    assert len(shown) > 100


def test_a_witness_sees_a_certificate_that_was_refused(trusting):
    told = []
    trusting.witness = lambda _request, exchange: told.append(exchange.peer)
    expired = serving("127.0.0.1", not_before=LONG_AGO, not_after=LONG_AGO + dt.timedelta(days=30))
    with RawServer([answering(plain())], tls=expired) as server:
        exchange = trusting.request("GET", server.url)
    assert exchange.outcome is Outcome.TLS
    (peer,) = told
    assert (peer.address, len(peer.certificates) > 0) == ("127.0.0.1", True)


def test_without_a_witness_nothing_is_kept_of_the_peer(trusting):
    with RawServer([answering(plain())], tls=serving("127.0.0.1")) as server:
        assert trusting.request("GET", server.url).peer is None


def test_the_name_is_what_is_verified(new_citizen):
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    with RawServer([answering(plain())], tls=serving("localhost")) as server:
        by_name = new_citizen(tls=context, resolver=knowing("localhost", "127.0.0.1"))
        assert by_name.request("GET", f"https://localhost:{server.port}/").outcome is Outcome.OK
        wrong = by_name.request("GET", server.url)
    assert wrong.outcome is Outcome.TLS
    assert "certificate of 127.0.0.1" in wrong.error


def test_an_expired_certificate_is_outcome_tls(trusting):
    expired = serving("127.0.0.1", not_before=LONG_AGO, not_after=LONG_AGO + dt.timedelta(days=30))
    with RawServer([answering(plain())], tls=expired) as server:
        exchange = trusting.request("GET", server.url)
    assert exchange.outcome is Outcome.TLS
    assert "expired" in exchange.error


def test_a_certificate_of_an_authority_nobody_trusts_is_outcome_tls(new_citizen):
    with RawServer([answering(plain())], tls=serving("127.0.0.1", authority=trustme.CA())) as server:
        exchange = new_citizen().request("GET", server.url)  # the shared context, which trusts what the system trusts
    assert exchange.outcome is Outcome.TLS
    assert exchange.connect_us > 0
    assert exchange.status == 0


def test_a_server_that_speaks_no_tls_is_outcome_tls(trusting):
    with RawServer([lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")]) as server:
        exchange = trusting.request("GET", server.url.replace("http:", "https:"))
    assert exchange.outcome is Outcome.TLS


def test_a_handshake_that_is_cut_off_is_outcome_tls(trusting):
    with RawServer([lambda peer: peer.sock.recv(10)]) as server:
        exchange = trusting.request("GET", server.url.replace("http:", "https:"))
    assert exchange.outcome is Outcome.TLS


def test_a_handshake_that_stalls_is_a_timeout(trusting):
    with RawServer([Peer.wait_for_close]) as server:
        exchange = trusting.request("GET", server.url.replace("http:", "https:"), timeouts=PhaseTimeouts(tls_s=0.1))
    assert exchange.outcome is Outcome.TIMEOUT
    assert exchange.error.startswith("TLS handshake")
    assert exchange.connect_us > 0


def test_an_old_protocol_is_refused(trusting, recwarn):
    context = serving("127.0.0.1")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with RawServer([answering(plain())], tls=context) as server:
        assert trusting.request("GET", server.url).outcome is Outcome.TLS


def test_there_is_one_shared_context_that_verifies():
    context = verified_context()
    assert context is verified_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_large_bodies_pass_both_ways(trusting, version):
    sizes = []

    def script(peer: Peer) -> None:
        while request := peer.read_request():
            sizes.append(len(request.partition(b"\r\n\r\n")[2]))
            peer.send(plain(b"y" * 3_000_000))

    context = serving("127.0.0.1")
    context.maximum_version = version
    with RawServer([script], tls=context) as server:
        exchanges = [trusting.request("POST", server.url, body=bytes(2_000_000)) for _ in range(2)]
    assert [(exchange.outcome, len(exchange.body)) for exchange in exchanges] == [(Outcome.OK, 3_000_000)] * 2
    assert sizes == [2_000_000] * 2


def test_an_idle_close_is_noticed_under_tls_too(trusting):
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(plain())
        peer.sock.unwrap()  # close_notify, and the connection left open for the client's own

    with RawServer([script, answering(plain(b"second"))], tls=serving("127.0.0.1")) as server:
        trusting.request("GET", server.url)
        gevent.sleep(0.05)
        exchange = trusting.request("POST", server.url, body=b"x")
    assert (exchange.outcome, exchange.body, exchange.reused) == (Outcome.OK, b"second", False)


def test_the_end_of_a_body_needs_no_close_notify(trusting):
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")

    with RawServer([script], tls=serving("127.0.0.1")) as server:
        exchange = trusting.request("GET", server.url)
    assert (exchange.outcome, exchange.body) == (Outcome.OK, b"hello")


def test_byte_by_byte_under_tls(trusting):
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send_bytewise(plain())

    with RawServer([script], tls=serving("127.0.0.1")) as server:
        exchange = trusting.request("GET", server.url)
    assert (exchange.outcome, exchange.body) == (Outcome.OK, b"hello")
