from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from harness import publish
from harness.evidence.facts import Verdict
from harness.publish.import_file import check_bytes
from harness.scoring.scorecard import CriterionState, SharedHostOutage
from tests.publish.receiver import Receiver
from tests.publish.simulated_night import reopened, with_day_and_night, with_make_up, with_unproven

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "import.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return found


def documented(section: str) -> set[str]:
    """Names in the first column of a section's table, and for objects those in their meaning."""
    table = PAGE.split(f"### {section}\n")[1].split("\n#")[0]
    return {name for line in table.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line.split("|")[1])}


def test_the_example_is_a_valid_document_that_can_be_read(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text(block("json"), encoding="utf-8")
    scores = publish.read_scores(path)
    assert [(card.portal, card.points) for card in scores.scorecards] == [("binh-dinh", 3.5), ("thua-thien-hue", None)]


def test_the_code_runs_on_the_example(tmp_path):
    (tmp_path / "scores.json").write_text(block("json"), encoding="utf-8")
    printed = subprocess.run([sys.executable, "-c", block("python")], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert printed.splitlines() == ["binh-dinh 3.5 3.2 3.7 of 4.0", "thua-thien-hue blocked ['lone_citizen_refused']"]


@pytest.mark.parametrize(("section", "name"), [("The document", ""), ("A scorecard", "scorecard"), ("A criterion", "criterion")])
def test_every_field_of_the_schema_is_documented_and_no_other(section, name):
    schema = publish.schema()
    properties = (schema["$defs"][name] if name else schema)["properties"]
    assert documented(section) == set(properties)


def test_every_exported_field_is_in_the_schema(scores, tmp_path):
    """Newer fields are left out where they hold their default, so that old evidence gives the bytes it gave."""
    schema = publish.schema()
    document = json.loads(publish.export(scores, tmp_path).read_text(encoding="utf-8"))
    card = document["scores"][0]
    assert set(document) == set(schema["properties"]) - {"shared_failures"}
    assert set(card) == set(schema["$defs"]["scorecard"]["properties"]) - {"unproven", "without_make_up", "day_and_night", "publication"}
    assert set(card["criteria"][0]) == set(schema["$defs"]["criterion"]["properties"]) - {"over"}
    changed = json.loads(
        publish.export(reopened(with_day_and_night(with_make_up(with_unproven(scores)))), tmp_path).read_text(encoding="utf-8")
    )["scores"][0]
    assert set(changed) == set(schema["$defs"]["scorecard"]["properties"])
    assert {key for criterion in changed["criteria"] for key in criterion} == set(schema["$defs"]["criterion"]["properties"])
    of_make_up = schema["$defs"]["scorecard"]["properties"]["without_make_up"]["anyOf"][0]
    of_day = schema["$defs"]["scorecard"]["properties"]["day_and_night"]["anyOf"][0]
    of_publication = schema["$defs"]["scorecard"]["properties"]["publication"]["anyOf"][0]
    assert set(changed["publication"]) == set(of_publication["properties"])
    assert set(changed["day_and_night"]) == set(of_day["properties"]) == set(of_day["required"])
    assert set(changed["without_make_up"]) == set(of_make_up["properties"]) == set(of_make_up["required"])

    outage = SharedHostOutage("http://127.0.0.1:1", "identity", "2026-11-21T22:00:00+00:00", "2026-11-21T22:09:00+00:00", 9, ("a", "b"))
    path = publish.export(replace(scores, shared_failures=(outage,)), tmp_path)
    (shown,) = json.loads(path.read_text(encoding="utf-8"))["shared_failures"]
    assert set(shown) == set(schema["properties"]["shared_failures"]["items"]["properties"])
    assert check_bytes(path.read_bytes(), "scores.json").shared_failures == (outage,)
    assert set(changed["unproven"][0]) == set(schema["$defs"]["scorecard"]["properties"]["unproven"]["items"]["properties"])


def test_the_documented_headers_are_the_ones_that_are_sent(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text(block("json"), encoding="utf-8")
    section = PAGE.split("## Receiving it over HTTP")[1]
    named = {line.split("`")[1] for line in section.splitlines() if line.startswith("| `")}
    with Receiver() as receiver:
        first, second = publish.push(receiver.url, path, drafts=True), publish.push(receiver.url, path, drafts=True)
    assert named - {"Authorization"} <= set(receiver.requests[0])
    assert receiver.requests[0]["Idempotency-Key"] == sha256(path.read_bytes()).hexdigest()
    assert (first.status, second.status) == (201, 200)


def test_the_four_rules_hold_for_the_example():
    for card in check_bytes(block("json").encode(), "example").scorecards:
        assert (card.points is None) == (card.verdict is not Verdict.VALID)
        assessed = [criterion for criterion in card.criteria if criterion.state is CriterionState.ASSESSED]
        assert card.points_assessed_max == sum(criterion.points_max for criterion in assessed)


def test_links_lead_somewhere():
    for page in (DOCS / "import.md", DOCS.parent / "results" / "README.md", DOCS / "facts.md", DOCS / "glossary.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
