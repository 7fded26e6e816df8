"""JUnit's XML, read by another parser than the library that writes it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from harness.publish.junit import CaseState, JunitCase, JunitSuite, junit_bytes
from tests.publish.junit_rules import read_junit

HOSTILE = "\x00\x1b[2J ]]> <![CDATA[ & \" ' <b>\u202e\ud800\ufffe\uffff\r\n\t\U0001f600 Đề nghị"


def written(folder: Path, *suites: JunitSuite) -> Path:
    (folder / "junit.xml").write_bytes(junit_bytes(suites))
    return folder / "junit.xml"


def test_each_end_is_read_as_it_was_meant(tmp_path: Path) -> None:
    cases = tuple(JunitCase(state.value, state, f"because {state}", (f"value of {state}",)) for state in CaseState)
    found = read_junit(written(tmp_path, JunitSuite("one", cases), JunitSuite("two", cases[:1]), JunitSuite("three", ())))
    assert {name: end for name, (end, _) in found["one"].items()} == {
        "passed": "passed", "failed": "failure", "error": "error", "skipped": "skipped",
    }  # fmt: skip
    assert found["one"]["failed"][1] == "because failed\nvalue of failed"
    assert [*found["two"], *found["three"]] == ["passed"]


@pytest.mark.parametrize("state", CaseState)
def test_texts_of_strangers_stay_text_and_the_file_well_formed(tmp_path: Path, state: CaseState) -> None:
    path = written(tmp_path, JunitSuite(HOSTILE, (JunitCase(HOSTILE, state, HOSTILE, (HOSTILE, "the next line")),)))
    ((suite, cases),) = read_junit(path).items()
    ((name, (_, said)),) = cases.items()
    for text in (suite, name, said):
        assert "]]> <![CDATA[ & \" ' <b>" in text
        assert "\\u0000\\u001b[2J" in text
        assert "\\u202e\\ud800\\ufffe\\uffff\\u000d\n" in text
        assert text.endswith(("Đề nghị", "the next line"))
    assert {element.tag for element in ET.parse(path).iter()} <= {
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "error",
        "skipped",
        "system-out",
    }


def test_a_text_of_any_size_is_cut(tmp_path: Path) -> None:
    path = written(tmp_path, JunitSuite("one", (JunitCase("a", CaseState.FAILED, "x" * 10_000_000, ("y" * 10_000_000,)),)))
    assert path.stat().st_size < 20_000
    assert read_junit(path)["one"]["a"][1].startswith("xxx")
