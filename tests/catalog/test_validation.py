"""Thirty files with a mistake each: every one is reported, with file, line, key, value and what was expected, in one go."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.errors import Problem
from harness.operations.authoring.validation import validate_catalog

SCENARIOS = Path(__file__).parents[2] / "scenarios"

PLATFORM = """id: {id}
name_vi: x
name_en: x
known_from: {{source: a test}}
absent: {{file: a, pay: a, track: a, withdraw: a}}
goals:
  find:
    gives: {{procedure: "1"}}
    steps:
      - step: search
        requests:
          - get: "{{{{ origin.portal }}}}/"
            {line}
"""
PORTAL = "portals:\n  - id: {id}\n    name_vi: {id}\n    name_en: x\n    level: province\n    embedded_platform: liferay\n{more}"
AUTHORISATION = """id: {id}
portal: binh-dinh
platform: calibration
reference: số 0
granted_by: x
valid_from: 2026-11-01T20:00:00+07:00
valid_to: 2026-11-30T20:00:00+07:00
citizens_in_flight_max: 10
requests_per_s_max: 10
hosts: [{{origin: "https://a.example.invalid"}}]
{more}
"""


class Broken(NamedTuple):
    file: str
    text: str
    line: int
    key: str
    value: str
    expected: str


def platform(name: str, line: str, at: int, *words: str) -> Broken:
    return Broken(f"platforms/{name}.yaml", PLATFORM.format(id=name, line=line), at, *words)


def swapped(name: str, old: str, new: str, at: int, *words: str) -> Broken:
    return Broken(f"platforms/{name}.yaml", PLATFORM.format(id=name, line="").replace(old, new), at, *words)


def portal(name: str, more: str, at: int, *words: str) -> Broken:
    return Broken(f"portals/{name}.yaml", PORTAL.format(id=name, more=more), at, *words)


REQUEST = "goals.find.steps.0.requests.0"
FILES = [
    # syntax
    Broken("portals/tab.yaml", "portals:\n\t- id: x\n", 2, "file", "not YAML", "well-formed YAML"),
    Broken("portals/twice.yaml", "sets: {}\nsets: {}\n", 2, "sets", "given twice", "each key once"),
    Broken("platforms/latin.yaml", "id: caf\udce9\n", 1, "file", "unreadable", "UTF-8"),
    # of portals and sets
    portal("no-level", "    levl: province\n", 7, "portals.0.levl", "'province'", "known here"),
    portal("wrong-level", "", 5, "portals.0.level", "'thị xã'", "'ministry', 'province'"),
    portal("no-family", "", 6, "no-family.embedded_platform", "'liferai'", "a platform: "),
    portal("no-basis", "    platform: eform\n", 2, "portals.0", "{", "where a known platform was seen"),
    portal("figure", "    daily: {dossiers: {per_day: -3, basis: assumed, source: x}}\n", 7, "portals.0.daily.dossiers.per_day", "-3", "greater than"),
    Broken("portals/set.yaml", "sets:\n  s1:\n    name_vi: x\n    name_en: x\n    members:\n      - {basis: x, portals: [ha-noi, ha-nooi]}\n", 6, "sets.s1", "'ha-nooi'", "the id of a portal"),
    Broken("portals/set-twice.yaml", "sets:\n  s2:\n    name_vi: x\n    name_en: x\n    members:\n      - {basis: x, portals: [ha-noi, ha-noi]}\n", 2, "sets.s2", "{", "ha-noi stands twice"),
    # the structure of platforms
    platform("method", 'post: "/"', 12, REQUEST, "{", "exactly one of get, post"),
    platform("body", "fields: {a: b}\n            json: {a: b}", 12, REQUEST, "{", "at most one body"),
    swapped("step", "step: search", "step: serach", 10, "goals.find.steps.0.step", "'serach'", "'search'"),
    swapped("absent", "absent: {file: a, pay: a, ", "absent: {file: a, ", 6, "goals", "without pay", "goal pay must be described"),
    swapped("gives", 'gives: {procedure: "1"}', "gives: {}", 8, "goals.find.gives", "without procedure", "gives must name procedure"),
    swapped("flow", "requests:", "use: vneid\n        requests:", 10, "goals.find.steps.0", "{", "either `use`"),
    # selectors, patterns and paths of platforms
    platform("css", "expect: {require_selector: 'div[['}", 13, f"{REQUEST}.expect.require_selector.0.css", "'div[['", "a CSS selector"),
    platform("regex", "expect: {final_url: '(a'}", 13, f"{REQUEST}.expect.final_url", "'(a'", "a regular expression"),
    platform("path", "extract: {a: {json: 'a[?'}}", 13, f"{REQUEST}.extract.a.json", "'a[?'", "a JMESPath expression"),
    platform("status", "expect: {status: [200, 999]}", 13, f"{REQUEST}.expect.status.1", "999", "a status from 100 to 599"),
    platform("two-sources", "extract: {a: {css: b, regex: c}}", 13, f"{REQUEST}.extract.a", "{", "exactly one of css, json"),
    platform("condition", "expect: {json: {path: a, above: 1, below: 2}}", 13, f"{REQUEST}.expect.json.0", "{", "exactly one of equals"),
    platform("repeat", "repeat: {times: 0}", 13, f"{REQUEST}.repeat.times", "0", "greater than or equal to 1"),
    # templates of platforms
    platform("name", 'expect: {require_text: "{{ keywrod }}"}', 13, f"{REQUEST}.expect.require_text", "'{{ keywrod }}'", "keywrod is not"),
    platform("function", "headers: {X: \"{{ sha3('a') }}\"}", 13, f"{REQUEST}.headers.X", '"{{ sha3', "there is no function sha3"),
    platform("operator", 'query: {a: "{{ visit + 1 }}"}', 13, f"{REQUEST}.query.a", "'{{ visit + 1 }}'", "Add is not in the language"),
    platform("unclosed", 'only_if: "{{ visit"', 13, f"{REQUEST}.only_if", "'{{ visit'", "not a template"),
    platform("pool", "let: {a: '1'}\npools: {codes: {file: gone.csv}}", 14, "pools.codes", "'gone.csv'", "a readable UTF-8 CSV file"),
    # what YAML would change, and what is no YAML
    platform("octal", "query: {ma: 00025}", 13, f"{REQUEST}.query.ma", "00025 without quotation marks, which YAML 1.1 reads as 21", "“00025” in quotation marks"),
    platform("switch", "json: {dong_y: on}", 13, f"{REQUEST}.json.dong_y", "on without quotation marks, which YAML 1.1 reads as true", "“on” in quotation marks"),
    platform("merge", "query: {<<: [a]}", 13, f"{REQUEST}.query.<<", "no mapping", "a mapping"),
    platform("cycle", "json: &a {b: [*a]}", 13, f"{REQUEST}.json.b.0", "an alias that holds itself", "values that end"),
    platform("control", 'let: {a: "\v"}', 13, "file", "not YAML (character U+000B)", "without control characters"),
    platform("equals-key", "=: x", 13, f"{REQUEST}.=", "'x'", "known here"),
    # authorisations
    Broken("authorisations/a.yaml", AUTHORISATION.format(id="a", more="secrets: {k: hunter2}"), 11, "secrets.k", "'hunter2'", "a reference"),
    Broken("authorisations/b.yaml", AUTHORISATION.format(id="b", more="").replace("https://a.example.invalid", "a.example.invalid"), 10, "hosts.0.origin", "'a.example.invalid'", "an origin"),
    *(
        Broken(f"authorisations/{name}.yaml", AUTHORISATION.format(id=name, more=more), 11, key, value, expected)
        for name, more, key, value, expected in (
            ("hours", 'hours: ["22:00-25:00"]', "hours.0", "'22:00-25:00'", 'hours as "HH:MM-HH:MM" by the clock of Viet Nam'),
            ("hours-text", 'hours: "22:00-05:00"', "hours", "'22:00-05:00'", "a valid tuple"),
            ("hours-same", 'hours: ["05:00-05:00"]', "hours.0", "'05:00-05:00'", "without the key the whole day is permitted"),
            ("hours-none", "hours: []", "hours", "[]", "at least 1 item"),
            ("journeys-twice", "journeys: [search, search]", "journeys", "['search', 'search']", "search stands twice"),
            ("captcha", "captcha_exemption: {note: x}", "captcha_exemption.reference", "missing", "the key is required"),
            ("emc", "emc_exclusion: yes-by-letter", "emc_exclusion", "'yes-by-letter'", "a valid dictionary"),
            ("contact", 'contact: "Trần Thử, phòng CNTT"', "contact", "'Trần Thử, phòng CNTT'", "one e-mail address or telephone number in plain ASCII"),
            ("contact-lines", 'contact: "a@b.invalid\\r\\nX-Forged: 1"', "contact", "'a@b.invalid", "one e-mail address or telephone number"),
            ("night", "dossiers_per_night_max: 0", "dossiers_per_night_max", "0", "greater than or equal to 1"),
            ("source", 'source_addresses: ["10.0.0.300"]', "source_addresses.0", "'10.0.0.300'", "not a valid IPv4 or IPv6 network"),
        )
    ),
    Broken("authorisations/journeys.yaml", AUTHORISATION.format(id="journeys", more="journeys: [search, serch]"), 11, "journeys.1", "'serch'", "a journey of the scenarios: pay, search, submit"),
    # workloads
    Broken("workloads/w.yaml", "id: w\nname_vi: x\nname_en: x\nusage: {per_day: {search: 1}, basis: assumed, source: x}\nstages: [{stage: peek, windows: 1}]\n", 5, "stages.0.stage", "'peek'", "'warm-up', 'typical'"),
]  # fmt: skip


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> list[Problem]:
    folder = tmp_path_factory.mktemp("broken")
    for item in FILES:
        path = folder / item.file
        path.parent.mkdir(exist_ok=True)
        text = item.text
        if item.file == "portals/wrong-level.yaml":
            text = text.replace("province", "thị xã")
        if item.file == "portals/no-family.yaml":
            text = text.replace("liferay", "liferai")
        path.write_bytes(text.encode("utf-8", errors="surrogateescape"))
    return validate_catalog(SCENARIOS, folder)[1]


def test_the_shipped_catalog_is_sound() -> None:
    catalog, problems = validate_catalog(SCENARIOS)
    assert problems == []
    assert len(catalog.platforms) >= 7


@pytest.mark.parametrize("item", FILES, ids=[item.file for item in FILES])
def test_each_mistake_is_reported(problems: list[Problem], item: Broken) -> None:
    found = [problem for problem in problems if problem.file.endswith("/" + item.file)]
    assert [(problem.line, problem.key) for problem in found] == [(item.line, item.key)]
    assert found[0].value.startswith(item.value)
    assert item.expected in found[0].expected
    assert found[0].remedy


@pytest.mark.parametrize(
    ("file", "meant"),
    [
        ("portals/no-level", "level"), ("portals/no-family", "liferay"), ("portals/set", "ha-noi"), ("platforms/step", "search"),
        ("platforms/name", "keyword"), ("authorisations/journeys", "search"), ("workloads/w", "peak"),
    ],
)  # fmt: skip
def test_a_name_that_is_much_like_a_known_one_is_told(problems: list[Problem], file: str, meant: str) -> None:
    (found,) = (problem for problem in problems if problem.file.endswith(f"/{file}.yaml"))
    assert f"Did you mean `{meant}`" in found.remedy or f"`{meant}`" in found.expected


def test_a_key_deep_in_a_file_is_compared_with_those_of_its_place(tmp_path: Path) -> None:
    (tmp_path / "platforms").mkdir()
    text = PLATFORM.format(id="mine", line="exepct: {status: 200}\n            expect: {json: {path: a, abov: 1}}")
    (tmp_path / "platforms" / "mine.yaml").write_text(text.replace("known_from:", "orgins: [portal]\nknown_from:"), encoding="utf-8")
    remedies = {problem.key: problem.remedy for problem in validate_catalog(SCENARIOS, tmp_path)[1]}
    assert remedies["orgins"] == "Did you mean `origins`? Remove the key or mend its spelling."
    assert remedies[f"{REQUEST}.exepct"] == "Did you mean `expect` or `extract`? Remove the key or mend its spelling."
    assert remedies[f"{REQUEST}.expect.json.0.abov"].startswith("Did you mean `above`? ")


def test_nothing_else_is_reported(problems: list[Problem]) -> None:
    assert len(FILES) >= 30
    assert len(problems) == len(FILES)
    assert [problem.file for problem in problems] == sorted(problem.file for problem in problems)


def test_what_refers_to_a_file_with_a_mistake_is_no_second_mistake(tmp_path: Path) -> None:
    texts = {
        "platforms/mine.yaml": PLATFORM.format(id="mine", line="query: {ma: 010}"),
        "portals/mine.yaml": PORTAL.format(id="my-portal", more="").replace("liferay", "mine"),
        "authorisations/mine.yaml": AUTHORISATION.format(id="a", more="").replace("binh-dinh", "my-portal").replace("calibration", "mine"),
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = validate_catalog(SCENARIOS, tmp_path)[1]
    assert [(Path(problem.file).name, problem.line, problem.key) for problem in found] == [("mine.yaml", 13, f"{REQUEST}.query.ma")]


def test_the_command_reads_a_profile_with_merge_keys_and_names_what_yaml_would_change(tmp_path: Path) -> None:
    path = tmp_path / "platforms" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(PLATFORM.format(id="mine", line="let: &x {ma: '00025'}\n            query: {<<: *x, b: c}"), encoding="utf-8")
    done = CliRunner().invoke(main, ["validate", "--catalog", str(tmp_path)])
    assert done.exit_code == 0, done.output
    path.write_text(path.read_text(encoding="utf-8").replace("b: c", "b: no"), encoding="utf-8")
    done = CliRunner().invoke(main, ["validate", "--catalog", str(tmp_path)])
    assert done.exit_code == 3
    assert f"error: {path}:14: {REQUEST}.query.b is no without quotation marks, which YAML 1.1 reads as false" in done.output
    assert done.output.count("error: ") == 1
