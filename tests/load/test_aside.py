"""Work beside the event loop: greenlets go on meanwhile, and an error comes to whoever asked for the work."""

from __future__ import annotations

import os
import select
from contextlib import suppress

import gevent
import pytest

from harness.load.aside import in_a_thread


def test_greenlets_go_on_while_a_thread_works() -> None:
    readable, writable = os.pipe()
    gevent.spawn(os.write, writable, b"x")  # runs only if the loop does
    try:
        assert in_a_thread(lambda: select.select([readable], [], [], 10.0)[0]) == [readable]
    finally:
        os.close(readable)
        os.close(writable)


def test_an_error_is_raised_and_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise OSError(28, "the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        in_a_thread(fail)
    assert capfd.readouterr().err == ""


def test_a_thread_has_no_priority_over_other_processes() -> None:
    def take_priority() -> None:
        with suppress(PermissionError):  # only root may have it
            os.setpriority(os.PRIO_PROCESS, 0, -5)

    in_a_thread(take_priority)
    assert in_a_thread(lambda: os.getpriority(os.PRIO_PROCESS, 0)) >= 0
