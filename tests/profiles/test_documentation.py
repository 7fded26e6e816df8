"""docs/profiles.md: every example is of the language, and everything in the language is in the document."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.catalog.authorisation import Authorisation
from harness.catalog.platform import GOALS, BlockRule, Platform, Pool, Wall, WallFile
from harness.catalog.portal import PortalFile
from harness.catalog.profile import Expect, Extract, Form, JsonRule, Poll, Request, SelectorRule, TextRule
from harness.errors import CatalogError
from harness.profiles import compile_platform
from harness.profiles.functions import FUNCTIONS, load_functions

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
MINIMAL: dict[str, Any] = {
    "id": "example", "name_vi": "x", "name_en": "x", "known_from": {"source": "docs"}, "absent": dict.fromkeys(("file", "pay", "track", "withdraw"), "x"),
    "goals": {"find": {"gives": {"procedure": "1"}, "steps": [{"step": "search", "requests": [{"get": "{{ origin.portal }}/"}]}]}},
}  # fmt: skip


def platform_of(block: Any) -> Platform:
    if isinstance(block, list):
        bearers = {"citizen": {"token": "{{ access_token }}", "renew": [{"get": "/", "extract": {"access_token": {"json": "a"}}}]}}
        goals = {"find": {"gives": {"procedure": "1"}, "steps": [{"step": "search", "requests": block}]}}
        return Platform.model_validate(MINIMAL | {"goals": goals, "bearers": bearers, "pools": {"accounts": {"file": "gone.csv"}}})
    return Platform.model_validate(block if "goals" in block else MINIMAL | block)


@pytest.mark.parametrize("source", BLOCKS, ids=[block.strip().splitlines()[0][:50] for block in BLOCKS])
def test_every_example_is_of_the_language(source: str) -> None:
    block = yaml.safe_load(source)
    if "portals" in block:
        assert PortalFile.model_validate(block).portals
        return
    if "walls" in block and "goals" not in block:
        assert WallFile.model_validate(block).walls
        return
    if "granted_by" in block:
        assert Authorisation.model_validate(block).hosts
        return
    try:
        compile_platform(platform_of(block), FUNCTIONS)
    except CatalogError as error:  # an example may use a name that another one learns, and a file that is not there
        others = [problem for problem in error.problems if not problem.expected.startswith(("names that are learned", "a readable UTF-8"))]
        assert not others


def test_the_first_portal_is_walked_as_it_stands() -> None:
    whole = next(yaml.safe_load(block) for block in BLOCKS if block.startswith("id: ihatemoney"))
    with pytest.raises(CatalogError) as missing:  # its data file is the reader's
        compile_platform(Platform.model_validate(whole), FUNCTIONS)
    assert [problem.key for problem in missing.value.problems] == ["pools.words"]
    assert set(whole["goals"]) == set(GOALS)


@pytest.mark.parametrize(
    "model", [Request, Extract, Form, Expect, JsonRule, Poll, TextRule, SelectorRule, BlockRule, Wall, WallFile, Pool, Platform]
)
def test_every_key_is_in_the_document(model: type[Any]) -> None:
    named = {field.alias or name for name, field in model.model_fields.items()}
    assert not {name for name in named if not re.search(rf"\b{name}\b", TEXT)}


def test_every_function_is_in_the_document() -> None:
    assert not [name for name in FUNCTIONS if not re.search(rf"\b{name}\b", TEXT)]


def test_functions_that_are_shipped() -> None:
    known = load_functions(ROOT / "scenarios")
    assert known["date_of_code"]("H08.12.03-230601-0042") == "230601"
    with pytest.raises(ValueError, match="not a dossier code"):
        known["date_of_code"]("0042")
    expected = "c058fdc6c59f1950c0643c545d4262b72b8475503e92e42f39d8b802eefa37e3"  # of `0|c|PAY|150000|T1|3.0`, by openssl
    assert known["payment_check_sum"]("key", "0", "c", "150000", "T1") == expected
