"""Locust's master as a fleet needs it: workers come and go while a test runs, and the test outlasts the absence of all of them."""

from __future__ import annotations

from typing import Any

import locust.env
from locust.rpc import Message
from locust.runners import STATE_RUNNING, STATE_SPAWNING, MasterRunner


class LastingMaster(MasterRunner):
    """The runner of every master of ours. Where it is ``lasting``, a test does not end with its last worker."""

    lasting = False

    @property
    def worker_count(self) -> int:
        """How many workers there are; Locust stops a test where it is 0."""
        return max(super().worker_count, 1 if self.lasting else 0)

    def handle_message(self, client_id: str, msg: Message) -> None:
        """Like Locust's own, but a worker that announces itself again, because it did not hear the master, is not counted twice."""
        if msg.type == "client_ready" and client_id in self.clients:
            self.send_message("ack", client_id=client_id, data={"index": self.worker_indexes[client_id]})
            return
        super().handle_message(client_id, msg)
        if msg.type == "client_ready" and self.lasting and self._users_dispatcher is None and self.state == STATE_RUNNING:
            self.start(self.target_user_count, self.spawn_rate)  # Locust does it only while it has another worker

    def start(self, user_count: int, spawn_rate: float, wait: bool = False, user_classes: Any = None) -> None:
        """Like Locust's own, but workers that join a running test are started in another greenlet, so that the master goes on reading rows.

        Users are dispatched anew then, so that each worker has one.
        """
        if self.lasting and self.state in (STATE_RUNNING, STATE_SPAWNING):
            self._users_dispatcher = None
            self.greenlet.spawn(super().start, user_count, spawn_rate, wait, user_classes)
        else:
            super().start(user_count, spawn_rate, wait, user_classes)


def let_masters_last() -> None:
    """Have Locust make masters of this kind from now on."""
    vars(locust.env).update(MasterRunner=LastingMaster)
