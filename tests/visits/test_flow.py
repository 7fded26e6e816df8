"""Flow on a sloppy web site: redirects of three kinds, polls, repeats, conditions, actors, assets, pools, secrets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from pydantic import ValidationError

from harness.catalog import Authorisation, Target, origin_of
from harness.catalog.platform import Platform
from harness.catalog.reading import check, read_document
from harness.client import Exchange
from harness.errors import CatalogError
from harness.pages import Page
from harness.pages.redirects import page_redirect
from harness.profiles import CompiledPlatform, compile_platform
from harness.profiles.functions import FUNCTIONS
from harness.records import Outcome
from harness.visits import StepFailed
from harness.visits.outgoing import OutgoingRequest

from .conftest import Walked, Walker


class Site(ThreadingHTTPServer):
    """Answers by path; remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"
        self.polls = 0

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Site]:
        server = cls()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def log_message(self, *_: Any) -> None:
        return

    def do_GET(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    do_PUT = do_POST  # noqa: N815  (named by http.server)

    def answer(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.command, self.path, headers, body))
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        status, fields, text = 200, {"Content-Type": "text/html; charset=utf-8"}, f"<p id=path>{path}</p>"
        if path == "/redirect":
            status, fields["Location"], text = int(query["status"][0]), query["to"][0], ""
        elif path == "/meta":
            text = "<meta http-equiv=refresh content='0;url=/script'>"
        elif path == "/wait":
            text = "<body><p>Xin chờ<meta http-equiv=refresh content='2;url=/end'>"
        elif path == "/header":
            fields["Refresh"] = "0;url=/wait"
        elif path == "/session":
            text = (
                "<meta http-equiv=refresh content='1200;url=/ended'><noscript><meta http-equiv=refresh content='0;url=/no-js'></noscript>"
            )
        elif path == "/script":
            text = "<script>location.href='/end'</script>"
        elif path == "/token":
            fields["Content-Type"], text = "application/json", f'{{"token": "{query["as"][0]}"}}'
        elif path == "/deep":
            text = "<div>" * 1_000
        elif path == "/loop":
            status, fields["Location"] = 302, "/loop"
        elif path == "/poll":
            self.server.polls += 1
            fields["Content-Type"], text = "application/json", '{"state": "%s"}' % ("done" if self.server.polls >= 3 else "busy")
        elif path == "/set-cookie":
            fields["Set-Cookie"] = "who=citizen; Path=/"
        elif path == "/who":
            text = f"<p id=who>{headers.get('cookie', 'nobody')}</p>"
        elif path == "/assets":
            text = "<link rel=stylesheet href=/a.css><script src=a.js></script><img src=/gone.png><img src=data:x><img src='http://203.0.113.1/x.png'><a href=/no>"
        elif path == "/a.css":
            fields["Content-Type"], text = "text/css", "body { background: url('/bg.svg') }"
        elif path == "/gone.png":
            status = 404
        elif path.startswith("/sold-out"):
            status, text = int(query.get("status", ["200"])[0]), "<p id=het>Đã hết vé.</p>"
            if path.endswith(".json"):
                fields["Content-Type"], text = "application/json", '{"error": "sold out"}'
        elif path == "/busy":
            status = 503
        raw = text.encode()
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site.running() as server:
        yield server


def platform(steps: str, gives: str = "{procedure: '1'}", more: str = "") -> CompiledPlatform:
    absent = ", ".join(f"{goal}: none here" for goal in ("file", "pay", "track", "withdraw"))
    text = f"""
id: site
name_vi: x
name_en: x
known_from: {{source: a test}}
absent: {{{absent}}}
{more}
goals:
  find:
    gives: {gives}
    steps:
{steps}"""
    return compile_platform(Platform.model_validate(yaml.safe_load(text)), FUNCTIONS)


def requests(*lines: str) -> str:
    return "\n".join(["      - step: search", "        requests:", *(f"          - {line}" for line in lines)])


def walk(site: Site, walker: Walker, compiled: CompiledPlatform, **more: Any) -> Walked:
    target = more.pop("target", None) or Target("site", "site", {"portal": site.origin}, {origin_of(site.origin): "portal"})
    return walker.walk(compiled, target, ("find",), "từ khóa", **more)


