"""Long work beside the event loop: a master that seals a round renews the lease, and takes batches of the next one, meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar, cast

import gevent

Result = TypeVar("Result")


def in_a_thread(work: Callable[[], Result]) -> Result:
    """Do the work in a thread and answer its result; other greenlets go on. Its error is raised here, and not printed by gevent.

    The thread has no priority over other processes, even if this one does.
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
