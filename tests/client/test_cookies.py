"""Cookies by RFC 6265, and where Chromium is stricter or kinder."""

from __future__ import annotations

import time

import pytest

from harness.client.cookie_dates import cookie_date_s
from harness.client.cookies import CookieJar
from harness.origins import locate

from .raw_server import RawServer, plain


def jar_after(*lines: str, url: str = "https://portal.example/dir/page") -> CookieJar:
    jar = CookieJar()
    origin, path = locate(url)
    for line in lines:
        jar.store(line, origin, path)
    return jar


def sent(jar: CookieJar, url: str) -> str:
    origin, path = locate(url)
    return jar.header(origin, path)


@pytest.mark.parametrize(
    ("line", "url", "header"),
    [
        ("a=b", "https://portal.example/dir/other", "a=b"),
        ("a=b", "https://portal.example/dir", "a=b"),
        ("a=b", "https://portal.example/directory", ""),
        ("a=b", "https://portal.example/", ""),
        ("a=b; Path=/", "https://portal.example/x?y=/dir", "a=b"),
        ("a=b; Path=/dir/", "https://portal.example/dir/x", "a=b"),
        ("a=b; Path=/dir/", "https://portal.example/dir", ""),
        ("a=b; path=nonsense", "https://portal.example/dir/x", "a=b"),
        ("a=b; Path=/", "https://www.portal.example/", ""),
        ("a=b; Path=/; Domain=portal.example", "https://www.portal.example/", "a=b"),
        ("a=b; Path=/; Domain=.PORTAL.example", "https://www.portal.example/", "a=b"),
        ("a=b; Path=/; Domain=portal.example", "https://evilportal.example/", ""),
        ("a=b; Path=/; Domain=other.example", "https://portal.example/", ""),
        ("a=b; Path=/; Domain=www.portal.example", "https://portal.example/", ""),
        ("a=b; Path=/; Domain=example", "https://portal.example/", ""),
        ("a=b; Path=/; Domain=", "https://portal.example/", "a=b"),
        ("a=b; Path=/; Secure", "https://portal.example/", "a=b"),
        ("a=b; Path=/; Secure", "http://portal.example/", ""),
        ("a=b; Path=/", "http://portal.example/", "a=b"),
        ("a=b; Path=/", "https://portal.example:8443/", "a=b"),
        ("a=b; Path=/; HttpOnly; SameSite=Strict; Partitioned", "https://portal.example/", "a=b"),
        ("a=b; Path=/; Max-Age=60", "https://portal.example/", "a=b"),
        ("a=b; Path=/; Max-Age=0", "https://portal.example/", ""),
        ("a=b; Path=/; Max-Age=-1", "https://portal.example/", ""),
        ("a=b; Path=/; Max-Age=never", "https://portal.example/", "a=b"),
        ("a=b; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "https://portal.example/", ""),
        ("a=b; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", "https://portal.example/", "a=b"),
        ("a=b; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "https://portal.example/", "a=b"),
        ("a=b; Path=/; Expires=yesterday", "https://portal.example/", "a=b"),
        ("a=b=c==; Path=/", "https://portal.example/", "a=b=c=="),
        ('a="quoted, kept"; Path=/', "https://portal.example/", 'a="quoted, kept"'),
        ("  a  =  b  ; Path=/", "https://portal.example/", "a=b"),
        ("alone; Path=/", "https://portal.example/", "alone"),
        ("=b; Path=/", "https://portal.example/", "b"),
        ("; Path=/", "https://portal.example/", ""),
        ("a=" + "x" * 5000 + "; Path=/", "https://portal.example/", ""),
        ("a=b\x01c; Path=/", "https://portal.example/", ""),
        ("__Secure-a=b; Path=/; Secure", "https://portal.example/", "__Secure-a=b"),
        ("__Secure-a=b; Path=/", "https://portal.example/", ""),
        ("__Host-a=b; Path=/; Secure", "https://portal.example/", "__Host-a=b"),
        ("__Host-a=b; Path=/; Secure; Domain=portal.example", "https://portal.example/", ""),
        ("__Host-a=b; Path=/dir; Secure", "https://portal.example/dir/", ""),
    ],
)
def test_one_cookie(line, url, header):
    assert sent(jar_after(line), url) == header


def test_a_registry_cannot_be_named():
    jar = jar_after("a=b; Path=/; Domain=com.vn", "c=d; Path=/; Domain=x.com.vn", url="https://portal.x.com.vn/")
    assert sent(jar, "https://portal.x.com.vn/") == "c=d"
    assert sent(jar, "https://portal.y.com.vn/") == ""


def test_an_address_has_no_subdomains():
    jar = jar_after("a=b; Path=/; Domain=127.0.0.1", "c=d; Path=/; Domain=0.0.1", url="http://127.0.0.1:8000/")
    assert sent(jar, "http://127.0.0.1:9000/") == "a=b"
    assert sent(jar, "http://5.127.0.0.1.example/") == ""


def test_secure_cookies_work_on_this_machine_without_tls_and_nowhere_else():
    assert sent(jar_after("a=b; Path=/; Secure", url="http://127.0.0.1:80/"), "http://127.0.0.1:80/") == "a=b"
    assert sent(jar_after("a=b; Path=/; Secure", url="http://portal.example/"), "https://portal.example/") == ""


def test_longer_paths_go_first_then_older_ones():
    jar = jar_after("old=1; Path=/", "young=2; Path=/", "deep=3; Path=/dir", "old=4; Path=/")
    assert sent(jar, "https://portal.example/dir/") == "deep=3; old=4; young=2"
    assert sent(jar, "https://portal.example/") == "old=4; young=2"


def test_an_expired_one_deletes():
    jar = jar_after("a=b; Path=/", "c=d; Path=/", "a=; Path=/; Max-Age=0")
    assert sent(jar, "https://portal.example/") == "c=d"


def test_a_cookie_expires_by_itself(monkeypatch):
    jar = jar_after("a=b; Path=/; Max-Age=60", "c=d; Path=/")
    assert sent(jar, "https://portal.example/") == "a=b; c=d"
    later_s = time.clock_gettime(time.CLOCK_BOOTTIME) + 61
    monkeypatch.setattr(time, "clock_gettime", lambda _clock: later_s)
    assert sent(jar, "https://portal.example/") == "c=d"


def test_a_step_of_the_clock_expires_nothing(monkeypatch):
    jar = jar_after("a=b; Path=/; Max-Age=60", "c=d; Path=/dir; Max-Age=60")
    stepped_s = time.time() + 3_600
    monkeypatch.setattr(time, "time", lambda: stepped_s)
    assert sent(jar, "https://portal.example/dir/") == "c=d; a=b"


def test_the_jar_does_not_grow_without_end():
    jar = jar_after(*(f"n{number}={number}; Path=/" for number in range(500)))
    assert len(sent(jar, "https://portal.example/").split("; ")) == 180


def test_a_session_keeps_sends_shows_and_forgets(citizen):
    received = []

    def script(peer) -> None:
        while request := peer.read_request():
            lines = request.decode().split("\r\n")
            received.append([line for line in lines if line.startswith("Cookie")])
            peer.send(plain(fields=b"Set-Cookie: sid=1; Path=/\r\nset-cookie: csrf=2; Path=/form\r\n"))

    with RawServer([script]) as server:
        citizen.request("GET", server.url)
        citizen.request("GET", f"{server.url}/form")
        citizen.request("GET", f"{server.url}/form", headers={"X-A": "1"})
        citizen.request("GET", f"{server.url}/form", headers={"Cookie": "own=3"})
        shown = citizen.cookies_for(f"{server.url}/form")
        citizen.clear_cookies()
        citizen.request("GET", f"{server.url}/form")
    both = ["Cookie: csrf=2; sid=1"]
    assert received == [[], both, both, ["Cookie: own=3"], []]
    assert shown == {"csrf": "2", "sid": "1"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784111777),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784111777),
        ("Sun Nov  6 08:49:37 1994", 784111777),
        ("06 nov 1994 08:49:37", 784111777),
        ("Thu, 01-Jan-1970 00:00:01 GMT", 1),
        ("Tue, 19 Jan 2038 03:14:07 GMT", 2147483647),
        ("01 Jan 69 00:00:00", 3124224000),
        ("31 Feb 2030 00:00:00 GMT", None),
        ("06 Nov 1994 25:00:00", None),
        ("06 Nov 1994", None),
        ("", None),
    ],
)
def test_dates(text, seconds):
    assert cookie_date_s(text) == seconds
