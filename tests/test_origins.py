"""Addresses are read as a browser reads them, and what could be read in two ways has no origin."""

from __future__ import annotations

import pytest

from harness.origins import is_bare_origin, is_loopback, is_sendable, locate, origin_of, resolve, why_not_sendable, without_fragment


@pytest.mark.parametrize(
    ("address", "origin", "path"),
    [
        ("http://a.example", "http://a.example:80", "/"),
        ("HTTPS://A.Example.:443/x", "https://a.example:443", "/x"),
        ("http://a.example?x=/y#z", "http://a.example:80", "/?x=/y"),
        ("http://a.example/b/../c/./d?e=f/../g", "http://a.example:80", "/c/d?e=f/../g"),
        ("http://a.example/%2e%2E/c", "http://a.example:80", "/c"),
        ("http://a.example/hồ sơ?tên='é'", "http://a.example:80", "/h%E1%BB%93%20s%C6%A1?t%C3%AAn=%27%C3%A9%27"),
        ("http://thủtục.example/", "http://xn--thtc-x05ak.example:80", "/"),
        ("http://[0:0::1]:8080/", "http://[::1]:8080", "/"),
    ],
)
def test_an_address_has_one_origin_and_one_path(address: str, origin: str, path: str) -> None:
    for _ in range(2):  # the second time the origin is known
        found, sent = locate(address)
        assert found is not None
        assert (found.text, sent) == (origin, path)
    assert origin_of(address) == origin


@pytest.mark.parametrize(
    "address",
    [
        "", "a.example", "//a.example/", "ftp://a.example/", "javascript:x", "http:a.example", "http:/a.example", "http:///a.example/",
        "http://user@a.example/", "http://127.0.0.1:80@a.example/", "http://a.example\\@b.example/", "http:\\\\a.example\\", "http://%61.example/",
        "http://127.1/", "http://0x7f.0.0.1/", "http://2130706433/", "http://a.example:0/", "http://a.example:99999/", "http://a.example:x/",
        "http://[::1/", "http://a b.example/", "ht\ntp://a.example/", "http://a.\texample/", " http://a.example/", "http://./",
        "http://[::1] ", "http://[::1]\n/", "http://\n/[::1]/", "http://a.example/\ud800", "http://thủtục.example\0",
    ],
)  # fmt: skip
def test_what_readers_could_read_in_two_ways_has_no_origin(address: str) -> None:
    assert locate(address) == (None, "")
    assert not is_loopback(address)
    assert not is_bare_origin(address)
    with pytest.raises(ValueError, match="no http"):
        origin_of(address)


def test_an_origin_alone() -> None:
    assert all(map(is_bare_origin, ("http://a.example", "https://a.example:8443", "http://a.example/")))
    assert not any(map(is_bare_origin, ("http://a.example/x", "http://a.example?", "http://a.example#", "http://a.example/#x")))


@pytest.mark.parametrize(
    ("reference", "address"),
    [
        ("c", "http://a.example/b/c"), ("?y", "http://a.example/b/x?y"), ("//b.example/", "http://b.example/"), ("#top", "http://a.example/b/x?1#top"),
        (" /c ", "http://a.example/c"), ("javascript:x()", "javascript:x()"), ("http://[bad", "http://[bad"),
        ("/\\b.example/c", "http://b.example/c"), ("/\t/b.example/c", "http://b.example/c"), ("/d/../e", "http://a.example/e"), ("HTTP://B.example:80/e#f", "http://b.example/e#f"), ("", "http://a.example/b/x?1"),
    ],
)  # fmt: skip
def test_references_are_relative_to_the_page(reference: str, address: str) -> None:
    assert resolve("http://a.example/b/x?1#part", reference) == address
    assert without_fragment(resolve("http://a.example/b/x?1#part", reference)) == address.partition("#")[0]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("javascript:void(0)", "'javascript:void(0)' is not an http or https URL"),
        ("http://[bad", "'http://[bad' is not a URL"),
        ("/a", "'/a' is not a URL"),
        ("http://a@b.example/", "'http://a@b.example/' holds a user name or a password, which is never sent"),
        ("http://127.1/", "'http://127.1/' is not a plain http or https URL"),
    ],
)
def test_an_address_that_cannot_be_asked_says_why(address: str, why: str) -> None:
    assert not is_sendable(address)
    assert why_not_sendable(address) == why
