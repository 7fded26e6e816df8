"""Users of a worker's next test wait for its orders, whatever the test before was."""

from __future__ import annotations

import gevent

from tests.load.fleet import FakeFleet


def test_users_of_the_next_test_wait_for_its_orders() -> None:
    """Before: after an open test the users of a closed one ended at once, and after a closed one the arrivals of an open one."""
    fleet = FakeFleet("w0")
    gevent.killall(fleet.greenlets)  # a closed test has no arrivals User
    agent = fleet.agents["w0"]
    agent.wind_down()
    users = [gevent.spawn(agent.next_visit), gevent.spawn(agent.run_next_round)]
    gevent.sleep(0)
    assert not any(user.ready() for user in users)
    gevent.killall(users)
