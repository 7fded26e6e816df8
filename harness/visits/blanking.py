"""Blank secrets in what is shown or kept, also where HTML, JSON or an address spell them differently."""

from __future__ import annotations

import html
import json
from base64 import b64encode
from collections.abc import Collection, Iterable
from contextlib import suppress
from urllib.parse import quote, quote_plus

from harness.catalog import Target
from harness.errors import EnvironmentFault
from harness.pages.forms import form_value
from harness.visits.state import VisitState

BLANK = "•••"
_PERSONS = ("password", "otp", "citizen_number", "phone", "email", "name")


def blank(state: VisitState, text: str) -> str:
    """A text of ours without the secrets that were used in the visit."""
    for secret in state.context.hidden:
        text = text.replace(secret, BLANK) if secret else text
    return text


def blank_page(state: VisitState, text: str) -> str:
    """A text of the portal without the secrets of the target and the private parts of the test identity, in every spelling."""
    return without(secrets_of(state.target, state.visit, state.context.hidden), text)


def secrets_of(target: Target, visit: int, used: Iterable[str]) -> set[str]:
    """The secrets of a target, those that a visit used, and the private parts of its test identity."""
    found = set(used)
    for name in target.secrets:
        with suppress(EnvironmentFault):  # a secret whose file or variable is missing was not used
            found.add(target.secret(name))
    if target.identities:
        identity = target.identities[visit % len(target.identities)]
        found |= {value for column in _PERSONS if (value := identity.get(column))}
    return {secret for secret in found if secret}


def without(secrets: Collection[str], text: str) -> str:
    """A text without these secrets, the longest spelling first."""
    if not secrets:
        return text
    for spelled in sorted({form for secret in secrets for form in _spellings(secret)}, key=lambda form: (-len(form), form)):
        text = text.replace(spelled, BLANK)
    return text


def _spellings(secret: str) -> Iterable[str]:
    yield secret
    yield html.escape(secret)
    yield html.escape(secret, quote=False)
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield form_value(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield b64encode(secret.encode()).decode("ascii")
