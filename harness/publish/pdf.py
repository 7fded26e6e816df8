"""Pages as PDF, printed by this machine's Chromium.

One browser prints all pages. It has no network, and its profile is removed afterwards. We drive it over a pair of pipes
(``--remote-debugging-pipe``, https://chromedevtools.github.io/devtools-protocol/), so no port is opened.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import select
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import reduce
from operator import getitem
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")
"""Programs that print; the first one found is used."""
_FLAGS: Final = (
    "--headless", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-extensions", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip
_NO_SANDBOX: Final = "--no-sandbox"  # Chromium refuses to run as root without it
_SCALES: Final = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65)
"""The sizes that are tried until a page fits on one sheet (assumed: fonts of other machines are up to a quarter wider)."""
_PAGE: Final = re.compile(rb"/Type\s*/Page\b")
_READ_AT_ONCE: Final = 1 << 16


class CannotPrint(Exception):  # noqa: N818  (it says why there is a page and no PDF; a caller goes on without one)
    """Why the browser did not print."""


def find_chromium() -> str:
    """The path of a browser that prints; empty where there is none."""
    return next((path for path in map(shutil.which, CHROMIUM) if path), "")


class PdfPrinter:
    """A running browser."""

    def __init__(self, to_browser: int, from_browser: int, within_s: float) -> None:
        """``within_s``: the longest that one answer may take."""
        self._to, self._from = to_browser, from_browser
        self._within_s = within_s
        self._too_late = f"the browser did not answer within {within_s:g} s"
        os.set_blocking(to_browser, False)  # a browser that does not read would hold us for ever
        self._received = bytearray()
        self._number = 0
        self._session = ""
        self._gone = ""  # why it is not asked any more

    def open_page(self) -> None:
        """Open the page that everything is printed from."""
        target = self._ask("Target.createTarget", {"url": "about:blank"}, "targetId")
        self._session = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True}, "sessionId")

    def print_sheet(self, html: str) -> bytes:
        """One page of HTML as a PDF of one sheet; it is made smaller where it needs more. Raises CannotPrint."""
        frame = self._ask("Page.getFrameTree", {}, "frameTree", "frame", "id")
        self._ask("Page.setDocumentContent", {"frameId": frame, "html": html})
        self._ask("Runtime.evaluate", {"expression": "document.fonts.ready.then(() => 1)", "awaitPromise": True})
        for scale in _SCALES:
            options = {"printBackground": True, "preferCSSPageSize": True, "scale": scale}
            pdf = base64.b64decode(self._ask("Page.printToPDF", options, "data"))
            if len(_PAGE.findall(pdf)) == 1:
                return pdf
        raise CannotPrint("the page does not fit on one sheet")

    def _ask(self, method: str, params: Mapping[str, Any], *names: str) -> str:
        """Call ``method``, and return the value under ``names`` in its answer. Events that the browser sends by itself are passed over."""
        if self._gone:
            raise CannotPrint(self._gone)
        self._number += 1
        session = {"sessionId": self._session} if self._session else {}
        message = json.dumps({"id": self._number, "method": method, "params": params, **session}).encode() + b"\0"
        until_s = time.monotonic() + self._within_s
        try:
            while message:
                if not select.select([], [self._to], [], max(0.0, until_s - time.monotonic()))[1]:
                    raise self._given_up(self._too_late)
                message = message[os.write(self._to, message) :]
            while True:
                answer = json.loads(self._next_message(until_s))
                if answer.get("id") == self._number:
                    break
            if "error" in answer:
                raise CannotPrint(f"{method}: {answer['error']['message']}")
            return str(reduce(getitem, names, answer["result"]))
        except OSError as error:
            raise self._given_up(f"the browser has ended ({error.strerror})") from error
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise CannotPrint(f"the browser did not answer as Chromium does ({error})") from error

    def _given_up(self, why: str) -> CannotPrint:
        """The error that this call and all later ones raise: no further page waits for a browser that hangs."""
        self._gone = why
        return CannotPrint(why)

    def _next_message(self, until_s: float) -> bytes:
        while (end := self._received.find(b"\0")) < 0:
            if not select.select([self._from], [], [], max(0.0, until_s - time.monotonic()))[0]:
                raise self._given_up(self._too_late)
            block = os.read(self._from, _READ_AT_ONCE)
            if not block:
                raise self._given_up("the browser has ended")
            self._received += block
        message = bytes(self._received[:end])
        del self._received[: end + 1]
        return message


@contextmanager
def printer(browser: str, *, within_s: float = 60.0) -> Iterator[PdfPrinter]:
    """A browser, started for what is printed inside and ended afterwards. ``browser``: its path. Raises CannotPrint.

    ``within_s``: the longest that one answer may take (assumed: a page takes a tenth of a second, the start of a browser some seconds).
    """
    with TemporaryDirectory(prefix="harness-print-", ignore_cleanup_errors=True) as profile:
        their_end, to_browser = os.pipe()
        from_browser, other_end = os.pipe()
        try:
            number = _start(browser, Path(profile), their_end, other_end)
        except OSError as error:
            os.close(to_browser)
            os.close(from_browser)
            raise CannotPrint(f"{browser} cannot be started ({error.strerror})") from error
        finally:
            os.close(their_end)
            os.close(other_end)
        try:
            found = PdfPrinter(to_browser, from_browser, within_s)
            found.open_page()
            yield found
        finally:
            os.close(to_browser)
            os.close(from_browser)
            with suppress(ProcessLookupError):
                os.killpg(number, signal.SIGKILL)
            os.waitpid(number, 0)


def _start(browser: str, profile: Path, read_from: int, write_to: int) -> int:
    """Start a browser in a process group of its own, and return its process id. It reads calls from one pipe and writes answers to another."""
    flags = [*_FLAGS, *([_NO_SANDBOX] if os.geteuid() == 0 else []), f"--user-data-dir={profile}", "about:blank"]
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (read_from, write_to)]  # away from 3 and 4, which Chromium expects
    try:
        pipes = [(os.POSIX_SPAWN_DUP2, end, number) for number, end in enumerate(ends, 3)]
        quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
        return os.posix_spawn(browser, [browser, *flags], os.environ, file_actions=[*pipes, *quiet], setpgroup=0)
    finally:
        for end in ends:
            os.close(end)
