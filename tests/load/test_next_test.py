"""A worker's next test begins anew, whatever the end of the one before has left."""

from __future__ import annotations

import gevent
import pytest

from tests.load.fleet import FakeFleet


@pytest.mark.parametrize("anew", [True, False])
def test_users_of_the_next_test_wait_for_its_orders(anew: bool) -> None:
    """Before: after an open test the users of a closed one ended at once, and after a closed one the arrivals of an open one."""
    fleet = FakeFleet("w0")
    gevent.killall(fleet.greenlets)  # a closed test has no arrivals User
    agent = fleet.agents["w0"]
    agent.wind_down()
    if anew:
        agent.begin_test()
    users = [gevent.spawn(agent.next_visit), gevent.spawn(agent.run_next_round)]
    gevent.sleep(0)
    assert [user.ready() for user in users] == [not anew] * 2
    gevent.killall(users)
