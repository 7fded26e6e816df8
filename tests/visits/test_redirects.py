"""Redirects of three kinds: which are followed, how, and how those end that are not."""

from __future__ import annotations

import pytest

from harness.client import Exchange
from harness.pages import Page
from harness.pages.redirects import page_redirect
from harness.records import Outcome
from harness.visits.outgoing import OutgoingRequest

from .conftest import Walker, walk
from .sloppy_site import Site, paths, platform, requests


def test_http_redirects_keep_or_change_the_method(site: Site, walker: Walker) -> None:
    compiled = platform(
        requests(
            '{post: "{{ origin.portal }}/redirect?status=302&to=/a", fields: {x: "1"}}',
            '{post: "{{ origin.portal }}/redirect?status=307&to=/b%23part", fields: {x: "2"}}',
            '{put: "{{ origin.portal }}/redirect?status=302&to=/d", fields: {x: "3"}}',
            '{put: "{{ origin.portal }}/redirect?status=303&to=/e", fields: {x: "4"}}',
            '{get: "{{ origin.portal }}/redirect?status=302&to=/c", follow: [], expect: {status: 302, redirect_to: "/c$"}, extract: {l: {header: location}}}',
        )
    )
    walked = walk(site, walker, compiled)
    assert walked.failure is None
    assert [(method, path.partition("?")[0], body) for method, path, _, body in site.asked] == [
        ("POST", "/redirect", b"x=1"), ("GET", "/a", b""), ("POST", "/redirect", b"x=2"), ("POST", "/b", b"x=2"),
        ("PUT", "/redirect", b"x=3"), ("PUT", "/d", b"x=3"), ("PUT", "/redirect", b"x=4"), ("GET", "/e", b""), ("GET", "/redirect", b""),
    ]  # fmt: skip
    assert "content-type" not in site.asked[1][2]
    assert [(row.request, row.hop, row.status) for row in walked.requests] == [
        (0, 0, 302),
        (0, 1, 200),
        (1, 0, 307),
        (1, 1, 200),
        (2, 0, 302),
        (2, 1, 200),
        (3, 0, 303),
        (3, 1, 200),
        (4, 0, 302),
    ]
    assert walked.requests[1].intended_us == walked.requests[0].end_us


def test_pages_that_redirect_are_followed_where_the_profile_says_so(site: Site, walker: Walker) -> None:
    followed = platform(
        requests('{get: "{{ origin.portal }}/meta", follow: [http, meta, script], expect: {final_url: "/end$", redirect_to: "/script$"}}')
    )
    assert walk(site, walker, followed).failure is None
    assert paths(site) == ["/meta", "/script", "/end"]
    kept = platform(requests('{get: "{{ origin.portal }}/meta", expect: {final_url: "/meta$"}}'))
    assert walk(site, walker, kept).failure is None


def test_short_refreshes_are_waited_for_and_long_ones_are_not_followed(site: Site, walker: Walker) -> None:
    compiled = platform(
        requests(
            '{get: "{{ origin.portal }}/header", follow: [meta], expect: {final_url: "/end$"}}',
            '{get: "/session", follow: [http, meta], expect: {final_url: "/session$"}}',
        )
    )
    slept: list[float] = []
    walked = walk(site, walker, compiled, sleep=slept.append)
    assert walked.failure is None
    assert paths(site) == ["/header", "/wait", "/end", "/session"]
    assert [(row.request, row.hop, row.polling_wait_us) for row in walked.requests] == [(0, 0, 0), (0, 1, 0), (0, 2, 2_000_000), (1, 0, 0)]
    assert walked.requests[2].intended_us == walked.requests[1].end_us + 2_000_000
    assert [round(seconds) for seconds in slept] == [2]
    assert [headers.get("referer") for _, _, headers, _ in site.asked[1:3]] == [f"{site.origin}/header", f"{site.origin}/wait"]


