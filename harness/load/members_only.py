"""Closes Locust's channel to strangers: its sockets speak CURVE, and the master admits the workers' key alone.

Locust has no option for it. Its runners take their sockets from `locust.rpc.zmqrpc` when they are made, so `close_channel` puts the
classes of this module there before.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
import zmq.green as zmq
from locust.exception import RPCError, RPCReceiveError
from locust.rpc import zmqrpc
from locust.rpc.protocol import Message
from zmq.utils import z85

from harness.errors import HarnessError
from harness.load.member_keys import (
    WORKERS_FILE,
    MemberKeys,
    hand_over,
    keys_of_end,
    make_keys,
    read_keys,
    require_keys,
    taken_over,
)
from harness.origins import is_loopback_host

logger = logging.getLogger(__name__)

MOST_BYTES = 64 << 20
"""The longest message of either end. A batch of 2,000 rows has less than 1 MB; ZeroMQ closes a connection that sends more."""

PEER_ASKED_EVERY_MS, PEER_GONE_AFTER_MS = 2_000, 10_000
"""Both ends ask each other for a sign of life and give up a connection without one (assumed): after a cut TCP itself may wait for minutes."""
CONNECTS_WITHIN_MS, CONNECTS_AGAIN_AFTER_MS = 3_000, 2_000

_REFUSED = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_AUTH


@dataclass
class _Channel:
    """The channel of this process and of those that it forks."""

    own: MemberKeys = field(default_factory=make_keys)
    made_by: int = field(default_factory=os.getpid)
    given: Path | None = None
    refused: int = 0  # connections of strangers

    def master(self, host: str, port: int) -> MemberKeys:
        """The master's keys; those of a master on loopback lie ready for workers on this machine."""
        if self.given is not None:
            return keys_of_end(self.given, "master")
        require_keys("--master-bind-host", host)
        atexit.register(hand_over(self.own, port).unlink, missing_ok=True)
        return self.own

    def worker(self, host: str, port: int) -> MemberKeys:
        """A worker's keys; a worker that a master forked has them from it, or from the workers' file beside the master's."""
        if self.given is not None:
            beside = self.given.with_name(WORKERS_FILE)
            return keys_of_end(beside if self.forked and not read_keys(self.given).worker_secret else self.given, "worker")
        if self.forked:
            return self.own
        require_keys("--master-host", host)
        return taken_over(port, gevent.sleep)

    @property
    def forked(self) -> bool:
        """Whether a master forked this process."""
        return os.getpid() != self.made_by


_channel = _Channel()


def close_channel(keys: Path | None) -> None:
    """Have every socket that Locust makes from now on use the keys of a file, or keys of this machine's own."""
    _channel.given = keys
    vars(zmqrpc).update(Server=MasterSocket, Client=WorkerSocket)


def master_is_elsewhere(host: str) -> bool:
    """Whether this worker may lose its master for a while and find it again: a network lies between them, or one may."""
    return not _channel.forked and (_channel.given is not None or not is_loopback_host(host))


def refused_strangers() -> int:
    """How many connections to the master of this process were refused."""
    return _channel.refused