def paths(site: Site) -> list[str]:
    return [path for _, path, _, _ in site.asked]


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


@pytest.mark.parametrize("token", [r"a\r\nX-More: 1", r"a\u0000b", r"a\udc00"])
def test_a_token_that_no_header_can_hold_is_the_portals_failure(site: Site, walker: Walker, token: str) -> None:
    learn = f"query: {{as: '{token}'}}, extract: {{token: {{json: token}}}}}}"
    learn = '{get: "{{ origin.portal }}/token", ' + learn
    walked = walk(site, walker, platform(requests(learn, '{get: "{{ origin.portal }}/b", headers: {X-Token: "{{ token }}"}}')))
    assert walked.failure is not None
    assert walked.failure.outcome is Outcome.EXTRACTION
    assert paths(site)[-1:] != ["/b"]


def test_an_answer_that_is_too_much_work_is_the_portals_failure(site: Site, walker: Walker) -> None:
    walked = walk(site, walker, platform(requests('{get: "{{ origin.portal }}/deep", expect: {require_selector: div}}')))
    assert walked.failure is not None
    assert (walked.failure.outcome, walked.failure.rule) == (Outcome.WRONG_CONTENT, "elements more than 256 deep")


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


def test_a_browsers_headers(site: Site, walker: Walker) -> None:
    compiled = platform(
        requests(
            '{get: "{{ origin.portal }}/a?b=1"}',
            '{post: "c", json: {k: "{{ keyword }}"}, headers: {X-CSRF: "{{ keyword }}-{{ visit }}"}, query: {q: "{{ keyword }}", again: ["1", "2"]}}',
            '{post: "d", json: {k: 1}, headers: {content-type: "application/vnd.x+json"}}',
        ),
        more='headers: {User-Agent: "test/{{ visit }}"}',
    )
    walked = walk(site, walker, compiled)
    assert walked.failure is None
    method, path, headers, body = site.asked[1]
    assert (method, path) == ("POST", "/c?q=t%E1%BB%AB+kh%C3%B3a&again=1&again=2")
    assert body.decode() == '{"k":"từ khóa"}'
    assert headers["user-agent"] == f"test/{walked.visit.state.visit}" == site.asked[0][2]["user-agent"]
    assert (headers["referer"], headers["origin"]) == (f"{site.origin}/a?b=1", site.origin)
    assert headers["content-type"] == "application/json"
    assert site.asked[2][2]["content-type"] == "application/vnd.x+json"  # the profile's own, in whatever letters, and once
    assert "referer" not in site.asked[0][2]
    assert "vi-VN" in headers["accept-language"]


@pytest.mark.parametrize("contact", ["do-kiem@example.invalid", "+84 24 0000 0000"])
def test_the_contact_of_the_authorisation_stands_in_every_user_agent(site: Site, walker: Walker, contact: str) -> None:
    """Also after a redirect, and where the profile, or one of its requests, sets another."""
    permission = Authorisation.model_validate(
        {
            "id": "letter", "portal": "site", "reference": "made up", "granted_by": "a test", "hosts": [{"origin": site.origin}],
            "valid_from": "2026-01-01T00:00:00+07:00", "valid_to": "2126-01-01T00:00:00+07:00", "citizens_in_flight_max": 1,
            "requests_per_s_max": 9, "contact": contact,
        }
    )  # fmt: skip
    target = Target("site", "site", {"portal": site.origin}, {origin_of(site.origin): "portal"}, permission)
    asked = ('{get: "{{ origin.portal }}/redirect?status=302&to=/a"}', '{get: "{{ origin.portal }}/b", headers: {user-agent: "other/1"}}')
    for more in ("", 'headers: {User-Agent: "test/1"}'):
        walked = walk(site, walker, platform(requests(*asked), more=more), target=target)
        assert walked.failure is None
    agents = [headers["user-agent"] for _, _, headers, _ in site.asked]
    assert len(agents) == 6
    assert all(agent.endswith(f" (contact {contact})") and agent.count(contact) == 1 for agent in agents)
    assert agents[0].startswith("Mozilla/5.0 (compatible; dichvucong-harness;")
    assert [agent.partition(" ")[0] for agent in agents] == [
        "Mozilla/5.0", "Mozilla/5.0", "other/1", "test/1", "test/1", "other/1",
    ]  # fmt: skip


