"""``scores.json``, the file that the main evaluation imports: contract "performance-scores/1".

The fields and their constraints are those of ``harness.scoring.scorecard``. They are checked whenever the file is written or
read. A test compares them with the published JSON Schema.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from harness.errors import EvidenceError, Problem
from harness.evidence.facts import Verdict
from harness.evidence.folder import SCORES_JSON
from harness.records.files import LARGEST_JSON_BYTES, read_at_most
from harness.scoring.scorecard import CriterionScore, CriterionState, Scorecard, SweepScores

SCHEMA: Final = "performance-scores/1"

_POINTS_TOLERANCE = 1e-6  # sums in another order differ by less; printed points have fewer digits
_MOST_PROBLEMS_SHOWN = 20
_LONGEST_PORTAL = 80  # characters in a message: a file from elsewhere may hold any name


def schema() -> dict[str, Any]:
    """The JSON Schema of ``scores.json``, as it is published in ``results/schemas/``."""
    text = resources.files("harness.publish").joinpath("schemas/performance-scores-1.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def to_bytes(scores: SweepScores) -> bytes:
    """The bytes of ``scores.json``: the same scores give the same bytes on every machine.

    Raises EvidenceError for a number that is infinite or not a number; scoring must give None and ``censored`` instead.
    """
    problems: list[Problem] = []
    document = {"schema": SCHEMA} | _finite(_model().dump_python(scores, by_alias=True), (), problems)
    if problems:
        raise EvidenceError(*problems)
    return (json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def card_digest(card: Scorecard) -> str:
    """SHA-256 of one scorecard as ``scores.json`` has it, without its publication.

    The digest of settlements.json is left out: that file grows when something is settled at another portal.
    """
    data = _finite(_card_model().dump_python(replace(card, publication=None)), (card.portal,), [])
    data["evidence"] = [each for each in data["evidence"] if Path(each["file"]).name != "settlements.json"]
    return sha256(json.dumps(data, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def check_bytes(data: bytes, name: str) -> SweepScores:
    """The scores in ``data``; ``name`` is what errors call it.

    Raises EvidenceError, with all problems at once, for half a file, an unknown schema, or contents that break the contract.
    """
    document = _parse(data, name)
    found = document.get("schema") if isinstance(document, dict) else None
    if found != SCHEMA:
        remedy = "Use the version of this program that wrote the file, or export the scores again."
        raise EvidenceError(Problem(name, "schema", repr(found), repr(SCHEMA), remedy))
    _fill_in(document)
    try:
        scores = _model().validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        problems = [_problem(each, name) for each in error.errors(include_url=False)]
        raise EvidenceError(*problems[:_MOST_PROBLEMS_SHOWN]) from error
    if contradictions := list(_contradictions(scores, name)):
        raise EvidenceError(*contradictions[:_MOST_PROBLEMS_SHOWN])
    return scores


def read_scores(path: Path) -> SweepScores:
    """The scores in a ``scores.json``; EvidenceError if it is missing, cut short, of another schema, or contradicts itself."""
    try:
        data = read_at_most(path, LARGEST_JSON_BYTES)
    except OSError as error:
        found = "not there" if isinstance(error, FileNotFoundError) else f"unreadable ({error.strerror})"
        remedy = "Check the path; `harness score` writes the file into the sweep's folder."
        raise EvidenceError(Problem(str(path), "path", found, "a scores.json", remedy)) from error
    return check_bytes(data, str(path))


@cache
def _card_model() -> TypeAdapter[Scorecard]:
    return TypeAdapter(Scorecard)


@cache
def _model() -> TypeAdapter[SweepScores]:
    return TypeAdapter(SweepScores)


def _finite(value: Any, at: tuple[str, ...], problems: list[Problem]) -> Any:
    """``value`` with plain ints and floats and without negative zero; numbers that JSON cannot hold become problems."""
    if isinstance(value, dict):
        return {key: _finite(item, (*at, key), problems) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item, (*at, _name(item, index)), problems) for index, item in enumerate(value)]
    if value is None or isinstance(value, str | bool):
        return value
    if not isinstance(value, float):
        return int(value)
    if not math.isfinite(value):
        remedy = "Censored values are null, with `censored` set: score again."
        problems.append(Problem(SCORES_JSON, ".".join(at), str(value), "a finite number", remedy))
    return float(value) + 0.0


def _name(item: Any, index: int) -> str:
    if isinstance(item, dict):
        return str(item.get("portal") or item.get("id") or index)
    return str(index)


def _parse(data: bytes, name: str) -> Any:
    try:
        return json.loads(data.decode("utf-8"), parse_float=_number, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
    except UnicodeDecodeError as error:
        found, line = f"not UTF-8 at byte {error.start}", 0
    except json.JSONDecodeError as error:
        found, line = f"not JSON ({error.msg})", error.lineno
    except ValueError as error:
        found, line = f"not JSON ({error})", 0
    remedy = "The file may have been cut short or edited: export the scores again, or copy the file again."
    raise EvidenceError(Problem(name, "file", found, "a whole JSON document", remedy, line))


def _number(text: str) -> float | int:
    """JSON Schema counts 6.0 as an integer; the model's strict integers do not."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is too large for a number")
    return int(number) if number.is_integer() else number


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is not a JSON number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in names if names.count(key) > 1)!r} is given twice")
    return result


