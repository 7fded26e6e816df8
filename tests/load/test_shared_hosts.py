"""A shared host that fails again and again ends the load of a portal, without a safety stop at the portal's expense."""

from __future__ import annotations

import pytest

from harness.load.agent import Walk
from harness.load.portal_load import PortalLoad
from harness.records import StopLimits
from harness.records.round import STOPPED_FOR_SHARED_HOST
from tests.load.fleet import FakeFleet, plan_of, round_of, sample, target

LOGIN = "http://127.0.0.1:9"
LIMITS = StopLimits(failures_in_a_row=5, error_share=0.1, min_requests=1)


class LoginDown(FakeFleet):
    """Each visit also asks a login, which does not answer."""

    def _prepare(self, worker: str, load: PortalLoad, number: int, window: int, due_us: int) -> Walk:
        walk = super()._prepare(worker, load, number, window, due_us)

        def with_login() -> None:
            row = sample(number, "timeout", due_us, self.clock.now_us())._replace(
                request=0, step="log_in", host=LOGIN, host_owner="identity"
            )
            load._record(load.keys[window], row)
            walk()

        return with_login


def run(shared_hosts: tuple[str, ...]) -> FakeFleet:
    fleet = LoginDown("w0")
    fleet.run(plan_of(round_of(1), round_of(2), targets=(target("p", shared_hosts=shared_hosts, safety=LIMITS),)))
    return fleet


def test_the_load_ends_after_a_run_of_failures_and_in_the_next_round_at_the_first_one() -> None:
    fleet = run((LOGIN,))
    assert [record.safety_stops for record in fleet.sink.sealed.values()] == [{}, {}]
    assert all(record.stopped_for_shared_host("p") for record in fleet.sink.sealed.values())
    assert [[outcome for _, outcome in fleet.sink.visits(name)] for name in ("001-00", "002-00")] == [
        ["ok"] * 5 + ["aborted"] * 5,
        ["ok"] + ["aborted"] * 9,
    ]


@pytest.mark.parametrize("shared_hosts", [(), ("http://127.0.0.1:8",)])
def test_a_login_that_is_not_listed_as_shared_is_the_portals(shared_hosts: tuple[str, ...]) -> None:
    fleet = run(shared_hosts)
    first = fleet.sink.sealed["001-00"]
    assert list(first.safety_stops) == ["p"]
    (load,) = [each.stretches["p"] for each in first.outcome if each.stretches is not None]
    assert load.arrivals_off != STOPPED_FOR_SHARED_HOST