def test_an_operator_finds_each_request_of_a_visit_and_its_row(site: Site, walker: Walker) -> None:
    """By a header in their log, redirects included; and the row has the address as the profile writes it."""
    templates = ["{{ origin.portal }}/redirect?status=302&to=/a", "{{ origin.portal }}/b?tu-khoa={{ keyword }}"]
    compiled = platform(requests(*(f'{{get: "{template}"}}' for template in templates)))
    walked = walk(site, walker, compiled, sweep="2026-11-22T15-00Z-Hà Nội-7")
    mark = f"2026-11-22T15-00Z-H%C3%A0%20N%E1%BB%99i-7/site/{walked.visit.state.visit}"
    assert [headers["x-performance-test-visit"] for _, _, headers, _ in site.asked] == [mark] * 3
    assert [(row.hop, row.path_template) for row in walked.requests] == [(0, templates[0]), (1, templates[0]), (0, templates[1])]
    assert walked.rows[-1].path_template == ""
    walk(site, walker, compiled)
    assert "x-performance-test-visit" not in site.asked[-1][2]


def test_polling_waits_apart_from_requests(site: Site, walker: Walker) -> None:
    line = '{get: "{{ origin.portal }}/poll", poll: {until: {json: {path: state, equals: done, means: never_done}}, every_s: 0.05, limit_s: 5}, extract: {s: {json: state}}}'
    walked = walk(site, walker, platform(requests(line, '{get: "{{ origin.portal }}/after"}'), "{procedure: '{{ s }}'}"))
    assert walked.failure is None
    assert walked.given["procedure"] == "done"
    assert [(row.request, row.polling_wait_us) for row in walked.requests] == [(0, 0), (1, 50_000), (2, 50_000), (3, 0)]
    first, second = walked.requests[:2]
    assert second.intended_us == first.end_us + 50_000
    assert second.start_us >= second.intended_us


def test_polling_ends(site: Site, walker: Walker) -> None:
    site.polls = -1_000_000
    line = '{get: "{{ origin.portal }}/poll", poll: {until: {json: {path: state, equals: done, means: never_done}}, every_s: 0.05, limit_s: 0.12}}'
    walked = walk(site, walker, platform(requests(line)))
    assert walked.failure is not None
    assert (walked.failure.outcome, walked.failure.means) == (Outcome.WRONG_CONTENT, "never_done")
    assert walked.requests[-1].outcome is Outcome.WRONG_CONTENT
    assert all(row.outcome is Outcome.OK for row in walked.requests[:-1])


def test_polling_tells_what_it_waited_for(site: Site, walker: Walker) -> None:
    site.polls = -1_000_000
    line = '{get: "{{ origin.portal }}/poll", let: {wanted: done}, poll: {until: {json: {path: state, equals: "{{ wanted }}"}}, every_s: 0.01, limit_s: 0.01}}'
    failure = walk(site, walker, platform(requests(line))).failure
    assert failure is not None
    rule = "not within 0.01 s: JSON state equal to '{{ wanted }}'"
    assert (failure.rule, failure.detail) == (rule, rule + ": 'done'; it is 'busy'")


def test_names_come_from_the_page(site: Site, walker: Walker) -> None:
    compiled = platform(
        requests(
            '{get: "{{ origin.portal }}/X-CSRF-TOKEN", extract: {name: {css: "#path", match: "/(.*)"}}}',
            '{post: "a", headers: {"{{ name }}": t1}, fields: {"{{ name }}[{{ visit }}]": "1"}, query: {"{{ name }}": q}}',
            '{put: "b", json: {data: {"{{ name }}": {n: "{{ visit }}"}}}, headers: {user-agent: mine, CONTENT-TYPE: a/b}}',
        )
    )
    walked = walk(site, walker, compiled, visit=3)
    assert walked.failure is None
    assert site.asked[1][1:] == ("/a?X-CSRF-TOKEN=q", site.asked[1][2], b"X-CSRF-TOKEN%5B3%5D=1")
    assert site.asked[1][2]["x-csrf-token"] == "t1"
    assert site.asked[2][3] == b'{"data":{"X-CSRF-TOKEN":{"n":3}}}'
    assert (site.asked[2][2]["user-agent"], site.asked[2][2]["content-type"]) == ("mine", "a/b")


