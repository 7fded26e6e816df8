"""How a measurement ends early: signals are passed on to Locust, and Locust notices when the `harness` that started it is gone."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from subprocess import Popen
from types import FrameType

import gevent

logger = logging.getLogger(__name__)

LIFELINE_FD = "HARNESS_LIFELINE_FD"
"""The environment variable with the descriptor of a pipe that only `harness` holds open: at its end, `harness` has ended."""

_PR_SET_PDEATHSIG = 1
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ending: list[bool] = []


def end_forked_with_this() -> None:
    """Have the kernel send SIGTERM to the workers that Locust forks once this process has ended. A worker that never heard its master has no lease."""
    parent = os.getpid()

    def in_child() -> None:
        nonlocal parent
        if parent:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)  # the parent had ended before the call
            parent = 0  # children of a worker are not to end with it

    os.register_at_fork(after_in_child=in_child)


def end_on_signals() -> None:
    """Have SIGTERM and SIGHUP end a command as Ctrl-C does. SIGINT is heard where a script started us with `&`, SIGHUP is not under `nohup`."""
    for number in END_SIGNALS:
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


@contextmanager
def passed_on(process: Popen[bytes]) -> Iterator[None]:
    """While Locust measures, signals go to Locust, which ends in order at the first: arrivals off, drained, sealed."""

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        process.send_signal(signal.SIGINT)

    if threading.current_thread() is not threading.main_thread():
        yield  # signals are heard in the main thread only
        return
    before = {number: signal.getsignal(number) for number in END_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, pass_on)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_in_order() -> None:
    """Raise Ctrl-C in Locust's main greenlet, and only once, because a second one would cut off the sealing.

    Python itself would raise it in whichever greenlet runs. That greenlet would end, and it may be the one that reads batches.
    """
    if _ending:
        logger.info("stopping already: visits under way may end, and what was measured is sealed")
    else:
        _ending.append(True)
        logger.info("stopping: arrivals are off, visits under way may end")
        gevent.get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())


def is_ending() -> bool:
    """Whether this process ends by ``end_in_order``."""
    return bool(_ending)


def watch_lifeline(ended: Callable[[], None]) -> None:
    """Call ``ended`` once the `harness` that started this process has ended, however it did."""
    if descriptor := os.environ.get(LIFELINE_FD):
        watcher = gevent.get_hub().loop.io(int(descriptor), 1)

        def at_end() -> None:
            watcher.stop()
            ended()

        watcher.start(at_end)
