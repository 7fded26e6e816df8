"""Blank secrets in what is shown or kept: by value, also where HTML, JSON or an address spell them differently, and by kind."""

from __future__ import annotations

import html
import json
from base64 import b64encode
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from urllib.parse import quote, quote_plus

from harness.catalog import Catalog, Target
from harness.catalog.target import target_of
from harness.errors import EnvironmentFault, HarnessError
from harness.pages.forms import form_value
from harness.visits.credentials import BLANK, by_kind, is_credential
from harness.visits.state import VisitState

SHORTEST_COOKIE = 8
"""Characters of a cookie that is blanked by value: shorter ones, such as a language, stand on pages as words."""
_PERSONS = ("password", "otp", "citizen_number", "phone", "email", "name")


def blank(state: VisitState, text: str) -> str:
    """A text of ours without the secrets that were used in the visit."""
    for secret in state.context.hidden:
        text = text.replace(secret, BLANK) if secret else text
    return text


def blank_given(state: VisitState, text: str) -> str:
    """A text without what the target's owner gave us: secrets, and the private parts of the test identity, in every spelling."""
    return without(given_to(state), text)


def blank_page(state: VisitState, text: str) -> str:
    """A text of the portal without secrets: those that were given to us, the portal's own tokens and cookies, and all of their kinds."""
    return by_kind(without(given_to(state) | tokens_of(state), text))


def blank_body(state: VisitState, body: bytes) -> bytes:
    """The bytes of an answer without secrets; those of other files than texts as they are."""
    if b"\0" in body[:1024]:
        return body
    return blank_page(state, body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def given_to(state: VisitState) -> set[str]:
    """What the target's owner gave us for a visit: secrets, and the private parts of the test identity."""
    return secrets_of(state.target, state.visit, state.context.hidden)


def tokens_of(state: VisitState) -> set[str]:
    """The cookies of the visit, and the values under names of tokens that answers gave."""
    origins = [f"{origin}/" for origin in state.target.owners]
    pages = [actor.page.url for actor in state.actors.values() if actor.page is not None]
    cookies = {
        value
        for actor in state.actors.values()
        for url in (*origins, *pages)
        for value in actor.session.cookies_for(url).values()
        if len(value) >= SHORTEST_COOKIE
    }
    return cookies | {value for name, value in state.scope.items() if isinstance(value, str) and is_credential(name, value)}


def secrets_of_catalog(catalog: Catalog) -> set[str]:
    """The secrets and passwords that the authorisations of a catalog refer to, as far as they can be read."""
    found: set[str] = set()
    for item in catalog.authorisations.values():
        with suppress(HarnessError, KeyError):  # what cannot be read here is reported elsewhere
            target = target_of(catalog.portals[item.portal], item)
            found |= secrets_of(replace(target, identities=()), 0, ())
            found |= {password for identity in target.identities if (password := identity.get("password"))}
    return found


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
    for spelled in spellings(secrets):
        text = text.replace(spelled, BLANK)
    return text


def spellings(secrets: Collection[str]) -> list[str]:
    """How these secrets may be written, the longest spelling first."""
    return sorted({form for secret in secrets for form in _spellings(secret)}, key=lambda form: (-len(form), form))


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
