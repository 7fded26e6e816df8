"""Templates, functions, synthetic people, files: the values that requests are made of."""

from __future__ import annotations

import hashlib
import hmac
import io
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.catalog import Target
from harness.catalog.profile import Request
from harness.errors import CatalogError
from harness.pages.values import MissingValueError
from harness.profiles import load_functions
from harness.profiles.attachments import attachment
from harness.profiles.bodies import BOUNDARY, compile_body
from harness.profiles.functions import FUNCTIONS, VisitContext, unaccented
from harness.profiles.our_fault import GivenValues, OurFaultError
from harness.profiles.pools import CompiledPool
from harness.profiles.template import CONTEXT, TemplateError, compile_template, compile_value
from harness.visits import synthetic_person


def context(**more: Any) -> VisitContext:
    given: dict[str, Any] = {
        "seed": 1, "run": "r", "visit": 2, "serial": 2, "sweep": "s", "pools": {}, "secret": {"key": "s3cret"}.__getitem__, "cookie": {"c": "1"}.get,
        "now": lambda: datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
    }  # fmt: skip
    return VisitContext(**(given | more))


def value(source: Any, **scope: Any) -> Any:
    return compile_value(source, FUNCTIONS).value({CONTEXT: scope.pop("context", None) or context(), **scope})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain {not a template}", "plain {not a template}"),
        ("{{ a }}", 7),
        ("{{ a }}/{{ b.c[1].d }}", "7/x"),
        ("{{ b['c'][0] }}", 0),
        ("{{ yes }}-{{ upper('đ') }}", "true-Đ"),
        ("{{ urlencode('hồ sơ/1') }}", "h%E1%BB%93%20s%C6%A1%2F1"),
        ("{{ join('|', a, 'x', 3) }}", "7|x|3"),
        ("{{ hmac(secret('key'), 'abc') }}", hmac.new(b"s3cret", b"abc", hashlib.sha256).hexdigest()),
        ("{{ md5('abc') }}", hashlib.md5(b"abc").hexdigest()),
        ("{{ now('%d/%m/%Y', days=1) }}", "23/11/2026"),
        ("{{ counter('n') }}{{ counter('n') }}{{ counter('m') }}", "121"),
        ("{{ cookie('c') }}", "1"),
        ({"{{ b.c[1].d }}-question_1": {"{{ a }}": 1}, 7: "x"}, {"x-question_1": {"7": 1}, 7: "x"}),
        ({"n": "{{ a }}", "list": ["{{ yes }}", 1.5, None], "text": "{{ a }}!"}, {"n": 7, "list": [True, 1.5, None], "text": "7!"}),
    ],
)
def test_templates(source: Any, expected: Any) -> None:
    assert value(source, a=7, yes=True, b={"c": [0, {"d": "x"}]}) == expected


@pytest.mark.parametrize(
    "source", ["{{ gone }}", "{{ b.gone }}", "{{ b.c.d }}", "x{{ gone }}y", "{{ upper(gone) }}", "{{ number('x') }}", "{{ b }}!"]
)
def test_what_is_not_known_is_missing_and_never_empty(source: str) -> None:
    with pytest.raises(MissingValueError):
        value(source, b={"c": 1})


@pytest.mark.parametrize(
    "source",
    [
        "{% if a %}1{% endif %}", "{{ a + 1 }}", "{{ a | upper }}", "{{ a if b else c }}", "{{ a.upper() }}", "{{ nothing('x') }}", "{{ upper() }}",
        "{{ a == b }}", "{{ [1] }}", "{{ a", "{{ upper(*a) }}", "{% for x in y %}{% endfor %}",
    ],
)  # fmt: skip
def test_what_is_not_in_the_language(source: str) -> None:
    with pytest.raises(TemplateError):
        compile_template(source, FUNCTIONS)


def test_names_that_a_template_needs() -> None:
    assert compile_value({"a": "{{ x.y }}{{ join('', z) }}", "b": ["{{ w[v] }}"]}, FUNCTIONS).names == {"x", "z", "w", "v"}


