"""Where a portal stands follows from the steps alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import EvidenceError
from harness.evidence import SweepFolder
from harness.evidence.publication import (
    FIRST_DRAFT,
    PUBLICATION,
    PortalPublication,
    PublicationStep,
    PublicationStepName,
    ReopeningCause,
    last_step,
    publication_of,
    read_publication,
)


def step(name: PublicationStepName, *portals: str, revision: int = 1, reason: str = "", answer_by: str = "") -> PublicationStep:
    cards = dict.fromkeys(portals, "0" * 64)
    return PublicationStep(
        name,
        cards,
        dict.fromkeys(portals),
        "1" * 64,
        revision,
        "An",
        "Bình",
        f"2026-11-{20 + revision}T02:00:00+00:00",
        reason,
        "",
        answer_by,
    )


def test_the_last_step_of_a_portal_counts_and_its_date_stays() -> None:
    steps = [step("sent", "a", "b", answer_by="2026-12-04"), step("answered", "a", revision=2)]
    assert publication_of(steps, "a") == PortalPublication("answered", "2026-11-22T02:00:00+00:00", "2026-12-04")
    assert publication_of(steps, "b") == PortalPublication("sent", "2026-11-21T02:00:00+00:00", "2026-12-04")
    assert publication_of(steps, "c") == FIRST_DRAFT
    assert last_step(steps, "b") == steps[0]
    assert last_step(steps, "c") is None


def test_the_causes_of_opening_again_stay_for_ever() -> None:
    steps = [
        step("sent", "a"), step("reopened", "a", revision=2, reason="first"), step("sent", "a", revision=3, answer_by="2026-12-09"),
        step("reopened", "a", revision=4, reason="second"),
    ]  # fmt: skip
    causes = (ReopeningCause(2, "first"), ReopeningCause(4, "second"))
    assert publication_of(steps, "a") == PortalPublication("draft", causes=causes)
    assert publication_of([*steps, step("sent", "a", revision=5)], "a").causes == causes


def test_the_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder, steps = SweepFolder(tmp_path), (step("sent", "a"), step("final", "a", revision=2))
    assert read_publication(folder) == ()
    (tmp_path / PUBLICATION).write_bytes(b"".join(each.line() + b"\n" for each in steps))
    assert read_publication(folder) == steps
    (tmp_path / PUBLICATION).write_bytes(b'{"step": "published"}\n')
    with pytest.raises(EvidenceError, match=r"publication\.jsonl"):
        read_publication(folder)
