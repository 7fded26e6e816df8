"""The model that reads and writes scores.json, and the schema that is published for others, say the same."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest
from pydantic import TypeAdapter

from harness import publish
from harness.errors import EvidenceError
from harness.evidence.facts import Reason
from harness.evidence.publication import FIRST_DRAFT
from harness.publish.import_file import card_digest, check_bytes
from harness.scoring.scorecard import CriterionScore, Evidence, SweepScores, WindowScore

# A document of the stable core alone lacks these; they are filled in from other fields before the model sees them.
FILLED_IN = {
    "group": {"name_vi", "name_en"},
    "scorecard": {"name_vi", "name_en", "points_max", "nights"},
    "criterion": {"name_vi", "name_en"},
}


def comparable(schema, root):
    """A schema without titles, descriptions and defaults, its references resolved, its equal spellings made one."""
    if "$ref" in schema:
        return comparable(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    plain = {key: schema[key] for key in ("type", "pattern", "minLength", "minimum", "maximum", "exclusiveMinimum") if key in schema}
    if "enum" in schema:
        return {"enum": sorted(schema["enum"])}
    if "anyOf" in schema:
        return {"anyOf": [comparable(each, root) for each in schema["anyOf"]]}
    items = [comparable(each, root) for each in schema.get("prefixItems", ())]
    if "items" in schema:
        one = comparable(schema["items"], root)
        items = [one] * schema["minItems"] if "minItems" in schema else one
    if items:
        plain["items"] = items
    if "properties" in schema:
        plain["required"] = set(schema.get("required", ()))
        plain["properties"] = {key: comparable(value, root) for key, value in schema["properties"].items()}
    return plain


def parts(schema):
    """The objects that the tests below look at one by one."""
    whole = comparable(schema, schema)
    card = whole["properties"]["scores"]["items"]
    return {
        "document": whole, "criteria_set": whole["properties"]["criteria_set"], "group": whole["properties"]["group"], "scorecard": card,
        "criterion": card["properties"]["criteria"]["items"], "evidence": card["properties"]["evidence"]["items"],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["document", "criteria_set", "group", "scorecard", "criterion", "evidence"])
def test_the_model_and_the_published_schema_have_the_same_fields_and_constraints(name):
    published = parts(publish.schema())[name]
    model = parts(TypeAdapter(SweepScores).json_schema(by_alias=True))[name]
    assert model["required"] - FILLED_IN.get(name, set()) == published["required"] - {"schema"}
    # Compared one by one above and below: whole objects, the rows of a window, and reasons, whose code must not be empty.
    apart = {"schema", "criteria_set", "group", "scores", "criteria", "evidence", "per_window", "reasons"}
    assert model["properties"].keys() | {"schema"} == published["properties"].keys() | {"schema"}
    for key in published["properties"].keys() - apart:
        assert model["properties"][key] == published["properties"][key], key


def test_a_window_of_a_criterion_is_an_object_of_the_same_fields():
    item = comparable(publish.schema()["$defs"]["criterion"]["properties"]["per_window"]["items"], {})
    values = TypeAdapter(CriterionScore).json_schema()["$defs"]["WindowScore"]["prefixItems"]
    assert tuple(item["properties"]) == WindowScore._fields
    assert item["required"] == set(WindowScore._fields)
    assert list(item["properties"].values()) == [comparable(value, {}) for value in values]


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d["scores"][0].update(points=None),
        lambda d: d["scores"][5].update(points=0.0),
        lambda d: d["scores"][5].update(interval=[0.0, 1.0]),
        lambda d: d["scores"][5]["criteria"][0].update(points=0.0),
        lambda d: d["scores"][5]["criteria"][0].update(interval=[0.0, 1.0]),
        lambda d: d["scores"][5]["reasons"][0].update(code=""),
        lambda d: d["scores"][0].update(portal=""),
        lambda d: d["scores"][0]["criteria"][0].update(windows="6"),
        lambda d: d["scores"][0]["criteria"][0].update(censored=1),
        lambda d: d["scores"][0]["criteria"][0].update(interval=[1.0]),
        lambda d: d["scores"][0]["criteria"][0]["per_window"][0].pop("n"),
        lambda d: d["scores"][0]["criteria"][0].update(interval_level=95.0),
        lambda d: d["group"].update(points_max=0),
        lambda d: d["criteria_set"].pop("version"),
        lambda d: d["scores"][0].update(publication={"state": "published"}),
        lambda d: d["scores"][0].update(publication={"since_utc": "2026-12-01T00:00:00+00:00"}),
        lambda d: d["scores"][0].update(publication={"state": "draft", "causes": [{"revision": 0, "cause": "x"}]}),
    ],
)
def test_what_breaks_the_published_schema_is_refused_when_it_is_read(scores, tmp_path, damage):
    document = json.loads(publish.export(scores, tmp_path).read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(publish.schema())
    assert validator.is_valid(document)
    damage(document)
    assert not validator.is_valid(document)
    with pytest.raises(EvidenceError):
        check_bytes(json.dumps(document).encode(), "x.json")


@pytest.mark.parametrize("found", [{"state": "final"}, {"state": "draft", "since_utc": "2026-12-01T00:00:00+00:00"}])
def test_a_state_has_a_moment_and_a_draft_has_none(scores, tmp_path, found):
    document = json.loads(publish.export(scores, tmp_path).read_text(encoding="utf-8"))
    document["scores"][1]["publication"] = found
    with pytest.raises(EvidenceError, match=r"publication\.since_utc"):
        check_bytes(json.dumps(document).encode(), "x.json")


def test_the_digest_of_a_card_is_that_of_all_but_its_publication_and_what_is_settled_elsewhere(scores):
    card = replace(scores.scorecards[0], evidence=(Evidence("a.parquet", "0" * 64), Evidence("settlements.json", "1" * 64)))
    elsewhere = replace(card, evidence=(card.evidence[0], Evidence("settlements.json", "2" * 64)))
    assert card_digest(elsewhere) == card_digest(replace(card, publication=FIRST_DRAFT)) == card_digest(card)
    others = (
        replace(card, points=1.5), replace(card, evidence=card.evidence[1:]), replace(card, criteria=card.criteria[1:]),
        replace(card, reasons=(Reason("settled_as_portal", "submit: An & Bình"),)),
    )  # fmt: skip
    assert card_digest(card) not in {card_digest(each) for each in others}


def test_a_field_of_a_later_version_is_left_alone(scores, tmp_path):
    document = json.loads(publish.export(scores, tmp_path).read_text(encoding="utf-8"))
    document["of_tomorrow"] = document["scores"][0]["of_tomorrow"] = {"x": 1}
    assert check_bytes(json.dumps(document).encode(), "x.json") == scores


def test_a_whole_number_may_be_written_with_a_point(scores, tmp_path):
    document = json.loads(publish.export(scores, tmp_path).read_text(encoding="utf-8"))
    document["scores"][0]["criteria"][0].update(windows=6.0, n=2310.0)
    assert check_bytes(json.dumps(document).encode(), "x.json") == scores
