"""What a profile names and nothing gives is found before anything is sent: once, with its file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.catalog.platform import Platform
from harness.catalog.profile import ITEMS
from harness.catalog.reading import check, read_document
from harness.errors import CatalogError, Problem
from harness.profiles import CompiledPlatform, compile_platform
from harness.profiles.functions import FUNCTIONS
from harness.visits import synthetic_person

PROFILE = """id: site
name_vi: x
name_en: x
known_from: {source: a test}
absent: {pay: a, withdraw: a}
goals:
  find:
    gives: {procedure: {code: "{{ code }}", url: "{{ page.url }}"}}
    steps:
      - step: search
        requests:
          - get: "{{ origin.portal }}/"
            extract: {code: {css: b}}
  file:
    gives: {receipt: "{{ receipt }}"}
    steps:
      - step: submit
        requests:
          - post: "{{ origin.portal }}/nop"
            fields: {ten: "{{ dossier.applicant }}"}
            # MORE
            extract: {receipt: {css: "#ma"}, fee: {css: "#phi"}}
            receipt: {code: "{{ receipt }}"}
  track:
    gives: {status: "1"}
    steps:
      - step: track
        requests:
          - get: "{{ origin.portal }}/tra-cuu"
            confirms: {code: "{{ receipt }}"}
