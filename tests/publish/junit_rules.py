"""What readers of JUnit's XML ask of a file, checked without the library that wrote it.

The rules are those of the schema of Jenkins (`junit-10.xsd` of its xUnit plugin, which pytest checks its own files against): elements,
attributes and their types. The readers of GitLab and GitHub's actions ask for less.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

_SUITE_COUNTS = {"tests", "failures", "errors"}
_ALLOWED = {
    "testsuites": {"name", "time", *_SUITE_COUNTS},
    "testsuite": {"name", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url", "version", "group", *_SUITE_COUNTS},
    "testcase": {"name", "time", "classname", "group"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
    "system-err": set(),
}  # fmt: skip
_REQUIRED = {"testsuite": {"name", *_SUITE_COUNTS}, "testcase": {"name"}}
_CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testsuite", "properties", "testcase", "system-out", "system-err"},
    "testcase": {"skipped", "error", "failure", "system-out", "system-err"},
}
_TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]{0,3})?")


def read_junit(path: Path) -> dict[str, dict[str, tuple[str, str]]]:
    """Of each suite each test: how it ended (``passed``, ``failure``, ``error`` or ``skipped``), and its message and output."""
    root = ET.parse(path).getroot()
    assert root.tag == "testsuites"
    for element in root.iter():
        _check(element)
    suites = list(root)
    for count, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        assert int(root.attrib[count]) == len(list(root.iter(tag)))
        assert [int(suite.attrib[count]) for suite in suites] == [len(list(suite.iter(tag))) for suite in suites]
    assert len({suite.attrib["name"] for suite in suites}) == len(suites)
    tests = [(case.attrib["classname"], case.attrib["name"]) for case in root.iter("testcase")]
    assert len(set(tests)) == len(tests)  # GitLab shows one of two
    return {suite.attrib["name"]: dict(map(_case, suite.iter("testcase"))) for suite in suites}


def classes(path: Path) -> set[str]:
    """The classes of all tests."""
    return {case.attrib["classname"] for case in ET.parse(path).getroot().iter("testcase")}


def _check(element: ET.Element) -> None:
    assert set(element.attrib) <= _ALLOWED[element.tag]
    assert set(element.attrib) >= _REQUIRED.get(element.tag, set())
    assert {child.tag for child in element} <= _CHILDREN.get(element.tag, set())
    assert _TIME.fullmatch(element.attrib.get("time", ""))


def _case(case: ET.Element) -> tuple[str, tuple[str, str]]:
    ends = [child for child in case if child.tag in {"failure", "error", "skipped"}]
    assert len(ends) <= 1
    said = "\n".join([*(end.attrib["message"] for end in ends), *(child.text or "" for child in case if child.tag == "system-out")])
    return case.attrib["name"], (ends[0].tag if ends else "passed", said)
