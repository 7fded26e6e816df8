"""JUnit's XML, as the pages of pipelines read it: a suite for each portal, a test for each criterion or step.

Names and reasons come from strangers too: what XML does not allow, or a page would obey, is spelled as ``visible`` spells it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from harness.errors import visible

_LONGEST: Final = 4_000
"""Characters of one text (assumed: a reason has some hundred; a page's text in it may have any number)."""
_NO_XML_CHARACTER: Final = re.compile("[\ud800-\udfff\ufffe\uffff]")


class CaseState(StrEnum):
    """How a test of a suite ended."""

    PASSED = "passed"
    FAILED = "failed"  # it was measured, and is below what was asked, or worse
    ERROR = "error"  # nothing shows whether it is: no data is never a pass
    SKIPPED = "skipped"  # it was not measured, and nobody asked for it


@dataclass(frozen=True, slots=True)
class JunitCase:
    """One test: for example a criterion or a step of a portal. ``reason``: why it did not pass. ``lines``: values, thresholds and limits."""

    name: str
    state: CaseState
    reason: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JunitSuite:
    """Tests, usually of one portal. ``kind`` stands in their class: pipelines would take two tests of one class and name for one."""

    name: str
    cases: tuple[JunitCase, ...]
    kind: Literal["scores", "changes", "command"] = "scores"


_RESULTS: Final = {CaseState.FAILED: Failure, CaseState.ERROR: Error, CaseState.SKIPPED: Skipped}


def junit_bytes(suites: Sequence[JunitSuite]) -> bytes:
    """The file. The same suites give the same bytes; times are left out, because no test has a duration of its own."""
    root, made = JUnitXml("harness"), [_suite(suite) for suite in suites]
    for suite in made:
        root.add_testsuite(suite)
    # Not by update_statistics: it also writes `skipped`, which the schema of Jenkins does not know at the root.
    root.tests, root.failures, root.errors = (sum(getattr(suite, count) for suite in made) for count in ("tests", "failures", "errors"))
    file = io.BytesIO()
    root.write(file)
    return file.getvalue()


def _suite(suite: JunitSuite) -> TestSuite:
    made = TestSuite(_text(suite.name))
    made.add_testcases([_case(f"{suite.kind}.{suite.name}", case) for case in suite.cases])
    return made


def _case(of_class: str, case: JunitCase) -> TestCase:
    made = TestCase(_text(case.name), _text(of_class))
    if case.state is not CaseState.PASSED:
        result = _RESULTS[case.state](_text(case.reason), case.state.value)
        result.text = _text("\n".join((case.reason, *case.lines)))
        made.result = result
    if case.lines:
        made.system_out = _text("\n".join(case.lines))
    return made


def _text(text: str) -> str:
    shown = visible(text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …", keep="\n")
    return _NO_XML_CHARACTER.sub(lambda found: f"\\u{ord(found[0]):04x}", shown)
