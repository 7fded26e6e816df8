"""What is our own fault, or that of our test data, is dropped and named; nothing that is missing is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from harness.catalog.platform import Platform
from harness.catalog.reading import check, read_document
from harness.errors import CatalogError
from harness.profiles import compile_platform
from harness.records import Outcome

from .conftest import Walker, walk
from .sloppy_site import Site, paths, platform, requests


def test_a_pool_that_runs_dry_is_ours(site: Site, walker: Walker, tmp_path: Path) -> None:
    (tmp_path / "platforms").mkdir()
    (tmp_path / "platforms" / "codes.csv").write_text("code\nH1\nH2\n", encoding="utf-8")
    path = tmp_path / "platforms" / "site.yaml"
    path.write_text(
        """
id: site
name_vi: x
name_en: x
known_from: {source: a test}
absent: {file: a, pay: a, track: a, withdraw: a}
pools: {codes: {file: codes.csv}}
goals:
  find:
    gives: {procedure: "1"}
    steps: [{step: search, requests: [{get: "{{ origin.portal }}/{{ take('codes').code }}"}]}]
""",
        encoding="utf-8",
    )
    problems: list[Any] = []
    document = read_document(path, problems)
    assert document is not None
    model = check(document, document.data, (), Platform, problems)
    assert model is not None
    compiled = compile_platform(model.came_from(document))
    assert [walk(site, walker, compiled, visit=visit).failure for visit in (0, 1)] == [None, None]
    assert paths(site) == ["/H1", "/H2"]
    walked = walk(site, walker, compiled, visit=2)
    assert walked.rows[0].outcome is Outcome.DROPPED

    path.write_text(
        path.read_text(encoding="utf-8").replace("codes.csv", "gone.csv").replace("take('codes').code", "kwyword"), encoding="utf-8"
    )
    document = read_document(path, problems)
    assert document is not None
    broken = check(document, document.data, (), Platform, problems)
    assert broken is not None
    with pytest.raises(CatalogError) as wrong:
        compile_platform(broken.came_from(document))
    assert [(problem.line, problem.key) for problem in wrong.value.problems] == [
        (11, "goals.find.steps.0.requests.0.get"),
        (7, "pools.codes"),
    ]


@pytest.mark.parametrize(
    ("line", "rows", "detail"),
    [
        ('{get: "{{ origin.portal }}/{{ person.phonee }}"}', ["dropped"], "values of `person`: there is no 'phonee' among name, "),
        ("{get: \"{{ origin.portal }}/{{ secret('key') }}\"}", ["dropped"], "secrets.key of site is not declared"),
        ('{get: "{{ origin.portal }}/a", expect: {require_text: "{{ person.phonee }}"}}', ["dropped"], "values of `person`"),
        ('{get: "{{ origin.portal }}/a", only_if: "{{ person.phonee }}"}', ["dropped"], "values of `person`"),
        ('{get: "{{ origin.portal }}/a", receipt: {code: "{{ person.phonee }}"}}', ["ok", "dropped"], "values of `person`"),
        ('{get: "{{ origin.portal }}/a", repeat: {over: "{{ person.phonee }}", item: i}}', ["dropped"], "values of `person`"),
    ],
)
def test_what_our_own_files_lack_is_dropped_and_named(site: Site, walker: Walker, line: str, rows: list[str], detail: str) -> None:
    walked = walk(site, walker, platform(requests(line)))
    assert walked.failure is not None
    assert walked.failure.outcome is Outcome.DROPPED
    assert detail in walked.failure.detail
    assert [row.outcome for row in walked.requests] == rows
    assert walked.rows[-1].outcome is Outcome.DROPPED


OURS = "means: sold_out, blame: ours"


@pytest.mark.parametrize(
    ("path", "expect", "outcome", "means"),
    [
        ("/sold-out", f"{{forbid_text: {{text: hết vé, {OURS}}}}}", Outcome.DROPPED, "sold_out"),
        ("/sold-out", f"{{forbid_selector: {{css: '#het', {OURS}}}}}", Outcome.DROPPED, "sold_out"),
        ("/sold-out?status=409", f"{{forbid_text: {{text: hết vé, {OURS}}}}}", Outcome.DROPPED, "sold_out"),
        ("/sold-out?status=503", f"{{forbid_text: {{text: hết vé, {OURS}}}}}", Outcome.DROPPED, "sold_out"),
        ("/sold-out.json", f"{{json: {{path: error, present: false, {OURS}}}}}", Outcome.DROPPED, "sold_out"),
        ("/sold-out.json?status=422", f"{{json: {{path: error, present: false, {OURS}}}}}", Outcome.DROPPED, "sold_out"),
        ("/a", f"{{json: {{path: error, present: false, {OURS}}}}}", Outcome.WRONG_CONTENT, "sold_out"),
        ("/a", f"{{forbid_text: {{text: hết vé, {OURS}}}, require_text: Đã đặt}}", Outcome.WRONG_CONTENT, ""),
        ("/busy", f"{{forbid_text: {{text: hết vé, {OURS}}}}}", Outcome.NOT_SERVED, ""),
        ("/sold-out?status=500", "{forbid_text: {text: hết vé, means: sold_out}}", Outcome.HTTP_ERROR, "sold_out"),
    ],
)
def test_what_the_portal_rightly_refuses_is_dropped_and_named(
    site: Site, walker: Walker, path: str, expect: str, outcome: Outcome, means: str
) -> None:
    walked = walk(site, walker, platform(requests(f'{{get: "{{{{ origin.portal }}}}{path}", expect: {expect}}}')))
    assert walked.failure is not None
    assert (walked.failure.outcome, walked.failure.means) == (outcome, means)
    assert [row.outcome for row in walked.rows] == [outcome, outcome]


@pytest.mark.parametrize(
    "expect",
    ["{require_text: {text: a, blame: ours}}", "{require_selector: {css: a, blame: ours}}", "{json: {path: a, equals: 1, blame: ours}}"],
)
def test_what_is_missing_is_never_our_fault(expect: str) -> None:
    with pytest.raises(ValidationError, match="`blame: ours` only with forbid_text"):
        platform(requests(f'{{get: "/", expect: {expect}}}'))


def test_what_a_goal_gives_from_our_own_files_is_dropped_too(site: Site, walker: Walker) -> None:
    walked = walk(site, walker, platform(requests('{get: "{{ origin.portal }}/a"}'), "{procedure: '{{ person.phonee }}'}"))
    assert walked.failure is not None
    assert (walked.failure.outcome, walked.failure.step) == (Outcome.DROPPED, "search")