def test_nothing_of_python_is_reached() -> None:
    with pytest.raises(MissingValueError):
        value("{{ a.__class__ }}", a="text")
    with pytest.raises(MissingValueError):
        value("{{ a.upper }}", a="text")


def test_draws_depend_on_seed_run_visit_and_purpose_and_a_unique_one_on_the_sweep_too() -> None:
    first = [value("{{ random_digits(12) }}", context=context()) for _ in range(2)]
    assert first[0] == first[1] != value("{{ random_digits(12) }}", context=context(visit=3))
    assert len(value("{{ random_hex(10) }}")) == 10
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", value("{{ uuid() }}"))
    unique = [value("{{ unique_hex(8) }}", context=context(sweep=sweep)) for sweep in ("s", "s", "of the next night")]
    assert unique[0] == unique[1] != unique[2]
    assert len(unique[0]) == len(unique[2]) == 8
    twice = context()
    assert value("{{ random_digits(9) }}", context=twice) != value("{{ random_digits(9) }}", context=twice)


def test_pools_give_each_visit_an_item_of_its_own() -> None:
    rows = [{"code": f"c{number}"} for number in range(3)]
    distinct, shared = CompiledPool(rows, True, "codes.csv"), CompiledPool(rows, False, "codes.csv")
    given = [value("{{ take('codes').code }}", context=context(serial=serial, pools={"codes": distinct})) for serial in range(3)]
    assert given == ["c0", "c1", "c2"]
    with pytest.raises(OurFaultError, match=r"codes\.csv: pool codes has 3 rows, and visit 4 of the run needs one of its own"):
        value("{{ take('codes') }}", context=context(serial=3, pools={"codes": distinct}))
    assert value("{{ take('codes').code }}", context=context(serial=4, pools={"codes": shared})) == "c1"


def test_what_our_own_files_lack_is_our_fault() -> None:
    with pytest.raises(OurFaultError, match="no pool 'codes' under `pools`, only accounts"):
        value("{{ take('codes') }}", context=context(pools={"accounts": CompiledPool((), True)}))
    with pytest.raises(OurFaultError, match="values of `person`: there is no 'phonee' among phone"):
        value("{{ person.phonee }}", person=GivenValues({"phone": "0"}, "values of `person`"))
    with pytest.raises(OurFaultError, match=r"secrets\.key of p is nothing at env:GONE"):
        value("{{ secret('key') }}", context=context(secret=Target("p", "p", {}, {}, None, {"key": "env:GONE"}).secret))


def test_a_function_of_ones_own_that_breaks_is_our_fault() -> None:
    def broken(text: str) -> str:
        raise ZeroDivisionError(text)

    compiled = compile_value("{{ broken('a') }}", {**FUNCTIONS, "broken": broken})
    with pytest.raises(OurFaultError, match="function broken failed: ZeroDivisionError: a"):
        compiled.value({})


def test_a_secret_is_remembered_so_that_it_can_be_blanked() -> None:
    used = context()
    value("{{ secret('key') }}", context=used)
    assert used.hidden == {"s3cret"}


@given(st.integers(0, 2**31), st.integers(0, 10**6))
def test_synthetic_people_are_visibly_synthetic(seed: int, visit: int) -> None:
    person = synthetic_person(seed, "r", visit)
    assert re.fullmatch(r"000\d{9}", person.citizen_number)
    assert "Thử Nghiệm" in person.name
    assert re.fullmatch(r"0000\d{6}", person.values["phone"])
    assert person.values["email"].endswith("@example.invalid")
    assert "KIỂM THỬ" in person.dossier_for(None)["note"]
    assert person.values == synthetic_person(seed, "r", visit).values


def test_vietnamese_text() -> None:
    assert unaccented("Đăng ký khai sinh") == "Dang ky khai sinh"