class MasterSocket(zmqrpc.Server):
    """The master's socket: admits members only, and believes each only in its own name."""

    def __init__(self, host: str, port: int) -> None:
        zmqrpc.BaseSocket.__init__(self, zmq.ROUTER, self.ipv4_only(host, port))
        self.port = port
        keys = _or_exit(lambda: _channel.master(host, port))
        _notice_cuts(self.socket)
        self.socket.setsockopt(zmq.ROUTER_HANDOVER, 1)  # a worker that connects anew takes the place of its dead connection
        self.socket.curve_server = True
        self.socket.curve_secretkey, self.socket.curve_publickey = keys.master_secret.encode(), keys.master_public.encode()
        self._watchers = [_admit_only(keys.worker_public, self.socket.context), _count_refused(self.socket)]
        try:
            self.socket.bind(f"tcp://{host}:{port}")
        except zmq.ZMQError as error:
            raise RPCError(f"Socket bind failure: {error}") from error

    def recv_from_client(self) -> tuple[str, Message]:
        """The next message and its sender; RPCReceiveError for whatever is no message of its sender.

        The error names no sender: Locust would then act on the message before it once more.
        """
        try:
            sender, data = self.socket.recv_multipart()
            name, message = sender.decode(), Message.unserialize(data)
        except zmq.ZMQError as error:
            raise RPCError("ZMQ network broken") from error
        except Exception as error:  # whatever a decoder raises on bytes that are no message
            raise RPCReceiveError(f"no message of Locust's, {error!r}") from error
        if message.node_id != name:
            raise RPCReceiveError(f"a message of {name} in another's name")
        return name, message

    def close(self, linger: Any = None) -> None:
        """Close the socket and what watches it."""
        gevent.killall(self._watchers)
        self.socket.close(linger=linger)


class WorkerSocket(zmqrpc.Client):
    """A worker's socket: speaks to the holder of the master's secret only."""

    def __init__(self, host: str, port: int, identity: str) -> None:
        zmqrpc.BaseSocket.__init__(self, zmq.DEALER, self.ipv4_only(host, port))
        keys = _or_exit(lambda: _channel.worker(host, port))
        self.socket.setsockopt(zmq.IDENTITY, identity.encode())
        _notice_cuts(self.socket)
        self.socket.setsockopt(zmq.CONNECT_TIMEOUT, CONNECTS_WITHIN_MS)
        self.socket.setsockopt(zmq.RECONNECT_IVL_MAX, CONNECTS_AGAIN_AFTER_MS)
        self.socket.curve_secretkey, self.socket.curve_publickey = keys.worker_secret.encode(), keys.worker_public.encode()
        self.socket.curve_serverkey = keys.master_public.encode()
        self.socket.connect(f"tcp://{host}:{port}")


def _notice_cuts(socket: Any) -> None:
    """Bound what a message may hold and how long a dead connection stays."""
    socket.setsockopt(zmq.MAXMSGSIZE, MOST_BYTES)
    socket.setsockopt(zmq.HEARTBEAT_IVL, PEER_ASKED_EVERY_MS)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, PEER_GONE_AFTER_MS)
    socket.setsockopt(zmq.HEARTBEAT_TTL, PEER_GONE_AFTER_MS)


def _or_exit(find: Callable[[], MemberKeys]) -> MemberKeys:
    """The keys; where there are none, the process ends with the error's text and code, as Locust does where it cannot listen."""
    try:
        return find()
    except HarnessError as error:
        sys.stderr.writelines(f"error: {problem}\n" for problem in error.problems)
        sys.exit(error.exit_code)


def _admit_only(worker_public: str, context: Any) -> gevent.Greenlet[[], None]:
    """Answer ZeroMQ's question whom to admit (ZAP, RFC 27): the holders of one key."""
    questions = context.socket(zmq.REP)
    questions.bind("inproc://zeromq.zap.01")
    admitted = z85.decode(worker_public)

    def answer() -> None:
        while True:
            version, request, _domain, _address, _identity, mechanism, *credentials = questions.recv_multipart()
            member = mechanism == b"CURVE" and credentials == [admitted]
            code, text, user = (b"200", b"OK", b"member") if member else (b"400", b"no member", b"")
            questions.send_multipart([version, request, code, text, user, b""])

    return gevent.spawn(answer)


def _count_refused(socket: Any) -> gevent.Greenlet[[], None]:
    """Count handshakes that failed, whatever the stranger sent; the first is told at once."""
    events = socket.get_monitor_socket(_REFUSED)

    def count() -> None:
        while True:
            events.recv_multipart()
            _channel.refused += 1
            if _channel.refused == 1:
                logger.warning("the master refused a connection of a stranger")

    return gevent.spawn(count)
