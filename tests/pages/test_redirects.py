"""Refreshes are read by the standard's "shared declarative refresh steps"; only short ones are followed."""

from __future__ import annotations

import pytest

from harness.pages.redirects import REFRESH_MAX_S, page_redirect
from tests.pages.pages import page

AT = "http://127.0.0.1:8000"


def found(body: str, **headers: str) -> tuple[str, int] | None:
    redirect = page_redirect(page(body, **headers), {"meta"})
    return None if redirect is None else (redirect.url.removeprefix(AT), redirect.delay_s)


@pytest.mark.parametrize(
    ("content", "redirect"),
    [
        ("0;url=/x", ("/x", 0)), ("0; URL = /x", ("/x", 0)), ("3,url=/x", ("/x", 3)), (" 1 /x", ("/x", 1)), ("1;/x", ("/x", 1)), ("0.9;url=x", ("/a/x", 0)),
        (".5;url=/x", ("/x", 0)), ("1..2;/x", ("/x", 1)), ("0;url='/x' y", ("/x", 0)), ('0;url="/x', ("/x", 0)), ("0;'/x'z", ("/x", 0)), ("0;urlx", ("/a/urlx", 0)),
        ("0;url /x", ("/a/url%20/x", 0)), ("0;u", ("/a/u", 0)), ("2", ("/a/b?x=1", 2)), ("2;", ("/a/b?x=1", 2)), ("2 , ", ("/a/b?x=1", 2)), ("0;url=", ("/a/b?x=1", 0)),
        ("0;url=\\x\\../y", ("/y", 0)), ("0;url=//127.0.0.1:9/y#z", ("http://127.0.0.1:9/y#z", 0)), (f"{REFRESH_MAX_S};/x", ("/x", REFRESH_MAX_S)),
        ("", None), ("url=/x", None), ("x0;url=/x", None), ("-1;url=/x", None), ("0x;url=/x", None), ("0url=/x", None), (f"{REFRESH_MAX_S + 1};/x", None), ("1200;url=/x", None),
        ("0;url=javascript:x()", None), ("0;url=http://[bad", None), ("0;url=#top", None), ("0;url=?x=1#top", None),
    ],
)  # fmt: skip
def test_what_a_refresh_says(content: str, redirect: tuple[str, int] | None) -> None:
    quoted = content.replace('"', "&quot;")
    assert found(f'<meta http-equiv="Refresh" content="{quoted}">') == redirect
    assert found("<p>", refresh=content) == redirect


@pytest.mark.parametrize(
    "body",
    [
        "<noscript><meta http-equiv=refresh content='0;/x'></noscript>", "<!-- <meta http-equiv=refresh content='0;/x'> -->",
        "<template><meta http-equiv=refresh content='0;/x'></template>", "<textarea><meta http-equiv=refresh content='0;/x'></textarea>",
        "<meta http-equiv=' refresh' content='0;/x'>", "<meta http-equiv=refresh>", "<meta name=refresh content='0;/x'>",
        "<meta http-equiv=refresh content='1200;/y'><meta http-equiv=refresh content='0;/x'>",
    ],
)  # fmt: skip
def test_where_no_refresh_stands(body: str) -> None:
    assert found(body) is None


def test_a_refresh_may_stand_anywhere_and_the_first_valid_one_counts() -> None:
    assert found("<body><p>Đang chuyển<div><meta http-equiv=refresh content='x'><meta http-equiv=refresh content='1;/x'>") == ("/x", 1)
    assert found("<base href=/sub/><meta http-equiv=refresh content='0;x'>") == ("/sub/x", 0)
    assert found("<meta http-equiv=refresh content='0;/x'>", refresh="0;url=/header") == ("/header", 0)
    assert found("", refresh="0;url=/header") == ("/header", 0)


@pytest.mark.parametrize(
    ("script", "url"),
    [
        ("location = '/x'", "/x"), ('window.location.href="/x?a=\'1\'"', "/x?a='1'"), ("top.location.replace('\\/x\\u0026b')", "/x&b"), ("location='/x';y='z'+1", "/x"),
        ("location='/x?id='+id", None), ("location.href = '/a/' + b + '/c'", None), ("location='/x'+y; location='/z'", "/z"), ("location == '/x'", None),
    ],
)  # fmt: skip
def test_an_address_that_a_script_puts_together_is_not_guessed(script: str, url: str | None) -> None:
    redirect = page_redirect(page(f"<script>{script}</script>"), {"script"})
    assert (redirect.url.removeprefix(AT) if redirect else None) == (url and url.replace("'1'", "%271%27"))
