"""Nothing that a reader can meet is undocumented: commands, options, exit codes, columns, reasons, criteria, metrics, outcomes, verdicts, states."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import click
import pytest
import yaml

from harness import errors
from harness.catalog.authorisation import Authorisation
from harness.catalog.criteria import Criterion
from harness.catalog.workload import HealthLimits, Stage, Workload
from harness.cli import main
from harness.evidence import Verdict, reasons
from harness.operations.shipped import scenarios_folder, shipped_catalog
from harness.publish import history
from harness.publish.wording import PHRASES, Phrase
from harness.records import Outcome
from harness.records.step_keys import StageName
from harness.scoring.scorecard import CriterionState
from tests.docs import reference
from tests.docs.reference import reference_tables, regenerated_tables, tables_of
from tests.docs.regenerate import DOCS, PAGE, commands, documented

LOCUST_OPTIONS = DOCS.parent / "harness" / "operations" / "locust_options.py"
ANEW = "run `python -m tests.docs.regenerate`, and write what it means into the empty cells"


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def named_in(*pages: str) -> set[str]:
    """The words that stand in code letters in these pages, also with an argument behind them."""
    return {word for page in pages for code in re.findall(r"`([^`\n]+)`", text_of(page)) for word in re.findall(r"[A-Za-z_][\w-]*", code)}


def options() -> Iterator[tuple[str, click.Option]]:
    """Each option with its command."""

    def of(command: click.Command, name: str) -> Iterator[tuple[str, click.Option]]:
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield name, parameter
        if isinstance(command, click.Group):
            for each, inner in command.commands.items():
                yield from of(inner, f"{name} {each}")

    return of(main, "harness")


def undocumented_commands() -> list[str]:
    """Commands without a section, and those that the list by purpose does not name."""
    page = PAGE.read_text(encoding="utf-8")
    listed = page.partition("What there is, by purpose:")[2].partition("\n\n[load.md]")[0]
    known = commands()
    purposeless = [name for name in known if name.count(" ") == 1 and not re.search(rf"[` ]{name.partition(' ')[2]}[` ]", listed)]
    return sorted({*(set(known) - set(documented(page))), *purposeless})


def undocumented_options() -> list[str]:
    """Options that the page does not have, and those without a word about what they do."""
    page = PAGE.read_text(encoding="utf-8")
    found = []
    for name, option in options():
        block = page.partition(f"<!-- help: {name} -->\n")[2].partition("<!-- end -->")[0]
        found += [f"{name} {each}" for each in option.opts if option.hidden or not option.help or each not in re.findall(r"-[\w-]+", block)]
    return found


def undocumented_options_of_locust() -> list[str]:
    """Read from the source: to import Locust changes how this process waits."""
    added = re.findall(r'add_argument\(\s*"(--[\w-]+)"', LOCUST_OPTIONS.read_text(encoding="utf-8"))
    return [name for name in added if f"`{name}" not in text_of("load.md")]


def undocumented_exit_codes() -> list[str]:
    def kinds(kind: type[errors.HarnessError]) -> Iterator[type[errors.HarnessError]]:
        yield kind
        for each in kind.__subclasses__():
            if each.__module__.startswith("harness."):
                yield from kinds(each)

    there = dict(re.findall(r"^\| (\d+) \|[^|]*\| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    return sorted({str(kind.exit_code) for kind in kinds(errors.HarnessError)} - set(there))


def undocumented_names_of_tables() -> list[str]:
    """Names of columns, reasons, criteria and metrics that no table has, or about which nothing is written."""
    shown = {name: table for page in DOCS.rglob("*.md") for name, table in tables_of(page.read_text(encoding="utf-8")).items()}
    return [f"{name}: {each}" for name, table in reference_tables().items() for each in table.undocumented(shown.get(name, ""))]


WORDS: dict[str, tuple[Callable[[], set[str]], tuple[str, ...]]] = {
    "outcome": (lambda: set(Outcome), ("evidence.md", "glossary.md")),
    "verdict": (lambda: set(Verdict), ("import.md",)),
    "state of a criterion": (lambda: set(CriterionState), ("import.md",)),
    "stage": (lambda: set(get_args(StageName)), ("reference/columns.md",)),
    "workload": (lambda: set(shipped_catalog().workloads) - {"calibration"}, ("load.md",)),
    "key of a workload": (lambda: set(Workload.model_fields) | set(Stage.model_fields) - {"basis"}, ("load.md",)),
    "health limit": (lambda: set(HealthLimits.model_fields), ("load.md",)),
    "key of an authorisation": (lambda: set(Authorisation.model_fields), ("load.md", "authorisation.md")),
    "key of a criterion": (lambda: set(Criterion.model_fields), ("own-criteria.md",)),
}
"""Kinds of names that stand in code letters somewhere in these pages."""


def undocumented_words(kind: str) -> list[str]:
    known, pages = WORDS[kind]
    return sorted(str(name) for name in known() - named_in(*(page for page in pages if (DOCS / page).exists())))


def test_every_command_is_documented() -> None:
    assert undocumented_commands() == []


def test_every_option_is_documented() -> None:
    assert undocumented_options() == []


def test_every_option_that_locust_gets_is_documented() -> None:
    assert undocumented_options_of_locust() == []


def test_every_exit_code_is_documented() -> None:
    assert undocumented_exit_codes() == []


def test_every_column_reason_criterion_and_metric_is_documented() -> None:
    assert undocumented_names_of_tables() == [], ANEW


@pytest.mark.parametrize("kind", WORDS)
def test_every_word_is_documented(kind: str) -> None:
    assert undocumented_words(kind) == []


def test_tables_are_as_the_program_has_them() -> None:
    known, shown = reference_tables(), []
    for page in sorted(DOCS.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        shown += tables_of(text)
        assert regenerated_tables(text, known) == text, f"{page}: {ANEW}"
    assert sorted(shown) == sorted(known)


# What the tests above would say of something new.


def test_a_new_command_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(main, click.Group)
    new = click.Command("brand-new", help="Does something.", params=[click.Option(["--brand-new"], help="Something.")])
    monkeypatch.setitem(main.commands, "brand-new", new)
    assert undocumented_commands() == ["harness brand-new"]
    assert undocumented_options() == ["harness brand-new --brand-new"]


@pytest.mark.parametrize("added", [{"help": "Something."}, {"help": "Something.", "hidden": True}])
def test_a_new_option_is_noticed(monkeypatch: pytest.MonkeyPatch, added: dict[str, object]) -> None:
    assert isinstance(main, click.Group)
    score = main.commands["score"]
    monkeypatch.setattr(score, "params", [*score.params, click.Option(["--brand-new"], **added)])
    assert undocumented_options() == ["harness score --brand-new"]


def test_a_new_option_of_locust_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "options.py").write_text('parser.add_argument(\n    "--brand-new", help="Something")\n', encoding="utf-8")
    monkeypatch.setitem(globals(), "LOCUST_OPTIONS", tmp_path / "options.py")
    assert undocumented_options_of_locust() == ["--brand-new"]


def test_an_option_without_a_word_about_it_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    _, option = next(found for found in options() if found[0] == "harness score")
    monkeypatch.setattr(option, "help", None)
    assert undocumented_options() == [f"harness score {each}" for each in option.opts]


def test_a_new_exit_code_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors.DeliveryError, "exit_code", 99)
    assert undocumented_exit_codes() == ["99"]


def test_a_new_column_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_COLUMNS", (*history._COLUMNS, "brand_new"))
    assert "nights.csv: `brand_new`" in undocumented_names_of_tables()
    known = reference_tables()
    text = regenerated_tables(text_of("reference/columns.md"), known)
    assert known["nights.csv"].undocumented(tables_of(text)["nights.csv"]) == ["`brand_new`"], "its cell is empty"


def test_a_new_reason_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reasons._TEXTS, "brand_new", ("mới", "new"))
    monkeypatch.setattr(reasons, "CODES", frozenset(reasons._TEXTS))
    monkeypatch.setitem(PHRASES, "because.brand_new", Phrase("mới", "new"))
    assert {"reasons: `brand_new`", "criteria without points: `brand_new`"} <= set(undocumented_names_of_tables())


def test_a_new_criterion_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    new = yaml.safe_load((scenarios_folder() / "criteria" / "demo.yaml").read_text(encoding="utf-8"))
    new["criteria"][0]["id"] = "brand-new"
    (tmp_path / "criteria").mkdir()
    (tmp_path / "criteria" / "demo.yaml").write_text(yaml.safe_dump(new), encoding="utf-8")
    catalog = shipped_catalog(tmp_path)
    monkeypatch.setattr(reference, "shipped_catalog", lambda _: catalog)
    assert "demo@2: `brand-new`" in undocumented_names_of_tables()


@pytest.mark.parametrize("kind", WORDS)
def test_a_new_word_is_noticed(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    known, pages = WORDS[kind]
    monkeypatch.setitem(WORDS, kind, (lambda: known() | {"brand_new"}, pages))
    assert undocumented_words(kind) == ["brand_new"]
