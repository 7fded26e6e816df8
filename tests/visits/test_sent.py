"""What a request sends: addresses, headers and bodies, as a browser does and as the profile says."""

from __future__ import annotations

import pytest

from harness.catalog import Authorisation, Target, origin_of
from harness.records import Outcome

from .conftest import Walker, walk
from .sloppy_site import Site, paths, platform, requests


@pytest.mark.parametrize("token", [r"a\r\nX-More: 1", r"a\u0000b", r"a\udc00"])
def test_a_token_that_no_header_can_hold_is_the_portals_failure(site: Site, walker: Walker, token: str) -> None:
    learn = f"query: {{as: '{token}'}}, extract: {{token: {{json: token}}}}}}"
    learn = '{get: "{{ origin.portal }}/token", ' + learn
    walked = walk(site, walker, platform(requests(learn, '{get: "{{ origin.portal }}/b", headers: {X-Token: "{{ token }}"}}')))
    assert walked.failure is not None
    assert walked.failure.outcome is Outcome.EXTRACTION
    assert paths(site)[-1:] != ["/b"]


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


def test_a_unique_text_is_new_in_each_sweep_and_each_walk(site: Site, walker: Walker) -> None:
    """Of two visits with one seed and one number: a portal may refuse a title that it has already."""
    compiled = platform(requests('{get: "{{ origin.portal }}/{{ unique_hex(12) }}"}'))
    for sweep in ("night 1", "night 1", "night 2", "", ""):
        assert walk(site, walker, compiled, visit=3, sweep=sweep).failure is None
    same, again, *others = paths(site)
    assert same == again
    assert len({same, *others}) == 4


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


def test_a_column_of_the_test_identities_replaces_only_its_own_value(site: Site, walker: Walker) -> None:
    people = ({"phone": "0912000001"}, {"phone": "0912000002"})  # numbers that the portal's owner gave
    target = Target("site", "site", {"portal": site.origin}, {origin_of(site.origin): "portal"}, identities=people)
    compiled = platform(requests('{get: "{{ origin.portal }}/{{ person.phone }}/{{ person.citizen_number }}"}'))
    for visit in (0, 1, 2):
        assert walk(site, walker, compiled, target=target, visit=visit).failure is None
    assert [path.split("/")[1] for path in paths(site)] == ["0912000001", "0912000002", "0912000001"]
    assert all(path.split("/")[2].startswith("000") for path in paths(site))


def test_relative_addresses_need_a_page(site: Site, walker: Walker) -> None:
    walked = walk(site, walker, platform(requests('{get: "/a"}')))
    assert walked.failure is not None
    assert walked.failure.outcome is Outcome.EXTRACTION
    assert not site.asked
