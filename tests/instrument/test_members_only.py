"""Real Locust, whose master and workers speak only to holders of the fleet's keys."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgpack
import pytest
import zmq

from harness.errors import EnvironmentFault
from harness.load.member_keys import MemberKeys, make_keys, taken_over

# A master as Locust makes it, on a free port; it prints its port, then each message of a worker, then how many strangers it refused.
MASTER = """
import sys, gevent
from pathlib import Path
from locust.env import Environment
from locust.rpc import zmqrpc
from harness.load import members_only
members_only.close_channel(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
import socket
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
runner = Environment().create_master_runner("127.0.0.1", port)
runner.register_message("ask", lambda environment, msg, **_: print("heard", msg.node_id, msg.data, flush=True))
print(port, flush=True)
def end():
    sys.stdin.read()
    print("refused", members_only.refused_strangers(), "ready", len(runner.clients.ready), flush=True)
import os
gevent.get_hub().threadpool.spawn(end).get()
os._exit(0)
"""


class Master:
    """A Locust master in a process of its own."""

    def __init__(self, folder: Path, *keys: str) -> None:
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", MASTER, *keys], env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def heard(self, line: str) -> bool:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip() == line

    def end(self) -> list[str]:
        return self.process.communicate("", timeout=30)[0].split()


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    started = Master(tmp_path)
    with started.process:
        yield started
        started.process.kill()


def _message(kind: str, data: object, sender: str) -> bytes:
    """A message as Locust's protocol writes it; Locust itself would change this process."""
    packed: bytes = msgpack.packb((kind, data, sender))
    return packed


def _dealer(master: Master, name: str, keys: MemberKeys | None) -> zmq.Socket[bytes]:
    dealer = zmq.Context.instance().socket(zmq.DEALER)
    dealer.setsockopt(zmq.IDENTITY, name.encode())
    dealer.setsockopt(zmq.LINGER, 0)
    dealer.setsockopt(zmq.RCVTIMEO, 5000)
    if keys is not None:
        dealer.curve_secretkey, dealer.curve_publickey = keys.worker_secret.encode(), keys.worker_public.encode()
        dealer.curve_serverkey = keys.master_public.encode()
    dealer.connect(f"tcp://127.0.0.1:{master.port}")
    return dealer


def _keys_of(master: Master, monkeypatch: pytest.MonkeyPatch) -> MemberKeys:
    monkeypatch.setenv("XDG_RUNTIME_DIR", master.environment["XDG_RUNTIME_DIR"])
    return taken_over(master.port, time.sleep, 5)


def test_a_member_is_heard_and_strangers_are_refused_and_counted(master: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = _keys_of(master, monkeypatch)
    stranger = make_keys()
    wrong = {
        "no keys": None,
        "keys of their own": MemberKeys(keys.master_public, stranger.worker_public, worker_secret=stranger.worker_secret),
        "another master's": MemberKeys(stranger.master_public, keys.worker_public, worker_secret=keys.worker_secret),
    }
    strangers = [_dealer(master, "member", one) for one in wrong.values()]
    for dealer in strangers:
        for kind in ("client_ready", "ask", "quit"):
            dealer.send(_message(kind, "x", "member"), zmq.NOBLOCK)
    time.sleep(1)
    with _dealer(master, "member", keys) as member:
        member.send(_message("ask", "first", "member"))
        assert master.heard("heard member first")
    for dealer in strangers:
        dealer.close()
    _, refused, _, ready = master.end()
    assert int(refused) >= len(wrong)
    assert ready == "0"


def test_a_members_nonsense_is_refused_alone(master: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = _keys_of(master, monkeypatch)
    with _dealer(master, "one", keys) as one, _dealer(master, "two", keys) as two:
        for dealer, name in ((one, "one"), (two, "two")):
            dealer.send(_message("client_ready", -1, name))
            assert msgpack.unpackb(dealer.recv())[0] == "ack"
        for nonsense in (
            b"",
            b"\xff\xfe",
            b"\xc1",
            b"\x93\x01",
            _message("quit", None, "two"),
            _message("stats", None, ""),
        ):
            one.send(nonsense)
        two.send(_message("ask", "still here", "two"))
        assert master.heard("heard two still here")
        assert master.end()[-1] == "2"


def test_a_worker_of_the_same_user_takes_over_the_keys_of_a_running_master_only(master: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = _keys_of(master, monkeypatch)
    assert not keys.master_secret
    master.process.kill()
    master.process.wait()
    with pytest.raises(EnvironmentFault, match=f"expected a master on port {master.port}"):
        taken_over(master.port, time.sleep, 0.3)
