"""What went wrong in a step, said so that equal failures count as one kind; and how much of it is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from harness.records.outcome import Outcome

PAGES_PER_KIND = 3  # of each kind the first few pages are kept, in a portal's whole run
PAGES_PER_PORTAL = 24
PAGE_BYTES = 256_000  # of one page; what is longer is cut off
PAGES_BYTES_PER_PORTAL = 2_000_000
KINDS_PER_PORTAL = 100  # of one worker; beyond them failures are counted without their rule
RULE_LENGTH = 200

WITH_PAGE = frozenset({Outcome.WRONG_CONTENT, Outcome.EXTRACTION, Outcome.HTTP_ERROR, Outcome.BLOCKED, Outcome.NOT_SERVED})
"""The outcomes at which the portal has answered something that can be looked at."""


class FailureKind(NamedTuple):
    """Failures are counted by this; ``means`` is what the profile calls the rule, or empty."""

    journey: str
    goal: str
    step: str
    outcome: str
    means: str
    rule: str


SECOND_CLIENT = "httpx "
"""How the rule begins where another client was asked about an answer that ours could not read; what it made of it follows."""


def unreadable_by_all(failures: Iterable[tuple[str, str]]) -> bool:
    """Whether another client, asked about answers that ours could not read, rejected them too: (outcome, rule) of each failure."""
    said = [
        rule.removeprefix(SECOND_CLIENT) for outcome, rule in failures if outcome == Outcome.PROTOCOL and rule.startswith(SECOND_CLIENT)
    ]
    return any(opinion.startswith("rejects") for opinion in said) and not any(opinion.startswith("accepts") for opinion in said)
