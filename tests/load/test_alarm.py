"""Waking at exact moments: order, cuts, greenlets that are gone."""

from __future__ import annotations

import random
from collections.abc import Iterator
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


def test_everybody_is_woken_in_order_and_nobody_early(alarm: Alarm) -> None:
    moments = [in_ms(1_500 + 0.25 * n) for n in range(200)]  # late enough for a machine that stands still for a while
    woken: list[int] = []

    def wait(due_us: int) -> None:
        in_time = due_us - monotonic_ns() // 1000 > 50_000  # a machine that stood still has nothing left to wait for
        assert not alarm.wait_until(due_us)
        assert monotonic_ns() // 1000 >= due_us
        if in_time:
            woken.append(due_us)

    shuffled = random.Random(1).sample(moments, len(moments))
    gevent.joinall([gevent.spawn(wait, due_us) for due_us in shuffled], raise_error=True, timeout=10)
    assert woken == sorted(woken)
    assert len(woken) > 1


def test_who_waits_for_one_moment_is_woken_in_the_order_of_coming(alarm: Alarm) -> None:
    due_us, woken = in_ms(20), []
    waits = [gevent.spawn(lambda n=n: (alarm.wait_until(due_us), woken.append(n))) for n in range(50)]
    gevent.joinall(waits, raise_error=True, timeout=10)
    assert woken == list(range(50))


def test_a_moment_that_has_passed_is_not_waited_for(alarm: Alarm) -> None:
    assert alarm.wait_until(in_ms(-1)) is False


def test_a_cut_ends_every_wait_and_the_alarm_goes_on(alarm: Alarm) -> None:
    cut = Event()
    waits = [gevent.spawn(alarm.wait_until, in_ms(60_000), cut) for _ in range(3)]
    beside = gevent.spawn(alarm.wait_until, in_ms(30), Event())
    gevent.sleep(0.005)
    cut.set()
    gevent.joinall([*waits, beside], raise_error=True, timeout=10)
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
