"""Scores as the plain data of ``scores.json``, and back: contract "performance-scores/1"."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from harness.errors import EvidenceError, Problem
from harness.evidence.facts import Reason, Verdict
from harness.evidence.folder import SCORES_JSON
from harness.scoring.scorecard import CriterionScore, CriterionState, Evidence, Scorecard, SweepScores

SCHEMA: Final = "performance-scores/1"

Plain = dict[str, Any]

# What this file names; a field that scoring adds to its dataclasses is written and read under its own name.
_SWEEP_FIELDS: Final = frozenset(
    {"sweep", "revision", "supersedes", "nights", "criteria_set_id", "criteria_set_version", "criteria_set_sha256", "provisional",
     "group_id", "group_name_vi", "group_name_en", "points_max", "scorecards"}
)  # fmt: skip
_SCORECARD_FIELDS: Final = frozenset(
    {"portal", "name_vi", "name_en", "level", "verdict", "reasons", "points", "interval", "points_max", "points_assessed_max", "criteria",
     "nights", "evidence"}
)  # fmt: skip
_CRITERION_FIELDS: Final = frozenset(
    {"id", "name_vi", "name_en", "heading", "state", "reason", "points", "points_max", "interval", "interval_kind", "metric", "value",
     "value_interval", "censored", "unit", "windows", "n", "curve", "basis", "source", "selection", "per_window"}
)  # fmt: skip


def to_document(scores: SweepScores) -> Plain:
    """The scores as JSON-ready data, keys in the order in which they are written.

    Raises EvidenceError where a number is infinite or not a number: such a value must reach us as None with ``censored``.
    """
    document: Plain = {
        "schema": SCHEMA,
        "sweep": scores.sweep,
        "revision": scores.revision,
        "supersedes": scores.supersedes,
        "nights": list(scores.nights),
        "criteria_set": {
            "id": scores.criteria_set_id,
            "version": scores.criteria_set_version,
            "provisional": scores.provisional,
            "sha256": scores.criteria_set_sha256,
        },
        "group": {
            "id": scores.group_id,
            "name_vi": scores.group_name_vi,
            "name_en": scores.group_name_en,
            "points_max": scores.points_max,
        },
    }
    document |= _added(scores, _SWEEP_FIELDS)
    document["scores"] = [_scorecard(card) for card in scores.scorecards]
    problems: list[Problem] = []
    finite: Plain = _finite(document, (), problems)
    if problems:
        raise EvidenceError(*problems)
    return finite


def to_bytes(scores: SweepScores) -> bytes:
    """The bytes of ``scores.json``: the same scores give the same bytes on every machine."""
    text = json.dumps(to_document(scores), ensure_ascii=False, allow_nan=False, indent=1)
    return (text + "\n").encode()


def from_document(document: Mapping[str, Any]) -> SweepScores:
    """The scores of a document that has passed the schema; fields beyond the stable core may be absent."""
    criteria_set, group = document["criteria_set"], document["group"]
    nights = tuple(document["nights"])
    return SweepScores(
        sweep=document["sweep"],
        revision=document["revision"],
        supersedes=document["supersedes"],
        nights=nights,
        criteria_set_id=criteria_set["id"],
        criteria_set_version=criteria_set["version"],
        criteria_set_sha256=criteria_set.get("sha256", ""),
        provisional=criteria_set["provisional"],
        group_id=group["id"],
        group_name_vi=group.get("name_vi", group["id"]),
        group_name_en=group.get("name_en", group["id"]),
        points_max=group["points_max"],
        scorecards=tuple(_read_scorecard(card, nights, group["points_max"]) for card in document["scores"]),
        **_read_added(SweepScores, document, _SWEEP_FIELDS),
    )


def _scorecard(card: Scorecard) -> Plain:
    plain = {
        "portal": card.portal,
        "name_vi": card.name_vi,
        "name_en": card.name_en,
        "level": card.level,
        "verdict": card.verdict.value,
        "reasons": [{"code": reason.code, "detail": reason.detail} for reason in card.reasons],
        "points": card.points,
        "interval": _pair(card.interval),
        "points_max": card.points_max,
        "points_assessed_max": card.points_assessed_max,
        "nights": list(card.nights),
        "criteria": [_criterion(criterion) for criterion in card.criteria],
        "evidence": [{"file": evidence.file, "sha256": evidence.sha256} for evidence in card.evidence],
    }
    return plain | _added(card, _SCORECARD_FIELDS)


def _criterion(criterion: CriterionScore) -> Plain:
    plain = {
        "id": criterion.id,
        "name_vi": criterion.name_vi,
        "name_en": criterion.name_en,
        "heading": criterion.heading,
        "state": criterion.state.value,
        "reason": criterion.reason,
        "points": criterion.points,
        "points_max": criterion.points_max,
        "interval": _pair(criterion.interval),
        "interval_kind": criterion.interval_kind,
        "metric": criterion.metric,
        "value": criterion.value,
        "value_interval": _pair(criterion.value_interval),
        "censored": criterion.censored,
        "unit": criterion.unit,
        "windows": criterion.windows,
        "n": criterion.n,
        "curve": criterion.curve,
        "basis": criterion.basis,
        "source": criterion.source,
        "selection": criterion.selection,
        "per_window": [{"window": window, "value": value, "n": n} for window, value, n in criterion.per_window],
    }
    return plain | _added(criterion, _CRITERION_FIELDS)


def _added(scored: SweepScores | Scorecard | CriterionScore, written: frozenset[str]) -> Plain:
    """Fields that scoring has beyond the ones named in this file: they travel under their own names."""
    values = {field.name: getattr(scored, field.name) for field in fields(scored) if field.name not in written}
    return {name: _lists(value) for name, value in values.items()}


def _read_added(kind: type[SweepScores | Scorecard | CriterionScore], document: Mapping[str, Any], read: frozenset[str]) -> dict[str, Any]:
    present = {field.name: document[field.name] for field in fields(kind) if field.name not in read and field.name in document}
    return {name: _tuples(value) for name, value in present.items()}


def _lists(value: Any) -> Any:
    return [_lists(item) for item in value] if isinstance(value, tuple) else value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _pair(interval: tuple[float | None, float | None] | None) -> list[float | None] | None:
    return None if interval is None else list(interval)


def _finite(value: Any, at: tuple[str, ...], problems: list[Problem]) -> Any:
    """``value`` with every number as a plain int or float, without negative zero; numbers JSON cannot hold become problems."""
    if isinstance(value, dict):
        return {key: _finite(item, (*at, key), problems) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item, (*at, _name(item, index)), problems) for index, item in enumerate(value)]
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            problems.append(
                Problem(
                    SCORES_JSON,
                    ".".join(at),
                    str(value),
                    "a finite number",
                    "Censored values are null, with `censored` set: score again.",
                )
            )
            return None
        return float(value) + 0.0
    return int(value)


def _name(item: Any, index: int) -> str:
    if isinstance(item, dict):
        return str(item.get("portal") or item.get("id") or index)
    return str(index)


def _read_scorecard(card: Mapping[str, Any], nights: tuple[str, ...], points_max: float) -> Scorecard:
    return Scorecard(
        portal=card["portal"],
        name_vi=card.get("name_vi", card["portal"]),
        name_en=card.get("name_en", card["portal"]),
        level=card.get("level", ""),
        verdict=Verdict(card["verdict"]),
        reasons=tuple(_read_reasons(card)),
        points=card["points"],
        interval=_two(card["interval"]),
        points_max=card.get("points_max", points_max),
        points_assessed_max=card["points_assessed_max"],
        criteria=tuple(_read_criterion(criterion) for criterion in card["criteria"]),
        nights=tuple(card.get("nights", nights)),
        evidence=tuple(Evidence(evidence["file"], evidence["sha256"]) for evidence in card["evidence"]),
        **_read_added(Scorecard, card, _SCORECARD_FIELDS),
    )


def _read_reasons(card: Mapping[str, Any]) -> Iterator[Reason]:
    for reason in card["reasons"]:
        yield Reason(reason["code"], reason.get("detail", ""))


def _read_criterion(criterion: Mapping[str, Any]) -> CriterionScore:
    return CriterionScore(
        id=criterion["id"],
        name_vi=criterion.get("name_vi", criterion["id"]),
        name_en=criterion.get("name_en", criterion["id"]),
        heading=criterion.get("heading", ""),
        state=CriterionState(criterion["state"]),
        reason=criterion.get("reason", ""),
        points=criterion["points"],
        points_max=criterion["points_max"],
        interval=_two(criterion["interval"]),
        interval_kind=criterion.get("interval_kind", ""),
        metric=criterion["metric"],
        value=criterion["value"],
        value_interval=_two(criterion.get("value_interval")),
        censored=criterion.get("censored", False),
        unit=criterion["unit"],
        windows=criterion["windows"],
        n=criterion["n"],
        curve=criterion.get("curve", ""),
        basis=criterion["basis"],
        source=criterion.get("source", ""),
        selection=criterion.get("selection", ""),
        per_window=tuple((item["window"], item["value"], item["n"]) for item in criterion.get("per_window", ())),
        **_read_added(CriterionScore, criterion, _CRITERION_FIELDS),
    )


def _two(pair: Any) -> Any:
    return None if pair is None else (pair[0], pair[1])
