"""Ctrl-C ends Locust's main greenlet and no other: whoever reads batches goes on until everything is sealed."""

from __future__ import annotations

import subprocess
import sys

BUSY = """
import os, signal, threading, time
import gevent
from harness.operations.ending import end_in_order

gevent.signal_handler(signal.SIGINT, end_in_order)

def busy():
    while True:
        sum(range(100_000))
        gevent.sleep(0)

reader = gevent.spawn(busy)
gevent.sleep(0)
threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    reader.join()
except KeyboardInterrupt:
    gevent.sleep(0.01)
    print("main interrupted, reader", "ended" if reader.dead else "goes on")
"""


def test_a_greenlet_that_works_is_not_interrupted() -> None:
    done = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("main interrupted, reader goes on\n", "")
