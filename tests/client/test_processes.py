"""The same session in a process that Locust has patched, in one that nobody has, and in one that was forked."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .raw_server import RawServer, answering, plain

WALK = """
import sys
{patch}
from harness.client import LeanSession, Resolver, loopback_only
import gevent
assert "httpx" not in sys.modules or {patched}
citizens = [LeanSession(loopback_only, Resolver()) for _ in range(3)]
def walk(citizen):
    return [citizen.request("GET", sys.argv[1].replace("127.0.0.1", name)).outcome.value for name in ("127.0.0.1", "localhost", "localhost")]
print([walk.get() for walk in [gevent.spawn(walk, citizen) for citizen in citizens]])
"""

FORK = """
import os, sys
from harness.client import LeanSession, Resolver, loopback_only
import gevent
citizen = LeanSession(loopback_only, Resolver())
print(citizen.request("GET", sys.argv[1]).outcome.value, flush=True)
citizen.close()
child = gevent.fork() if hasattr(gevent, "fork") else os.fork()
if child == 0:
    print(LeanSession(loopback_only, Resolver()).request("GET", sys.argv[1]).outcome.value, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(citizen.request("GET", sys.argv[1]).outcome.value)
"""


def run(program: str, url: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", program, url], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(("patch", "patched"), [("", False), ("from gevent import monkey; monkey.patch_all()", True)])
def test_patched_or_not(patch, patched):
    with RawServer([answering(plain())]) as server:
        printed = run(WALK.format(patch=patch, patched=patched), server.url)
    assert printed == str([["ok", "ok", "ok"]] * 3)


def test_after_a_fork():
    with RawServer([answering(plain())]) as server:
        assert run(FORK, server.url).split() == ["ok"] * 3
