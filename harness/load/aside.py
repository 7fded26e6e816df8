"""Long work beside the event loop: a master that seals a round renews the lease, and takes batches of the next one, meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import gevent

Result = TypeVar("Result")


def in_a_thread(work: Callable[[], Result]) -> Result:
    """Do the work in a thread and answer its result; other greenlets go on. Its error is raised here, and not printed by gevent."""
    failed: list[Exception] = []

    def guarded() -> Result | None:
        try:
            return work()
        except Exception as error:
            failed.append(error)
            return None

    result = gevent.get_hub().threadpool.apply(guarded)
    if failed:
        raise failed[0]
    return cast("Result", result)
