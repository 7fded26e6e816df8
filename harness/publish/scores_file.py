"""``scores.json``: checked against its published schema whenever it is written and whenever it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from harness.errors import EvidenceError, Problem
from harness.publish.document import SCHEMA, from_document
from harness.scoring.scorecard import SweepScores

# What points added up in another order may differ by; far below anything that is printed.
_POINTS_TOLERANCE = 1e-6
_MOST_PROBLEMS_SHOWN = 20


def schema() -> dict[str, Any]:
    """The JSON Schema of ``scores.json``, as it is published in ``results/schemas/``."""
    text = resources.files("harness.publish").joinpath("schemas/performance-scores-1.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def check_bytes(data: bytes, name: str) -> dict[str, Any]:
    """The document in ``data``; ``name`` is what errors call it.

    Raises EvidenceError, with all problems at once, for half a file, an unknown schema, or contents that break the contract.
    """
    document = _parse(data, name)
    found = document.get("schema") if isinstance(document, dict) else None
    if found != SCHEMA:
        remedy = "Use the version of this program that wrote the file, or export the scores again."
        raise EvidenceError(Problem(name, "schema", repr(found), repr(SCHEMA), remedy))
    errors = sorted(_validator().iter_errors(document), key=lambda error: [str(part) for part in error.absolute_path])
    problems = [_problem(error, name) for error in errors] or list(_inconsistencies(document, name))
    if problems:
        raise EvidenceError(*problems[:_MOST_PROBLEMS_SHOWN])
    checked: dict[str, Any] = document
    return checked


def read_scores(path: Path) -> SweepScores:
    """The scores in a ``scores.json``; EvidenceError if it is missing, cut short, of another schema, or contradicts itself."""
    try:
        data = path.read_bytes()
    except OSError as error:
        found = "not there" if isinstance(error, FileNotFoundError) else f"unreadable ({error.strerror})"
        remedy = "Check the path; `harness score` writes the file into the sweep's folder."
        raise EvidenceError(Problem(str(path), "path", found, "a scores.json", remedy)) from error
    return from_document(check_bytes(data, str(path)))


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def _parse(data: bytes, name: str) -> Any:
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
    except UnicodeDecodeError as error:
        found, line = f"not UTF-8 at byte {error.start}", 0
    except json.JSONDecodeError as error:
        found, line = f"not JSON ({error.msg})", error.lineno
    except ValueError as error:
        found, line = f"not JSON ({error})", 0
    remedy = "The file may have been cut short or edited: export the scores again, or copy the file again."
    raise EvidenceError(Problem(name, "file", found, "a whole JSON document", remedy, line))


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is not a JSON number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in names if names.count(key) > 1)!r} is given twice")
    return result


def _problem(error: ValidationError, name: str) -> Problem:
    key = ".".join(str(part) for part in error.absolute_path) or "document"
    value = repr(error.instance)
    shown = value if len(value) <= 80 else value[:77] + "…"
    if error.validator == "required":
        shown = "incomplete"
    return Problem(name, key, shown, error.message if len(error.message) <= 200 else f"what the schema says ({error.validator})",
                   "Export the scores again, or mend the program that wrote them.")  # fmt: skip


def _inconsistencies(document: Mapping[str, Any], name: str) -> Iterator[Problem]:
    """What a schema cannot say: portals once each, points within their bounds and adding up."""
    seen: set[str] = set()
    if document["supersedes"] is not None and document["supersedes"] >= document["revision"]:
        yield Problem(name, "supersedes", str(document["supersedes"]), "an earlier revision", "Score again.")
    for card in document["scores"]:
        at = f"scores.{card['portal']}"
        if card["portal"] in seen:
            yield Problem(name, at, "given twice", "each portal once", "Remove one of the two.")
        seen.add(card["portal"])
        yield from _bounds(at, card, card["points_assessed_max"], name)
        if card["points_assessed_max"] > document["group"]["points_max"] + _POINTS_TOLERANCE:
            expected = f"at most the group's {document['group']['points_max']}"
            yield Problem(name, f"{at}.points_assessed_max", str(card["points_assessed_max"]), expected, "Score again.")
        for criterion in card["criteria"]:
            yield from _bounds(f"{at}.criteria.{criterion['id']}", criterion, criterion["points_max"], name)
        parts = sum(criterion["points"] or 0.0 for criterion in card["criteria"])
        if card["points"] is not None and abs(parts - card["points"]) > _POINTS_TOLERANCE:
            yield Problem(name, f"{at}.points", str(card["points"]), f"the sum of its criteria, {parts!r}", "Score again.")


def _bounds(at: str, scored: Mapping[str, Any], most: float, name: str) -> Iterator[Problem]:
    if scored["points"] is not None and scored["points"] > most + _POINTS_TOLERANCE:
        yield Problem(name, f"{at}.points", str(scored["points"]), f"at most {most}", "Score again.")
    if scored["interval"] is not None and scored["interval"][0] > scored["interval"][1]:
        yield Problem(name, f"{at}.interval", str(scored["interval"]), "the lower end first", "Score again.")
