"""JMESPath expressions over JSON answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from harness.pages.values import MissingValueError


def compile_json_path(source: str) -> Callable[[Any], Any]:
    """The expression as a function of JSON; it raises MissingValueError where a function of it cannot take what the answer holds."""
    search = jmespath.compile(source).search

    def found(data: Any) -> Any:
        try:
            return search(data)
        except JMESPathError as error:
            raise MissingValueError(f"{source}: {error}") from None

    return found