@pytest.mark.parametrize(
    ("kind", "magic"),
    [("pdf", b"%PDF-1.4"), ("png", b"\x89PNG\r\n"), ("jpg", b"\xff\xd8\xff"), ("docx", b"PK\x03\x04"), ("txt", "Tài".encode())],
)
@pytest.mark.parametrize("size_bytes", [3_000, 20_000, 300_000])
def test_files_have_their_type_and_size(kind: str, magic: bytes, size_bytes: int) -> None:
    content = attachment(kind, size_bytes)
    assert content.startswith(magic)
    assert len(content) == size_bytes
    if kind == "docx":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.testzip() is None
    if kind in ("png", "jpg"):
        from PIL import Image

        Image.open(io.BytesIO(content)).load()


def compiled_value(data):
    return compile_value(data, FUNCTIONS)


def body(rule: dict[str, Any], **scope: Any) -> tuple[bytes, str]:
    builder = compile_body(Request.model_validate({"post": "/x", **rule}), compiled_value)
    assert builder is not None
    return builder({CONTEXT: context(), **scope}, None)


def test_bodies() -> None:
    assert body({"fields": {"tên": "{{ n }}", "files[]": ["1", "2"]}}, n="Vũ") == (
        b"t%C3%AAn=V%C5%A9&files%5B%5D=1&files%5B%5D=2", "application/x-www-form-urlencoded",
    )  # fmt: skip
    assert body({"json": {"a": ["{{ n }}", {"b": "{{ yes }}"}], "t": "số {{ n }}"}}, n=3, yes=True) == (
        '{"a":[3,{"b":true}],"t":"số 3"}'.encode(), "application/json",
    )  # fmt: skip
    assert body({"body": "<x>{{ n }}</x>", "content_type": "text/xml"}, n="é") == ("<x>é</x>".encode(), "text/xml")
    assert body({"empty": True}) == (b"", "")
    content, kind = body({"upload": {"type": "pdf", "size_bytes": 4000}})
    assert (len(content), kind) == (4000, "application/pdf")


def test_multipart_with_repeated_names() -> None:
    rule = {
        "fields": {"id": "{{ n }}"},
        "files": [
            {"name": "files[]", "type": "txt", "size_bytes": 40, "filename": 'giấy "khai" sinh.txt'}, {"name": "{{ field }}", "type": "pdf", "size_bytes": 900},
        ],
    }  # fmt: skip
    content, kind = body(rule, n=5, field="files[]")
    assert kind == f"multipart/form-data; boundary={BOUNDARY}"
    parts = content.split(f"--{BOUNDARY}".encode())
    assert parts[-1] == b"--\r\n"
    assert parts[1] == b'\r\nContent-Disposition: form-data; name="id"\r\n\r\n5\r\n'
    head, _, file = parts[2].partition(b"\r\n\r\n")
    assert head.decode() == (
        '\r\nContent-Disposition: form-data; name="files[]"; filename="giấy %22khai%22 sinh.txt"\r\nContent-Type: text/plain; charset=utf-8'
    )
    assert len(file) == 42
    assert b'name="files[]"; filename="tai-lieu-kiem-thu.pdf"' in parts[3]


def test_functions_of_a_catalog(tmp_path: Path) -> None:
    platforms = tmp_path / "platforms"
    platforms.mkdir()
    path = platforms / "_functions.py"
    path.write_text(
        "from harness.profiles import function\n\n@function\ndef shout(text: str) -> str:\n    return text.upper() + '!'\n\ndef private(x: int) -> int:\n    return x\n"
    )
    known = load_functions(tmp_path)
    assert compile_template("{{ shout('a') }}", known).value({}) == "A!"
    assert "private" not in known

    path.write_text(
        "from harness.profiles import function\n\n@function\ndef shout(text):\n    return text\n\n@function\ndef md5(t: str) -> str:\n    return t\n"
    )
    with pytest.raises(CatalogError) as wrong:
        load_functions(tmp_path)
    assert [(problem.key, problem.line) for problem in wrong.value.problems] == [("shout", 3), ("md5", 7)]

    path.write_text("import nothing_of_this_name\n")
    with pytest.raises(CatalogError, match="ModuleNotFoundError"):
        load_functions(tmp_path)
