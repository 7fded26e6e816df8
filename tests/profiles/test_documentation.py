"""docs/profiles.md: every example is of the language, and everything in the language is in the document."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.catalog.answer_rules import AddressRule, Expect, JsonRule, SelectorRule, StatusRule, TextRule, ValueRule
from harness.catalog.authorisation import Authorisation
from harness.catalog.platform import GOALS, Bearer, BlockRule, Goal, Platform, Pool, ProfileSource, Step, Wall, WallFile
from harness.catalog.portal import PortalFile
from harness.catalog.profile import (
    ITEMS,
    Confirmation,
    ElementRule,
    Extract,
    File,
    Form,
    Matching,
    NamedFile,
    Option,
    Poll,
    ReceiptRule,
    Repeat,
    Request,
)
from harness.errors import CatalogError
from harness.profiles import compile_platform
from harness.profiles.functions import FUNCTIONS, load_functions
from harness.profiles.scope import TEXTS

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


MODELS: dict[str, type[Any]] = {
    "profile": Platform, "`known_from`": ProfileSource, "a goal": Goal, "a step": Step, "a request": Request, "`repeat`": Repeat, "`poll`": Poll,
    "`receipt`": ReceiptRule, "`confirms`": Confirmation, "`expect`, `expect_everywhere`, `until`": Expect, "a text rule": TextRule,
    "a selector rule": SelectorRule, "a status rule": StatusRule, "an address rule": AddressRule, "a JSON rule": JsonRule, "a rule of `values`": ValueRule,
    "`extract`": Extract, "`from_page`, `within`": ElementRule, "`form`": Form, "`choose`": Option, "`set_matching`": Matching, "`upload`": File,
    "`files`": NamedFile, "`blocked_when`": BlockRule, "a wall of `walls/`": Wall, "a file of `walls/`": WallFile, "`bearers`": Bearer, "`pools`": Pool,
}  # fmt: skip


def table_under(line: str) -> dict[str, str]:
    """The rows of the table below a line, by their first cell."""
    text = TEXT.split(f"\n{line}", 1)[1]
    rows = [row.strip("|").split("|", 1) for row in text[text.index("|---") :].split("\n\n", 1)[0].splitlines()[1:]]
    return {first.strip(): second.strip() for first, second in rows}


def named(cell: str) -> set[str]:
    return set(re.findall(r"`([a-z_0-9]+)`", cell))


def models_of(found: type[Any], *, into: set[type[Any]]) -> set[type[Any]]:
    """A model and every model in its fields."""
    if found in into:
        return into
    into.add(found)
    for field in found.model_fields.values():
        for each in re.findall(r"harness\.catalog\.(\w+)\.(\w+)", repr(field.annotation) + repr(field.metadata)):
            models_of(getattr(import_module(f"harness.catalog.{each[0]}"), each[1]), into=into)
    return into


def test_every_key_is_in_the_document_and_nothing_else() -> None:
    rows = table_under("## Every key")
    assert rows.keys() == MODELS.keys()
    assert {label: named(cell) for label, cell in rows.items()} == {
        label: {field.alias or name for name, field in model.model_fields.items()} for label, model in MODELS.items()
    }


def test_every_model_of_the_language_is_in_the_document() -> None:
    language = models_of(WallFile, into=models_of(Platform, into=set()))
    assert language == set(MODELS.values())


def test_every_item_of_what_a_template_knows_is_in_the_document_and_nothing_else() -> None:
    rows = table_under("with its lines.")
    stated = {name.strip("`"): named(cell.partition("(`form.")[0]) - {"file", "withdraw", "gives"} for name, cell in rows.items()}
    assert {name: stated[name] for name in ITEMS} == ITEMS
    others = named(" ".join(name for name in rows if name.startswith("`"))) - ITEMS.keys()
    assert others == TEXTS | {name for goal in GOALS.values() for name in goal.inputs if name not in ITEMS}


def test_every_function_is_in_the_document_and_nothing_else() -> None:
    table = TEXT.split("| functions | |", 1)[1].split("\n\n", 1)[0]
    spans = " ".join(span for span in re.findall("`([^`]+)`", table) if '"' not in span)
    assert set(re.sub(r"\([^)]*\)", "", spans).split()) == FUNCTIONS.keys()


def test_functions_that_are_shipped() -> None:
    known = load_functions(ROOT / "scenarios")
    assert known["date_of_code"]("H08.12.03-230601-0042") == "230601"
    with pytest.raises(ValueError, match="not a dossier code"):
        known["date_of_code"]("0042")
    expected = "c058fdc6c59f1950c0643c545d4262b72b8475503e92e42f39d8b802eefa37e3"  # of `0|c|PAY|150000|T1|3.0`, by openssl
    assert known["payment_check_sum"]("key", "0", "c", "150000", "T1") == expected
