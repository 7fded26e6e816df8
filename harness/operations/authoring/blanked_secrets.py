"""Texts and data of a draft without the secrets of its capture, in any spelling that one may have there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, quote_plus

BLANK = "•••"


def blanked(text: str, secrets: Iterable[str], which: Callable[[str], bool] = lambda secret: len(secret) >= 4) -> str:
    """A text without secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        for spelled in (secret, quote(secret, safe=""), quote_plus(secret)):
            if which(secret):
                text = text.replace(spelled, BLANK)
    return text


def blanked_data(data: Any, secrets: Iterable[str]) -> Any:
    """What a request sends without the secrets that became known only later. Names and expressions stay."""
    if isinstance(data, dict):
        return {key: blanked_data(value, secrets) for key, value in data.items()}
    if isinstance(data, list):
        return [blanked_data(value, secrets) for value in data]
    if not isinstance(data, str):
        return data
    return "".join(part if part.startswith("{{") else blanked(part, secrets, is_distinct) for part in re.split(r"(\{\{.*?\}\})", data))


def is_distinct(secret: str) -> bool:
    """Whether a secret is unlike any other value: a number or a short word may stand elsewhere by chance."""
    return len(secret) >= 8 and not secret.isdigit()
