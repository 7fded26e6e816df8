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

BOUND_S = 420
"""The longest that one test may take; what hangs has failed."""
SAMPLED_EVERY_S = 0.1
PAGE = Path(__file__).resolve().parents[2] / "docs" / "drill.md"
BEGIN, END = "<!-- last run -->\n", "<!-- end of last run -->\n"


@dataclass
class Happened:
    """What came of one test."""

    passed: bool = True
    words: str = ""
    seconds: float = 0.0


class Memory:
    """The largest resident memory of this process, and of any that it has started, while it is watched."""

    def __init__(self) -> None:
        self.most_bytes = 0
        self.whose = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop watching."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while not self._ended.wait(SAMPLED_EVERY_S):
            for process in [own, *own.children(recursive=True)]:
                with suppress(psutil.Error):
                    bytes_ = process.memory_info().rss
                    if bytes_ > self.most_bytes:
                        self.most_bytes, self.whose = bytes_, "the test itself" if process == own else _called(process.cmdline())


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
            item.add_marker(pytest.mark.timeout(BOUND_S))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        memory = Memory()
        try:
            return (yield)
        finally:
            memory.end()
            self.most_bytes[item.nodeid] = (memory.most_bytes, memory.whose)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        one = self.happened[report.nodeid]
        one.seconds += report.duration
        if not report.passed:
            crash = getattr(report.longrepr, "reprcrash", None)
            one.words = one.words or f"{report.when}: " + (crash.message if crash is not None else str(report.longrepr)).strip()
            one.passed = False

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.happened:
            return  # the tests were listed only
        rows = [(fault, *self._judged(fault)) for fault in FAULTS]
        text = "".join(self._table(rows))
        terminalreporter.write_line("")
        terminalreporter.write_line(text)
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
        control = ""
        if fault.control:
            found = self._ran(fault.control)
            ids += found
            control = fault.harm if found and all(self.happened[one].passed for one in found) else "**no harm shown**"
            good = good and control == fault.harm
        seconds = sum(self.happened[one].seconds for one in ids)
        most = max((self.most_bytes.get(one, (0, ""))[0] for one in ids), default=0)
        return good, happened or f"as expected ({number} check{'s' if number > 1 else ''})", control, seconds, most

    def _table(self, rows: list[tuple[Fault, bool, str, str, float, int]]) -> Generator[str, None, None]:
        for group in dict.fromkeys(fault.group for fault, *_ in rows):
            yield f"### {group}\n\n| fault | expected | happened | with the guard off | seconds | MB |\n|---|---|---|---|---|---|\n"
            for fault, good, happened, control, seconds, bytes_ in rows:
                if fault.group == group:
                    said = _cell(happened if good else f"**not as expected**: {happened}")
                    yield f"| {fault.fault} | {fault.expected} | {said} | {control} | {seconds:.0f} | {bytes_ >> 20} |\n"
            yield "\n"
        yield "### Not done\n\n| fault | why |\n|---|---|\n"
        yield from (f"| {fault} | {why} |\n" for fault, why in NOT_DONE.items())
        (bytes_, whose), seconds = max(self.most_bytes.values(), default=(0, "")), time.monotonic() - self.began_s
        good = sum(good for _, good, *_ in rows)
        controls = sum(bool(fault.control) for fault, *_ in rows)
        yield f"\n{good} of {len(rows)} rows are as expected; {controls} of the rows have a control. The drill took {seconds / 60:.0f} min;"
        yield f" the largest process had {bytes_ >> 20} MB ({whose}). No test may take more than {BOUND_S} s.\n"


def _belongs(nodeid: str, test: str) -> bool:
    """Whether a test is the named one, or one of its cases."""
    return bool(test) and (nodeid == test or nodeid.startswith((f"{test}[", f"{test}::")))


def _cell(words: str) -> str:
    """One line of a table's cell."""
    return " ".join(words.split())[:300].replace("|", "\\|")