"""
SUBMIT = "goals.file.steps.0.requests.0"


def read(folder: Path, text: str) -> tuple[Platform | None, list[Problem]]:
    (folder / "platforms").mkdir(exist_ok=True)
    path = folder / "platforms" / "site.yaml"
    path.write_text(text, encoding="utf-8")
    problems: list[Problem] = []
    document = read_document(path, problems)
    assert document is not None
    model = check(document, document.data, (), Platform, problems)
    return (model.came_from(document) if model else None), problems


def compiled(folder: Path, text: str) -> CompiledPlatform:
    model, problems = read(folder, text)
    assert model is not None, problems
    return compile_platform(model, FUNCTIONS)


def the_problem(folder: Path, text: str) -> Problem:
    """The only problem of a profile."""
    model, problems = read(folder, text)
    if model is not None:
        with pytest.raises(CatalogError) as wrong:
            compile_platform(model, FUNCTIONS)
        problems = list(wrong.value.problems)  # type: ignore[arg-type]
    (problem,) = problems
    assert isinstance(problem, Problem)
    return problem


def test_the_profile_itself_is_sound(tmp_path: Path) -> None:
    assert compiled(tmp_path, PROFILE).goals
    mappings = 'let: {a: "{{ dossier }}", b: ["{{ procedure }}"]}\n            expect: {json: {path: a, equals: "{{ dossier }}"}}'
    assert compiled(tmp_path, PROFILE.replace("# MORE", mappings)).goals


@pytest.mark.parametrize(
    ("more", "key", "expected"),
    [
        ('query: {q: "{{ dossier.name }}"}', "query.q", "dossier.name is not known"),
        ('query: {"{{ dossier.field }}": "1"}', "query.{{ dossier.field }}", "dossier.field is not known"),
        ('headers: {X-A: "{{ form.token }}"}', "headers.X-A", "names that are learned before; form is not"),
        ('headers: {X-A: "a-{{ page.title }}"}', "headers.X-A", "one of page.status, page.url; page.title is not known"),
        ('headers: {"{{ page.name }}": "a"}', "headers.{{ page.name }}", "page.name is not known"),
        ('only_if: "{{ equals(procedure.fee, 0) }}"', "only_if", "one of procedure.code, procedure.url; procedure.fee is not known"),
        ("skip_if: \"{{ procedure['fee'] }}\"", "skip_if", "procedure.fee is not known"),
        ('let: {a: {b: ["{{ dossier.mail }}"]}}', "let.a.b.0", "dossier.mail is not known"),
        ('let: {ai: "{{ dossier }}", a: "{{ ai.mail }}"}', "let.a", "ai.mail is not known"),
        ('let: {"a": {"{{ dossier.mail }}": "1"}}', "let.a.{{ dossier.mail }}", "dossier.mail is not known"),
        ('repeat: {over: "{{ page.items }}"}', "repeat.over", "page.items is not known"),
        ('timeout_s: 1\n            expect: {require_text: ["{{ dossier.title }}"]}', "expect.require_text.0", "dossier.title is not known"),
        ('expect: {require_selector: {css: p, containing: "{{ dossier.title }}"}}', "expect.require_selector.containing", "dossier.title is not"),
        ('expect: {json: {path: a, equals: {b: "{{ dossier.title }}"}}}', "expect.json.equals.b", "dossier.title is not known"),
        ('expect: {values: {fee: "{{ procedure.fee }}"}}', "expect.values.fee", "procedure.fee is not known"),
        ('poll: {until: {require_text: "{{ page.text }}"}}', "poll.until.require_text", "page.text is not known"),
        ('query: {a: "{{ code.first }}"}', "query.a", "`code` alone: it is a text; code.first is not known"),
        ('query: {a: "{{ procedure }}"}', "query.a", "a text; procedure is a mapping"),
        ('headers: {X-A: "{{ origin }}/a"}', "headers.X-A", "a text; origin is a mapping"),
        ('let: {a: "{{ code }} {{ dossier }}"}', "let.a", "a text; dossier is a mapping"),
        ('expect: {require_text: "{{ code }} {{ page }}"}', "expect.require_text", "a text; page is a mapping"),
        ('query: {a: "{{ visit.number }}"}', "query.a", "`visit` alone: it is a text"),
    ],
)  # fmt: skip
def test_an_item_that_nothing_gives_is_found_wherever_it_stands(tmp_path: Path, more: str, key: str, expected: str) -> None:
    problem = the_problem(tmp_path, PROFILE.replace("# MORE", more))
    assert problem.key == f"{SUBMIT}.{key}"
    assert problem.line in (21, 22)
    assert expected in problem.expected


def test_a_name_that_only_a_later_goal_learns_is_found(tmp_path: Path) -> None:
    learning = PROFILE.replace(
        '"{{ origin.portal }}/tra-cuu"', '"{{ origin.portal }}/tra-cuu"\n            extract: {link: {css: a, attr: href}}'
    )
    problem = the_problem(tmp_path, learning.replace("# MORE", 'query: {a: "{{ link }}"}'))
    assert (problem.key, problem.value) == (f"{SUBMIT}.query.a", "'{{ link }}'")
    assert problem.expected == "names that are learned before; link is learned only in track"
    assert compiled(tmp_path, learning.replace("# MORE", 'skip_if: "{{ link }}"')).goals  # a condition may name what is not known yet
    both = learning.replace("extract: {code: {css: b}}", "extract: {code: {css: b}, link: {css: a, attr: href}}")
    assert compiled(tmp_path, both.replace("# MORE", 'query: {a: "{{ link }}"}')).goals


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ('set: {"{{ dossier.field }}": "1"}', "form.set.{{ dossier.field }}"), ('add: {a: "{{ dossier.field }}"}', "form.add.a"),
        ('choose: {"{{ dossier.field }}": {pick: last}}', "form.choose.{{ dossier.field }}"), ('drop: ["{{ dossier.field }}"]', "form.drop.0"),
        ('set_matching: [{name: a, value: "{{ dossier.field }}"}]', "form.set_matching.0.value"),
        ('choose: {a: {containing: "{{ dossier.field }}"}}', "form.choose.a.containing"), ('set: {a: "{{ form.fields.token }}{{ dossier.field }}"}', "form.set.a"),
    ],
)  # fmt: skip
def test_items_in_forms_are_found_too(tmp_path: Path, more: str, key: str) -> None:
    text = PROFILE.replace('fields: {ten: "{{ dossier.applicant }}"}', f'form: {{from_page: "form", {more}}}')
    problem = the_problem(tmp_path, text)
    assert problem.key == f"{SUBMIT}.{key}"
    assert problem.line == 20
    assert "dossier.field is not known" in problem.expected


@pytest.mark.parametrize(
    ("more", "key", "expected"),
    [
        ("expect: {final_url: '/{{ code }}'}", "expect.final_url", "a regular expression without {{ … }}"),
        ("expect: {redirect_to: '/{{ code }}'}", "expect.redirect_to", "a regular expression without {{ … }}"),
        ("expect: {require_selector: 'b[id=\"{{ code }}\"]'}", "expect.require_selector.0.css", "a CSS selector without {{ … }}"),
        ("expect: {json: {path: 'a[?b==`{{ code }}`]', present: true}}", "expect.json.0.path", "a JMESPath expression without {{ … }}"),
        ("expect: {header: {Location: '{{ code }}'}}", "expect.header.Location", "a regular expression without {{ … }}"),
        ("expect: {content_type: '{{ code }}'}", "expect.content_type", "a text without {{ … }}"),
        ("expect: {forbid_text: {text: a, means: '{{ code }}'}}", "expect.forbid_text.0.means", "a text without {{ … }}"),
        ("timeout_s: 2\n            content_type: '{{ code }}'", "content_type", "a text without {{ … }}"),
        ("keep_page: '{{ code }}'", "keep_page", "small letters a to z, digits and underscores"),
    ],
)  # fmt: skip
def test_what_is_no_template_is_refused_with_one_in_it(tmp_path: Path, more: str, key: str, expected: str) -> None:
    problem = the_problem(tmp_path, PROFILE.replace("# MORE", more))
    assert problem.key == f"{SUBMIT}.{key}"
    assert expected in problem.expected


def test_a_form_of_a_page_that_nobody_keeps_is_found(tmp_path: Path) -> None:
    text = PROFILE.replace('fields: {ten: "{{ dossier.applicant }}"}', "form: {from_page: form, page: start}")
    problem = the_problem(tmp_path, text)
    assert (problem.line, problem.key, problem.expected) == (
        20,
        f"{SUBMIT}.form.page",
        "a page that a request keeps by `keep_page` (none does)",
    )
    assert compiled(tmp_path, text.replace("extract: {code:", "keep_page: start\n            extract: {code:")).goals


def test_the_text_of_a_wall_is_no_template(tmp_path: Path) -> None:
    problem = the_problem(tmp_path, PROFILE.replace("absent:", 'blocked_when: [{name: w, text: "{{ code }}"}]\nabsent:'))
    assert (problem.key, problem.line) == ("blocked_when.0", 5)


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "expected"),
    [
        ('            receipt: {code: "{{ receipt }}"}\n', "", 14, "goals.file", "a `receipt` of kind dossier in one of the requests of goal file"),
        ('receipt: {code: "{{ receipt }}"}', 'receipt: {code: "{{ receipt }}", kind: payment}', 14, "goals.file", "of kind dossier"),
        ('            confirms: {code: "{{ receipt }}"}\n', "", 24, "goals.track", "`confirms` in one of the requests of goal track"),
    ],
)  # fmt: skip
def test_goals_that_could_not_be_judged_are_refused(tmp_path: Path, old: str, new: str, line: int, key: str, expected: str) -> None:
    assert old in PROFILE
    problem = the_problem(tmp_path, PROFILE.replace(old, new))
    assert (problem.line, problem.key) == (line, key)
    assert expected in problem.expected
    assert problem.remedy


def test_a_wrong_name_is_told_once_with_all_its_lines(tmp_path: Path) -> None:
    text = PROFILE.replace("extract: {receipt: {css", "extract: {recipt: {css")
    problem = the_problem(tmp_path, text.replace('"{{ receipt }}"}\n    steps:\n      - step: submit', '"{{ page.url }}"}\n    steps:\n      - step: submit').replace("  track:", "  track:", 1)
                          .replace('confirms: {code: "{{ receipt }}"}', 'confirms: {code: "{{ receit }}"}').replace('receipt: {code: "{{ receipt }}"}', 'receipt: {code: "{{ receit }}"}'))  # fmt: skip
    assert (problem.line, problem.key) == (23, f"{SUBMIT}.receipt.code")
    assert problem.expected.endswith("receit is not")
    assert problem.remedy.endswith("Also at line 30.")


def test_a_mapping_as_receipt_has_its_items_while_the_citizen_is_there(tmp_path: Path) -> None:
    text = PROFILE.replace('gives: {receipt: "{{ receipt }}"}', 'gives: {receipt: {code: "{{ ma }}", key: "{{ fee }}"}}')
    text = text.replace("extract: {receipt:", "extract: {ma:").replace('receipt: {code: "{{ receipt }}"}', 'receipt: {code: "{{ ma }}"}')
    tracked = text.replace('confirms: {code: "{{ receipt }}"}', 'confirms: {code: "{{ receipt.code }}"}')
    assert compiled(tmp_path, tracked).goals
    whole = the_problem(tmp_path, text)
    assert (whole.line, whole.expected) == (30, "a text; receipt is a mapping")
    unknown = the_problem(tmp_path, tracked.replace("receipt.code", "receipt.number"))
    assert "one of receipt.code, receipt.key; receipt.number is not known" in unknown.expected
    withdrawn = tracked.replace("absent: {pay: a, withdraw: a}", "absent: {pay: a}") + (
        '  withdraw:\n    gives: {withdrawn: "1"}\n    steps: [{step: withdraw, requests: [{post: "/rut", fields: {ma: "{{ receipt }}", khoa: "{{ receipt.key }}"}}]}]\n'
    )
    problem = the_problem(tmp_path, withdrawn)
    assert (problem.line, problem.value) == (33, "'{{ receipt.key }}'")
    assert problem.expected.startswith("`receipt` alone: a withdrawal knows the code of the ledger")
    assert "receipt.number is not known" in the_problem(tmp_path, withdrawn.replace("receipt.key", "receipt.number")).expected
    itself = the_problem(tmp_path, tracked.replace('{code: "{{ ma }}", key:', '{code: "{{ ma }}", receipt:'))
    assert itself.expected == "items of receipt with other names than its own"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("poll: {until: {}}", "at least one rule in `until`"),
        ("poll: {until: {values: {fee: 1}}}", "no `values` in `until`"),
        ("poll: {until: {require_text: a}, every_s: 5, limit_s: 2}", "`limit_s` of at least `every_s`"),
        ("poll: {until: {status: 404}}", "the statuses of `poll.until` in `expect.status` too: an answer with 404 fails"),
        ("expect: {values: {gone: 1}}", "`expect.values` of what this request extracts; gone is not under `extract`"),
        ("expect: {values: {fee: {above: 1, below: 2}}}", "exactly one of equals, matches"),
        ("expect: {values: {fee: {equals: 1, blame: ours}}}", "`blame: ours` only with"),
        ("let: {a: '1'}\n            extract: {fee: {css: b, one: frist}}", "first, last, random, or a number"),
    ],
)  # fmt: skip
def test_rules_that_could_never_be_judged_are_refused(tmp_path: Path, more: str, expected: str) -> None:
    text = PROFILE.replace("# MORE", more)
    if "one: frist" in more:
        text = text.replace('            extract: {receipt: {css: "#ma"}, fee: {css: "#phi"}}\n', "")
    assert expected in the_problem(tmp_path, text).expected


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ("# MORE", "expect: {forbid_text: {txet: a}}", f"{SUBMIT}.expect.forbid_text.0.txet", "`text`"),
        ("# MORE", "expect: {require_selector: [{ccs: a}]}", f"{SUBMIT}.expect.require_selector.0.ccs", "`css`"),
        ("step: submit", "stpe: submit", "goals.file.steps.0.stpe", "`step`"),
        ("# MORE", "expect: {json: {paht: a, equals: 1}}", f"{SUBMIT}.expect.json.0.paht", "`path`"),
        ("# MORE", "exepct: {status: 200}", f"{SUBMIT}.exepct", "a key that is known here"),
        ("receipt: {code:", "receipt: {kode:", f"{SUBMIT}.receipt.kode", "`code`"),
    ],
)  # fmt: skip
def test_a_misspelt_key_is_one_mistake(tmp_path: Path, old: str, new: str, key: str, expected: str) -> None:
    problem = the_problem(tmp_path, PROFILE.replace(old, new))
    assert (problem.key, problem.expected) == (key, expected)


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "expected"),
    [
        ("absent: {pay: a,", "absent: {pay: a, track: a,", 5, "absent.track", "no goal that is described under `goals`; track is"),
        ("absent: {pay: a,", "absent: {pay: a, trakc: a,", 5, "absent.trakc", "one of find, file, pay, track, withdraw"),
        ("# MORE", "bearer: citizn", 21, f"{SUBMIT}.bearer", "a bearer under `bearers` (none)"),
        ("step: submit", "{step: log_in, use: vneid}\n      - step: submit", 17, "goals.file.steps.0.use", "a flow under `flows` (none)"),
        ("step: submit", "goal: pai\n        step: submit", 17, "goals.file.steps.0.goal", "one of find, file, pay, track, withdraw"),
        ("absent:", "expect_everywhere: {values: {fee: 1}}\nabsent:", 5, "expect_everywhere.values", "no `values`: each request extracts its own"),
    ],
)  # fmt: skip
def test_what_does_not_hold_together_is_told_with_its_own_line(
    tmp_path: Path, old: str, new: str, line: int, key: str, expected: str
) -> None:
    problem = the_problem(tmp_path, PROFILE.replace(old, new, 1))
    assert (problem.line, problem.key, problem.expected) == (line, key, expected)


def test_every_mistake_of_a_profile_is_told_at_once(tmp_path: Path) -> None:
    text = PROFILE.replace("absent: {pay: a, withdraw: a}", "absent: {pay: a}").replace('gives: {status: "1"}', "gives: {}")
    _, problems = read(tmp_path, text.replace("# MORE", "bearer: citizn"))
    assert [(problem.line, problem.value) for problem in problems] == [(6, "without withdraw"), (25, "without status"), (21, "'citizn'")]


def test_a_name_that_the_harness_sets_itself_is_not_learned(tmp_path: Path) -> None:
    for more, key in (('let: {page: "2"}', "let.page"), ("repeat: {times: 2, item: form}", "repeat.item")):
        problem = the_problem(tmp_path, PROFILE.replace("# MORE", more))
        assert problem.key == f"{SUBMIT}.{key}"
        assert problem.expected.startswith("a name that the harness does not set itself, unlike ")


def test_what_a_citizen_is_and_writes_is_what_the_language_says() -> None:
    person = synthetic_person(1, "r", 0)
    assert person.values.keys() == ITEMS["person"]
    assert person.dossier_for(None).keys() == ITEMS["dossier"]


BY_ITSELF = """  withdraw:
    gives: {withdrawn: "{{ receipt }}"}
    steps:
      - step: withdraw
        requests:
