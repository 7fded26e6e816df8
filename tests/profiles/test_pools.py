"""Pools: read as a spreadsheet saves them, and compared with what the profile and the plan need."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.catalog.platform import Platform
from harness.catalog.reading import check, read_document
from harness.errors import CatalogError, Problem
from harness.profiles import CompiledPlatform, compile_platform
from harness.profiles.functions import FUNCTIONS

PROFILE = """
id: site
name_vi: x
name_en: x
known_from: {{source: a test}}
absent: {{file: a, pay: a, track: a, withdraw: a}}
pools: {{accounts: {{file: accounts.csv{pool}}}}}
goals:
  find:
    gives: {{procedure: "1"}}
    steps:
      - step: search
        requests:
          - post: "{{{{ origin.portal }}}}/vao"
            let: {{ai: "{{{{ {take} }}}}"}}
            fields: {{ten: "{{{{ ai.ten }}}}", mat_khau: "{{{{ ai['mat_khau'] }}}}"}}
"""


def compiled(folder: Path, table: bytes, *, pool: str = "", take: str = "take('accounts')") -> CompiledPlatform:
    (folder / "platforms").mkdir()
    (folder / "platforms" / "accounts.csv").write_bytes(table)
    path = folder / "platforms" / "site.yaml"
    path.write_text(PROFILE.format(pool=pool, take=take), encoding="utf-8")
    problems: list[Problem] = []
    document = read_document(path, problems)
    assert document is not None
    model = check(document, document.data, (), Platform, problems)
    assert model is not None, problems
    return compile_platform(model.came_from(document), FUNCTIONS)


@pytest.mark.parametrize(
    "table", [b"ten;mat_khau\r\na1;m1\r\n", b"\xef\xbb\xbften,mat_khau\na1,m1\n", "ten\tmat_khau\na1\tm1".encode("utf-16")]
)
def test_a_pool_is_read_as_a_spreadsheet_saves_it(tmp_path: Path, table: bytes) -> None:
    assert compiled(tmp_path, table).pools["accounts"].rows == ({"ten": "a1", "mat_khau": "m1"},)


def test_a_missing_column_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(CatalogError) as wrong:
        compiled(tmp_path, b"tai_khoan;mat_khau\na1;m1\n")
    (problem,) = wrong.value.problems
    assert isinstance(problem, Problem)
    assert (problem.file, problem.key, problem.line) == (str(tmp_path / "platforms" / "accounts.csv"), "pools.accounts", 1)
    assert problem.value == "columns tai_khoan, mat_khau (separated by semicolon)"
    assert problem.expected == "columns mat_khau, ten; ten is missing"


def test_cells_without_a_column_are_refused_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(
        CatalogError, match=r"accounts\.csv:3: table is 3 cells, separated by comma; expected 2 cells, one for each of ten, mat_khau"
    ):
        compiled(tmp_path, b"ten,mat_khau\na1,m1\na2,m,2\n")


def test_a_pool_that_nobody_declared_is_found(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"a pool under `pools` \(accounts\); acounts is not"):
        compiled(tmp_path, b"ten,mat_khau\na1,m1\n", take="take('acounts')")


def test_a_column_that_is_taken_directly_is_checked_too(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="columns tuoi; tuoi is missing"):
        compiled(tmp_path, b"ten,mat_khau\na1,m1\n", take="take('accounts').tuoi")


def test_a_distinct_pool_needs_a_row_for_each_visit(tmp_path: Path) -> None:
    platform = compiled(tmp_path, b"ten,mat_khau\na1,m1\na2,m2\na2,m2\n")
    assert not platform.check_pools(2)
    (problem,) = platform.check_pools(3)
    assert (problem.file, problem.key) == (str(tmp_path / "platforms" / "accounts.csv"), "pools.accounts of site")
    assert (problem.value, problem.expected) == ("2 different rows", "at least 3, one for each visit of the run")


def test_a_shared_pool_needs_only_one_row(tmp_path: Path) -> None:
    assert not compiled(tmp_path, b"ten,mat_khau\na1,m1\n", pool=", distinct: false").check_pools(1_000)


def test_a_host_that_no_origin_names_is_found(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"a role of `origins` \(portal\); identity is not"):
        compiled(tmp_path, b"ten,mat_khau\na1,m1\n", take="origin.identity")


def test_a_blank_that_nobody_sees_is_named_before_it_is_sent(tmp_path: Path) -> None:
    with pytest.raises(CatalogError) as wrong:
        compiled(tmp_path, b"ten,mat_khau\na1, m1\n")
    (problem,) = wrong.value.problems
    assert isinstance(problem, Problem)
    assert (problem.key, problem.line) == ("mat_khau", 2)
