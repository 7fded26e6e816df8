"""When an answer arrived, on a process that is too busy to read it: the kernel receive timestamp counts, not the reading."""

from __future__ import annotations

import threading
import time
from time import monotonic_ns

import gevent
import pytest

from harness.client import longest_unread_us
from harness.records import Outcome

from .raw_server import Peer, RawServer, plain
from .test_tls import serving, trusting

__all__ = ["trusting"]

BUSY_S = 0.3


class Late:
    """Answers once the client's process has become busy, and notes when it had."""

    def __init__(self) -> None:
        self.client_is_busy = threading.Event()
        self.sent_us = 0

    def __call__(self, peer: Peer) -> None:
        assert peer.read_request()
        assert self.client_is_busy.wait(10)
        peer.send(plain())
        self.sent_us = monotonic_ns() // 1000
        peer.wait_for_close()


@pytest.mark.parametrize("tls", [False, True])
def test_an_answer_that_waits_to_be_read_is_not_a_slow_answer(citizen, trusting, tls: bool) -> None:
    late = Late()

    def be_busy() -> None:
        gevent.sleep(0.2)  # until the request is out
        late.client_is_busy.set()
        time.sleep(BUSY_S)  # the whole process: nobody reads

    with RawServer([late], tls=serving("127.0.0.1") if tls else None) as server:
        longest_unread_us()
        busy = gevent.spawn(be_busy)
        exchange = (trusting if tls else citizen).request("GET", server.url)
        read_us = monotonic_ns() // 1000
        busy.join()
        (trusting if tls else citizen).close()
    assert (exchange.outcome, exchange.body) == (Outcome.OK, b"hello")
    assert exchange.end_us <= late.sent_us + 1_000  # the two clocks are laid side by side to within that
    waited_us = read_us - exchange.end_us
    assert waited_us > BUSY_S * 1e6 / 2
    assert longest_unread_us() == pytest.approx(waited_us, abs=50_000)
    assert longest_unread_us() == 0  # asked for once, and begun anew
