"""Waking at exact moments: order, cuts, greenlets that are gone."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from time import monotonic_ns

import gevent
import pytest
from gevent.event import Event

from harness.load.alarm import Alarm


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    made = Alarm()
    yield made
    made.close()


def in_ms(count: float) -> int:
    return monotonic_ns() // 1000 + round(count * 1000)


def join(greenlets: Sequence[gevent.Greenlet]) -> None:
    """Waits ten seconds at most. (``joinall(timeout=...)`` counts from when the event loop last ran: tests before this one do without it.)"""
    with gevent.Timeout(10):
        gevent.joinall(greenlets, raise_error=True)


def test_everybody_is_woken_in_order_and_nobody_early(alarm: Alarm) -> None:
    moments = [in_ms(1_500 + 0.25 * n) for n in range(200)]
    came_us: dict[int, int] = {}
    woken: list[tuple[int, int]] = []  # for which moment, and when

    def wait(due_us: int) -> None:
        came_us[due_us] = in_ms(0)
        assert not alarm.wait_until(due_us)
        woken.append((due_us, in_ms(0)))

    join([gevent.spawn(wait, due_us) for due_us in random.Random(1).sample(moments, len(moments))])
    assert len(woken) == len(moments)
    assert all(woken_us >= due_us for due_us, woken_us in woken)
    waited = [due_us for due_us, _ in woken if came_us[due_us] < due_us - 50_000]  # a machine that stood still leaves nothing to wait for
    assert waited == sorted(waited)
    assert len(waited) > 1, (
        f"they came {min(came_us.values()) - moments[0]} to {max(came_us.values()) - moments[0]} µs after the first moment"
    )


def test_who_waits_for_one_moment_is_woken_in_the_order_of_coming(alarm: Alarm) -> None:
    due_us, woken = in_ms(20), []
    waits = [gevent.spawn(lambda n=n: (alarm.wait_until(due_us), woken.append(n))) for n in range(50)]
    join(waits)
    assert woken == list(range(50))


def test_a_moment_that_has_passed_is_not_waited_for(alarm: Alarm) -> None:
    assert alarm.wait_until(in_ms(-1)) is False


def test_a_cut_ends_every_wait_and_the_alarm_goes_on(alarm: Alarm) -> None:
    cut = Event()
    waits = [gevent.spawn(alarm.wait_until, in_ms(60_000), cut) for _ in range(3)]
    beside = gevent.spawn(alarm.wait_until, in_ms(30), Event())
    gevent.sleep(0.005)
    cut.set()
    join([*waits, beside])
    assert [wait.value for wait in waits] == [True, True, True]
    assert beside.value is False
    assert alarm.wait_until(in_ms(60_000), cut) is True  # cut already
    assert alarm.wait_until(in_ms(1)) is False


def test_a_greenlet_that_was_killed_is_not_woken(alarm: Alarm) -> None:
    gone = gevent.spawn(alarm.wait_until, in_ms(5))
    stays = gevent.spawn(alarm.wait_until, in_ms(10))
    gevent.sleep(0)
    gone.kill()
    assert gone.dead
    assert stays.get(timeout=10) is False


def test_without_timerfd_the_timers_of_gevent_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    class Bare:
        """A libc that has no timerfd, as on macOS."""

    monkeypatch.setattr(ctypes, "CDLL", lambda *_args, **_more: Bare())
    alarm, cut = Alarm(), Event()
    due_us = in_ms(3)
    assert alarm.wait_until(due_us) is False
    assert monotonic_ns() // 1000 >= due_us - 1_000  # whole milliseconds
    gevent.spawn_later(0.01, cut.set)
    assert alarm.wait_until(in_ms(60_000), cut) is True
    alarm.close()
