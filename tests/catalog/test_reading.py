"""YAML says what it says: a value is what is written, or an error names file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from harness.catalog.authorisation import Authorisation
from harness.catalog.criteria import Linear
from harness.catalog.profile import Request
from harness.catalog.reading import DEEPEST, LARGEST_BYTES, read_model
from harness.catalog.scalars import Dumper
from harness.catalog.workload import Stage, Think
from harness.errors import Problem, visible
from harness.pages.forms import entries_of
from harness.pages.values import as_text

SHARED = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(tmp_path: Path, text: str | bytes) -> tuple[Request | None, list[Problem]]:
    path = tmp_path / "p.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    problems: list[Problem] = []
    found = read_model(path, Request, problems)
    assert (found is None) == bool(problems)
    assert all(problem.file == str(path) and problem.line for problem in problems)
    return found, problems


ODD = [
    "00025", "010", "on", "off", "no", "yes", "Yes", "NO", "True", "FALSE", "1_000", "0x1F", "0b11", "12:30", "190:20:30.15", "~", "Null",
    "+1", "-0", ".inf", "-.INF", ".nan", "1.0e+400", "1_0.5",
]  # fmt: skip


@pytest.mark.parametrize("written", ODD)
@pytest.mark.parametrize("key", ["fields", "query", "json", "headers", "let"])
def test_what_yaml_would_change_wants_quotation_marks(tmp_path: Path, written: str, key: str) -> None:
    _, problems = read(tmp_path, f"post: /nop\n{key}:\n  x: {written}\n")
    assert [(problem.line, problem.key) for problem in problems] == [(3, f"{key}.x")]
    assert written in problems[0].value
    assert f"“{written}” in quotation marks" in problems[0].expected
    found, _ = read(tmp_path, f"post: /nop\n{key}:\n  x: '{written}'\n")
    assert found is not None
    assert getattr(found, {"json": "json_body"}.get(key, key)) == {"x": written}


@pytest.mark.parametrize("written", ["nan", "inf", "-Infinity", "1e400", "'nan'", '"inf"', ".nan", ".inf"])
@pytest.mark.parametrize(
    ("model", "key"), [(Think, "median_s"), (Linear, "full"), (Stage, "window_s"), (Authorisation, "requests_per_s_max")]
)
def test_every_number_is_finite(tmp_path: Path, model: type[BaseModel], key: str, written: str) -> None:
    """YAML takes `nan` and `inf` for texts, of which a field for numbers would make what they say."""
    path, problems = tmp_path / "p.yaml", list[Problem]()
    path.write_text(f"{key}: {written}\n", encoding="utf-8")
    assert read_model(path, model, problems) is None
    assert [problem.line for problem in problems if problem.key == key] == [1]


@pytest.mark.parametrize(
    "written",
    ["00089", "08:30", "1e3", "0o17", ".5", "1.50", "150000.00", "5.", "2026-11-25", "2026-11-25 08:00:00", "=", "y", "12", "1.5", "true"],
)
def test_what_is_sent_as_text_is_sent_as_written(tmp_path: Path, written: str) -> None:
    found, problems = read(tmp_path, f"post: /nop\nfields: {{x: {written}, y: [{written}, a]}}\n")
    assert not problems
    assert found is not None
    assert found.fields is not None
    assert [value for name, item in found.fields.items() for _, value in entries_of(name, item)] == [written, written, "a"]


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("12", "12"), ("-12", "-12"), ("1.5", "1.5"), ("true", "true"), ("null", "null"), ("1990-02-01", '"1990-02-01"'), ("08:30", '"08:30"'), ("000123456789", '"000123456789"'),
        ("1.0e-05", "1e-05"), ("'12'", '"12"'), ("!!str 12", '"12"'), ("12345678901234567890", "12345678901234567890"), ("y", '"y"'),
    ],
)  # fmt: skip
def test_json_keeps_numbers_and_constants_that_json_writes_alike(tmp_path: Path, written: str, sent: str) -> None:
    found, problems = read(tmp_path, f"post: /nop\njson: {{x: {written}}}\n")
    assert not problems
    assert found is not None
    assert json.dumps(found.json_body["x"]) == sent


@pytest.mark.parametrize("written", ["1e3", "1.5e3", "-2E5", ".5", "1.50"])
@pytest.mark.parametrize(
    "place", ["json: {a: [1, {b: W}]}", "let: {a: W}", "expect: {json: {path: a, equals: W}}", "extract: {a: {css: b, default: W}}"]
)
def test_a_value_that_keeps_its_type_wants_one_reading(tmp_path: Path, written: str, place: str) -> None:
    _, problems = read(tmp_path, "post: /nop\n" + place.replace("W", written))
    assert [(problem.line, problem.value) for problem in problems] == [(2, written)]
    assert "quotation marks" in problems[0].expected


def test_a_key_that_asks_for_a_number_or_a_text_gets_one(tmp_path: Path) -> None:
    found, problems = read(tmp_path, "post: /nop\ntimeout_s: 2.50\nhops_max: 3\nheaders: {A: 1e3, B: 1.0x, C: 2026-11-25}\nassets: true\n")
    assert not problems
    assert found is not None
    assert (found.timeout_s, type(found.timeout_s), found.hops_max, found.assets) == (2.5, float, 3, True)
    assert found.headers == {"A": "1e3", "B": "1.0x", "C": "2026-11-25"}
    assert {type(value) for value in found.headers.values()} == {str}


@pytest.mark.parametrize(
    "place", ["headers:\n  A: 12\n", "expect:\n  require_text: 12\n", "form:\n  from_page: true\n", "only_if:\n  true\n"]
)
def test_a_number_where_a_text_is_meant_wants_quotation_marks(tmp_path: Path, place: str) -> None:
    _, problems = read(tmp_path, "post: /nop\n" + place)
    assert [problem.line for problem in problems] == [3 if "only_if" not in place else 2]
    assert "a text" in problems[0].expected
    assert problems[0].remedy == "Put it in quotation marks."


@pytest.mark.parametrize("value", ["{a: b}", "[[a]]", "null", ""])
def test_what_no_field_can_hold_is_no_value_of_one(tmp_path: Path, value: str) -> None:
    _, problems = read(tmp_path, f"post: /nop\nfields:\n  x: {value}\n")
    assert [(problem.line, problem.key) for problem in problems] == [(3, "fields.x")]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("form #tim", "“form”, since #tim is a comment"),
        ("#tim", "“”, since #tim is a comment"),
        ("&a div  #a #b  ", "“div”, since #a #b is a comment"),
    ],
)
def test_what_looks_like_a_value_and_is_a_comment_is_named(tmp_path: Path, written: str, value: str) -> None:
    _, problems = read(tmp_path, f"get: /\nextract:\n  đơn:\n    css: {written}\n")
    assert [(problem.line, problem.value) for problem in problems] == [(4, value)]


def test_a_comment_with_a_space_or_after_a_number_is_one(tmp_path: Path) -> None:
    text = "post: / # a page\nassets: true #of a browser\nhops_max: 3 #c\nbody: |\n  a #b\nquery: {a: 'b'} #c\n#query: {}\nlet: {x: a#b, y: \"#c\"}"
    found, problems = read(tmp_path, text)
    assert not problems
    assert found is not None
    assert (found.body, found.query, found.let) == ("a #b\n", {"a": "b"}, {"x": "a#b", "y": "#c"})


def test_a_key_is_the_text_that_is_written(tmp_path: Path) -> None:
    found, problems = read(tmp_path, "post: /nop\nfields: {on: a, 12: b, 00025: c, =: d, 2026-01-01: e, '<<': f, 1.50: g}\n")
    assert not problems
    assert found is not None
    assert list(found.fields or ()) == ["on", "12", "00025", "=", "2026-01-01", "<<", "1.50"]


def test_merge_keys_are_merged_and_the_nearest_value_wins(tmp_path: Path) -> None:
    found, problems = read(
        tmp_path,
        "let: &a {x: '1', y: '2'}\npost: /nop\nquery: {<<: *a, y: '3'}\nfields:\n  <<: [*a, {<<: {w: '6'}, z: '4', x: '5'}]\n",
    )
    assert not problems
    assert found is not None
    assert (found.query, found.fields) == ({"x": "1", "y": "3"}, {"x": "1", "y": "2", "z": "4", "w": "6"})


@pytest.mark.parametrize(
    ("text", "line", "value"),
    [
        ("post: /nop\nfields: {<<: [a]}\n", 2, "no mapping"),
        ("post: /nop\n<<: {empty: true}\n<<: {empty: false}\n", 3, "given twice"),
        ("post: /nop\nlet: &a\n  b: [*a]\n", 2, "an alias that holds itself"),
        ("post: /nop\nlet: &a {<<: *a}\n", 2, "an alias that holds itself"),
        ("post: /nop\nfields:\n  x: a\vb\n", 3, "not YAML (character U+000B)"),
        ("post: /nop\nfields:\n  x: a\x85b\x9f\n", 3, "not YAML (character U+009F)"),
        ("post: /nop\nfields:\n  x: a\n  x: b\n", 4, "given twice"),
        ("post: /nop\nfields: {12: a,\n '12': b}\n", 3, "given twice"),
        ("post: /nop\nfields: {? [a] : b}\n", 2, "a list or a mapping"),
        ("post: /nop\nfields: {~: b}\n", 2, "'~'"),
        ("post: /nop\nquery: {a: {{ b }}}\n", 2, "a list or a mapping"),
        ("post: /nop\n\tquery: {}\n", 2, "not YAML (found a tab"),
        ("post: *x\n", 1, "not YAML (found undefined alias)"),
        ("---\npost: /nop\n---\npost: /nop\n", 3, "not YAML (but found another document)"),
        ("post: /nop\njson: " + "[" * 100_000, 2, f"more than {DEEPEST} levels"),
        ("post: /nop\njson: " + "{a: " * 5_000, 2, f"more than {DEEPEST} levels"),
        ("post: /nop\njson: !!set {a}\n", 2, "tag:yaml.org,2002:set"),
        ("post: /nop\njson: !!python/name:os.system a\n", 2, "tag:yaml.org,2002:python/name:os.system a"),
        ("post: /nop\njson: !!binary aGE=\n", 2, "tag:yaml.org,2002:binary aGE="),
        ("post: " + "9" * 5_000, 1, "9999"),
        ("", 1, "empty"),
        ("# nothing\n", 1, "empty"),
        ("- post\n", 1, "['post']"),
        (b"get: /\nlet: {x: Ph\xfd\xf5\xccng}\n", 2, "unreadable (not UTF-8: byte 0xFD"),
        (b"get: /\nlet: {}\n\0", 3, "unreadable (it holds NUL)"),
        ("get: /\n".encode("utf-16-le"), 1, "unreadable (it holds NUL)"),
    ],
)  # fmt: skip
def test_odd_files_are_errors_with_their_line(tmp_path: Path, text: str | bytes, line: int, value: str) -> None:
    _, problems = read(tmp_path, text)
    assert (len(problems), problems[0].line) == (1, line)
    assert problems[0].value.startswith(value)


def test_a_file_of_any_size_is_read_to_a_limit(tmp_path: Path) -> None:
    with (tmp_path / "p.yaml").open("wb") as file:
        file.truncate(10 * LARGEST_BYTES)  # without a byte on the disk
    problems: list[Problem] = []
    assert read_model(tmp_path / "p.yaml", Request, problems) is None
    assert [problem.value for problem in problems] == [f"unreadable ([Errno 27] more than {LARGEST_BYTES} bytes: '{tmp_path / 'p.yaml'}')"]


def test_aliases_of_aliases_are_bounded(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))]
    _, problems = read(tmp_path, "\n".join(lines))
    assert [problem.value for problem in problems] == ["more than 200000 values"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_files_are_read_as_editors_save_them(tmp_path: Path, encoding: str, line_end: str) -> None:
    found, problems = read(tmp_path, f"post: /nộp{line_end}fields: {{x: Đặng}}{line_end}".encode(encoding))
    assert not problems
    assert found is not None
    assert (found.post, found.fields) == ("/nộp", {"x": "Đặng"})


def test_times_of_an_authorisation_are_read_in_each_of_yamls_spellings(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    text = (
        "id: a\nportal: p\nreference: số 0\ngranted_by: x\ncitizens_in_flight_max: 1\nrequests_per_s_max: 1\n"
        "hosts: [{origin: 'https://a.example.invalid'}]\nvalid_from: 2026-11-21 22:00:00 +7\nvalid_to: "
    )
    problems: list[Problem] = []
    path.write_text(text + "2026-11-22t05:00:00.5Z\n", encoding="utf-8")
    found = read_model(path, Authorisation, problems)
    assert found is not None
    assert (found.valid_to - found.valid_from).total_seconds() == (14 * 3600 + 0.5)
    for wrong in ("2026-11-22", "2026-11-22T05:00:00", "2026-13-45"):
        problems.clear()
        path.write_text(text + wrong, encoding="utf-8")
        assert read_model(path, Authorisation, problems) is None
        assert [(problem.line, problem.key) for problem in problems] == [(9, "valid_to")]


PLAIN = st.from_regex(r"[-+.0-9a-zA-Z_:~=,][-+.0-9a-zA-Z_:=~ ]{0,10}", fullmatch=True) | st.sampled_from(ODD)


def plain_value(text: str) -> str | None:
    """The text of a plain scalar; None where the text is none."""
    try:
        node = yaml.compose(f"x: {text}", Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    value = node.value[0][1] if isinstance(node, yaml.MappingNode) else None
    return value.value if isinstance(value, yaml.ScalarNode) and value.style is None else None


@SHARED
@given(written=PLAIN)
def test_a_plain_scalar_is_sent_as_written_or_refused(tmp_path: Path, written: str) -> None:
    text = plain_value(written)
    found, problems = read(tmp_path, f"post: /nop\nfields:\n  x: {written}\n")
    if found is None:
        assert problems
    else:
        assert found.fields is not None
        assert as_text(found.fields["x"]) == text


@SHARED
@given(written=PLAIN)
def test_a_plain_scalar_in_json_is_what_json_reads_or_the_text_or_refused(tmp_path: Path, written: str) -> None:
    text = plain_value(written)
    found, problems = read(tmp_path, f"post: /nop\njson:\n  x: {written}\n")
    if found is None:
        assert problems
        return
    value = found.json_body["x"]
    if isinstance(value, str):
        assert value == text
        with pytest.raises(json.JSONDecodeError):
            json.loads(value)
    else:
        assert value == json.loads(text or "null")
        assert type(value) is type(json.loads(text or "null"))


TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")))  # PyYAML loses U+0085 and its like in keys


@SHARED
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT | PLAIN,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | PLAIN, inner, max_size=3),
        max_leaves=6,
    )
)
def test_what_our_drafts_write_is_read_as_it_was(tmp_path: Path, value: Any) -> None:
    text = yaml.dump({"post": "/nop", "json": value}, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=150)
    found, problems = read(tmp_path, text)
    assert not problems
    assert found is not None
    assert found.json_body == value


PIECES = st.sampled_from(
    ["a", "b: ", "- ", "? ", ": ", "\n", "\n  ", "\t", "&x ", "*x", "<<: ", "{", "}", "[", "]", ", ", "!!set ", "!a ", "'", '"', "|\n", "---\n", "...\n", "%YAML 1.3\n",
     "~", "=", "#", "\ufeff", "\0", "\x85", "on", "00025", "1_0:30", "2026-02-30", "{{ a }}", "post: /\n", "json: "]
)  # fmt: skip


@SHARED
@given(text=st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=20) | st.binary(max_size=20))
def test_no_file_is_too_odd_for_an_error_with_its_line(tmp_path: Path, text: str | bytes) -> None:
    found, problems = read(tmp_path, text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    assert found is not None or all(problem.expected and problem.remedy for problem in problems)


# Text that is copied from a word processor: a blank that does not break, a joiner of no width.
@pytest.mark.parametrize("text", ["x: \u00a0a", "x: a\u200b", "\u00a0x: a", "x\u2060: a", "x: a\u00a0 # note"])
def test_a_sign_that_nobody_sees_needs_quotation_marks(tmp_path: Path, text: str) -> None:
    found, problems = read(tmp_path, f"post: /nop\nfields:\n  {text}\n")
    assert found is None
    (problem,) = problems
    assert (problem.line, problem.expected) == (3, "the value alone, or quotation marks")


def test_a_sign_that_nobody_sees_is_kept_in_quotation_marks(tmp_path: Path) -> None:
    found, _ = read(tmp_path, 'post: /nop\nfields:\n  "\u00a0x": "a\u200b"\n  y: a\u00a0b\n')
    assert found is not None
    assert found.fields == {"\u00a0x": "a\u200b", "y": "a\u00a0b"}


@pytest.mark.parametrize("text", ["a\u202eb", "\x9b31m", "a\u2028b", "x\x1b]0;\x07", "hai\ndòng", "Nộp hồ sơ: số 1"])
def test_yaml_that_a_terminal_may_be_shown_says_the_same(text: str) -> None:
    written = visible(yaml.dump({"x": text}, Dumper=Dumper, allow_unicode=True), keep="\n")
    assert {sign for sign in written if not sign.isprintable()} <= {"\n"}
    assert yaml.safe_load(written) == {"x": text}
