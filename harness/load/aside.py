"""Long work in a thread, beside the event loop: while a round is sealed, the master renews the lease and takes batches of the next one."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar, cast

import gevent

Result = TypeVar("Result")


def in_a_thread(work: Callable[[], Result]) -> Result:
    """Do the work in a thread and return its result; other greenlets go on. An error of the work is raised here; gevent would also print it.

    The thread has no priority over other processes, even if this process has.
    """
    failed: list[Exception] = []

    def guarded() -> Result | None:
        os.setpriority(os.PRIO_PROCESS, 0, max(0, os.getpriority(os.PRIO_PROCESS, 0)))  # of this thread: in Linux each has its own
        try:
            return work()
        except Exception as error:
            failed.append(error)
            return None

    result = gevent.get_hub().threadpool.apply(guarded)
    if failed:
        raise failed[0]
    return cast("Result", result)
