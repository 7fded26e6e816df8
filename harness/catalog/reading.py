"""Reads YAML with line numbers; reports all problems of a file at once, each with line, key, value and expectation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from harness.errors import Problem

Key = tuple[str | int, ...]


class CatalogModel(BaseModel):
    """The base of every catalog object: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


Model = TypeVar("Model", bound=BaseModel)


@dataclass
class Document:
    """A YAML file as plain data, and the line each key stands on."""

    file: str
    data: Any
    lines: dict[Key, int] = field(default_factory=dict)

    def line(self, key: Key) -> int:
        """The line of a key, or of the nearest key around it that is there."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def problem(self, key: Key, value: str, expected: str, remedy: str, *, name: str = "", line: int = 0) -> Problem:
        """A mistake at a key, which is shown as ``name`` where that says more."""
        return Problem(self.file, name or ".".join(map(str, key)) or "file", value, expected, remedy, line or self.line(key))


def read_document(path: Path, problems: list[Problem]) -> Document | None:
    """The file as data with lines; None, and more ``problems``, for syntax errors and duplicate keys."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(str(path), "file", f"unreadable ({error})", "a UTF-8 YAML file", "Check the path and the encoding."))
        return None
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.append(
            Problem(
                str(path), "file", f"not YAML ({error.problem})", "well-formed YAML",
                "Mend the syntax at this line or just above it.", mark.line + 1 if mark else 1,
            )
        )  # fmt: skip
        return None
    document = Document(str(path), None)
    before = len(problems)
    document.data = _build(root, (), document, problems) if root is not None else {}
    return document if len(problems) == before else None


def read_model(path: Path, model: type[Model], problems: list[Problem]) -> Model | None:
    """The file as a checked model; None, and more ``problems``, where it is wrong."""
    document = read_document(path, problems)
    return None if document is None else check(document, document.data, (), model, problems)


def check(document: Document, data: Any, at: Key, model: type[Model], problems: list[Problem]) -> Model | None:
    """``data``, the value at key ``at`` of the document, as a model; None, and more ``problems``, where it is wrong."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems.extend(_problems(error, document, at))
        return None


def _problems(error: ValidationError, document: Document, at: Key) -> Iterator[Problem]:
    found = error.errors(include_url=False)
    for item in found:
        length = len(item["loc"])
        if item["type"] == "too_short" and any(len(other["loc"]) > length and other["loc"][:length] == item["loc"] for other in found):
            continue  # too short only because of a wrong item, which has a problem of its own
        key = at + tuple(item["loc"])
        if item["type"] == "extra_forbidden":
            value, expected, remedy = repr(item["input"]), "a key that is known here", "Remove the key or mend its spelling."
        elif item["type"] == "missing":
            value, expected, remedy = "missing", "a value, the key is required", "Add the key."
        else:
            value, expected, remedy = repr(item["input"]), item["msg"], "Mend the value."
        shown = value if len(value) <= 120 else value[:117] + "…"
        yield document.problem(key, shown, expected, remedy)


def _build(node: yaml.Node, key: Key, document: Document, problems: list[Problem]) -> Any:
    document.lines.setdefault(key, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            name = _SCALARS.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            try:
                repeated = name in result
            except TypeError:
                problems.append(document.problem(("key",), repr(name), "a scalar as key", "Write a plain name.", line=line))
                continue
            document.lines[(*key, name)] = line
            if repeated:
                problems.append(document.problem((*key, name), "given twice", "each key once", "Remove one of the two."))
            result[name] = _build(value_node, (*key, name), document, problems)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*key, index), document, problems) for index, item in enumerate(node.value)]
    try:
        return _SCALARS.construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError) as error:
        value, line = str(getattr(node, "value", "")), node.start_mark.line + 1
        problems.append(document.problem(key, value, "a plain YAML value", f"Mend it ({error}).", line=line))
        return None


_SCALARS = yaml.SafeLoader("")