def test_a_location_without_a_fragment_keeps_that_of_the_request(site: Site, walker: Walker) -> None:
    compiled = platform(
        requests(
            '{get: "{{ origin.portal }}/redirect?status=302&to=/a#x=1", expect: {final_url: "/a#x=1$", redirect_to: "/a#x=1$"}}',
            '{get: "{{ origin.portal }}/redirect?status=302&to=/b%23y=2#x=1", expect: {final_url: "/b#y=2$"}, extract: {y: {url: "#y=(.*)"}}}',
            '{get: "/end"}',
        ),
        gives="{procedure: '{{ y }}'}",
    )
    walked = walk(site, walker, compiled)
    assert (walked.failure, walked.given["procedure"]) == (None, "2")
    assert paths(site)[1::2] == ["/a", "/b"]
    assert site.asked[-1][2]["referer"] == f"{site.origin}/b"


def test_another_origin_is_not_told_what_belongs_to_the_first() -> None:
    headers = {"Referer": "http://a.example/x?y=1", "Authorization": "Bearer t", "Content-Type": "text/plain", "X-Own": "1"}
    sent = OutgoingRequest("POST", "http://a.example/p", headers, b"z")
    assert sent.redirected(307, "http://a.example/q") == OutgoingRequest("POST", "http://a.example/q", headers, b"z")
    there = {"Referer": "http://a.example/", "Content-Type": "text/plain", "X-Own": "1"}
    assert sent.redirected(308, "http://b.example/q") == OutgoingRequest("POST", "http://b.example/q", there, b"z")
    del there["Content-Type"]
    assert sent.redirected(302, "http://b.example/q") == OutgoingRequest("GET", "http://b.example/q", there, b"")


@pytest.mark.parametrize(
    ("location", "why"), [("javascript:x()", "not an http or https URL"), ("http://[bad", "not a URL"), ("http://a@{host}/", "a user name or a password")]
)  # fmt: skip
def test_a_redirect_that_cannot_be_followed_says_why(site: Site, walker: Walker, location: str, why: str) -> None:
    to = location.replace("{host}", site.origin.partition("//")[2])
    walked = walk(site, walker, platform(requests(f'{{get: "{{{{ origin.portal }}}}/redirect?status=302&to={to}"}}')))
    assert walked.failure is not None
    assert (walked.failure.outcome, len(site.asked)) == (Outcome.LEFT_ALLOWED_HOSTS, 1)
    assert why in walked.failure.detail


def test_a_redirect_loop_ends(site: Site, walker: Walker) -> None:
    walked = walk(site, walker, platform(requests('{get: "{{ origin.portal }}/loop", hops_max: 3}')))
    assert walked.failure is not None
    assert walked.failure.outcome is Outcome.HTTP_ERROR
    assert [row.outcome for row in walked.requests] == [Outcome.OK] * 3 + [Outcome.HTTP_ERROR]


@pytest.mark.parametrize("text", ["location" + " " * 300_000, "window" + " " * 300_000 + "location='/"])
def test_a_script_of_spaces_is_searched_in_a_moment(text: str) -> None:
    assert redirect_of(f"<script>{text}</script>", "script") is None
    assert redirect_of(f"<meta http-equiv=refresh content='{'1' * 300_000}x'>", "meta") is None
    assert redirect_of(f"<meta http-equiv=refresh content='{'1' * 300_000}'>", "meta") is None


def redirect_of(html: str, kind: str) -> object:
    return page_redirect(Page(Exchange("GET", "http://127.0.0.1:1/", "", status=200, body=f"<html>{html}".encode())), {kind})


def test_a_redirect_without_room_in_the_authorised_rate_is_not_sent(site: Site, walker: Walker) -> None:
    room = iter([True, True, False])
    walked = walk(site, walker, platform(requests('{get: "{{ origin.portal }}/loop"}')), may_follow=lambda: next(room))
    assert walked.failure is not None
    assert walked.failure.outcome is Outcome.NOT_SERVED
    assert [(row.hop, row.outcome, row.start_us > 0) for row in walked.requests] == [
        (0, "ok", True),
        (1, "ok", True),
        (2, "ok", True),
        (3, "not_served", False),
    ]
    assert len(site.asked) == 3