"""


@pytest.mark.parametrize(
    ("requests", "key", "value", "told"),
    [
        ('- delete: "{{ origin.portal }}/{{ fee }}"', ".0", "'{{ fee }}'", "Add fee to `keep` of the receipt"),
        (
            '- {post: "{{ form.action }}", form: {from_page: form}}',
            ".0.form",
            "'form'",
            "a page with this form, asked for in this goal before",
        ),
        (
            '- {get: "{{ origin.portal }}/{{ receipt }}", extract: {own: {css: a}}}\n          - {post: "/{{ own }}", expect: {require_text: "{{ fee }}"}}',
            ".1",
            "'{{ fee }}'",
            "fee is not",
        ),
    ],
    ids=["not kept", "form without a page", "expected"],
)
def test_a_withdrawal_that_cannot_be_walked_after_a_sweep_is_refused(
    requests: str, key: str, value: str, told: str, tmp_path: Path
) -> None:
    text = PROFILE.replace("absent: {pay: a, withdraw: a}", "absent: {pay: a}") + BY_ITSELF + f"          {requests}\n"
    problem = the_problem(tmp_path, text)
    assert (problem.key, problem.value) == (f"goals.withdraw.steps.0.requests{key}", value)
    assert told in f"{problem.expected} {problem.remedy}"
    kept = text.replace('receipt: {code: "{{ receipt }}"}', 'receipt: {code: "{{ receipt }}", keep: [fee]}')
    if "form" not in requests:
        assert compiled(tmp_path, kept)
