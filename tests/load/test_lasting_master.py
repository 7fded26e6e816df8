"""What our master relies on in Locust, some of it private: a new version of Locust that differs there fails here, by name."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

# In a process of its own, because Locust changes the process that imports it.
MASTER = """
import gevent, json
from locust import User, __version__, task
from locust.env import Environment
from locust.rpc import Message
from harness.load.lasting_master import LastingMaster, let_masters_last

class Citizen(User):
    @task
    def walk(self):
        pass

let_masters_last()
environment = Environment(user_classes=[Citizen])
runner, acks = environment.create_master_runner("127.0.0.1", 0), []
runner.server.send_to_client = lambda message: acks.append(message.node_id) if message.type == "ack" else None

def ready(worker):
    runner.handle_message(worker, Message("client_ready", __version__, worker))

facts = {"kind": type(runner) is LastingMaster, "dispatcher before": runner._users_dispatcher, "alone": runner.worker_count}
runner.lasting = True
facts["alone, lasting"] = runner.worker_count
ready("w1")
first = runner.clients["w1"]
ready("w1")
facts |= {"acknowledged": list(acks), "the same worker": runner.clients["w1"] is first, "state before": runner.state}
runner.state, runner.target_user_count, runner.spawn_rate = "running", 1, 1  # a test that has lost all workers
ready("w2")
gevent.sleep(0.05)
facts |= {"state": runner.state, "dispatcher": type(runner._users_dispatcher) is environment.dispatcher_class}
of_two = runner._users_dispatcher
runner.state = "running"
ready("w3")
runner.start(3, 1)
gevent.sleep(0.05)
facts["dispatcher anew"] = type(runner._users_dispatcher) is environment.dispatcher_class and runner._users_dispatcher is not of_two
print(json.dumps(facts), flush=True)
import os
os._exit(0)
"""


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", MASTER], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_locust_makes_masters_of_our_kind(facts: dict[str, Any]) -> None:
    assert facts["kind"]
    assert (facts["alone"], facts["alone, lasting"]) == (0, 1), "Locust ends a test where worker_count is 0"


def test_a_worker_that_announces_itself_again_is_acknowledged_and_no_second_one(facts: dict[str, Any]) -> None:
    assert facts["acknowledged"] == ["w1", "w1"]
    assert facts["the same worker"]


def test_whoever_joins_a_running_test_is_given_users(facts: dict[str, Any]) -> None:
    assert facts["dispatcher before"] is None, "_users_dispatcher is None before a test"
    assert facts["state"] in ("spawning", "running")
    assert facts["dispatcher"], "MasterRunner.start makes a _users_dispatcher where there is none"
    assert facts["dispatcher anew"], "and a new one where we took it away"
