"""A loopback server of known delays: the client measures it while load runs, which shows the instrument's error.

The server is a process of its own (``reference_server.py``): a busy generator cannot delay both sides alike.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

from harness.client import Exchange, LeanSession
from harness.load import reference_server
from harness.records import Outcome


class Reference:
    """One worker's reference: the server it started and the session it measures with."""

    def __init__(self, session: Callable[[], LeanSession]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  (our own file)
            [sys.executable, "-I", reference_server.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        assert self._process.stdout is not None
        self._url = f"http://127.0.0.1:{int(self._process.stdout.readline())}/"
        self._session = session()

    def measure(self) -> int | None:
        """Measured minus true time of one request, in microseconds; None where the request failed."""
        exchange: Exchange = self._session.request("GET", self._url)
        if exchange.outcome is not Outcome.OK or exchange.status != 200:
            return None
        return exchange.end_us - exchange.start_us - int(json.loads(exchange.body)["true_us"])

    def close(self) -> None:
        """End the server."""
        self._session.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
