"""Runs the tests of the table of faults, measures the memory of each, and prints and writes what happened."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.drill.faults import FAULTS, NOT_DONE, Fault

PAGE = Path(__file__).resolve().parents[2] / "docs" / "drill.md"
BEGIN, END = "<!-- last run -->\n", "<!-- end of last run -->\n"
SAMPLED_EVERY_S = 0.1
KILLED_AFTER_S = 30.0
"""After its bound a test is ended with an error. If that does not help, what it has started is killed after this time."""


@dataclass
class Happened:
    """What came of one test."""

    passed: bool = True
    words: str = ""
    seconds: float = 0.0


class Watch:
    """Looks after one test: the largest memory of this process and of any that it has started, also of those whose parent is gone."""

    def __init__(self, bound_s: float) -> None:
        self.most_bytes = 0
        self.whose = ""
        self._kill_at_s = time.monotonic() + bound_s + KILLED_AFTER_S
        self._own = psutil.Process()
        self._started: set[psutil.Process] = set()
        self._ended = threading.Event()
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the kernel's peak of this process begins anew
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop watching."""
        self._ended.set()
        self._thread.join()
        self._note(self._own, "the test itself")

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLED_EVERY_S):
            with suppress(psutil.Error):
                self._started.update(self._own.children(recursive=True))
            for process in list(self._started):
                with suppress(psutil.Error):
                    if time.monotonic() > self._kill_at_s:
                        process.kill()
                    self._note(process, _called(process.cmdline()))

    def _note(self, process: psutil.Process, name: str) -> None:
        """Compare the peak that the kernel keeps of a process."""
        with suppress(OSError):
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            bytes_ = int(status.partition("VmHWM:")[2].split()[0]) << 10 if "VmHWM:" in status else 0
            if bytes_ > self.most_bytes:
                self.most_bytes, self.whose = bytes_, name


def _called(command: list[str]) -> str:
    """A process's program, without Python and its folders."""
    words = [Path(word).name for word in command if not word.startswith("-")]
    return next((word for word in words if not word.startswith("python")), "python")


@dataclass(eq=False)
class Drill:
    """The plugin: selects tests by the table, and fills the table."""

    happened: dict[str, Happened] = field(default_factory=lambda: defaultdict(Happened))
    most_bytes: dict[str, tuple[int, str]] = field(default_factory=dict)
    began_s: float = field(default_factory=time.monotonic)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        wanted = [item for item in items if any(_belongs(item.nodeid, test) for fault in FAULTS for test in (*fault.tests, fault.control))]
        left_out = [item for item in items if item not in wanted]
        config.hook.pytest_deselected(items=left_out)
        items[:] = wanted
        for item in items:
            item.add_marker(pytest.mark.timeout(_bound_s(item.nodeid)))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        watch = Watch(_bound_s(item.nodeid))
        try:
            return (yield)
        finally:
            watch.end()
            self.most_bytes[item.nodeid] = (watch.most_bytes, watch.whose)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        one = self.happened[report.nodeid]
        one.seconds += report.duration
        if not report.passed:
            one.words = one.words or _words(report)
            one.passed = False

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.happened:
            return  # the tests were listed only
        rows = [(fault, *self._judged(fault)) for fault in FAULTS]
        text = "".join(self._table(rows))
        terminalreporter.write_line("")
        terminalreporter.write_line(text)
        if not all(self._ran(test) for fault in FAULTS for test in (*fault.tests, fault.control) if test):
            terminalreporter.write_line(f"Not all tests ran, so {PAGE.name} keeps its table.")
            return
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        good = all(self._judged(fault)[0] for fault in FAULTS)
        session.exitstatus = pytest.ExitCode.OK if good else pytest.ExitCode.TESTS_FAILED

    def _ran(self, test: str) -> list[str]:
        return [nodeid for nodeid in self.happened if _belongs(nodeid, test)]

    def _judged(self, fault: Fault) -> tuple[bool, str, str, float, int]:
        """Whether a row is as expected, what happened, what happened without the guard, seconds, bytes."""
        good, happened, number = True, "", 0
        ids: list[str] = []
        for test in fault.tests:
            found = self._ran(test)
            ids += found
            number += len(found)
            words = [self.happened[nodeid].words for nodeid in found if not self.happened[nodeid].passed]
            if words or not found:
                good, happened = False, happened or (words[0] if words else f"no such test: {test}")
        most = max((self.most_bytes.get(one, (0, ""))[0] for one in ids), default=0)
        control = fault.harm
        if fault.control:
            found = self._ran(fault.control)
            ids += found
            words = [self.happened[one].words for one in found if not self.happened[one].passed]
            if words or not found:
                good, control = False, f"**no harm shown**: {_cell(words[0] if words else f'no such test: {fault.control}')}"
        seconds = sum(self.happened[one].seconds for one in ids)
        return good, happened or f"as expected ({number} check{'s' if number > 1 else ''})", control, seconds, most

    def _table(self, rows: list[tuple[Fault, bool, str, str, float, int]]) -> Generator[str, None, None]:
        for group in dict.fromkeys(fault.group for fault, *_ in rows):
            yield f"### {group}\n\n| fault | expected | happened | with the guard off | seconds | bound | MB |\n|---|---|---|---|---|---|---|\n"
            for fault, good, happened, control, seconds, bytes_ in rows:
                if fault.group == group:
                    said = _cell(happened if good else f"**not as expected**: {happened}")
                    yield f"| {fault.fault} | {fault.expected} | {said} | {control} | {seconds:.0f} | {fault.bound_s} | {bytes_ >> 20} |\n"
            yield "\n"
        yield "### Not done\n\n| fault | why |\n|---|---|\n"
        yield from (f"| {fault} | {why} |\n" for fault, why in NOT_DONE.items())
        guarded = {nodeid for fault in FAULTS for test in fault.tests for nodeid in self._ran(test)}
        bytes_, whose = max((most for nodeid, most in self.most_bytes.items() if nodeid in guarded), default=(0, ""))
        unguarded, _ = max((most for nodeid, most in self.most_bytes.items() if nodeid not in guarded), default=(0, ""))
        seconds = time.monotonic() - self.began_s
        good = sum(good for _, good, *_ in rows)
        controls = sum(bool(fault.control) for fault, *_ in rows)
        yield f"\n{good} of {len(rows)} rows are as expected; {controls} of the rows have a control. The drill took {seconds / 60:.0f} min;"
        yield f" the largest process had {bytes_ >> 20} MB ({whose}), with a guard off {unguarded >> 20} MB. A test that is not over within the bound of its row is ended, and has failed.\n"


def _belongs(nodeid: str, test: str) -> bool:
    """Whether a test is the named one, or one of its cases."""
    return bool(test) and (nodeid == test or nodeid.startswith((f"{test}[", f"{test}::")))


def _bound_s(nodeid: str) -> int:
    """The longest that a test may take: the longest bound of the rows that it stands in."""
    return max(fault.bound_s for fault in FAULTS for test in (*fault.tests, fault.control) if _belongs(nodeid, test))


def _words(report: pytest.TestReport) -> str:
    """Why a test has not passed."""
    if isinstance(report.longrepr, tuple):
        return f"not done: {report.longrepr[2]}"
    crash = getattr(report.longrepr, "reprcrash", None)
    return f"{report.when}: {crash.message if crash is not None else report.longrepr}".strip()


def _cell(words: str) -> str:
    """One line of a table's cell."""
    return " ".join(words.split())[:300].replace("|", "\\|")
