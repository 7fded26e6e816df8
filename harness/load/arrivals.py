"""How Locust's own machinery starts open arrivals: one arrivals User a worker, whatever ``-u`` and ``-r`` say."""

from __future__ import annotations

import logging
from weakref import WeakKeyDictionary

from locust import User, task
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.runners import WorkerNode

from harness.load.agent import Agent

logger = logging.getLogger(__name__)

AGENTS: WeakKeyDictionary[Environment, Agent] = WeakKeyDictionary()


class Arrivals(User):
    """Holds a worker's place in Locust while the citizens of its slices come and go, each in a greenlet of its own."""

    fixed_count = 1

    @task
    def carry_out(self) -> None:
        """Carry out one round."""
        AGENTS[self.environment].carry_out_next()


def dispatcher_for(environment: Environment, default: type[UsersDispatcher]) -> type[UsersDispatcher]:
    """Locust's dispatcher, except that an open workload gets one arrivals User a worker and ``-u`` caps its citizens."""

    class CitizenDispatcher(default):  # type: ignore[valid-type, misc]
        def __init__(self, worker_nodes: list[WorkerNode], user_classes: list[type[User]]) -> None:
            self._open = is_open(environment)
            chosen = [Arrivals] if self._open else [user for user in user_classes if user is not Arrivals]
            super().__init__(worker_nodes=worker_nodes, user_classes=chosen)

        def new_dispatch(self, target_user_count: int, spawn_rate: float, user_classes: list[type[User]] | None = None) -> None:
            if self._open:
                Arrivals.fixed_count = target_user_count = len(self._worker_nodes)
                spawn_rate, user_classes = 100.0, None
                if environment.runner is not None:
                    environment.runner.target_user_count = target_user_count
            super().new_dispatch(target_user_count, spawn_rate, user_classes)

    return CitizenDispatcher


def is_open(environment: Environment) -> bool:
    """Whether the options name an open workload or a plan."""
    options = environment.parsed_options
    return bool(options is not None and (getattr(options, "workload", "") or getattr(options, "plan", "")))
