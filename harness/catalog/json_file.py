"""JSON that people bring: read as it is written, or refused. A key given twice, NaN and Infinity are no JSON."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from harness.errors import Problem


def read_json_text(text: str, file: str, problems: list[Problem]) -> Any:
    """What a text from ``file`` says; None, and one of ``problems``, where it is no JSON, or JSON that may mean two things."""
    try:
        return json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_once, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        value, line = f"not JSON ({error.msg})", error.lineno
    except RecursionError:
        value, line = "not JSON (nested too deeply)", 0
    except ValueError as error:
        value, line = f"not JSON ({error})", 0
    problems.append(Problem(file, "content", value, "JSON, with each key once", "Mend the file.", line))
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} is given twice")
        found[key] = value
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
