"""Sealed rounds are chained by digests: whatever is changed, taken away or put in is found, though manifests are written anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.errors import EvidenceError
from harness.evidence import SweepFolder
from harness.evidence.chain import chain_problems
from harness.records.files import digest, write_json
from tests.e2e.commands import invoke
from tests.e2e.evidence import load
from tests.e2e.test_bad_input import assert_refused
from tests.recorded.conftest import RECORDED


def _named(sweep: SweepFolder) -> str:
    return "\n".join(map(str, chain_problems(sweep)))


def test_each_round_is_chained_to_the_one_before_and_the_first_to_the_plan(chained: SweepFolder) -> None:
    lone, load_ = (load(chained.link(name)) for name in chained.sealed_rounds())
    assert lone["previous"] == {"file": "plan.json", "sha256": digest(chained.plan)}
    assert load_["previous"] == {"file": "chain/round-000-00.json", "sha256": digest(chained.link("000-00"))}
    rows = {chained.relative(part) for portal in ("fast", "slow") for part in chained.parts(portal)}
    covered = {item["file"] for link in (lone, load_) for item in link["files"]}
    assert rows | {"rounds/round-000-00.json", "health/round-001-00.jsonl", "pages/refusing/search-blocked-1.html"} <= covered
    assert _named(chained) == ""
    done = invoke(chained.path.parent, "score", "demo")
    assert done.code == 0, done.said


def test_evidence_without_a_chain_is_older() -> None:
    assert _named(SweepFolder(RECORDED)) == ""


def _append(file: str) -> Callable[[SweepFolder], object]:
    def change(sweep: SweepFolder) -> None:
        path = sweep.path / file
        path.write_bytes(path.read_bytes() + b" ")

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_append("health/round-000-00.jsonl"), "health/round-000-00.jsonl: SHA-256"),
        (_append("rounds/round-001-00.json"), "rounds/round-001-00.json: SHA-256"),
        (_append("chain/round-000-00.json"), "chain/round-000-00.json: SHA-256"),
        (_append("plan.json"), "plan.json: SHA-256"),
        (lambda sweep: sweep.link("001-00").unlink(), "chain/round-001-00.json: SHA-256 is no file"),
        (lambda sweep: sweep.link("001-00").rename(sweep.link("002-00")), "chain/round-002-00.json: round is 002-00, which is not sealed"),
        (lambda sweep: sweep.ledger.write_bytes(sweep.ledger.read_bytes()[:-1]), "ledger.jsonl: SHA-256 of the first"),
    ],
)
def test_a_change_is_named(chained: SweepFolder, change: Callable[[SweepFolder], object], named: str) -> None:
    change(chained)
    assert named in _named(chained)


def test_a_round_that_was_put_in_makes_a_branch(chained: SweepFolder) -> None:
    link = load(chained.link("001-00"))
    write_json(chained.link("001-00"), link | {"previous": load(chained.link("000-00"))["previous"]})
    assert "a chain has no branches" in _named(chained)


def test_the_chain_is_compared_before_anything_is_scored(chained: SweepFolder) -> None:
    """Rows, round and manifests written anew together: the link still has the old digest."""
    health = chained.health("001-00")
    health.write_text(health.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    for path in chained.manifests():
        listed = load(path)
        for item in listed["evidence"]:
            if item["file"] == chained.relative(health):
                item["sha256"] = digest(health)
        write_json(path, listed)
    assert_refused(
        invoke(chained.path.parent, "score", "demo"), EvidenceError.exit_code, "health/round-001-00.jsonl", "by chain/round-001-00.json"
    )