def _fill_in(document: dict[str, Any]) -> None:
    """Adds the fields outside the stable core whose value follows from another field."""
    with suppress(AttributeError, KeyError, TypeError):  # wrongly shaped: the model says where
        named = [document["group"]]
        for card in document["scores"]:
            card.setdefault("points_max", document["group"]["points_max"])
            card.setdefault("nights", document["nights"])
            named += [card, *card["criteria"]]
        for each in named:
            for key in ("name_vi", "name_en"):
                each.setdefault(key, each["portal"] if "portal" in each else each["id"])


def _problem(error: ErrorDetails, name: str) -> Problem:
    missing = error["type"] == "missing"
    key = ".".join(map(str, error["loc"][:-1] if missing else error["loc"])) or "document"
    value = repr(error["input"])
    shown = "incomplete" if missing else value if len(value) <= 80 else value[:77] + "…"
    expected = f"the field {error['loc'][-1]!r}" if missing else error["msg"].removeprefix("Input should be ")
    return Problem(name, key, shown, expected, "Export the scores again, or mend the program that wrote them.")


def _contradictions(scores: SweepScores, name: str) -> Iterator[Problem]:
    """The rules between fields: portals once each, points only where they were earned, within their bounds and adding up."""
    if scores.supersedes is not None and scores.supersedes >= scores.revision:
        yield Problem(name, "supersedes", str(scores.supersedes), "an earlier revision", "Score again.")
    yield from _no_days(scores.nights, "nights", name)
    seen: set[str] = set()
    for index, card in enumerate(scores.scorecards):
        at = f"scores.{index}"
        if card.portal in seen:
            yield Problem(name, at, f"a second entry of {card.portal}", "each portal once", "Remove one of the two.")
        seen.add(card.portal)
        yield from _no_days(card.nights, f"{at}.nights", name)
        for problem in _card_contradictions(card, at, scores.group.points_max, name):
            yield replace(problem, value=f"{problem.value} ({card.portal[:_LONGEST_PORTAL]})")


def _no_days(nights: Sequence[str], at: str, name: str) -> Iterator[Problem]:
    for night in nights:
        try:
            date.fromisoformat(night)
        except ValueError:
            yield Problem(name, at, night, "days of the calendar, for example 2026-11-21", "Mend the program that wrote them.")


def _card_contradictions(card: Scorecard, at: str, group_max: float, name: str) -> Iterator[Problem]:
    if card.verdict is Verdict.VALID and card.points is None:
        yield Problem(name, f"{at}.points", "None", "a number, because the verdict is valid", "Score again.")
    if any(not reason.code for reason in card.reasons):
        yield Problem(name, f"{at}.reasons", "a reason without a code", "a code in each", "Score again.")
    if card.points_assessed_max > group_max + _POINTS_TOLERANCE:
        yield Problem(name, f"{at}.points_assessed_max", str(card.points_assessed_max), f"at most the group's {group_max}", "Score again.")
    yield from _bounds(at, card, card.points_assessed_max, name, scored=card.verdict is Verdict.VALID)
    for index, criterion in enumerate(card.criteria):
        assessed = criterion.state is CriterionState.ASSESSED
        yield from _bounds(f"{at}.criteria.{index}", criterion, criterion.points_max, name, scored=assessed)
    if card.publication is not None and (card.publication.state == "draft") != (not card.publication.since_utc):
        expected = "a moment in every state but draft"
        yield Problem(name, f"{at}.publication.since_utc", repr(card.publication.since_utc), expected, "Score again.")
    parts = sum(criterion.points or 0.0 for criterion in card.criteria)
    if card.points is not None and abs(parts - card.points) > _POINTS_TOLERANCE:
        yield Problem(name, f"{at}.points", str(card.points), f"the sum of its criteria, {parts!r}", "Score again.")


def _bounds(at: str, line: Scorecard | CriterionScore, most: float, name: str, *, scored: bool) -> Iterator[Problem]:
    if not scored:
        for key, value in (("points", line.points), ("interval", line.interval)):
            if value is not None:
                yield Problem(name, f"{at}.{key}", str(value), "null, because it was not scored", "Score again.")
    if line.points is not None and line.points > most + _POINTS_TOLERANCE:
        yield Problem(name, f"{at}.points", str(line.points), f"at most {most}", "Score again.")
    if line.interval is not None and line.interval[0] > line.interval[1]:
        yield Problem(name, f"{at}.interval", str(list(line.interval)), "the lower end first", "Score again.")
