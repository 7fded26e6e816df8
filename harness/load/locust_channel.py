"""Locust's own connection between master and workers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import locust.runners
from locust.env import Environment
from locust.runners import STATE_MISSING, MasterRunner, Runner

from harness.load.fleet import LOST_AFTER_S
from harness.records.fleet_messages import KINDS, STANDALONE, AnyMessage, decode, encode

logger = logging.getLogger(__name__)

locust.runners.HEARTBEAT_LIVENESS = int(LOST_AFTER_S)  # Locust stops a test whose only worker misses this many heartbeats
locust.runners.MASTER_HEARTBEAT_TIMEOUT = 10**9  # Locust counts it by the wall clock, which may step; our lease takes its place


class LocustChannel:
    """One end of the connection in a Locust process; a standalone Locust is both ends."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    @property
    def _runner(self) -> Runner:
        assert self._environment.runner is not None
        return self._environment.runner

    def send(self, message: object, worker: str | None = None) -> None:
        """Hand a message to Locust."""
        kind, data = encode(message)
        self._runner.send_message(kind, data, worker)

    def listen(self, kind: type[AnyMessage], handler: Callable[[AnyMessage, str], None]) -> None:
        """Register with Locust."""

        def on_message(environment: Environment, msg: Any, **_: Any) -> None:
            try:
                message = decode(kind, msg.data)
            except ValueError as error:
                logger.warning("%s of %s refused: %s", KINDS[kind], msg.node_id, error)
                return
            handler(message, msg.node_id)

        self._runner.register_message(KINDS[kind], on_message)

    def workers(self) -> list[str]:
        """Locust's workers, or the process itself where there are none."""
        runner = self._runner
        if not isinstance(runner, MasterRunner):
            return [STANDALONE]
        clients = [*runner.clients.ready, *runner.clients.spawning, *runner.clients.running]
        return sorted((client.id for client in clients), key=runner.get_worker_index)

    def is_missing(self, worker: str) -> bool:
        """Whether Locust has lost a worker."""
        if not isinstance(self._runner, MasterRunner):
            return False
        client = self._runner.clients.get(worker)
        return client is None or client.state == STATE_MISSING

    def on_heartbeat(self, handler: Callable[[str], None]) -> None:
        """Register with Locust, whose master answers each heartbeat of a worker. A standalone process has none."""
        self._environment.events.heartbeat_sent.add_listener(lambda client_id, **_: handler(client_id))
