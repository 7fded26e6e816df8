"""A visit's trace: one in all of its requests to the portal's own hosts, and never sent to another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

import pytest

from harness.catalog import Target
from harness.catalog.authorisation import Authorisation
from harness.statistics.trace_context import trace_id, traceparent
from tests.html_site import in_a_thread

from .conftest import Walked, Walker
from .sloppy_site import Site, platform, requests

FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01")


@pytest.fixture
def gateway() -> Iterator[Site]:
    with in_a_thread(Site()) as other:
        yield other


def target_at(site: Site, gateway: Site, role: str = "payment") -> Target:
    origins = {"portal": site.origin, role: gateway.origin}
    return Target("site", "site", MappingProxyType(origins), MappingProxyType({site.origin: "portal", gateway.origin: role}))  # type: ignore[dict-item]


def walk(walker: Walker, target: Target, *lines: str, **more: object) -> Walked:
    walked = walker.walk(platform(requests(*lines)), target, ("find",), **more)
    assert walked.failure is None
    return walked


def traces(site: Site) -> list[str | None]:
    return [headers.get("traceparent") for _, _, headers, _ in site.asked]


def test_every_request_to_the_portal_names_one_trace_and_none_to_others(site: Site, gateway: Site, walker: Walker) -> None:
    lines = (
        '{get: "{{ origin.portal }}/a"}',
        f'{{get: "{{{{ origin.portal }}}}/redirect?status=302&to={gateway.origin}/pay"}}',
        f'{{post: "{gateway.origin}/form", json: {{k: 1}}}}',
        f'{{get: "{gateway.origin}/redirect?status=307&to={site.origin}/back"}}',
    )
    walked = walk(walker, target_at(site, gateway), *lines, sweep="night", traced=True)
    expected = traceparent(7, "night", "r1", walked.visit.state.visit)
    assert FORM.fullmatch(expected)
    assert traces(site) == [expected] * 3
    assert [path for _, path, _, _ in gateway.asked] == ["/pay", "/form", f"/redirect?status=307&to={site.origin}/back"]
    assert traces(gateway) == [None] * 3


@pytest.mark.parametrize("role", ["payment", "assets", "identity"])
def test_a_host_that_is_only_charged_to_the_portal_is_told_nothing(site: Site, gateway: Site, walker: Walker, role: str) -> None:
    target = target_at(site, gateway, role).sharing(())
    assert set(target.owners.values()) == {"portal"}
    walk(walker, target, '{get: "{{ origin.portal }}/a"}', f'{{get: "{gateway.origin}/b"}}', sweep="night", traced=True)
    assert [trace is not None for trace in (*traces(site), *traces(gateway))] == [True, False]


def test_an_authorisation_says_which_hosts_are_the_portals_own(site: Site, gateway: Site, walker: Walker) -> None:
    hosts = [{"origin": site.origin, "role": "portal"}, {"origin": gateway.origin, "role": "identity", "owner": "identity"}]
    permission = Authorisation(
        id="letter", portal="site", reference="a test", granted_by="a test", valid_from="2026-01-01T00:00:00+07:00",
        valid_to="2027-01-01T00:00:00+07:00", hosts=hosts, citizens_in_flight_max=1, requests_per_s_max=1,
    )  # fmt: skip
    target = replace(target_at(site, gateway).sharing(()), authorisation=permission)
    assert [target.is_own(origin) for origin in (site.origin, gateway.origin, "http://127.0.0.1:1")] == [True, False, False]
    walk(walker, target, '{get: "{{ origin.portal }}/a"}', f'{{get: "{gateway.origin}/b"}}', sweep="night", traced=True)
    assert [trace is not None for trace in (*traces(site), *traces(gateway))] == [True, False]


def test_a_trace_that_a_profile_writes_is_replaced(site: Site, gateway: Site, walker: Walker) -> None:
    line = '{get: "{{ origin.portal }}/a", headers: {Traceparent: "00-1-2-00"}}'
    walk(walker, target_at(site, gateway), line, sweep="night", traced=True)
    (trace,) = traces(site)
    assert trace is not None
    assert FORM.fullmatch(trace)


def test_by_default_no_request_has_one(site: Site, gateway: Site, walker: Walker) -> None:
    walk(walker, target_at(site, gateway), '{get: "{{ origin.portal }}/a"}', sweep="night")
    assert traces(site) == [None]


def test_ids_depend_on_seed_sweep_run_and_visit() -> None:
    keys = [(1, "s", "r", 1), (2, "s", "r", 1), (1, "t", "r", 1), (1, "s", "q", 1), (1, "s", "r", 2)]
    assert len({trace_id(*key) for key in keys}) == len({traceparent(*key)[36:52] for key in keys}) == len(keys)
    assert trace_id(*keys[0]) == traceparent(*keys[0])[3:35] == trace_id(*keys[0])