def test_a_value_that_is_not_the_expected_one_is_wrong_content(site: Site, walker: Walker) -> None:
    line = '{get: "{{ origin.portal }}/150", extract: {fee: {css: "#path", match: "/(.*)", as: int}}, expect: {values: {fee: {equals: %s, means: wrong_fee}}}}'
    assert walk(site, walker, platform(requests(line % '"150"'))).failure is None
    walked = walk(site, walker, platform(requests(line % '"{{ visit }}000"')), visit=9)
    assert walked.failure is not None
    assert (walked.failure.outcome, walked.failure.means) == (Outcome.WRONG_CONTENT, "wrong_fee")
    assert walked.failure.detail == "wrong_fee: value fee equal to '{{ visit }}000'; it is 150"
    assert walked.failure.rule == "value fee equal to '{{ visit }}000'"
    assert "fee" not in walked.visit.state.scope


def test_a_rule_that_fails_is_shown_with_its_values_and_without_secrets(
    site: Site, walker: Walker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_TEST_KEY", "kính-mật-77")
    target = Target("site", "site", {"portal": site.origin}, {origin_of(site.origin): "portal"}, None, {"key": "env:HARNESS_TEST_KEY"})
    line = '{get: "{{ origin.portal }}/a", expect: {require_text: "{{ keyword }} {{ secret(\'key\') }}"}}'
    failure = walk(site, walker, platform(requests(line)), target=target).failure
    assert failure is not None
    assert failure.rule == "text \"{{ keyword }} {{ secret('key') }}\""
    assert failure.detail == failure.rule + ": 'từ khóa •••'"


def test_repeats_and_conditions(site: Site, walker: Walker) -> None:
    compiled = platform(
        requests(
            '{get: "{{ origin.portal }}/n/{{ item }}", repeat: {times: 2}}',
            '{get: "{{ origin.portal }}/o/{{ name }}", repeat: {over: "{{ split(\'a b c\', \' \') }}", item: name}, extract: {last: {css: "#path"}}}',
            '{get: "{{ origin.portal }}/yes", only_if: "{{ equals(last, \'/o/c\') }}"}',
            '{get: "{{ origin.portal }}/no", skip_if: "{{ last }}"}',
            '{get: "{{ origin.portal }}/unknown", only_if: "{{ never }}"}',
            '{get: "{{ origin.portal }}/let", let: {never: "1", pair: {a: "{{ last }}"}}, skip_if: "{{ pair.a }}"}',
        )
    )
    walked = walk(site, walker, compiled)
    assert walked.failure is None
    assert paths(site) == ["/n/1", "/n/2", "/o/a", "/o/b", "/o/c", "/yes", "/let"]
    assert [row.request for row in walked.requests] == list(range(7))


def test_a_step_that_is_repeated_is_another_attempt(site: Site, walker: Walker) -> None:
    steps = '      - {step: search, repeat: {times: 3}, requests: [{get: "{{ origin.portal }}/{{ item }}"}]}\n      - {step: search, once: true, requests: [{get: "{{ origin.portal }}/once"}]}'
    walked = walk(site, walker, platform(steps))
    assert [(row.attempt, row.request) for row in walked.requests] == [(1, 0), (2, 0), (3, 0)]
    assert paths(site) == ["/1", "/2", "/3"]


def test_actors_have_cookies_of_their_own(site: Site, walker: Walker) -> None:
    steps = '      - {step: log_in, requests: [{get: "{{ origin.portal }}/set-cookie"}, {get: "{{ origin.portal }}/who", extract: {mine: {css: "#who"}, c: {cookie: who}}}]}\n      - {step: track, actor: tracker, requests: [{get: "{{ origin.portal }}/who", extract: {theirs: {css: "#who"}}}]}\n      - {step: search, requests: [{get: "{{ origin.portal }}/who?{{ cookie(\'who\') }}", extract: {still: {css: "#who"}}}]}\n      - {step: search, fresh: true, requests: [{get: "{{ origin.portal }}/who", extract: {anew: {css: "#who"}}}]}'
    walked = walk(site, walker, platform(steps, "{procedure: '{{ mine }} {{ theirs }} {{ still }} {{ anew }} {{ c }}'}"))
    assert walked.failure is None
    assert walked.given["procedure"] == "who=citizen nobody who=citizen nobody citizen"
    assert "/who?citizen" in paths(site)
    assert [(row.step, row.attempt) for row in walked.step("search")] == [("search", 1), ("search", 2)]


def test_assets_as_a_browser_fetches_them(site: Site, walker: Walker) -> None:
    steps = requests(
        '{get: "{{ origin.portal }}/assets", assets: true}',
        '{get: "{{ origin.portal }}/assets", assets: true}',
        '{get: "{{ origin.portal }}/end"}',
    )
    walked = walk(site, walker, platform(steps), with_assets=True)
    assert walked.failure is None
    fetched = [path for path in paths(site) if path not in ("/assets", "/end")]
    assert sorted(fetched) == ["/a.css", "/a.js", "/bg.svg", "/gone.png"]
    rows = {row.request: row for row in walked.requests}
    assert sorted(rows) == list(range(7))
    assert sorted(row.outcome for row in rows.values()) == [Outcome.HTTP_ERROR] + [Outcome.OK] * 6
    page, style = rows[0], rows[4]
    assert {rows[number].intended_us for number in (1, 2, 3)} == {page.end_us}
    assert style.intended_us == max(rows[number].end_us for number in (1, 2, 3))
    site.asked.clear()
    assert walk(site, walker, platform(steps)).failure is None
    assert paths(site) == ["/assets", "/assets", "/end"]


def test_overload_and_refusals(site: Site, walker: Walker) -> None:
    busy = requests('{get: "{{ origin.portal }}/busy"}')
    for compiled, more, outcome in (
        (platform(busy), {}, Outcome.NOT_SERVED),
        (platform(busy, more="blocked_when: [{name: nightly, status: 503, text: /busy}]"), {}, Outcome.BLOCKED),
    ):
        walked = walk(site, walker, compiled, **more)
        assert walked.failure is not None
        assert walked.failure.outcome is outcome
        assert [row.outcome for row in walked.rows] == [outcome, outcome]


def test_secrets_stand_nowhere(site: Site, walker: Walker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_TEST_KEY", "kính-mật-77")
    target = Target("site", "site", {"portal": site.origin}, {origin_of(site.origin): "portal"}, None, {"key": "env:HARNESS_TEST_KEY"})
    line = '{get: "{{ origin.portal }}/{{ urlencode(given) }}", let: {given: "{{ secret(\'key\') }}"}, extract: {shown: {url: "/([^/]+)$"}, n: {regex: "no (.*) here"}}}'
    walked = walk(site, walker, platform(requests(line)), target=target)
    assert walked.failure is not None
    assert "kính-mật-77" not in repr(walked.failure) + repr([seen.failure for seen in walked.seen]) + repr(target)
    echoing = "{get: \"{{ origin.portal }}/{{ secret('key') }}\", expect: {require_text: \"{{ secret('key') }}x\"}, extract: {a: {css: p}}}"
    walked = walk(site, walker, platform(requests(echoing)), target=target)
    assert walked.failure is not None
    assert "kính-mật-77" not in str(walked.failure)


def test_a_pool_that_runs_dry_is_ours(site: Site, walker: Walker, tmp_path: Path) -> None:
    (tmp_path / "platforms").mkdir()
    (tmp_path / "platforms" / "codes.csv").write_text("code\nH1\nH2\n", encoding="utf-8")
    path = tmp_path / "platforms" / "site.yaml"
    path.write_text(
        """
id: site
name_vi: x
name_en: x
known_from: {source: a test}
absent: {file: a, pay: a, track: a, withdraw: a}
pools: {codes: {file: codes.csv}}
goals:
  find:
    gives: {procedure: "1"}
    steps: [{step: search, requests: [{get: "{{ origin.portal }}/{{ take('codes').code }}"}]}]
""",
        encoding="utf-8",
    )
    problems: list[Any] = []
    document = read_document(path, problems)
    assert document is not None
    model = check(document, document.data, (), Platform, problems)
    assert model is not None
    compiled = compile_platform(model.came_from(document))
    assert [walk(site, walker, compiled, visit=visit).failure for visit in (0, 1)] == [None, None]
    assert paths(site) == ["/H1", "/H2"]
    walked = walk(site, walker, compiled, visit=2)
    assert walked.rows[0].outcome is Outcome.DROPPED

    path.write_text(
        path.read_text(encoding="utf-8").replace("codes.csv", "gone.csv").replace("take('codes').code", "kwyword"), encoding="utf-8"
    )
    document = read_document(path, problems)
    assert document is not None
    broken = check(document, document.data, (), Platform, problems)
    assert broken is not None
    with pytest.raises(CatalogError) as wrong:
        compile_platform(broken.came_from(document))
    assert [(problem.line, problem.key) for problem in wrong.value.problems] == [
        (11, "goals.find.steps.0.requests.0.get"),
        (7, "pools.codes"),
    ]


@pytest.mark.parametrize(
    ("line", "rows", "detail"),
    [
        ('{get: "{{ origin.portal }}/{{ person.phonee }}"}', ["dropped"], "values of `person`: there is no 'phonee' among name, "),
        ("{get: \"{{ origin.portal }}/{{ secret('key') }}\"}", ["dropped"], "secrets.key of site is not declared"),
        ('{get: "{{ origin.portal }}/a", expect: {require_text: "{{ person.phonee }}"}}', ["dropped"], "values of `person`"),
        ('{get: "{{ origin.portal }}/a", only_if: "{{ person.phonee }}"}', ["dropped"], "values of `person`"),
        ('{get: "{{ origin.portal }}/a", receipt: {code: "{{ person.phonee }}"}}', ["ok", "dropped"], "values of `person`"),
        ('{get: "{{ origin.portal }}/a", repeat: {over: "{{ person.phonee }}", item: i}}', ["dropped"], "values of `person`"),
    ],
)
def test_what_our_own_files_lack_is_dropped_and_named(site: Site, walker: Walker, line: str, rows: list[str], detail: str) -> None:
    walked = walk(site, walker, platform(requests(line)))
    assert walked.failure is not None
    assert walked.failure.outcome is Outcome.DROPPED
    assert detail in walked.failure.detail
    assert [row.outcome for row in walked.requests] == rows
    assert walked.rows[-1].outcome is Outcome.DROPPED


OURS = "means: sold_out, blame: ours"


@pytest.mark.parametrize(
    ("path", "expect", "outcome", "means"),
    [
        ("/sold-out", f"{{forbid_text: {{text: hết vé, {OURS}}}}}", Outcome.DROPPED, "sold_out"),
        ("/sold-out", f"{{forbid_selector: {{css: '#het', {OURS}}}}}", Outcome.DROPPED, "sold_out"),
        ("/sold-out?status=409", f"{{forbid_text: {{text: hết vé, {OURS}}}}}", Outcome.DROPPED, "sold_out"),
        ("/sold-out?status=503", f"{{forbid_text: {{text: hết vé, {OURS}}}}}", Outcome.DROPPED, "sold_out"),
        ("/sold-out.json", f"{{json: {{path: error, present: false, {OURS}}}}}", Outcome.DROPPED, "sold_out"),
        ("/sold-out.json?status=422", f"{{json: {{path: error, present: false, {OURS}}}}}", Outcome.DROPPED, "sold_out"),
        ("/a", f"{{json: {{path: error, present: false, {OURS}}}}}", Outcome.WRONG_CONTENT, "sold_out"),
        ("/a", f"{{forbid_text: {{text: hết vé, {OURS}}}, require_text: Đã đặt}}", Outcome.WRONG_CONTENT, ""),
        ("/busy", f"{{forbid_text: {{text: hết vé, {OURS}}}}}", Outcome.NOT_SERVED, ""),
        ("/sold-out?status=500", "{forbid_text: {text: hết vé, means: sold_out}}", Outcome.HTTP_ERROR, "sold_out"),
    ],
)
def test_what_the_portal_rightly_refuses_is_dropped_and_named(
    site: Site, walker: Walker, path: str, expect: str, outcome: Outcome, means: str
) -> None:
    walked = walk(site, walker, platform(requests(f'{{get: "{{{{ origin.portal }}}}{path}", expect: {expect}}}')))
    assert walked.failure is not None
    assert (walked.failure.outcome, walked.failure.means) == (outcome, means)
    assert [row.outcome for row in walked.rows] == [outcome, outcome]


@pytest.mark.parametrize(
    "expect",
    ["{require_text: {text: a, blame: ours}}", "{require_selector: {css: a, blame: ours}}", "{json: {path: a, equals: 1, blame: ours}}"],
)
def test_what_is_missing_is_never_our_fault(expect: str) -> None:
    with pytest.raises(ValidationError, match="`blame: ours` only with forbid_text"):
        platform(requests(f'{{get: "/", expect: {expect}}}'))


def test_a_column_of_the_test_identities_replaces_only_its_own_value(site: Site, walker: Walker) -> None:
    people = ({"phone": "0912000001"}, {"phone": "0912000002"})  # numbers that the portal's owner gave
    target = Target("site", "site", {"portal": site.origin}, {origin_of(site.origin): "portal"}, identities=people)
    compiled = platform(requests('{get: "{{ origin.portal }}/{{ person.phone }}/{{ person.citizen_number }}"}'))
    for visit in (0, 1, 2):
        assert walk(site, walker, compiled, target=target, visit=visit).failure is None
    assert [path.split("/")[1] for path in paths(site)] == ["0912000001", "0912000002", "0912000001"]
    assert all(path.split("/")[2].startswith("000") for path in paths(site))


def test_what_a_goal_gives_from_our_own_files_is_dropped_too(site: Site, walker: Walker) -> None:
    walked = walk(site, walker, platform(requests('{get: "{{ origin.portal }}/a"}'), "{procedure: '{{ person.phonee }}'}"))
    assert walked.failure is not None
    assert (walked.failure.outcome, walked.failure.step) == (Outcome.DROPPED, "search")


def test_a_receipt_without_a_value_is_a_failure_of_its_step(site: Site, walker: Walker) -> None:
    line = '{get: "{{ origin.portal }}/a", extract: {x: {css: b, default: null}}, receipt: {code: "{{ x }}"}}'
    walked = walk(site, walker, platform(requests(line)))
    assert walked.failure is not None
    assert (walked.failure.outcome, walked.failure.detail) == (Outcome.EXTRACTION, "None is not a text or a number")


def test_what_a_goal_should_give_and_does_not(site: Site, walker: Walker) -> None:
    compiled = platform(
        requests(
            '{get: "{{ origin.portal }}/a", extract: {x: {css: b, default: null}}}',
            '{get: "{{ origin.portal }}/b", only_if: "{{ x }}", extract: {y: {css: b}}}',
        ),
        "{procedure: '{{ y }}'}",
    )
    walked = walk(site, walker, compiled)
    assert isinstance(walked.failure, StepFailed)
    assert (walked.failure.outcome, walked.failure.detail) == (Outcome.EXTRACTION, "`y` is not known")
    assert [row.outcome for row in walked.rows] == [Outcome.OK, Outcome.EXTRACTION, Outcome.EXTRACTION]


def test_relative_addresses_need_a_page(site: Site, walker: Walker) -> None:
    walked = walk(site, walker, platform(requests('{get: "/a"}')))
    assert walked.failure is not None
    assert walked.failure.outcome is Outcome.EXTRACTION
    assert not site.asked
