"""Records to plain data and back: mappings, lists and numbers, as JSON and msgpack carry them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from harness.errors import EvidenceError, Problem
from harness.records.files import read_json

Record = TypeVar("Record")

_ADAPTERS: dict[type, TypeAdapter[Any]] = {}


def _adapter(kind: type) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def to_plain(record: Any) -> Any:
    """A record as plain data, a mapping of its fields."""
    return _adapter(type(record)).dump_python(record)


def from_plain(kind: type[Record], data: Any) -> Record:
    """A record from plain data. Fields that are not there get their defaults, unknown ones are ignored; ValueError says what does not fit."""
    try:
        record: Record = _adapter(kind).validate_python(data)
    except ValidationError as error:
        said = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_url=False)[:3])
        raise ValueError("; ".join(said)) from error
    return record


def read_record(kind: type[Record], path: Path) -> Record:
    """A record from its JSON file; EvidenceError where it is missing or does not fit."""
    try:
        return from_plain(kind, read_json(path))
    except ValueError as error:
        problem = Problem(str(path), "content", f"unreadable ({error})", "the file as it was written", "Restore it from the archive.")
        raise EvidenceError(problem) from error
