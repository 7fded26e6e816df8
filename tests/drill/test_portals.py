"""Answers of a portal that lead elsewhere or are broken: the portal's own failure, and not one request where none may go."""

from __future__ import annotations

import pytest

from harness.records import Outcome
from tests.client.raw_server import RawServer, answering, plain
from tests.visits.conftest import Walker, walk
from tests.visits.sloppy_site import Site, platform, requests

ELSEWHERE = ["http://{other}/", "http://localhost:{port}/", "//{other}/", "file:///etc/passwd", "http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "gopher://{other}/"]  # fmt: skip


@pytest.mark.parametrize("location", ELSEWHERE)
def test_a_redirect_leads_nowhere_else(site: Site, walker: Walker, location: str) -> None:
    with RawServer([answering(plain())]) as other:
        to = location.format(other=f"127.0.0.1:{other.port}", port=other.port)
        walked = walk(site, walker, platform(requests(f'{{get: "{{{{ origin.portal }}}}/redirect?status=302&to={to}"}}')))
    assert walked.failure is not None
    assert (walked.failure.outcome, len(site.asked), other.accepted) == (Outcome.LEFT_ALLOWED_HOSTS, 1, 0)


BROKEN = {
    "wrong charset": (b"<p id=ma>H1</p>\xff\xfe\x80", b"text/html; charset=utf-16"),
    "unknown charset": (b"<p id=other>\xff", b"text/html; charset=none-such"),
    "tags that cross": (b"<table><p><b></table></p></i><form><p id=", b"text/html"),
    "half a page": (b"<!doctype html><html><body><p", b"text/html"),
    "invalid JSON": (b'{"code": ', b"application/json"),
    "an empty body": (b"", b"text/html"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_is_the_portals(walker: Walker, kind: str) -> None:
    body, content_type = BROKEN[kind]
    with RawServer([answering(plain(body, b"Content-Type: %s\r\n" % content_type))]) as server:
        place = Site.__new__(Site)
        place.origin = server.url
        walked = walk(place, walker, platform(requests('{get: "{{ origin.portal }}/", extract: {ma: {css: "#ma", text: true}}}')))
    assert walked.failure is not None
    assert walked.failure.outcome in (Outcome.EXTRACTION, Outcome.WRONG_CONTENT)


def test_a_page_with_a_byte_order_mark_is_read(walker: Walker) -> None:
    with RawServer([answering(plain("\ufeff<p id=ma>Hồ sơ</p>".encode("utf-16"), b"Content-Type: text/html\r\n"))]) as server:
        place = Site.__new__(Site)
        place.origin = server.url
        walked = walk(place, walker, platform(requests('{get: "{{ origin.portal }}/", extract: {ma: {css: "#ma", text: true}}}')))
    assert walked.failure is None
