"""From a night of 84 embedded portals to final scores: what the night left is named, settled, sent, answered and pushed, by the real commands.

Each test takes up where the one before ends; what a test changes on purpose, it changes in a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.planted_night import (
    AT_ONCE,
    BLOCKED,
    INSUFFICIENT,
    LIMITED,
    NOT_PERMITTED,
    PLANTED,
    SET,
    SHARED,
    STANDING,
    UNPROVEN,
    UNREACHABLE,
    VOID,
    Operators,
    Part,
    closed_port,
    operators,
    slow_path,
    write_catalog,
)
from tests.e2e.commands import HARNESS, started
from tests.e2e.evidence import load, only_folder

pytestmark = pytest.mark.slow

LONGEST_S = 3000.0  # a hang is a failure; nothing is judged by its duration


@dataclass(frozen=True)
class Night:
    """A sweep that has ended, and what the test knows of it."""

    folder: Path  # holds catalog and results
    sweep: Path
    slowed: Part
    operators: Operators

    def cards(self) -> dict[str, Any]:
        """The entries of scores.json by portal."""
        return {card["portal"]: card for card in load(self.sweep / "scores.json")["scores"]}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """The sweep; the sites of the planted portals stay up."""
    folder = tmp_path_factory.mktemp("morning")
    options = ("--workload", "planted", "--criteria", "planted", "--at-once", str(AT_ONCE), "--catalog", "catalog")
    with operators() as running, closed_port() as nobody:
        write_catalog(folder / "catalog", running.found, nobody)
        with started([HARNESS, "sweep", "--set", SET, *options], folder) as under_way:
            slowed = slow_path(under_way, folder / "results")
            code = under_way.process.wait(timeout=LONGEST_S)
            assert code == 10, under_way.said[-4000:]  # two verdicts are insufficient, one is void
        yield Night(folder, only_folder(folder / "results"), slowed, running)


def test_the_night_reached_every_state_that_was_planted(night: Night) -> None:
    """And nothing else happened: every portal that was not touched is valid, without a reason."""
    cards = night.cards()
    assert len(cards) == 84
    verdicts = {portal: card["verdict"] for portal, card in cards.items() if card["verdict"] != "valid"}
    assert verdicts == {
        VOID: "void", BLOCKED: "blocked", UNREACHABLE: "unreachable", LIMITED: "insufficient", INSUFFICIENT: "insufficient",
    }  # fmt: skip
    codes = {portal: {reason["code"] for reason in card["reasons"]} for portal, card in cards.items()}
    assert codes[UNPROVEN] == {"journey_unproven"}
    assert codes[VOID] == {"our_own_files"}
    assert codes[LIMITED] == {"address_limit"}
    assert codes[SHARED] == codes[INSUFFICIENT] == {"shared_failure"}
    assert codes[NOT_PERMITTED] == {"not_permitted"}
    assert {portal for portal, found in codes.items() if "path_doubt" in found} == night.slowed.portals
    assert {portal for portal, found in codes.items() if found} <= PLANTED | night.slowed.portals
    standing = (night.sweep / "not-withdrawn.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    assert {line.partition(",")[0] for line in standing} == {STANDING}
