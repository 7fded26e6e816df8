"""Reads YAML with line numbers; reports all problems of a file at once, each with line, key, value and expectation.

A value is what is written (`harness.catalog.scalars`), a key is a text, and merge keys are merged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from yaml.reader import Reader

from harness.catalog.scalars import QUOTE_OR, QUOTED, TAG, MisreadError, UnclearScalarError, line_of, scalar_value
from harness.catalog.text_file import has_blank_edges, read_text_file
from harness.errors import Problem, did_you_mean

Key = tuple[str | int, ...]

LARGEST_BYTES: Final = 5_000_000
"""Of a file (assumed: the largest shipped one has 46,000)."""
DEEPEST: Final = 100
"""Levels of a file (assumed: the deepest shipped one has 11)."""
MOST_VALUES: Final = 200_000
"""Values of a file with its aliases written out (assumed: the largest shipped one has 1,190)."""

_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class CatalogModel(BaseModel):
    """The base of every catalog object: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)


class Mistake(NamedTuple):
    """A mistake below the key of a model, found by comparing several of its keys."""

    key: Key
    value: str
    expected: str
    remedy: str


class MistakesError(ValueError):
    """Raised by a validator of a model that knows where its mistakes stand."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(f"{'.'.join(map(str, each.key))}: {each.expected}" for each in mistakes))
        self.mistakes = mistakes


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

    def key_of(self, text: str, within: Key) -> Key | None:
        """The first key at or below ``within`` whose value, or whose own name, is this text."""
        data = self.data
        try:
            for part in within:
                data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
        return next((within + key for key in _keys_of(text, data)), None)

    def problem(self, key: Key, value: str, expected: str, remedy: str, *, name: str = "", line: int = 0) -> Problem:
        """A mistake at a key, which is shown as ``name`` where that says more."""
        return Problem(self.file, name or ".".join(map(str, key)) or "file", value, expected, remedy, line or self.line(key))


def _keys_of(text: str, data: Any) -> Iterator[Key]:
    if data == text:
        yield ()
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, value in inner:
        if name == text:
            yield (name,)
        yield from ((name, *key) for key in _keys_of(text, value))


def read_document(path: Path, problems: list[Problem]) -> Document | None:
    """The file as data with lines; None, and more ``problems``, for what is no YAML, or YAML that may mean two things."""
    text = read_text_file(path, "a YAML file", problems, most_bytes=LARGEST_BYTES)
    return None if text is None else document_of(text, str(path), problems)


def document_of(text: str, file: str, problems: list[Problem]) -> Document | None:
    """A text that came from ``file``, as ``read_document`` reads one."""
    before = len(problems)
    if (root := _composed(text, file, problems)) is None:
        return None
    document = Document(file, None)
    try:
        document.data = _Building(document, text, problems).value(root, ())
    except _TooManyValuesError:
        value, expected = f"more than {MOST_VALUES} values", f"at most {MOST_VALUES}, with every alias written out"
        problems.append(document.problem((), value, expected, "Remove aliases that hold aliases."))
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
        problems.extend(_problems(error, document, at, model))
        return None


def _problems(error: ValidationError, document: Document, at: Key, model: type[BaseModel]) -> Iterator[Problem]:
    found = error.errors(include_url=False)
    for item in found:
        length = len(item["loc"])
        if item["type"] == "too_short" and any(len(other["loc"]) > length and other["loc"][:length] == item["loc"] for other in found):
            continue  # too short only because of a wrong item, which has a problem of its own
        if item["type"] == "missing" and _misspelt(item["loc"], found):
            continue
        key, line = at + tuple(item["loc"]), 0
        if isinstance(several := item.get("ctx", {}).get("error"), MistakesError):
            yield from (document.problem(key + each.key, each.value, each.expected, each.remedy) for each in several.mistakes)
            continue
        value, expected, remedy = repr(item["input"]), item["msg"].removeprefix("Value error, "), "Mend the value."
        if item["type"] == "extra_forbidden":
            meant = [f"`{other['loc'][-1]}`" for other in found if other["type"] == "missing" and _misspelt(other["loc"], [item])]
            likely = "" if meant else did_you_mean(str(item["loc"][-1]), _keys_at(model, item["loc"][:-1]))
            expected, remedy = ", ".join(meant) or "a key that is known here", f"{likely}Remove the key or mend its spelling."
        elif item["type"] == "literal_error" and isinstance(item["input"], str):
            known = re.findall(r"'([^']+)'", item["ctx"]["expected"])
            remedy = f"{did_you_mean(item['input'], known)}Mend the value."
        elif item["type"] == "missing":
            value, expected, remedy = "missing", "a value, the key is required", "Add the key."
        elif item["type"] in ("string_type", "model_type") and isinstance(item["input"], bool | int | float):
            expected, remedy = f"{item['msg']}: a text", "Put it in quotation marks."
        elif isinstance(misread := item.get("ctx", {}).get("error"), MisreadError):
            value, expected, remedy, line = misread.value.written, str(misread), QUOTE_OR, misread.value.line
        shown = value if len(value) <= 120 else value[:117] + "…"
        yield document.problem(key, shown, expected, remedy, line=line)


def _misspelt(missing: tuple[int | str, ...], found: Sequence[ErrorDetails]) -> bool:
    """Whether a key is missing only because it is misspelt, which is a problem of its own."""
    beside = [str(other["loc"][-1]) for other in found if other["type"] == "extra_forbidden" and other["loc"][:-1] == missing[:-1]]
    return bool(get_close_matches(str(missing[-1]), beside))


def _keys_at(model: type[BaseModel], place: Sequence[int | str]) -> set[str]:
    """The keys that are allowed at a place below a model; of all models that may stand there, where these are several."""
    models = {model}
    for part in place:
        fields = [field for each in models for name, field in each.model_fields.items() if part in (name, field.alias)]
        models = {inner for field in fields for inner in _models_in(field.annotation)} or models  # a position, an id, or which of a union
    return {field.alias or name for each in models for name, field in each.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _composed(text: str, file: str, problems: list[Problem]) -> yaml.Node | None:
    """The nodes of the only document in a text; None, and one of ``problems``, where there is none."""

    def wrong(value: str, expected: str, remedy: str, line: int) -> None:
        problems.append(Problem(file, "file", value, expected, remedy, line))

    if strange := Reader.NON_PRINTABLE.search(text):
        value, line = f"not YAML (character U+{ord(strange.group()):04X})", text.count("\n", 0, strange.start()) + 1
        wrong(value, "well-formed YAML, without control characters", "Remove the character; text editors show it on demand.", line)
        return None
    try:
        if deep := _too_deep(text):
            wrong(f"more than {DEEPEST} levels", f"at most {DEEPEST} levels", "Remove brackets or indentation.", deep)
            return None
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        value = f"not YAML ({error.problem or error.context})"
        wrong(value, "well-formed YAML", "Mend the syntax at this line or just above it.", mark.line + 1 if mark else 1)
        return None
    except (yaml.YAMLError, UnicodeError) as error:
        wrong(f"not YAML ({error})", "well-formed YAML", "Mend the file.", 1)
        return None
    if root is None:
        wrong("empty", "a YAML file with keys", "Write the keys, or remove the file.", 1)
    return root


def _too_deep(text: str) -> int:
    """The line on which a text is nested too deeply for a composer that calls itself; 0 where it is not."""
    level = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            level += 1
            if level > DEEPEST:
                return line_of(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            level -= 1
    return 0


class _TooManyValuesError(Exception):
    """A document with its aliases written out is too large."""


class _Building:
    """Plain data from the nodes of one document."""

    def __init__(self, document: Document, text: str, problems: list[Problem]) -> None:
        self._document, self._problems = document, problems
        self._text_lines = _LINE_END.split(text)
        self._open: list[yaml.Node] = []  # the collections around the current node
        self._told: set[tuple[int, str]] = set()  # mistakes that are named: an alias repeats them
        self._values = 0

    def value(self, node: yaml.Node, key: Key) -> Any:
        """What a node says."""
        self._document.lines.setdefault(key, line_of(node))
        self._values += 1
        if self._values > MOST_VALUES:
            raise _TooManyValuesError
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, key)
        if any(node is each for each in self._open):
            self._wrong(key, "an alias that holds itself", "values that end", "Write the values out.", node)
            return None
        if node.tag not in (TAG + "map", TAG + "seq"):
            self._wrong(key, node.tag, "a list or a mapping without a tag", "Remove the tag.", node)
            return None
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, key)
            return [self.value(item, (*key, index)) for index, item in enumerate(node.value)]
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == TAG + "merge":
                merged.append(value_node)
                if len(merged) > 1:
                    self._wrong((*key, "<<"), "given twice", "each key once", "Merge a list of mappings: <<: [*a, *b].", key_node)
                continue
            name = self._name(key_node, key)
            if name is None:
                continue
            if name in result:
                self._wrong((*key, name), "given twice", "each key once", "Remove one of the two.", key_node)
            self._document.lines.setdefault((*key, name), line_of(key_node))
            result[name] = self.value(value_node, (*key, name))
        for each in merged:
            self._merge(each, key, result)
        return result

    def _merge(self, node: yaml.Node, key: Key, result: dict[str, Any]) -> None:
        """Adds the keys of a merged mapping, or of several, that are not there yet: the first one wins, as YAML's merge key says."""
        for each in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(each, yaml.MappingNode):
                self._wrong((*key, "<<"), "no mapping", "a mapping, or a list of mappings", "Merge an alias of a mapping.", each)
                continue
            for name, value in (self.value(each, key) or {}).items():
                result.setdefault(name, value)

    def _cut_off(self, node: yaml.ScalarNode) -> str:
        """What looks like the rest of a plain scalar and is a comment: ``form #tim`` is ``form``."""
        end = node.end_mark
        if node.style in QUOTED or end is None or end.line >= len(self._text_lines):
            return ""
        found = re.match(r"[ \t]*(#[^\s#].*)", self._text_lines[end.line][end.column :])
        return found[1].strip() if found else ""

    def _name(self, node: yaml.Node, key: Key) -> str | None:
        """A key, as it is written."""
        if isinstance(node, yaml.ScalarNode) and node.tag != TAG + "null":
            self._check_edges(node, (*key, str(node.value)))
            return str(node.value)
        value = "a list or a mapping" if not isinstance(node, yaml.ScalarNode) else repr(node.value)
        self._wrong((*key, "key"), value, "a plain name as key", "Write a name; a template stands in quotation marks.", node)
        return None

    def _scalar(self, node: yaml.ScalarNode, key: Key) -> Any:
        kind = node.tag.removeprefix(TAG)
        if kind in ("str", "null") and (cut := self._cut_off(node)):
            expected = f"“{node.value} {cut}” in quotation marks, or a space after the #".replace("“ ", "“")
            self._wrong(key, f"“{node.value}”, since {cut} is a comment", expected, "Add quotation marks or the space.", node)
            return None
        self._check_edges(node, key)
        try:
            return scalar_value(node)
        except UnclearScalarError as error:
            self._wrong(key, error.value, error.expected, error.remedy, node)
            return None

    def _check_edges(self, node: yaml.ScalarNode, key: Key) -> None:
        if node.style not in QUOTED and has_blank_edges(node.value):
            value, remedy = f"{node.value!r}, with a sign around it that nobody sees", "Write it anew, or put it in quotation marks."
            self._wrong(key, value, "the value alone, or quotation marks", remedy, node)

    def _wrong(self, key: Key, value: str, expected: str, remedy: str, node: yaml.Node) -> None:
        if (id(node), expected) in self._told:
            return
        self._told.add((id(node), expected))
        shown = value if len(value) <= 120 else value[:117] + "…"
        self._problems.append(self._document.problem(key, shown, expected, remedy, line=line_of(node)))
